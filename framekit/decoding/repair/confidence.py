"""
Which pixels and blocks of a coded mask show their label beyond doubt.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.repair.codebook import FOREIGN, SCALE, Codebook

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
    lumas: NDArray[Any], u: NDArray[Any], v: NDArray[Any], codebook: Codebook
) -> int:
    """
    How many blocks are flat in luma yet far (> 24 codes) from every centroid.

    *lumas* is (blocks, pixels), *u* and *v* (blocks,). If fewer than 12 of the
    ambiguous blocks are, no color is missing from the codebook that
    `framekit.decoding.hidden.hidden_centroids` would find with the same centroids.
    """
    high, low = lumas.max(1), lumas.min(1)
    flat = high - low <= 2
    middle = ((high[flat].astype(np.int32) + low[flat]) // 2).astype(np.uint8)
    if not len(middle):
        return 0
    _, squares = nearest_labels(middle, u[flat], v[flat], codebook.centroids)
    return int((squares > FOREIGN).sum())


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
