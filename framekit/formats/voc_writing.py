"""
Writing VOC's and CVAT's folders.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from framekit.errors import PaletteError
from framekit.formats.classes import (
    entries_with_ids,
    is_background,
    painted,
)
from framekit.formats.collection import Collection
from framekit.formats.item import Item
from framekit.formats.mask_files import write_png
from framekit.formats.output import OutputFolder
from framekit.formats.segments_of_item import with_labels, with_objects
from framekit.formats.voc_layout import CLASSES, IMAGES, LISTS, OBJECTS, voc_color
from framekit.formats.writer import Added
from framekit.palette import Palette, PaletteEntry
from framekit.palette.text_tables import write_labelmap
from framekit.problem import Problem

__all__ = ["VocWriter"]

#: VOC's mark of pixels that are not counted.
_VOID: int = 255


class VocWriter:
    """
    Writes ``SegmentationClass``, ``SegmentationObject``, ``JPEGImages`` and lists.
    """

    def __init__(
        self,
        folder: OutputFolder,
        collection: Collection,
        *,
        kind: Literal["palette", "color"],
        list_name: str,
    ) -> None:
        """
        Prepare to write.

        Args:
            kind: VOC's palette images, whose indices are classes; or CVAT's colors.
        """
        self._folder = folder
        self._classes = collection.classes
        self._kind = kind
        self._list_name = list_name
        if kind == "palette":
            self._values = _indices(collection.classes)
            self._colors = {v: voc_color(v) for v in self._values.values()}
        else:
            self._painted = painted(collection.classes)

    def add(self, item: Item) -> Added:
        """
        Write the files of *item*.

        Raises:
            PaletteError: If the format cannot hold it.
            StorageError: If a file cannot be read or written.
        """
        name = self._folder.claim(item)
        item = with_labels(item)
        if any(entry.thing for entry in self._classes):
            item = with_objects(item, self._classes, things=True)
        labels = item.labels
        assert labels is not None  # noqa: S101 - with_labels gave it
        objects = None
        if item.objects is not None:
            objects = self._object_map(item, labels)
        if self._kind == "palette":
            self._write_indices(name, labels, objects)
        else:
            self._write_colors(name, labels, objects)
        if item.picture is not None and item.picture.exists:
            item.picture.save(self._folder.path / IMAGES / name)
        return Added((name, bool((labels < 0).any())), item.problems)

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        """
        Write what is about all items.

        Raises:
            StorageError: If a file cannot be written.
        """
        text = "".join(f"{name}\n" for name, _ in records)
        self._folder.write_text(f"{LISTS}/{self._list_name}.txt", text)
        void = any(has_void for _, has_void in records)
        self._folder.write_text("labelmap.txt", self._labelmap(void=void))
        return ()

    def _object_map(self, item: Item, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """
        (H, W): 1, 2, … for objects as they are seen, 0 for none, -1 void.
        """
        numbers = np.where(labels < 0, np.int32(-1), np.int32(0))
        objects = sorted(item.objects or (), key=lambda one: one.z)
        own = [one.id for one in objects]
        if len(set(own)) != len(own) or not all(0 < id < _VOID for id in own):
            own = list(range(1, len(own) + 1))
        if max(own, default=0) >= _VOID:
            reason = f"{len(own)} objects; the format has numbers up to {_VOID - 1}"
            raise PaletteError(reason)
        for one, number in zip(objects, own, strict=True):
            numbers[one.region.slices][one.mask] = number
        return numbers

    def _write_indices(
        self, name: str, labels: NDArray[np.int32], objects: NDArray[np.int32] | None
    ) -> None:
        table = np.array([voc_color(n) for n in range(256)], np.uint8)
        values = np.full(max(self._values, default=-1) + 2, _VOID, np.uint8)
        for id, value in self._values.items():
            values[id] = value
        # -1, which is void, is the last place.
        write_png(
            self._folder.path / CLASSES / f"{name}.png", values[labels], palette=table
        )
        if objects is None:
            return
        numbers = np.where(objects < 0, _VOID, objects).astype(np.uint8)
        write_png(self._folder.path / OBJECTS / f"{name}.png", numbers, palette=table)

    def _write_colors(
        self, name: str, labels: NDArray[np.int32], objects: NDArray[np.int32] | None
    ) -> None:
        colors = {entry.id: entry.color for entry in self._painted}
        size = max((id for id in colors if id is not None), default=-1) + 2
        table = np.zeros((size, 3), np.uint8)
        for id, color in colors.items():
            table[-1 if id is None else id] = color or (0, 0, 0)
        write_png(self._folder.path / CLASSES / f"{name}.png", table[labels])
        if objects is None:
            return
        numbers = np.array([voc_color(n) for n in range(256)], np.uint8)
        rgb = numbers[np.maximum(objects, 0)]
        write_png(self._folder.path / OBJECTS / f"{name}.png", rgb)

    def _labelmap(self, *, void: bool) -> str:
        entries: list[PaletteEntry] = []
        if self._kind == "palette":
            entries = [
                evolve(entry, color=self._colors[self._values[id]])
                for id, entry in sorted(
                    entries_with_ids(self._classes),
                    key=lambda pair: self._values[pair[0]],
                )
            ]
        else:
            wanted = {e.id: e.color for e in self._painted}
            entries = [
                evolve(entry, color=wanted[id])
                for id, entry in entries_with_ids(self._classes)
            ]
            if void:
                # CVAT refuses colors that the table lacks.
                entries.append(PaletteEntry(color=wanted[None], labels="void"))
        return write_labelmap(_as_line(entry) for entry in entries)


def _as_line(entry: PaletteEntry) -> PaletteEntry:
    """
    *entry* with what a line of the table has a place for.
    """
    kept = {k: v for k, v in entry.metadata.items() if k in ("parts", "actions")}
    return evolve(entry, labels=(entry.name,), metadata=kept)


def _indices(classes: Palette) -> dict[int, int]:
    """
    A pixel value for each class: its own, where all fit; else background, then 1, 2, ….

    Raises:
        PaletteError: If there are more classes than values.
    """
    pairs = entries_with_ids(classes)
    own = {id: entry.index for id, entry in pairs}
    values = [v for v in own.values() if v is not None and v < _VOID]
    if len(values) == len(pairs) == len(set(values)):
        return {id: v for id, v in own.items() if v is not None}
    ids = [id for id, _ in pairs]
    if ids and max(ids) < _VOID:
        return {id: id for id in ids}
    first = [id for id, entry in pairs if is_background(entry)]
    order = [*first, *(id for id in ids if id not in first)]
    start = 0 if first else 1
    if start + len(order) > _VOID:
        reason = f"{len(order)} classes; the format has {_VOID} values"
        raise PaletteError(reason)
    return {id: n for n, id in enumerate(order, start)}
