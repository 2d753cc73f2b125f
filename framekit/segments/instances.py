"""
The objects of a label map, or of a panoptic one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from framekit.decoding.label_map import LabelMap
from framekit.errors import ArgumentError
from framekit.palette import Palette, PaletteEntry
from framekit.segments.components import Connectivity, as_connectivity
from framekit.segments.instance import Instance, numbered
from framekit.segments.panoptic import NO_INSTANCE, Panoptic
from framekit.segments.runs import runs_of
from framekit.segments.segment_class import SegmentClass, classes_of
from framekit.segments.segmenting import By, as_label_map, regions_of, segments_of

__all__ = ["instances"]


def instances(
    source: LabelMap | Panoptic,
    *,
    connectivity: Connectivity = 8,
    min_area: int = 0,
    things: Iterable[str] | None = None,
    by: By = "auto",
) -> list[Instance]:
    """
    List the objects, ordered by class and within it by id or in reading order.

    A class is a thing if *things* names it, if the palette says so, or if several
    entries have its labels. If no class is known to be a thing, all are listed that
    are not known to be stuff. Where several entries of a thing share their labels,
    each entry is one instance; else each connected component is one, marked
    *derived*: objects that touch are then one, and one that is cut in two is two.

    Args:
        connectivity: 8 joins pixels that share a corner, 4 those that share an edge.
        min_area: Leave out what has fewer pixels.
        things: Labels whose classes are things, whatever the palette says.
        by: ``"entries"`` or ``"components"`` decides what instances are. Like the
            three before it, not for panoptic ones, which have theirs.

    Raises:
        ArgumentError: If an argument is refused.
    """
    connectivity = as_connectivity(connectivity)
    if isinstance(min_area, bool) or not isinstance(min_area, int) or min_area < 0:
        reason = f"expected a number of pixels, 0 or more, got {min_area!r}"
        raise ArgumentError("min_area", reason)
    if isinstance(source, Panoptic):
        if things is not None or by != "auto":
            reason = "a Panoptic has its things and instances; leave out things and by"
            raise ArgumentError("source", reason)
        return _of_panoptic(source, min_area)
    label_map = as_label_map("source", source)
    classes = classes_of(label_map.palette, things=things)
    wanted = [one for one in classes if one.thing] or [
        one for one in classes if one.thing is None
    ]
    found = segments_of(
        label_map, classes, wanted=wanted, connectivity=connectivity, by=by
    )
    small = found.areas < max(min_area, 1)
    segment = np.where(np.append(small, np.True_)[found.segment], -1, found.segment)
    regions = regions_of(found.runs, segment, len(found.classes))
    items: list[Instance] = []
    for one, id, region in zip(found.classes, found.ids.tolist(), regions, strict=True):
        if region is not None:
            entry = label_map.palette[one.id if id < 0 else id]
            number = len(items) + 1 if id < 0 else id
            items.append(_instance(one, entry, number, region, derived=found.derived))
    return numbered(items)


def _instance(
    one: SegmentClass, entry: PaletteEntry, id: int, region: Any, *, derived: bool
) -> Instance:
    # What is said of an entry that is a whole class is not said of its components.
    metadata: Mapping[str, Any] = {} if derived else entry.metadata
    return Instance(
        id=id,
        labels=one.labels,
        region=region,
        class_id=one.id,
        thing=one.thing,
        derived=derived,
        score=_score(entry, metadata),
        pdf=_pdf(entry, metadata),
        metadata=metadata,
    )


def _of_panoptic(source: Panoptic, min_area: int) -> list[Instance]:
    runs = runs_of(source.labels, source.instances)
    number = source.instances.reshape(-1)[runs.starts]
    kept = np.flatnonzero((runs.values >= 0) & (number > NO_INSTANCE))
    pairs, place = np.unique(
        np.stack([runs.values[kept], number[kept]], axis=1),
        axis=0,
        return_inverse=True,
    )
    segment = np.full(len(runs.values), -1, np.int64)
    segment[kept] = place.reshape(-1)
    regions = regions_of(runs, segment, len(pairs))
    names = _names(source.palette)
    found = [
        Instance(
            id=order,
            labels=names.get(label, (str(label),)),
            region=region,
            class_id=label,
            thing=True,
            derived=source.derived,
            crowd=(label, instance) in source.crowd,
        )
        for order, ((label, instance), region) in enumerate(
            zip(pairs.tolist(), regions, strict=True), 1
        )
        if region is not None and region.area >= min_area
    ]
    return numbered(found)


def _names(palette: Palette | None) -> dict[int, tuple[str, ...]]:
    if palette is None:
        return {}
    return {entry.id: entry.labels for entry in palette if entry.id is not None}


def _score(entry: PaletteEntry, metadata: Mapping[str, Any]) -> float | None:
    value = metadata.get("confidence")
    if value is None:
        return None
    if not _is_share(value):
        reason = f"the confidence of {entry.name!r} is not from 0 to 1: {value!r}"
        raise ArgumentError("palette", reason)
    return float(value)


def _pdf(
    entry: PaletteEntry, metadata: Mapping[str, Any]
) -> Mapping[str, float] | None:
    value = metadata.get("pdf")
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(
        _is_share(share) for share in value.values()
    ):
        reason = f"the pdf of {entry.name!r} is not {{label: 0 to 1}}: {value!r}"
        raise ArgumentError("palette", reason)
    return {str(label): float(share) for label, share in value.items()}


def _is_share(value: Any) -> bool:
    number = isinstance(value, Real) and not isinstance(value, bool)
    return number and 0 <= float(value) <= 1
