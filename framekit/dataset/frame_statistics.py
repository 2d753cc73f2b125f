"""
What frames hold, counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from framekit.dataset.labels import labels_of, masks_of, rois_of, sources_of

__all__ = ["Statistics", "statistics_of"]


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


@frozen(kw_only=True)
class Statistics:
    """
    How often things occur in a version; mappings are ordered, most frequent first.
    """

    frames: int

    #: Frames with at least one ROI.
    annotated: int

    #: ROIs.
    annotations: int

    #: ROIs that have the label.
    labels: Mapping[str, int] = field(converter=_ranked, hash=False)

    #: Frames that have the label.
    label_frames: Mapping[str, int] = field(converter=_ranked, hash=False)

    #: Frames that have the source, by its id.
    sources: Mapping[str, int] = field(converter=_ranked, hash=False)

    #: Sources of that content type; "" where none is given.
    content_types: Mapping[str, int] = field(converter=_ranked, hash=False)

    #: Masks, by their id.
    masks: Mapping[str, int] = field(converter=_ranked, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the statistics as JSON values.
        """
        return {
            "frames": self.frames,
            "annotated": self.annotated,
            "annotations": self.annotations,
            "labels": dict(self.labels),
            "label_frames": dict(self.label_frames),
            "sources": dict(self.sources),
            "content_types": dict(self.content_types),
            "masks": dict(self.masks),
        }


def statistics_of(frames: Iterable[Mapping[str, Any]]) -> Statistics:
    """
    Count what *frames*, parsed JSON, hold.
    """
    total = annotated = annotations = 0
    labels: Counter[str] = Counter()
    label_frames: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    content_types: Counter[str] = Counter()
    masks: Counter[str] = Counter()
    for frame in frames:
        total += 1
        rois = rois_of(frame)
        annotated += bool(rois)
        annotations += len(rois)
        seen: set[str] = set()
        for names in labels_of(frame, rois):
            unique = set(names)
            labels.update(unique)
            seen |= unique
        label_frames.update(seen)
        parts = sources_of(frame)
        sources.update({source["id"] for source in parts})
        for source in parts:
            content_types[_text(source.get("content_type"))] += 1
            masks.update(mask["id"] for mask in masks_of(source))
    return Statistics(
        frames=total,
        annotated=annotated,
        annotations=annotations,
        labels=labels,
        label_frames=label_frames,
        sources=sources,
        content_types=content_types,
        masks=masks,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
