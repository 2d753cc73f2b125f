"""
CVAT's segmentation mask 1.1: RGB PNG files and ``labelmap.txt``.

``SegmentationClass`` has the colors of the table; in ``SegmentationObject`` each color
is an object, and black is none.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from attrs import evolve

from framekit.errors import FramekitError
from framekit.formats.classes import things_said
from framekit.formats.collection import Collection
from framekit.formats.input import dropped_values
from framekit.formats.item import Item
from framekit.formats.mask_files import classes_of_values, read_values
from framekit.formats.output import OutputFolder
from framekit.formats.voc_layout import (
    CLASSES,
    Files,
    objects_of,
    picture_of,
    read_layout,
    voc_color,
)
from framekit.formats.voc_writing import VocWriter
from framekit.palette import Palette

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = (
    "Where objects overlap, only the highest is kept; the pixels are counted.",
    "Several labels become one name; confidence, metadata and crowds are lost.",
    "Pixels that are void are a label of that name in labelmap.txt, read as void.",
    ("Ids of objects are given anew where they are no numbers from 1 to 254."),
)


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    if not (path / CLASSES).is_dir() or not (path / "labelmap.txt").is_file():
        return 0.0
    from framekit.decoding.image.header import read_image_header
    from framekit.formats.sniffing import some_files

    for file in some_files(path / CLASSES, "*.png")[:3]:
        try:
            mode = read_image_header(file).mode
        except FramekitError:
            continue
        return 0.97 if mode in ("rgb", "rgba") else 0.4
    return 0.5


def read(path: Path, *, palette: Palette | None = None) -> Collection:
    """
    Read a folder that CVAT exported.

    Args:
        palette: In place of ``labelmap.txt``.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If ``labelmap.txt`` is not what it should be.
        PaletteError: If it gives one color two labels.
    """
    classes = palette or Palette.load(path / "labelmap.txt", format="labelmap")
    classes = things_said(
        Palette(
            evolve(entry, id=None, void=True) if entry.name == "void" else entry
            for entry in classes
        )
    )
    return read_layout(
        path, format="cvat", classes=classes, read=partial(_read_item, classes)
    )


#: What CVAT calls the objects that it paints in each color, R << 16 | G << 8 | B.
_NUMBERS: Final = {
    (c[0] << 16 | c[1] << 8 | c[2]): n for n in range(256) for c in [voc_color(n)]
}


def _read_item(classes: Palette, files: Files) -> Item:
    ids = {
        (c[0] << 16 | c[1] << 8 | c[2]): id for c, id in classes.ids_by_color.items()
    }
    labels, unknown = classes_of_values(read_values(files.classes, color=True), ids)
    item = Item(
        name=files.name,
        shape=(labels.shape[0], labels.shape[1]),
        labels=labels,
        picture=picture_of(files.picture, f"{files.name}.png"),
    )
    if unknown:
        shown = {_as_hex(value): n for value, n in unknown.items()}
        found = dropped_values(
            item.name, shown, "colors that labelmap.txt lacks", code="unknown-color"
        )
        item = evolve(item, problems=(found,))
    if files.objects is None:
        return item
    numbers = read_values(files.objects, color=True)
    present = [int(value) for value in np.unique(numbers)]
    called = {value: _NUMBERS.get(value, 0) for value in present}
    named = [called[value] for value in present if value]
    if 0 in named or len(set(named)) != len(named):
        called = {value: n for n, value in enumerate(present, 1)}
    return objects_of(item, numbers, frozenset({0}), classes, called)


def _as_hex(value: int) -> str:
    return f"#{value:06x}"


def writer(path: Path, collection: Collection) -> VocWriter:
    """
    What writes *collection* to the folder *path*.

    Raises:
        ArgumentError: If the folder is not empty.
    """
    folder = OutputFolder(path)
    return VocWriter(folder, collection, kind="color", list_name="default")
