"""
COCO panoptic: PNG files whose pixels are the ids of segments, and a JSON file.

An id is R + 256 G + 65536 B; 0, black, is void and never an id. The JSON lists the
segments of each image with category, area, box and whether they are a crowd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from framekit.color import pack_rgb
from framekit.errors import DocumentError, MissingFileError
from framekit.formats.classes import painted
from framekit.formats.coco_tables import (
    as_key,
    as_number,
    categories_of,
    find_picture,
    image_record,
    metadata_of,
    name_of,
    number_images,
    picture_folders,
    read_document,
    shape_of,
    top_level,
)
from framekit.formats.collection import Collection
from framekit.formats.input import array_of, dropped_values, file_in, one_by_one
from framekit.formats.item import Item, Said, noted
from framekit.formats.mask_files import read_values, write_png
from framekit.formats.output import OutputFolder
from framekit.formats.segments_of_item import Segment, segmented
from framekit.formats.sniffing import json_keys
from framekit.formats.writer import Added
from framekit.palette import Palette
from framekit.problem import Problem, Severity
from framekit.segments import Instance
from framekit.segments.runs import runs_of
from framekit.segments.segmenting import looked_up, regions_of

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = (
    "Where objects overlap, only the highest is kept; the pixels are counted.",
    "Pixels of a thing's class that no object has become a crowd.",
    "Classes that nobody called things, and that have no objects, are stuff.",
    "Class ids are one higher where one of them is 0, which is no category.",
    "Names of pixels that are void are lost: void is black.",
)

#: Black is void, so it is no id.
_LAST_ID: Final = 0xFFFFFF

#: Keys of a segment that have fields of their own.
_SEGMENT_KEYS: Final = frozenset(
    {"id", "category_id", "iscrowd", "area", "bbox", "score"}
)


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    keys = json_keys(path)
    return 0.98 if any("segments_info" in found for found in keys) else 0.0


def read(path: Path) -> Collection:
    """
    Read a COCO panoptic JSON file, or the folder with it and its PNG files.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If the JSON is not what it should be.
    """
    document, value, classes, images = read_document(
        path, ("annotations", "images", "categories")
    )
    name = document.name
    required = ("image_id", "file_name", "segments_info")
    annotations = array_of(value, "annotations", name, required)
    for n, one in enumerate(annotations):
        as_key(one["image_id"], f"{name}:$.annotations[{n}].image_id")
    by_id = {image["id"]: image for image in images}
    folders = [
        document.parent / document.stem,
        document.parent,
        document.parent / "panoptic",
    ]
    source = _Source(
        name, classes, by_id, tuple(folders), tuple(picture_folders(document))
    )
    read_one = partial(_read_item, source)
    keys = [
        (PurePosixPath(str(one["file_name"])).stem, (n, one))
        for n, one in enumerate(annotations)
    ]
    drawn = {one["image_id"] for one in annotations}
    missing = [image for image in images if image["id"] not in drawn]
    problems = tuple(
        Problem(
            "image-without-mask",
            Severity.WARNING,
            f"{image['file_name']}: the image has no annotation; left out",
            document=name,
        )
        for image in missing
    )
    return Collection(
        name=document.stem,
        format="coco-panoptic",
        classes=classes,
        batches=one_by_one(read_one, keys),
        count=len(keys),
        metadata=top_level(value),
        problems=problems,
    )


@frozen(eq=False)
class _Source:
    """
    What the items of a document have in common.
    """

    name: str
    classes: Palette
    images: Mapping[Any, Mapping[str, Any]]

    #: Where masks may be, and where pictures.
    folders: tuple[Path, ...]
    pictures: tuple[Path, ...]


def _read_item(source: _Source, key: tuple[int, Mapping[str, Any]]) -> Item:
    number, annotation = key
    at = f"{source.name}:$.annotations[{number}]"
    image = source.images.get(annotation["image_id"])
    if image is None:
        reason = f"there is no image {annotation['image_id']!r}"
        raise DocumentError(f"{at}.image_id", reason, "dangling-id")
    file_name = str(annotation["file_name"])
    values = read_values(_mask_file(source, file_name))
    shape = shape_of(image, f"{at}: the image")
    if values.shape != shape:
        reason = f"{file_name} is {values.shape}, the JSON says {shape}"
        raise DocumentError(f"{at}.file_name", reason, "mask-size-mismatch")
    segments = array_of(annotation, "segments_info", at, ("id", "category_id"))
    item = Item(
        name=name_of(file_name, f"{at}.file_name"),
        shape=shape,
        picture=find_picture(image, source.pictures),
        metadata={"image_id": image["id"], **metadata_of(image)},
    )
    return _with_segments(item, values, segments, source.classes, at)


def _with_segments(
    item: Item,
    values: NDArray[np.uint32],
    segments: list[dict[str, Any]],
    classes: Palette,
    at: str,
) -> Item:
    """
    *item* with the classes and objects that the pixels have.
    """
    known: dict[int, tuple[int, dict[str, Any]]] = {}
    for n, one in enumerate(segments):
        where = f"{at}.segments_info[{n}]"
        id = as_number(one["id"], f"{where}.id", least=1)
        category = as_number(one["category_id"], f"{where}.category_id")
        if id in known:
            raise DocumentError(f"{where}.id", f"{id} is there twice", "duplicate-id")
        try:
            classes[category]
        except IndexError:
            reason = f"there is no category {category}"
            raise DocumentError(f"{where}.category_id", reason, "dangling-id") from None
        known[id] = category, one
    runs = runs_of(values)
    order = list(known)
    places = {id: n for n, id in enumerate(order)}
    place_of_run = looked_up(runs.values.astype(np.int64), places)
    regions = regions_of(runs, place_of_run.astype(np.int64), len(order))
    category_of = {n: known[id][0] for n, id in enumerate(order)}
    per_run = looked_up(place_of_run, category_of)
    labels = np.repeat(per_run, runs.lengths).reshape(values.shape)
    unknown: dict[int, int] = {}
    for place in np.flatnonzero((place_of_run < 0) & (runs.values > 0)).tolist():
        value = int(runs.values[place])
        unknown[value] = unknown.get(value, 0) + int(runs.lengths[place])
    objects: list[Instance] = []
    said: dict[int, Said] = {}
    for id, region in zip(order, regions, strict=True):
        category, one = known[id]
        extra = {key: v for key, v in one.items() if key not in _SEGMENT_KEYS}
        crowd = bool(one.get("iscrowd", 0))
        if region is None:
            message = f"segment {id} ({classes[category].name}) has no pixels"
            item = noted(item, "unused-segment", message)
        elif classes[category].thing or crowd:
            objects.append(
                Instance(
                    id=id,
                    labels=classes[category].labels,
                    region=region,
                    class_id=category,
                    thing=classes[category].thing,
                    crowd=crowd,
                    score=one.get("score"),
                    metadata=extra,
                )
            )
        elif category in said:
            message = (
                f"segments {said[category].id} and {id} are both "
                f"{classes[category].name}, which is stuff: they are one"
            )
            item = noted(item, "stuff-joined", message)
        else:
            said[category] = Said(id, one.get("score"), extra)
    if unknown:
        found = dropped_values(item.name, unknown, "ids that segments_info lacks")
        item = evolve(item, problems=(*item.problems, found))
    return evolve(item, labels=labels, objects=tuple(objects), said=said)


def _mask_file(source: _Source, file_name: str) -> Path:
    path = file_in(source.folders, file_name)
    if path is not None:
        return path
    looked = ", ".join(str(folder) for folder in source.folders)
    raise MissingFileError(file_name, f"no such file in {looked}")


class _Writer:
    """
    Writes ``panoptic.json``, ``panoptic/`` and ``images/``.
    """

    def __init__(self, folder: OutputFolder, collection: Collection) -> None:
        self._folder = folder
        self._collection = collection
        self._colors = {
            entry.id: entry.color
            for entry in painted(collection.classes)
            if entry.id is not None and entry.color is not None
        }
        _, self._category_of = categories_of(collection.classes, panoptic=True)

    def add(self, item: Item) -> Added:
        name = self._folder.claim(item)
        found = segmented(item, self._collection.classes)
        ids = segment_ids(found.segments, self._colors)
        values = found.painted(ids, 0, np.uint32)
        rgb = np.stack([values & 255, values >> 8 & 255, values >> 16], axis=2)
        path = self._folder.path / "panoptic" / f"{name}.png"
        write_png(path, rgb.astype(np.uint8))
        listed = [
            self._listed(segment, id)
            for segment, id in zip(found.segments, ids, strict=True)
        ]
        record, problems = image_record(found.item, self._folder, name)
        annotation = {"file_name": f"{name}.png", "segments_info": listed}
        return Added((record, annotation, found.things), problems)

    def _listed(self, segment: Segment, id: int) -> dict[str, Any]:
        one: dict[str, Any] = dict(segment.said.metadata)
        if segment.said.score is not None:
            one["score"] = segment.said.score
        one |= {
            "id": id,
            "category_id": self._category_of[segment.class_id],
            "area": segment.region.area,
            "bbox": segment.box,
            "iscrowd": int(segment.crowd),
        }
        return one

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        images = [record for record, _, _ in records]
        number_images(images)
        annotations = [
            {"image_id": record["id"], **annotation}
            for record, annotation, _ in records
        ]
        things = frozenset().union(*(things for _, _, things in records))
        categories, _ = categories_of(
            self._collection.classes, panoptic=True, things=things
        )
        document = {
            **top_level(self._collection.metadata),
            "images": images,
            "annotations": annotations,
            "categories": categories,
        }
        self._folder.write_json("panoptic.json", document)
        return ()


def segment_ids(
    segments: Sequence[Segment], colors: Mapping[int, tuple[int, int, int]]
) -> list[int]:
    """
    An id for each segment: its own where all have one, else near its class's color.

    None is 0, which is black and void.
    """
    own = [segment.said.id for segment in segments]
    taken = {id for id in own if id is not None and 0 < id <= _LAST_ID}
    proper = [id for id in own if id is not None]
    unique = len(set(proper)) == len(proper) and len(taken) == len(proper)
    used = set(taken) if unique else set()
    found = []
    for segment, id in zip(segments, own, strict=True):
        if unique and id is not None:
            found.append(id)
            continue
        fresh = next(x for x in _near(colors[segment.class_id]) if x not in used)
        used.add(fresh)
        found.append(fresh)
    return found


def _near(color: tuple[int, int, int]) -> Iterator[int]:
    """
    Numbers from 1 on, those of colors like *color* first.
    """
    start = pack_rgb(color)
    for step in range(_LAST_ID + 1):
        # Steps in all three channels, so that neighbors can be told by eye.
        moved = (start + step * 0x030507) & _LAST_ID
        if moved:
            yield moved


def writer(path: Path, collection: Collection) -> _Writer:
    """
    What writes *collection* to the folder *path*.

    Raises:
        ArgumentError: If the folder is not empty.
    """
    return _Writer(OutputFolder(path), collection)
