"""
The folders that PASCAL VOC and CVAT share: classes and objects as PNG files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from framekit.color import RGB
from framekit.errors import DocumentError
from framekit.formats.collection import Collection
from framekit.formats.input import first_folder, one_by_one, unmatched
from framekit.formats.item import Item
from framekit.formats.picture import Picture, pictures_in
from framekit.palette import Palette
from framekit.problem import Problem, Severity
from framekit.segments import Instance
from framekit.segments.runs import runs_of
from framekit.segments.segmenting import looked_up, regions_of

__all__ = [
    "CLASSES",
    "IMAGES",
    "LISTS",
    "OBJECTS",
    "Files",
    "files_in",
    "objects_of",
    "picture_of",
    "read_layout",
    "voc_color",
]

CLASSES: Final = "SegmentationClass"
OBJECTS: Final = "SegmentationObject"
IMAGES: Final = "JPEGImages"
LISTS: Final = "ImageSets/Segmentation"

_PICTURES: Final = (IMAGES, "Images", "images")


@frozen
class Files:
    """
    The files of one image.
    """

    name: str
    classes: Path
    objects: Path | None
    picture: Path | None


def voc_color(number: int) -> RGB:
    """
    VOC's color map: bit 3k + c of a number is bit 7 - k of channel c.
    """
    red, green, blue = (
        sum((number >> 3 * k + channel & 1) << 7 - k for k in range(8))
        for channel in range(3)
    )
    return red & 255, green & 255, blue & 255


def files_in(root: Path) -> tuple[list[Files], tuple[Problem, ...]]:
    """
    The images of a folder in VOC's layout, and what has no counterpart.
    """
    classes = pictures_in(root / CLASSES)
    objects = pictures_in(root / OBJECTS)
    folder = first_folder(root, _PICTURES)
    pictures = {} if folder is None else pictures_in(folder)
    listed = listed_names(root)
    names = [name for name in classes if listed is None or name in listed]
    found = [
        Files(name, classes[name], objects.get(name), pictures.get(name))
        for name in names
    ]
    problems = unmatched(
        "mask-without-classes",
        sorted(set(objects) - set(classes)),
        f"is in {OBJECTS} and not in {CLASSES}; left out",
    )
    absent = sorted(set(listed or ()) - set(classes))
    problems += unmatched("image-without-mask", absent, f"is listed in {LISTS} only")
    if pictures:
        missing = [name for name in names if name not in pictures]
        problems += unmatched("mask-without-image", missing, "there is no image")
    if objects:
        missing = [name for name in names if name not in objects]
        problems += unmatched(
            "mask-without-objects", missing, f"is in {CLASSES} and not in {OBJECTS}"
        )
    return found, tuple(problems)


def listed_names(root: Path) -> dict[str, None] | None:
    """
    The names in the lists of images; None if there are no lists.
    """
    lists = sorted((root / LISTS).glob("*.txt"))
    if not lists:
        return None
    found: dict[str, None] = {}
    for path in lists:
        text = path.read_text("utf-8", "replace")
        found.update(dict.fromkeys(line.strip() for line in text.splitlines()))
    found.pop("", None)
    return found


def read_layout(
    root: Path,
    *,
    format: str,
    classes: Palette,
    read: Callable[[Files], Item],
    problems: Iterable[Problem] = (),
) -> Collection:
    """
    The collection in the folder *root*, each image of which *read* reads.
    """
    found, more = files_in(root)
    return Collection(
        name=root.absolute().name,
        format=format,
        classes=classes,
        batches=one_by_one(read, [(one.name, one) for one in found]),
        count=len(found),
        problems=(*problems, *more),
    )


def objects_of(
    item: Item,
    numbers: NDArray[Any],
    none: frozenset[int],
    classes: Palette,
    ids: Mapping[int, int] | None = None,
) -> Item:
    """
    *item*, which has labels, with the objects of a map of *numbers*.

    The class of an object is that of its pixels; where it has several, of most, and
    a problem says so.

    Args:
        numbers: (H, W): a value for each object.
        none: The values that are no objects.
        ids: What objects are called, by value; by default the value.

    Raises:
        DocumentError: If the two maps have different sizes.
    """
    labels = item.labels
    assert labels is not None  # noqa: S101 - read before the objects are
    if numbers.shape != labels.shape:
        reason = f"objects are {numbers.shape}, classes are {labels.shape}"
        raise DocumentError("$", reason, "mask-size-mismatch")
    values = [v for v in np.unique(runs_of(numbers).values).tolist() if v not in none]
    places = {value: n for n, value in enumerate(values)}
    runs = runs_of(numbers, labels)
    place = looked_up(runs.values.astype(np.int64), places).astype(np.int64)
    regions = regions_of(runs, place, len(values))
    label = labels.reshape(-1)[runs.starts] if len(runs.starts) else runs.starts
    objects = []
    problems = list(item.problems)
    for n, region in enumerate(regions):
        if region is None:
            continue
        mine = place == n
        counts: dict[int, int] = {}
        for id, length in zip(label[mine], runs.lengths[mine], strict=True):
            counts[int(id)] = counts.get(int(id), 0) + int(length)
        found = max(counts, key=lambda one: (one >= 0, counts[one], -one))
        if found < 0:
            message = f"object {values[n]} is void everywhere; left out"
            problems.append(_conflict(item, message, region.area))
            continue
        if len(counts) > 1:
            rest = region.area - counts[found]
            message = (
                f"object {values[n]} is of {len(counts)} classes; of "
                f"{classes[found].name} are all but {rest} pixels"
            )
            problems.append(_conflict(item, message, rest))
        entry = classes[found]
        objects.append(
            Instance(
                id=values[n] if ids is None else ids[values[n]],
                labels=entry.labels,
                region=region,
                class_id=found,
                thing=entry.thing,
            )
        )
    return evolve(item, objects=tuple(objects), problems=tuple(problems))


def picture_of(path: Path | None, name: str) -> Picture:
    """
    The picture at *path*; one that is not there if there is none.
    """
    return Picture(name, exists=False) if path is None else Picture.of_file(path)


def _conflict(item: Item, message: str, count: int) -> Problem:
    return Problem(
        "object-of-several-classes",
        Severity.WARNING,
        message,
        document=item.name,
        frame=item.name,
        count=count,
    )
