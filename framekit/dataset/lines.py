"""
The lines of a file, however long or broken they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

__all__ = ["MAX_LINE", "Line", "read_lines", "without_bom"]

#: The longest line that is read, in bytes.
MAX_LINE: Final = 64 * 1024 * 1024

_BOM: Final = b"\xef\xbb\xbf"
_CHUNK: Final = 1024 * 1024


class Line(NamedTuple):
    """
    One line of a file.
    """

    #: Counted from 1.
    number: int

    #: Without its end; None if it is longer than allowed.
    data: bytes | None

    #: How many bytes it has, with its end.
    length: int

    #: Whether a line end follows; only the last line of a file may lack it.
    ended: bool


def read_lines(file: BinaryIO, *, limit: int = MAX_LINE) -> Iterator[Line]:
    """
    Yield the lines of *file*, a seekable one, from where it stands.

    A line longer than *limit* bytes is passed over without being held.
    """
    offset = file.tell()
    number = 0
    while head := file.readline(_CHUNK):
        number += 1
        length = len(head)
        ended = head.endswith(b"\n")
        data: bytes | None = head
        if not ended and length == _CHUNK:
            while part := file.readline(_CHUNK):
                length += len(part)
                ended = part.endswith(b"\n")
                if ended:
                    break
            data = None
        if length > limit:
            data = None
        elif data is None:
            file.seek(offset)
            data = file.read(length)
        offset += length
        if data is not None:
            data = data.rstrip(b"\r\n")
        yield Line(number, data, length, ended)


def without_bom(data: bytes) -> bytes:
    """
    *data* without the byte order mark that some editors put in front.
    """
    return data.removeprefix(_BOM)
