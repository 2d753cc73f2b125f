"""
Outlines of regions as polygons along the pixels' edges, and polygons as masks.

Corners are whole numbers, the corners of pixels: a polygon encloses its pixels
exactly, one-pixel strips too, and gives them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from attrs import cmp_using, field, frozen
from numpy.typing import NDArray

from framekit.errors import ArgumentError
from framekit.segments.components import components
from framekit.segments.region import Region
from framekit.segments.runs import expanded

__all__ = ["Polygon", "polygons_of", "rasterized", "to_coco_polygons"]

#: (n, 2) x and y of corners, the last one not repeating the first.
Ring = NDArray[np.int64]


def _same_rings(one: Sequence[Ring], other: Sequence[Ring]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@frozen
class Polygon:
    """
    An outline, and the holes in it.
    """

    #: (n, 2) x, y, clockwise as seen on screen.
    exterior: Ring = field(eq=cmp_using(eq=np.array_equal), hash=False)

    #: The same for each hole, counterclockwise.
    holes: tuple[Ring, ...] = field(
        default=(), eq=cmp_using(eq=_same_rings), hash=False
    )

    @property
    def rings(self) -> tuple[Ring, ...]:
        """
        The exterior, then the holes.
        """
        return self.exterior, *self.holes


def polygons_of(region: Region) -> tuple[Polygon, ...]:
    """
    The outlines of a region, in reading order; pixels that only share a corner apart.
    """
    left, top, _, _ = region.bounds
    padded = np.pad(region.mask, 1)
    pieces, count = components(padded, connectivity=4)
    exteriors: list[Ring | None] = [None] * count
    holes: list[list[Ring]] = [[] for _ in range(count)]
    for ring in _rings(padded):
        x, y = ring[0]
        moved = ring + np.array([left - 1, top - 1])
        if padded[y, x]:
            exteriors[pieces[y, x] - 1] = moved
        else:
            holes[pieces[y - 1, x] - 1].append(np.roll(moved[::-1], 1, axis=0))
    return tuple(
        Polygon(exterior, tuple(inner))
        for exterior, inner in zip(exteriors, holes, strict=True)
        if exterior is not None
    )


def to_coco_polygons(region: Region) -> list[list[int]]:
    """
    The outlines as COCO writes them: ``[[x, y, x, y, …], …]``.

    Raises:
        ArgumentError: If the region has holes, which this form cannot say; RLE can.
    """
    polygons = polygons_of(region)
    holes = sum(len(polygon.holes) for polygon in polygons)
    if holes:
        reason = f"has {holes} hole(s), which COCO's polygons would fill; write RLE"
        raise ArgumentError("region", reason)
    return [polygon.exterior.ravel().tolist() for polygon in polygons]


def rasterized(rings: Iterable[Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """
    The pixels whose center lies within an odd number of *rings*.

    Args:
        rings: Each (n, 2) x, y or flat ``[x, y, x, y, …]``, in pixels from the
            image's top left corner; parts outside of the image are cut off.
        shape: Height and width in pixels.

    Returns:
        The mask, (H, W).

    Raises:
        ArgumentError: If a ring has less than three corners, or no finite ones.
    """
    height, width = shape
    flips = np.zeros((height, width + 1), np.int64)
    for ring in rings:
        corners = _as_ring(ring)
        _flip(flips, corners, np.roll(corners, -1, axis=0))
    return (np.cumsum(flips, axis=1)[:, :width] & 1).astype(np.bool_)


def _flip(flips: NDArray[np.int64], one: Any, other: Any) -> None:
    """
    Count, for each row, where edges from *one* to *other* cross its center line.
    """
    height, width = flips.shape[0], flips.shape[1] - 1
    down = (one[:, 1] <= other[:, 1])[:, None]
    x0, y0 = np.where(down, one, other).T
    x1, y1 = np.where(down, other, one).T
    first = np.clip(np.ceil(y0 - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(y1 - 0.5), 0, height).astype(np.int64)
    edge, row = expanded(first, np.maximum(last - first, 0))
    slope = (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
    x = x0[edge] + (row + 0.5 - y0[edge]) * slope
    column = np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)
    np.add.at(flips, (row, column), 1)


def _as_ring(ring: Any) -> NDArray[np.float64]:
    try:
        values = np.asarray(ring, np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim == 1 and values.size % 2 == 0:
        values = values.reshape(-1, 2)
    if values.ndim != 2 or values.shape[1] != 2 or len(values) < 3:
        reason = f"expected three or more corners x, y, got {ring!r:.80}"
        raise ArgumentError("rings", reason)
    if not np.isfinite(values).all() or np.abs(values).max() > 2**31:
        raise ArgumentError("rings", "has corners that are not finite, or far away")
    return values


def _rings(padded: NDArray[np.bool_]) -> list[Ring]:
    """
    The closed paths along the edges of a mask with an empty margin.

    Every corner has one edge to the side and one up or down. Sorted by rows,
    corners pair up along horizontal edges, sorted by columns along vertical ones.
    Where two pixels touch by a corner only, it counts twice, one for each pixel.
    """
    a, b = padded[:-1, :-1], padded[:-1, 1:]
    c, d = padded[1:, :-1], padded[1:, 1:]
    odd = a ^ b ^ c ^ d
    falling = a & d & ~b & ~c
    rising = b & c & ~a & ~d
    y, x = np.nonzero(odd | falling | rising)
    if not len(y):
        return []
    # The two corners at one place: first the one with the edge to the left.
    twice = (falling | rising)[y, x].astype(np.int64) + 1
    which, turn = expanded(np.zeros(len(y), np.int64), twice)
    y, x, rises = y[which] + 1, x[which] + 1, rising[y, x][which]
    # Of a falling pair the left one goes up, of a rising pair it goes down.
    order = np.lexsort((np.where(rises, 1 - turn, turn), y, x))
    beside = np.arange(len(y)) ^ 1
    below = np.empty(len(y), np.int64)
    below[order] = order[np.arange(len(y)) ^ 1]
    return _cycles(x, y, beside.tolist(), below.tolist())


def _cycles(
    x: NDArray[np.int64], y: NDArray[np.int64], beside: list[int], below: list[int]
) -> list[Ring]:
    """
    Follow the edges clockwise, each path from its first corner in reading order.
    """
    corners = np.stack([x, y], axis=1)
    seen = [False] * len(beside)
    found = []
    for start in range(len(beside)):
        if seen[start]:
            continue
        path: list[int] = []
        at = start
        while not seen[at]:
            side = beside[at]
            seen[at] = seen[side] = True
            path += (at, side)
            at = below[side]
        found.append(corners[path])
    return found
