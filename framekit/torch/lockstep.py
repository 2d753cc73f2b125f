"""
Several files that are read side by side.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Generic, TypeVar

from framekit.errors import FramekitError

__all__ = ["Lockstep", "Run"]

T = TypeVar("T")

#: What one file gives, in the order that suits it: a place, and what belongs there.
Run = Generator[tuple[int, T | FramekitError], None, None]


class Lockstep(Generic[T]):
    """
    What several files give, each read only as far as the next place needs it.

    The reason for this being a class is that what comes early is kept. Asked in the
    order of the files, it keeps nothing.
    """

    def __init__(self, runs: Mapping[str, Run[T]], files: Mapping[int, str]) -> None:
        """
        Read nothing yet.

        Args:
            runs: By file.
            files: Which file each place is in.
        """
        self._runs = runs
        self._files = files
        self._early: dict[int, T | FramekitError] = {}

    def take(self, place: int) -> T:
        """
        What belongs at *place*; it is given once.

        Raises:
            FramekitError: Why there is none.
        """
        while place not in self._early:
            found, outcome = next(self._runs[self._files[place]])
            self._early[found] = outcome
        outcome = self._early.pop(place)
        if isinstance(outcome, FramekitError):
            raise outcome
        return outcome

    def close(self) -> None:
        """
        Close the files.
        """
        for run in self._runs.values():
            run.close()
