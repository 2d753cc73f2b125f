"""
The ways in which a shard's lines are compressed.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, Literal, cast

from framekit.errors import ArgumentError, MissingExtraError, StorageError

__all__ = ["Compression", "as_compression", "compressed", "opened", "suffix_of"]

#: None is plain JSON Lines; "zst" needs the extra ``zstd``.
Compression = Literal["gz", "zst"] | None

_SUFFIXES: Final = {None: ".jsonl", "gz": ".jsonl.gz", "zst": ".jsonl.zst"}
_LEVEL: Final = {"gz": 6, "zst": 3}


def as_compression(value: Any) -> Compression:
    """
    One of the known compressions.

    Raises:
        ArgumentError: If it is none.
        MissingExtraError: If its package is not installed.
    """
    if value is not None and (not isinstance(value, str) or value not in _SUFFIXES):
        reason = f"expected None, 'gz' or 'zst', got {value!r}"
        raise ArgumentError("compression", reason)
    if value == "zst":
        _zstandard()
    return cast(Compression, value)


def suffix_of(compression: Compression) -> str:
    """
    What the name of a shard's file ends with.
    """
    return _SUFFIXES[compression]


def compressed(data: bytes, compression: Compression) -> bytes:
    """
    Compress *data*; the same data always gives the same bytes.
    """
    if compression == "gz":
        return gzip.compress(data, _LEVEL["gz"], mtime=0)
    if compression == "zst":
        packer = _zstandard().ZstdCompressor(level=_LEVEL["zst"])
        return cast(bytes, packer.compress(data))
    return data


@contextmanager
def opened(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """
    Read what is compressed in *file*, as the end of *name* says.

    Raises:
        StorageError: If it cannot be decompressed; also where it is read.
    """
    try:
        if name.endswith(".gz"):
            with gzip.GzipFile(fileobj=file) as plain:
                yield cast(BinaryIO, plain)
        elif name.endswith(".zst"):
            unpacker = _zstandard().ZstdDecompressor()
            with unpacker.stream_reader(
                file, read_across_frames=True, closefd=False
            ) as plain:
                yield cast(BinaryIO, plain)
        else:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StorageError(name, f"damaged: {error}") from None
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(name, error.strerror or str(error)) from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "zstandard":
            raise StorageError(name, f"damaged: {error}") from None
        raise


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError(".zst shards", "zstd") from None
    return zstandard
