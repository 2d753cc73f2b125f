"""
Keeping the shards of a version few, and free of frames that it has not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import evolve

from framekit.dataset.frame_set import FrameSet
from framekit.dataset.identity import sort_key
from framekit.dataset.manifest import Manifest, Shard
from framekit.dataset.shard_builder import SHARD_BYTES, SHARD_FRAMES
from framekit.dataset.store import Store

__all__ = ["check", "compacted", "with_tail_merged"]


def with_tail_merged(store: Store, manifest: Manifest) -> Manifest:
    """
    Merge the last shards of *manifest* while they are no larger than those behind.

    Frames that come one by one thus end up in few shards, and each is written
    again only about as often as their number can be doubled.
    """
    own = manifest.shards
    start = len(own)
    total = 0
    while start and (total == 0 or own[start - 1].frames <= total):
        if total + own[start - 1].frames > SHARD_FRAMES // 2:
            break
        start -= 1
        total += own[start].frames
    if len(own) - start < 2:
        return manifest
    frames = store.frames(manifest)
    merged = _rewritten(store, frames, _numbers(frames, manifest, start, len(own)))
    return evolve(manifest, shards=(*own[:start], *merged))


def compacted(store: Store, manifest: Manifest) -> Manifest:
    """
    Drop from the shards of *manifest* what it has not, and merge small ones.

    Of the ids that it has not, only those of its parent's frames are kept.

    Raises:
        StorageError: If a shard cannot be read or written, or is damaged.
    """
    frames = store.frames(manifest)
    own = manifest.shards
    first = len(frames.shards) - len(own)
    deleted = frames.ids_among(manifest.deleted, range(first))
    kept: list[Shard] = []
    start = 0
    while start < len(own):
        end = start
        while end < len(own) and _is_loose(frames, first + end):
            end += 1
        run = range(first + start, first + end)
        if len(run) > 1 or any(not frames.live[number].all() for number in run):
            kept += _rewritten(store, frames, run)
        else:
            kept += own[start:end]
        if end < len(own):
            kept.append(own[end])
        start = end + 1
    return evolve(manifest, shards=tuple(kept), deleted=tuple(sorted(deleted)))


def _is_loose(frames: FrameSet, number: int) -> bool:
    """
    Whether a shard has frames that do not count, or only few.
    """
    live = frames.live[number]
    shard = frames.shards[number]
    small = shard.frames < SHARD_FRAMES // 4 and _size(frames, number) < _SMALL
    return small or not live.all()


_SMALL: Final = SHARD_BYTES // 4


def _size(frames: FrameSet, number: int) -> int:
    ends = frames.files.index(frames.shards[number]).ends
    return int(ends[-1]) if len(ends) else 0


def _numbers(frames: FrameSet, manifest: Manifest, start: int, end: int) -> range:
    first = len(frames.shards) - len(manifest.shards)
    return range(first + start, first + end)


def _rewritten(store: Store, frames: FrameSet, numbers: Iterable[int]) -> list[Shard]:
    builder = store.builder()
    for frame in frames.ordered(numbers):
        builder.add(frame.value["id"], sort_key(frame.value), frame.line)
    builder.flush()
    return builder.shards


def check(store: Store, manifest: Manifest) -> None:
    """
    Compare the shards of *manifest* with their hashes.

    Raises:
        StorageError: If one cannot be read, or is damaged.
    """
    for shard in manifest.shards:
        store.files.check(shard)
