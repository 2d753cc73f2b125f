"""
Items as frames: masks by color, an ROI for each class and each object in the image.

The mask ``seg`` has the colors of classes, ``seg_instance`` those of objects on black;
objects that overlap others are in ``seg_instance_2`` and so on. What a frame has no
place for, such as whether a class is a thing, is in the version's metadata.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from framekit.color import RGB, to_hex
from framekit.formats.classes import painted, spread_color
from framekit.formats.collection import Collection
from framekit.formats.item import Item, Said
from framekit.formats.mask_files import write_png
from framekit.formats.output import OutputFolder
from framekit.formats.picture import Picture
from framekit.formats.segments_of_item import as_label_map
from framekit.frame import Mask, Roi, RoiMask, SingleFrame, Source
from framekit.problem import Problem, Severity
from framekit.segments import Instance
from framekit.segments.runs import runs_of

__all__ = [
    "ABOUT_KEY",
    "CLASSES_KEY",
    "CLASS_MASK",
    "INSTANCE_MASK",
    "FrameMaker",
    "colors_of_version",
    "version_metadata_of",
]

#: What the masks are called, as on ClearML's page.
CLASS_MASK: Final = "seg"
INSTANCE_MASK: Final = "seg_instance"

#: Where the version's metadata has the table of classes, and what else was known.
CLASSES_KEY: Final = "classes"
ABOUT_KEY: Final = "about"

#: What a frame that was not made from one is called for its source.
_SOURCE: Final = "default"

_BACKGROUND: Final = {"value": [0, 0, 0], "labels": ["background"]}


class FrameMaker:
    """
    Writes the masks and pictures of items, and makes their frames.
    """

    def __init__(
        self, folder: OutputFolder, collection: Collection, *, media: str = "media"
    ) -> None:
        """
        Prepare to write.

        Args:
            media: The folder in *folder* for masks and pictures.
        """
        self._folder = folder
        self._media = media
        self._painted = painted(collection.classes)
        self._written: set[str] = set()
        self._without_picture: list[str] = []
        self._colors = {
            entry.id: entry.color
            for entry in self._painted
            if entry.id is not None and entry.color is not None
        }

    def frame(self, item: Item) -> SingleFrame:
        """
        Write what belongs to *item* and return its frame.

        Raises:
            ArgumentError: If another item has its name.
            StorageError: If a file cannot be read or written.
        """
        name = self._folder.claim(item)
        height, width = item.shape
        about = item.frame
        source_id = _SOURCE
        if about is not None and len(about.sources) == 1:
            source_id = about.sources[0].id
        masks: list[Mask] = []
        rois: list[Roi] = []
        if item.labels is not None:
            uri = f"{self._media}/masks/{name}.{CLASS_MASK}.png"
            self._write_classes(uri, item.labels)
            self._written.add(CLASS_MASK)
            masks.append(_mask(CLASS_MASK, uri, item))
            rois += self._class_rois(item, item.labels, source_id)
        if item.objects is not None:
            for number, layer in enumerate(_layers(item), 1):
                id = INSTANCE_MASK if number == 1 else f"{INSTANCE_MASK}_{number}"
                uri = f"{self._media}/masks/{name}.{id}.png"
                self._write_objects(uri, item, layer)
                self._written.add(id)
                masks.append(_mask(id, uri, item))
                rois += _object_rois(layer, id, source_id)
        source = Source(
            id=source_id,
            uri=self._picture(item, name),
            content_type=_content_type(item.picture),
            width=width,
            height=height,
            masks=masks,
        )
        metadata = dict(about.metadata) if about is not None else {}
        metadata |= item.metadata
        return SingleFrame(
            id=item.name,
            sources=[source],
            rois=rois,
            metadata=metadata,
            context_id=about.context_id if about is not None else None,
            timestamp=about.timestamp if about is not None else None,
        )

    def mask_labels(self) -> dict[str, list[dict[str, Any]]]:
        """
        What the version says about the colors of the masks that were written.
        """
        classes = [
            {"value": list(entry.color or ()), "labels": list(entry.labels)}
            for entry in self._painted
        ]
        return {
            mask: classes if mask == CLASS_MASK else [_BACKGROUND]
            for mask in sorted(self._written)
        }

    def problems(self) -> list[Problem]:
        """
        What deserves a look about all frames that were made.
        """
        missing = len(self._without_picture)
        if not missing:
            return []
        message = (
            f"{missing} image(s) are not there: the frames have their masks and state "
            f"where an image would be, the first {self._without_picture[0]!r}"
        )
        found = Problem("picture-missing", Severity.WARNING, message, count=missing)
        return [found]

    def _picture(self, item: Item, name: str) -> str:
        picture = item.picture
        if picture is None:
            self._without_picture.append(item.name)
            return f"{self._media}/images/{name}"
        if not picture.exists:
            # As the format states it; a name alone is that of a file here.
            if "/" in picture.uri or "\\" in picture.uri:
                return picture.uri
            self._without_picture.append(item.name)
            inner = PurePosixPath(name).with_name(picture.uri)
            return f"{self._media}/images/{inner}"
        saved = picture.save(self._folder.path / self._media / "images" / name)
        return saved.relative_to(self._folder.path).as_posix()

    def _write_classes(self, uri: str, labels: NDArray[np.int32]) -> None:
        path = self._folder.path / uri
        path.parent.mkdir(parents=True, exist_ok=True)
        label_map = as_label_map(labels, self._painted)
        small = label_map.ids.dtype == np.uint8
        label_map.save(path, values="index" if small else "color")

    def _write_objects(self, uri: str, item: Item, layer: list[_Placed]) -> None:
        numbers = np.zeros(item.shape, np.uint32)
        for number, (one, _) in enumerate(layer, 1):
            numbers[one.region.slices][one.mask] = number
        colors: list[RGB] = [(0, 0, 0), *(color for _, color in layer)]
        table = np.array(colors, np.uint8)
        if len(table) <= 256:
            samples = numbers.astype(np.uint8)
            write_png(self._folder.path / uri, samples, palette=table)
        else:
            write_png(self._folder.path / uri, table[numbers])

    def _class_rois(
        self, item: Item, labels: NDArray[np.int32], source: str
    ) -> list[Roi]:
        present = np.unique(runs_of(labels).values).tolist()
        found = []
        for id in present:
            if id < 0:
                continue
            said = item.said.get(id, Said())
            found.append(
                Roi(
                    labels=self._painted[id].labels,
                    sources=[source],
                    mask=RoiMask(id=CLASS_MASK, value=self._colors[id]),
                    id=None if said.id is None else str(said.id),
                    confidence=said.score,
                    metadata=said.metadata,
                )
            )
        return found


_Placed = tuple[Instance, RGB]


def version_metadata_of(collection: Collection) -> dict[str, Any]:
    """
    What frames have no place for: the table of classes, and what holds for all.
    """
    found: dict[str, Any] = {CLASSES_KEY: collection.classes.to_dict()}
    if collection.metadata:
        found[ABOUT_KEY] = dict(collection.metadata)
    found["converted_from"] = collection.format
    return found


def _content_type(picture: Picture | None) -> str | None:
    if picture is None or not picture.exists:
        return None
    # A moment of a video is written as a PNG.
    return picture.kind() or "image/png"


def _mask(id: str, uri: str, item: Item) -> Mask:
    height, width = item.shape
    return Mask(id=id, uri=uri, content_type="image/png", width=width, height=height)


def _layers(item: Item) -> list[list[_Placed]]:
    """
    The objects in layers within which none overlaps, each with a color of its own.
    """
    objects = sorted(item.objects or (), key=lambda one: one.z)
    layers: list[list[_Placed]] = [[]]
    taken = [np.zeros(item.shape, np.bool_)]
    for number, one in enumerate(objects, 1):
        place = 0
        while (
            place < len(layers) and (taken[place][one.region.slices] & one.mask).any()
        ):
            place += 1
        if place == len(layers):
            layers.append([])
            taken.append(np.zeros(item.shape, np.bool_))
        taken[place][one.region.slices] |= one.mask
        layers[place].append((one, spread_color(number)))
    return layers


def _object_rois(layer: list[_Placed], mask: str, source: str) -> list[Roi]:
    found = []
    for one, color in layer:
        metadata = dict(one.metadata)
        called = metadata.pop("object_id", None)
        if one.crowd:
            metadata["iscrowd"] = True
        if one.pdf is not None:
            metadata["pdf"] = dict(one.pdf)
        metadata["z"] = one.z
        if not one.z:
            del metadata["z"]
        found.append(
            Roi(
                labels=one.labels,
                sources=[source],
                mask=RoiMask(id=mask, value=color),
                id=called if isinstance(called, str) and called else str(one.id),
                confidence=one.score,
                metadata=metadata,
            )
        )
    return found


def colors_of_version(
    mask_labels: dict[str, list[dict[str, Any]]], mask: str
) -> dict[str, list[str]]:
    """
    What ``set_masks_labels`` takes for *mask*.
    """
    return {to_hex(tuple(e["value"])): list(e["labels"]) for e in mask_labels[mask]}
