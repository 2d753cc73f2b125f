"""
Any number of problems, in little memory.
"""

from __future__ import annotations

import pickle
import tempfile
import weakref
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final, overload

from framekit.problem import Problem, Severity

__all__ = ["HELD", "Problems"]

#: How many problems are held in memory; those beyond are in a temporary file.
HELD: Final = 10_000


class Problems(Sequence[Problem]):
    """
    A sequence of problems that can only grow, with exact counts.

    The reason for this being a class is memory: a version of a million frames
    can have as many problems.
    """

    def __init__(self, *, held: int = HELD) -> None:
        self._held = held
        self._first: list[Problem] = []
        self._offsets = array("Q")
        self._file: IO[bytes] | None = None

        #: How many problems there are of each code.
        self.by_code: Counter[str] = Counter()

        #: How many problems there are of each severity.
        self.by_severity: Counter[Severity] = Counter()

    def append(self, found: Problem) -> None:
        """
        Add one problem at the end.
        """
        self.by_code[found.code] += 1
        self.by_severity[found.severity] += 1
        if len(self._first) < self._held:
            self._first.append(found)
            return
        if self._file is None:
            # Closed with this object, and gone from the disk already.
            self._file = tempfile.TemporaryFile(prefix="framekit-")  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        self._file.seek(0, 2)
        self._offsets.append(self._file.tell())
        pickle.dump(found, self._file)

    def __len__(self) -> int:
        return len(self._first) + len(self._offsets)

    def __iter__(self) -> Iterator[Problem]:
        for n in range(len(self)):
            yield self._at(n)

    @overload
    def __getitem__(self, index: int) -> Problem: ...
    @overload
    def __getitem__(self, index: slice) -> list[Problem]: ...
    def __getitem__(self, index: int | slice) -> Problem | list[Problem]:
        if isinstance(index, slice):
            return [self._at(n) for n in range(len(self))[index]]
        return self._at(range(len(self))[index])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, (str, bytes)):
            return NotImplemented
        return len(self) == len(other) and all(
            mine == theirs for mine, theirs in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        more = f", … {len(self) - 3:,} more" if len(self) > 3 else ""
        return f"[{shown}{more}]"

    def _at(self, number: int) -> Problem:
        if number < len(self._first):
            return self._first[number]
        assert self._file is not None  # noqa: S101 - it was made with the offset
        self._file.seek(self._offsets[number - len(self._first)])
        found: Any = pickle.load(self._file)  # noqa: S301 - our own, and unlinked
        return found  # type: ignore[no-any-return]
