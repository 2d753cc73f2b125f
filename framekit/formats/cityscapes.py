"""
Cityscapes: label ids, 16-bit instance ids, colors, and their panoptic form.

``labelIds`` has the class of each pixel. ``instanceIds`` has class * 1000 + number for
objects; a plain class of a kind that has instances stands for several objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from framekit.formats.cityscapes_writing import TABLE, CityscapesWriter
from framekit.formats.classes import entries_with_ids
from framekit.formats.collection import Collection
from framekit.formats.input import dropped_values, one_by_one, read_json, unmatched
from framekit.formats.item import Item
from framekit.formats.mask_files import classes_of_values, read_values
from framekit.formats.output import OutputFolder
from framekit.formats.picture import Picture
from framekit.formats.sniffing import some_files
from framekit.palette import Palette
from framekit.problem import Problem, Severity
from framekit.segments import Instance
from framekit.segments.runs import runs_of
from framekit.segments.segmenting import looked_up, regions_of

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = (
    "Where objects overlap, only the highest is kept; the pixels are counted.",
    "Void pixels become 'unlabeled', id 0, and are read so.",
    (
        "Ids of objects that are no class * 1000 + number are given anew, up to 1,000 "
        "a class; confidence and metadata are lost."
    ),
    "Pixels of a kind that has instances and of none of them become a crowd.",
    "Objects of labels beyond 65 do not fit 16 bits: such images are refused.",
    (
        "Labels that Cityscapes does not have need labels.json, which its tools do "
        "not read."
    ),
    (
        "*_polygons.json is not read or written; of masks by color alone, labels that "
        "share a color are the first of them."
    ),
)

_KINDS: Final = ("labelIds", "instanceIds", "color")
_CROWD_BELOW: Final = 1000


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    if some_files(path, "*_gt*_labelIds.png")[:1]:
        return 0.98
    return 0.6 if some_files(path, "*_gt*_color.png")[:1] else 0.0


@frozen
class _Files:
    """
    The files of one image.
    """

    name: str
    labels: Path | None
    instances: Path | None
    color: Path | None
    picture: Picture


@frozen(eq=False)
class _Source:
    """
    What the items of a folder have in common.
    """

    classes: Palette
    ids: Mapping[int, int]
    colors: Mapping[int, int]


def read(path: Path, *, palette: Palette | None = None) -> Collection:
    """
    Read the masks below the folder *path*, such as Cityscapes' own.

    Args:
        palette: In place of ``labels.json``, or of Cityscapes' 35 labels.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If ``labels.json`` is not what it should be.
    """
    classes = palette or _classes_in(path)
    found = _files_in(path)
    colors = {
        (c[0] << 16 | c[1] << 8 | c[2]): id for c, id in classes.ids_by_color.items()
    }
    source = _Source(classes, classes.ids_by_index, colors)
    without = [files.name for files in found if not files.picture.exists]
    problems: list[Problem] = []
    if len(without) < len(found):
        problems = unmatched("mask-without-image", without, "there is no image")
    return Collection(
        name=path.absolute().name,
        format="cityscapes",
        classes=classes,
        batches=one_by_one(
            partial(_read_item, source), [(files.name, files) for files in found]
        ),
        count=len(found),
        problems=tuple(problems),
    )


def _classes_in(path: Path) -> Palette:
    table = path / TABLE
    if not table.is_file():
        return Palette.known("cityscapes")
    document = read_json(table)
    if isinstance(document, list):
        # Labels without a pixel value, such as Cityscapes' license plate, id -1.
        document = [
            one
            for one in document
            if not (isinstance(one, dict) and _is_negative(one.get("id")))
        ]
    return Palette.from_dict(document, shared="first").indexed_by_id()


def _is_negative(value: Any) -> bool:
    return isinstance(value, int) and value < 0


def _files_in(path: Path) -> list[_Files]:
    by_name: dict[str, dict[str, Path]] = {}
    for kind in _KINDS:
        for file in path.rglob(f"*_{kind}.png"):
            stem, _, gt = file.name.removesuffix(f"_{kind}.png").rpartition("_")
            if gt.startswith("gt") and stem:
                folders = file.relative_to(path).parent.parts
                if folders and folders[0].startswith("gt"):
                    folders = folders[1:]
                name = "/".join((*folders, stem))
                by_name.setdefault(name, {})[kind] = file
    pictures = {file.name: file for file in path.rglob("*_leftImg8bit.png")}
    found = []
    for name, kinds in sorted(by_name.items()):
        file_name = f"{PurePosixPath(name).name}_leftImg8bit.png"
        at = pictures.get(file_name)
        picture = (
            Picture(file_name, exists=False) if at is None else Picture.of_file(at)
        )
        labels, instances, color = (kinds.get(kind) for kind in _KINDS)
        found.append(_Files(name, labels, instances, color, picture))
    return found


def _read_item(source: _Source, files: _Files) -> Item:
    numbers = None
    if files.instances is not None:
        numbers = read_values(files.instances)
    if files.labels is not None:
        values = read_values(files.labels)
        labels, unknown = classes_of_values(values, dict(source.ids))
    elif numbers is not None:
        values = np.where(numbers < _CROWD_BELOW, numbers, numbers // _CROWD_BELOW)
        labels, unknown = classes_of_values(values, dict(source.ids))
    else:
        assert files.color is not None  # noqa: S101 - one of the three is there
        values = read_values(files.color, color=True)
        labels, unknown = classes_of_values(values, dict(source.colors))
    item = Item(
        name=files.name,
        shape=(labels.shape[0], labels.shape[1]),
        labels=labels,
        picture=files.picture,
    )
    if unknown:
        found = dropped_values(item.name, unknown, "values without a label")
        item = evolve(item, problems=(found,))
    if numbers is None:
        return item
    if numbers.shape != item.shape:
        message = f"instanceIds are {numbers.shape}, labelIds are {item.shape}"
        return evolve(item, problems=(*item.problems, _conflict(item, message)))
    return _with_objects(item, numbers, source)


def _with_objects(item: Item, numbers: NDArray[np.uint32], source: _Source) -> Item:
    labels = item.labels
    assert labels is not None  # noqa: S101 - read before the objects are
    runs = runs_of(numbers, labels)
    values = runs.values.astype(np.int64)
    kinds = np.where(values < _CROWD_BELOW, values, values // _CROWD_BELOW)
    classes = looked_up(kinds, dict(source.ids))
    own = labels.reshape(-1)[runs.starts]
    wrong = int(runs.lengths[classes != own].sum())
    if wrong:
        message = f"instanceIds and labelIds disagree on {wrong} pixels; labelIds count"
        found = _conflict(item, message, count=wrong)
        item = evolve(item, problems=(*item.problems, found))
    things = {
        id: -1 if entry.thing is not True else id
        for id, entry in entries_with_ids(source.classes)
    }
    told = (values >= _CROWD_BELOW) | (looked_up(classes, things) >= 0)
    kept = told & (classes >= 0) & (classes == own)
    present = np.unique(values[kept]).tolist()
    places = {value: n for n, value in enumerate(present)}
    place = np.where(kept, looked_up(values, places), -1).astype(np.int64)
    objects = []
    regions = regions_of(runs, place, len(present))
    for value, region in zip(present, regions, strict=True):
        if region is None:
            continue
        crowd = value < _CROWD_BELOW
        id = source.ids[value if crowd else value // _CROWD_BELOW]
        entry = source.classes[id]
        objects.append(
            Instance(
                id=value,
                labels=entry.labels,
                region=region,
                class_id=id,
                thing=entry.thing,
                crowd=crowd,
            )
        )
    return evolve(item, objects=tuple(objects))


def _conflict(item: Item, message: str, *, count: int | None = None) -> Problem:
    return Problem(
        "instance-of-other-label",
        Severity.ERROR,
        message,
        document=item.name,
        frame=item.name,
        count=count,
    )


def writer(path: Path, collection: Collection) -> CityscapesWriter:
    """
    What writes *collection* to the folder *path*.

    Raises:
        ArgumentError: If the folder is not empty.
        PaletteError: If there are more than 255 classes.
    """
    return CityscapesWriter(OutputFolder(path), collection)
