"""
Random filtered rows and damaged files against plain code, for as long as one likes.

    python -m tests.fuzz_png [seconds] [seed]

With the extension built with -fsanitize=address,undefined and libasan preloaded this
is the memory check, too (see NOTES.md).
"""

from __future__ import annotations

import sys
import time
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from framekit.decoding import kernels
from framekit.decoding.lookup import twin as lookup_numpy
from framekit.decoding.lookup.tables import Lookup, array_to_ids
from framekit.decoding.png import inflate
from framekit.decoding.png.chunks import Png, PngError, open_png
from framekit.decoding.png.reading import read_labels, read_pixels
from tests.png_files import (
    CHANNELS,
    chunk,
    plain_unfilter,
    png_file,
    random_stream,
    row_bytes,
    samples,
)

LAYOUTS = [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (8, 6)]
LAYOUTS += [(1, 3), (2, 3), (4, 3), (8, 3)]


def main(seconds: float = 20.0, seed: int | None = None) -> None:
    """
    Run and print how much was compared.
    """
    assert kernels.NATIVE is not None
    rng = np.random.default_rng(seed)
    streams = opened = refused = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data, pixels, lookup = random_file(rng)
        inflate.PIECE = int(rng.choice([1, 7, 64, 1000, 1 << 18]))
        compare(data, pixels, lookup, rng)
        streams += 1
        for _ in range(3):
            try:
                read_labels(damaged(data, rng), lookup)
                opened += 1
            except PngError:
                refused += 1
    print(f"{streams} streams equal; damaged: {opened} opened, {refused} refused")


def random_file(rng: np.random.Generator) -> tuple[bytes, NDArray[Any], Lookup]:
    """
    Return a PNG file, its samples, and a lookup of some of its values.
    """
    depth, color = LAYOUTS[rng.integers(len(LAYOUTS))]
    width, height = int(rng.integers(1, 90)), int(rng.integers(1, 9))
    pitch = row_bytes(width, depth, color)
    runs = float(rng.choice([0, 0.5, 0.9, 0.99]))
    stream = random_stream(rng, height, pitch, runs=runs)
    before = b""
    if color == 3:
        before = chunk(b"PLTE", rng.bytes(3 << depth))
    data = png_file(width, height, depth, color, stream, before=before)
    unit = max(1, depth * CHANNELS[color] // 8)
    rows = plain_unfilter(stream, height, pitch, unit)
    pixels = samples(rows, width, height, depth, color)
    keys = pixels.astype(int)
    keys = keys[..., :3] @ [1, 256, 65536] if pixels.ndim == 3 else keys
    values = np.unique(keys)
    values = values[rng.random(len(values)) < rng.choice([0.5, 1])]
    ids = rng.integers(-1, rng.choice([254, 100_000]), len(values))
    return data, pixels, Lookup.of("index", values, ids)


def compare(
    data: bytes, pixels: NDArray[Any], lookup: Lookup, rng: np.random.Generator
) -> None:
    """
    Compare pixels with *pixels*, and labels with the NumPy kernel's.
    """
    opened = open_png(data)
    assert np.array_equal(read_pixels(opened), pixels)
    alpha: Literal["void", "ignore"] = "void" if rng.random() < 0.5 else "ignore"
    ids, found = read_labels(opened, lookup, alpha=alpha, top=None)
    again, found_again = array_to_ids(pixels, lookup, alpha=alpha, top=None)
    native, kernels.NATIVE = kernels.NATIVE, None
    plain, found_plain = array_to_ids(pixels, lookup, alpha=alpha, top=None)
    kernels.NATIVE = native
    assert ids.dtype == plain.dtype
    assert np.array_equal(ids, plain)
    assert np.array_equal(again, plain)
    assert found == found_plain == found_again
    assert lookup_numpy.CODE_UNKNOWN == -2


def damaged(data: bytes, rng: np.random.Generator) -> Png:
    """
    Return *data* with wrong bytes inside its stream, and right checksums around it.
    """
    opened = open_png(data)
    header = opened.header
    rows, pitch = header.passes[0]
    stream = rng.integers(0, int(rng.choice([5, 256])), rows * pitch).astype(np.uint8)
    stream[::pitch] = rng.integers(0, 5, rows)
    if rng.random() < 0.3:
        stream[rng.integers(len(stream))] = rng.integers(256)
    cut = int(rng.integers(0, 3)) - 1
    body = stream.tobytes() + b"x" if cut > 0 else stream.tobytes()[: cut or None]
    before = b""
    if header.color_type == 3:
        before = chunk(b"PLTE", rng.bytes(3 * int(rng.integers(1, 1 << 8))))
    return open_png(
        png_file(
            header.width,
            header.height,
            header.bit_depth,
            header.color_type,
            body,
            before=before,
        )
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
