"""
Damaged image files to `decode_image`, for as long as one likes.

    python -m tests.fuzz_images [seconds] [seed]

Whatever the bytes are there is a label map or a `DecodeError`.  Of a map every pixel
has a label or is counted as unknown; of a PNG that Pillow reads, too, it is the right
one.
"""

from __future__ import annotations

import io
import random
import sys
import time
import warnings
import zlib
from collections import Counter
from contextlib import suppress

import numpy as np
from PIL import Image

from framekit.decoding.image.decode import Limits, decode_image, read_image_header
from framekit.decoding.label_map import LabelMap
from framekit.errors import DecodeError, DecodeWarning
from tests.image_seeds import COLORS, PALETTE, assembled, chunks, seeds

LIMITS = Limits(max_side=400, max_bytes=1 << 20)

#: Bytes and words at which sizes and counts turn over.
ODD = [b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff"]
ODD += [b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\1\0", b"\0\1\0\0"]


def fuzz(seconds: float, seed: int) -> Counter[str]:
    """
    Decode damaged files for *seconds*; how many were opened, compared and refused.
    """
    rng = random.Random(seed)  # noqa: S311
    files = seeds()
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = rng.choice(list(files))
        data = damaged(files[name], files[rng.choice(list(files))], rng)
        counts[attempt(data)] += 1
    return counts


def attempt(data: bytes) -> str:
    """
    What becomes of *data*: "opened", "compared" or "refused".

    Raises:
        AssertionError: If labels are wrong.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DecodeWarning)
        with suppress(DecodeError):
            read_image_header(io.BytesIO(data))
        try:
            found = decode_image(io.BytesIO(data), PALETTE, limits=LIMITS)
        except DecodeError:
            return "refused"
    void = found.ids == found.void
    assert found.ids[~void].max(initial=0) < len(PALETTE), data.hex()
    unknown = found.report.unknown_pixels if found.report.lossless else 0
    assert void.sum() == unknown, data.hex()
    return compared(data, found)


def compared(data: bytes, found: LabelMap) -> str:
    """
    Compare the labels of a PNG file with what its colors by Pillow are.
    """
    if not data.startswith(b"\x89PNG") or data[24] > 8 or b"acTL" in data:
        return "opened"  # Of animations Pillow may show another picture.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rgb = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    except Exception:  # noqa: BLE001 - Pillow raises whatever it likes
        return "opened"
    expected = np.full(rgb.shape[:2], found.void, int)
    for number, color in enumerate(COLORS):
        expected[(rgb == color).all(-1)] = number
    assert np.array_equal(found.ids, expected), data.hex()
    return "compared"


def damaged(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """
    *data* with something wrong in it, maybe a part of *other*.
    """
    if data.startswith(b"\x89PNG") and rng.random() < 0.7:
        return inside_png(data, rng)
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(len(found) + 1)
        how = rng.randrange(6)
        if how == 0 and found:
            found[place - 1] ^= 1 << rng.randrange(8)
        elif how == 1:
            found[place : place + 4] = rng.choice(ODD)
        elif how == 2:
            found[place : place + rng.randrange(1, 40)] = b""
        elif how == 3:
            start = rng.randrange(len(other))
            found[place:place] = other[start : start + rng.randrange(1, 40)]
        elif how == 4:
            found[place:] = other[rng.randrange(len(other)) :]
        else:
            found[place : place + 2] = rng.randbytes(2)
    return bytes(found)


def inside_png(data: bytes, rng: random.Random) -> bytes:
    """
    A PNG file with something wrong below its checksums.
    """
    parts = chunks(data)
    place = rng.randrange(len(parts))
    name, body = parts[place]
    how = rng.randrange(6)
    if how == 0:
        del parts[place]
    elif how == 1:
        parts.insert(rng.randrange(len(parts)), parts[place])
    elif how == 2 and name == b"IDAT":
        rows = bytearray(zlib.decompress(body))
        for _ in range(rng.choice((1, 3, 30))):
            rows[rng.randrange(len(rows))] = rng.choice((0, 1, 2, 3, 4, 5, 255))
        more = rng.choice((rows, rows, rows, rows[:-1], rows + b"\0"))
        parts[place] = name, zlib.compress(bytes(more))
    elif body:
        changed = bytearray(body)
        for _ in range(rng.choice((1, 1, 2))):
            changed[rng.randrange(len(changed))] = rng.choice((0, 1, 2, 3, 8, 16, 255))
        cut = rng.randrange(len(changed)) if rng.random() < 0.2 else len(changed)
        parts[place] = name, bytes(changed[:cut])
    else:
        parts.insert(place, (rng.choice((b"tRNS", b"PLTE", b"acTL")), rng.randbytes(6)))
    return assembled(parts)


if __name__ == "__main__":
    wanted = [*map(int, sys.argv[1:3])]
    print(dict(fuzz(*(wanted + [20, 1][len(wanted) :]))))
