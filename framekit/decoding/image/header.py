"""
What image files say of themselves, read without decoding a pixel.
"""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO, Final

from attrs import frozen

from framekit.decoding.image.bmp import read_bmp_header
from framekit.decoding.image.sniffing import FORMATS
from framekit.decoding.image.source import (
    DEFAULT_LIMITS,
    ImageSource,
    content_type_of,
    open_source,
    read_bytes,
)
from framekit.decoding.image.walk import ImageError
from framekit.errors import UnreadableMaskError
from framekit.storage import Storage

__all__ = ["ImageHeader", "bmp_header", "read_image_header"]


@frozen
class ImageHeader:
    """
    What an image file says of itself, before any pixel is decoded.
    """

    #: ``"png"``, ``"jpeg"``, ``"gif"``, ``"webp"``, ``"bmp"`` or ``"tiff"``.
    format: str

    content_type: str

    #: Pixels.
    width: int
    height: int

    #: ``"gray"``, ``"gray+alpha"``, ``"palette"``, ``"rgb"`` or ``"rgba"``;
    #: something else where labels are not read from it.
    mode: str

    #: Bits a sample.
    bit_depth: int

    #: Pictures in the file; None when there are several and nobody has counted.
    frames: int | None = 1


def read_image_header(
    source: ImageSource, *, storage: Storage | None = None, uri: str | None = None
) -> ImageHeader:
    """
    Read the header of an image file, without decoding pixels.

    The rest of the file is not looked at: it may still be damaged. A seekable file
    is put back to where it stood.

    Args:
        source: A path, a URI that *storage* opens, or a binary file.
        uri: What a binary file is called in errors.

    Raises:
        UnreadableMaskError: If it is no image, or its header is damaged.
        StorageError: If it cannot be opened or read.
    """
    file, name, ours = open_source(source, storage, uri)
    start = None
    try:
        start = None if ours else _tell(file)
        head = read_bytes(file, 1 << 16, name)
        content_type = content_type_of(head, name)
        return _header_of(file, head, content_type, name)
    except ImageError as error:
        raise UnreadableMaskError(name, error.reason) from None
    finally:
        if ours:
            file.close()
        elif start is not None:
            file.seek(start)


def bmp_header(head: bytes) -> ImageHeader:
    """
    The header of the BMP file that starts with *head*.

    Raises:
        ImageError: If it is damaged, or of a kind that is not read.
    """
    bmp = read_bmp_header(head)
    mode = "palette" if bmp.bits <= 8 else "rgba" if bmp.alpha else "rgb"
    depth = min(bmp.bits, 8)
    return ImageHeader("bmp", "image/bmp", bmp.width, bmp.height, mode, depth)


def _header_of(
    file: BinaryIO, head: bytes, content_type: str, name: str
) -> ImageHeader:
    if content_type == "image/png":
        return _png_header(head)
    if content_type == "image/bmp":
        return bmp_header(head)
    from framekit.decoding.image._pillow import opened

    rest = read_bytes(file, DEFAULT_LIMITS.max_bytes, name)
    with opened(io.BytesIO(head + rest), content_type) as image:
        frames = 1 if image.frames == 1 else None
        return ImageHeader(
            FORMATS[content_type],
            content_type,
            image.width,
            image.height,
            image.mode,
            image.depth,
            frames,
        )


def _png_header(head: bytes) -> ImageHeader:
    if len(head) < 33:
        raise ImageError(f"breaks off after {len(head)} bytes")
    if head[8:16] != b"\0\0\0\rIHDR":
        raise ImageError("does not start with IHDR")
    if zlib.crc32(head[12:29]) != int.from_bytes(head[29:33], "big"):
        raise ImageError("wrong checksum of IHDR at byte 8")
    width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
    depth, color_type = head[24], head[25]
    if color_type not in _PNG_MODES or not width or not height:
        raise ImageError(f"color type {color_type}, {width}x{height} pixels")
    mode = _PNG_MODES[color_type]
    return ImageHeader("png", "image/png", width, height, mode, depth)


def _tell(file: BinaryIO) -> int | None:
    try:
        return file.tell() if file.seekable() else None
    except (AttributeError, OSError, ValueError):
        return None


_PNG_MODES: Final = {0: "gray", 2: "rgb", 3: "palette", 4: "gray+alpha", 6: "rgba"}
