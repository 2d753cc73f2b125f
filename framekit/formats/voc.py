"""
PASCAL VOC segmentation: palette PNG files whose indices are classes and objects.

``SegmentationClass`` has the class of each pixel, ``SegmentationObject`` the number
of its object from 1, 0 for none; 255 is void in both.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from framekit.decoding.image.header import read_image_header
from framekit.errors import FramekitError
from framekit.formats.collection import Collection
from framekit.formats.input import dropped_values
from framekit.formats.item import Item
from framekit.formats.mask_files import classes_of_values, read_values
from framekit.formats.output import OutputFolder
from framekit.formats.sniffing import some_files
from framekit.formats.voc_layout import (
    CLASSES,
    Files,
    objects_of,
    picture_of,
    read_layout,
    voc_color,
)
from framekit.formats.voc_writing import VocWriter
from framekit.palette import VOID, Palette

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = (
    "Where objects overlap, only the highest is kept; the pixels are counted.",
    "Colors become those of VOC's color map; several labels become one name.",
    "Confidence, metadata and crowds are lost; ids beyond 254 are given anew.",
    "Annotations/*.xml, which has boxes and no masks, is not read or written.",
)

_VOID_VALUE: Final = 255


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    if not (path / CLASSES).is_dir():
        return 0.0
    for file in some_files(path / CLASSES, "*.png")[:3]:
        try:
            mode = read_image_header(file).mode
        except FramekitError:
            continue
        return 0.95 if mode in ("palette", "gray") else 0.3
    return 0.3


def read(path: Path, *, palette: Palette | None = None) -> Collection:
    """
    Read a folder in VOC's layout.

    Args:
        palette: What pixel values stand for; by default ``labelmap.txt`` in the
            order of its lines, else the 21 classes of VOC.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If ``labelmap.txt`` is not what it should be.
    """
    classes = palette or _classes_in(path)
    ids = {_VOID_VALUE: VOID, **classes.ids_by_index}
    return read_layout(
        path,
        format="voc",
        classes=classes,
        read=partial(_read_item, _Source(classes, ids)),
    )


@frozen(eq=False)
class _Source:
    """
    What the items of a folder have in common.
    """

    classes: Palette
    ids: dict[int, int]


def _classes_in(path: Path) -> Palette:
    file = path / "labelmap.txt"
    if not file.is_file():
        return Palette.known("voc")
    # By index: the colors are those of VOC's color map.
    entries = Palette.load(file, format="labelmap", shared="first")
    numbers = {voc_color(n): n for n in range(256)}
    found = []
    for n, entry in enumerate(entries):
        index = numbers.get(entry.color or (-1, -1, -1), n)
        if entry.name == "void" and index == _VOID_VALUE:
            found.append(evolve(entry, id=None, index=index, void=True))
            continue
        thing = entry.thing if index else False
        found.append(evolve(entry, id=index, index=index, thing=thing))
    return Palette(found, shared="first")


def _read_item(source: _Source, files: Files) -> Item:
    values = read_values(files.classes)
    labels, unknown = classes_of_values(values, source.ids)
    item = Item(
        name=files.name,
        shape=(labels.shape[0], labels.shape[1]),
        labels=labels,
        picture=picture_of(files.picture, f"{files.name}.jpg"),
    )
    if unknown:
        found = dropped_values(item.name, unknown, "values without a class")
        item = evolve(item, problems=(found,))
    if files.objects is None:
        return item
    numbers = read_values(files.objects)
    return objects_of(item, numbers, frozenset({0, _VOID_VALUE}), source.classes)


def writer(path: Path, collection: Collection) -> VocWriter:
    """
    What writes *collection* to the folder *path*.

    Raises:
        ArgumentError: If the folder is not empty.
        PaletteError: If there are more than 255 classes.
    """
    folder = OutputFolder(path)
    return VocWriter(folder, collection, kind="palette", list_name="trainval")
