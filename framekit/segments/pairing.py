"""
One panoptic view from two masks: one of classes, one of instances.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.image.arrays import ensure_label_array
from framekit.decoding.label_map import VOID_INT32, LabelMap
from framekit.errors import ArgumentError
from framekit.segments.panoptic import NO_INSTANCE, Panoptic
from framekit.segments.runs import runs_of
from framekit.segments.segment_class import classes_of
from framekit.segments.segmenting import as_label_map, looked_up

__all__ = ["paired"]

_SHOWN: Final = 5

Conflict = Literal["error", "majority", "split"]


def paired(
    semantic_map: LabelMap,
    instance_map: LabelMap | Any,
    *,
    background: str | int | None = None,
    conflict: Conflict = "error",
) -> Panoptic:
    """
    Give each instance of one mask the class that another mask has there.

    Pixels of instances are things, their class comes from *semantic_map*; pixels
    without an instance are stuff. Where the semantic map is void, so is the result.

    Args:
        instance_map: A label map whose ids are instances, or (H, W) of whole numbers.
        background: What means no instance: a label or id of the instance map, or a
            value of the array; by default the label ``"background"`` where the map
            has it, and the value 0 of an array. Void pixels have no instance, either.
        conflict: What to do about an instance that covers several classes: refuse,
            let each have its own instance (``"split"``), or take the class with
            the most pixels for all of it (``"majority"``).

    Returns:
        Classes as in ``semantic(semantic_map)``; instances numbered within their
        class, by ascending value in *instance_map*.

    Raises:
        ArgumentError: If sizes differ, an instance covers several classes, or an
            argument is refused.
    """
    if conflict not in ("error", "majority", "split"):
        reason = f"expected 'error', 'majority' or 'split', got {conflict!r}"
        raise ArgumentError("conflict", reason)
    source = as_label_map("semantic_map", semantic_map)
    values = _instance_values(instance_map, background)
    if values.shape != source.shape:
        reason = f"is {values.shape}, the semantic map is {source.shape}"
        raise ArgumentError("instance_map", reason)
    classes = classes_of(source.palette)
    runs = runs_of(source.ids, values)
    table = {id: one.id for one in classes for id in one.ids}
    labels = looked_up(runs.values, table)
    number = values.reshape(-1)[runs.starts]
    kept = (labels != VOID_INT32) & (number >= 0)
    pairs, place = np.unique(
        np.stack([number[kept], labels[kept].astype(np.int64)], axis=1),
        axis=0,
        return_inverse=True,
    )
    place = place.reshape(-1)
    weights = runs.lengths[kept].astype(np.float64)
    areas = np.bincount(place, weights, minlength=len(pairs))
    chosen = _chosen(pairs, areas, conflict, {one.id: one.name for one in classes})
    labels[kept] = chosen[place]
    found = np.where(labels == VOID_INT32, VOID_INT32, NO_INSTANCE).astype(np.int32)
    found[kept] = _numbers(pairs[:, 0], chosen)[place]
    shape = source.shape
    return Panoptic(
        np.repeat(labels, runs.lengths).reshape(shape),
        np.repeat(found, runs.lengths).reshape(shape),
        palette=source.palette,
    )


def _instance_values(
    instance_map: LabelMap | Any, background: str | int | None
) -> NDArray[np.int64]:
    """
    The instance of each pixel, -1 where there is none.
    """
    if isinstance(instance_map, LabelMap):
        palette = instance_map.palette
        none: list[int] = [instance_map.void]
        if isinstance(background, str):
            none += palette.ids_of(background)
        elif background is not None:
            none.append(background)
        elif "background" in palette.labels:
            none += palette.ids_of("background")
        values = instance_map.ids.astype(np.int64)
    else:
        if isinstance(background, str):
            reason = f"an array has values, no labels like {background!r}"
            raise ArgumentError("background", reason)
        none = [0 if background is None else background]
        array = ensure_label_array(instance_map)
        if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
            raise ArgumentError("instance_map", "has values beyond 63 bits")
        values = array.astype(np.int64)
        if values.size and int(values.min()) < 0:
            none += np.unique(values[values < 0]).tolist()
    for value in none:
        values[values == value] = -1
    return values


def _chosen(
    pairs: NDArray[np.int64],
    areas: NDArray[Any],
    conflict: Conflict,
    names: dict[int, str],
) -> NDArray[np.int32]:
    """
    The class of each pair of instance and class.
    """
    labels = pairs[:, 1].astype(np.int32)
    if not len(pairs) or conflict == "split":
        return labels
    several = np.flatnonzero(np.bincount(_ranks(pairs[:, 0])) > 1)
    if not len(several):
        return labels
    instance = _ranks(pairs[:, 0])
    if conflict == "error":
        first = np.flatnonzero(instance == several[0])
        covered = ", ".join(
            f"{names[int(labels[at])]} ({int(areas[at])} pixels)"
            for at in first[:_SHOWN]
        )
        reason = (
            f"{len(several)} instance(s) cover several classes, "
            f"{int(pairs[first[0], 0])} covers {covered}; "
            f"choose conflict='majority' or 'split'"
        )
        raise ArgumentError("instance_map", reason)
    # Largest last; of equal areas the smaller class last.
    order = np.lexsort((-labels, areas))
    best = np.zeros(int(instance.max()) + 1, np.int32)
    best[instance[order]] = labels[order]
    return best[instance]


def _ranks(values: NDArray[np.int64]) -> NDArray[np.int64]:
    ranks: NDArray[np.int64] = np.unique(values, return_inverse=True)[1].reshape(-1)
    return ranks


def _numbers(
    instance: NDArray[np.int64], labels: NDArray[np.int32]
) -> NDArray[np.int32]:
    """
    Number pairs from 1 within their class; those of one instance and class alike.
    """
    reached: dict[int, dict[int, int]] = {}
    found = np.zeros(len(labels), np.int32)
    for at, (value, label) in enumerate(
        zip(instance.tolist(), labels.tolist(), strict=True)
    ):
        members = reached.setdefault(label, {})
        found[at] = members.setdefault(value, len(members) + 1)
    return found
