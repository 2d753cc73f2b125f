"""
Label planes of any subsampling pixel by pixel: the NumPy form of the kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.color.repair.codebook import SCALE, Codebook
from framekit.decoding.color.repair.confidence import (
    NONE,
    confident_labels,
    count_foreign,
    nearest_labels,
    shift_of,
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
    lines = np.arange(height) >> shift_of(height, plane.shape[0])
    columns = np.arange(width) >> shift_of(width, plane.shape[1])
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
    Flat samples far from all labels whose first pixel is one of the ambiguous ones.
    """
    y, u, _ = planes
    down = shift_of(y.shape[0], u.shape[0])
    across = shift_of(y.shape[1], u.shape[1])
    first = ((lines & ((1 << down) - 1)) | (columns & ((1 << across) - 1))) == 0
    samples = lines[first] >> down, columns[first] >> across
    return count_foreign(planes, codebook, samples)
