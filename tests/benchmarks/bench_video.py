"""
Mask video to label maps beside plain decoding and what others do, in one run.

    python -m tests.benchmarks.bench_video [--frames 150] [--runs 3] [--only TEXT]
    python -m tests.benchmarks.bench_video --access    windows, and single moments

CPU ms a frame (all threads), the ratio to PyAV decoding alone, wall ms and its ratio,
and the wrong pixels. Runs of all rows are interleaved, and the best of each counts.
The look-up that others need after decoding is a 24-bit table, filled beforehand.
OpenCV, decord and torchcodec are measured where they are installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from attrs import define, field
from numpy.typing import NDArray

from framekit.decoding import kernels
from framekit.decoding.decode import decode_frames
from framekit.decoding.video import ahead
from framekit.decoding.video.mask_video import MaskVideo
from framekit.frame import Mask, SingleFrame, Source
from framekit.palette import Palette
from tests import scenes
from tests.clips import encode, paint

SIZES = {"640x360": (640, 360), "1080p": (1920, 1080)}

#: Frames that are compared with the truth, and that slow rows stop after.
COMPARED = 12

Labels = NDArray[Any]
Row = Callable[["Clip", int], Iterator[Labels | None]]


@define
class Clip:
    """
    A clip on disk, and some of its truth.
    """

    name: str
    path: Path
    colors: scenes.Colors
    truth: list[scenes.Ids] = field(repr=False)
    palette: Palette = field(repr=False)


def main() -> None:
    """
    Print the tables.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--access", action="store_true")
    options = parser.parse_args()
    print(f"kernels: {kernels.NAME}; av {av.__version__}; {options.frames} frames")
    if options.access:
        windows(options.frames * 2)
        moments()
        return
    for size in SIZES:
        for name in ("pal9", "city20"):
            for crf in (18, 23):
                if options.only in f"{size} {name} {crf}":
                    table(clip_of(size, name, crf, options.frames), options)


def table(clip: Clip, options: argparse.Namespace) -> None:
    """
    Measure all rows on one clip.
    """
    times: dict[str, list[tuple[float, float]]] = {}
    wrong: dict[str, float | None] = {}
    for _ in range(options.runs):
        for name, row in rows().items():
            slow = "NumPy" in name
            if slow and name in times:
                continue
            frames = COMPARED if slow else options.frames
            cpu, wall = time.process_time(), time.perf_counter()
            found = [
                None if labels is None or place >= COMPARED else labels
                for place, labels in enumerate(row(clip, frames))
            ]
            cpu = (time.process_time() - cpu) * 1000 / len(found)
            wall = (time.perf_counter() - wall) * 1000 / len(found)
            times.setdefault(name, []).append((cpu, wall))
            wrong[name] = error(found, clip)
    base_cpu, base_wall = best(times["PyAV decoding"])
    print(f"\n{clip.name}")
    print(f"{'':34s} {'CPU ms':>8s} {'ratio':>6s} {'wall ms':>8s} {'ratio':>6s}  wrong")
    for name, measured in times.items():
        cpu, wall = best(measured)
        share = wrong[name]
        print(
            f"{name:34s} {cpu:8.2f} {cpu / base_cpu:6.2f} {wall:8.2f} "
            f"{wall / base_wall:6.2f}  {'' if share is None else f'{share:.3f} %'}",
            flush=True,
        )


def best(measured: list[tuple[float, float]]) -> tuple[float, float]:
    """
    The smallest CPU and the smallest wall time.
    """
    return min(cpu for cpu, _ in measured), min(wall for _, wall in measured)


def error(found: list[Labels | None], clip: Clip) -> float | None:
    """
    The share of wrong pixels among the frames compared, in percent.
    """
    pairs = [
        (labels != truth).mean()
        for labels, truth in zip(found, clip.truth, strict=False)
        if labels is not None
    ]
    return 100 * float(np.mean(pairs)) if pairs else None


def rows() -> dict[str, Row]:
    """
    What is measured.
    """
    found: dict[str, Row] = {
        "PyAV decoding": pyav,
        "+ to_ndarray('rgb24')": pyav_rgb,
        "+ 24-bit look-up": pyav_table,
    }
    for module, row in (
        ("cv2", opencv),
        ("decord", decord),
        ("torchcodec", torchcodec),
    ):
        try:
            importlib.import_module(module)
        except (ImportError, OSError, RuntimeError):
            continue
        found[f"{module} + 24-bit look-up"] = row
    for mode in ("full", "fast", "nearest"):
        found[f"framekit {mode}"] = partial(framekit, mode=mode)
    found["framekit full, decoding ahead"] = partial(framekit, mode="full", early=True)
    found["framekit full, NumPy"] = framekit_numpy
    return found


def pyav(clip: Clip, frames: int) -> Iterator[None]:
    """
    Decode and do nothing.
    """
    for _ in decoded(clip, frames):
        yield None


def pyav_rgb(clip: Clip, frames: int) -> Iterator[None]:
    """
    Decode to RGB.
    """
    for frame in decoded(clip, frames):
        frame.to_ndarray(format="rgb24")
        yield None


def pyav_table(clip: Clip, frames: int) -> Iterator[Labels]:
    """
    Decode to RGB, take the nearest color's label.
    """
    lookup = nearest_colors(clip.colors)
    for frame in decoded(clip, frames):
        yield looked_up(frame.to_ndarray(format="rgb24"), lookup)


def decoded(clip: Clip, frames: int) -> Iterator[Any]:
    """
    Frames by one thread of PyAV.
    """
    with av.open(str(clip.path), "r") as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for number, frame in enumerate(container.decode(stream)):
            if number == frames:
                return
            yield frame


def opencv(clip: Clip, frames: int) -> Iterator[Labels]:
    """
    cv2.VideoCapture, with its own threads.
    """
    cv2 = importlib.import_module("cv2")
    lookup = nearest_colors(clip.colors)
    capture = cv2.VideoCapture(str(clip.path))
    for _ in range(frames):
        _, image = capture.read()
        yield looked_up(image[..., ::-1], lookup)
    capture.release()


def decord(clip: Clip, frames: int) -> Iterator[Labels]:
    """
    decord.VideoReader with one thread.
    """
    module = importlib.import_module("decord")
    lookup = nearest_colors(clip.colors)
    reader = module.VideoReader(str(clip.path), num_threads=1)
    for number in range(frames):
        yield looked_up(reader[number].asnumpy(), lookup)


def torchcodec(clip: Clip, frames: int) -> Iterator[Labels]:
    """
    torchcodec.decoders.VideoDecoder with one thread.
    """
    module = importlib.import_module("torchcodec.decoders")
    lookup = nearest_colors(clip.colors)
    decoder = module.VideoDecoder(str(clip.path), dimension_order="NHWC")
    for number in range(frames):
        yield looked_up(decoder[number].numpy(), lookup)


def framekit(
    clip: Clip, frames: int, *, mode: Any, early: bool = False
) -> Iterator[Labels]:
    """
    MaskVideo, on one thread or decoding ahead.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead, "_LARGE", 1 if early else 1 << 60)
        with MaskVideo(clip.path, clip.palette, mode=mode) as video:
            for item in video:
                yield np.asarray(item.label_map.ids)
                if item.index + 1 == frames:
                    return


def framekit_numpy(clip: Clip, frames: int) -> Iterator[Labels]:
    """
    MaskVideo without the compiled kernels.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NATIVE", None)
        yield from framekit(clip, frames, mode="full")


@lru_cache(maxsize=1)
def nearest_colors(colors: scenes.Colors) -> NDArray[np.uint8]:
    """
    The nearest label of each 24-bit color.
    """
    found = np.empty(1 << 24, np.uint8)
    targets = np.array(colors, np.float32)
    steps = np.arange(256, dtype=np.float32)
    g, b = np.meshgrid(steps, steps, indexing="ij")
    for red in range(256):
        squares = (red - targets[:, 0, None, None]) ** 2
        squares = squares + (g - targets[:, 1, None, None]) ** 2
        squares = squares + (b - targets[:, 2, None, None]) ** 2
        found[red << 16 : (red + 1) << 16] = squares.argmin(0).reshape(-1)
    return found


def looked_up(rgb: NDArray[Any], table: NDArray[np.uint8]) -> Labels:
    """
    RGB by table.
    """
    keys = rgb[..., 0].astype(np.uint32) << 16
    keys |= rgb[..., 1].astype(np.uint32) << 8
    keys |= rgb[..., 2]
    return np.take(table, keys)


def clip_of(size: str, name: str, crf: int, frames: int) -> Clip:
    """
    A clip of moving shapes, made once.
    """
    colors = scenes.PALETTES[name]
    width, height = SIZES[size]
    make = partial(scenes.shapes, len(colors), width=width, height=height, seed=11)
    folder = Path(tempfile.gettempdir()) / "framekit-bench"
    code = hashlib.sha256(Path(scenes.__file__).read_bytes()).hexdigest()[:8]
    path = folder / f"{size}-{name}-{crf}-{frames}-{code}.mp4"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        pictures = (paint(ids, colors) for ids in make(frames=frames))
        clip = encode(pictures, "libx264", "yuv420p", options={"crf": str(crf)})
        path.write_bytes(clip)
    truth = list(make(frames=COMPARED))
    label = f"{size} {name} CRF {crf}"
    return Clip(label, path, colors, truth, scenes.palette_of(colors))


def windows(frames: int) -> None:
    """
    All frames of a video through decode_frames, against one pass over it.
    """
    clip = clip_of("640x360", "pal9", 23, frames)
    index = MaskVideo(clip.path, clip.palette).index
    times = [int(index.timestamp(number)) for number in range(frames)]
    documents = [document(clip, time) for time in times]

    def one_pass() -> int:
        return sum(1 for _ in MaskVideo(clip.path, clip.palette))

    def by_frames() -> int:
        return sum(
            item.label_map is not None
            for item in decode_frames(documents, palette=clip.palette)
        )

    report(f"{frames} frames of one video", one_pass, by_frames)


def moments() -> None:
    """
    100 random moments of a long video at once, against one opening for each.
    """
    clip = clip_of("640x360", "pal9", 23, 600)
    path = clip.path.with_name("long.mp4")
    if not path.exists():
        lengthen(clip.path, path, times=30)
    rng = np.random.default_rng(1)
    wanted = [float(n) for n in rng.uniform(0, 600 * 30 * 1000 / 30, 100)]

    def one_by_one() -> int:
        return sum(
            MaskVideo(path, clip.palette).at(moment) is not None for moment in wanted
        )

    def together() -> int:
        return len(MaskVideo(path, clip.palette).at_many(wanted))

    print(f"{len(MaskVideo(path, clip.palette))} frames in {path.name}")
    report("100 random moments", one_by_one, together, runs=1)


def report(
    name: str, first: Callable[[], int], second: Callable[[], int], *, runs: int = 3
) -> None:
    """
    Print the CPU time of both, and the ratio.
    """
    found: list[list[float]] = [[], []]
    for _ in range(runs):
        for place, work in enumerate((first, second)):
            cpu = time.process_time()
            count = work()
            found[place].append(time.process_time() - cpu)
    one, other = map(min, found)
    print(
        f"{name}: {first.__name__} {one:.3f} s, {second.__name__} {other:.3f} s, "
        f"{other / one:.2f}x ({count})"
    )


def document(clip: Clip, timestamp: int) -> SingleFrame:
    """
    A frame whose mask is a moment of *clip*.
    """
    mask = Mask(
        id="seg", uri=str(clip.path), content_type="video/mp4", timestamp=timestamp
    )
    return SingleFrame(sources=[Source(id="front", uri=str(clip.path), masks=[mask])])


def lengthen(source: Path, target: Path, *, times: int) -> None:
    """
    The packets of *source* again and again.
    """
    with av.open(str(target), "w") as output:
        copy: Any = None
        shift = 0
        for _ in range(times):
            with av.open(str(source), "r") as container:
                stream = container.streams.video[0]
                copy = copy or output.add_stream_from_template(stream)
                last = 0
                for packet in container.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue
                    last = max(last, packet.pts + (packet.duration or 0))
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = copy
                    output.mux(packet)
                shift += last


if __name__ == "__main__":
    main()
