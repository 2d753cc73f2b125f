"""
A remote file as a binary file: only what is read is fetched, with a read-ahead.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import Any, Final

from framekit.storage.content import Content

__all__ = ["LEAST", "RemoteFile"]

#: How many bytes are fetched at least, and at most unless more is asked for at
#: once. A file that is read in order is fetched in ever larger parts.
LEAST: Final = 256 << 10
MOST: Final = 4 << 20

#: How many parts are kept: FFmpeg goes back and forth between index and media.
_KEPT: Final = 4


class RemoteFile(io.BufferedIOBase):
    """
    A file that can be read and sought in; of one thread at a time.
    """

    #: Tells readers that reading costs, and going elsewhere does not.
    is_remote: Final = True

    def __init__(self, content: Content) -> None:
        """
        Read *content*, which is closed with the file.
        """
        self._content = content
        self._position = 0
        self._parts: OrderedDict[int, bytes] = OrderedDict()
        self._fetched_to = 0
        self._ahead = LEAST

    def readable(self) -> bool:
        """
        Whether it can be read: yes.
        """
        return True

    def seekable(self) -> bool:
        """
        Whether it can be sought in: yes.
        """
        return True

    def tell(self) -> int:
        """
        The position, in bytes.
        """
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """
        Go to *offset*, which fetches nothing, and return the position.
        """
        self._check_open()
        bases = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._content.size,
        }
        if whence not in bases:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence}")
        position = bases[whence] + offset
        if position < 0:
            raise ValueError(f"negative position {position}")
        self._position = position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        """
        Read up to *size* bytes, fewer only at the end of the file.

        Raises:
            StorageError: If they cannot be had.
        """
        self._check_open()
        left = max(self._content.size - self._position, 0)
        size = left if size is None or size < 0 else min(size, left)
        parts: list[bytes] = []
        while size:
            part = self._part(size)
            parts.append(part)
            size -= len(part)
            self._position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_exactly(self, size: int) -> bytes:
        """
        Read up to *size* bytes as :meth:`read` does, fetching no more than those.

        Raises:
            StorageError: If they cannot be had.
        """
        self._check_open()
        stop = min(self._position + size, self._content.size)
        for start, data in self._parts.items():
            if start <= self._position and stop <= start + len(data):
                return self.read(size)
        found = self._content.fetch(self._position, stop) if size > 0 else b""
        self._position += len(found)
        return found

    def read1(self, size: int = -1, /) -> bytes:
        """
        Read up to *size* bytes, as :meth:`read` does.
        """
        return self.read(LEAST if size < 0 else size)

    def close(self) -> None:
        """
        Let go of all that is held.
        """
        if not self.closed:
            self._parts.clear()
            self._content.close()
        super().close()

    def __reduce__(self) -> Any:
        raise TypeError("an open remote file cannot be pickled; send its URI")

    def _part(self, size: int) -> bytes:
        """
        Some of the next *size* bytes, at least one.
        """
        position = self._position
        for start, data in self._parts.items():
            if start <= position < start + len(data):
                self._parts.move_to_end(start)
                return data[position - start : position - start + size]
        in_order = position == self._fetched_to and position
        self._ahead = min(self._ahead * 2, MOST) if in_order else LEAST
        stop = min(position + max(size, self._ahead), self._content.size)
        data = self._content.fetch(position, stop)
        self._fetched_to = stop
        if len(data) <= MOST:
            self._parts[position] = data
            while len(self._parts) > _KEPT:
                self._parts.popitem(last=False)
        return data[:size]

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
