"""
Points that lie close to each other, found without comparing all with all.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["close_pairs"]

#: How many pairs are compared at once.
_CHUNK: Final = 1 << 18

#: A cell with itself, and with one of each two opposite neighbors.
_OFFSETS: Final = [o for o in product((-1, 0, 1), repeat=3) if o >= (0, 0, 0)]

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def close_pairs(points: NDArray[np.float64], radius: float) -> Iterator[Pairs]:
    """
    Yield all pairs of points less than *radius* apart, each once, in portions.

    Args:
        points: (N, 3).

    Yields:
        Positions i < j and the distances, three arrays of one length.
    """
    if len(points) < 2:
        return
    # Points closer than the radius lie in the same or in adjacent cells.
    cells = np.floor(points / radius).astype(np.int64)
    cells -= cells.min(axis=0) - 1
    _, height, depth = (int(size) + 2 for size in cells.max(axis=0))
    keys = (cells[:, 0] * height + cells[:, 1]) * depth + cells[:, 2]
    order = np.argsort(keys, kind="stable")
    keys, points = keys[order], points[order]
    for offset in _OFFSETS:
        there = keys + (offset[0] * height + offset[1]) * depth + offset[2]
        start = np.searchsorted(keys, there, side="left")
        stop = np.searchsorted(keys, there, side="right")
        if offset == (0, 0, 0):
            start = np.arange(1, len(keys) + 1)
        for a, b in _expanded(start, np.maximum(stop - start, 0)):
            distance = np.sqrt(((points[a] - points[b]) ** 2).sum(axis=1))
            near = distance < radius
            if near.any():
                i, j = order[a[near]], order[b[near]]
                yield np.minimum(i, j), np.maximum(i, j), distance[near]


def _expanded(
    start: NDArray[Any], count: NDArray[Any]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """
    Row n with each of the *count[n]* rows from *start[n]* on, in portions.
    """
    ends = np.cumsum(count)
    row = 0
    while row < len(start):
        before = int(ends[row - 1]) if row else 0
        last = int(np.searchsorted(ends, before + _CHUNK, side="right"))
        last = max(last, row + 1)
        part = count[row:last]
        a = np.repeat(np.arange(row, last), part)
        first = np.repeat(start[row:last] - (ends[row:last] - part - before), part)
        yield a, first + np.arange(len(a))
        row = last
