"""
Runs: stretches of one value within a row, which is what most of a map consists of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

__all__ = ["Runs", "expanded", "runs_of"]


@frozen(eq=False)
class Runs:
    """
    A map as runs, in reading order; together they cover every pixel once.
    """

    #: Height and width in pixels.
    shape: tuple[int, int]

    #: Flat positions: the first pixel of each run, and the first one after it.
    starts: NDArray[np.int64] = field(repr=lambda a: f"<{a.shape}>")
    stops: NDArray[np.int64] = field(repr=lambda a: f"<{a.shape}>")

    #: The value of each run, of the map's type.
    values: NDArray[Any] = field(repr=lambda a: f"<{a.shape} {a.dtype}>")

    @property
    def lengths(self) -> NDArray[np.int64]:
        """
        Pixels of each run.
        """
        return self.stops - self.starts


def runs_of(*maps: NDArray[Any]) -> Runs:
    """
    Cut maps of one shape into runs in which none of them changes.

    Args:
        maps: One or several (H, W).

    Returns:
        Runs with the values of the first map.
    """
    shape = maps[0].shape
    size = maps[0].size
    first = np.ascontiguousarray(maps[0]).reshape(-1)
    change = np.zeros(size, np.bool_)
    for one in maps:
        flat = np.ascontiguousarray(one).reshape(-1)
        if one is maps[0]:
            np.not_equal(flat[1:], flat[:-1], out=change[1:])
        else:
            change[1:] |= flat[1:] != flat[:-1]
    if size:
        change[:: shape[1]] = True
    starts = np.flatnonzero(change)
    stops = np.append(starts[1:], size) if size else starts
    height, width = shape
    return Runs((height, width), starts, stops, first[starts])


def expanded(
    first: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Unroll ranges: for each of them *counts* whole numbers from *first*.

    Returns:
        The position of the range, and the number, for each number in turn.
    """
    which = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return which, np.arange(len(which)) + np.repeat(first - before, counts)
