"""
Writing Cityscapes' masks, and the panoptic form that its own tools make of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen

from framekit.color import RGB
from framekit.errors import PaletteError
from framekit.formats.classes import entries_with_ids, painted
from framekit.formats.collection import Collection
from framekit.formats.item import Item
from framekit.formats.mask_files import write_png
from framekit.formats.output import OutputFolder
from framekit.formats.segments_of_item import Segmented, segmented
from framekit.formats.writer import Added
from framekit.palette import Palette
from framekit.problem import Problem, Severity

__all__ = ["TABLE", "CityscapesWriter"]

#: The table of labels that are not Cityscapes' own.
TABLE: Final = "labels.json"

_PANOPTIC: Final = "cityscapes_panoptic"

#: Train ids of labels that evaluation, and so the panoptic form, leaves out.
_IGNORED: Final = (255, -1)

#: Objects of a label are numbered below this.
_NUMBERS: Final = 1000

#: A label of Cityscapes' own without a pixel value.
_UNDRAWN: Final = "license plate"

#: The last label whose objects fit 16 bits.
_LAST_KIND: Final = 64


@frozen(kw_only=True)
class _Label:
    """
    A row of the table of labels.
    """

    value: int
    name: str
    color: RGB
    thing: bool | None
    category: str
    ignored: bool


class CityscapesWriter:
    """
    Writes ``gtFine/`` with the panoptic form, and ``leftImg8bit/``.
    """

    def __init__(self, folder: OutputFolder, collection: Collection) -> None:
        """
        Prepare to write to *folder*.

        Raises:
            PaletteError: If there are more classes than values.
        """
        self._folder = folder
        self._classes = collection.classes
        official = _official(collection.classes)
        self._labels = official or _own(collection.classes)
        self._own = official is None
        self._table = np.zeros((256, 3), np.uint8)
        for label in self._labels.values():
            self._table[label.value] = label.color

    def add(self, item: Item) -> Added:
        """
        Write the files of *item*.

        Raises:
            PaletteError: If the format cannot hold it.
            StorageError: If a file cannot be read or written.
        """
        name = self._folder.claim(item)
        found = segmented(item, self._classes)
        if any(one.class_id not in self._labels for one in found.segments):
            raise PaletteError(f"Cityscapes has no pixel value for {_UNDRAWN!r}")
        kinds = [self._labels[one.class_id].value for one in found.segments]
        ids = _instance_ids(found, kinds)
        base = self._folder.path / "gtFine"
        label_ids = found.painted(kinds, 0, np.uint8)
        write_png(base / f"{name}_gtFine_labelIds.png", label_ids)
        instance_ids = found.painted(ids, 0, np.uint16)
        write_png(base / f"{name}_gtFine_instanceIds.png", instance_ids, depth=16)
        write_png(base / f"{name}_gtFine_color.png", self._table[label_ids])
        annotation = self._write_panoptic(name, found, ids)
        if item.picture is not None and item.picture.exists:
            target = self._folder.path / "leftImg8bit" / f"{name}_leftImg8bit"
            item.picture.save(target)
        annotation["things"] = found.things
        return Added(annotation, found.item.problems)

    def _write_panoptic(
        self, name: str, found: Segmented, ids: list[int]
    ) -> dict[str, Any]:
        """
        Write the panoptic PNG of an image and return its image and annotation.
        """
        labels = [self._labels[one.class_id] for one in found.segments]
        pairs = zip(ids, labels, strict=True)
        shown = [0 if label.ignored else id for id, label in pairs]
        values = found.painted(shown, 0, np.uint16)
        rgb = np.zeros((*values.shape, 3), np.uint8)
        rgb[:, :, 0], rgb[:, :, 1] = values & 255, values >> 8
        file_name = f"{name}_gtFine_panoptic.png"
        write_png(self._folder.path / "gtFine" / _PANOPTIC / file_name, rgb)
        segments = [
            {
                "id": id,
                "category_id": label.value,
                "area": one.region.area,
                "bbox": one.box,
                "iscrowd": int(one.crowd),
            }
            for one, id, label in zip(found.segments, shown, labels, strict=True)
            if id
        ]
        height, width = found.item.shape
        return {
            "image": {
                "id": name,
                "file_name": f"{name}_leftImg8bit.png",
                "width": width,
                "height": height,
            },
            "annotation": {
                "image_id": name,
                "file_name": file_name,
                "segments_info": segments,
            },
        }

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        """
        Write what is about all items.

        Raises:
            StorageError: If a file cannot be written.
        """
        things = frozenset().union(*(record["things"] for record in records))
        categories = [
            {
                "id": label.value,
                "name": label.name,
                "color": list(label.color),
                "supercategory": label.category,
                "isthing": int(_is_thing(label, id in things)),
            }
            for id, label in self._labels.items()
            if not label.ignored
        ]
        document = {
            "images": [record["image"] for record in records],
            "annotations": [record["annotation"] for record in records],
            "categories": categories,
        }
        self._folder.write_json(f"gtFine/{_PANOPTIC}.json", document)
        if not self._own:
            return ()
        unlabeled = {"id": 0, "name": "unlabeled", "color": [0, 0, 0]}
        rows = [
            {
                "id": label.value,
                "name": label.name,
                "category": label.category,
                "hasInstances": _is_thing(label, id in things),
                "color": list(label.color),
            }
            for id, label in self._labels.items()
        ]
        self._folder.write_json(TABLE, [unlabeled, *rows])
        message = (
            "not all labels are Cityscapes' own: their ids, colors and kinds are in "
            f"{TABLE}"
        )
        return (Problem("labels-not-of-cityscapes", Severity.INFO, message),)


def _is_thing(label: _Label, has_objects: bool) -> bool:  # noqa: FBT001
    return has_objects if label.thing is None else label.thing


def _instance_ids(found: Segmented, kinds: Sequence[int]) -> list[int]:
    """
    The 16-bit value of each segment.

    Raises:
        PaletteError: If there are too many objects.
    """
    ids = []
    numbers: dict[int, int] = {}
    kept = _kept_ids(found, kinds)
    for one, kind in zip(found.segments, kinds, strict=True):
        if one.instance is None or one.crowd:
            ids.append(kind)
        elif kept:
            ids.append(one.instance.id)
        else:
            number = numbers[kind] = numbers.get(kind, -1) + 1
            value = kind * _NUMBERS + number
            if number >= _NUMBERS or value > 0xFFFF:
                reason = f"object {number + 1} of label {kind} does not fit 16 bits"
                raise PaletteError(reason)
            ids.append(value)
    return ids


def _kept_ids(found: Segmented, kinds: Sequence[int]) -> bool:
    """
    Whether the objects have ids of Cityscapes' form already, each its own.
    """
    pairs = [
        (one.instance.id, kind)
        for one, kind in zip(found.segments, kinds, strict=True)
        if one.instance is not None and not one.crowd
    ]
    ids = {id for id, _ in pairs}
    return len(ids) == len(pairs) and all(
        id // _NUMBERS == kind and id <= 0xFFFF for id, kind in pairs
    )


def _official(classes: Palette) -> dict[int, _Label] | None:
    """
    Cityscapes' own labels by class id; None if it does not have all of them.
    """
    known = {
        entry.name: entry
        for entry in Palette.known("cityscapes")
        if entry.index is not None
    }
    found = {}
    for id, entry in entries_with_ids(classes):
        label = known.get(entry.name)
        if label is None and entry.name == _UNDRAWN:
            continue
        if label is None:
            return None
        assert label.index is not None  # noqa: S101 - known has only such
        assert label.color is not None  # noqa: S101 - all of Cityscapes have one
        found[id] = _Label(
            value=label.index,
            name=label.name,
            color=label.color,
            thing=label.thing,
            category=str(label.metadata.get("category", "")),
            ignored=label.metadata.get("train_id") in _IGNORED,
        )
    return found


def _own(classes: Palette) -> dict[int, _Label]:
    """
    Labels of their own for *classes*, with values from 1: 0 is what is not labeled.

    Raises:
        PaletteError: If there are more than 255.
    """
    pairs = entries_with_ids(classes)
    values = [entry.index for _, entry in pairs]
    whole = [value for value in values if value is not None and 0 < value < 256]
    unique = len(whole) == len(pairs) == len(set(whole))
    if not unique or any(
        entry.thing is not False and value > _LAST_KIND
        for (_, entry), value in zip(pairs, whole, strict=True)
    ):
        # Things first: only small values leave room for the number of an object.
        pairs.sort(key=lambda pair: pair[1].thing is not True)
        whole = list(range(1, len(pairs) + 1))
    if max(whole, default=0) > 255:
        raise PaletteError(f"{len(pairs)} classes; Cityscapes has values up to 255")
    colors = {entry.id: entry.color for entry in painted(classes)}
    return {
        id: _Label(
            value=value,
            name=entry.name,
            color=colors[id] or (0, 0, 0),
            thing=entry.thing,
            category=str(
                entry.metadata.get("category")
                or entry.metadata.get("supercategory")
                or ""
            ),
            ignored=False,
        )
        for (id, entry), value in zip(pairs, whole, strict=True)
    }
