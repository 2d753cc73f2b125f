"""
A dataset: a folder of versions.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from framekit import _json
from framekit.dataset import shard_files
from framekit.dataset.compression import Compression, as_compression
from framekit.dataset.durable import write_document
from framekit.dataset.folder_import import Media, import_frames
from framekit.dataset.lock import writing
from framekit.dataset.manifest import (
    Manifest,
    as_version_metadata,
    file_name,
    now,
    read_document,
    version_names,
    write_manifest,
)
from framekit.dataset.snapshot import child_of
from framekit.dataset.store import Store
from framekit.dataset.version import DatasetVersion
from framekit.errors import ArgumentError, MissingFileError, StorageError
from framekit.frame.values import as_id, as_names, as_text
from framekit.problem import Problem

__all__ = ["DATASET_FILE", "Dataset"]

#: The file that makes a folder a dataset.
DATASET_FILE: Final = "dataset.json"

_FOLDERS: Final = ("versions", shard_files.FOLDER)


class Dataset:
    """
    A folder of versions: ``dataset.json``, ``versions/``, ``shards/``.

    Relative URIs of its frames start from the folder; ``media/`` is for these.
    """

    def __init__(self, path: Path, document: Mapping[str, Any]) -> None:
        """
        For :meth:`create` and :meth:`open`.
        """
        #: The folder.
        self.path = path
        self._document = dict(document)
        self._store = Store(path, as_compression(document.get("compression")))

    def __repr__(self) -> str:
        return f"<Dataset {self.name!r} in {str(self.path)!r}>"

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        comment: str = "",
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        compression: Compression = None,
    ) -> Self:
        """
        Make the folder *path* a dataset; it may be there already, with media.

        Args:
            name: By default the folder's name.
            compression: How shards are written: "gz", or "zst", which needs the
                extra ``zstd``.

        Raises:
            ArgumentError: If the folder is a dataset already, or a value is none.
            MissingExtraError: If the extra is not installed.
            StorageError: If the folder cannot be written to.
        """
        folder = Path(path)
        document: dict[str, Any] = {
            "name": as_id(folder.absolute().name if name is None else name),
            "created": now(),
        }
        names = as_names(tags, argument="tags", what="tags", example="night")
        optional = {
            "comment": as_text(comment, argument="comment"),
            "tags": list(names),
            "metadata": as_version_metadata(metadata),
            "compression": as_compression(compression),
        }
        document |= {key: value for key, value in optional.items() if value}
        try:
            for inner in _FOLDERS:
                (folder / inner).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(str(folder), error.strerror or str(error)) from None
        with writing(folder):
            if (folder / DATASET_FILE).exists():
                raise ArgumentError("path", f"{folder} is a dataset already; open it")
            write_document(folder / DATASET_FILE, document)
        return cls(folder, document)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """
        Open the dataset in the folder *path*.

        Raises:
            MissingFileError: If it is none.
            MissingExtraError: If its shards need an extra that is not installed.
            StorageError: If it cannot be read.
        """
        folder = Path(path)
        file = folder / DATASET_FILE
        if not file.exists():
            reason = f"no dataset: it has no {DATASET_FILE}"
            raise MissingFileError(str(folder), reason)
        document = read_document(file)
        if not isinstance(document, dict):
            reason = f"expected an object, got {_json.kind(document)}"
            raise StorageError(str(file), reason)
        if not isinstance(document.get("name"), str):
            raise StorageError(str(file), "$.name: expected text")
        try:
            return cls(folder, document)
        except ArgumentError as error:
            raise StorageError(str(file), f"$.{error}") from None

    @property
    def name(self) -> str:
        """
        What the dataset is called.
        """
        return str(self._document["name"])

    @property
    def comment(self) -> str:
        """
        What a person says about the dataset.
        """
        return str(self._document.get("comment") or "")

    @property
    def tags(self) -> tuple[str, ...]:
        """
        Words to find the dataset by.
        """
        return tuple(self._document.get("tags") or ())

    @property
    def metadata(self) -> dict[str, Any]:
        """
        A copy of the dataset's metadata.
        """
        return as_version_metadata(self._document.get("metadata"))

    @property
    def versions(self) -> list[DatasetVersion]:
        """
        The versions, the oldest first.

        Raises:
            StorageError: If a manifest cannot be read.
        """
        manifests = [self._store.manifest(name) for name in self.version_names]
        manifests.sort(key=lambda manifest: (manifest.created or "", manifest.name))
        return [DatasetVersion(self._store, manifest) for manifest in manifests]

    @property
    def version_names(self) -> list[str]:
        """
        The names of the versions, sorted.
        """
        return version_names(self.path)

    def create_version(
        self, name: str, parent: str | DatasetVersion | None = None
    ) -> DatasetVersion:
        """
        Create a version that has the frames of *parent*, or none.

        It also takes over the parent's mask labels and metadata.

        Raises:
            ArgumentError: If there is a version of that name, or the parent is
                not there or not published.
            StorageError: If somebody else is writing, or it cannot be written.
        """
        file_name(name)
        with writing(self.path):
            if name in self.version_names:
                raise ArgumentError("name", f"there is a version {name!r} already")
            if parent is None:
                manifest = Manifest(name=name, created=now())
            else:
                of = parent.name if isinstance(parent, DatasetVersion) else parent
                known = self._manifest(of, argument="parent")
                manifest = child_of(known, name)
            write_manifest(self.path, manifest)
        return DatasetVersion(self._store, manifest)

    def get_version(self, name: str | None = None) -> DatasetVersion:
        """
        The version called *name*.

        Args:
            name: By default the newest that is published, or the newest.

        Raises:
            ArgumentError: If there is none.
            StorageError: If it cannot be read.
        """
        if name is not None:
            return DatasetVersion(self._store, self._manifest(name, argument="name"))
        versions = self.versions
        if not versions:
            raise ArgumentError("name", f"{self.path} has no versions yet")
        published = [version for version in versions if version.published is not None]
        if published:
            return max(published, key=lambda version: version.published or "")
        return versions[-1]

    def delete_version(self, name: str, *, force: bool = False) -> None:
        """
        Delete a version that no other builds on.

        Args:
            force: Also if it is published.

        Raises:
            ArgumentError: If there is none, it has children, or it is published.
            StorageError: If somebody else is writing, or it cannot be removed.
        """
        with writing(self.path):
            manifest = self._manifest(name, argument="name")
            children = [item.name for item in self.versions if item.parent == name]
            if children:
                reason = f"version {name!r} has children: {', '.join(children)}"
                raise ArgumentError("name", reason)
            if manifest.status == "published" and not force:
                reason = f"version {name!r} is published; force=True deletes it still"
                raise ArgumentError("name", reason)
            path = self.path / "versions" / file_name(name)
            try:
                path.unlink()
            except OSError as error:
                raise StorageError(str(path), error.strerror or str(error)) from None
            self._store.collect()

    def import_folder(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        parent: str | DatasetVersion | None = None,
        media: Media = "copy",
    ) -> tuple[DatasetVersion, list[Problem]]:
        """
        Make a frames folder, or a file of frames, a new version, a draft.

        Its mask labels, metadata, tags and comment come along.

        Args:
            name: By default the name that the folder states, or the folder's.
            media: "copy" puts the files that frames name by relative URIs at the
                same place in the dataset's folder; "keep" leaves them alone.

        Returns:
            The version, and a problem for each frame that was not stored.

        Raises:
            ArgumentError: If there is a version of that name, or an option is none.
            MissingFileError: If there is no such folder, or no frames in it.
            StorageError: If a file cannot be read or written.
        """
        return import_frames(self, Path(path), name, parent, media)

    def _manifest(self, name: str, *, argument: str) -> Manifest:
        try:
            return self._store.manifest(name)
        except MissingFileError:
            known = ", ".join(self.version_names) or "none"
            reason = f"no version {name!r}; there are: {known}"
            raise ArgumentError(argument, reason) from None
