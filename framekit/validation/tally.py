"""
What is told once, with how often it was found.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from attrs import evolve

from framekit.problem import Box, Problem

__all__ = ["Tally"]


class Tally:
    """
    Problems by a key that says which of them are the same.

    Tallies of parts of a target add up to that of the whole.
    """

    def __init__(self) -> None:
        self._first: dict[Hashable, Problem] = {}
        self._counts: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._first)

    def __iter__(self) -> Iterator[tuple[Hashable, Problem]]:
        for key, found in self._first.items():
            yield key, evolve(found, count=self._counts[key] or None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tally):
            return NotImplemented
        return self._first == other._first and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]

    def add(self, key: Hashable, found: Problem) -> None:
        """
        Count *found*, by its ``count``; of the same, the first one is kept.
        """
        first = self._first.get(key)
        if first is None:
            self._first[key] = found
        elif found.box is not None and found.box != first.box:
            self._first[key] = evolve(first, box=_union(first.box, found.box))
        self.count(key, found.count or 0)

    def count(self, key: Hashable, number: int) -> None:
        """
        Count what was added before, be it to a tally that this one goes into.
        """
        self._counts[key] = self._counts.get(key, 0) + number

    def update(self, other: Tally) -> None:
        """
        Add all that *other* has counted.
        """
        for key, number in other._counts.items():
            found = other._first.get(key)
            if found is None:
                self.count(key, number)
            else:
                self.add(key, evolve(found, count=number))

    def restore(self, key: Hashable, found: Problem | None, number: int) -> None:
        """
        Add one of what :meth:`counts` has given.
        """
        if found is not None:
            self.add(key, evolve(found, count=None))
        self.count(key, number)

    def get(self, key: Hashable) -> Problem | None:
        """
        What is counted under *key*, None if nothing is.
        """
        return self._first.get(key)

    def counts(self) -> Iterator[tuple[Hashable, Problem | None, int]]:
        """
        Each key with its first problem, if that is here, and its number.
        """
        for key, number in self._counts.items():
            yield key, self._first.get(key), number


def _union(first: Box | None, second: Box | None) -> Box | None:
    if first is None or second is None:
        return first or second
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )
