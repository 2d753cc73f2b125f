"""
PNG files and arrays to label maps, as ratios in one run, CPU time, one thread.

    python -m tests.benchmarks.bench_png [--size 1080p|4k] [--runs 9]

Pillow decodes to pixels only; framekit's time is from the file's bytes to labels,
with its checks.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from framekit.decoding import kernels
from framekit.decoding.lookup.tables import Lookup, array_to_ids
from framekit.decoding.png import inflate
from framekit.decoding.png.chunks import open_png
from framekit.decoding.png.reading import read_labels

SIZES = {"1080p": (1080, 1920), "4k": (2160, 3840)}

Array = NDArray[Any]


def main() -> None:
    """
    Print both tables.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=SIZES, action="append")
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    print(f"kernels: {kernels.NAME}; inflater: {inflate.INFLATER.name}")
    for size in options.size or SIZES:
        height, width = SIZES[size]
        print_files(size, height, width, options.runs)
        print_arrays(size, height, width, options.runs)


def print_files(size: str, height: int, width: int, runs: int) -> None:
    """
    Print file bytes to labels, against Pillow decoding the same file.
    """
    inflaters = list(installed())
    print(f"\n{size} PNG: ms, and share of Pillow's")
    names = [found.name for found in inflaters]
    print("| file | KB | Pillow |", " | ".join(names), "|", "NumPy kernels |")
    print("| --- " * (len(names) + 4) + "|")
    for name, data, lookup in files(height, width):

        def read(data: bytes = data, lookup: Lookup = lookup) -> object:
            return read_labels(open_png(data), lookup)

        pillow = clock(partial(pixels_of, data), runs)
        cells = []
        for found in inflaters:
            kept, inflate.INFLATER = inflate.INFLATER, found
            cells.append(clock(read, runs))
            inflate.INFLATER = kept
        native, kernels.NATIVE = kernels.NATIVE, None
        cells.append(clock(read, min(runs, 3)))
        kernels.NATIVE = native
        shown = " | ".join(f"{cell:.2f} ({cell / pillow:.2f}x)" for cell in cells)
        print(f"| {name} | {len(data) / 1024:.0f} | {pillow:.2f} | {shown} |")


def print_arrays(size: str, height: int, width: int, runs: int) -> None:
    """
    Print arrays to labels, against a copy of the array and a loop over colors.
    """
    print(f"\n{size} array: ms, times a copy, times faster than a per-color loop")
    print("| array | copy | native | NumPy | loop / native | loop / NumPy |")
    print("| --- " * 6 + "|")
    for name, array, lookup, count in arrays(height, width):
        copied = clock(array.copy, 3 * runs)
        native = kernels.NATIVE
        ours = clock(lambda: array_to_ids(array, lookup), runs)  # noqa: B023
        kernels.NATIVE = None
        plain = clock(lambda: array_to_ids(array, lookup), runs)  # noqa: B023
        kernels.NATIVE = native
        loop = per_color(array, min(count, 20)) * max(1, count / 20)
        print(
            f"| {name} | {copied:.2f} | {ours:.2f} ({ours / copied:.1f}x)"
            f" | {plain:.2f} ({plain / copied:.1f}x)"
            f" | {loop / ours:.0f} | {loop / plain:.0f} |"
        )


def files(height: int, width: int) -> Iterator[tuple[str, bytes, Lookup]]:
    """
    Yield names, PNG files and their lookups.
    """
    rng = np.random.default_rng(1)
    labels = shapes(height, width, 20)
    colors = distinct(rng, 20)
    by_color = Lookup.of("color", packed(colors), np.arange(20))
    rgb = colors[labels]
    yield "RGB level 6", encoded(rgb), by_color
    yield "RGB optimize", encoded(rgb, optimize=True), by_color
    spots = rng.random(labels.shape) < 0.02
    noisy = rgb.copy()
    noisy[spots] = rng.integers(0, 256, (int(spots.sum()), 3))
    yield "RGB 2 % noise", encoded(noisy), by_color
    swapped = rgb.copy()
    swapped[spots] = colors[rng.integers(0, 20, int(spots.sum()))]
    yield "RGB 2 % of palette", encoded(swapped), by_color
    opaque = np.full(labels.shape, 255, np.uint8)
    yield "RGBA", encoded(np.dstack([rgb, opaque])), by_color
    image = Image.fromarray(labels)
    image.putpalette(colors.tobytes())
    yield "palette", encoded(image), by_color
    by_index = Lookup.of("index", np.arange(20), np.arange(20))
    yield "gray 8", encoded(labels), by_index
    many = cells(height, width, 200)
    wide = (many * 100).astype(np.uint16)
    yield "gray 16", encoded(wide), Lookup.of("index", np.arange(200) * 100, range(200))


def arrays(height: int, width: int) -> Iterator[tuple[str, Array, Lookup, int]]:
    """
    Yield names, arrays, their lookups and how many colors these have.
    """
    rng = np.random.default_rng(2)
    for count, name in ((20, "20 classes"), (200, "200 ids"), (10_000, "10,000 ids")):
        colors = distinct(rng, count)
        labels = (
            shapes(height, width, 20) if count == 20 else cells(height, width, count)
        )
        lookup = Lookup.of("color", packed(colors), np.arange(count))
        yield f"RGB, {name}", colors[labels], lookup, count
    labels = shapes(height, width, 20)
    rgb = distinct(rng, 20)[labels]
    lookup = Lookup.of("color", np.unique(packed(rgb)), np.arange(20))
    yield "RGBX, 20 classes", np.dstack([rgb, rgb[..., 0]]), lookup, 20
    by_index = Lookup.of("index", np.arange(20), np.arange(20))
    yield "gray 8, 20 classes", labels, by_index, 20
    yield "gray 16, 20 classes", labels.astype(np.uint16), by_index, 20
    yield "packed int32, 20 classes", packed(rgb).astype(np.int32), lookup, 20
    spots = rng.random(labels.shape) < 0.02
    rgb[spots] = rng.integers(0, 256, (int(spots.sum()), 3))
    yield "RGB, 2 % noise", rgb, lookup, 20


def shapes(height: int, width: int, classes: int) -> Array:
    """
    Return 160 ellipses of *classes* classes.
    """
    rng = np.random.default_rng(3)
    labels = np.zeros((height, width), np.uint8)
    y, x = np.mgrid[:height, :width]
    for place in range(160):
        cy, cx = rng.integers(0, height), rng.integers(0, width)
        radius, stretch = rng.integers(10, height // 5), rng.uniform(0.5, 2)
        inside = (y - cy) ** 2 + ((x - cx) / stretch) ** 2 < radius**2
        labels[inside] = place % classes
    return labels


def cells(height: int, width: int, count: int) -> Array:
    """
    Return *count* cells with wavy borders.
    """
    y, x = np.mgrid[:height, :width]
    side = (height * width / count) ** 0.5
    columns = int(width / side)
    rows = -(-count // columns)
    row = ((y + 4 * np.sin(x / 17)) * rows / height).astype(int).clip(0, rows - 1)
    column = ((x + 4 * np.sin(y / 23)) * columns / width).astype(int)
    cell = row * columns + column.clip(0, columns - 1)
    return np.asarray(np.minimum(cell, count - 1))


def distinct(rng: np.random.Generator, count: int) -> Array:
    """
    Return *count* colors, none twice.
    """
    keys = rng.choice(1 << 24, count, replace=False)
    channels = [keys >> 16, keys >> 8 & 255, keys & 255]
    return np.asarray(np.stack(channels, 1).astype(np.uint8))


def packed(colors: Array) -> Array:
    """
    Return R << 16 | G << 8 | B.
    """
    keys: Array = colors.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    return keys


def encoded(image: Array | Image.Image, *, optimize: bool = False) -> bytes:
    """
    Return *image* as a PNG file by Pillow.
    """
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, "png", optimize=optimize)
    return file.getvalue()


def pixels_of(data: bytes) -> Array:
    """
    Return the pixels of a PNG file, by Pillow.
    """
    return np.asarray(Image.open(io.BytesIO(data)))


def per_color(array: Array, count: int) -> float:
    """
    Return the time of the loop that compares the whole array with each color.
    """
    wanted = array.reshape(array.shape[0] * array.shape[1], -1)[:count]

    def loop() -> None:
        out = np.zeros(array.shape[:2], np.uint8)
        for place, value in enumerate(wanted):
            if array.ndim == 3:
                out[np.all(array == value, axis=-1)] = place
            else:
                out[array == value] = place

    return clock(loop, 1)


def installed() -> Iterator[inflate.Inflater]:
    """
    Yield the inflaters that are there.
    """
    for name in inflate.LIBRARIES:
        try:
            yield inflate.find_inflater(name)
        except ImportError:
            continue


def clock(work: Callable[[], object], runs: int) -> float:
    """
    Return the median CPU time of *work*, in ms.
    """
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2] * 1000


if __name__ == "__main__":
    main()
