"""
How fast frames are validated, and in how much memory.

Run it with ``python tests/benchmarks/bench_validate.py [FRAMES] [--only PART,…]``.
Times are of the process, on one core unless said otherwise. fastjsonschema and
jsonschema-rs are compared with where they are installed; they look at the schema
only, as plain jsonschema does.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from framekit.schema import schema  # noqa: E402
from framekit.validation import validate  # noqa: E402
from framekit.validation.engines import processes  # noqa: E402

EXAMPLE = ROOT / "samples/valid/page-example-1.json"


def write(path: Path, count: int, *, raw: bool = False) -> Path:
    """
    Write *count* frames like Example 1 of ClearML's page.

    Args:
        raw: As the page has it, with mask ids and labels exchanged and the masks at
            other timestamps than their sources; else as it is meant.
    """
    frame = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    if not raw:
        for roi in frame["rois"]:
            roi["label"], roi["mask"]["id"] = [roi["mask"]["id"]], roi["label"][0]
    (source,) = frame["sources"]
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            moment = n % 300 * 33
            frame |= {"id": f"car_{n}", "context_id": f"car_{n // 300}"}
            frame["timestamp"] = source["timestamp"] = moment
            for mask in source["masks"]:
                mask["timestamp"] = moment // 10 if raw else moment
            file.write(json.dumps(frame) + "\n")
    return path


def seconds(work: Callable[[], Any], repeats: int = 3) -> float:
    """
    The least time of the process that *work* took.
    """
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def told(name: str, count: int, found: float) -> None:
    """
    Print one row.
    """
    row = f"{name:<44} {count / found:>12,.0f} frames/s {found / count * 1e6:>9.2f} µs"
    print(row, flush=True)


def peers() -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """
    Other validators of JSON Schema, as functions of a parsed document.
    """
    from jsonschema import Draft202012Validator

    rules: Any = schema("frame")
    yield (
        "jsonschema",
        lambda value: list(Draft202012Validator(rules).iter_errors(value)),
    )
    # fastjsonschema knows draft 7 at most; what the schema uses means the same.
    older = json.loads(json.dumps(rules).replace("$defs", "definitions"))
    older["$schema"] = "http://json-schema.org/draft-07/schema#"
    for name, make in (
        ("fastjsonschema", lambda module: module.compile(older)),
        (
            "jsonschema_rs",
            lambda module: partial(_all, module.Draft202012Validator(rules)),
        ),
    ):
        try:
            yield name, make(importlib.import_module(name))
        except ImportError:
            print(f"{name} is not installed")


def _all(validator: Any, value: Any) -> list[Any]:
    return list(validator.iter_errors(value))


def compare(path: Path, count: int) -> None:
    """
    Frames a second of each level, and of others.
    """
    with path.open("rb") as file:
        lines = list(islice(file, min(count, 20_000)))
    found = seconds(partial(_read, lines, bool))
    told("json.loads alone", len(lines), found)
    for name, check in peers():
        some = lines[:2000] if name == "jsonschema" else lines
        work = partial(_read, some, check)
        told(f"json + {name}, schema only", len(some), seconds(work, 1))
    for level in ("schema", "references"):
        found = seconds(lambda: validate(path, level=level), 1)  # noqa: B023
        told(f"framekit, read + {level}", count, found)


def _read(lines: list[bytes], check: Callable[[Any], Any]) -> None:
    for line in lines:
        check(json.loads(line))


def scale(path: Path, count: int) -> None:
    """
    Time on the clock with one and with two processes.
    """
    for jobs in (1, 2):
        start = time.perf_counter()
        validate(path, executor=partial(processes, jobs))
        found = time.perf_counter() - start
        told(f"references, {jobs} worker(s), by the clock", count, found)


def grow(folder: Path, count: int) -> None:
    """
    Cost of a frame as the version grows tenfold.
    """
    for number in (count // 100, count // 10, count):
        path = write(folder / "grow.jsonl", number)
        found = seconds(lambda: validate(path), 1)  # noqa: B023
        told(f"references, {number:,} frames", number, found)


def remember(folder: Path, count: int) -> None:
    """
    The most memory that a process of its own took.
    """
    code = (
        "import resource, sys, time; from framekit.validation import validate;"
        "t = time.process_time(); r = validate(sys.argv[1]);"
        "t = time.process_time() - t;"
        "m = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024;"
        "n = len(r.problems);"
        "print(f'{r.frames:,} frames, {n:,} problems, {t:.1f} s, {m} MiB')"
    )
    for raw in (False, True):
        path = write(folder / "memory.jsonl", count, raw=raw)
        command = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=ROOT
        )
        kind = "as the page has it" if raw else "as it is meant"
        print(f"Example 1 {kind}: {done.stdout.strip()}", flush=True)


def main() -> None:
    """
    Run the parts that were asked for.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", nargs="?", type=int, default=100_000)
    parser.add_argument("--only", default="compare,scale,grow,memory")
    arguments = parser.parse_args()
    parts = arguments.only.split(",")
    with tempfile.TemporaryDirectory() as name:
        folder, count = Path(name), arguments.frames
        path = write(folder / "frames.jsonl", count)
        if "compare" in parts:
            compare(path, count)
        if "scale" in parts:
            scale(path, count)
        if "grow" in parts:
            grow(folder, count)
        if "memory" in parts:
            remember(folder, count)


if __name__ == "__main__":
    main()
