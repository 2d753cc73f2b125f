"""
What a frame shows and how it is labeled, read from its JSON.

Nothing here judges a frame: what has not the form that it should have is passed
over, and is told by validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framekit.palette.linking import MaskRoi, link

__all__ = ["labels_of", "masks_of", "rois_of", "sources_of"]

Json = Mapping[str, Any]
Objects = list[dict[str, Any]]


def sources_of(frame: Json) -> Objects:
    """
    The sources of *frame* that have an id.
    """
    return [item for item in _objects(frame.get("sources")) if _is_text(item.get("id"))]


def masks_of(source: Json) -> Objects:
    """
    The masks of *source* that have an id.
    """
    return [item for item in _objects(source.get("masks")) if _is_text(item.get("id"))]


def rois_of(frame: Json) -> Objects:
    """
    The ROIs of *frame*.
    """
    return _objects(frame.get("rois"))


def labels_of(frame: Json, rois: Sequence[Json]) -> list[tuple[str, ...]]:
    """
    The labels of each of *rois*, those of *frame*.

    Where a frame has mask ids and labels exchanged, as the first example of
    ClearML's page has, they are those that are meant.
    """
    labels = [_names(roi.get("label")) for roi in rois]
    ids = [_mask_id(roi) for roi in rois]
    if not any(ids):
        return labels
    masks: dict[str, tuple[str, ...]] = {}
    for source in sources_of(frame):
        found = tuple(mask["id"] for mask in masks_of(source))
        masks[source["id"]] = masks.get(source["id"], ()) + found
    known = {id for found in masks.values() for id in found}
    if known.issuperset(id for id in ids if id is not None):
        return labels
    linking = link(
        masks,
        [
            MaskRoi(n, labels[n], _names(rois[n].get("sources")), id, (0, 0, 0))
            for n, id in enumerate(ids)
            if id is not None
        ],
    )
    if linking.swapped:
        for one in linking.links:
            labels[one.roi] = one.labels
    return labels


def _objects(value: Any) -> Objects:
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def _mask_id(roi: Json) -> str | None:
    mask = roi.get("mask")
    id = mask.get("id") if isinstance(mask, dict) else None
    return id if isinstance(id, str) else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(name for name in value if isinstance(name, str))
