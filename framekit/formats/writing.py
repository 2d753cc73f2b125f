"""
Writing collections, frames and versions in any format.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from framekit.dataset import Target, open_target
from framekit.dataset.dataset import DATASET_FILE, Dataset
from framekit.dataset.opening import is_dataset
from framekit.dataset.version import DatasetVersion
from framekit.errors import ArgumentError
from framekit.formats.collection import Collection
from framekit.formats.conversion import Conversion, convert
from framekit.formats.frames import collection_of
from framekit.formats.output import OutputFolder
from framekit.formats.reading import checked, read
from framekit.formats.registry import format_of

__all__ = ["as_collection", "import_frames", "write"]


def write(
    version: Any,
    /,
    path: str | os.PathLike[str],
    format: str,
    *,
    executor: Executor | None = None,
    progress: Callable[[int], object] | None = None,
    **options: Any,
) -> Conversion:
    """
    Write a data set in another format.

    Args:
        version: A `DatasetVersion`, a `Dataset` or the path of one, a frames folder,
            frames, or a :class:`Collection`.
        path: The folder to write to, which must be new or empty; a dataset gets a
            new version.
        format: One of :data:`FORMATS`.
        executor: Threads that read and write; without it this one does.
        progress: Called with the number of items that are done, again and again.
        options: Those of the format.

    Returns:
        How many items were written, and everything that deserves a look.

    Raises:
        ArgumentError: If a value is refused, or the folder is not empty.
        StorageError: If a file cannot be read or written.
    """
    chosen = format_of(format)
    collection = as_collection(version)
    kept = checked(chosen, chosen.writer, options)
    writer = chosen.writer(Path(path), collection, **kept)
    return convert(collection, writer, executor=executor, progress=progress)


def as_collection(version: Any) -> Collection:
    """
    *version*, whatever it is, as a collection.

    Raises:
        ArgumentError: If it is nothing that has frames.
        StorageError: If it cannot be read.
    """
    if isinstance(version, Collection):
        return version
    if isinstance(version, Dataset):
        version = version.get_version()
    if isinstance(version, DatasetVersion):
        return collection_of(version.target())
    if isinstance(version, (str, os.PathLike)):
        return read(version)
    target: Target = open_target(version)
    return collection_of(target)


def import_frames(source: Path, path: Path, version: str | None = None) -> Conversion:
    """
    Make a frames folder a version of a dataset, its frames and media as they are.

    Raises:
        ArgumentError: If *path* has something else in it, or the version is there.
        StorageError: If a file cannot be read or written.
    """
    if is_dataset(source):
        reason = "a dataset is no frames folder; write another format, or copy it"
        raise ArgumentError("source", reason)
    if (path / DATASET_FILE).is_file():
        made = Dataset.open(path)
    else:
        OutputFolder(path)
        made = Dataset.create(path)
    found, problems = made.import_folder(source, version)
    return Conversion(len(found.frames), len(problems), tuple(problems))
