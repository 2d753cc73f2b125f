"""
BMP files, uncompressed: every pixel as stored.

Pillow takes two-color and gray tables for other bit depths than they have, which
would give wrong labels; the format is simple enough to be read here.
"""

from __future__ import annotations

import struct

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.decoding.image.pixels import Pixels
from framekit.decoding.image.walk import ImageError

__all__ = ["BmpHeader", "read_bmp", "read_bmp_header"]

#: Channel masks of 32-bit pixels that are plain B, G, R and X or A.
_PLAIN_MASKS = (0xFF0000, 0xFF00, 0xFF)


@frozen
class BmpHeader:
    """
    What a BMP file says of its pixels.
    """

    #: Pixels.
    width: int
    height: int

    #: Bits a pixel: 1, 4 or 8 with a color table, 24 or 32 without.
    bits: int

    #: Whether the first row in the file is the uppermost.
    top_down: bool

    #: Where the pixels start, in bytes.
    offset: int

    #: Where the color table starts, the bytes and the number of its entries.
    table: tuple[int, int, int]

    #: Whether the fourth byte of a 32-bit pixel is alpha.
    alpha: bool


def read_bmp_header(head: bytes) -> BmpHeader:
    """
    Read the header at the start of a BMP file.

    Raises:
        ImageError: If it breaks off, makes no sense, or is of a kind that is not
            read: compressed, or with 16 bits a pixel.
    """
    try:
        return _header(head)
    except struct.error:
        raise ImageError(f"breaks off after {len(head)} bytes") from None


def read_bmp(data: bytes, header: BmpHeader) -> Pixels:
    """
    The pixels of the BMP file *data*.

    Raises:
        ImageError: If it breaks off, or has a color that its table has not.
    """
    pitch = (header.width * header.bits + 31) // 32 * 4
    size = pitch * header.height
    if header.offset + size > len(data):
        message = f"breaks off after {len(data)} of {header.offset + size} bytes"
        raise ImageError(message)
    rows = np.frombuffer(data, np.uint8, size, header.offset)
    rows = rows.reshape(header.height, pitch)
    if not header.top_down:
        rows = rows[::-1]
    if header.bits <= 8:
        return _indexed(data, header, rows)
    channels = header.bits // 8
    wide = rows[:, : header.width * channels]
    wide = wide.reshape(header.height, header.width, channels)
    alpha = np.ascontiguousarray(wide[:, :, 3]) if header.alpha else None
    return Pixels(np.ascontiguousarray(wide[:, :, 2::-1]), alpha=alpha)


def _indexed(data: bytes, header: BmpHeader, rows: NDArray[np.uint8]) -> Pixels:
    start, entry, count = header.table
    if start + entry * count > min(header.offset, len(data)):
        raise ImageError("a color table that reaches into the pixels")
    if header.bits == 8:
        samples = rows[:, : header.width]
    elif header.bits == 4:
        samples = np.stack([rows >> 4, rows & 15], axis=2)
        samples = samples.reshape(header.height, -1)[:, : header.width]
    else:
        samples = np.unpackbits(rows, axis=1)[:, : header.width]
    if count < 1 << header.bits and samples.max() >= count:
        raise ImageError("a palette index past the end of the palette")
    table = np.frombuffer(data, np.uint8, entry * count, start).reshape(count, entry)
    palette = np.ascontiguousarray(table[:, 2::-1])
    return Pixels(np.ascontiguousarray(samples), depth=header.bits, palette=palette)


def _header(head: bytes) -> BmpHeader:
    offset, size = struct.unpack_from("<II", head, 10)
    if size == 12:
        width, height, planes, bits = struct.unpack_from("<HHHH", head, 18)
        compression = colors = 0
    elif size >= 40:
        width, height, planes, bits, compression, colors = struct.unpack_from(
            "<iiHHI12xI", head, 18
        )
    else:
        raise ImageError(f"a BMP header of {size} bytes, which is not read")
    if planes != 1 or width < 1 or not height:
        raise ImageError(f"a size of {width}x{height} pixels")
    masks = (0, 0, 0, 0)
    if compression in (3, 6) and bits == 32:
        masks = struct.unpack_from("<IIII", head, 54)
        if size < 56 and compression == 3:
            masks = (*masks[:3], 0)
        if masks[:3] != _PLAIN_MASKS or masks[3] not in (0, 0xFF000000):
            raise ImageError("a BMP file with an unusual order of channels")
    elif compression:
        raise ImageError("a compressed BMP file, which is not read; save it as PNG")
    if bits not in (1, 4, 8, 24, 32):
        raise ImageError(f"a BMP file of {bits} bits a pixel, which is not read")
    entry = 3 if size == 12 else 4
    count = min(colors or 1 << bits, 1 << bits) if bits <= 8 else 0
    table = (14 + size, entry, count)
    top_down = height < 0
    alpha = masks[3] != 0
    return BmpHeader(width, abs(height), bits, top_down, offset, table, alpha)
