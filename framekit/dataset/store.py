"""
The folder of a dataset, for all that read and change its versions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from framekit.dataset import shard_files
from framekit.dataset.compression import Compression
from framekit.dataset.durable import remove_leftovers
from framekit.dataset.frame_set import FrameSet
from framekit.dataset.lock import writing
from framekit.dataset.manifest import (
    Manifest,
    chain_of,
    read_manifest,
    version_names,
    write_manifest,
)
from framekit.dataset.shard_builder import ShardBuilder
from framekit.dataset.shard_files import ShardFiles
from framekit.errors import ReadOnlyError, StorageError

__all__ = ["Store", "as_draft"]

#: How many shards may fall into disuse before they are looked for and removed.
_UNUSED: Final = 64


class Store:
    """
    One dataset's folder: its manifests, its shards and its lock.
    """

    def __init__(self, root: Path, compression: Compression = None) -> None:
        """
        Look at the dataset in *root*; new shards are written with *compression*.
        """
        self.root = root
        self.compression = compression
        self.files = ShardFiles(root)
        self._unused = 0

    def manifest(self, name: str) -> Manifest:
        """
        Read the manifest of the version called *name*.

        Raises:
            MissingFileError: If there is no such version.
            StorageError: If it cannot be read, or is none.
        """
        return read_manifest(self.root, name)

    def frames(self, manifest: Manifest) -> FrameSet:
        """
        The frames of a version.

        Raises:
            StorageError: If the manifest of an ancestor cannot be read.
        """
        return FrameSet(self.files, chain_of(self.root, manifest))

    def builder(self) -> ShardBuilder:
        """
        Collects frames for new shards.
        """
        return ShardBuilder(self.files, self.compression)

    def change(self, name: str, change: Callable[[Manifest], Manifest]) -> Manifest:
        """
        Replace the manifest of a version by what *change* makes of it.

        Nothing has changed until this returns, and then all has: new shards are
        mentioned nowhere before the manifest is.

        Raises:
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or a file cannot be read
                or written.
        """
        with writing(self.root):
            before = self.manifest(name)
            if before.status == "published":
                raise ReadOnlyError(name)
            self.files.created = []
            try:
                after = change(before)
                if after != before:
                    write_manifest(self.root, after)
            except BaseException:
                self._undo(before)
                raise
            self._unused += len(set(before.shards) - set(after.shards))
            if self._unused >= _UNUSED or after.status != before.status != "committed":
                self.collect()
        return after

    def collect(self) -> None:
        """
        Remove shards that no version has, and what dead writers left unfinished.

        Only for a writer. Where a manifest cannot be read nothing is removed.
        """
        self._unused = 0
        folder = self.root / shard_files.FOLDER
        remove_leftovers(folder)
        remove_leftovers(self.root / "versions")
        remove_leftovers(self.root)
        try:
            used = {
                shard.file
                for name in version_names(self.root)
                for shard in self.manifest(name).shards
            }
        except StorageError:
            return
        kept = {Path(file).name for file in used}
        kept |= {shard_files.index_name(file) for file in used}
        for path in folder.iterdir():
            if path.name not in kept and path.suffix in _OURS:
                path.unlink(missing_ok=True)

    def _undo(self, before: Manifest) -> None:
        """
        Remove the shards of a change that failed, unless it was carried out yet.
        """
        try:
            if self.manifest(before.name) != before:
                return
        except StorageError:
            return
        for path in self.files.created:
            path.unlink(missing_ok=True)
            path.with_name(shard_files.index_name(path.name)).unlink(missing_ok=True)
            self.files.forget(f"{shard_files.FOLDER}/{path.name}")


_OURS: Final = frozenset({".jsonl", ".gz", ".zst", ".index"})


def as_draft(manifest: Manifest, **changes: Any) -> Manifest:
    """
    *manifest* with *changes* to its frames, which are yet to be committed.
    """
    return evolve(manifest, status="draft", committed=None, **changes)
