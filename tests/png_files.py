"""
PNG files and filtered rows, made the plain way.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHARED = Path(__file__).parents[2] / "shared" / "data"

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(name: bytes, body: bytes = b"") -> bytes:
    """
    Return one chunk.
    """
    crc = zlib.crc32(body, zlib.crc32(name))
    return len(body).to_bytes(4, "big") + name + body + crc.to_bytes(4, "big")


def ihdr(
    width: int, height: int, depth: int = 8, color: int = 2, *, interlace: int = 0
) -> bytes:
    """
    Return an IHDR chunk.
    """
    sizes = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return chunk(b"IHDR", sizes + bytes([depth, color, 0, 0, interlace]))


def png_file(
    width: int,
    height: int,
    depth: int,
    color: int,
    stream: bytes,
    *,
    before: bytes = b"",
    parts: int = 1,
    level: int = 6,
) -> bytes:
    """
    Return a PNG file whose filtered rows are *stream*.
    """
    data = zlib.compress(stream, level)
    step = max(1, -(-len(data) // parts))
    idat = b"".join(
        chunk(b"IDAT", data[i : i + step]) for i in range(0, len(data), step)
    )
    head = b"\x89PNG\r\n\x1a\n" + ihdr(width, height, depth, color)
    return head + before + idat + chunk(b"IEND")


def row_bytes(width: int, depth: int, color: int) -> int:
    """
    Return the bytes of a row without its filter byte.
    """
    return (width * depth * CHANNELS[color] + 7) // 8


def plain_unfilter(stream: bytes, height: int, pitch: int, unit: int) -> bytes:
    """
    Return the unfiltered rows, byte by byte as the PNG specification words it.
    """
    above = bytearray(pitch)
    rows = []
    for y in range(height):
        start = y * (pitch + 1)
        kind = stream[start]
        row = bytearray(stream[start + 1 : start + 1 + pitch])
        for x in range(pitch):
            a = row[x - unit] if x >= unit else 0
            b = above[x]
            c = above[x - unit] if x >= unit else 0
            guess = (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]
            row[x] = (row[x] + guess) & 255
        rows.append(bytes(row))
        above = row
    return b"".join(rows)


def paeth(a: int, b: int, c: int) -> int:
    """
    Return which of left, above and upper left the filter predicts.
    """
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    if pa <= pb and pa <= pc:
        return a
    return b if pb <= pc else c


def samples(
    rows: bytes, width: int, height: int, depth: int, color: int
) -> NDArray[Any]:
    """
    Return unfiltered *rows* as an array: (H, W) or (H, W, channels).
    """
    pitch = row_bytes(width, depth, color)
    grid = np.frombuffer(rows, np.uint8).reshape(height, pitch)
    if depth < 8:
        bits = np.unpackbits(grid, axis=1).reshape(height, -1, depth)
        weights = 1 << np.arange(depth)[::-1]
        return (bits @ weights)[:, :width].astype(np.uint8)
    if depth == 16:
        return grid.view(">u2").astype(np.uint16)
    channels = CHANNELS[color]
    return grid.reshape(height, width, channels) if channels > 1 else grid


def random_stream(
    rng: np.random.Generator, height: int, pitch: int, *, runs: float
) -> bytes:
    """
    Return filtered rows of random filter types; with *runs* mostly of zeros.
    """
    rows = []
    for _ in range(height):
        row = rng.integers(0, 256, pitch).astype(np.uint8)
        if runs:
            row[rng.random(pitch) < runs] = 0
        if rng.random() < 0.2:
            row[:] = 0
        rows.append(bytes([int(rng.integers(0, 5))]) + row.tobytes())
    return b"".join(rows)
