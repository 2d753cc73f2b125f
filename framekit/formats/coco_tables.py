"""
COCO's tables of categories and images, which its two formats share.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from framekit.decoding.image.source import DEFAULT_LIMITS
from framekit.errors import DocumentError, FramekitError, MissingFileError
from framekit.formats.classes import collect, entries_with_ids
from framekit.formats.input import array_of, file_in, read_json
from framekit.formats.item import Item
from framekit.formats.output import OutputFolder
from framekit.formats.picture import Picture
from framekit.palette import Palette, PaletteEntry
from framekit.problem import Problem

__all__ = [
    "CocoImage",
    "as_key",
    "as_number",
    "categories_of",
    "classes_of_categories",
    "documents_in",
    "find_picture",
    "image_record",
    "metadata_of",
    "name_of",
    "number_images",
    "picture_folders",
    "read_document",
    "shape_of",
    "top_level",
]

#: Keys of a category that an entry of a palette has fields for.
_CATEGORY_KEYS: Final = frozenset({"id", "name", "isthing", "color", "labels", "index"})

#: What an image's record says beyond its metadata.
_IMAGE_KEYS: Final = frozenset({"id", "file_name", "width", "height"})

#: What holds for all images.
_TOP: Final = ("info", "licenses")

CocoImage = Mapping[str, Any]


def documents_in(path: Path) -> list[Path]:
    """
    The JSON files that *path*, a file or a folder, holds, those of annotations first.
    """
    if path.is_file():
        return [path] if path.suffix.lower() == ".json" else []
    return sorted(path.glob("*.json")) + sorted(path.glob("annotations/*.json"))


def classes_of_categories(
    categories: Sequence[Mapping[str, Any]], name: str
) -> Palette:
    """
    The classes of a table of *categories*, whose ids are theirs.

    Raises:
        DocumentError: If a category is none; *name* is the file's.
        PaletteError: If ids repeat.
    """
    entries = []
    for n, one in enumerate(categories):
        at = f"{name}:$.categories[{n}]"
        thing = one.get("isthing")
        labels = one.get("labels") or str(one["name"])
        metadata = {k: v for k, v in one.items() if k not in _CATEGORY_KEYS}
        id = as_number(one["id"], f"{at}.id")
        try:
            entry = PaletteEntry(
                id=id,
                index=one.get("index", id),
                color=one.get("color"),
                labels=labels,
                thing=None if thing is None else bool(thing),
                metadata=metadata,
            )
        except FramekitError as error:
            raise DocumentError(at, str(error), "wrong-value") from None
        entries.append(entry)
    return collect(entries, name)


def categories_of(
    classes: Palette, *, panoptic: bool, things: Collection[int] = ()
) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """
    The table of categories, and the category of each class id.

    Ids of classes are those of categories, all one higher where one is 0: for
    COCO's tools 0 is no category.

    Args:
        panoptic: Say of each whether it is a thing, as COCO panoptic does.
        things: Ids of classes that are things unless the table says otherwise.
    """
    pairs = entries_with_ids(classes)
    shift = int(any(id == 0 for id, _ in pairs))
    found = []
    for id, entry in pairs:
        one: dict[str, Any] = dict(entry.metadata)
        one |= {"id": id + shift, "name": entry.name}
        thing = True if entry.thing is None and id in things else entry.thing
        if panoptic or thing is not None:
            one["isthing"] = int(thing is True)
        if entry.color is not None:
            one["color"] = list(entry.color)
        if len(entry.labels) > 1:
            one["labels"] = list(entry.labels)
        if entry.index is not None and entry.index != id + shift:
            one["index"] = entry.index
        one.setdefault("supercategory", "")
        found.append(one)
    return found, {id: id + shift for id, _ in pairs}


def image_record(
    item: Item, folder: OutputFolder, name: str
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """
    Write the picture of *item* to ``images/`` and return its record, without id.

    Raises:
        StorageError: If the picture cannot be read or written.
    """
    record: dict[str, Any] = dict(item.metadata)
    file_name = f"{name}.jpg"
    if item.picture is not None:
        file_name = str(PurePosixPath(name).with_name(item.picture.file_name))
        if item.picture.exists:
            place = folder.path / "images" / name
            saved = item.picture.save(place)
            file_name = saved.relative_to(folder.path / "images").as_posix()
    height, width = item.shape
    record |= {"file_name": file_name, "width": width, "height": height}
    return record, item.problems


def number_images(images: Sequence[dict[str, Any]]) -> None:
    """
    Give records of images the ids they had, where all have one of their own.
    """
    had = [image.pop("image_id", None) for image in images]
    whole = all(isinstance(id, (int, str)) for id in had)
    for number, (image, id) in enumerate(zip(images, had, strict=True), 1):
        image["id"] = id if whole and len(set(had)) == len(had) else number


def top_level(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """
    What a document says about all of its images, as far as it is known.
    """
    return {key: metadata[key] for key in _TOP if key in metadata}


def find_picture(image: CocoImage, folders: Sequence[Path]) -> Picture:
    """
    The picture of an image's record, which need not be there.
    """
    file_name = str(image["file_name"])
    path = file_in(folders, file_name)
    if path is not None:
        return Picture.of_file(path)
    url = image.get("coco_url")
    return Picture(str(url) if url else file_name, exists=False)


def picture_folders(document: Path) -> list[Path]:
    """
    Where the pictures of a COCO document may be.
    """
    root = document.parent
    if root.name == "annotations":
        root = root.parent
    inner = sorted(path for path in root.iterdir() if path.is_dir())
    return [root / "images", root, *inner]


def metadata_of(image: CocoImage) -> dict[str, Any]:
    """
    What an image's record says beyond its id, name and size.
    """
    return {key: value for key, value in image.items() if key not in _IMAGE_KEYS}


def read_document(
    path: Path, required: Sequence[str]
) -> tuple[Path, dict[str, Any], Palette, list[dict[str, Any]]]:
    """
    The first document in *path* that has all of the keys *required*.

    Returns:
        Its path, its value, its classes and its images.

    Raises:
        MissingFileError: If there is none.
        DocumentError: If it is damaged.
    """
    for one in documents_in(path):
        value = read_json(one)
        if isinstance(value, dict) and all(key in value for key in required):
            categories = array_of(value, "categories", one.name, ("id", "name"))
            classes = classes_of_categories(categories, one.name)
            needed = ("id", "file_name", "width", "height")
            images = array_of(value, "images", one.name, needed)
            for n, image in enumerate(images):
                as_key(image["id"], f"{one.name}:$.images[{n}].id")
            return one, value, classes, images
    reason = f"no JSON file with {', '.join(required)}"
    raise MissingFileError(str(path), reason)


def as_key(value: Any, at: str) -> int | str:
    """
    What COCO names images with: whole numbers, and text here and there.

    Raises:
        DocumentError: If it is neither; *at* says where it is.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        reason = f"expected a whole number or text, got {value!r:.40}"
        raise DocumentError(at, reason, "wrong-type")
    return value


def name_of(file_name: Any, at: str) -> str:
    """
    The name of an item from that of its file: without suffix, folders kept.

    Raises:
        DocumentError: If it names no file; *at* says where it is.
    """
    path = PurePosixPath(str(file_name))
    if not path.name.strip("."):
        reason = f"expected the name of a file, got {file_name!r:.40}"
        raise DocumentError(at, reason, "wrong-value")
    return str(path.with_suffix(""))


def shape_of(image: CocoImage, at: str) -> tuple[int, int]:
    """
    Height and width of an image, as its record has them.

    Raises:
        DocumentError: If they are none, or too large; *at* says where it is.
    """
    height = as_number(image["height"], f"{at}.height", least=1)
    width = as_number(image["width"], f"{at}.width", least=1)
    largest = DEFAULT_LIMITS.max_side
    if max(height, width) > largest:
        reason = f"{width} x {height} pixels, the limit is {largest} a side"
        raise DocumentError(at, reason, "wrong-value")
    return height, width


def as_number(value: Any, at: str, *, least: int = 0) -> int:
    """
    A whole number that COCO counts or names with.

    Raises:
        DocumentError: If it is none; *at* says where it is.
    """
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or not least <= value < 2**53:
        reason = f"expected a whole number from {least}, got {value!r:.40}"
        raise DocumentError(at, reason, "wrong-value")
    return int(value)
