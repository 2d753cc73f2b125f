"""
Objects of several masks, which may overlap; and what is seen from above.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from attrs import evolve, frozen

from framekit.decoding.label_map import LabelMap
from framekit.errors import ArgumentError
from framekit.segments.components import Connectivity
from framekit.segments.instance import Instance, numbered
from framekit.segments.instances import instances
from framekit.segments.panoptic import NO_INSTANCE, VOID, Panoptic
from framekit.segments.region import Region
from framekit.segments.runs import runs_of
from framekit.segments.segment_class import as_names
from framekit.segments.segmenting import By, as_label_map, regions_of

__all__ = ["Order", "Overlap", "flattened", "overlaps", "seen", "stacked", "visible"]

#: By ``z``; things above stuff; or in the order of the classes, the first lowest.
Order = Literal["z_index", "class_type", "class_order"]


@frozen
class Overlap:
    """
    Two instances that share pixels.
    """

    #: Their places in the list, the lower one first.
    below: int
    above: int

    #: How many pixels they share.
    area: int


def stacked(
    label_maps: Iterable[LabelMap],
    *,
    things: Iterable[str] | None = None,
    connectivity: Connectivity = 8,
    min_area: int = 0,
    by: By = "auto",
) -> list[Instance]:
    """
    List the objects of several masks of one image, the first mask lowest.

    Overlaps are kept: each object has all its pixels, and as *z* the place of its
    mask. Classes are told apart by their labels, the masks may have other palettes.
    Arguments are those of :func:`instances`.

    Raises:
        ArgumentError: If sizes differ, or an argument is refused.
    """
    names = as_names("things", things)
    unknown = set(names)
    found: list[Instance] = []
    class_ids: dict[frozenset[str], int] = {}
    shape: tuple[int, int] | None = None
    for z, each in enumerate(label_maps):
        label_map = as_label_map("label_maps", each)
        if shape is not None and label_map.shape != shape:
            reason = f"mask {z} is {label_map.shape}, the first is {shape}"
            raise ArgumentError("label_maps", reason)
        shape = label_map.shape
        known = set(label_map.palette.labels)
        unknown -= known
        named = [name for name in names if name in known]
        for one in instances(
            label_map,
            connectivity=connectivity,
            min_area=min_area,
            things=named,
            by=by,
        ):
            key = frozenset(one.labels)
            class_id = class_ids.setdefault(key, len(class_ids))
            found.append(evolve(one, z=z, class_id=class_id, id=len(found) + 1))
    if unknown:
        reason = f"no mask has the label(s) {sorted(unknown)}"
        raise ArgumentError("things", reason)
    return numbered(found)


def overlaps(items: Sequence[Instance]) -> list[Overlap]:
    """
    List the pairs that share pixels.

    Raises:
        ArgumentError: If they are of images of several sizes.
    """
    _shape(items)
    found = []
    for second, one in enumerate(items):
        for first, other in enumerate(items[:second]):
            area = one.region.intersection(other.region)
            if area:
                lower, upper = sorted((first, second), key=lambda at: (items[at].z, at))
                found.append(Overlap(lower, upper, area))
    return found


def visible(items: Sequence[Instance], *, order: Order = "z_index") -> list[int]:
    """
    How many pixels of each instance are not covered by one above it.

    Raises:
        ArgumentError: If they are of images of several sizes.
    """
    regions = seen(items, order=order)
    return [0 if region is None else region.area for region in regions]


def seen(items: Sequence[Instance], *, order: Order = "z_index") -> list[Region | None]:
    """
    The pixels of each instance that are not covered by one above it; None without.

    Raises:
        ArgumentError: If they are of images of several sizes.
    """
    upwards = _upwards(items, order)
    if _shape(items) is None:
        return []
    found: list[Region | None] = [item.region for item in items]
    if not _may_overlap(items):
        return found
    top = np.zeros(items[0].region.shape, np.int32)
    for at in upwards:
        top[items[at].region.slices][items[at].mask] = at + 1
    runs = runs_of(top)
    return regions_of(runs, runs.values.astype(np.int64) - 1, len(items))


def flattened(items: Sequence[Instance], *, order: Order = "z_index") -> Panoptic:
    """
    Paint instances over each other; what lies higher hides what lies below.

    Args:
        order: ``"z_index"`` paints by *z*, ``"class_type"`` stuff before things,
            ``"class_order"`` by ascending class id; within that by *z* and the
            order of the list.

    Returns:
        Instances of things numbered within their class in the order of the list;
        those of stuff are one; all else is void.

    Raises:
        ArgumentError: If there are none, or they are of images of several sizes.
    """
    shape = _shape(items)
    if shape is None:
        raise ArgumentError("items", "expected at least one instance")
    labels = np.full(shape, VOID, np.int32)
    numbers = np.full(shape, VOID, np.int32)
    reached: dict[int, int] = {}
    own: list[int] = []
    for one in items:
        reached[one.class_id] = reached.get(one.class_id, 0) + 1
        own.append(NO_INSTANCE if one.thing is False else reached[one.class_id])
    for at in _upwards(items, order):
        one = items[at]
        labels[one.region.slices][one.mask] = one.class_id
        numbers[one.region.slices][one.mask] = own[at]
    crowd = [
        (one.class_id, own[at])
        for at, one in enumerate(items)
        if one.crowd and own[at] != NO_INSTANCE
    ]
    derived = any(one.derived for one in items)
    return Panoptic(labels, numbers, crowd=crowd, derived=derived)


def _upwards(items: Sequence[Instance], order: Any) -> list[int]:
    """
    The places of instances, the lowest first.
    """
    if order == "z_index":
        return sorted(range(len(items)), key=lambda at: items[at].z)
    if order == "class_type":
        return sorted(
            range(len(items)),
            key=lambda at: (items[at].thing is not False, items[at].z),
        )
    if order == "class_order":
        return sorted(
            range(len(items)), key=lambda at: (items[at].class_id, items[at].z)
        )
    reason = f"expected 'z_index', 'class_type' or 'class_order', got {order!r}"
    raise ArgumentError("order", reason)


def _may_overlap(items: Sequence[Instance]) -> bool:
    """
    Whether some pixel is in two instances.
    """
    count = np.zeros(items[0].region.shape, np.uint8)
    for item in items:
        part = count[item.region.slices]
        if part[item.mask].any():
            return True
        part[item.mask] = 1
    return False


def _shape(items: Sequence[Instance]) -> tuple[int, int] | None:
    shapes = {one.region.shape for one in items}
    if len(shapes) > 1:
        reason = f"are of images of several sizes: {sorted(shapes)[:5]}"
        raise ArgumentError("items", reason)
    return next(iter(shapes), None)
