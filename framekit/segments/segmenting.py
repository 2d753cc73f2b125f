"""
Which runs of a label map belong to which segment: its entries, or its components.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.decoding.label_map import LabelMap
from framekit.errors import ArgumentError
from framekit.segments.components import Connectivity, components_of_runs
from framekit.segments.region import Region
from framekit.segments.runs import Runs, runs_of
from framekit.segments.segment_class import SegmentClass, has_instances

__all__ = ["By", "Segments", "as_label_map", "looked_up", "regions_of", "segments_of"]

#: Entries are instances, connected components are, or what the palette says.
By = Literal["auto", "entries", "components"]


@frozen(eq=False)
class Segments:
    """
    The segments of some classes, ordered by class.
    """

    runs: Runs

    #: For each run its segment, -1 without.
    segment: NDArray[np.int64]

    #: For each segment its class.
    classes: tuple[SegmentClass, ...]

    #: For each segment the id of its entry, -1 when it is a component.
    ids: NDArray[np.int64]

    #: Whether they are components.
    derived: bool

    @property
    def areas(self) -> NDArray[np.int64]:
        """
        Pixels of each segment.
        """
        return _areas(self.runs, self.segment, len(self.classes))


def segments_of(
    label_map: LabelMap,
    classes: Sequence[SegmentClass],
    *,
    wanted: Sequence[SegmentClass],
    connectivity: Connectivity,
    by: By,
) -> Segments:
    """
    Cut the *wanted* classes of a label map into segments.

    Args:
        classes: All classes of its palette.
        by: ``"auto"`` takes entries for segments if a thing has several of them.

    Raises:
        ArgumentError: If *by* is unknown.
    """
    if by not in ("auto", "entries", "components"):
        reason = f"expected 'auto', 'entries' or 'components', got {by!r}"
        raise ArgumentError("by", reason)
    if by == "entries" or (by == "auto" and has_instances(classes)):
        return _by_entries(label_map, wanted)
    return _by_components(label_map, wanted, connectivity)


def looked_up(values: NDArray[Any], table: dict[int, int]) -> NDArray[np.int32]:
    """
    Replace each value by what *table* has for it, -1 where it has nothing.
    """
    keys = np.array(sorted(table), np.int64)
    targets = np.array([table[int(key)] for key in keys], np.int32)
    if not len(keys):
        return np.full(values.shape, -1, np.int32)
    if keys[0] >= 0 and keys[-1] < 1 << 16:
        direct = np.full(int(keys[-1]) + 2, -1, np.int32)
        direct[keys] = targets
        # All other values go to the last place, or by -1 to it.
        if values.dtype.itemsize == 1 and values.dtype.kind == "u":
            whole = np.full(256, -1, np.int32)
            whole[: min(len(direct), 256)] = direct[:256]
            return np.asarray(whole[values])
        return np.asarray(direct[np.clip(values, -1, keys[-1] + 1)])
    places = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
    return np.where(keys[places] == values, targets[places], np.int32(-1))


def regions_of(
    runs: Runs, segment: NDArray[np.int64], count: int
) -> list[Region | None]:
    """
    The pixels of each of *count* segments; None where there are none.
    """
    kept = np.flatnonzero(segment >= 0)
    order = kept[np.argsort(segment[kept], kind="stable")]
    width = max(runs.shape[1], 1)
    row, start = np.divmod(runs.starts[order], width)
    triples = np.stack([row, start, start + runs.lengths[order]], axis=1)
    sizes = np.bincount(segment[kept], minlength=count)
    ends = np.cumsum(sizes)
    begins = ends - sizes
    found: list[Region | None] = [None] * count
    present = np.flatnonzero(sizes)
    if not len(present):
        return found
    left = np.minimum.reduceat(triples[:, 1], begins[present])
    right = np.maximum.reduceat(triples[:, 2], begins[present])
    top, bottom = triples[begins[present], 0], triples[ends[present] - 1, 0] + 1
    boxes = np.stack([left, top, right, bottom], axis=1).tolist()
    for place, bounds in zip(present.tolist(), boxes, strict=True):
        part = triples[begins[place] : ends[place]]
        found[place] = Region(runs.shape, part, bounds=tuple(bounds))
    return found


def as_label_map(argument: str, value: Any) -> LabelMap:
    """
    Return *value* if it is a label map.

    Raises:
        ArgumentError: If it is something else.
    """
    if not isinstance(value, LabelMap):
        reason = f"expected a LabelMap, got {type(value).__name__}"
        raise ArgumentError(argument, reason)
    return value


def _by_entries(label_map: LabelMap, wanted: Sequence[SegmentClass]) -> Segments:
    pairs = [(one, id) for one in wanted for id in one.ids]
    runs = runs_of(label_map.ids)
    table = {id: place for place, (_, id) in enumerate(pairs)}
    segment = looked_up(runs.values, table).astype(np.int64)
    ids = np.array([id for _, id in pairs], np.int64)
    return Segments(runs, segment, tuple(one for one, _ in pairs), ids, derived=False)


def _by_components(
    label_map: LabelMap, wanted: Sequence[SegmentClass], connectivity: Connectivity
) -> Segments:
    table = {id: place for place, one in enumerate(wanted) for id in one.ids}
    if len(table) > len(wanted):
        runs = runs_of(looked_up(label_map.ids, table))
        place = runs.values.astype(np.int64)
    else:
        runs = runs_of(label_map.ids)
        place = looked_up(runs.values, table).astype(np.int64)
    found, count = components_of_runs(runs, place >= 0, connectivity)
    place_of = np.zeros(count, np.int64)
    place_of[found[place >= 0]] = place[place >= 0]
    order = np.argsort(place_of, kind="stable")
    position = np.empty(count + 1, np.int64)
    position[order] = np.arange(count)
    position[-1] = -1
    classes = tuple(wanted[index] for index in place_of[order].tolist())
    ids = np.full(count, -1, np.int64)
    return Segments(runs, position[found], classes, ids, derived=True)


def _areas(runs: Runs, segment: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    kept = segment >= 0
    weights = runs.lengths[kept]
    # Sums of whole numbers below 2**53 are exact in floats.
    return np.bincount(segment[kept], weights, minlength=count).astype(np.int64)
