"""
Damaged frames to the JSON reader, `SingleFrame.from_json` and `validate`.

    python -m tests.fuzz_json [seconds] [seed]

What is read is what Python's own parser reads; a frame that is read is written and
read again as the same; a document that cannot be read as a frame is no valid one.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

from framekit import _json
from framekit.errors import DocumentError
from framekit.frame import SingleFrame
from framekit.validation import validate
from tests.fuzz_harness import Fuzzed, damaged, fuzz, run, strange

SAMPLES = Path(__file__).parents[1] / "samples"

#: Text that is no JSON, nearly.
SNIPPETS = [b'{"a":1,"a":2}', b"NaN", b"1e999", b"18446744073709551616", b'"\\ud800"']
SNIPPETS += [b"[" * 150 + b"]" * 150, b"\xef\xbb\xbf", b"\xed\xa0\x80", b"-", b"//"]
SNIPPETS += [b'"\\u0000"', b" : ", b'"":', b"\t", b"\\", b"'", b"1.", b"01", b"-0"]


@cache
def seeds() -> list[bytes]:
    """
    Frames of the samples, sound and not.
    """
    found = []
    for name in ("crossing", "valid", "invalid"):
        for path in sorted((SAMPLES / name).glob("*.json*")):
            data = path.read_bytes()
            lines = data.splitlines() if path.suffix == ".jsonl" else [data]
            found += lines[:3]
    return [seed for seed in found if seed.strip()]


def make(rng: random.Random) -> bytes:
    """
    A damaged document.
    """
    data = rng.choice(seeds())
    how = rng.random()
    if how < 0.4:
        return damaged(data, rng.choice(seeds()), rng)
    if how < 0.5:
        place = rng.randrange(len(data) + 1)
        return data[:place] + rng.choice(SNIPPETS) + data[place:]
    try:
        value = json.loads(data)
    except ValueError:
        return damaged(data, rng.choice(SNIPPETS), rng)
    written = json.dumps(strange(value, rng), ensure_ascii=rng.random() < 0.5)
    return written.encode(errors="surrogatepass")


def attempt(data: bytes, folder: Path) -> str:
    """
    What becomes of *data*: "read", "no frame", "no JSON" or "too large".

    Raises:
        AssertionError: If something is read wrongly.
    """
    path = folder / "frames.jsonl"
    path.write_bytes(data)
    report = validate(path)
    try:
        value = _json.loads(data)
    except DocumentError:
        if report.ok:
            raise AssertionError("no JSON, but valid") from None
        return "no JSON"
    assert same(value, json.loads(data.decode())), "read wrongly"
    alone = validate([value])
    try:
        frame = SingleFrame.from_json(data)
    except DocumentError:
        if alone.ok:
            raise AssertionError("no frame, but valid") from None
        return "no frame"
    try:
        written = frame.to_json()
    except DocumentError as error:
        # A timestamp of 1e300 is a whole number, which JSON has no integer for.
        if error.code != "integer-too-large":
            raise AssertionError("read, but not written") from error
        return "too large"
    again = SingleFrame.from_json(written)
    assert again == frame, "written wrongly"
    assert again.to_dict() == frame.to_dict()
    if alone.ok and not alone.counts.get("non-canonical"):
        assert frame.to_dict() == without_null(value, frame.to_dict()), "not kept"
    return "read"


def same(one: Any, other: Any) -> bool:
    """
    Whether two parsed documents are the same, 1 being another thing than 1.0.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def without_null(value: Any, written: Any) -> Any:
    """
    *value* without the null-valued keys that *written* lacks.
    """
    if isinstance(value, dict) and isinstance(written, dict):
        return {
            key: without_null(item, written.get(key))
            for key, item in value.items()
            if item is not None or key in written
        }
    if isinstance(value, list) and isinstance(written, list):
        if len(value) != len(written):
            return value
        return list(map(without_null, value, written))
    return value


def harness(seconds: float, seed: int) -> Fuzzed[bytes]:
    """
    Fuzz for *seconds*.
    """
    with tempfile.TemporaryDirectory() as folder:
        return fuzz(make, partial(attempt, folder=Path(folder)), seconds, seed)


if __name__ == "__main__":
    run(harness, *sys.argv[1:])
