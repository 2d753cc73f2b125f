"""
What was read of remote files, kept in a folder of limited size.

A block is found by the URI, the version and the size of its file, so that a file
that changes is never mixed with what it was. Each block carries its own digest.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from pathlib import Path
from typing import Final

from framekit.errors import StorageError
from framekit.storage.content import Content

__all__ = ["BlockCache", "CachedContent"]

#: The bytes of a block.
_BLOCK: Final = 256 << 10

_DIGEST: Final = 16

#: How much of the limit is left free after a clean-up, and how much is written
#: before the next one looks at what other processes have written.
_SHARE: Final = 8


class BlockCache:
    """
    A folder of blocks; those that were not used for longest go first.

    Several processes may use one folder: each writes a block under another name
    first. Together they may go over the limit by an eighth each, for a while.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """
        Use *folder*, which is made if it is not there.

        Raises:
            StorageError: If it cannot be.
        """
        self._folder = folder
        self._limit = limit
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot be used as a cache: {error.strerror}"
            raise StorageError(str(folder), reason) from None

    def get(self, key: str) -> bytes | None:
        """
        The block called *key*; None if it is not there, or damaged.
        """
        path = self._path(key)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        if _digest(data[_DIGEST:]) != data[:_DIGEST]:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        return data[_DIGEST:]

    def put(self, key: str, data: bytes) -> None:
        """
        Keep a block, if there is room on the disk.
        """
        if len(data) + _DIGEST > self._limit:
            return
        self._make_room(len(data) + _DIGEST)
        path = self._path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_digest(data))
                    file.write(data)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink()
                raise

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _make_room(self, size: int) -> None:
        with _lock:
            # What is there now, as far as is known; and what was written since
            # that was last counted.
            there, written = _known.get(self._folder, (self._limit, self._limit))
            if there + size > self._limit or written > self._limit // _SHARE:
                there, written = self._clean(size), 0
            _known[self._folder] = there + size, written + size

    def _clean(self, size: int) -> int:
        """
        Remove the oldest until there is room, and return how many bytes remain.
        """
        found = []
        for folder in _folders(self._folder):
            for entry in _folders(folder.path):
                with contextlib.suppress(OSError):
                    known = entry.stat(follow_symlinks=False)
                    found.append((known.st_mtime_ns, known.st_size, entry.path))
        total = sum(length for _, length, _ in found)
        if total + size <= self._limit:
            return total
        enough = self._limit - self._limit // _SHARE - size
        for _, length, path in sorted(found):
            if total <= max(enough, 0):
                break
            with contextlib.suppress(OSError):
                Path(path).unlink()
                total -= length
        return total


class CachedContent:
    """
    A remote file whose parts are looked for in a cache first.
    """

    def __init__(self, uri: str, content: Content, cache: BlockCache) -> None:
        self.size = content.size
        self.version = content.version
        self._content = content
        self._cache = cache
        state = f"{uri}\0{self.version}\0{self.size}"
        self._key = hashlib.blake2b(
            state.encode(errors="surrogatepass"), digest_size=20
        ).hexdigest()

    def fetch(self, start: int, stop: int) -> bytes:
        """
        All bytes from *start* up to *stop*.

        Raises:
            StorageError: If they cannot be had, or the file has changed.
        """
        if stop <= start:
            return b""
        first, last = start // _BLOCK, (stop - 1) // _BLOCK
        blocks: list[bytes | None] = [self._known(n) for n in range(first, last + 1)]
        n = 0
        while n < len(blocks):
            end = n
            while end < len(blocks) and blocks[end] is None:
                end += 1
            if end > n:
                blocks[n:end] = self._fetched(first + n, first + end)
            n = end + 1
        data = b"".join(block for block in blocks if block is not None)
        return data[start - first * _BLOCK : stop - first * _BLOCK]

    def close(self) -> None:
        """
        Let go of what is held.
        """
        self._content.close()

    def _known(self, number: int) -> bytes | None:
        data = self._cache.get(f"{self._key}-{number:x}")
        expected = min(_BLOCK, self.size - number * _BLOCK)
        return data if data is not None and len(data) == expected else None

    def _fetched(self, first: int, end: int) -> list[bytes]:
        start = first * _BLOCK
        data = self._content.fetch(start, min(end * _BLOCK, self.size))
        blocks = [data[n : n + _BLOCK] for n in range(0, len(data), _BLOCK)]
        for number, block in enumerate(blocks, first):
            self._cache.put(f"{self._key}-{number:x}", block)
        return blocks


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()


def _folders(path: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError:
        return []


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it at the fork
    _lock = threading.Lock()


_UNFINISHED: Final = "unfinished-"
_known: dict[Path, tuple[int, int]] = {}
_lock = threading.Lock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
