"""
What differs between two versions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit import _json
from framekit.dataset.frame_set import FrameSet, Place, StoredFrame
from framekit.dataset.identity import sort_key
from framekit.dataset.labels import labels_of, rois_of
from framekit.dataset.mask_label_diff import MaskLabelChange, mask_label_changes
from framekit.dataset.opening import opened_version
from framekit.dataset.version import DatasetVersion
from framekit.problem import Problem

__all__ = ["Diff", "FrameChange", "LabelChange", "diff"]


@frozen
class FrameChange:
    """
    A frame that both versions have, and that differs.
    """

    id: str

    #: JSON paths of what differs, like ``$.rois[0].label``. A list whose length
    #: differs is named as a whole.
    keys: tuple[str, ...]


@frozen
class LabelChange:
    """
    How many ROIs lost a label and how many gained it.
    """

    removed: int
    added: int


@frozen(kw_only=True)
class Diff:
    """
    What has to happen to one version to make it the other.
    """

    #: Ids of frames that only the second has, in its order.
    added: tuple[str, ...]

    #: Ids of frames that only the first has, in its order.
    removed: tuple[str, ...]

    #: Frames that differ, in the order of the first.
    changed: tuple[FrameChange, ...]

    #: By label, of all ROIs that frames lost or gained.
    labels: Mapping[str, LabelChange] = field(hash=False)
    mask_labels: tuple[MaskLabelChange, ...]

    #: Keys of the versions' metadata whose values differ.
    metadata: tuple[str, ...]

    #: Frames that are the same in both.
    unchanged: int

    #: Frames that could not be read, where something else than versions is compared.
    problems: tuple[Problem, ...] = ()

    def __bool__(self) -> bool:
        """
        Whether anything differs.
        """
        return bool(
            self.added
            or self.removed
            or self.changed
            or self.mask_labels
            or self.metadata
        )

    def to_dict(self) -> dict[str, Any]:
        """
        Return the differences as JSON values.
        """
        return {
            "same": not self,
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": [
                {"id": change.id, "keys": list(change.keys)} for change in self.changed
            ],
            "unchanged": self.unchanged,
            "labels": {
                label: {"removed": change.removed, "added": change.added}
                for label, change in self.labels.items()
            },
            "mask_labels": [change.to_dict() for change in self.mask_labels],
            "metadata": list(self.metadata),
            "problems": [problem.to_dict() for problem in self.problems],
        }


def diff(a: Any, b: Any) -> Diff:
    """
    Compare two versions, *a* before and *b* after.

    Shards that both have are not read.

    Args:
        a: A DatasetVersion or Dataset, or whatever :func:`open_target` takes.
        b: The same.

    Raises:
        ArgumentError: If one is none of these, or its ``mask_labels`` are none.
        StorageError: If a file cannot be read, or is damaged.
    """
    with ExitStack() as stack:
        before, problems = stack.enter_context(opened_version(a))
        after, more = stack.enter_context(opened_version(b))
        return _difference(before, after, (*problems, *more))


def changed_keys(before: Any, after: Any, at: str = "$") -> Iterator[str]:
    """
    Yield the JSON paths at which two values differ.
    """
    if _json.dumps(before) == _json.dumps(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            inner = _json.join(at, key)
            if key not in before or key not in after:
                if before.get(key) is not None or after.get(key) is not None:
                    yield inner
            else:
                yield from changed_keys(before[key], after[key], inner)
    elif (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
    ):
        for n, pair in enumerate(zip(before, after, strict=True)):
            yield from changed_keys(*pair, f"{at}[{n}]")
    elif not _is_same(before, after):
        yield at


def _is_same(before: Any, after: Any) -> bool:
    return bool(before == after) and isinstance(before, bool) is isinstance(after, bool)


#: A frame that is in one version only, or differs: where it is, its id's hash.
_ENTRY: Final = np.dtype(
    [("high", "<u8"), ("low", "<u8"), ("shard", "<u4"), ("line", "<u4")]
)


def _difference(
    before: DatasetVersion, after: DatasetVersion, problems: tuple[Problem, ...]
) -> Diff:
    old, new = before.frames, after.frames
    left, right = _entries(old, new), _entries(new, old)
    only_left, only_right, both = _matched(left, right)
    both = both[_line_differs(old, new, left, right, both)]
    removed_labels: Counter[str] = Counter()
    added_labels: Counter[str] = Counter()
    removed = []
    for stored in _read(old, left[only_left]):
        removed.append((_order(stored), stored.value["id"]))
        removed_labels += _labels(stored)
    added = []
    for stored in _read(new, right[only_right]):
        added.append((_order(stored), stored.value["id"]))
        added_labels += _labels(stored)
    changed = []
    for n, m in both.tolist():
        first = old.read(Place(*left[["shard", "line"]][n].item()))
        second = new.read(Place(*right[["shard", "line"]][m].item()))
        keys = tuple(changed_keys(first.value, second.value))
        if keys:
            changed.append((_order(first), FrameChange(first.value["id"], keys)))
            removed_labels += _labels(first) - _labels(second)
            added_labels += _labels(second) - _labels(first)
    return Diff(
        added=_sorted(added),
        removed=_sorted(removed),
        changed=_sorted(changed),
        labels={
            label: LabelChange(removed_labels[label], added_labels[label])
            for label in sorted({*removed_labels, *added_labels})
        },
        mask_labels=mask_label_changes(
            before.manifest.document(), after.manifest.document()
        ),
        metadata=_metadata_keys(before, after),
        unchanged=len(old) - len(removed) - len(changed),
        problems=problems,
    )


def _entries(frames: FrameSet, others: FrameSet) -> NDArray[Any]:
    """
    The frames that do not stand at the same place among the *others*.
    """
    elsewhere = {shard.blake2b: n for n, shard in enumerate(others.shards)}
    parts = [np.empty(0, _ENTRY)]
    for number, shard in enumerate(frames.shards):
        wanted = frames.live[number]
        if shard.blake2b in elsewhere:
            wanted = wanted & ~others.live[elsewhere[shard.blake2b]]
        lines = np.flatnonzero(wanted)
        part = np.empty(len(lines), _ENTRY)
        if len(lines):
            ids = frames.files.index(shard).ids[lines]
            part["high"], part["low"] = ids["high"], ids["low"]
            part["shard"], part["line"] = number, lines
        parts.append(part)
    return np.concatenate(parts)


def _matched(
    left: NDArray[Any], right: NDArray[Any]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """
    Positions only in *left*, only in *right*, and (n, 2) pairs of the same id.
    """
    sides = np.concatenate([left, right])
    order = np.lexsort((np.arange(len(sides)), sides["low"], sides["high"]))
    ranked = sides[order]
    same = (ranked["high"][1:] == ranked["high"][:-1]) & (
        ranked["low"][1:] == ranked["low"][:-1]
    )
    first = np.flatnonzero(same)
    pairs = np.stack([order[first], order[first + 1] - len(left)], axis=1)
    pairs = pairs[np.argsort(pairs[:, 0])]
    only_left = np.setdiff1d(np.arange(len(left)), pairs[:, 0])
    only_right = np.setdiff1d(np.arange(len(right)), pairs[:, 1])
    return only_left, only_right, pairs


def _line_differs(
    old: FrameSet,
    new: FrameSet,
    left: NDArray[Any],
    right: NDArray[Any],
    pairs: NDArray[np.intp],
) -> NDArray[np.bool_]:
    first = _line_hashes(old, left[pairs[:, 0]])
    second = _line_hashes(new, right[pairs[:, 1]])
    return np.asarray(
        (first["high"] != second["high"]) | (first["low"] != second["low"])
    )


def _line_hashes(frames: FrameSet, entries: NDArray[Any]) -> NDArray[Any]:
    hashes = np.empty(len(entries), [("high", "<u8"), ("low", "<u8")])
    for number in np.unique(entries["shard"]).tolist():
        here = entries["shard"] == number
        index = frames.files.index(frames.shards[number])
        hashes[here] = index.lines[entries["line"][here]]
    return hashes


def _read(frames: FrameSet, entries: NDArray[Any]) -> Iterator[StoredFrame]:
    for _, _, shard, line in entries.tolist():
        yield frames.read(Place(shard, line))


def _labels(stored: StoredFrame) -> Counter[str]:
    found: Counter[str] = Counter()
    for names in labels_of(stored.value, rois_of(stored.value)):
        found.update(set(names))
    return found


def _order(stored: StoredFrame) -> Any:
    return sort_key(stored.value), stored.place


def _sorted(items: list[tuple[Any, Any]]) -> tuple[Any, ...]:
    return tuple(item for _, item in sorted(items, key=lambda pair: pair[0]))


def _metadata_keys(before: DatasetVersion, after: DatasetVersion) -> tuple[str, ...]:
    old, new = before.metadata, after.metadata
    old.pop("mask_labels", None)
    new.pop("mask_labels", None)
    return tuple(changed_keys(old, new))
