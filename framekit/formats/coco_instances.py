"""
COCO instances: a JSON file with objects as run lengths or polygons.

Objects may overlap. Run lengths go down the columns; polygons become pixels by
COCO's own rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from attrs import evolve, frozen

from framekit.errors import ArgumentError, DocumentError
from framekit.formats.coco_polygon import coco_mask
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
from framekit.formats.input import array_of, one_by_one
from framekit.formats.item import Item, noted
from framekit.formats.output import OutputFolder
from framekit.formats.segments_of_item import with_objects
from framekit.formats.sniffing import json_keys
from framekit.formats.writer import Added
from framekit.palette import Palette
from framekit.problem import Problem, Severity
from framekit.segments import Instance, Region, from_rle
from framekit.segments.polygons import to_coco_polygons

__all__ = ["LOSSES", "Form", "detect", "read", "writer"]

LOSSES: Final = (
    "Only objects are kept: stuff, and whether a pixel is void, are lost.",
    "Polygons are read as pixels, by COCO's rule; corners between pixels are lost.",
    "Polygons that would not give their pixels back, as with holes, are run lengths.",
    "Class ids are one higher where one of them is 0, which is no category.",
    "Ids of objects are given anew where two have one, or one is 0.",
    "Keypoints, captions and boxes without pixels are not read.",
)

#: How objects are written.
Form = Literal["rle", "polygons"]

_KEYS: Final = frozenset(
    {
        "id",
        "image_id",
        "category_id",
        "iscrowd",
        "area",
        "bbox",
        "segmentation",
        "score",
    }
)


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    wanted = {"images", "annotations", "categories"}
    for keys in json_keys(path):
        if wanted <= keys and "segments_info" not in keys and "bbox" in keys:
            return 0.97 if "segmentation" in keys else 0.4
    return 0.0


def read(path: Path) -> Collection:
    """
    Read a COCO JSON file of objects, or the folder with it and its pictures.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If the JSON is not what it should be.
    """
    document, value, classes, images = read_document(
        path, ("annotations", "images", "categories")
    )
    name = document.name
    required = ("image_id", "category_id")
    annotations = array_of(value, "annotations", name, required)
    by_image: dict[Any, list[tuple[int, dict[str, Any]]]] = {
        image["id"]: [] for image in images
    }
    problems = []
    for n, one in enumerate(annotations):
        if as_key(one["image_id"], f"{name}:$.annotations[{n}].image_id") in by_image:
            by_image[one["image_id"]].append((n, one))
            continue
        at = f"$.annotations[{n}].image_id"
        message = f"there is no image {one['image_id']!r}"
        problems.append(
            Problem("dangling-id", Severity.ERROR, message, at=at, document=name)
        )
    source = _Source(name, classes, tuple(picture_folders(document)))
    keys = [
        (PurePosixPath(str(one["file_name"])).stem, (one, by_image[one["id"]]))
        for one in images
    ]
    return Collection(
        name=document.stem,
        format="coco-instances",
        classes=classes,
        batches=one_by_one(partial(_read_item, source), keys),
        count=len(keys),
        metadata=top_level(value),
        problems=tuple(problems),
    )


@frozen(eq=False)
class _Source:
    """
    What the items of a document have in common.
    """

    name: str
    classes: Palette
    pictures: tuple[Path, ...]


def _read_item(
    source: _Source,
    key: tuple[Mapping[str, Any], list[tuple[int, dict[str, Any]]]],
) -> Item:
    image, annotations = key
    at = f"{source.name}: image {image['id']}"
    shape = shape_of(image, at)
    item = Item(
        name=name_of(image["file_name"], f"{at}.file_name"),
        shape=shape,
        picture=find_picture(image, source.pictures),
        metadata={"image_id": image["id"], **metadata_of(image)},
    )
    objects = []
    for z, (n, one) in enumerate(annotations):
        at = f"{source.name}:$.annotations[{n}]"
        category = as_number(one["category_id"], f"{at}.category_id")
        try:
            entry = source.classes[category]
        except IndexError:
            reason = f"there is no category {category}"
            raise DocumentError(f"{at}.category_id", reason, "dangling-id") from None
        region = _region_of(one.get("segmentation"), shape, f"{at}.segmentation")
        if region is None:
            item = noted(item, "object-without-pixels", f"{at} has no pixels; left out")
            continue
        objects.append(
            Instance(
                id=as_number(one.get("id", n + 1), f"{at}.id"),
                labels=entry.labels,
                region=region,
                class_id=category,
                thing=entry.thing,
                crowd=bool(one.get("iscrowd", 0)),
                score=one.get("score"),
                z=z,
                metadata={k: v for k, v in one.items() if k not in _KEYS},
            )
        )
    return evolve(item, objects=tuple(objects))


def _region_of(value: Any, shape: tuple[int, int], at: str) -> Region | None:
    """
    The pixels of a segmentation, None without any.
    """
    try:
        if isinstance(value, Mapping):
            if value.get("size") != list(shape):
                reason = f"is of {value.get('size')!r:.40}, the image is {list(shape)}"
                raise DocumentError(at, reason, "mask-size-mismatch")
            mask = from_rle(value)
        elif isinstance(value, list):
            mask = coco_mask(value, shape)
        elif value is None:
            return None
        else:
            reason = f"expected run lengths or polygons, got {value!r:.40}"
            raise DocumentError(at, reason, "wrong-type")
    except ArgumentError as error:
        raise DocumentError(at, error.reason, "bad-geometry") from None
    return Region.of_mask(mask) if mask.any() else None


class _Writer:
    """
    Writes ``instances.json`` and ``images/``.
    """

    def __init__(
        self, folder: OutputFolder, collection: Collection, form: Form
    ) -> None:
        self._folder = folder
        self._collection = collection
        self._form = form
        self._categories, self._category_of = categories_of(
            collection.classes, panoptic=False
        )

    def add(self, item: Item) -> Added:
        name = self._folder.claim(item)
        item = with_objects(item, self._collection.classes, things=False)
        listed = []
        solid = 0
        for one in sorted(item.objects or (), key=lambda each: each.z):
            segmentation = self._segmentation(one)
            solid += self._form == "polygons" and isinstance(segmentation, dict)
            listed.append(self._listed(one, segmentation))
        if solid:
            message = (
                f"{solid} object(s) are run lengths: no polygon gives their pixels"
            )
            item = noted(item, "rle-for-polygon", message, severity=Severity.INFO)
        record, problems = image_record(item, self._folder, name)
        return Added((record, listed), problems)

    def _segmentation(self, one: Instance) -> Any:
        if one.crowd:
            # As COCO has it, and what its tools expect of crowds.
            return one.rle(counts="numbers")
        if self._form == "polygons":
            try:
                polygons = to_coco_polygons(one.region)
            except ArgumentError:
                return one.rle()
            if (coco_mask(polygons, one.region.shape) == one.full_mask()).all():
                return polygons
        return one.rle()

    def _listed(self, one: Instance, segmentation: Any) -> dict[str, Any]:
        left, top, right, bottom = one.region.bounds
        found = dict(one.metadata)
        if one.score is not None:
            found["score"] = one.score
        found |= {
            "id": one.id,
            "category_id": self._category_of[one.class_id],
            "segmentation": segmentation,
            "area": one.area,
            "bbox": [left, top, right - left, bottom - top],
            "iscrowd": int(one.crowd),
        }
        return found

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        number_images([record for record, _ in records])
        annotations = [
            {**one, "image_id": record["id"]}
            for record, listed in records
            for one in listed
        ]
        ids = [one["id"] for one in annotations]
        if len(set(ids)) != len(ids) or 0 in ids:
            # COCO's are unique in the file, and its scores take 0 for no match.
            for number, one in enumerate(annotations, 1):
                one["id"] = number
        document = {
            **top_level(self._collection.metadata),
            "images": [record for record, _ in records],
            "annotations": annotations,
            "categories": self._categories,
        }
        self._folder.write_json("instances.json", document)
        return ()


def writer(path: Path, collection: Collection, *, form: Form = "rle") -> _Writer:
    """
    What writes *collection* to the folder *path*.

    Args:
        form: ``"rle"`` is exact; ``"polygons"`` where a polygon gives the same
            pixels.

    Raises:
        ArgumentError: If the folder is not empty, or *form* is neither.
    """
    if form not in ("rle", "polygons"):
        raise ArgumentError("form", f"expected 'rle' or 'polygons', got {form!r}")
    return _Writer(OutputFolder(path), collection, form)
