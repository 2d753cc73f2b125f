"""
Many PNG masks on one thread and on two: decoding them, and validating their pixels.

    python -m tests.benchmarks.bench_threads [--files 300]

What two threads can give is what two processes give in the same minutes: shared
machines seldom have a whole second core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

import framekit as fk
from framekit.decoding import kernels
from framekit.decoding.png import inflate
from framekit.validation import validate
from tests.benchmarks.bench_png import distinct, shapes

SIZES = {"480x360": (360, 480), "1080p": (1080, 1920)}


def main() -> None:
    """
    Print files a second and how they grow.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=300)
    count = parser.parse_args().files
    print(f"kernels: {kernels.NAME}; inflater: {inflate.INFLATER.name}")
    print("| | 1 | 2 | |\n| --- | --- | --- | --- |")
    for size, (height, width) in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            frames = made(Path(folder), height, width, count)
            row(f"{size}: decode_frames, threads", ThreadPoolExecutor, decoded, frames)
            row(f"{size}: validate, threads", ThreadPoolExecutor, validated, frames)
    row("a loop in Python, processes", ProcessPoolExecutor, spun, [])


def made(folder: Path, height: int, width: int, count: int) -> list[fk.SingleFrame]:
    """
    Frames with a mask each; sixteen masks are different.
    """
    colors = distinct(np.random.default_rng(1), 20)
    labels = shapes(height, width, 20)
    frames = []
    for n in range(count):
        path = folder / f"{n}.png"
        if n < 16:
            Image.fromarray(colors[np.roll(labels, 40 * n, 1)]).save(path)
        else:
            path.write_bytes((folder / f"{n % 16}.png").read_bytes())
        frame = fk.SingleFrame(source=str(path), context_id="c", mask_source=str(path))
        for number, color in enumerate(colors.tolist()):
            frame.add_annotation(mask_rgb=color, labels=[f"label {number}"])
        frames.append(frame)
    return frames


def row(
    name: str,
    pool: Callable[[int], Executor],
    work: Callable[[list[fk.SingleFrame], Executor], int],
    frames: list[fk.SingleFrame],
) -> None:
    """
    Print how much *work* is done a second by one and by two workers, best of three.
    """
    rates = []
    for workers in (1, 2):
        with pool(workers) as executor:
            work(frames, executor)
            rates.append(max(rate(partial(work, frames, executor)) for _ in range(3)))
    gain = rates[1] / rates[0]
    print(f"| {name} | {rates[0]:.0f}/s | {rates[1]:.0f}/s | x{gain:.2f} |")


def rate(work: Callable[[], int]) -> float:
    """
    What *work* says it has done, a second.
    """
    start = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - start)


def decoded(frames: list[fk.SingleFrame], executor: Executor) -> int:
    """
    Decode all masks, 64 frames at once.
    """
    items = fk.decode_frames(frames, window=64, executor=executor, errors="raise")
    return sum(1 for _ in items)


def validated(frames: list[fk.SingleFrame], executor: Executor) -> int:
    """
    Validate all frames with their pixels.
    """
    report = validate(frames, level="pixels", executor=executor, shard=16)
    return int(report.frames)


def spun(_: list[fk.SingleFrame], executor: Executor) -> int:
    """
    Keep as many processors busy as there are.
    """
    return sum(executor.map(spin, [300_000] * 8))


def spin(times: int) -> int:
    """
    Count.
    """
    for _ in range(times):
        pass
    return 1


if __name__ == "__main__":
    main()
