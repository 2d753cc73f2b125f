"""
The pixels of image files, of all kinds that labels are read from.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.decoding.image.bmp import read_bmp, read_bmp_header
from framekit.decoding.image.header import ImageHeader, bmp_header
from framekit.decoding.image.pixels import Pixels
from framekit.decoding.image.png_wide import read_wide
from framekit.decoding.image.sniffing import FORMATS
from framekit.decoding.image.source import DEFAULT_LIMITS, Limits, LoadedImage
from framekit.decoding.image.walk import Walk, walk
from framekit.decoding.png.chunks import Png, PngError, PngHeader
from framekit.decoding.png.reading import check_pixels, read_pixels

__all__ = ["OtherImage", "open_other", "png_pixels"]


@frozen(eq=False)
class OtherImage:
    """
    An image that is no PNG, checked, and not yet decoded.
    """

    header: ImageHeader

    #: What walking through the file told.
    walk: Walk

    #: Decodes the first picture; raises ImageError if it is damaged.
    pixels: Callable[[], Pixels]


def png_pixels(png: Png, *, alpha: bool, limits: Limits = DEFAULT_LIMITS) -> Pixels:
    """
    The pixels of *png*, of whatever kind.

    Args:
        alpha: Whether alpha is wanted.

    Raises:
        PngError: If the pixels are damaged.
        ImageError: If they would take too much memory.
    """
    header = png.header
    samples: NDArray[Any]
    if header.kind != "other":
        samples = read_pixels(png)
    elif header.bit_depth == 16 and header.channels > 1:
        # The reader of these needs three times the memory of the pixels.
        limits.check(header.width, header.height, 6 * header.channels)
        samples = read_wide(png)
    else:
        from framekit.decoding.image._pillow import pillow_pixels

        check_pixels(png)
        samples = pillow_pixels(png)
    opacity = _opacity(header, samples) if alpha else None
    if header.color_type == 4:
        samples = np.ascontiguousarray(samples[:, :, 0])
    elif header.color_type == 6:
        samples = np.ascontiguousarray(samples[:, :, :3])
    if header.color_type != 3:
        return Pixels(samples, depth=header.bit_depth, alpha=opacity)
    palette = np.frombuffer(header.palette or b"", np.uint8).reshape(-1, 3)
    if samples.max() >= len(palette):
        raise PngError("a palette index past the end of the palette")
    return Pixels(samples, depth=header.bit_depth, palette=palette, alpha=opacity)


def open_other(file: LoadedImage, limits: Limits) -> OtherImage:
    """
    Check a file that is no PNG.

    Raises:
        ImageError: If it is damaged, too large, or of a kind that is not read.
    """
    walked = walk(file.data, file.content_type)
    format = FORMATS[file.content_type]
    if file.content_type == "image/bmp":
        bmp = read_bmp_header(file.data)
        limits.check(bmp.width, bmp.height, max(1, bmp.bits // 8))
        found = bmp_header(file.data)
        return OtherImage(found, Walk(), lambda: read_bmp(file.data, bmp))
    from framekit.decoding.image._pillow import opened

    with opened(io.BytesIO(file.data), file.content_type) as image:
        image.check_whole(len(file.data))
        header = ImageHeader(
            format,
            file.content_type,
            image.width,
            image.height,
            image.mode,
            image.depth,
            walked.frames if walked.frames is not None else image.frames,
        )
        lossless = image.lossless if walked.lossless is None else walked.lossless
    channels = _CHANNELS.get(header.mode, 4)
    limits.check(header.width, header.height, channels * (header.bit_depth + 7) // 8)

    def pixels() -> Pixels:
        with opened(io.BytesIO(file.data), file.content_type) as image:
            return image.pixels(walked.colors)

    told = Walk(header.frames, lossless, walked.colors, walked.notes)
    return OtherImage(header, told, pixels)


def _opacity(header: PngHeader, samples: NDArray[Any]) -> NDArray[Any] | None:
    if header.color_type in (4, 6):
        return np.ascontiguousarray(samples[:, :, -1])
    clear = header.transparency
    if clear is None:
        return None
    if header.color_type == 3:
        table = np.full(256, 255, np.uint8)
        table[: len(clear)] = np.frombuffer(clear, np.uint8)
        return np.asarray(table[samples])
    key = np.frombuffer(clear, ">u2").astype(np.uint16)
    key &= np.uint16((1 << header.bit_depth) - 1)
    same = samples == key if header.color_type == 2 else samples == key[0]
    if same.ndim == 3:
        same = same.all(axis=2)
    return np.where(same, np.uint8(0), np.uint8(255))


_CHANNELS: Final = {"gray": 1, "palette": 1, "gray+alpha": 2, "rgb": 4}
