"""
Which pixels and blocks of a coded mask show their label beyond doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.color.repair.codebook import FOREIGN, SCALE, Codebook

#: How much codes of a flat region vary at most.
FLAT = 2

#: The label of a pixel that no confidence ball holds, in int32 label maps.
NONE = -1


def confident_labels(
    y: NDArray[Any], u: NDArray[Any], v: NDArray[Any], codebook: Codebook
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """
    Classify pixels by the confidence balls of *codebook*; planes have one shape.

    Returns:
        The label whose wide ball holds the pixel, int32, `NONE` outside all; and
        whether the tight ball holds it.
    """
    cells = (y >> 3).astype(np.int32) << 10
    cells |= (u >> 3).astype(np.int32) << 5
    cells |= v >> 3
    found = codebook.grid[cells]
    labels = found.astype(np.int32)
    none = int(np.iinfo(codebook.dtype).max)
    crowded = np.nonzero(found == none - 1)
    labels[found >= none - 1] = 0
    tight, wide = _distances(y, u, v, codebook, labels)
    inside = (wide <= codebook.wide[labels]) & (found < none - 1)
    sure = (tight <= codebook.tight[labels]) & inside
    if len(crowded[0]):
        colors = (y[crowded], u[crowded], v[crowded])
        chosen, close = _search(colors, cells[crowded], codebook)
        labels[crowded], inside[crowded] = chosen, chosen >= 0
        sure[crowded] = close
    labels[~inside] = NONE
    return labels, sure


def sure_blocks(
    labels: NDArray[np.int32], tight: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """
    The label of each block whose four pixels are tight and of one label, else `NONE`.

    *labels* and *tight* are (blocks high, blocks wide, 4). A block with fewer than
    two of its eight neighbors sure of the same label is not sure: where two labels'
    mixture looks like a third, it does so in a line at most one block wide (measured
    on CamVid masks). Neighbors outside the picture count as supporting.
    """
    first = labels[..., 0]
    same = tight.all(2) & (labels == first[..., None]).all(2)
    blocks = np.where(same, first, NONE)
    high, across = blocks.shape
    framed = np.pad(blocks, 1, constant_values=NONE - 1)
    support = np.zeros(blocks.shape, np.int8)
    for down in range(3):
        for right in range(3):
            if (down, right) != (1, 1):
                other = framed[down : down + high, right : right + across]
                support += (other == blocks) | (other == NONE - 1)
    return np.where(support < 2, NONE, blocks)


def nearest_labels(
    y: NDArray[Any], u: NDArray[Any], v: NDArray[Any], centroids: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """
    The nearest centroid of each color (the first of equals) and its squared distance.

    Planes are 1-D; the distance is in 1/64 code. Each distinct color is searched once.
    """
    keys = (y.astype(np.int32) << 16) | (u.astype(np.int32) << 8) | v
    # Runs of one color are searched as one: masks are mostly runs.
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    lengths = np.diff(starts, append=len(keys))
    distinct, inverse = np.unique(keys[starts], return_inverse=True)
    labels = np.empty(len(distinct), np.int32)
    squares = np.empty(len(distinct), np.int64)
    step = max(1, (1 << 21) // len(centroids))
    for start in range(0, len(distinct), step):
        part = distinct[start : start + step]
        codes = np.stack([part >> 16, (part >> 8) & 255, part & 255], -1) * SCALE
        square = np.zeros((len(part), len(centroids)), np.int32)
        for axis in range(3):
            square += (codes[:, None, axis] - centroids[None, :, axis]) ** 2
        best = square.argmin(1)
        labels[start : start + step] = best
        squares[start : start + step] = square[np.arange(len(part)), best]
    return np.repeat(labels[inverse], lengths), np.repeat(squares[inverse], lengths)


def count_foreign(
    planes: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    codebook: Codebook,
    samples: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> int:
    """
    How many of the chroma *samples* are flat yet far (> 24 codes) from every centroid.

    A sample is flat if it, the eight around it, and the pixels under these vary by at
    most 2 codes in each plane. If fewer than 12 of the ambiguous samples are, no
    color is missing from the codebook that `hidden_centroids` would find with the
    same centroids.

    Args:
        samples: Lines and columns in the chroma planes.
    """
    luma, u, v = planes
    down, across = (shift_of(*both) for both in zip(luma.shape, u.shape, strict=True))
    high, wide = luma.shape[0] >> down, luma.shape[1] >> across
    lines, columns = samples
    whole = (lines < high) & (columns < wide)
    lines, columns = lines[whole], columns[whole]
    for plane, steps in ((luma, (down, across)), (u, (0, 0)), (v, (0, 0))):
        around = [
            values
            for line, column in product((-1, 0, 1), repeat=2)
            for values in _under(
                plane,
                np.clip(lines + line, 0, high - 1),
                np.clip(columns + column, 0, wide - 1),
                steps,
            )
        ]
        most, least = np.max(around, axis=0), np.min(around, axis=0)
        flat = most - least <= FLAT
        lines, columns = lines[flat], columns[flat]
    if not len(lines):
        return 0
    own = list(_under(luma, lines, columns, (down, across)))
    least, most = np.min(own, axis=0).astype(np.int32), np.max(own, axis=0)
    middle = ((least + most) // 2).astype(np.uint8)
    _, squares = nearest_labels(
        middle, u[lines, columns], v[lines, columns], codebook.centroids
    )
    return int((squares > FOREIGN).sum())


def shift_of(pixels: int, samples: int) -> int:
    """
    How far to shift a pixel's place to get its chroma sample's.

    Raises:
        ValueError: If no subsampling of 1, 2 or 4 leads from *pixels* to *samples*.
    """
    for shift in range(3):
        if (pixels + (1 << shift) - 1) >> shift == samples:
            return shift
    raise ValueError(f"{samples} chroma samples do not fit {pixels} pixels")


def _under(
    plane: NDArray[Any],
    lines: NDArray[np.intp],
    columns: NDArray[np.intp],
    steps: tuple[int, int],
) -> Iterator[NDArray[Any]]:
    """
    The values of *plane* under each sample.
    """
    down, across = steps
    for line in range(1 << down):
        for column in range(1 << across):
            yield plane[(lines << down) + line, (columns << across) + column]


def _distances(
    y: NDArray[Any],
    u: NDArray[Any],
    v: NDArray[Any],
    codebook: Codebook,
    labels: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """
    Squared distances to the labels' centroids, luma counted fourfold and twice.
    """
    centroids = codebook.centroids
    luma = (y.astype(np.int32) * SCALE - centroids[labels, 0]) ** 2
    chroma = (u.astype(np.int32) * SCALE - centroids[labels, 1]) ** 2
    chroma += (v.astype(np.int32) * SCALE - centroids[labels, 2]) ** 2
    return 4 * luma + chroma, 2 * luma + chroma


def _search(
    colors: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    cells: NDArray[np.int32],
    codebook: Codebook,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """
    Classify colors in crowded cells: the first label whose wide ball holds it.
    """
    chosen = np.full(len(cells), NONE, np.int32)
    tight = np.zeros(len(cells), bool)
    place = codebook.starts[cells]
    end = codebook.starts[cells + 1]
    active = np.nonzero(place < end)[0]
    while len(active):
        labels = codebook.items[place[active]]
        y, u, v = (plane[active] for plane in colors)
        near, far = _distances(y, u, v, codebook, labels)
        hit = far <= codebook.wide[labels]
        chosen[active[hit]] = labels[hit]
        tight[active[hit]] = (near <= codebook.tight[labels])[hit]
        place[active] += 1
        active = active[~hit & (place[active] < end[active])]
    return chosen, tight
