"""
Items from and to two maps: a class and the number of an instance for each pixel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.formats.classes import entries_with_ids
from framekit.formats.item import Item
from framekit.formats.mask_files import classes_of_values
from framekit.formats.segments_of_item import Segmented
from framekit.palette import Palette
from framekit.segments import Instance
from framekit.segments.runs import runs_of
from framekit.segments.segmenting import looked_up, regions_of

__all__ = ["channels_of", "item_from_pairs"]


def item_from_pairs(
    name: str,
    values: NDArray[Any],
    numbers: NDArray[Any],
    classes: Palette,
    ids: Mapping[int, int],
    *,
    crowd: Iterable[tuple[int, int]] = (),
    first: int = 1,
) -> tuple[Item, dict[int, int]]:
    """
    The item whose pixels have the classes *values* and the instances *numbers*.

    Args:
        values: (H, W): -1 is void.
        numbers: (H, W): *first* and above for objects, less for none.
        ids: The class id of each value.
        crowd: Values with numbers that stand for several objects.
        first: The first number of an object; of things only, where it is 0.

    Returns:
        The item, and the values that have no class, with their pixels.
    """
    labels, unknown = classes_of_values(values.astype(np.int64), {-1: -1, **ids})
    runs = runs_of(values, numbers)
    number = numbers.reshape(-1)[runs.starts].astype(np.int64)
    label = labels.reshape(-1)[runs.starts].astype(np.int64)
    told = number > 0
    if first == 0:
        things = {
            id: int(entry.thing is True) for id, entry in entries_with_ids(classes)
        }
        told |= (number == 0) & (looked_up(label, things) > 0)
    kept = np.flatnonzero((label >= 0) & told)
    pairs, place = np.unique(
        np.stack([runs.values[kept].astype(np.int64), number[kept]], axis=1),
        axis=0,
        return_inverse=True,
    )
    segment = np.full(len(runs.values), -1, np.int64)
    segment[kept] = place.reshape(-1)
    several = set(crowd)
    objects: list[Instance] = []
    regions = regions_of(runs, segment, len(pairs))
    for (value, count), region in zip(pairs.tolist(), regions, strict=True):
        if region is not None:
            entry = classes[ids[value]]
            objects.append(
                Instance(
                    id=len(objects) + 1,
                    labels=entry.labels,
                    region=region,
                    class_id=ids[value],
                    thing=entry.thing,
                    crowd=(value, count) in several,
                )
            )
    shape = (labels.shape[0], labels.shape[1])
    item = Item(name=name, shape=shape, labels=labels, objects=tuple(objects))
    return item, unknown


def channels_of(
    found: Segmented, ids: Mapping[int, int], void: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """
    Two maps, (H, W): a class of *ids*, and the number of an instance.

    Objects count from 1 within their class in the order of their list; all else has
    0, and pixels that are void have *void* in both.
    """
    reached: dict[int, int] = {}
    kinds, numbers = [], []
    for one in found.segments:
        kind = ids[one.class_id]
        kinds.append(kind)
        # A crowd is a region of its own, too, or it would be stuff.
        if one.instance is None and not one.crowd:
            numbers.append(0)
            continue
        reached[kind] = reached.get(kind, 0) + 1
        numbers.append(reached[kind])
    return found.painted(kinds, void, np.int32), found.painted(numbers, void, np.int32)
