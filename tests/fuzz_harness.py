"""
What the fuzz harnesses share: damaging bytes and JSON, and running cases.

A case may end in whatever the harness allows, or in an error or warning of framekit.
Anything else, a case that takes too long too, is a failure with the input that makes
it.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

from attrs import Factory, define

from framekit.errors import FramekitError, FramekitWarning

T = TypeVar("T")

#: How long one case may take, in seconds; they are made to take milliseconds.
LIMIT = 10.0

#: Bytes and words at which sizes and counts turn over.
ODD = [b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff"]
ODD += [b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\1\0", b"\0\1\0\0"]

#: Values that are seldom where one expects another.
STRANGE: list[Any] = [None, True, False, 0, -1, 1.5, 1e308, -0.0, 2**63, 2**31, 255]
STRANGE += [256, "", "0", "00", "é\u2028", "../x", "a" * 300, [], {}, [[]], [None]]
STRANGE += [{"": None}, [1, 2, 3], [-1, 1, 300], ["a"], {"id": "a"}, "\x00", 10**30]


class HungError(BaseException):
    """
    A case took too long; no handler of errors may catch this.
    """


@define
class Fuzzed(Generic[T]):
    """
    What became of the cases.
    """

    outcomes: Counter[str] = Factory(Counter)

    #: The first input of each kind of failure, by what happened and where.
    failures: dict[str, T] = Factory(dict)


def fuzz(
    make: Callable[[random.Random], T],
    attempt: Callable[[T], str],
    seconds: float,
    seed: int,
) -> Fuzzed[T]:
    """
    Make cases and try them for *seconds*.

    Args:
        attempt: Returns what became of a case, in a word.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    found: Fuzzed[T] = Fuzzed()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        case = make(rng)
        try:
            with limited(LIMIT), warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", FramekitWarning)
                outcome = attempt(case)
        except FramekitError:
            outcome = "refused"
        except (Exception, HungError) as error:  # noqa: BLE001 - all else is wrong
            outcome = "failed"
            found.failures.setdefault(described(error), case)
        found.outcomes[outcome] += 1
    return found


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """
    Raise `HungError` in what takes longer, where there are such signals.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(_: int, __: FrameType | None) -> None:
        raise HungError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def described(error: BaseException) -> str:
    """
    An error and the place in framekit that it comes from.
    """
    stack = traceback.extract_tb(error.__traceback__)
    ours = [each for each in stack if "framekit/" in each.filename] or list(stack)
    place = f"{ours[-1].filename}:{ours[-1].lineno}"
    return f"{type(error).__name__} at {place}: {str(error)[:200]}"


def damaged(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """
    *data* with something wrong in it, maybe a part of *other*.
    """
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(len(found) + 1)
        how = rng.randrange(6)
        if how == 0 and found:
            found[place - 1] ^= 1 << rng.randrange(8)
        elif how == 1:
            found[place : place + 4] = rng.choice(ODD)
        elif how == 2:
            found[place : place + rng.randrange(1, 40)] = b""
        elif how == 3 and other:
            start = rng.randrange(len(other))
            found[place:place] = other[start : start + rng.randrange(1, 40)]
        elif how == 4 and rng.random() < 0.3:
            del found[place:]
        else:
            found[place : place + 2] = rng.randbytes(2)
    return bytes(found)


def strange(value: Any, rng: random.Random) -> Any:
    """
    A copy of parsed JSON with a few of its parts replaced, moved or gone.
    """
    made = _copied(value)
    for _ in range(rng.choice((1, 1, 2, 4))):
        holders = list(_holders(made))
        if not holders:
            return _copied(rng.choice(STRANGE))
        holder = rng.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else [*range(len(holder))]
        if not keys:
            continue
        key = rng.choice(keys)
        how = rng.randrange(6)
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, dict):
            holder[rng.choice((f"{key}s", str(key)[:-1], ""))] = holder.pop(key)
        elif how == 2 and isinstance(holder, list):
            holder.append(_copied(holder[key]))
        elif how == 3:
            holder[key] = _copied(rng.choice(holders))
        else:
            holder[key] = _copied(rng.choice(STRANGE))
    return made


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _holders(item)


def run(
    harness: Callable[[float, int], Fuzzed[Any]], seconds: str = "20", seed: str = "1"
) -> None:
    """
    Fuzz from the command line; inputs that fail are put into files.
    """
    found = harness(float(seconds), int(seed))
    print(dict(found.outcomes))
    for number, (what, case) in enumerate(found.failures.items()):
        path = Path(f"failure-{number}")
        if isinstance(case, bytes):
            path.write_bytes(case)
        else:
            path.write_text(repr(case), encoding="utf-8")
        print(f"{what}\n    {path}")
    sys.exit(bool(found.failures))
