"""
Pictures for people: loading what a mask is laid over, and writing on it.

Nothing here is exact enough for labels.
"""

from __future__ import annotations

import io
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.image.png_write import encode_png
from framekit.decoding.image.source import (
    DEFAULT_LIMITS,
    ImageSource,
    Limits,
    load_image,
)
from framekit.decoding.image.walk import ImageError
from framekit.errors import ArgumentError, StorageError, UnreadableMaskError
from framekit.storage import Storage

__all__ = [
    "draw_text",
    "encode_jpeg",
    "load_picture",
    "resize_nearest",
    "resize_smooth",
    "save_picture",
    "text_size",
]

#: zlib's: photographs gain little from more.
_LEVEL: Final = 4


def load_picture(
    source: ImageSource,
    *,
    storage: Storage | None = None,
    uri: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> NDArray[np.uint8]:
    """
    The (first) picture of an image file in RGB, (H, W, 3); alpha is dropped.

    Raises:
        UnreadableMaskError: If it is no image, damaged, or too large.
        StorageError: If it cannot be opened.
    """
    from framekit.decoding.image._pillow import rgb_of

    file = load_image(source, storage, uri, limits)
    try:
        return rgb_of(io.BytesIO(file.data), file.content_type, limits)
    except ImageError as error:
        raise UnreadableMaskError(file.uri, error.reason) from None


def save_picture(rgb: NDArray[np.uint8], path: str | PathLike[str]) -> None:
    """
    Write *rgb*, (H, W, 3), as a PNG file.

    Raises:
        ArgumentError: If it is not that.
        StorageError: If the file cannot be written.
    """
    _check(rgb)
    try:
        Path(path).write_bytes(encode_png(rgb, level=_LEVEL))
    except OSError as error:
        raise StorageError(fspath(path), error.strerror or str(error)) from None


def resize_nearest(array: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """
    *array*, (H, W) or (H, W, channels), resized to the nearest pixel.
    """
    rows = (2 * np.arange(height) + 1) * array.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * array.shape[1] // (2 * width)
    return np.asarray(array[np.ix_(rows, columns)])


def resize_smooth(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """
    *rgb*, (H, W, 3), resized for people to look at: pixels are mixed.

    Raises:
        ArgumentError: If *rgb* is not an RGB array.
    """
    from framekit.decoding.image._pillow import smoothed

    _check(rgb)
    return smoothed(rgb, width, height)


def encode_jpeg(rgb: NDArray[np.uint8], *, quality: int = 80) -> bytes:
    """
    *rgb*, (H, W, 3), as a JPEG file, for people only: JPEG changes colors.

    Raises:
        ArgumentError: If *rgb* is not an RGB array.
    """
    from framekit.decoding.image._pillow import jpeg_of

    _check(rgb)
    return jpeg_of(rgb, quality)


def text_size(text: str, *, height: int = 14) -> tuple[int, int]:
    """
    Width and height in pixels of a line of *text*, *height* pixels high.
    """
    from framekit.decoding.image._pillow import measured

    return measured(text, height)


def draw_text(
    rgb: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    *,
    color: tuple[int, int, int] = (0, 0, 0),
    height: int = 14,
) -> NDArray[np.uint8]:
    """
    Return *rgb*, (H, W, 3), with a line of *text* on it.

    Args:
        at: Left and top of the text, in pixels.
        height: Of the letters, in pixels.

    Raises:
        ArgumentError: If *rgb* is not an RGB array.
    """
    from framekit.decoding.image._pillow import written

    _check(rgb)
    return written(rgb, text, at, color, height)


def _check(rgb: NDArray[np.uint8]) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        reason = f"expected (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}"
        raise ArgumentError("rgb", reason)
