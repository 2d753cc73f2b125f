"""
PNG images of 16-bit color or 16-bit gray with alpha, every bit kept.

They are rare, and no library at hand gives them whole. Rows are unfiltered
together: pixel x of row y needs its neighbors to the left and above only, so all
pixels with one x + y are done at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.png.chunks import Png, PngError
from framekit.decoding.png.inflate import InflateError, inflate

__all__ = ["read_wide"]

#: First column, first row, column step, row step of the seven passes.
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def read_wide(png: Png) -> NDArray[np.uint16]:
    """
    The samples of *png*, a 16-bit image, interlaced or not, (H, W, channels).

    Raises:
        PngError: If the pixels are damaged.
    """
    header = png.header
    try:
        data = b"".join(inflate(png.idat, header.stream_size))
    except InflateError as error:
        raise PngError(str(error)) from None
    size = 2 * header.channels
    passes = _ADAM7 if header.interlaced else ((0, 0, 1, 1),)
    whole = np.empty((header.height, header.width, size), np.uint8)
    position = 0
    for x, y, right, down in passes:
        part = whole[y::down, x::right]
        rows, columns = part.shape[:2]
        if not rows or not columns:
            continue
        stop = position + rows * (columns * size + 1)
        filtered = np.frombuffer(data, np.uint8, stop - position, position)
        part[:] = _unfiltered(filtered.reshape(rows, -1), columns, size)
        position = stop
    samples: NDArray[Any] = whole.view(">u2")
    return samples.astype(np.uint16)


def _unfiltered(
    filtered: NDArray[np.uint8], width: int, size: int
) -> NDArray[np.uint8]:
    """
    Undo the filters of rows of *width* pixels of *size* bytes, (H, W, size).

    Raises:
        PngError: If a row has no known filter.
    """
    kinds = filtered[:, 0]
    if kinds.max() > 4:
        raise PngError("an unknown filter type")
    height = len(filtered)
    # A row above and a pixel to the left of all, both zero, spare the corner cases.
    padded = np.zeros((height + 1, width + 1, size), np.int16)
    padded[1:, 1:] = filtered[:, 1:].reshape(height, width, size)
    flat = padded.reshape(-1, size)
    pitch = width + 1
    tables = [(kinds == kind)[:, None] for kind in range(1, 5)]
    for step in range(width + height - 1):
        first = max(0, step - width + 1)
        last = min(height, step + 1)
        start = (first + 1) * pitch + step - first + 1
        count = last - first
        at = slice(start, start + (count - 1) * (pitch - 1) + 1, pitch - 1)
        here = flat[at]
        left = flat[at.start - 1 : at.stop - 1 : at.step]
        up = flat[at.start - pitch : at.stop - pitch : at.step]
        corner = flat[at.start - pitch - 1 : at.stop - pitch - 1 : at.step]
        sub, above, average, paeth = (table[first:last] for table in tables)
        added = np.where(sub, left, 0)
        added = np.where(above, up, added)
        added = np.where(average, (left + up) >> 1, added)
        added = np.where(paeth, _paeth(left, up, corner), added)
        here += added
        here &= 255
    return padded[1:, 1:].astype(np.uint8)


def _paeth(
    left: NDArray[np.int16], up: NDArray[np.int16], corner: NDArray[np.int16]
) -> NDArray[np.int16]:
    guess = left + up - corner
    to_left, to_up = np.abs(guess - left), np.abs(guess - up)
    to_corner = np.abs(guess - corner)
    best = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, best)
