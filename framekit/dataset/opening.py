"""
Versions by the path of their dataset, and anything else as if it were one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from framekit.dataset.dataset import DATASET_FILE, Dataset
from framekit.dataset.documents import Target, open_documents
from framekit.dataset.folder_import import state_facts
from framekit.dataset.version import DatasetVersion
from framekit.errors import ArgumentError
from framekit.problem import Problem

__all__ = ["is_dataset", "open_target", "opened_version"]


def is_dataset(path: Any) -> bool:
    """
    Whether *path* is the folder of a dataset.
    """
    is_path = isinstance(path, (str, os.PathLike))
    return is_path and (Path(path) / DATASET_FILE).is_file()


def open_target(target: Any, version: str | None = None) -> Target:
    """
    Find out what *target* is and how its frames are read.

    Args:
        target: A frame, the parsed JSON of a frame or of ``{"frames": [...]}``, an
            iterable of frames, a Dataset or DatasetVersion, or the path of a
            dataset, a frames folder, a JSON file or a JSON Lines file.
        version: The name of a dataset's version; by default its newest that is
            published, or its newest.

    Raises:
        MissingFileError: If there is no such file, or no frames in the folder.
        StorageError: If it cannot be read.
        ArgumentError: If it is none of these, or has no such version.
    """
    if is_dataset(target):
        target = Dataset.open(target)
    if isinstance(target, Dataset):
        return target.get_version(version).target()
    if version is not None:
        raise ArgumentError("version", "only datasets have versions")
    if isinstance(target, DatasetVersion):
        return target.target()
    return open_documents(target)


@contextmanager
def opened_version(
    target: Any, name: str | None = None
) -> Iterator[tuple[DatasetVersion, tuple[Problem, ...]]]:
    """
    *target* as a version; what is none becomes one for the time being.

    Args:
        target: A DatasetVersion, a Dataset or the path of one, or whatever
            :func:`open_target` takes.
        name: Which version of a dataset.

    Yields:
        The version, and problems for the frames that could not be read.

    Raises:
        ArgumentError: If it is none of these, or has no such version.
        StorageError: If it cannot be read.
    """
    if isinstance(target, DatasetVersion):
        yield target, ()
        return
    if is_dataset(target):
        target = Dataset.open(target)
    if isinstance(target, Dataset):
        yield target.get_version(name), ()
        return
    if name is not None:
        raise ArgumentError("version", "only datasets have versions")
    opened = open_documents(target)
    document = opened.version if isinstance(opened.version, Mapping) else {}
    with tempfile.TemporaryDirectory(prefix="framekit-") as folder:
        version = Dataset.create(folder).create_version("current")
        problems = [*opened.problems, *state_facts(version, document)]
        problems += version.add_frames(opened.frames())
        yield version, tuple(problems)
