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
from framekit.dataset.documents import Target, open_target
from framekit.dataset.folder_import import state_facts
from framekit.dataset.version import DatasetVersion
from framekit.errors import ArgumentError
from framekit.problem import Problem

__all__ = ["is_dataset", "opened_version", "target_of"]


def is_dataset(path: Any) -> bool:
    """
    Whether *path* is the folder of a dataset.
    """
    is_path = isinstance(path, (str, os.PathLike))
    return is_path and (Path(path) / DATASET_FILE).is_file()


def target_of(path: str | os.PathLike[str], version: str | None = None) -> Target:
    """
    A version of the dataset in *path* as what is validated and decoded.

    Args:
        version: Its name; by default the newest that is published, or the newest.

    Raises:
        MissingFileError: If there is no dataset.
        ArgumentError: If it has no such version, or none at all.
        StorageError: If it cannot be read.
    """
    return Dataset.open(path).get_version(version).target()


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
    opened = open_target(target)
    document = opened.version if isinstance(opened.version, Mapping) else {}
    with tempfile.TemporaryDirectory(prefix="framekit-") as folder:
        version = Dataset.create(folder).create_version("current")
        problems = [*opened.problems, *state_facts(version, document)]
        problems += version.add_frames(opened.frames())
        yield version, tuple(problems)
