"""
Polygons to pixels by COCO's own rule, which its masks and scores rest on.

Corners are moved to a grid five times as fine, edges are walked on it, and a pixel
is inside where the number of edges crossed before it, down the columns, is odd.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from framekit.errors import ArgumentError
from framekit.segments.runs import expanded

__all__ = ["coco_mask"]

#: How much finer the grid is.
_SCALE: Final = 5.0


def coco_mask(polygons: Iterable[Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """
    The pixels that are in any of *polygons*.

    Args:
        polygons: Each flat ``[x, y, x, y, …]``, in pixels.
        shape: Height and width in pixels.

    Returns:
        The mask, (H, W).

    Raises:
        ArgumentError: If a polygon has less than three corners, or no finite ones.
    """
    height, width = shape
    found = np.zeros(shape, np.bool_)
    for polygon in polygons:
        corners = _as_corners(polygon)
        flips = _flips(corners, height, width)
        counts = np.bincount(flips, minlength=height * width + 1)[: height * width]
        inside = np.cumsum(counts) & 1
        found |= inside.reshape(width, height).T.astype(np.bool_)
    return found


def _as_corners(polygon: Any) -> NDArray[np.int64]:
    try:
        values = np.asarray(polygon, np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 1 or values.size % 2 or values.size < 6:
        reason = f"expected [x, y, x, y, …] of three corners, got {polygon!r:.60}"
        raise ArgumentError("segmentation", reason)
    if not np.isfinite(values).all() or np.abs(values).max() > 2**24:
        raise ArgumentError("segmentation", "has corners far away, or not finite")
    # Like C, toward zero.
    scaled = np.trunc(_SCALE * values.reshape(-1, 2) + 0.5)
    return scaled.astype(np.int64)


def _flips(corners: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
    """
    Positions, down the columns, from which on a pixel is on the other side.
    """
    u, v = _walked(corners)
    moved = np.flatnonzero(u[1:] != u[:-1]) + 1
    before, after = u[moved - 1], u[moved]
    x = (np.where(after < before, after, after - 1) + 0.5) / _SCALE - 0.5
    y = (np.minimum(v[moved], v[moved - 1]) + 0.5) / _SCALE - 0.5
    kept = (np.floor(x) == x) & (x >= 0) & (x <= width - 1)
    row = np.ceil(np.clip(y[kept], 0, height)).astype(np.int64)
    return np.asarray(x[kept].astype(np.int64) * height + row)


def _walked(corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    The points of the grid along all edges, one after the other.
    """
    start, end = corners, np.roll(corners, -1, axis=0)
    delta = np.abs(end - start)
    flat = delta[:, 0] >= delta[:, 1]
    axis = np.where(flat, 0, 1)
    rows = np.arange(len(corners))
    # Edges are walked upwards along their longer side, and turned around after.
    flip = start[rows, axis] > end[rows, axis]
    low = np.where(flip[:, None], end, start)
    high = np.where(flip[:, None], start, end)
    length = delta[rows, axis]
    across = high[rows, 1 - axis] - low[rows, 1 - axis]
    slope = across / np.maximum(length, 1)
    edge, step = expanded(np.zeros(len(corners), np.int64), length + 1)
    step = np.where(flip[edge], length[edge] - step, step)
    along = low[rows, axis][edge] + step
    # The cast of C again; corners left of the image are below zero.
    other = np.trunc(low[rows, 1 - axis][edge] + slope[edge] * step + 0.5)
    other = other.astype(np.int64)
    u = np.where(flat[edge], along, other)
    v = np.where(flat[edge], other, along)
    return u, v
