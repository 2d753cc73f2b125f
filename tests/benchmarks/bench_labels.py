"""
Color masks to label maps beside what others offer for it, CPU time in one run.

    python -m tests.benchmarks.bench_labels [--size 1080p|4k] [--runs 5]

Others are measured where they are installed: a loop of ``np.all`` over the colors (it
stands for mmseg's iSAID converter and many scripts, too: the same lines), Datumaro's
``unpaint_mask``, FiftyOne's ``transform_mask`` (which cannot map black, and is given
none), panopticapi's ``rgb2id`` (its lines are below; ids only, no labels), and the
decoders of Pillow, OpenCV and libvips, which stop at pixels.  Whoever maps must map
right: a wrong label ends the run.
"""

from __future__ import annotations

import argparse
import importlib
import io
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from framekit.decoding import kernels
from framekit.decoding.lookup.tables import Lookup, array_to_ids
from framekit.decoding.png import inflate
from framekit.decoding.png.chunks import open_png
from framekit.decoding.png.reading import read_labels
from tests.benchmarks.bench_png import cells, distinct, encoded, packed, shapes

SIZES = {"1080p": (1080, 1920), "4k": (2160, 3840)}

Array = NDArray[Any]
Work = Callable[[], Any]

#: Colors above which those that go color by color are not waited for.
MANY = 300


def main() -> None:
    """
    Print both tables for each size and number of colors.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=SIZES, action="append")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(f"kernels: {kernels.NAME}; inflater: {inflate.INFLATER.name}")
    for size in options.size or SIZES:
        for count in (20, 200, 10_000):
            mask = Mask(*SIZES[size], count)
            for kind, works in (("array", of_arrays(mask)), ("PNG", of_files(mask))):
                check(mask, works)
                loop = per_color_time(mask) if kind == "array" else None
                print_table(
                    f"{size}, {count} colors, {kind}", works, options.runs, loop
                )


class Mask:
    """
    A mask of *count* colors, and what it should be decoded to.
    """

    def __init__(self, height: int, width: int, count: int) -> None:
        rng = np.random.default_rng(4)
        self.count = count
        self.colors = distinct(rng, count)
        self.labels = (
            shapes(height, width, count)
            if count <= 20
            else cells(height, width, count).astype(np.int32)
        )
        self.rgb = self.colors[self.labels]
        self.lookup = Lookup.of("color", packed(self.colors), np.arange(count))
        self.file = encoded(self.rgb)


def of_arrays(mask: Mask) -> dict[str, Work]:
    """
    What makes labels of an RGB array, by name.
    """
    rgb = mask.rgb
    works: dict[str, Work] = {
        "copy of the array": rgb.copy,
        "framekit": lambda: array_to_ids(rgb, mask.lookup)[0],
        "framekit, NumPy kernels": lambda: plain(
            lambda: array_to_ids(rgb, mask.lookup)[0]
        ),
        "panopticapi rgb2id": lambda: rgb2id(rgb),
    }
    datumaro = found("datumaro.util.mask_tools")
    if datumaro and mask.count <= MANY:
        colors = {n: tuple(map(int, color)) for n, color in enumerate(mask.colors)}
        inverse = datumaro.invert_colormap(colors)
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        works["Datumaro unpaint_mask"] = lambda: datumaro.unpaint_mask(bgr, inverse)
    fiftyone = found("fiftyone.core.labels")
    if fiftyone and mask.count <= MANY:
        table = {f"#{key:06x}": n for n, key in enumerate(packed(mask.colors).tolist())}
        segmentation = fiftyone.Segmentation(mask=rgb)
        works["FiftyOne transform_mask"] = lambda: segmentation.transform_mask(table)
    return works


def of_files(mask: Mask) -> dict[str, Work]:
    """
    What makes labels, or at least pixels, of the bytes of a PNG file, by name.
    """
    data = mask.file

    def read() -> Any:
        return read_labels(open_png(data), mask.lookup)[0]

    def read_zlib() -> Any:
        kept, inflate.INFLATER = inflate.INFLATER, inflate.find_inflater("zlib")
        try:
            return read()
        finally:
            inflate.INFLATER = kept

    works: dict[str, Work] = {
        "Pillow, pixels only": lambda: pixels_of(data),
        "framekit": read,
        "framekit, zlib": read_zlib,
        "framekit, NumPy kernels": lambda: plain(read),
    }
    cv2 = found("cv2")
    if cv2:
        cv2.setNumThreads(1)
        raw = np.frombuffer(data, np.uint8)
        works["OpenCV, pixels only"] = lambda: cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
    pyvips = found("pyvips")
    if pyvips:
        works["libvips, pixels only"] = lambda: pyvips.Image.new_from_buffer(
            data, ""
        ).numpy()
    datumaro = found("datumaro.util.mask_tools")
    if cv2 and datumaro and mask.count <= MANY:
        colors = {n: tuple(map(int, color)) for n, color in enumerate(mask.colors)}
        inverse = datumaro.invert_colormap(colors)
        works["OpenCV + Datumaro"] = lambda: datumaro.unpaint_mask(
            cv2.imdecode(raw, cv2.IMREAD_COLOR), inverse
        )
    fiftyone = found("fiftyone.core.labels")
    if fiftyone and mask.count <= MANY:
        table = {f"#{key:06x}": n for n, key in enumerate(packed(mask.colors).tolist())}
        works["Pillow + FiftyOne"] = lambda: fiftyone.Segmentation(
            mask=pixels_of(data)
        ).transform_mask(table)
    return works


def print_table(
    title: str, works: dict[str, Work], runs: int, loop: float | None
) -> None:
    """
    Print CPU times, and each against the first and against framekit's.
    """
    times = {name: clock(work, runs) for name, work in works.items()}
    if loop is not None:
        times["np.all per color"] = loop
    base, ours = next(iter(works)), times["framekit"]
    print(f"\n{title}\n| | ms | times {base} | times framekit |")
    print("| --- " * 4 + "|")
    for name, ms in times.items():
        print(f"| {name} | {ms:.2f} | {ms / times[base]:.2f} | {ms / ours:.1f} |")


def check(mask: Mask, works: dict[str, Work]) -> None:
    """
    End the run if something that makes labels makes wrong ones.
    """
    for name, work in works.items():
        no_labels = any(word in name for word in ("rgb2id", "pixels", "copy"))
        if not no_labels and not np.array_equal(work(), mask.labels):
            sys.exit(f"{name}: a wrong label")


def per_color_time(mask: Mask) -> float:
    """
    The time in ms of comparing the mask with each of its colors.

    It is measured on twenty colors and multiplied where there are more.
    """
    labels = np.zeros(mask.rgb.shape[:2], np.int32)

    def loop() -> None:
        for place in range(min(mask.count, 20)):
            labels[np.all(mask.rgb == mask.colors[place], axis=-1)] = place

    return clock(loop, 2) * max(1, mask.count / 20)


def rgb2id(color: Array) -> Array:
    """
    The numbers R + 256 G + 65536 B, as panopticapi computes them.
    """
    if color.dtype == np.uint8:
        color = color.astype(np.int32)
    total: Array = color[:, :, 0] + 256 * color[:, :, 1] + 256 * 256 * color[:, :, 2]
    return total


def plain(work: Work) -> Any:
    """
    Do *work* without the compiled kernels.
    """
    native, kernels.NATIVE = kernels.NATIVE, None
    try:
        return work()
    finally:
        kernels.NATIVE = native


def pixels_of(data: bytes) -> Array:
    """
    The pixels of a PNG file, by Pillow.
    """
    return np.asarray(Image.open(io.BytesIO(data)))


def found(module: str) -> Any:
    """
    A module, None where it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def clock(work: Work, runs: int) -> float:
    """
    The median CPU time of *work* in ms; once is enough of what takes a second.
    """
    times: list[float] = []
    while len(times) < runs and sum(times) < 1:
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2] * 1000


if __name__ == "__main__":
    main()
