"""
Wrong pixels of lossy mask videos, in percent, by each way to label them.

    python -m tests.benchmarks.bench_accuracy [--every 2] [--only TEXT]

Columns: the nearest color in the planes, the float prototype of the repair
(``../shared/reference_repair.py`` beside the checkout, if it is there), framekit's
``full``, ``fast``, and ``full`` in NumPy; then of ``full`` the invented labels (that
do not occur within 5 x 5 pixels), the uncertain pixels, how many of the wrong ones
are among these, and what is wrong without them.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from framekit.decoding import kernels
from framekit.decoding.color.colorspace import SCALE, centroids_of
from framekit.decoding.video.mask_video import MaskVideo
from framekit.palette import Palette
from tests import scenes
from tests.clips import planes_in
from tests.test_video_accuracy import CRF, occurs_nearby

SAMPLE = Path(__file__).parents[2] / "samples" / "crossing"
PROTOTYPE = Path(__file__).parents[3] / "shared" / "reference_repair.py"

#: Kind of scene, palette, seed.
DRAWN = (
    ("shapes", "pal9", 1),
    ("shapes", "pal9", 2),
    ("shapes", "city20", 3),
    ("shapes", "voc21", 4),
    ("shapes", "rand50", 5),
    ("voronoi", "pal9", 6),
    ("voronoi", "city20", 7),
    ("thin", "pal9", 8),
    ("thin", "city20", 9),
)


@frozen
class Case:
    """
    A clip, and what it shows.
    """

    name: str
    clip: bytes
    truth: list[scenes.Ids]
    colors: scenes.Colors

    @property
    def palette(self) -> Palette:
        """
        Labels whose ids are positions among the colors.
        """
        return scenes.palette_of(self.colors)


def main() -> None:
    """
    Print the table.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    prototype = prototype_of(PROTOTYPE)
    print(f"kernels: {kernels.NAME}; every {options.every} frames; % of the pixels")
    print(
        f"{'':22s} {'nearest':>8s} {'protot.':>8s} {'full':>8s} {'fast':>8s} "
        f"{'NumPy':>8s} {'phantom':>8s} {'unsure':>7s} {'caught':>7s} {'left':>8s}"
    )
    for case in cases(options.only):
        measure(case, prototype, options.every)


def cases(only: str) -> Iterator[Case]:
    """
    The sample's lossy twin, real masks, and drawn scenes.
    """
    if only in "sample crf23":
        yield sample()
    if scenes.CAMVID.exists():
        maps, colors = scenes.camvid()
        for crf, arguments in CRF.items():
            if only in f"camvid {crf}":
                clip = scenes.film(maps, colors, **arguments)
                yield Case(f"camvid {crf}", clip, maps, colors)
    for kind, name, seed in DRAWN:
        colors = scenes.PALETTES[name]
        if not any(only in f"{kind} {name} {crf}" for crf in CRF):
            continue
        maps = scenes.draw(kind, len(colors), seed=seed, frames=12, size=(640, 360))
        for crf, arguments in CRF.items():
            if only in f"{kind} {name} {crf}":
                clip = scenes.film(maps, colors, **arguments)
                yield Case(f"{kind} {name} s{seed} {crf}", clip, maps, colors)


def sample() -> Case:
    """
    The sample's front masks, coded with losses.
    """
    clip = SAMPLE / "media" / "lossy" / "front_seg_crf23.mp4"
    files = sorted((SAMPLE / "truth" / "front_seg").glob("*.png"))
    truth = [np.asarray(Image.open(file)) for file in files]
    table = json.loads((SAMPLE / "truth" / "classes.json").read_bytes())
    colors = tuple(tuple(row["color"]) for row in table["front_seg"])
    return Case("sample crf23", clip.read_bytes(), truth, colors)


def measure(case: Case, prototype: Any, every: int) -> None:
    """
    Print one line.
    """
    full = labels_of(case, every, mode="full")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NATIVE", None)
        twin = labels_of(case, every, mode="full")
    wrong = [
        share(labels_of(case, every, mode="nearest"), case, every),
        share(list(prototyped(case, prototype, every)), case, every),
        share(full, case, every),
        share(labels_of(case, every, mode="fast"), case, every),
        share(twin, case, every),
    ]
    truth = case.truth[::every]
    unsure = unsure_of(case, every)
    bad = np.stack([f != t for f, t in zip(full, truth, strict=True)])
    nearby = [occurs_nearby(f, t) for f, t in zip(full, truth, strict=True)]
    shares = [
        100 * (1 - float(np.mean(nearby))),
        100 * float(unsure.mean()),
        100 * float((bad & unsure).sum() / max(int(bad.sum()), 1)),
        100 * float((bad & ~unsure).sum() / max(int((~unsure).sum()), 1)),
    ]
    columns = [" " * 8 if n is None else f"{n:8.4f}" for n in wrong]
    print(
        f"{case.name:22s}",
        *columns,
        f"{shares[0]:8.4f} {shares[1]:7.3f} {shares[2]:7.1f} {shares[3]:8.4f}",
        flush=True,
    )


def labels_of(case: Case, every: int, *, mode: Any) -> list[NDArray[Any]]:
    """
    The ids of every so many frames.
    """
    video = MaskVideo(io.BytesIO(case.clip), case.palette, mode=mode, uri=case.name)
    moments = [float(video.index.timestamp(n)) for n in range(0, len(video), every)]
    return [np.asarray(item.label_map.ids) for item in video.at_many(moments)]


def unsure_of(case: Case, every: int) -> NDArray[np.bool_]:
    """
    The uncertain pixels of the same frames.
    """
    video = MaskVideo(io.BytesIO(case.clip), case.palette, uri=case.name)
    moments = [float(video.index.timestamp(n)) for n in range(0, len(video), every)]
    maps = [item.label_map for item in video.at_many(moments)]
    return np.stack(
        [np.zeros(m.shape, bool) if m.uncertain is None else m.uncertain for m in maps]
    )


def share(found: list[NDArray[Any]], case: Case, every: int) -> float | None:
    """
    The wrong pixels of *found*, in percent; None if there is nothing.
    """
    if not found:
        return None
    pairs = zip(found, case.truth[::every], strict=True)
    return 100 * float(np.mean([(ids != true).mean() for ids, true in pairs]))


def prototype_of(path: Path) -> Any:
    """
    The module at *path*; None if it is not there.
    """
    if not path.exists():
        return None
    spec: Any = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prototyped(case: Case, prototype: Any, every: int) -> Iterator[NDArray[Any]]:
    """
    The labels that the prototype gives.
    """
    colors = np.array(case.colors, float)
    centroids = centroids_of(colors, "bt601", full_range=False) / SCALE
    for number, planes in enumerate(planes_in(case.clip)):
        if prototype is not None and number % every == 0:
            yield prototype.decode(*planes.channels, centroids)


if __name__ == "__main__":
    main()
