"""
Where the frames of a shard are, and what is in them, in few bytes a frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final, Self

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

__all__ = ["ID_HASH", "ShardIndex", "hash_of"]

#: 128 bits of BLAKE2b: equal hashes are taken for equal ids.
ID_HASH: Final = np.dtype([("high", "<u8"), ("low", "<u8")])

_MAGIC: Final = b"framekit-index-1"
_CHECKSUM: Final = 16


def hash_of(data: bytes | memoryview) -> bytes:
    """
    The 16 bytes that stand for *data*, an id in UTF-8 or a line.
    """
    return blake2b(data, digest_size=16).digest()


@frozen(eq=False)
class ShardIndex:
    """
    The frames of one shard, in the order of its lines.
    """

    #: (n,) hashes of the ids.
    ids: NDArray[Any]

    #: (n,) uint32, the byte behind each line, its end included.
    ends: NDArray[np.uint32]

    #: (n,) hashes of the lines.
    lines: NDArray[Any]

    def __len__(self) -> int:
        return len(self.ends)

    @classmethod
    def of(cls, frames: Iterable[tuple[str, bytes]]) -> Self:
        """
        Index *frames*: their ids and their lines, without line ends.
        """
        ids = bytearray()
        lines = bytearray()
        ends = []
        end = 0
        for id, line in frames:
            ids += hash_of(id.encode())
            lines += hash_of(line)
            end += len(line) + 1
            ends.append(end)
        return cls(
            np.frombuffer(bytes(ids), ID_HASH),
            np.array(ends, np.uint32),
            np.frombuffer(bytes(lines), ID_HASH),
        )

    def span(self, number: int) -> tuple[int, int]:
        """
        First byte and length of a line, without its end; counted from 0.
        """
        start = int(self.ends[number - 1]) if number else 0
        return start, int(self.ends[number]) - start - 1

    def to_bytes(self) -> bytes:
        """
        Return the index as the content of a file.
        """
        parts = (self.ids.tobytes(), self.ends.tobytes(), self.lines.tobytes())
        payload = b"".join(parts)
        return _MAGIC + hash_of(payload) + payload

    @classmethod
    def from_bytes(cls, data: bytes, frames: int) -> Self | None:
        """
        Read an index of so many *frames*; None if it is none, or damaged.
        """
        head = len(_MAGIC) + _CHECKSUM
        payload = memoryview(data)[head:]
        sound = data[:head] == _MAGIC + hash_of(payload) and len(payload) == frames * (
            2 * ID_HASH.itemsize + 4
        )
        if not sound:
            return None
        size = frames * ID_HASH.itemsize
        return cls(
            np.frombuffer(payload, ID_HASH, frames),
            np.frombuffer(payload, np.uint32, frames, size),
            np.frombuffer(payload, ID_HASH, frames, size + 4 * frames),
        )
