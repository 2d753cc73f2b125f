"""
What becomes of a version when frames are added, updated or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from framekit.dataset.compaction import with_tail_merged
from framekit.dataset.frame_set import Place
from framekit.dataset.incoming import Incoming, as_document, as_incoming
from framekit.dataset.manifest import Manifest
from framekit.dataset.shard_builder import ShardBuilder
from framekit.dataset.store import Store, as_draft
from framekit.errors import ArgumentError, DocumentError
from framekit.frame import FrameGroup, SingleFrame
from framekit.frame.values import as_names
from framekit.problem import Problem, Severity

__all__ = ["added", "as_field_paths", "deleted", "updated"]

#: How many frames are looked up at once.
_BATCH: Final = 4096

Outcome = tuple[Manifest, list[Problem]]


def added(store: Store, manifest: Manifest, frames: Iterable[Any]) -> Outcome:
    """
    Add *frames*; one with the id of a frame that is there replaces it.

    Returns:
        The new manifest, and a problem for each frame that could not be added.

    Raises:
        StorageError: If a file cannot be read or written.
    """
    builder = store.builder()
    problems: list[Problem] = []
    for number, frame in enumerate(frames):
        if isinstance(frame, Problem):
            problems.append(frame)
            continue
        try:
            _add(builder, as_incoming(frame))
        except DocumentError as error:
            problems.append(_problem(error, number, frame))
    return _with_shards(store, manifest, builder), problems


def updated(
    store: Store,
    manifest: Manifest,
    frames: Iterable[Any],
    without_fields: Sequence[Sequence[str]] = (),
) -> Outcome:
    """
    Merge *frames* into those that have their ids.

    Args:
        without_fields: What is removed from the stored frames first: keys, and
            keys within objects.

    Returns:
        The new manifest, and a problem for each frame that could not be updated.

    Raises:
        StorageError: If a file cannot be read or written.
    """
    known = store.frames(manifest)
    builder = store.builder()
    problems: list[tuple[int, Problem]] = []
    numbered = enumerate(frames)
    while batch := list(islice(numbered, _BATCH)):
        changes: list[tuple[int, str, dict[str, Any]]] = []
        for number, frame in batch:
            if isinstance(frame, Problem):
                problems.append((number, frame))
                continue
            try:
                changes.append((number, *_change_of(frame)))
            except DocumentError as error:
                problems.append((number, _problem(error, number, frame)))
        places = known.locate([id for _, id, _ in changes])
        for number, id, change in changes:
            try:
                stored = known.read(_place(places, id)).value
                for path in without_fields:
                    _remove(stored, path)
                _add(builder, as_incoming(_merged(stored, change)))
            except DocumentError as error:
                problems.append((number, _problem(error, number, {"id": id})))
    return _with_shards(store, manifest, builder), _in_order(problems)


def deleted(store: Store, manifest: Manifest, frames: Iterable[Any]) -> Outcome:
    """
    Take away *frames*, given by their ids or as frames.

    Returns:
        The new manifest, and a problem for each that the version does not have.

    Raises:
        StorageError: If a file cannot be read.
    """
    known = store.frames(manifest)
    before = frozenset(manifest.deleted)
    gone = set(before)
    problems: list[tuple[int, Problem]] = []
    numbered = enumerate(frames)
    while batch := list(islice(numbered, _BATCH)):
        ids: dict[int, str] = {}
        for number, frame in batch:
            try:
                ids[number] = frame if isinstance(frame, str) else _id_of(frame)
            except DocumentError as error:
                problems.append((number, _problem(error, number, frame)))
        places = known.locate(list(dict.fromkeys(ids.values())))
        for number, id in ids.items():
            try:
                _place(places, id)
                gone.add(id)
            except DocumentError as error:
                problems.append((number, _problem(error, number, {"id": id})))
    if gone != before:
        manifest = as_draft(manifest, deleted=tuple(sorted(gone)))
    return manifest, _in_order(problems)


def as_field_paths(fields: Iterable[str]) -> list[list[str]]:
    """
    Names like ``"meta.velocity"`` as keys.

    Raises:
        ArgumentError: If a frame could not be without one.
    """
    names = as_names(
        fields, argument="without_fields", what="keys", example="meta.velocity"
    )
    paths = [name.split(".") for name in names]
    for name, path in zip(names, paths, strict=True):
        if path[0] == "metadata":
            path[0] = "meta"
        if "" in path or path[0] == "id" or path == ["sources"]:
            reason = f"a frame cannot be without {name!r}"
            raise ArgumentError("without_fields", reason)
    return paths


def _place(places: Mapping[str, Place], id: str) -> Place:
    if id not in places:
        reason = f"the version has no frame {id!r}"
        raise DocumentError("$.id", reason, "unknown-frame-id")
    return places[id]


def _in_order(problems: list[tuple[int, Problem]]) -> list[Problem]:
    return [problem for _, problem in sorted(problems, key=lambda pair: pair[0])]


def _add(builder: ShardBuilder, frame: Incoming) -> None:
    before = builder.find(frame.id)
    if before is None:
        builder.add(*frame)
    elif before != frame.line:
        reason = (
            f"a frame before it has the id {frame.id!r} too, and is another; "
            "the first was stored"
        )
        raise DocumentError("$.id", reason, "duplicate-frame-id")


def _with_shards(store: Store, manifest: Manifest, builder: ShardBuilder) -> Manifest:
    builder.flush()
    if not builder.shards:
        return manifest
    gone = tuple(id for id in manifest.deleted if builder.find(id) is None)
    shards = (*manifest.shards, *builder.shards)
    return with_tail_merged(store, as_draft(manifest, shards=shards, deleted=gone))


def _change_of(frame: Any) -> tuple[str, dict[str, Any]]:
    document = as_document(frame)
    id = _id_of(document)
    if isinstance(frame, (SingleFrame, FrameGroup)) and not document["sources"]:
        # An object that only carries what is to change.
        del document["sources"]
    document["id"] = id
    return id, document


def _id_of(frame: Any) -> str:
    document = as_document(frame)
    id = document.get("id")
    if id is None and document.get("sources"):
        id = as_incoming(frame).id
    if not isinstance(id, str) or not id:
        raise DocumentError("$.id", "the frame needs an id", "missing-key")
    return id


def _merged(stored: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """
    Objects are merged key by key; all else is replaced, lists as a whole.
    """
    merged = dict(stored)
    for key, value in change.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merged(before, value)
        else:
            merged[key] = value
    return merged


def _remove(document: dict[str, Any], path: Sequence[str]) -> None:
    inner: Any = document
    for key in path[:-1]:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(path[-1], None)


def _problem(error: DocumentError, number: int, frame: Any) -> Problem:
    id = frame.get("id") if isinstance(frame, dict) else getattr(frame, "id", None)
    return Problem(
        code=error.code,
        severity=Severity.ERROR,
        message=error.reason,
        at=error.at,
        document=f"frames[{number}]",
        frame=id if isinstance(id, str) else None,
    )
