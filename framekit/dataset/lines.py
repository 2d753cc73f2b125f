"""
The lines of a file, however long or broken they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

import numpy as np

__all__ = ["MAX_LINE", "Line", "line_ends", "read_lines", "without_bom"]

#: The longest line that is read, in bytes.
MAX_LINE: Final = 64 * 1024 * 1024

_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = ord("\n")
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


def read_lines(
    file: BinaryIO,
    *,
    before: int = 0,
    length: int | None = None,
    limit: int = MAX_LINE,
) -> Iterator[Line]:
    """
    Yield the lines of *file*, a seekable one, from where it stands.

    A line longer than *limit* bytes is passed over without being held.

    Args:
        before: How many lines there are before.
        length: How many bytes to read, which end where a line ends; None for
            all that is left.
    """
    offset = file.tell()
    number = before
    end = None if length is None else offset + length
    while (end is None or offset < end) and (head := file.readline(_CHUNK)):
        number += 1
        size = len(head)
        ended = head[-1:] == b"\n"
        data: bytes | None = head
        if not ended and size == _CHUNK:
            size, ended = _passed_over(file)
            data = None
        if size > limit:
            data = None
        elif data is None:
            file.seek(offset)
            data = file.read(size)
        offset += size
        if data is not None:
            data = data.rstrip(b"\r\n")
        yield Line(number, data, size, ended)


def line_ends(file: BinaryIO, every: int) -> Iterator[tuple[int, int]]:
    """
    Yield where each run of *every* lines ends, and the file.

    Yields:
        The number of bytes and of lines up to there.
    """
    offset = number = 0
    is_ended = True
    while data := file.read(_CHUNK):
        count = data.count(b"\n")
        due = every - number % every
        if due <= count:
            places = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_END)
            for n in range(due, count + 1, every):
                yield offset + int(places[n - 1]) + 1, number + n
        offset += len(data)
        number += count
        is_ended = data.endswith(b"\n")
    number += not is_ended
    if number % every or not is_ended:
        yield offset, number


def _passed_over(file: BinaryIO) -> tuple[int, bool]:
    """
    The length of a line of which the first chunk is read, and whether it ends.
    """
    size, ended = _CHUNK, False
    while not ended and (part := file.readline(_CHUNK)):
        size += len(part)
        ended = part[-1:] == b"\n"
    return size, ended


def without_bom(data: bytes) -> bytes:
    """
    *data* without the byte order mark that some editors put in front.
    """
    return data.removeprefix(_BOM)
