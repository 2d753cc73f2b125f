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
        self._found: dict[Hashable, Problem] = {}

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[tuple[Hashable, Problem]]:
        yield from self._found.items()

    def add(self, key: Hashable, found: Problem) -> None:
        """
        Count *found*, by its ``count``; of the same, the first one is kept.
        """
        first = self._found.get(key)
        if first is None:
            self._found[key] = found
            return
        self._found[key] = evolve(
            first,
            count=(first.count or 0) + (found.count or 0),
            box=_union(first.box, found.box),
        )

    def update(self, other: Tally) -> None:
        """
        Add all that *other* has counted.
        """
        for key, found in other:
            self.add(key, found)

    def get(self, key: Hashable) -> Problem | None:
        """
        What is counted under *key*, None if nothing is.
        """
        return self._found.get(key)


def _union(first: Box | None, second: Box | None) -> Box | None:
    if first is None or second is None:
        return first or second
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )
