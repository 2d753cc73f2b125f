"""
Which mask each ROI of a frame means.

Decided for a frame as a whole: either its ROIs name masks by id, as ClearML's
schema has it, or all of them have mask id and label exchanged, as the first
example of ClearML's page on masks has them. Anything else dangles: a mask is
never guessed, not even when there is only one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import frozen

from framekit.errors import ArgumentError
from framekit.frame import SingleFrame

__all__ = ["Link", "Linking", "MaskRoi", "link", "link_frame", "mask_of"]


class MaskRoi(NamedTuple):
    """
    What linking needs of an ROI that has a mask.
    """

    #: Its position among the frame's ROIs.
    index: int  # type: ignore[assignment]  # not tuple.index

    labels: tuple[str, ...]

    #: Source ids; empty means each source that has the mask.
    sources: tuple[str, ...]

    mask_id: str
    color: tuple[int, int, int]


class Link(NamedTuple):
    """
    A color of one mask of one source, and what it stands for.
    """

    roi: int
    source: str
    mask: str
    color: tuple[int, int, int]
    labels: tuple[str, ...]


@frozen
class Linking:
    """
    The outcome for one frame.
    """

    links: tuple[Link, ...]

    #: Whether mask ids and labels were exchanged in the document.
    swapped: bool = False

    #: ROIs whose mask id leads nowhere: position, id, the ids it could be.
    dangling: tuple[tuple[int, str, tuple[str, ...]], ...] = ()


def link_frame(frame: SingleFrame) -> Linking:
    """
    Link the ROIs of *frame*.
    """
    masks: dict[str, tuple[str, ...]] = {}
    for source in frame.sources:
        masks[source.id] = masks.get(source.id, ()) + source.mask_ids
    rois = [
        MaskRoi(n, roi.labels, roi.sources, roi.mask.id, roi.mask.value)
        for n, roi in enumerate(frame.rois)
        if roi.mask is not None
    ]
    return link(masks, rois)


def link(masks: Mapping[str, Sequence[str]], rois: Iterable[MaskRoi]) -> Linking:
    """
    Link *rois* to *masks*, which are mask ids by source id.
    """
    rois = list(rois)
    links: list[Link] = []
    dangling: list[MaskRoi] = []
    for roi in rois:
        found = [
            Link(roi.index, source, roi.mask_id, roi.color, roi.labels)
            for source in dict.fromkeys(roi.sources or masks)
            if roi.mask_id in masks.get(source, ())
        ]
        links += found
        if not found:
            dangling.append(roi)
    if not dangling:
        return Linking(tuple(links))
    if not links and (swapped := _swapped(masks, rois)):
        return Linking(swapped, swapped=True)
    return Linking(
        tuple(links),
        dangling=tuple(
            (roi.index, roi.mask_id, _known(masks, roi)) for roi in dangling
        ),
    )


def mask_of(
    frame: SingleFrame, source: str | None = None, mask: str | None = None
) -> tuple[str, str]:
    """
    Name the source and the mask that are meant when one or both are left out.

    Raises:
        ArgumentError: If there is no such source or mask, or several.
    """
    if source is None:
        with_masks = [s for s in frame.sources if s.masks]
        candidates = [
            s for s in with_masks if mask is None or mask in s.mask_ids
        ] or with_masks
        known = list(dict.fromkeys(s.id for s in candidates))
        if len(known) != 1:
            reason = f"the frame has {known or 'no sources with masks'}; name one"
            raise ArgumentError("source", reason)
        source = known[0]
    named = [s for s in frame.sources if s.id == source]
    if not named:
        known = [s.id for s in frame.sources]
        raise ArgumentError("source", f"{source!r} is none of {known}")
    masks = list(dict.fromkeys(id for s in named for id in s.mask_ids))
    if mask is None:
        if len(masks) != 1:
            reason = f"source {source!r} has {masks or 'no masks'}; name one"
            raise ArgumentError("mask", reason)
        return source, masks[0]
    if mask not in masks:
        reason = f"{mask!r} is no mask of source {source!r}: {masks}"
        raise ArgumentError("mask", reason)
    return source, mask


def _swapped(
    masks: Mapping[str, Sequence[str]], rois: Sequence[MaskRoi]
) -> tuple[Link, ...] | None:
    links: list[Link] = []
    for roi in rois:
        if len(roi.labels) != 1:
            return None
        mask = roi.labels[0]
        found = [
            Link(roi.index, source, mask, roi.color, (roi.mask_id,))
            for source in dict.fromkeys(roi.sources or masks)
            if mask in masks.get(source, ())
        ]
        if not found:
            return None
        links += found
    return tuple(links)


def _known(masks: Mapping[str, Sequence[str]], roi: MaskRoi) -> tuple[str, ...]:
    ids: dict[str, Any] = {}
    for source in roi.sources or masks:
        ids.update(dict.fromkeys(masks.get(source, ())))
    return tuple(ids)
