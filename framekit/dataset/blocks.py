"""
Many lines at once, with what is counted in them faster than one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

import numpy as np

from framekit.dataset.lines import Line, read_lines

__all__ = ["Block", "read_blocks"]

_SIZE: Final = 256 * 1024
_QUOTE, _COLON, _SPACE, _LINE_END = b'": \n'


class Block(NamedTuple):
    """
    Lines that follow each other, each with its end behind it in the file.
    """

    #: How many lines there are before.
    before: int

    #: The lines without their ends; a carriage return may be left.
    lines: list[bytes]

    #: For each at least the number of keys, see :func:`framekit._json.key_ends`.
    ends: list[int]


def read_blocks(file: BinaryIO, *, before: int, length: int) -> Iterator[Block | Line]:
    """
    Yield the next *length* bytes of *file* as blocks.

    A line that is very long, or has no end, comes by itself.

    Args:
        before: How many lines there are before.
    """
    offset = file.tell()
    end = offset + length
    while offset < end:
        data = file.read(min(_SIZE, end - offset))
        cut = data.rfind(b"\n") + 1
        if not cut:
            if not data:
                return
            file.seek(offset)
            line = next(read_lines(file, before=before))
            yield line
            offset += line.length
            before += 1
        else:
            lines = data[:cut].split(b"\n")
            lines.pop()
            yield Block(before, lines, _key_ends(data[:cut]))
            offset += cut
            before += len(lines)
        file.seek(offset)


def _key_ends(data: bytes) -> list[int]:
    """
    How many colons of each line follow a quote or white space.
    """
    codes = np.frombuffer(data, np.uint8)
    colons = np.flatnonzero(codes[1:] == _COLON)
    previous = codes[colons]
    colons = colons[(previous == _QUOTE) | (previous <= _SPACE)]
    ends = np.flatnonzero(codes == _LINE_END)
    found = np.diff(np.searchsorted(colons, ends), prepend=0)
    counts: list[int] = found.tolist()
    return counts
