"""
The colors a video's labels have in its own planes, prepared for classification.

All arithmetic is in integers, so that every compiler and NumPy agree to the bit:
centroids are in eighths of a code, squared distances in sixty-fourths.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

#: Codes are 8-bit; centroids are stored in eighths of a code.
SCALE = 8

#: Largest coordinate of a centroid, in eighths of a code.
LARGEST = 255 * SCALE

#: Most labels a codebook can hold (two 16-bit values are reserved).
MOST_LABELS = 65534

#: Squared distance, in 1/64 code, from which a color is foreign to the codebook.
FOREIGN = 24 * 24 * SCALE * SCALE

_CELLS = 32
_CELL = 8 * SCALE


def make_codebook(centroids8: ArrayLike) -> Codebook:
    """
    Prepare *centroids8*, (K, 3) integers in eighths of a code, for classification.

    Each label gets two confidence balls. Both lie within 0.4 times the distance to
    the nearest other label, so balls of different labels never meet, and a color
    inside a ball has its label as nearest one. The tight ball weighs luma fourfold:
    on real masks most wrong pixels of a naive test are mixtures of two labels whose
    chroma resembles a third (measured on CamVid masks: 79 % of them at CRF 0), and
    their luma gives them away.

    Raises:
        ValueError: If the array is not (K, 3) with 1 <= K <= 65534, or a coordinate
            lies outside 0..2040.
    """
    centroids = np.ascontiguousarray(centroids8)
    if centroids.ndim != 2 or centroids.shape[1] != 3:
        raise ValueError(f"centroids must be (K, 3), got {centroids.shape}")
    if not np.issubdtype(centroids.dtype, np.integer):
        raise ValueError(f"centroids must be integers (1/8 code): {centroids.dtype}")
    if not 1 <= len(centroids) <= MOST_LABELS:
        raise ValueError(f"1 to {MOST_LABELS} labels, got {len(centroids)}")
    if centroids.min() < 0 or centroids.max() > LARGEST:
        raise ValueError(f"centroids must lie within 0..{LARGEST} (1/8 code)")
    centroids = centroids.astype(np.int32)
    limit = _nearest_other(centroids) * 4 // 25
    tight = np.minimum(limit, 16 * 16 * SCALE * SCALE).astype(np.int32)
    wide = np.minimum(limit, 20 * 20 * SCALE * SCALE).astype(np.int32)
    dtype: np.dtype[Any] = np.dtype(np.uint8 if len(centroids) <= 254 else np.uint16)
    grid, starts, items = _index_cells(centroids, wide, dtype)
    for table in (centroids, tight, wide, grid, starts, items):
        table.flags.writeable = False  # the kernel reads them without the GIL
    return Codebook(centroids, tight, wide, grid, starts, items)


def _nearest_other(centroids: NDArray[np.int32]) -> NDArray[np.int64]:
    """
    Squared distance of each centroid to the nearest other one, in 1/64 code.
    """
    count = len(centroids)
    nearest = np.full(count, 1 << 40, np.int64)
    step = max(1, (1 << 21) // count)
    for start in range(0, count, step):
        part = centroids[start : start + step]
        distance = np.zeros((len(part), count), np.int64)
        for axis in range(3):
            difference = part[:, None, axis] - centroids[None, :, axis]
            distance += difference.astype(np.int64) ** 2
        rows = np.arange(len(part))
        distance[rows, start + rows] = 1 << 40
        nearest[start : start + step] = distance.min(1)
    return nearest


def _index_cells(
    centroids: NDArray[np.int32], wide: NDArray[np.int32], dtype: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[np.int32]]:
    """
    Say for each cell of 8 x 8 x 8 colors which wide balls touch it.

    Returns:
        The grid (32768,) with the one label whose ball touches the cell, all ones
        for none and all ones less one for several; and for the cells with several
        their labels, ``items[starts[cell] : starts[cell + 1]]``.
    """
    # A ball of radius 20 spans at most 6 cells of 8 codes.
    steps = np.arange(-3, 4)
    offsets = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1)
    cells_parts, labels_parts = [], []
    for start in range(0, len(centroids), 2048):
        part = centroids[start : start + 2048]
        cell = part[:, None, :] // _CELL + offsets.reshape(-1, 3)
        low = cell * _CELL
        high = low + _CELL - SCALE
        away = np.maximum(np.maximum(low - part[:, None], part[:, None] - high), 0)
        square = away.astype(np.int64) ** 2
        reach = 2 * square[..., 0] + square[..., 1] + square[..., 2]
        touches = reach <= wide[start : start + 2048, None]
        touches &= ((cell >= 0) & (cell < _CELLS)).all(2)
        which, place = np.nonzero(touches)
        at = cell[which, place]
        cells_parts.append((at[:, 0] * _CELLS + at[:, 1]) * _CELLS + at[:, 2])
        labels_parts.append(which + start)
    cells = np.concatenate(cells_parts)
    labels = np.concatenate(labels_parts).astype(np.int32)
    count = np.bincount(cells, minlength=_CELLS**3)
    none = np.iinfo(dtype).max
    grid = np.full(_CELLS**3, none, dtype)
    grid[cells] = labels.astype(dtype)
    grid[count > 1] = none - 1
    crowded = count[cells] > 1
    order = np.lexsort((labels[crowded], cells[crowded]))
    starts = np.zeros(_CELLS**3 + 1, np.int32)
    np.cumsum(np.where(count > 1, count, 0), out=starts[1:])
    return grid, starts, np.ascontiguousarray(labels[crowded][order])


@frozen(eq=False)
class Codebook:
    """
    Centroids with their confidence balls and an index of the color cube.
    """

    #: (K, 3) int32, Y U V (or any three planes) in eighths of a code.
    centroids: NDArray[np.int32] = field(repr=lambda a: f"<{a.shape}>")

    #: (K,) int32, squared radius of the tight ball, 1/64 code.
    tight: NDArray[np.int32] = field(repr=False)

    #: (K,) int32, squared radius of the wide ball, 1/64 code.
    wide: NDArray[np.int32] = field(repr=False)

    #: (32768,) of the label dtype, see `_index_cells`.
    grid: NDArray[Any] = field(repr=False)

    #: (32769,) int32, where a crowded cell's labels start.
    starts: NDArray[np.int32] = field(repr=False)

    #: int32, the labels of the crowded cells.
    items: NDArray[np.int32] = field(repr=False)

    def __len__(self) -> int:
        return len(self.centroids)

    @property
    def dtype(self) -> np.dtype[Any]:
        """
        What labels are stored in: uint8 up to 254 labels, else uint16.
        """
        return self.grid.dtype
