"""
Any number of problems, in little memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, overload

from attrs import fields

from framekit.problem import Problem, Severity
from framekit.validation.spill import Spill

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
        self._rest = Spill()

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
        self._rest.extend((_row(found),))

    def __len__(self) -> int:
        return len(self._first) + len(self._rest)

    def __iter__(self) -> Iterator[Problem]:
        yield from self._first
        for row in self._rest:
            yield _problem(row)

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
        return _problem(self._rest[number - len(self._first)])


_VALUES = attrgetter(*(attribute.name for attribute in fields(Problem)))


def _row(found: Problem) -> tuple[Any, ...]:
    values = _VALUES(found)
    if found.count is None:
        return (values[0], values[1].value, *values[2:])
    # What was counted in arrays may still be of their types.
    return (values[0], values[1].value, *map(_plain, values[2:]))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return tuple(map(int, value)) if isinstance(value, tuple) else int(value)


def _problem(row: tuple[Any, ...]) -> Problem:
    return Problem(*row)
