"""
PNG files of labels: the pixels given, nothing scaled, as small as is cheap to find.
"""

from __future__ import annotations

import zlib
from struct import pack
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.png.chunks import SIGNATURE

__all__ = ["depth_for", "encode_png"]

#: How many rows of a large picture a filter is tried on.
_TRIED: Final = 64


def depth_for(largest: int) -> Literal[1, 2, 4, 8]:
    """
    The fewest bits that PNG can store palette indices up to *largest* in.
    """
    if largest < 4:
        return 1 if largest < 2 else 2
    return 4 if largest < 16 else 8


def encode_png(
    samples: NDArray[Any],
    *,
    depth: int = 8,
    palette: NDArray[np.uint8] | None = None,
    transparency: bytes | None = None,
    level: int = 9,
) -> bytes:
    """
    Write *samples* as a PNG file.

    Args:
        samples: (H, W) of gray or of indices into *palette*; or (H, W, channels) of
            gray with alpha, RGB or RGBA; uint8, or uint16 at 16 bits.
        depth: Bits a sample.
        palette: (N, 3) uint8.
        transparency: The contents of the tRNS chunk.
        level: zlib's, from 1 for speed to 9 for size.
    """
    height, width = samples.shape[:2]
    color_type = 3 if palette is not None else 0
    if samples.ndim == 3:
        color_type = {2: 4, 3: 2, 4: 6}[samples.shape[2]]
    header = pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    parts = [SIGNATURE, _chunk(b"IHDR", header)]
    if palette is not None:
        parts.append(_chunk(b"PLTE", palette.tobytes()))
    if transparency is not None:
        parts.append(_chunk(b"tRNS", transparency))
    step = max(1, depth * (samples.shape[2] if samples.ndim == 3 else 1) // 8)
    parts += [_chunk(b"IDAT", _compressed(_rows(samples, depth), step, level))]
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _rows(samples: NDArray[Any], depth: int) -> NDArray[np.uint8]:
    """
    The bytes of each row, (H, bytes).
    """
    height, width = samples.shape[:2]
    if depth == 16:
        return samples.astype(">u2").view(np.uint8).reshape(height, -1)
    rows = np.ascontiguousarray(samples, np.uint8).reshape(height, -1)
    if depth == 8:
        return rows
    each = 8 // depth
    padded = np.zeros((height, -(-width // each), each), np.uint8)
    padded.reshape(height, -1)[:, :width] = rows
    packed = np.zeros(padded.shape[:2], np.uint8)
    for place in range(each):
        packed |= padded[:, :, place] << np.uint8(8 - depth * (place + 1))
    return packed


def _compressed(rows: NDArray[np.uint8], step: int, level: int) -> bytes:
    """
    The rows after the one filter, for all of them, that a quick trial likes best.
    """
    sub = rows.copy()
    sub[:, step:] -= rows[:, :-step]
    up = rows.copy()
    up[1:] -= rows[:-1]
    candidates = (rows, sub, up)
    tried = _bands(len(rows))
    sizes = [len(zlib.compress(found[tried].tobytes(), 1)) for found in candidates]
    kind = sizes.index(min(sizes))
    return zlib.compress(_filtered(kind, candidates[kind]), level)


def _bands(height: int) -> NDArray[np.intp]:
    """
    The rows that a filter is tried on: four bands, all rows of small pictures.
    """
    if height <= _TRIED:
        return np.arange(height)
    band = np.arange(_TRIED // 4)
    return np.concatenate([band + n * height // 4 for n in range(4)])


def _filtered(kind: int, rows: NDArray[np.uint8]) -> bytes:
    return np.pad(rows, ((0, 0), (1, 0)), constant_values=kind).tobytes()


def _chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(name))
    return pack(">I", len(body)) + name + body + pack(">I", checksum)
