"""
Segments against what others do with them, 1080p, as ratios in one run, CPU time.

    python tests/benchmarks/bench_segments.py [--runs 9] [--case pq_case.npz]

Peers are measured where they can be imported: fiftyone, torchvision, cc3d, SciPy,
pycocotools, torchmetrics, and panopticapi (a checkout on PYTHONPATH). The map has 200
ellipses of 19 classes; the panoptic pair is the case, else the map moved by 3 pixels.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from framekit import segments as sg
from framekit.decoding.label_map import LabelMap
from framekit.decoding.report import DecodeReport
from framekit.palette import Palette, PaletteEntry

HEIGHT, WIDTH, OBJECTS, CLASSES = 1080, 1920, 200, 20

#: What it is, and how long it takes.
Row = tuple[str, Callable[[], Any]]


def main() -> None:
    """
    Print one table for each operation.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=9)
    shared = Path(__file__).parents[3] / "shared" / "data" / "pq_case.npz"
    parser.add_argument("--case", type=Path, default=shared)
    options = parser.parse_args()
    ids = drawn()
    label_map = LabelMap(ids, palette(), DecodeReport(exact=True))
    items = sg.instances(label_map)
    print(f"{len(items)} instances of {CLASSES - 1} classes, {WIDTH} x {HEIGHT}")
    print_table("Instances, with boxes and areas", options.runs, boxes(label_map))
    print_table("Instances, with masks", options.runs, masks(label_map))
    print_table("RLE of all instances", options.runs, rles(items))
    target, prediction = pair(options.case, ids)
    with tempfile.TemporaryDirectory() as folder:
        rows = qualities(target, prediction, Path(folder))
        print_table("Panoptic quality of a pair", options.runs, rows)
    one, other = target[..., 0].copy(), prediction[..., 0].copy()
    print_table("Pixel confusion of a pair", options.runs, confusions(one, other))
    print_table("Assignment of 200 x 200", options.runs, assignments())
    moved = LabelMap(np.roll(ids, 3, 1), label_map.palette, label_map.report)
    rows = iter([("framekit compare", lambda: sg.compare(label_map, moved))])
    print_table("Agreement of a pair", options.runs, rows)


def print_table(title: str, runs: int, rows: Iterator[Row]) -> None:
    """
    Print the median of some runs, and how often ours goes into it.
    """
    print(f"\n{title}\n\n| | ms | of ours |\n| --- | --- | --- |")
    ours = None
    for name, call in rows:
        try:
            taken = clock(call, runs)
        except ImportError as error:
            print(f"| {name} | not installed: {error.name} | |")
            continue
        ours = ours or taken
        print(f"| {name} | {taken * 1e3:.1f} | {taken / ours:.1f} |")


def clock(call: Callable[[], Any], runs: int) -> float:
    """
    The median CPU time of some runs, in seconds; fewer of what takes long.
    """
    call()
    taken: list[float] = []
    while len(taken) < runs and (len(taken) < 3 or sum(taken) < 5):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def drawn() -> NDArray[np.uint8]:
    """
    A map with ellipses on class 0.
    """
    random = np.random.default_rng(0)
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    for _ in range(OBJECTS):
        cy, cx = random.integers(0, HEIGHT), random.integers(0, WIDTH)
        ry, rx = random.integers(15, 70, 2)
        inside = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
        ids[inside] = random.integers(1, CLASSES)
    return ids


def palette() -> Palette:
    """
    Class 0 is stuff, all others are things.
    """
    return Palette.indexed(
        [
            PaletteEntry(index=index, labels=(f"class {index}",), thing=index > 0)
            for index in range(CLASSES)
        ]
    )


def pair(case: Path, ids: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any]]:
    """
    Two panoptic maps, (H, W, 2).
    """
    if case.exists():
        arrays = np.load(case)
        return arrays["t"][0], arrays["p"][0]
    numbers = sg.components(ids)[0].astype(np.uint8)
    target = np.stack([ids, numbers], axis=2)
    return target, np.roll(target, 3, 1)


def boxes(label_map: LabelMap) -> Iterator[Row]:
    """
    Who finds connected objects with their boxes.
    """
    ids = label_map.ids

    def ours() -> Any:
        return [(one.box, one.area) for one in sg.instances(label_map)]

    def cc3d() -> Any:
        module = importlib.import_module("cc3d")
        return module.statistics(module.connected_components(ids, connectivity=8))

    def scipy() -> Any:
        module = importlib.import_module("scipy.ndimage")
        found = []
        for value in range(1, CLASSES):
            numbers, count = module.label(ids == value, np.ones((3, 3)))
            found += module.find_objects(numbers, count)
        return found

    yield "framekit instances", ours
    yield "cc3d components + statistics", cc3d
    yield "scipy label + find_objects, each class", scipy


def masks(label_map: LabelMap) -> Iterator[Row]:
    """
    Who gives each object its mask.
    """
    ids = label_map.ids
    items = sg.instances(label_map)
    names = {value: f"class {value}" for value in range(CLASSES)}

    def ours() -> Any:
        return [one.mask for one in sg.instances(label_map)]

    def fiftyone() -> Any:
        labels = importlib.import_module("fiftyone.core.labels")
        types = dict.fromkeys(range(1, CLASSES), "thing")
        return labels.Segmentation(mask=ids).to_detections(
            mask_targets=names, mask_types=types
        )

    def torchvision() -> Any:
        torch = importlib.import_module("torch")
        ops = importlib.import_module("torchvision.ops")
        stack = np.stack([one.full_mask() for one in items])
        return ops.masks_to_boxes(torch.from_numpy(stack))

    yield "framekit instances + masks", ours
    yield "fiftyone to_detections", fiftyone
    yield "torchvision masks_to_boxes (boxes only)", torchvision


def rles(items: list[sg.Instance]) -> Iterator[Row]:
    """
    Who encodes masks as COCO's text.
    """
    stack = np.stack([one.full_mask().T for one in items])
    # In the order of columns, as pycocotools wants it.
    full = np.ascontiguousarray(stack).view(np.uint8).T

    def coco() -> Any:
        module = importlib.import_module("pycocotools.mask")
        return module.encode(full)

    yield "framekit rle", lambda: [sg.to_rle(fresh(one)) for one in items]
    yield "pycocotools encode (from full masks)", coco


def fresh(one: sg.Instance) -> sg.Region:
    """
    The same pixels, without what was computed before.
    """
    return sg.Region(one.region.shape, one.region.runs)


def qualities(
    target: NDArray[Any], prediction: NDArray[Any], folder: Path
) -> Iterator[Row]:
    """
    Who scores a panoptic pair.
    """
    things, stuff = set(range(10, CLASSES)), set(range(10))

    def ours() -> Any:
        return sg.panoptic_quality(target, prediction, things=things, stuff=stuff)

    def files() -> Any:
        views = [
            sg.Panoptic.from_channels(np.asarray(read(folder / name))[..., :2])
            for name in ("target.png", "prediction.png")
        ]
        return sg.panoptic_quality(*views, things=things, stuff=stuff)

    annotations = [
        written(folder / f"{name}.png", view)
        for name, view in (("target", target), ("prediction", prediction))
    ]
    categories = {id: {"id": id, "isthing": int(id in things)} for id in range(CLASSES)}

    def panopticapi() -> Any:
        module = importlib.import_module("panopticapi.evaluation")
        sides = tuple(copy.deepcopy(annotations))
        with contextlib.redirect_stdout(io.StringIO()):
            return module.pq_compute_single_core(
                0, [sides], str(folder), str(folder), categories
            )

    def torchmetrics() -> Any:
        torch = importlib.import_module("torch")
        module = importlib.import_module("torchmetrics.detection")
        metric = module.PanopticQuality(things=things, stuffs=stuff)
        views = [
            torch.from_numpy(view.astype(np.int64))[None]
            for view in (prediction, target)
        ]
        metric.update(*views)
        return metric.compute()

    yield "framekit panoptic_quality", ours
    yield "framekit, with both PNG files", files
    yield "panopticapi pq_compute_single_core (reads PNG)", panopticapi
    yield "torchmetrics PanopticQuality", torchmetrics


def read(path: Path) -> Image.Image:
    """
    An image with its pixels.
    """
    with Image.open(path) as image:
        image.load()
        return image


def written(path: Path, view: NDArray[Any]) -> dict[str, Any]:
    """
    Write [L, Z] as ids L + 256 Z + 65536, and describe them as COCO does.
    """
    pixels = np.dstack([view, np.ones(view.shape[:2], view.dtype)]).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    ids = pixels.astype(np.int64) @ [1, 256, 65536]
    segments = [
        {"id": id, "category_id": id % 256, "iscrowd": 0, "area": area}
        for id, area in zip(
            *(found.tolist() for found in np.unique(ids, return_counts=True)),
            strict=True,
        )
    ]
    return {"image_id": 1, "file_name": path.name, "segments_info": segments}


def confusions(one: NDArray[Any], other: NDArray[Any]) -> Iterator[Row]:
    """
    Who counts pixels by what they are and were called.
    """

    def bincount() -> Any:
        flat = one.ravel().astype(np.int64) * CLASSES + other.ravel()
        return np.bincount(flat, minlength=CLASSES**2)

    def fiftyone() -> Any:
        module = importlib.import_module("fiftyone.utils.eval.segmentation")
        values = list(range(CLASSES))
        return module._compute_pixel_confusion_matrix(other, one, values)

    classes = range(CLASSES)
    yield "framekit confusion", lambda: sg.confusion(one, other, classes=classes)
    yield "NumPy bincount", bincount
    yield "fiftyone pixel confusion", fiftyone


def assignments() -> Iterator[Row]:
    """
    Who pairs rows and columns.
    """
    module = importlib.import_module("framekit.segments.assignment")
    random = np.random.default_rng(0)
    weights = random.random((OBJECTS, OBJECTS))
    sparse = np.where(weights < 0.98, 0.0, weights)

    def scipy() -> Any:
        optimize = importlib.import_module("scipy.optimize")
        return optimize.linear_sum_assignment(weights, maximize=True)

    yield "framekit, all pairs overlap", lambda: module.assigned(weights)
    yield "framekit, 2 % do", lambda: module.assigned(sparse)
    yield "scipy linear_sum_assignment, all", scipy


if __name__ == "__main__":
    main()
