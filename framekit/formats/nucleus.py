"""
Scale Nucleus' segmentations: 8-bit masks, and JSON that says what their values are.

``segmentations.json`` has the batch that the client sends, ``masks/`` its masks.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from framekit.errors import (
    FramekitWarning,
    PaletteError,
    UnreadableMaskError,
)
from framekit.formats.classes import spread_colors
from framekit.formats.collection import Collection
from framekit.formats.input import dropped_values, one_by_one, read_json
from framekit.formats.item import Item, Said, noted
from framekit.formats.mask_files import read_values, write_png
from framekit.formats.nucleus_payload import (
    Segment,
    SegmentationPrediction,
    payload_of,
    read_payload,
)
from framekit.formats.output import OutputFolder
from framekit.formats.picture import Picture, pictures_in
from framekit.formats.segments_of_item import Segmented, segmented
from framekit.formats.sniffing import json_keys
from framekit.formats.writer import Added
from framekit.palette import Palette, PaletteEntry
from framekit.problem import Problem, Severity
from framekit.segments import Instance
from framekit.segments.runs import runs_of
from framekit.segments.segmenting import looked_up, regions_of
from framekit.storage import Storage

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = (
    "Up to 256 segments in an image, void among them; such images are refused.",
    "Void pixels are a segment called 'void', read as void.",
    "Where objects overlap, only the highest is kept; the pixels are counted.",
    "A class of which no image has two objects is read as stuff, unless it is named.",
    "Colors of classes are lost; several labels become one name.",
)

_FILE: Final = "segmentations.json"
_VOID: Final = "void"
_METADATA_KEYS: Final = frozenset({"confidence", "pdf"})


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    for keys in json_keys(path):
        if {"mask_url", "reference_id"} <= keys:
            return 0.98
    return 0.0


def read(
    path: Path,
    *,
    things: Iterable[str] = (),
    storage: Storage | None = None,
) -> Collection:
    """
    Read a file of payloads, or the folder with it.

    Args:
        things: Labels of objects; by default those that a mask has several of.
        storage: Where mask URLs lead; by default files in the folder only.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If the JSON is not what it should be, or has ids twice.
    """
    file = _file_in(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FramekitWarning)
        found = read_payload(read_json(file), file.name + ":$")
    notes = [
        Problem("index-not-integer", Severity.WARNING, str(one.message))
        for one in caught
        if issubclass(one.category, FramekitWarning)
    ]
    payload_of(found)
    classes = _classes_of(found, frozenset(things))
    root = file.absolute().parent
    pictures = pictures_in(root / "images")
    source = _Source(classes, storage or Storage(root), pictures)
    return Collection(
        name=root.name,
        format="nucleus",
        classes=classes,
        batches=one_by_one(
            partial(_read_item, source), [(one.reference_id, one) for one in found]
        ),
        count=len(found),
        problems=tuple(notes),
    )


@frozen(eq=False)
class _Source:
    """
    What the items of a file have in common.
    """

    classes: Palette
    storage: Storage
    pictures: dict[str, Path]


def _file_in(path: Path) -> Path:
    if path.is_file():
        return path
    if (path / _FILE).is_file():
        return path / _FILE
    for file in sorted(path.glob("*.json")):
        if any({"mask_url", "reference_id"} <= keys for keys in json_keys(file)):
            return file
    return path / _FILE


def _classes_of(
    found: Sequence[SegmentationPrediction], things: frozenset[str]
) -> Palette:
    """
    A class for each label, in the order they come.

    Its pixel value is that of all masks, where they agree and it is its own.
    """
    indices: dict[str, set[int]] = {}
    several: set[str] = set(things)
    for one in found:
        labels = [segment.label for segment in one.annotations]
        several.update(label for label in labels if labels.count(label) > 1)
        for segment in one.annotations:
            indices.setdefault(segment.label, set()).add(segment.index)
    indices.pop(_VOID, None)
    own = {label: min(values) for label, values in indices.items() if len(values) == 1}
    taken = list(own.values())
    free = spread_colors(())
    whole = len(own) == len(indices) and len(set(taken)) == len(taken)
    return Palette(
        PaletteEntry(
            id=own[label] if whole else n,
            index=own[label] if whole else None,
            color=next(free),
            labels=label,
            thing=label in several if several else None,
        )
        for n, label in enumerate(indices)
    )


def _read_item(source: _Source, payload: SegmentationPrediction) -> Item:
    values = _mask_of(source, payload)
    by_label = {entry.labels[0]: entry for entry in source.classes}
    runs = runs_of(values)
    segments = payload.annotations
    places = {one.index: n for n, one in enumerate(segments)}
    place = looked_up(runs.values.astype(np.int64), places).astype(np.int64)
    classes = {
        n: -1 if (entry := by_label.get(one.label)) is None else entry.id_or_void
        for n, one in enumerate(segments)
    }
    per_run = looked_up(place, classes)
    labels = np.repeat(per_run, runs.lengths).reshape(values.shape)
    item = Item(
        name=payload.reference_id,
        shape=(values.shape[0], values.shape[1]),
        labels=labels,
        picture=_picture_of(source, payload.reference_id),
        metadata={"annotation_id": payload.annotation_id}
        if payload.annotation_id is not None
        else {},
    )
    missing: dict[int, int] = {}
    for at in np.flatnonzero(place < 0).tolist():
        value = int(runs.values[at])
        missing[value] = missing.get(value, 0) + int(runs.lengths[at])
    if missing:
        found = dropped_values(
            item.name, missing, "values without a segment", code="missing-segment"
        )
        item = evolve(item, problems=(found,))
    regions = regions_of(runs, place, len(segments))
    objects: list[Instance] = []
    said: dict[int, Said] = {}
    for one, region in zip(segments, regions, strict=True):
        if region is None:
            message = f"segment {one.index} ({one.label}) has no pixels"
            item = noted(item, "unused-segment", message)
            continue
        entry = by_label.get(one.label)
        if entry is None or entry.id is None:
            continue
        metadata = {k: v for k, v in one.metadata.items() if k not in _METADATA_KEYS}
        crowd = metadata.pop("iscrowd", None) is True
        if entry.thing or crowd:
            objects.append(
                Instance(
                    id=one.index,
                    labels=entry.labels,
                    region=region,
                    class_id=entry.id,
                    thing=entry.thing,
                    crowd=crowd,
                    score=one.confidence,
                    pdf=one.pdf,
                    metadata=metadata,
                )
            )
        else:
            kept = dict(metadata)
            if one.pdf is not None:
                kept["pdf"] = dict(one.pdf)
            said[entry.id] = Said(one.index, one.confidence, kept)
    told = objects or any(entry.thing for entry in source.classes)
    return evolve(item, objects=tuple(objects) if told else None, said=said)


def _mask_of(source: _Source, payload: SegmentationPrediction) -> NDArray[np.uint32]:
    values = read_values(payload.mask_url, storage=source.storage)
    if int(values.max(initial=0)) > 255:
        reason = "expected one channel of 8 bits; has pixel values beyond 255"
        raise UnreadableMaskError(payload.mask_url, reason)
    return values


def _picture_of(source: _Source, reference_id: str) -> Picture:
    path = source.pictures.get(reference_id)
    return (
        Picture(reference_id, exists=False) if path is None else Picture.of_file(path)
    )


class _Writer:
    """
    Writes ``segmentations.json``, ``masks/`` and ``images/``.
    """

    def __init__(
        self,
        folder: OutputFolder,
        collection: Collection,
        *,
        base: str | None,
        update: bool,
    ) -> None:
        self._folder = folder
        self._classes = collection.classes
        self._base = base
        self._update = update

    def add(self, item: Item) -> Added:
        name = self._folder.claim(item)
        found = segmented(item, self._classes)
        indices, void = _indices(found)
        annotations = [
            Segment(self._classes[one.class_id].name, index, _metadata(one))
            for one, index in zip(found.segments, indices, strict=True)
        ]
        values = found.painted(indices, 0 if void is None else void, np.uint8)
        if void is not None:
            annotations.append(Segment(_VOID, void))
        annotations.sort(key=lambda one: one.index)
        write_png(self._folder.path / "masks" / f"{name}.png", values)
        if item.picture is not None and item.picture.exists:
            item.picture.save(self._folder.path / "images" / name)
        annotation_id = item.metadata.get("annotation_id")
        payload = SegmentationPrediction(
            self._url(name),
            annotations,
            item.name,
            annotation_id if isinstance(annotation_id, str) else f"{item.name}_mask",
        )
        return Added(payload, found.item.problems)

    def _url(self, name: str) -> str:
        if self._base is None:
            return f"masks/{name}.png"
        return f"{self._base.rstrip('/')}/{name}.png"

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        self._folder.write_json(_FILE, payload_of(records, update=self._update))
        return ()


def _metadata(one: Any) -> dict[str, Any]:
    found = dict(one.said.metadata)
    if one.crowd:
        found["iscrowd"] = True
    if one.instance is not None and one.instance.pdf is not None:
        found["pdf"] = dict(one.instance.pdf)
    if one.said.score is not None:
        found["confidence"] = one.said.score
    return found


def _indices(found: Segmented) -> tuple[list[int], int | None]:
    """
    A pixel value for each segment, and one for void pixels, where there are any.

    Raises:
        PaletteError: If there are more than 256.
    """
    count = len(found.segments)
    has_void = bool((found.places < 0).any())
    if count + has_void > 256:
        reason = f"{count + has_void} segments; Nucleus' masks have 256 values"
        raise PaletteError(reason)
    own = [one.said.id for one in found.segments]
    kept = [id for id in own if id is not None and id <= 255]
    indices = kept if len(kept) == count == len(set(kept)) else list(range(count))
    free = (value for value in range(255, -1, -1) if value not in set(indices))
    return indices, next(free) if has_void else None


def writer(
    path: Path,
    collection: Collection,
    *,
    base: str | None = None,
    update: bool = False,
) -> _Writer:
    """
    What writes *collection* to the folder *path*.

    Args:
        base: Where masks will be found, such as ``s3://bucket/masks``; by default
            URLs are paths in the folder.
        update: Whether masks that items have already are replaced.

    Raises:
        ArgumentError: If the folder is not empty.
    """
    return _Writer(OutputFolder(path), collection, base=base, update=update)
