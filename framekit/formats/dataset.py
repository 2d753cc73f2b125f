"""
Dataset versions: a collection becomes a new version, a version a collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from framekit.dataset import open_target
from framekit.dataset.dataset import DATASET_FILE, Dataset
from framekit.formats import frames
from framekit.formats.collection import Collection
from framekit.formats.frame_writing import (
    FrameMaker,
    colors_of_version,
    version_metadata_of,
)
from framekit.formats.item import Item
from framekit.formats.output import OutputFolder, safe_name
from framekit.formats.writer import Added
from framekit.problem import Problem

__all__ = ["LOSSES", "detect", "read", "writer"]

LOSSES: Final = frames.LOSSES


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    return 1.0 if (path / DATASET_FILE).is_file() else 0.0


def read(path: Path, *, version: str | None = None, **options: Any) -> Collection:
    """
    Read a version of the dataset in the folder *path*.

    Args:
        version: By default the newest that is published, or the newest.
        options: Those of ``frames.collection_of``.

    Raises:
        StorageError: If a file cannot be read.
        ArgumentError: If there is no such version.
    """
    return frames.collection_of(open_target(path, version), **options)


class _Writer:
    """
    Makes a new version of a dataset, which is made if it is not there.
    """

    def __init__(self, path: Path, collection: Collection, version: str | None) -> None:
        if (path / DATASET_FILE).is_file():
            self._dataset = Dataset.open(path)
        else:
            OutputFolder(path)
            self._dataset = Dataset.create(path)
        wanted = version or self._free_name(safe_name(collection.format))
        self._version = self._dataset.create_version(wanted)
        self._collection = collection
        # Beside the media of other versions, which may have items of the same names.
        media = f"media/{safe_name(wanted)}"
        folder = OutputFolder(path, may_exist=True)
        self._maker = FrameMaker(folder, collection, media=media)

    def _free_name(self, name: str) -> str:
        taken = set(self._dataset.version_names)
        numbered = (f"{name}-{n}" for n in range(2, len(taken) + 3))
        return next(each for each in (name, *numbered) if each not in taken)

    def add(self, item: Item) -> Added:
        return Added(self._maker.frame(item), item.problems)

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        labels = self._maker.mask_labels()
        for mask in labels:
            self._version.set_masks_labels(colors_of_version(labels, mask), mask)
        self._version.set_metadata(version_metadata_of(self._collection))
        return [*self._version.add_frames(records), *self._maker.problems()]


def writer(
    path: Path, collection: Collection, *, version: str | None = None
) -> _Writer:
    """
    What makes *collection* a version of the dataset in the folder *path*.

    Args:
        version: The name of the new version; by default that of the format.

    Raises:
        ArgumentError: If the folder has something else in it, or the version is
            there already.
        StorageError: If it cannot be written.
    """
    return _Writer(path, collection, version)
