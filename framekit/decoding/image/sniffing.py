"""
What kind of image a file is, by its first bytes; names and suffixes lie.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FORMATS", "HEAD_SIZE", "sniff"]

#: Bytes that `sniff` needs to see.
HEAD_SIZE: Final = 32

#: The format of each content type.
FORMATS: Final = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
}

_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
)


def sniff(head: bytes) -> str | None:
    """
    The content type of the image that starts with *head*; None if it is none.

    A PNG whose first bytes are damaged is no PNG. Nothing further is checked.
    """
    head = bytes(head[:HEAD_SIZE])
    for start, content_type in _STARTS:
        if head.startswith(start):
            return content_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    # "BM" alone also starts texts: the size of the header is looked at, too.
    if head[:2] == b"BM" and head[15:18] == b"\0\0\0" and head[14:15] in _BMP_HEADERS:
        return "image/bmp"
    return None


_BMP_HEADERS: Final = tuple(
    bytes([size]) for size in (12, 16, 40, 52, 56, 64, 108, 124)
)
