"""
From the arguments of ``add_annotation`` to ROIs.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from framekit.color import as_rgb
from framekit.errors import ArgumentError
from framekit.frame.first_source import FIRST_MASK_ID
from framekit.frame.geometry import (
    Box2D,
    Box3D,
    Ellipse2D,
    KeyPoints2D,
    KeyPoints3D,
    Polygon2D,
    Polygon3D,
)
from framekit.frame.roi import Roi, RoiMask
from framekit.frame.source import Source
from framekit.frame.values import as_id, as_labels, as_mapping, as_names, as_number

__all__ = ["rois_from_arguments"]

_SHAPES = (
    Polygon2D,
    Polygon3D,
    KeyPoints2D,
    KeyPoints3D,
    Box2D,
    Box3D,
    Ellipse2D,
)


@frozen(kw_only=True)
class _Common:
    """
    What all ROIs of one call share.
    """

    labels: tuple[str, ...]
    sources: tuple[str, ...]
    confidence: int | float | None
    id: str | None
    metadata: Mapping[str, Any]

    def roi(self, kind: str | None, **shape: Any) -> Roi:
        mark = {"_type": kind} if kind else {}
        return Roi(
            labels=self.labels,
            sources=self.sources,
            confidence=self.confidence,
            id=self.id,
            metadata={**self.metadata, **mark},
            **shape,
        )


def rois_from_arguments(
    frame_sources: Sequence[Source],
    shapes: Mapping[str, Any],
    *,
    mask_rgb: Any,
    frame_class: Any,
    id: str | None,
    labels: Any,
    confidence: Any,
    metadata: Any,
    mask_id: str | None,
    sources: Any,
) -> list[Roi]:
    """
    Build one ROI for each shape that is given; several share an id.

    Raises:
        ArgumentError: If a value is refused, or there is nothing to annotate.
    """
    given = [cls for cls in _SHAPES if shapes.get(cls.argument) is not None]
    number = len(given) + (mask_rgb is not None)
    addressed = _addressed(frame_sources, sources)
    common = _Common(
        labels=_labels(labels, frame_class, number),
        sources=tuple(source.id for source in addressed),
        confidence=_confidence(confidence),
        id=_shared_id(id, number + (frame_class is not None)),
        metadata=as_mapping(metadata),
    )
    if mask_id is not None and mask_rgb is None:
        raise ArgumentError("mask_id", "goes with mask_rgb, which is missing")
    rois = []
    for cls in given:
        shape = cls.of(shapes[cls.argument])
        rois.append(common.roi(cls.kind, poly=shape.poly))
    if mask_rgb is not None:
        color = as_rgb(mask_rgb, argument="mask_rgb")
        mask = RoiMask(id=_mask_id(addressed, mask_id), value=color)
        rois.append(common.roi(None, mask=mask))
    if frame_class is not None:
        whole = as_labels(frame_class, argument="frame_class")
        rois.append(
            Roi(
                labels=whole,
                sources=common.sources,
                confidence=common.confidence,
                id=common.id,
                metadata=common.metadata,
            )
        )
    elif not number:
        rois.append(common.roi(None))
    return rois


def _labels(labels: Any, frame_class: Any, number: int) -> tuple[str, ...]:
    if labels is None or (not isinstance(labels, str) and len(list(labels)) == 0):
        if number or frame_class is None:
            raise ArgumentError("labels", "expected a list of labels like ['car']")
        return ()
    if frame_class is not None and not number:
        reason = "holds the labels of the whole frame; leave labels out"
        raise ArgumentError("frame_class", reason)
    return as_labels(labels)


def _confidence(value: Any) -> int | float | None:
    if value is None:
        return None
    number = as_number(value, argument="confidence")
    if not 0 <= number <= 1:
        raise ArgumentError("confidence", f"expected 0 to 1, got {number}")
    return number


def _shared_id(id: str | None, number: int) -> str | None:
    if id is not None:
        return as_id(id)
    return uuid.uuid4().hex if number > 1 else None


def _addressed(frame_sources: Sequence[Source], sources: Any) -> list[Source]:
    known = {source.id: source for source in frame_sources}
    if sources is None:
        if len(known) > 1:
            reason = f"the frame has several sources, name some of {list(known)}"
            raise ArgumentError("sources", reason)
        return list(frame_sources)
    names = as_names(sources, argument="sources", what="source ids", example="front")
    for name in names:
        if name not in known:
            reason = f"{name!r} is no source of the frame, which has {list(known)}"
            raise ArgumentError("sources", reason)
    return [known[name] for name in names]


def _mask_id(addressed: Sequence[Source], mask_id: str | None) -> str:
    known = list(dict.fromkeys(id for source in addressed for id in source.mask_ids))
    if mask_id is None:
        if len(known) > 1:
            reason = f"the sources have several masks, name one of {known}"
            raise ArgumentError("mask_id", reason)
        return known[0] if known else FIRST_MASK_ID
    if mask_id not in known:
        has = f"which have {known}" if known else "which have no masks"
        reason = f"{mask_id!r} is no mask of the addressed sources, {has}"
        raise ArgumentError("mask_id", reason)
    return as_id(mask_id, argument="mask_id")
