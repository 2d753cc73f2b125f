"""
The shards of a dataset: writing, checking and reading files of frames.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from framekit import _json
from framekit.dataset.compression import Compression, compressed, opened, suffix_of
from framekit.dataset.durable import write_file
from framekit.dataset.lines import MAX_LINE
from framekit.dataset.manifest import Shard
from framekit.dataset.shard_index import ShardIndex, hash_of
from framekit.errors import DocumentError, StorageError
from framekit.storage import Storage

__all__ = ["FOLDER", "ShardFiles", "index_name"]

FOLDER: Final = "shards"

_LARGEST: Final = 2**32 - 1
_CHUNK: Final = 1024 * 1024
_BUFFER: Final = 64 * 1024
_HASH_SIZE: Final = 32

#: How many shards are kept open for reading single lines, and how many
#: compressed ones in memory.
_OPEN: Final = 16
_UNPACKED: Final = 2


class ShardFiles:
    """
    The shards in one folder.

    The reason for this being a class is what it remembers: which files were
    checked against their hash, their indexes, and the file read last.
    """

    def __init__(self, root: Path) -> None:
        """
        Look at the shards of the dataset in *root*.
        """
        self.root = root

        #: Files that were written, or begun, and not there before.
        self.created: list[Path] = []
        self._storage = Storage(root)
        self._checked: dict[str, tuple[int, int, int]] = {}
        self._indexes: dict[str, ShardIndex] = {}
        self._unpacked: OrderedDict[str, bytes] = OrderedDict()
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self._reading = threading.Lock()

    def __reduce__(self) -> tuple[type[ShardFiles], tuple[Path]]:
        # In another process nothing is open yet.
        return ShardFiles, (self.root,)

    def __del__(self) -> None:
        for file in self._open.values():
            file.close()

    def write(
        self, ids: Sequence[str], lines: Sequence[bytes], compression: Compression
    ) -> Shard:
        """
        Write frames as a new shard, or find the one that holds just these.

        Args:
            ids: The ids of the frames.
            lines: The frames as JSON, without line ends.

        Raises:
            StorageError: If it cannot be written.
        """
        data = b"\n".join(lines) + b"\n"
        name = blake2b(data, digest_size=_HASH_SIZE).hexdigest()
        file = f"{FOLDER}/{name}{suffix_of(compression)}"
        shard = Shard(file, len(lines), name)
        index = ShardIndex.of(zip(ids, lines, strict=True))
        if not self._is_there(shard):
            path = self.root / file
            if not path.exists():
                self.created.append(path)
            write_file(path, [compressed(data, compression)])
        self._keep_index(shard, index)
        return shard

    def index(self, shard: Shard) -> ShardIndex:
        """
        The index of *shard*; it is made again where it is missing or damaged.

        Raises:
            StorageError: If the shard cannot be read, is damaged, or holds what
                are no frames.
        """
        found = self._indexes.get(shard.file)
        if found is not None:
            return found
        try:
            data = (self.root / FOLDER / index_name(shard.file)).read_bytes()
        except OSError:
            data = b""
        found = ShardIndex.from_bytes(data, shard.frames)
        if found is None:
            found = self._made_index(shard)
            self._keep_index(shard, found)
        self._indexes[shard.file] = found
        return found

    def check(self, shard: Shard) -> None:
        """
        Compare the lines of *shard* with its hash, unless that was done before.

        Raises:
            StorageError: If the file cannot be read, or is damaged.
        """
        with self._opened(shard):
            return

    def lines(self, shard: Shard) -> Iterator[bytes]:
        """
        Yield the lines of *shard*, without their ends, once it is checked.

        Raises:
            StorageError: If the file cannot be read, or is damaged.
        """
        with self._opened(shard) as file, opened(file, self._path(shard)) as plain:
            rest = b""
            while chunk := plain.read(_BUFFER):
                whole, end, rest = (rest + chunk).rpartition(b"\n")
                if end:
                    yield from whole.split(b"\n")
                elif len(rest) > MAX_LINE:
                    raise StorageError(self._path(shard), "a line is too long")

    def line(self, shard: Shard, number: int) -> bytes:
        """
        One line of *shard*, counted from 0.

        Raises:
            StorageError: If the file cannot be read, or is damaged.
        """
        index = self.index(shard)
        start, length = index.span(number)
        with self._reading:
            if shard.file.endswith(".jsonl"):
                found = _read_at(self._kept_open(shard), start, length)
            else:
                found = self._whole(shard)[start : start + length]
        if hash_of(found) != index.lines[number].tobytes():
            reason = f"damaged: line {number + 1} is not the one that was written"
            raise StorageError(self._path(shard), reason)
        return found

    def forget(self, file: str) -> None:
        """
        Keep nothing of the shard in *file* in memory any more.
        """
        self._checked.pop(file, None)
        self._indexes.pop(file, None)
        self._unpacked.pop(file, None)
        kept = self._open.pop(file, None)
        if kept is not None:
            kept.close()

    def _path(self, shard: Shard) -> str:
        return str(self.root / shard.file)

    def _is_there(self, shard: Shard) -> bool:
        try:
            self.check(shard)
        except StorageError:
            return False
        return True

    def _opened(self, shard: Shard) -> BinaryIO:
        """
        The file of *shard*, checked, at its beginning.
        """
        file = self._storage.open(shard.file)
        try:
            seen = _state(file)
            if self._checked.get(shard.file) != seen:
                self._compare(file, shard)
                file.seek(0)
                self._checked[shard.file] = seen
        except BaseException:
            file.close()
            raise
        return file

    def _kept_open(self, shard: Shard) -> BinaryIO:
        found = self._open.pop(shard.file, None)
        if found is not None and self._checked.get(shard.file) != _state(found):
            found.close()
            found = None
        if found is None:
            found = self._opened(shard)
        self._open[shard.file] = found
        while len(self._open) > _OPEN:
            self._open.popitem(last=False)[1].close()
        return found

    def _compare(self, file: BinaryIO, shard: Shard) -> None:
        size = len(shard.blake2b) // 2
        found = blake2b(digest_size=min(size, 64))
        last = b"\n"
        with opened(file, self._path(shard)) as plain:
            while chunk := plain.read(_CHUNK):
                found.update(chunk)
                last = chunk[-1:]
            if found.hexdigest() != shard.blake2b or last != b"\n":
                reason = "damaged: its lines are not those that its hash was made of"
                raise StorageError(self._path(shard), reason)

    def _whole(self, shard: Shard) -> bytes:
        found = self._unpacked.pop(shard.file, None)
        if found is None:
            with self._opened(shard) as file, opened(file, self._path(shard)) as plain:
                found = plain.read()
        self._unpacked[shard.file] = found
        while len(self._unpacked) > _UNPACKED:
            self._unpacked.popitem(last=False)
        return found

    def _made_index(self, shard: Shard) -> ShardIndex:
        index = ShardIndex.of(self._identified(shard))
        if len(index) != shard.frames:
            reason = f"holds {len(index)} frames, not {shard.frames} as the version has"
            raise StorageError(self._path(shard), reason)
        return index

    def _identified(self, shard: Shard) -> Iterator[tuple[str, bytes]]:
        size = 0
        for number, line in enumerate(self.lines(shard), 1):
            size += len(line) + 1
            if size > _LARGEST:
                raise StorageError(self._path(shard), "more than 4 GiB of frames")
            yield self._id_in(line, f"{self._path(shard)}:{number}"), line

    def _id_in(self, line: bytes, place: str) -> str:
        try:
            frame = _json.loads(line)
        except DocumentError as error:
            raise StorageError(place, str(error)) from None
        found = frame.get("id") if isinstance(frame, dict) else None
        if not isinstance(found, str) or not found:
            raise StorageError(place, "no frame with an id")
        return found

    def _keep_index(self, shard: Shard, index: ShardIndex) -> None:
        path = self.root / FOLDER / index_name(shard.file)
        try:
            write_file(path, [index.to_bytes()], durable=False)
        except StorageError:
            # It only saves time, and can be made again.
            return


if sys.platform == "win32":

    def _read_at(file: BinaryIO, start: int, length: int) -> bytes:
        file.seek(start)
        return file.read(length)

else:

    def _read_at(file: BinaryIO, start: int, length: int) -> bytes:
        # A forked process shares the file, and so the place where it stands.
        return os.pread(file.fileno(), length, start)


def _state(file: BinaryIO) -> tuple[int, int, int]:
    state = os.fstat(file.fileno())
    return state.st_ino, state.st_size, state.st_mtime_ns


def index_name(shard_file: str) -> str:
    """
    The name of the file that the index of a shard is in.
    """
    return f"{shard_file.rpartition('/')[2].partition('.')[0]}.index"
