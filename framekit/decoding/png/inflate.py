"""
Zlib streams, inflated in pieces by the fastest library that is there.

zlib-ng, then isal, then the standard library's zlib: they give the same bytes and
refuse the same streams.  ``FRAMEKIT_INFLATER=zlib-ng|isal|zlib`` picks one.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import frozen

#: Libraries in order of preference: name, module.
LIBRARIES = {
    "zlib-ng": "zlib_ng.zlib_ng",
    "isal": "isal.isal_zlib",
    "zlib": "zlib",
}

#: Compressed bytes handed over at once.  What is left of them is copied each time
#: the output is full, so they are few.
FEED = 16 << 10

#: Inflated bytes at once.
PIECE = 256 << 10


class InflateError(ValueError):
    """
    A zlib stream is damaged, or not as long as it should be.
    """


@frozen
class Inflater:
    """
    A library that inflates.
    """

    #: One of `LIBRARIES`.
    name: str

    #: Makes an object like those of `zlib.decompressobj`.
    decompressobj: Callable[[], Any]

    #: The same function as `zlib.crc32`.
    crc32: Callable[..., int]

    #: What the library raises for a damaged stream.
    error: type[Exception]


def find_inflater(choice: str | None = None) -> Inflater:
    """
    Return the inflater *choice*, or the first of `LIBRARIES` that is installed.

    Raises:
        ValueError: If *choice* is neither None nor one of `LIBRARIES`.
        ImportError: If *choice* is not installed.
    """
    if choice is None:
        return next(found for name in LIBRARIES if (found := _load(name)))
    if choice not in LIBRARIES:
        message = f"FRAMEKIT_INFLATER is one of {', '.join(LIBRARIES)}, not {choice!r}"
        raise ValueError(message)
    found = _load(choice)
    if found is None:
        message = f"FRAMEKIT_INFLATER={choice}: pip install {choice}"
        raise ImportError(message)
    return found


def inflate(
    parts: Iterable[memoryview | bytes],
    size: int,
    *,
    inflater: Inflater | None = None,
) -> Iterator[bytes]:
    """
    Yield the *size* bytes of the zlib stream whose bytes are *parts*, in pieces.

    No piece is longer than `PIECE` bytes.  The checksum at the end of the stream is
    checked, so only a loop that comes to its end has seen sound data.

    Raises:
        InflateError: If the stream is damaged, breaks off, gives more or fewer than
            *size* bytes, or has bytes after its end.
    """
    use = INFLATER if inflater is None else inflater
    stream = use.decompressobj()
    decompress = stream.decompress
    total = 0
    try:
        for part in parts:
            if stream.eof and len(part):
                raise InflateError(_AFTER)
            for start in range(0, len(part), FEED):
                rest = part[start : start + FEED]
                while True:
                    piece = decompress(rest, PIECE)
                    total += len(piece)
                    if total > size:
                        message = f"more than the {size} bytes of pixels in the data"
                        raise InflateError(message)
                    if piece:
                        yield piece
                    rest = stream.unconsumed_tail
                    if stream.eof or (not rest and len(piece) < PIECE):
                        break
                if stream.eof and (stream.unused_data or start + FEED < len(part)):
                    raise InflateError(_AFTER)
    except use.error as error:
        message = f"damaged compressed data: {error}"
        raise InflateError(message) from None
    if not stream.eof:
        message = f"compressed data breaks off, {total} of {size} bytes are there"
        raise InflateError(message)
    if total < size:
        message = f"{total} of {size} bytes of pixels in the data"
        raise InflateError(message)


def _load(name: str) -> Inflater | None:
    try:
        module = importlib.import_module(LIBRARIES[name])
    except ImportError:
        return None
    return Inflater(name, module.decompressobj, module.crc32, module.error)


_AFTER = "bytes after the end of the compressed data"

#: The inflater in use; `INFLATER.name` is what `framekit info` prints.
INFLATER = find_inflater(os.environ.get("FRAMEKIT_INFLATER") or None)
