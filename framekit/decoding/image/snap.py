"""
Pixels of unknown color, given the id of the nearest color.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.lookup.tables import Lookup
from framekit.errors import PaletteError

__all__ = ["closest_pair", "snap"]

#: Distances that are computed at once, 4 bytes each.
_BLOCK = 1 << 20

#: From so many colors on, a table of all colors is faster than sorting.
_MANY = 1 << 18


def snap(
    ids: NDArray[Any],
    keys: NDArray[np.uint32],
    unknown: NDArray[np.bool_],
    lookup: Lookup,
) -> None:
    """
    Give the *unknown* pixels of *ids*, in place, the id whose key is the nearest.

    Of colors, the distance is that of RGB; of values, the difference. Of several
    that are equally near, the one with the smallest key is taken.

    Args:
        ids: (H, W) uint8 or int32.
        keys: (H, W), as of *lookup*.
        unknown: (H, W).
    """
    if not len(lookup.keys):
        return
    sought = keys[unknown]
    values, inverse = _distinct(sought, lookup)
    known = _points(lookup.keys, lookup)
    squares = (known * known).sum(axis=1)
    size = max(1, _BLOCK // len(known))
    found = np.empty(len(values), np.intp)
    for start in range(0, len(values), size):
        points = _points(values[start : start + size], lookup)
        # |k - v|² less |v|², which is the same for every k.
        distances = squares - 2 * (points @ known.T)
        found[start : start + size] = distances.argmin(axis=1)
    ids[unknown] = lookup.ids[found][inverse].astype(ids.dtype)


def closest_pair(lookup: Lookup) -> float:
    """
    The distance of the two nearest keys of *lookup*; infinite for fewer than two.
    """
    points = _points(lookup.keys, lookup)
    closest = np.inf
    size = max(1, _BLOCK // max(1, len(points)))
    squares = (points * points).sum(axis=1)
    for start in range(0, len(points), size):
        part = points[start : start + size]
        distances = squares[start : start + size, None] + squares - 2 * part @ points.T
        rows = np.arange(len(part))
        distances[rows, rows + start] = np.inf
        closest = min(closest, float(distances.min()))
    return float(np.sqrt(closest))


def _distinct(
    keys: NDArray[np.uint32], lookup: Lookup
) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """
    The different *keys*, sorted, and where in them each key stands.
    """
    if lookup.kind != "color" or len(keys) < _MANY:
        values, inverse = np.unique(keys, return_inverse=True)
        return values, inverse.reshape(-1)
    place = np.zeros(1 << 24, np.int32)
    place[keys] = 1
    values = np.flatnonzero(place).astype(np.uint32)
    place[values] = np.arange(len(values), dtype=np.int32)
    return values, place[keys].astype(np.intp)


def _points(keys: NDArray[np.uint32], lookup: Lookup) -> NDArray[Any]:
    """
    Keys as points in space, of a type in which sums of products are exact.
    """
    if lookup.kind == "index":
        if len(keys) and keys.max() >= 1 << 26:
            raise PaletteError("values this large have no nearest one")
        return keys.astype(np.float64)[:, None]
    channels = [keys >> np.uint32(shift) & np.uint32(255) for shift in (16, 8, 0)]
    return np.stack(channels, axis=1).astype(np.float32)
