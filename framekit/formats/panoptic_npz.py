"""
NumPy files with [L, Z] for each pixel: ``panoptic`` (H, W, 2) int32, void -1.

Z is 1, 2, … for the objects of a class and 0 for stuff. ``crowd`` lists the [L, Z] that
stand for several objects. ``classes.json`` says what the classes are.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from framekit.errors import MissingFileError, StorageError, UnreadableMaskError
from framekit.formats.collection import Collection
from framekit.formats.input import dropped_values, one_by_one, read_json
from framekit.formats.item import Item
from framekit.formats.mask_files import write_bytes
from framekit.formats.output import OutputFolder
from framekit.formats.pairs import channels_of, item_from_pairs
from framekit.formats.picture import pictures_in
from framekit.formats.segments_of_item import segmented
from framekit.formats.voc_layout import picture_of
from framekit.formats.writer import Added
from framekit.palette import Palette, PaletteEntry
from framekit.problem import Problem

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = (
    "Where objects overlap, only the highest is kept; the pixels are counted.",
    "Objects are numbered anew within their class; confidence and metadata are lost.",
)

_TABLE: Final = "classes.json"
_IMAGES: Final = "images"
_NAMES: Final = ("panoptic", "arr_0")


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    if path.is_file():
        return 0.5 if path.suffix in (".npz", ".npy") else 0.0
    if not path.is_dir() or not _files_in(path):
        return 0.0
    return 0.95 if (path / _TABLE).is_file() else 0.5


def _files_in(path: Path) -> dict[str, Path]:
    if path.is_file():
        return {path.stem: path}
    found = [*path.rglob("*.npz"), *path.rglob("*.npy")]
    return {
        file.relative_to(path).with_suffix("").as_posix(): file
        for file in sorted(found)
    }


@frozen(eq=False)
class _Source:
    """
    What the items of a folder have in common.
    """

    classes: Palette
    pictures: dict[str, Path]


def read(path: Path, *, palette: Palette | None = None) -> Collection:
    """
    Read a folder of ``.npz`` or ``.npy`` files, or one of them.

    Args:
        palette: In place of ``classes.json``; its ids are L. Without either, classes
            are called after their number, which takes reading all files.

    Raises:
        StorageError: If a file cannot be read.
        DocumentError: If ``classes.json`` is not what it should be.
    """
    files = _files_in(path)
    root = path if path.is_dir() else path.parent
    if palette is None and (root / _TABLE).is_file():
        palette = Palette.from_dict(read_json(root / _TABLE), shared="first")
    classes = palette or _classes_in(files)
    source = _Source(classes, pictures_in(root / _IMAGES))
    return Collection(
        name=path.absolute().stem,
        format="panoptic-npz",
        classes=classes,
        batches=one_by_one(
            partial(_read_item, source),
            [(name, (name, file)) for name, file in files.items()],
        ),
        count=len(files),
    )


def _classes_in(files: dict[str, Path]) -> Palette:
    present: set[int] = set()
    objects: set[int] = set()
    for file in files.values():
        pairs, _ = _arrays_in(file)
        labels, numbers = pairs[:, :, 0], pairs[:, :, 1]
        present.update(np.unique(labels[labels >= 0]).tolist())
        objects.update(np.unique(labels[(labels >= 0) & (numbers > 0)]).tolist())
    return Palette(
        PaletteEntry(id=id, index=id, labels=str(id), thing=id in objects)
        for id in sorted(present)
    )


def _arrays_in(file: Path) -> tuple[NDArray[Any], list[tuple[int, int]]]:
    """
    [L, Z] as (H, W, 2), and the pairs that are crowds.
    """
    arrays = _loaded(file)
    name = next((name for name in _NAMES if name in arrays), "")
    if not name and len(arrays) == 1:
        name = next(iter(arrays))
    if not name:
        reason = f"expected an array called 'panoptic', there are {sorted(arrays)[:9]}"
        raise UnreadableMaskError(str(file), reason)
    pairs = arrays[name]
    if pairs.ndim == 4 and pairs.shape[0] == 1:
        pairs = pairs[0]
    whole = pairs.dtype.kind in "iu"
    if pairs.ndim != 3 or pairs.shape[2] != 2 or not whole or not pairs.size:
        reason = (
            f"expected [L, Z] of whole numbers, (H, W, 2), got {pairs.shape} "
            f"{pairs.dtype}"
        )
        raise UnreadableMaskError(str(file), reason)
    if int(pairs.max()) >= 2**31 or int(pairs.min()) < -(2**31):
        raise UnreadableMaskError(str(file), "has values beyond 32 bits")
    crowd = arrays.get("crowd", np.zeros((0, 2), np.int32))
    if crowd.ndim != 2 or crowd.shape[1] != 2 or crowd.dtype.kind not in "iu":
        reason = f"expected crowds as pairs [L, Z], got {crowd.shape} {crowd.dtype}"
        raise UnreadableMaskError(str(file), reason)
    return pairs, [(int(one), int(other)) for one, other in crowd.tolist()]


#: What NumPy, zipfile and zlib raise for damaged files; RuntimeError is for what is
#: encrypted, or compressed in other ways.
_NO_ARRAYS: Final = (
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
)


def _loaded(file: Path) -> dict[str, NDArray[Any]]:
    try:
        # Opened here, because np.load leaves files open that it refuses.
        with file.open("rb") as data:
            found = np.load(data, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return {"panoptic": found}
            with found:
                return {name: found[name] for name in found.files}
    except FileNotFoundError:
        raise MissingFileError(str(file), "no such file") from None
    except _NO_ARRAYS as error:
        raise UnreadableMaskError(str(file), f"no NumPy file: {error}") from None
    except MemoryError:
        raise UnreadableMaskError(str(file), "not enough memory") from None
    except OSError as error:
        raise StorageError(str(file), error.strerror or str(error)) from None


def _read_item(source: _Source, key: tuple[str, Path]) -> Item:
    name, file = key
    pairs, crowd = _arrays_in(file)
    values = np.maximum(pairs[:, :, 0], -1).astype(np.int32)
    ids = {entry.id: entry.id for entry in source.classes if entry.id is not None}
    item, unknown = item_from_pairs(
        name, values, pairs[:, :, 1].astype(np.int32), source.classes, ids, crowd=crowd
    )
    item = evolve(item, picture=picture_of(source.pictures.get(name), f"{name}.jpg"))
    if unknown:
        found = dropped_values(name, unknown, "classes that the table lacks")
        item = evolve(item, problems=(*item.problems, found))
    return item


class _Writer:
    """
    Writes ``NAME.npz``, ``images/`` and ``classes.json``.
    """

    def __init__(self, folder: OutputFolder, collection: Collection) -> None:
        self._folder = folder
        self._classes = collection.classes

    def add(self, item: Item) -> Added:
        name = self._folder.claim(item)
        found = segmented(item, self._classes)
        ids = {one.class_id: one.class_id for one in found.segments}
        labels, numbers = channels_of(found, ids, -1)
        crowd = [
            [
                int(labels[one.region.runs[0, 0], one.region.runs[0, 1]]),
                int(numbers[one.region.runs[0, 0], one.region.runs[0, 1]]),
            ]
            for one in found.segments
            if one.crowd
        ]
        file = io.BytesIO()
        np.savez_compressed(
            file,
            panoptic=np.stack([labels, numbers], axis=2),
            crowd=np.array(crowd, np.int32).reshape(-1, 2),
        )
        write_bytes(self._folder.path / f"{name}.npz", file.getvalue())
        if item.picture is not None and item.picture.exists:
            item.picture.save(self._folder.path / _IMAGES / name)
        return Added(None, found.item.problems)

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        del records
        self._folder.write_json(_TABLE, self._classes.to_dict())
        return ()


def writer(path: Path, collection: Collection) -> _Writer:
    """
    What writes *collection* to the folder *path*.

    Raises:
        ArgumentError: If the folder is not empty.
    """
    return _Writer(OutputFolder(path), collection)
