"""
Rows of plain values in a temporary file.
"""

from __future__ import annotations

import marshal
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

__all__ = ["Spill"]

#: How many rows are written, and read, together.
_GROUP: Final = 64

#: The form of marshal without references, which are slower to write.
_PLAIN: Final = 2


class Spill:
    """
    A list of tuples that can only grow; next to nothing is held in memory.

    The rows are of text, numbers, None, and tuples of these.
    """

    def __init__(self) -> None:
        self._ends = array("Q", [0])
        self._waiting: list[tuple[Any, ...]] = []
        self._file: IO[bytes] | None = None
        self._at_end = True

    def __len__(self) -> int:
        return self._written + len(self._waiting)

    def __iter__(self) -> Iterator[Any]:
        for number in range(0, len(self), _GROUP):
            yield from self._group(number)

    def __getitem__(self, number: int) -> Any:
        return self._group(number)[number % _GROUP]

    def extend(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """
        Add *rows* at the end.
        """
        waiting = self._waiting
        waiting.extend(rows)
        whole = len(waiting) - len(waiting) % _GROUP
        if whole:
            self._write(waiting[:whole])
            del waiting[:whole]

    @property
    def _written(self) -> int:
        return (len(self._ends) - 1) * _GROUP

    def _group(self, number: int) -> list[Any]:
        """
        The rows that are written together with that of *number*.
        """
        if number >= self._written:
            return self._waiting
        assert self._file is not None  # noqa: S101 - it was made with the first row
        start, end = self._ends[number // _GROUP : number // _GROUP + 2]
        self._at_end = False
        self._file.seek(start)
        rows: list[Any] = marshal.loads(self._file.read(end - start))  # noqa: S302
        return rows

    def _write(self, rows: list[tuple[Any, ...]]) -> None:
        if self._file is None:
            # Closed with this object, and gone from the disk already.
            self._file = tempfile.TemporaryFile(prefix="framekit-")  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        if not self._at_end:
            self._file.seek(0, 2)
            self._at_end = True
        for start in range(0, len(rows), _GROUP):
            data = marshal.dumps(rows[start : start + _GROUP], _PLAIN)
            self._file.write(data)
            self._ends.append(self._ends[-1] + len(data))
