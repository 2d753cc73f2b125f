"""
Which portions of a target are done, and what was found in them: one line each.

A run that is interrupted goes on from there. The file is made of JSON, so that
nothing in it can do more than be read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from framekit.errors import ArgumentError, StorageError
from framekit.problem import Problem
from framekit.validation.outcome import Outcome
from framekit.validation.tally import Tally

__all__ = ["Ledger"]

_FORM: Final = 1

_Key = tuple[int, int]


class Ledger:
    """
    A ledger that is being written.
    """

    def __init__(self, path: str | os.PathLike[str], facts: Mapping[str, Any]) -> None:
        """
        Open the ledger at *path*, or begin it.

        Args:
            facts: What must be the same for all that is in a ledger, as JSON.

        Raises:
            ArgumentError: If what is there is no ledger, or one of other facts.
            StorageError: If it cannot be read or written.
        """
        self.path = Path(path)
        self._places: dict[_Key, int] = {}
        head = {"framekit-ledger": _FORM, **facts}
        try:
            self._file: BinaryIO = self.path.open("a+b")
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(str(self.path), reason) from None
        try:
            if not self._read(head):
                self._write(head)
        except OSError as error:
            self.close()
            reason = error.strerror or str(error)
            raise StorageError(str(self.path), reason) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """
        Write nothing more.
        """
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def outcome(self, key: _Key) -> Outcome:
        """
        What was found in the portion *key*, which is in the ledger.
        """
        self._file.seek(self._places[key])
        return _outcome(json.loads(self._file.readline())["outcome"])

    def append(self, key: _Key, outcome: Outcome) -> None:
        """
        Note that a portion is done.

        Raises:
            StorageError: If it cannot be written.
        """
        try:
            self._write({"portion": key, "outcome": dict(_plain(outcome))})
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(str(self.path), reason) from None

    def _write(self, value: Mapping[str, Any]) -> None:
        self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(value, default=int).encode() + b"\n")
        self._file.flush()

    def _read(self, head: Mapping[str, Any]) -> bool:
        """
        Find out what is done; a line that is torn is cut off.
        """
        self._file.seek(0)
        end = 0
        for number, line in enumerate(self._file):
            value = _parsed(line)
            if number == 0:
                self._compare(value, line, head)
            if value is None:
                break
            if number:
                self._places[_key(value)] = end
            end += len(line)
        rest = self._file.read()
        if rest.count(b"\n"):
            reason = f"{self.path} is damaged after {end:,} bytes; remove it"
            raise ArgumentError("ledger", reason)
        self._file.truncate(end)
        return end > 0

    def _compare(self, value: Any, line: bytes, head: Mapping[str, Any]) -> None:
        if value is None and not line.endswith(b"\n") and line[:1] == b"{":
            return  # It was interrupted before anything was done.
        if not isinstance(value, dict) or "framekit-ledger" not in value:
            raise ArgumentError("ledger", f"{self.path} is no ledger of framekit")
        others = [key for key in head if value.get(key) != head[key]]
        if others:
            reason = (
                f"{self.path} is of another run: {' and '.join(others)} differ; "
                f"name another file, or remove it"
            )
            raise ArgumentError("ledger", reason)


def _parsed(line: bytes) -> Any:
    """
    The value of a line, None if it was not written to its end.
    """
    if not line.endswith(b"\n"):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None


def _key(value: Any) -> _Key:
    start, end = value["portion"]
    return start, end


def _plain(outcome: Outcome) -> Iterator[tuple[str, Any]]:
    yield "records", outcome.records
    yield "frames", outcome.frames
    yield "problems", [found.to_dict() for found in outcome.problems]
    for name in ("once", "types", "declared"):
        tally: Tally = getattr(outcome, name)
        yield (
            name,
            [
                (key, found and found.to_dict(), count)
                for key, found, count in tally.counts()
            ],
        )
    yield "ids", outcome.ids
    yield "mask_ids", sorted(outcome.mask_ids)
    yield "shown", sorted(outcome.shown)


def _outcome(value: Any) -> Outcome:
    outcome = Outcome(
        records=value["records"],
        frames=value["frames"],
        problems=[_problem(found) for found in value["problems"]],
        ids=[_tuples(row) for row in value["ids"]],
        mask_ids=set(value["mask_ids"]),
        shown=set(map(_tuples, value["shown"])),
    )
    for name in ("once", "types", "declared"):
        tally: Tally = getattr(outcome, name)
        for key, found, count in value[name]:
            tally.restore(_tuples(key), found and _problem(found), count)
    return outcome


def _problem(value: Mapping[str, Any]) -> Problem:
    return Problem(**{key: _tuples(item) for key, item in value.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
