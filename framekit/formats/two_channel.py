"""
Two-channel panoptic PNG files: red is the class, green the instance, blue 0.

``categories.json`` says what the classes are, as COCO's tables do. Black is void. The
instances of things count from 0 or from 1; framekit writes them from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen

from framekit.decoding.image.header import read_image_header
from framekit.errors import DecodeError, FramekitError, PaletteError
from framekit.formats.coco_tables import categories_of, classes_of_categories
from framekit.formats.collection import Collection
from framekit.formats.input import array_of, dropped_values, one_by_one, read_json
from framekit.formats.item import Item
from framekit.formats.mask_files import read_values, write_png
from framekit.formats.output import OutputFolder
from framekit.formats.pairs import channels_of, item_from_pairs
from framekit.formats.picture import pictures_in
from framekit.formats.segments_of_item import segmented
from framekit.formats.sniffing import some_files
from framekit.formats.voc_layout import picture_of
from framekit.formats.writer import Added
from framekit.palette import Palette
from framekit.problem import Problem

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = (
    "Where objects overlap, only the highest is kept; the pixels are counted.",
    (
        "Objects are numbered anew within their class; confidence, metadata and crowds "
        "are lost."
    ),
    "Up to 255 classes and 255 objects of a class in an image; panoptic-npz has room.",
    "Classes that nobody called things, and that have no objects, are stuff.",
    "Class ids are one higher where one of them is 0, since black is void.",
)

_TABLE: Final = "categories.json"

#: Where the table may be, in the folder of the masks or the one above it.
_TABLES: Final = (_TABLE, "panoptic_coco_categories.json")

_IMAGES: Final = "images"


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    masks = [
        file
        for file in some_files(path, "*.png")
        if file.relative_to(path).parts[0] != _IMAGES
    ]
    for file in masks[:2]:
        try:
            if read_image_header(file).mode != "rgb":
                return 0.0
            values = read_values(file)
        except FramekitError:
            return 0.0
        if int(values.max(initial=0)) > 0xFFFF:
            return 0.0
    if not masks:
        return 0.0
    return 0.9 if _table_of(path) is not None else 0.2


def _table_of(path: Path) -> Path | None:
    places = [folder / name for folder in (path, path.parent) for name in _TABLES]
    return next((place for place in places if place.is_file()), None)


@frozen(eq=False)
class _Source:
    """
    What the items of a folder have in common.
    """

    classes: Palette
    pictures: dict[str, Path]


def read(path: Path, *, categories: Path | None = None) -> Collection:
    """
    Read a folder of such PNG files.

    Args:
        categories: The table of classes; by default ``categories.json`` or
            ``panoptic_coco_categories.json`` in the folder or above it.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If the table is not what it should be.
    """
    table = categories or _table_of(path) or path / _TABLE
    document = read_json(table)
    if isinstance(document, list):
        document = {"categories": document}
    listed = array_of(document, "categories", table.name, ("id", "name"))
    classes = classes_of_categories(listed, table.name)
    masks = {
        name: file
        for name, file in pictures_in(path).items()
        if not name.startswith(f"{_IMAGES}/")
    }
    source = _Source(classes, pictures_in(path / _IMAGES))
    return Collection(
        name=path.absolute().name,
        format="two-channel",
        classes=classes,
        batches=one_by_one(
            partial(_read_item, source),
            [(name, (name, file)) for name, file in masks.items()],
        ),
        count=len(masks),
    )


def _read_item(source: _Source, key: tuple[str, Path]) -> Item:
    name, file = key
    values = read_values(file)
    if int(values.max(initial=0)) > 0xFFFF:
        raise DecodeError(f"{file.name}: blue is not 0, so these are no two channels")
    labels = (values & 255).astype(np.int32)
    numbers = (values >> 8).astype(np.int32)
    labels[values == 0] = -1
    ids = {entry.id: entry.id for entry in source.classes if entry.id is not None}
    item, unknown = item_from_pairs(name, labels, numbers, source.classes, ids, first=0)
    item = evolve(item, picture=picture_of(source.pictures.get(name), f"{name}.jpg"))
    if unknown:
        found = dropped_values(name, unknown, "classes that the table lacks")
        item = evolve(item, problems=(*item.problems, found))
    return item


class _Writer:
    """
    Writes the masks, ``images/`` and ``categories.json``.
    """

    def __init__(self, folder: OutputFolder, collection: Collection) -> None:
        self._folder = folder
        self._classes = collection.classes
        _, self._ids = categories_of(collection.classes, panoptic=True)
        largest = max(self._ids.values(), default=0)
        if largest > 255:
            reason = (
                f"class id {largest} does not fit a byte; panoptic-npz has room for it"
            )
            raise PaletteError(reason)

    def add(self, item: Item) -> Added:
        name = self._folder.claim(item)
        found = segmented(item, self._classes)
        labels, numbers = channels_of(found, self._ids, 0)
        most = int(numbers.max(initial=0))
        if most > 255:
            reason = f"{most} objects of a class do not fit a byte; use panoptic-npz"
            raise PaletteError(reason)
        rgb = np.zeros((*labels.shape, 3), np.uint8)
        rgb[:, :, 0], rgb[:, :, 1] = labels, numbers
        write_png(self._folder.path / f"{name}.png", rgb)
        if item.picture is not None and item.picture.exists:
            item.picture.save(self._folder.path / _IMAGES / name)
        return Added(found.things, found.item.problems)

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        things = frozenset().union(*records)
        categories, _ = categories_of(self._classes, panoptic=True, things=things)
        self._folder.write_json(_TABLE, categories)
        return ()


def writer(path: Path, collection: Collection) -> _Writer:
    """
    What writes *collection* to the folder *path*.

    Raises:
        ArgumentError: If the folder is not empty.
        PaletteError: If a class id does not fit a byte.
    """
    return _Writer(OutputFolder(path), collection)
