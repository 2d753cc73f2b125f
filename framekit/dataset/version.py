"""
A dataset version: a set of frames, changed until it is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from attrs import evolve

from framekit.dataset import changes, compaction
from framekit.dataset.documents import Target
from framekit.dataset.frame_set import FrameSet, StoredFrame
from framekit.dataset.frame_statistics import Statistics, statistics_of
from framekit.dataset.labels import sources_of
from framekit.dataset.manifest import Manifest, file_name, now
from framekit.dataset.query import Filter, LabelRule, MappingRule, Order, Output, Query
from framekit.dataset.records import Record, read_values
from framekit.dataset.snapshot import publish_as
from framekit.dataset.store import Store
from framekit.dataset.version_facts import VersionFacts
from framekit.errors import ArgumentError, DocumentError, StorageError
from framekit.frame import SingleFrame
from framekit.frame.values import as_names
from framekit.problem import Problem

__all__ = ["DatasetVersion"]


class DatasetVersion(VersionFacts):
    """
    A version of a dataset, as it was when it was got or last changed from here.

    What a change returns from is on disk: a crash later takes nothing back, and
    a crash within leaves the version as it was before.
    """

    def __init__(self, store: Store, manifest: Manifest) -> None:
        """
        For ``Dataset.get_version`` and ``create_version``.
        """
        super().__init__(store, manifest)
        self._found: FrameSet | None = None

    def __repr__(self) -> str:
        root = str(self.store.root)
        return f"<DatasetVersion {self.name!r} ({self.status}) of {root!r}>"

    # -- changing the frames

    def add_frames(self, frames: Iterable[Any]) -> list[Problem]:
        """
        Add *frames*; one with the id of a frame that is there replaces it.

        A frame without an id gets one that is made from what its sources show
        and when, so that the same frame added again is the same frame. Among
        frames of one context and timestamp one that is replaced becomes the last.

        Args:
            frames: SingleFrames, FrameGroups or parsed JSON; problems, such as
                ``Target.frames`` yields, are handed back. They are taken one by
                one. Of two different frames with one id the first is stored.

        Returns:
            A problem for each frame that was not stored, in order; the others
            are stored.

        Raises:
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or a file cannot be
                written; then nothing of *frames* is stored.
        """
        return self._change_frames(changes.added, _as_frames(frames))

    def update_frames(
        self, frames: Iterable[Any], *, without_fields: Iterable[str] = ()
    ) -> list[Problem]:
        """
        Merge *frames* into those with their ids.

        Objects such as ``meta`` are merged key by key, all else that a frame has
        replaces what was there, lists as a whole.

        Args:
            without_fields: What is removed from the stored frames first, like
                ``"rois"`` or ``"meta.velocity"``.

        Returns:
            A problem for each frame that could not be updated, in order.

        Raises:
            ArgumentError: If a frame could not be without one of the fields.
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or a file cannot be read
                or written; then nothing has changed.
        """
        paths = changes.as_field_paths(without_fields)
        change = partial(changes.updated, without_fields=paths)
        return self._change_frames(change, _as_frames(frames))

    def delete_frames(self, frames: Iterable[Any]) -> list[Problem]:
        """
        Take *frames* away, given by their ids or as frames.

        Returns:
            A problem for each that the version does not have, in order.

        Raises:
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or a file cannot be read
                or written; then nothing has changed.
        """
        return self._change_frames(changes.deleted, _as_frames(frames))

    def commit(self) -> None:
        """
        Check the version's shards, leave out what was replaced, and say so.

        Raises:
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or a shard is damaged or
                cannot be written.
        """
        self._change(self._committed)

    def publish(self) -> None:
        """
        Commit the version and make it read-only for good.

        Raises:
            ReadOnlyError: If it is published already.
            StorageError: As :meth:`commit` does.
        """

        def change(manifest: Manifest) -> Manifest:
            committed = self._committed(manifest)
            return evolve(committed, status="published", published=now())

        self._change(change)

    def create_snapshot(
        self, publish_name: str | None = None, child_name: str | None = None
    ) -> DatasetVersion:
        """
        Publish the version under another name and go on in a child.

        Args:
            publish_name: By default ``snapshot`` and the time. This object is
                that version from then on.
            child_name: By default the name that the version had.

        Returns:
            The child, a draft.

        Raises:
            ArgumentError: If there is a version of such a name.
            ReadOnlyError: If the version is published.
            StorageError: As :meth:`commit` does.
        """
        published, child = publish_as(
            self.store, self.name, publish_name, child_name, self._committed
        )
        self._set(published)
        return DatasetVersion(self.store, child)

    # -- reading the frames

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[SingleFrame]:
        """
        Yield the frames by context and timestamp, then as they were added.

        A frame without a context or timestamp stands where its first source
        does. Little is in memory at any time, whatever the number of frames.

        Raises:
            StorageError: If a shard cannot be read, or is damaged.
        """
        return (as_frame(self.frames, stored) for stored in self.frames.ordered())

    @property
    def frames(self) -> FrameSet:
        """
        The stored frames, as parsed JSON with their places.
        """
        if self._found is None:
            self._found = self.store.frames(self._manifest)
        return self._found

    def get_single_frame(self, frame_id: str) -> SingleFrame:
        """
        The frame of that id.

        Raises:
            ArgumentError: If there is none.
            StorageError: If its shard cannot be read, or is damaged.
        """
        for frame in self.get_frames_by_ids([frame_id]):
            return frame
        reason = f"the version {self.name!r} has no frame {frame_id!r}"
        raise ArgumentError("frame_id", reason)

    def get_frames_by_ids(self, ids: Iterable[str]) -> list[SingleFrame]:
        """
        The frames of these ids, in their order; ids of none are left out.

        Raises:
            ArgumentError: If it is no list of text.
            StorageError: If a shard cannot be read, or is damaged.
        """
        names = as_names(ids, argument="ids", what="frame ids", example="a")
        places = self.frames.locate(list(dict.fromkeys(names)))
        found = [places[name] for name in names if name in places]
        return [as_frame(self.frames, self.frames.read(place)) for place in found]

    def get_frames_by_source(self, wildcard: str) -> Iterator[SingleFrame]:
        """
        Yield, in order, the frames with a source whose URI matches *wildcard*.

        Args:
            wildcard: Like ``"s3://bucket/*.jpg"``: ``*`` is any text, ``?`` any
                character, ``[abc]`` one of these.

        Raises:
            StorageError: If a shard cannot be read, or is damaged.
        """
        for stored in self.frames.ordered():
            for source in sources_of(stored.value):
                if fnmatchcase(str(source.get("uri", "")), wildcard):
                    yield as_frame(self.frames, stored)
                    break

    def get_stats(self) -> Statistics:
        """
        Count frames, labels, sources and content types.

        Raises:
            StorageError: If a shard cannot be read, or is damaged.
        """
        return statistics_of(stored.value for stored in self.frames.scan())

    def query(
        self,
        *rules: str | Iterable[str] | LabelRule | Filter,
        mapping: Mapping[Any, str] | Iterable[MappingRule] = (),
        enumeration: Mapping[str, int] | None = None,
        order: Order = "sequential",
        seed: int = 0,
        limit: int | None = None,
        rois: Output = "all_in_frame",
    ) -> Query:
        """
        Choose frames by the labels of their ROIs; see :class:`Query`.

        Raises:
            ArgumentError: If a rule or an option is none.
        """
        return Query.of(
            self.frames,
            rules,
            mapping=mapping,
            enumeration=enumeration,
            order=order,
            seed=seed,
            limit=limit,
            rois=rois,
        )

    def target(self) -> Target:
        """
        The version as what is validated and decoded.
        """
        return Target(
            f"{self.store.root} ({self.name})",
            self.store.root.absolute(),
            self._manifest.document(),
            f"versions/{file_name(self.name)}",
            identity=self._identity,
            read=self._records,
        )

    # -- inside

    def _change_frames(
        self,
        change: Callable[[Store, Manifest, Iterable[Any]], changes.Outcome],
        frames: Iterable[Any],
    ) -> list[Problem]:
        problems: list[Problem] = []

        def changed(manifest: Manifest) -> Manifest:
            after, found = change(self.store, manifest, frames)
            problems.extend(found)
            return after

        self._change(changed)
        return problems

    def _committed(self, manifest: Manifest) -> Manifest:
        if manifest.status == "committed":
            compaction.check(self.store, manifest)
            return manifest
        compact = compaction.compacted(self.store, manifest)
        compaction.check(self.store, compact)
        return evolve(compact, status="committed", committed=now())

    def _set(self, manifest: Manifest) -> None:
        super()._set(manifest)
        self._found = None

    def _identity(self) -> str:
        return self.frames.identity

    def _records(self) -> Iterator[Record]:
        empty = True
        for stored in self.frames.ordered():
            empty = False
            shard = self.frames.shards[stored.place.shard]
            number = stored.place.line + 1
            yield Record(f"{shard.file}:{number}", number, stored.value)
        if empty:
            yield from read_values([])


def as_frame(frames: FrameSet, stored: StoredFrame) -> SingleFrame:
    """
    Build the frame that is *stored* among *frames*.

    Raises:
        StorageError: If it is none.
    """
    try:
        return SingleFrame.from_dict(stored.value)
    except DocumentError as error:
        shard = frames.shards[stored.place.shard]
        place = f"{shard.file}:{stored.place.line + 1}"
        raise StorageError(place, str(error)) from None


def _as_frames(frames: Any) -> Iterable[Any]:
    """
    *frames* as what can be gone through; a single one is meant as such.
    """
    if isinstance(frames, (SingleFrame, Mapping, str, Problem)):
        return [frames]
    if isinstance(frames, Target):
        return frames.frames()
    if not isinstance(frames, Iterable):
        raise ArgumentError("frames", f"expected frames, got {frames!r}")
    return frames
