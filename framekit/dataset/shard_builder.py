"""
Frames on their way into shards.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from framekit.dataset.compression import Compression
from framekit.dataset.frame_set import hashes_of
from framekit.dataset.manifest import Shard
from framekit.dataset.shard_files import ShardFiles

__all__ = ["SHARD_BYTES", "SHARD_FRAMES", "ShardBuilder"]

#: A shard is full with so many bytes of lines, or so many frames.
SHARD_BYTES: Final = 8 * 1024 * 1024
SHARD_FRAMES: Final = 32768


class _Waiting(NamedTuple):
    key: tuple[str, float]
    number: int
    id: str
    line: bytes


class ShardBuilder:
    """
    Collects frames, at most a shard of them, and writes them in order.
    """

    def __init__(self, files: ShardFiles, compression: Compression) -> None:
        """
        Write to *files*.
        """
        self._files = files
        self._compression = compression
        self._waiting: dict[str, _Waiting] = {}
        self._bytes = 0
        self._known: list[NDArray[np.uint64]] = []

        #: What was written so far.
        self.shards: list[Shard] = []

    def __len__(self) -> int:
        return sum(shard.frames for shard in self.shards) + len(self._waiting)

    def add(self, id: str, key: tuple[str, float], line: bytes) -> None:
        """
        Take the frame called *id*, which must not have been added before.
        """
        frame = _Waiting(key, len(self._waiting), id, line)
        self._waiting[id] = frame
        self._bytes += len(line) + 1
        if self._bytes >= SHARD_BYTES or len(self._waiting) >= SHARD_FRAMES:
            self.flush()

    def find(self, id: str) -> bytes | None:
        """
        The line of the frame called *id*, None if it was not added.
        """
        waiting = self._waiting.get(id)
        if waiting is not None:
            return waiting.line
        if not self._known:
            return None
        hashed = hashes_of([id])
        for known in self._known:
            at = int(np.searchsorted(known, hashed["high"][0]))
            if at < len(known) and known[at] == hashed["high"][0]:
                return self._find_written(hashed)
        return None

    def flush(self) -> None:
        """
        Write what waits.

        Raises:
            StorageError: If it cannot be written.
        """
        if not self._waiting:
            return
        frames = sorted(self._waiting.values())
        shard = self._files.write(
            [frame.id for frame in frames],
            [frame.line for frame in frames],
            self._compression,
        )
        self.shards.append(shard)
        self._remember(np.sort(hashes_of(self._waiting)["high"]))
        self._waiting = {}
        self._bytes = 0

    def _remember(self, hashes: NDArray[np.uint64]) -> None:
        """
        Keep sorted arrays, few of them: each more than twice the next.
        """
        while self._known and len(self._known[-1]) <= 2 * len(hashes):
            hashes = np.sort(np.concatenate([self._known.pop(), hashes]))
        self._known.append(hashes)

    def _find_written(self, hashed: NDArray[np.void]) -> bytes | None:
        for shard in self.shards:
            for line in np.flatnonzero(self._files.index(shard).ids == hashed[0]):
                return self._files.line(shard, int(line))
        return None
