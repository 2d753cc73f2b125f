"""
CamVid: RGB masks ``NAME_L.png`` and ``label_colors.txt``; or CVAT's CamVid folders.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from attrs import evolve

from framekit.formats.classes import entries_with_ids, painted
from framekit.formats.collection import Collection
from framekit.formats.input import dropped_values, one_by_one, unmatched
from framekit.formats.item import Item
from framekit.formats.mask_files import classes_of_values, read_values, write_png
from framekit.formats.output import OutputFolder
from framekit.formats.picture import pictures_in
from framekit.formats.segments_of_item import with_labels
from framekit.formats.voc_layout import picture_of
from framekit.formats.writer import Added
from framekit.palette import Palette
from framekit.palette.text_tables import write_camvid
from framekit.problem import Problem, Severity

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = (
    "Objects become pixels of their classes.",
    "Classes that share a color, or have none, get one of their own.",
    "Pixel values, confidence and metadata are lost; several labels become one name.",
)

_TABLE: Final = "label_colors.txt"
_SUFFIX: Final = "_L"
_FOLDER_SUFFIX: Final = "annot"


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    if not path.is_dir():
        return 0.0
    pairs, _ = _pairs_in(path)
    if (path / _TABLE).is_file():
        return 0.97 if pairs else 0.4
    return 0.5 if any(mask.stem.endswith(_SUFFIX) for _, mask, _ in pairs) else 0.0


def read(path: Path, *, palette: Palette | None = None) -> Collection:
    """
    Read a folder of masks, with the images beside them or in folders of their own.

    Args:
        palette: In place of ``label_colors.txt``, or of CamVid's 32 classes.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If ``label_colors.txt`` is not what it should be.
        PaletteError: If it gives one color two labels.
    """
    classes = palette or _classes_in(path)
    pairs, problems = _pairs_in(path)
    return Collection(
        name=path.absolute().name,
        format="camvid",
        classes=classes,
        batches=one_by_one(
            partial(_read_item, classes),
            [(name, (name, mask, picture)) for name, mask, picture in pairs],
        ),
        count=len(pairs),
        problems=tuple(problems),
    )


_Pair = tuple[str, Path, Path | None]


def _classes_in(path: Path) -> Palette:
    table = path / _TABLE
    if not table.is_file():
        return Palette.known("camvid")
    found = Palette.load(table, format="camvid")
    # As CamVid itself calls what is not labeled.
    return Palette(
        evolve(entry, id=None, void=True) if entry.name == "Void" else entry
        for entry in found
    )


def _pairs_in(path: Path) -> tuple[list[_Pair], list[Problem]]:
    files = pictures_in(path)
    masks: dict[str, Path] = {}
    for name, file in files.items():
        inner = PurePosixPath(name)
        folder = inner.parent
        if inner.name.endswith(_SUFFIX):
            masks[inner.name.removesuffix(_SUFFIX)] = file
        elif folder.name.endswith(_FOLDER_SUFFIX):
            masks[inner.name] = file
    taken = set(masks.values())
    pictures = {
        PurePosixPath(name).name: file
        for name, file in files.items()
        if file not in taken
    }
    pairs = [(name, mask, pictures.get(name)) for name, mask in sorted(masks.items())]
    problems = unmatched(
        "image-without-mask",
        sorted(set(pictures) - set(masks)),
        "the image has no mask; left out",
    )
    if pictures:
        missing = sorted(set(masks) - set(pictures))
        problems += unmatched("mask-without-image", missing, "there is no image")
    return pairs, problems


def _read_item(classes: Palette, pair: _Pair) -> Item:
    name, mask, picture = pair
    ids = {
        (c[0] << 16 | c[1] << 8 | c[2]): id for c, id in classes.ids_by_color.items()
    }
    labels, unknown = classes_of_values(read_values(mask, color=True), ids)
    item = Item(
        name=name,
        shape=(labels.shape[0], labels.shape[1]),
        labels=labels,
        picture=picture_of(picture, f"{name}.png"),
    )
    if not unknown:
        return item
    shown = {f"#{value:06x}": n for value, n in unknown.items()}
    found = dropped_values(
        name, shown, f"colors that {_TABLE} lacks", code="unknown-color"
    )
    return evolve(item, problems=(found,))


class _Writer:
    """
    Writes ``images/``, ``labels/NAME_L.png`` and ``label_colors.txt``.
    """

    def __init__(self, folder: OutputFolder, collection: Collection) -> None:
        self._folder = folder
        self._classes = collection.classes
        self._painted = painted(collection.classes)
        ids = [id for id, _ in entries_with_ids(self._painted)]
        self._table = np.zeros((max(ids, default=-1) + 2, 3), np.uint8)
        for entry in self._painted:
            place = -1 if entry.id is None else entry.id
            self._table[place] = entry.color or (0, 0, 0)

    def add(self, item: Item) -> Added:
        name = self._folder.claim(item)
        item = with_labels(item)
        labels = item.labels
        assert labels is not None  # noqa: S101 - with_labels gave it
        rgb = self._table[labels]
        write_png(self._folder.path / "labels" / f"{name}{_SUFFIX}.png", rgb)
        problems = item.problems
        if item.picture is not None and item.picture.exists:
            item.picture.save(self._folder.path / "images" / name)
        if item.objects:
            message = f"{len(item.objects)} objects are no longer told apart"
            problems = (*problems, _lost(item, message))
        return Added(bool((labels < 0).any()), problems)

    def finish(self, records: Any) -> list[Problem]:
        own = {entry.id: entry.color for entry in self._classes}
        entries = [
            evolve(entry, labels=(entry.name if entry.id is not None else "Void",))
            for entry in self._painted
            if entry.id is not None or any(records)
        ]
        self._folder.write_text(_TABLE, write_camvid(entries))
        changed = [
            entry.name
            for entry in self._painted
            if entry.id is not None and own[entry.id] not in (None, entry.color)
        ]
        if not changed:
            return []
        message = f"classes that shared a color have their own now: {changed[:5]}"
        return [Problem("color-changed", Severity.INFO, message, count=len(changed))]


def _lost(item: Item, message: str) -> Problem:
    return Problem(
        "objects-not-written",
        Severity.INFO,
        message,
        document=item.name,
        frame=item.name,
        count=len(item.objects or ()),
    )


def writer(path: Path, collection: Collection) -> _Writer:
    """
    What writes *collection* to the folder *path*.

    Raises:
        ArgumentError: If the folder is not empty.
    """
    return _Writer(OutputFolder(path), collection)
