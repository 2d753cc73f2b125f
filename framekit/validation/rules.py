"""
What must hold within one frame, beyond its schema: a rule is a generator.

Each rule yields what breaks it in one frame, with paths of the frame in
canonical spelling; :mod:`framekit.validation.frames` adds where the frame is.
The docstring of a rule states the law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final

from framekit.color import in_range
from framekit.problem import Problem
from framekit.uri import shown_uri
from framekit.validation.codes import counted, problem
from framekit.validation.keys import keys_spelled
from framekit.validation.parts import Object, Part, Parts, integer, number, text

__all__ = ["RULES", "Rule", "is_video", "misfit"]

#: Yields what is wrong with a frame.
Rule = Callable[[Parts], Iterator[Problem]]

_VIDEO_SUFFIXES: Final = frozenset(
    {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm"}
)

_SEPARATOR: Final = -999999999


def duplicate_source_id(frame: Parts) -> Iterator[Problem]:
    """
    No two sources of a frame have the same id.
    """
    first: dict[str, str] = {}
    for source in frame.sources:
        if (id := text(source.value, "id")) is None:
            continue
        if id in first:
            message = f"{id!r} is also the id of {first[id]}"
            yield problem("duplicate-source-id", message, f"{source.at}.id")
        first.setdefault(id, source.at)


def duplicate_mask_id(frame: Parts) -> Iterator[Problem]:
    """
    No two masks of a source have the same id; those of two sources may.
    """
    first: dict[tuple[str, str], str] = {}
    for source, mask in frame.masks:
        if (id := text(mask.value, "id")) is None:
            continue
        if (source.at, id) in first:
            message = f"{id!r} is also the id of {first[source.at, id]}"
            yield problem("duplicate-mask-id", message, f"{mask.at}.id")
        first.setdefault((source.at, id), mask.at)


def frame_without_sources(frame: Parts) -> Iterator[Problem]:
    """
    A frame has a source.
    """
    if frame.has_sources and not frame.frame["sources"]:
        yield problem("frame-without-sources", "there are no sources", "$.sources")


def unknown_source(frame: Parts) -> Iterator[Problem]:
    """
    The sources of an ROI are sources of its frame.
    """
    if not frame.has_sources:
        return
    for roi in frame.rois:
        named = roi.value.get("sources")
        for n, id in enumerate(named if isinstance(named, list) else ()):
            if isinstance(id, str) and id not in frame.mask_ids:
                message = f"{id!r} is {_none_of(frame.mask_ids, 'source')}"
                yield problem("unknown-source", message, f"{roi.at}.sources[{n}]")


def dangling_mask_id(frame: Parts) -> Iterator[Problem]:
    """
    The mask of an ROI is a mask of one of its sources.
    """
    if not frame.has_sources:
        return
    rois = {roi.index: roi for roi in frame.mask_rois}
    for index, mask_id, known in frame.linking.dangling:
        sources = rois[index].sources
        if sources and not any(id in frame.mask_ids for id in sources):
            continue  # There is no such source; that is told already.
        names = " or ".join(map(repr, sources))
        if known:
            where = f" of {names}" if names else ""
            message = f"{mask_id!r} is {_none_of(known, 'mask')}{where}"
        else:
            message = f"{mask_id!r} is no mask; {names or 'the frame'} has none"
        at = f"{frame.rois[index].at}.mask.id"
        yield problem("dangling-mask-id", message, at)


def mask_id_is_label(frame: Parts) -> Iterator[Problem]:
    """
    ``mask.id`` names a mask and ``label`` says what is there, not the reverse.
    """
    if frame.linking.swapped:
        rois = counted(len(frame.mask_rois), "ROI")
        first = frame.mask_rois[0]
        message = (
            f"mask id and label are exchanged in {rois}: {first.mask_id!r} is no "
            f"mask, the label {first.labels[0]!r} is"
        )
        at = f"{frame.rois[first.index].at}.mask.id"
        yield problem("mask-id-is-label", message, at)


def color_in_range(frame: Parts) -> Iterator[Problem]:
    """
    The channels of a color are 0 to 255.
    """
    for roi in frame.mask_rois:
        at = f"{frame.rois[roi.index].at}.mask.value"
        yield from check_color(roi.color, at)


def check_color(color: tuple[int, ...], at: str) -> Iterator[Problem]:
    """
    Yield the problem of a color that no pixel has.
    """
    if not in_range(color):
        message = f"{list(color)} is no color of 8 bits: 0 to 255"
        high = any(channel > 255 for channel in color)
        yield problem("color-out-of-range" if high else "negative-color", message, at)


def one_label_set(frame: Parts) -> Iterator[Problem]:
    """
    A color of a mask stands for one set of labels.
    """
    first: dict[tuple[str, str, tuple[int, ...]], tuple[int, tuple[str, ...]]] = {}
    told: set[int] = set()
    for found in frame.linking.links:
        key = (found.source, found.mask, found.color)
        if not found.color or found.roi in told:
            continue
        index, labels = first.setdefault(key, (found.roi, found.labels))
        if sorted(labels) != sorted(found.labels):
            told.add(found.roi)
            message = (
                f"{list(found.color)} in mask {found.mask!r} is "
                f"{list(found.labels)} here and {list(labels)} in "
                f"{frame.rois[index].at}"
            )
            at = f"{frame.rois[found.roi].at}.mask.value"
            yield problem("color-has-two-label-sets", message, at)


def roi_with_label(frame: Parts) -> Iterator[Problem]:
    """
    An ROI has labels, and none of them is empty.
    """
    for roi in frame.rois:
        labels = roi.value.get("label")
        if isinstance(labels, list):
            at = f"{roi.at}.label"
            if not labels:
                yield problem("roi-without-label", "there are no labels", at)
            for n, label in enumerate(labels):
                if isinstance(label, str) and not label.strip():
                    message = "the label is empty"
                    yield problem("roi-without-label", message, f"{at}[{n}]")


def confidence_in_range(frame: Parts) -> Iterator[Problem]:
    """
    A confidence is 0 to 1.
    """
    for roi in frame.rois:
        found = number(roi.value, "confidence")
        if found is not None and not 0 <= found <= 1:
            at = f"{roi.at}.confidence"
            yield problem("confidence-out-of-range", f"{found} is not 0 to 1", at)


def geometry_complete(frame: Parts) -> Iterator[Problem]:
    """
    A ``poly`` has as many numbers as its shape needs.
    """
    for roi in frame.rois:
        poly = roi.value.get("poly")
        if isinstance(poly, list) and poly:
            meta = roi.value.get("meta")
            kind = text(meta, "_type") if isinstance(meta, dict) else None
            if expected := misfit(poly, kind):
                message = f"expected {expected}, got {len(poly)} numbers"
                yield problem("bad-geometry", message, f"{roi.at}.poly")


def size_positive(frame: Parts) -> Iterator[Problem]:
    """
    Widths and heights are at least 1.
    """
    for part in _media(frame):
        for key in ("width", "height"):
            found = number(part.value, key)
            if found is not None and found <= 0:
                message = f"expected at least 1 pixel, got {found}"
                yield problem("size-not-positive", message, f"{part.at}.{key}")


def timestamp_not_negative(frame: Parts) -> Iterator[Problem]:
    """
    A position in a stream is not before its start.
    """
    for part in _media(frame):
        found = number(part.value, "timestamp")
        if found is not None and found < 0:
            message = f"expected 0 ms or more, got {found}"
            yield problem("negative-timestamp", message, f"{part.at}.timestamp")


def timestamps_match(frame: Parts) -> Iterator[Problem]:
    """
    A video and its mask video are at the same moment.
    """
    for source, mask in frame.masks:
        if is_video(source.value) and is_video(mask.value):
            here, there = _timestamp(mask.value), _timestamp(source.value)
            if here is not None and there is not None and here != there:
                message = f"the mask is at {here} ms, its source at {there} ms"
                at = f"{mask.at}.timestamp" if "timestamp" in mask.value else mask.at
                yield problem("timestamp-mismatch", message, at)


def mask_is_not_source(frame: Parts) -> Iterator[Problem]:
    """
    A mask is another file than its source.
    """
    for source, mask in frame.masks:
        uri = text(mask.value, "uri")
        if uri is not None and uri == text(source.value, "uri"):
            message = f"{shown_uri(uri)!r} is also the URI of the source"
            yield problem("mask-is-source", message, f"{mask.at}.uri")


#: Every rule about one frame.
RULES: Final[tuple[Rule, ...]] = (
    keys_spelled,
    duplicate_source_id,
    duplicate_mask_id,
    frame_without_sources,
    unknown_source,
    dangling_mask_id,
    mask_id_is_label,
    color_in_range,
    one_label_set,
    roi_with_label,
    confidence_in_range,
    geometry_complete,
    size_positive,
    timestamp_not_negative,
    timestamps_match,
    mask_is_not_source,
)


def is_video(value: Object) -> bool:
    """
    Whether a source or mask says that it is a video, by type or else by name.
    """
    content_type = text(value, "content_type")
    if content_type is not None:
        return content_type.strip().lower().startswith("video")
    uri = (text(value, "uri") or "").partition("?")[0]
    return PurePosixPath(uri).suffix.lower() in _VIDEO_SUFFIXES


def _media(frame: Parts) -> Iterator[Part]:
    """
    All that names a file: sources, their previews, their masks.
    """
    for source in frame.sources:
        yield source
        preview = source.value.get("preview")
        if isinstance(preview, dict):
            yield Part(f"{source.at}.preview", preview)
    for _, mask in frame.masks:
        yield mask


def _timestamp(value: Object) -> int | None:
    if value.get("timestamp") is None:
        return 0
    return integer(value, "timestamp")


def _none_of(known: object, what: str) -> str:
    names = sorted(known)  # type: ignore[call-overload]
    if not names:
        return f"no {what}, there are none"
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"none of the {what}s {', '.join(map(repr, names[:10]))}{more}"


def misfit(poly: list[object], kind: str | None) -> str:
    """
    What a poly of *kind* should have; empty if it has, or nobody can tell.
    """
    count = len(poly)
    if kind in _COUNTS:
        counts = _COUNTS[kind]
        return "" if count in counts else f"{' or '.join(map(str, counts))} numbers"
    if kind is None and count in {5, 10}:
        return ""  # An ellipse or a box, as older clients write them.
    if kind not in _DIMENSIONS:
        return ""
    dimensions, least = _DIMENSIONS[kind]
    for ring in _rings(poly):
        if ring % dimensions or ring < least * dimensions:
            axes = ", ".join("xyz"[:dimensions])
            return f"{axes} of {least} or more points in each ring"
    return ""


_COUNTS: Final[dict[str | None, tuple[int, ...]]] = {
    "b2d": (4, 5, 8),
    "b3d": (10,),
    "elp": (5,),
}

#: Numbers for each point, and the least number of points.
_DIMENSIONS: Final[dict[str | None, tuple[int, int]]] = {
    None: (2, 3),
    "p2d": (2, 3),
    "p3d": (3, 3),
    "k2d": (2, 1),
    "k3d": (3, 1),
}


def _rings(poly: list[object]) -> Iterator[int]:
    """
    How many numbers each ring has.
    """
    if _SEPARATOR not in poly:
        yield len(poly)
        return
    length = 0
    for item in (*poly, _SEPARATOR):
        if item == _SEPARATOR:
            if length:
                yield length
            length = 0
        else:
            length += 1
