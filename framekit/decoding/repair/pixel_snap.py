"""
Label planes of any subsampling pixel by pixel: the NumPy form of the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.repair.codebook import FOREIGN, SCALE, Codebook
from framekit.decoding.repair.confidence import (
    NONE,
    confident_labels,
    nearest_labels,
)

#: Pixels around an ambiguous one, in each direction, whose labels it may take.
REACH = 3

#: A pixel is uncertain if its label's misfit is over a DOUBT-th of the next one's.
DOUBT = 4


def upsample(plane: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """
    Repeat chroma samples so that each pixel has its own.

    Raises:
        ValueError: If no subsampling of 1, 2 or 4 turns *height* and *width* into
            the plane's.
    """
    lines = np.arange(height) >> _shift(height, plane.shape[0])
    columns = np.arange(width) >> _shift(width, plane.shape[1])
    upsampled: NDArray[Any] = plane[lines[:, None], columns]
    return upsampled


def snap_yuv(
    y: NDArray[np.uint8],
    u: NDArray[np.uint8],
    v: NDArray[np.uint8],
    codebook: Codebook,
) -> tuple[NDArray[np.int32], NDArray[np.uint32], dict[str, Any]]:
    """
    Classify each pixel; ambiguous ones take the most similar label nearby.

    A pixel outside all confidence balls takes, of the labels of confident pixels
    within 3 pixels, the one of least misfit: luma squared and 0.3 of chroma squared
    (chroma is blurred more). With none nearby it takes any label.

    Returns:
        Labels (H, W) int32; places ``y * W + x`` of uncertain pixels; and
        ``ambiguous`` (share of the pixels) and ``foreign`` (chroma samples).
    """
    height, width = y.shape
    planes = y, upsample(u, height, width), upsample(v, height, width)
    labels, _ = confident_labels(*planes, codebook)
    lines, columns = np.nonzero(labels == NONE)
    framed = np.pad(labels, REACH, constant_values=NONE)
    around = np.arange(2 * REACH + 1)
    doubt = np.zeros(len(lines), bool)
    step = max(1, (1 << 20) // max(64, len(codebook)))
    for start in range(0, len(lines), step):
        part = slice(start, start + step)
        rows = lines[part, None, None] + around[:, None]
        window = framed[rows, columns[part, None, None] + around]
        found = window.reshape(len(window), -1)
        present = np.zeros((len(found), len(codebook) + 1), bool)
        np.put_along_axis(present, found, values=True, axis=1)
        present = present[:, :-1]
        present[~present.any(1)] = True
        misfit = np.zeros(present.shape, np.int64)
        for plane, axis, weight in zip(planes, range(3), (10, 3, 3), strict=True):
            codes = plane[lines[part], columns[part]].astype(np.int64) * SCALE
            difference = codes[:, None] - codebook.centroids[:, axis]
            misfit += weight * difference**2
        misfit[~present] = np.iinfo(np.int64).max
        best = misfit.argmin(1)
        index = np.arange(len(best))
        least = misfit[index, best]
        misfit[index, best] = np.iinfo(np.int64).max
        doubt[part] = misfit.min(1) < DOUBT * least
        labels[lines[part], columns[part]] = best
    places = lines.astype(np.int64) * width + columns
    foreign = _count_foreign((y, u, v), codebook, lines, columns)
    stats = {"ambiguous": len(lines) / y.size, "foreign": foreign}
    return labels, places[doubt].astype(np.uint32), stats


def nearest_yuv(
    y: NDArray[np.uint8],
    u: NDArray[np.uint8],
    v: NDArray[np.uint8],
    codebook: Codebook,
) -> tuple[NDArray[np.int32], NDArray[np.uint32], dict[str, Any]]:
    """
    The nearest centroid's label (H, W) int32, each pixel with its nearest chroma.

    Returns:
        The labels, no places, and counts as of `snap_yuv`, ``ambiguous`` being 0.
    """
    height, width = y.shape
    planes = y, upsample(u, height, width), upsample(v, height, width)
    outside = confident_labels(*planes, codebook)[0] == NONE
    lines, columns = np.nonzero(outside)
    foreign = _count_foreign((y, u, v), codebook, lines, columns)
    a, b, c = (plane.ravel() for plane in planes)
    labels, _ = nearest_labels(a, b, c, codebook.centroids)
    stats = {"ambiguous": 0.0, "foreign": foreign}
    return labels.reshape(height, width), np.empty(0, np.uint32), stats


def look_up(
    planes: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]],
    centroids: NDArray[np.int32],
    limit: int,
) -> NDArray[np.int32]:
    """
    The nearest label of each pixel of three planes of one size, (H, W).

    Beyond the squared distance *limit* (1/64 code; none if negative) it is `NONE`.
    """
    a, b, c = (plane.ravel() for plane in planes)
    labels, squares = nearest_labels(a, b, c, centroids)
    if limit >= 0:
        labels[squares > limit] = NONE
    return labels.reshape(planes[0].shape)


def _count_foreign(
    planes: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]],
    codebook: Codebook,
    lines: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> int:
    """
    Chroma samples at ambiguous pixels that are flat in luma and far from all labels.
    """
    y, u, v = planes
    height, width = y.shape
    down, across = _shift(height, u.shape[0]), _shift(width, u.shape[1])
    rows, sides = 1 << down, 1 << across
    whole = (lines % rows == 0) & (columns % sides == 0)
    whole &= (lines + rows <= height) & (columns + sides <= width)
    lines, columns = lines[whole], columns[whole]
    if not len(lines):
        return 0
    lumas = np.stack(list(_lumas(y, lines, columns, rows, sides)), 1)
    high, low = lumas.max(1), lumas.min(1)
    flat = high - low <= 2
    middle = ((high[flat].astype(np.int32) + low[flat]) // 2).astype(np.uint8)
    at = lines[flat] >> down, columns[flat] >> across
    _, squares = nearest_labels(middle, u[at], v[at], codebook.centroids)
    return int((squares > FOREIGN).sum())


def _lumas(
    y: NDArray[np.uint8],
    lines: NDArray[np.intp],
    columns: NDArray[np.intp],
    rows: int,
    sides: int,
) -> Iterator[NDArray[np.uint8]]:
    """
    The lumas of *rows* x *sides* pixels from each place on.
    """
    for row in range(rows):
        for side in range(sides):
            yield y[lines + row, columns + side]


def _shift(pixels: int, samples: int) -> int:
    """
    How far to shift a pixel's place to get its chroma sample's.
    """
    for shift in range(3):
        if (pixels + (1 << shift) - 1) >> shift == samples:
            return shift
    raise ValueError(f"{samples} chroma samples do not fit {pixels} pixels")
