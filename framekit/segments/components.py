"""
Connected components of a whole map at once, found on its runs.

Runs of neighboring rows that touch and have one value are edges of a graph; its
components are found by hooking each root to the smallest root that it touches,
and cutting all paths short, until no edge joins two trees.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.image.arrays import ensure_label_array
from framekit.errors import ArgumentError
from framekit.segments.runs import Runs, expanded, runs_of

__all__ = ["Connectivity", "as_connectivity", "components", "components_of_runs"]

#: 8 joins pixels that share a corner, 4 those that share an edge.
Connectivity = Literal[4, 8]


def components(
    array: Any, *, connectivity: Connectivity = 8, background: int | None = 0
) -> tuple[NDArray[np.int32], int]:
    """
    Number the connected regions of one value.

    Args:
        array: (H, W) of whole numbers or bools, or a label map.
        connectivity: 8 joins pixels that share a corner, 4 those that share an edge.
        background: The value whose pixels belong to no component; None for none.

    Returns:
        (H, W) int32: 0 for the background, then 1, 2, … in reading order; and how
        many there are.

    Raises:
        ArgumentError: If *array* is no (H, W) of whole numbers.
    """
    runs = runs_of(ensure_label_array(array))
    if background is None:
        wanted = np.ones(len(runs.values), np.bool_)
    else:
        wanted = runs.values != background
    found, count = components_of_runs(runs, wanted, as_connectivity(connectivity))
    numbers = np.repeat((found + 1).astype(np.int32), runs.lengths)
    return numbers.reshape(runs.shape), count


def as_connectivity(value: Any) -> Connectivity:
    """
    Return *value* if it is 4 or 8.

    Raises:
        ArgumentError: If it is neither.
    """
    if value == 4:
        return 4
    if value == 8:
        return 8
    raise ArgumentError("connectivity", f"expected 4 or 8, got {value!r}")


def components_of_runs(
    runs: Runs, wanted: NDArray[np.bool_], connectivity: Connectivity
) -> tuple[NDArray[np.int64], int]:
    """
    Number the components of the runs that are *wanted*.

    Returns:
        For each run its component, 0, 1, … in reading order of their first pixels,
        and -1 for what is not wanted; and how many there are.
    """
    upper, lower = _touching(runs, wanted, 1 if connectivity == 8 else 0)
    roots = _roots(len(runs.starts), upper, lower)
    # A root is the first run of its tree, so roots in order are in reading order.
    is_root = wanted & (roots == np.arange(len(roots)))
    number = np.cumsum(is_root) - 1
    return np.where(wanted, number[roots], -1), int(is_root.sum())


def _touching(
    runs: Runs, wanted: NDArray[np.bool_], reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Pairs of wanted runs of one value, the second in the row below the first.
    """
    height, width = runs.shape
    starts = runs.starts
    above = np.flatnonzero(wanted & (starts < (height - 1) * width))
    row = starts[above] // max(width, 1)
    left = np.maximum(starts[above] + width - reach, (row + 1) * width)
    right = np.minimum(runs.stops[above] + width + reach, (row + 2) * width)
    first = np.searchsorted(starts, left, "right") - 1
    which, lower = expanded(first, np.searchsorted(starts, right, "left") - first)
    upper = above[which]
    same = (runs.values[upper] == runs.values[lower]) & wanted[lower]
    return upper[same], lower[same]


def _roots(
    count: int, one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.int64]:
    """
    The smallest member of the tree of each of *count* nodes, joined by edges.
    """
    parents = np.arange(count)
    while one.size:
        np.minimum.at(parents, np.maximum(one, other), np.minimum(one, other))
        shorter = parents[parents]
        while not np.array_equal(shorter, parents):
            parents, shorter = shorter, shorter[shorter]
        one, other = parents[one], parents[other]
        apart = one != other
        one, other = one[apart], other[apart]
    return parents
