"""
Small mask files of every format and kind: what fuzzing starts from.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from framekit.palette import Palette

COLORS = [(10, 20, 30), (0, 0, 0), (200, 100, 0), (9, 8, 7), (255, 255, 255)]
PALETTE = Palette({color: f"label {n}" for n, color in enumerate(COLORS)})
IDS = np.kron(np.random.default_rng(2).integers(0, 5, (4, 5)), np.ones((3, 5), int))

#: Bits and color types of PNG, and bytes a filter unit.
_KINDS = [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2)]
_KINDS += [(1, 3), (2, 3), (4, 3), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6)]


def seeds() -> dict[str, bytes]:
    """
    The files, by name.
    """
    rgb = Image.fromarray(np.array(COLORS, np.uint8)[IDS])
    alpha = rgb.copy()
    alpha.putalpha(Image.fromarray((IDS * 60).astype(np.uint8)))
    index = Image.frombytes("P", rgb.size, IDS.astype(np.uint8).tobytes())
    index.putpalette([channel for color in COLORS for channel in color])
    gray = Image.fromarray((IDS * 51).astype(np.uint8))
    wide = Image.fromarray((IDS * 300).astype(np.uint16))
    found = {
        "rgb.png": _saved(rgb, "PNG"),
        "rgba.png": _saved(alpha, "PNG"),
        "palette.png": _saved(index, "PNG"),
        "palette-clear.png": _saved(index, "PNG", transparency=b"\xff\0\x80"),
        "apng.png": _saved(rgb, "PNG", save_all=True, append_images=[alpha]),
        "rgb.bmp": _saved(rgb, "BMP"),
        "palette.bmp": _saved(index, "BMP"),
        "gray.bmp": _saved(gray, "BMP"),
        "bits.bmp": _saved(gray.convert("1"), "BMP"),
        "rgba.bmp": _saved(alpha, "BMP"),
        "palette.gif": _saved(index, "GIF"),
        "clear.gif": _saved(index, "GIF", transparency=1),
        "several.gif": _saved(index, "GIF", save_all=True, append_images=[gray]),
        "gray.tiff": _saved(gray, "TIFF"),
        "wide.tiff": _saved(wide, "TIFF"),
        "rgba.tiff": _saved(alpha, "TIFF"),
        "palette.tiff": _saved(index, "TIFF"),
        "lossless.webp": _saved(rgb, "WEBP", lossless=True),
        "rgba.webp": _saved(alpha, "WEBP", lossless=True, exact=True),
        "lossy.webp": _saved(rgb, "WEBP", quality=95),
        "rgb.jpg": _saved(rgb, "JPEG", quality=95),
        "gray.jpg": _saved(gray, "JPEG"),
        "progressive.jpg": _saved(rgb, "JPEG", progressive=True),
    }
    for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        found[f"{name}.tiff"] = _saved(rgb, "TIFF", compression=name)
    for depth, kind in _KINDS:
        for interlaced in (0, 1):
            name = f"{'plain' if not interlaced else 'adam7'}-{kind}-{depth}.png"
            found[name] = _png(depth, kind, interlaced)
    return found


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """
    The chunks of a PNG file, as far as they are whole.
    """
    found, position = [], 8
    while position + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        body = data[position + 8 : position + 8 + length]
        found.append((data[position + 4 : position + 8], body))
        position += 12 + length
    return found


def assembled(parts: list[tuple[bytes, bytes]]) -> bytes:
    """
    A PNG file of chunks, with right checksums.
    """
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in parts:
        checksum = struct.pack(">I", zlib.crc32(name + body))
        data += struct.pack(">I", len(body)) + name + body + checksum
    return data


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _png(depth: int, kind: int, interlaced: int, side: int = 9) -> bytes:
    """
    A PNG file of any kind, its rows of zeros and few other bytes.
    """
    rng = np.random.default_rng(depth + kind + interlaced)
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    rows = b""
    for x, y, right, down in _PASSES if interlaced else [(0, 0, 1, 1)]:
        width, height = -(-(side - x) // right), -(-(side - y) // down)
        for _ in range(height if width > 0 else 0):
            row = rng.integers(0, 256, -(-width * bits // 8)).astype(np.uint8)
            row[rng.random(len(row)) < 0.6] = 0
            rows += bytes([rng.integers(5)]) + row.tobytes()
    header = struct.pack(">IIBBBBB", side, side, depth, kind, 0, 0, interlaced)
    table = [(b"PLTE", rng.bytes(3 << depth))] if kind == 3 else []
    idat = [(b"IDAT", zlib.compress(rows))]
    return assembled([(b"IHDR", header), *table, *idat, (b"IEND", b"")])


#: First column and row, and steps, of the passes of an interlaced PNG.
_PASSES = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]
