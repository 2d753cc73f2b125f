"""
Whether an image file is whole, and what it holds, before anybody decodes it.

Decoders forgive files that break off; here that is damage. PNG is checked in
``png.py``, to the last bit; these formats have no checksums, so what can be known
is whether everything is there that the file itself announces.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

from attrs import frozen

__all__ = ["ImageError", "Walk", "walk"]


class ImageError(ValueError):
    """
    An image file is damaged, or of a kind that labels are not read from.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@frozen
class Walk:
    """
    What walking through a file told.
    """

    #: Pictures in the file; None where counting them would take decoding.
    frames: int | None = 1

    #: Whether the file holds the values that were written; None if not known yet.
    lossless: bool | None = True

    #: Entries of the first picture's color table; None where there is none.
    colors: int | None = None

    #: What is unusual but harmless, a sentence each.
    notes: tuple[str, ...] = ()


def walk(data: bytes, content_type: str) -> Walk:
    """
    Go through the file *data* from part to part, without decoding pixels.

    Raises:
        ImageError: If it breaks off, or its parts do not fit together.
    """
    steps = _WALKS.get(content_type)
    if steps is None:
        return Walk(frames=None, lossless=None)
    try:
        return steps(data)
    except (struct.error, IndexError):
        raise ImageError(f"breaks off after {len(data)} bytes") from None


def _walk_gif(data: bytes) -> Walk:
    position = 13 + _color_table(data[10])
    frames = colors = 0
    while data[position] != 0x3B:
        if data[position] == 0x2C:
            frames += 1
            (flags,) = struct.unpack_from("<9xB", data, position)
            if frames == 1:
                colors = (_color_table(flags) or _color_table(data[10])) // 3
            position = _after_blocks(data, position + 11 + _color_table(flags))
        elif data[position] == 0x21:
            position = _after_blocks(data, position + 2)
        else:
            raise ImageError(f"an unknown block at byte {position}")
    if not frames or not colors:
        raise ImageError("a GIF file without a picture or without colors")
    return Walk(frames=frames, colors=colors, notes=_junk(data, position + 1))


def _color_table(flags: int) -> int:
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _after_blocks(data: bytes, position: int) -> int:
    while data[position]:
        position += data[position] + 1
    return position + 1


def _walk_jpeg(data: bytes) -> Walk:
    position = 2
    scans = 0
    while True:
        while data[position] == 0xFF and data[position + 1] == 0xFF:
            position += 1
        if data[position] != 0xFF:
            raise ImageError(f"no marker at byte {position}")
        marker = data[position + 1]
        if marker == 0xD9:
            break
        (length,) = struct.unpack_from(">H", data, position + 2)
        if length < 2:
            raise ImageError(f"a segment of {length} bytes at byte {position}")
        position += 2 + length
        if marker == 0xDA:
            scans += 1
            found = _MARKER.search(data, position)
            if found is None:
                raise ImageError(
                    f"breaks off inside its pixels, after {len(data)} bytes"
                )
            position = found.start()
    if not scans:
        raise ImageError("a JPEG file without pixels")
    return Walk(lossless=False, notes=_junk(data, position + 2))


def _walk_webp(data: bytes) -> Walk:
    (size,) = struct.unpack_from("<I", data, 4)
    end = 8 + size
    if end > len(data):
        raise ImageError(f"breaks off after {len(data)} of {end} bytes")
    position, frames, lossless = 12, 0, True
    while position + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > end:
            raise ImageError(f"a part that reaches past the end at byte {position}")
        if name == b"ANMF":
            frames += 1
            lossless = lossless and data[position + 24 : position + 28] == b"VP8L"
        elif name in (b"VP8 ", b"VP8L"):
            frames += 1
            lossless = lossless and name == b"VP8L"
        position += 8 + length + (length & 1)
    if not frames:
        raise ImageError("a WebP file without a picture")
    return Walk(frames=frames, lossless=lossless, notes=_junk(data, end))


def _junk(data: bytes, end: int) -> tuple[str, ...]:
    left = len(data) - end
    return (f"{left} bytes after the end of the image",) if left > 0 else ()


_WALKS: Final[dict[str, Callable[[bytes], Walk]]] = {
    "image/gif": _walk_gif,
    "image/jpeg": _walk_jpeg,
    "image/webp": _walk_webp,
}

#: The first marker after the compressed pixels, which is no restart.
_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
