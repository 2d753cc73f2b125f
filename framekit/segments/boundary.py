"""
The band along the borders between labels, where segmentations go wrong first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.image.arrays import ensure_label_array
from framekit.errors import ArgumentError

__all__ = ["boundary_band"]


def boundary_band(array: Any, width: int) -> NDArray[np.bool_]:
    """
    Mark the pixels near a border between two values.

    Args:
        array: (H, W) of whole numbers, or a label map.
        width: 1 marks the pixels that share an edge with another value, on both
            sides; each further one adds their neighbors, over corners too.

    Returns:
        (H, W) bool.

    Raises:
        ArgumentError: If *width* is below 1, or *array* no (H, W).
    """
    if isinstance(width, bool) or not isinstance(width, int) or width < 1:
        raise ArgumentError("band", f"expected 1 pixel or more, got {width!r}")
    values = ensure_label_array(array)
    found = np.zeros(values.shape, np.bool_)
    beside = values[:, 1:] != values[:, :-1]
    found[:, 1:] |= beside
    found[:, :-1] |= beside
    below = values[1:] != values[:-1]
    found[1:] |= below
    found[:-1] |= below
    if width == 1:
        return found
    return _widened(_widened(found, width - 1).T, width - 1).T


def _widened(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """
    Spread what is True to *reach* columns on either side.
    """
    size = mask.shape[1]
    sums = np.zeros((mask.shape[0], size + 1), np.int32)
    np.cumsum(mask, axis=1, out=sums[:, 1:])
    at = np.arange(size)
    right = np.minimum(at + reach + 1, size)
    left = np.maximum(at - reach, 0)
    return np.asarray(sums[:, right] > sums[:, left])
