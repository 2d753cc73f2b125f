"""
A frame as notebooks show it: what it holds. No file is opened for it.
"""

from __future__ import annotations

from typing import Final

from framekit._markup import markup, printable, swatch, table
from framekit.color import in_range, to_hex
from framekit.frame.roi import Roi
from framekit.frame.single_frame import SingleFrame
from framekit.frame.source import Source

__all__ = ["frame_html"]

_FRAME: Final = "<div><p><b>SingleFrame</b> {{facts}}</p>{{sources}}{{rois}}</div>"
_SOURCE: Final = ("source", "uri", "size", "ms", "masks")
_ROI: Final = ("labels", "region", "sources", "confidence")


def frame_html(frame: SingleFrame) -> str:
    """
    The frame's sources and ROIs as tables.
    """
    facts = [
        printable(str(fact))
        for fact in (
            frame.id,
            frame.context_id,
            None if frame.timestamp is None else f"{frame.timestamp} ms",
        )
        if fact is not None
    ]
    return markup(
        _FRAME,
        facts=", ".join(facts),
        sources=table(_SOURCE, map(_source, frame.sources)),
        rois=table(_ROI, map(_roi, frame.rois)) if frame.rois else "",
    )


def _source(source: Source) -> tuple[object, ...]:
    size = f"{source.width} x {source.height}" if source.width is not None else None
    masks = ", ".join(f"{mask.id}: {mask.uri}" for mask in source.masks)
    return source.id, source.uri, size, source.timestamp, masks


def _roi(roi: Roi) -> tuple[object, ...]:
    return ", ".join(roi.labels), _region(roi), ", ".join(roi.sources), roi.confidence


def _region(roi: Roi) -> object:
    if roi.mask is not None:
        value = roi.mask.value
        name = to_hex(value) if in_range(value) else str(value)
        text = "{{swatch}}{{name}} in {{mask}}"
        mask = printable(roi.mask.id)
        return markup(text, swatch=swatch(value), name=name, mask=mask)
    if roi.poly is not None:
        shape = roi.geometry
        return "poly" if shape is None else type(shape).__name__
    return "whole frame"
