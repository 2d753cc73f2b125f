"""
The frame: what is built in code, written as JSON and read back.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from attrs import define, field

from framekit import _json
from framekit._json import nested, spelled
from framekit.errors import ArgumentError
from framekit.frame.annotation import rois_from_arguments
from framekit.frame.first_source import FirstSource, source_from_arguments
from framekit.frame.roi import Roi
from framekit.frame.source import Source
from framekit.frame.spelling import canonical
from framekit.frame.values import (
    as_labels,
    as_mapping,
    as_milliseconds,
    as_text,
    as_tuple,
)

__all__ = ["SingleFrame"]


def _as_sources(value: Any) -> tuple[Source, ...]:
    sources = as_tuple(value)
    for source in sources:
        if not isinstance(source, Source):
            raise ArgumentError("sources", f"expected Source objects, got {source!r}")
    return sources


def _as_rois(value: Any) -> list[Roi]:
    rois = list(as_tuple(value)) if value is not None else []
    for n, roi in enumerate(rois):
        if isinstance(roi, Mapping):
            rois[n] = _json.from_json(Roi, roi, f"$.rois[{n}]")
        elif not isinstance(roi, Roi):
            raise ArgumentError("rois", f"expected Roi objects, got {roi!r}")
    return rois


def _as_frame_id(value: Any) -> str | None:
    return as_text(value, argument="id")


def _as_context_id(value: Any) -> str | None:
    return as_text(value, argument="context_id")


def _as_blob(value: Any) -> str | None:
    return as_text(value, argument="blob")


def _as_meta_blob(value: Any) -> dict[str, Any]:
    return as_mapping(value, argument="meta_blob")


@define(init=False, kw_only=True)
class SingleFrame(FirstSource):
    """
    A frame: one moment, seen by one source or by several.

    It is the mutable builder; its parts are frozen values that are replaced.
    """

    #: Unique within a dataset version; None until one is given.
    id: str | None = field(default=None, converter=_as_frame_id)

    #: Position of the frame, in ms; orders frames within their context.
    timestamp: int | None = field(default=None, converter=as_milliseconds)

    #: What the frame belongs to, such as one drive of one car.
    context_id: str | None = field(default=None, converter=_as_context_id)

    metadata: dict[str, Any] = field(
        factory=dict, converter=as_mapping, metadata=spelled("meta")
    )

    #: Metadata that ClearML's server does not index.
    meta_blob: dict[str, Any] = field(factory=dict, converter=_as_meta_blob)
    blob: str | None = field(default=None, converter=_as_blob)
    sources: tuple[Source, ...] = field(
        converter=_as_sources, metadata=nested(Source, many=True)
    )
    rois: list[Roi] = field(
        factory=list, converter=_as_rois, metadata=nested(Roi, many=True)
    )

    #: JSON keys that framekit has no field for.
    extra: dict[str, Any] = field(factory=dict, repr=False)
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False)

    def __init__(  # noqa: PLR0917 - ClearML's own order of arguments
        self,
        id: str | None = None,
        source: str | None = None,
        width: int | None = None,
        height: int | None = None,
        timestamp: int | None = None,
        size: Sequence[int] | None = None,
        hash: str | None = None,
        preview_uri: str | None = None,
        preview_uri_timestamp: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        annotations: Iterable[Roi | Mapping[str, Any]] | None = None,
        mask_source: str | None = None,
        context_id: str | None = None,
        *,
        masks_source: Mapping[str, str] | Iterable[str] | None = None,
        sources: Iterable[Source] | None = None,
        rois: Iterable[Roi | Mapping[str, Any]] | None = None,
        meta_blob: Mapping[str, Any] | None = None,
        blob: str | None = None,
    ) -> None:
        """
        Build a frame in ClearML's spelling, or from *sources* and *rois*.

        Args:
            source: URI of the only source, which gets the id ``"default"``; the
                arguments *width* to *preview_uri_timestamp* describe it.
            size: Width and height in pixels, in place of the two arguments.
            timestamp: Whole milliseconds; also the position in the source.
            annotations: ROIs, as objects or as their JSON.
            mask_source: URI of the source's first mask, which gets the id "00".
            masks_source: ``{id: URI}``, or a list of URIs for ids "00", "01", ….
            sources: Source objects; goes with none of the arguments above that
                describe one source.

        Raises:
            ArgumentError: If a value is refused, or arguments exclude each other.
        """
        about_one = {
            "width": width,
            "height": height,
            "size": size,
            "hash": hash,
            "preview_uri": preview_uri,
            "preview_uri_timestamp": preview_uri_timestamp,
            "mask_source": mask_source,
            "masks_source": masks_source,
        }
        given = [name for name, value in about_one.items() if value is not None]
        if source is None and given:
            reason = "describes the source that source= names, which is missing"
            raise ArgumentError(given[0], reason)
        if source is not None and sources is not None:
            raise ArgumentError("sources", "excludes source=; use one of the two")
        if source is not None:
            one = source_from_arguments(source, timestamp=timestamp, **about_one)
            sources = (one,)
        if annotations is not None and rois is not None:
            raise ArgumentError("rois", "excludes annotations=; use one of the two")
        self.__attrs_init__(
            id=id,
            timestamp=timestamp,
            context_id=context_id,
            metadata=metadata,
            meta_blob=meta_blob,
            blob=blob,
            sources=() if sources is None else sources,
            rois=rois if rois is not None else annotations,
        )

    # -- JSON

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """
        Read a frame from parsed JSON, losing nothing and inventing nothing.

        Spellings other than the canonical ones are read too; :meth:`to_dict`
        writes them canonically.

        Raises:
            DocumentError: With the JSON path of what is wrong.
        """
        return _json.from_json(cls, canonical(data)[0])

    def to_dict(self) -> dict[str, Any]:
        """
        Return the frame as parsed JSON, sharing nothing with the frame.
        """
        return _json.to_json(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """
        Read a frame from JSON text.

        Raises:
            DocumentError: If it is no JSON, repeats a key, has an integer beyond
                64 bits, or is no frame.
        """
        return cls.from_dict(_json.loads(data))

    def to_json(self) -> bytes:
        """
        Return the frame as UTF-8 JSON, on one line.

        Raises:
            DocumentError: If an integer does not fit 64 bits.
        """
        return _json.dumps(self.to_dict())

    def copy(self) -> Self:
        """
        Return a copy under a new random id, as ClearML's does.
        """
        made = type(self).from_dict(self.to_dict())
        made.id = uuid.uuid4().hex
        return made

    def get_source(self, id: str) -> Source:
        """
        The source of that id.

        Raises:
            ArgumentError: If there is none; the message names the known ids.
        """
        for source in self.sources:
            if source.id == id:
                return source
        known = [source.id for source in self.sources]
        raise ArgumentError("id", f"{id!r} is no source of the frame: {known}")

    # -- annotations

    def add_annotation(  # noqa: PLR0917 - ClearML's own order of arguments
        self,
        poly2d_xy: Any = None,
        poly3d_xyz: Any = None,
        points2d_xy: Any = None,
        points3d_xyz: Any = None,
        box2d_xywh: Any = None,
        box3d_xyzwhxyzwh: Any = None,
        ellipse2d_xyrrt: Any = None,
        mask_rgb: Any = None,
        frame_class: Iterable[str] | None = None,
        id: str | None = None,
        labels: Iterable[str] | None = None,
        confidence: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        mask_id: str | None = None,
        sources: Iterable[str] | None = None,
    ) -> list[int]:
        """
        Add one ROI for each shape that is given, or a label of the whole frame.

        Args:
            poly2d_xy: A polygon: flat coordinates, points, or rings of either.
            poly3d_xyz: The same in space.
            points2d_xy: Key points, flat or as points.
            points3d_xyz: The same in space.
            box2d_xywh: x, y, width, height and optionally an angle in radians.
            box3d_xyzwhxyzwh: The front and the back rectangle, ten numbers.
            ellipse2d_xyrrt: Center, two radii, angle in radians.
            mask_rgb: The color of the region in a mask, or ``"#rrggbb"``.
            frame_class: Labels of the whole frame.
            id: The same id says the same object; several shapes share one.
            labels: What the region is.
            confidence: 0 to 1.
            mask_id: Which mask the color is in; may be left out when the
                addressed sources have one mask, or none yet (then "00").
            sources: Ids of the sources; may be left out when there is one.

        Returns:
            The indices of the new ROIs in :attr:`rois`.

        Raises:
            ArgumentError: If a value is refused; nothing is added then.
        """
        shapes = {
            "poly2d_xy": poly2d_xy,
            "poly3d_xyz": poly3d_xyz,
            "points2d_xy": points2d_xy,
            "points3d_xyz": points3d_xyz,
            "box2d_xywh": box2d_xywh,
            "box3d_xyzwhxyzwh": box3d_xyzwhxyzwh,
            "ellipse2d_xyrrt": ellipse2d_xyrrt,
        }
        rois = rois_from_arguments(
            self.sources,
            shapes,
            mask_rgb=mask_rgb,
            frame_class=frame_class,
            id=id,
            labels=labels,
            confidence=confidence,
            metadata=metadata,
            mask_id=mask_id,
            sources=sources,
        )
        start = len(self.rois)
        self.rois.extend(rois)
        return list(range(start, len(self.rois)))

    def get_annotations(
        self, id: str | None = None, index: int | None = None
    ) -> list[Roi]:
        """
        The ROIs of that object id, or the one at *index*, or all.

        Raises:
            ArgumentError: If there is no ROI at *index*.
        """
        if index is not None:
            self._check_index(index)
            return [self.rois[index]]
        return [roi for roi in self.rois if id is None or roi.object_id == id]

    def remove_annotation(self, index: int) -> Roi:
        """
        Remove the ROI at *index* and return it.

        Raises:
            ArgumentError: If there is none.
        """
        self._check_index(index)
        return self.rois.pop(index)

    def remove_annotations(
        self,
        id: str | None = None,
        label: str | None = None,
        labels: Iterable[str] | None = None,
    ) -> list[Roi]:
        """
        Remove and return the ROIs that meet all that is given; all without any.

        Args:
            id: The object id.
            label: A label that the ROI has, among others perhaps.
            labels: Exactly the labels that the ROI has, in any order.
        """
        exact = None if labels is None else sorted(as_labels(labels))
        removed = [
            roi
            for roi in self.rois
            if (id is None or roi.object_id == id)
            and (label is None or label in roi.labels)
            and (exact is None or sorted(roi.labels) == exact)
        ]
        dropped = {builtin_id(roi) for roi in removed}
        self.rois = [roi for roi in self.rois if builtin_id(roi) not in dropped]
        return removed

    def _repr_html_(self) -> str:
        from framekit.frame.notebook import frame_html

        return frame_html(self)

    def _check_index(self, index: int) -> None:
        if not -len(self.rois) <= index < len(self.rois):
            reason = f"the frame has {len(self.rois)} annotations, no number {index}"
            raise ArgumentError("index", reason)


# ``id`` is an argument name throughout this module, as in ClearML's.
builtin_id = id
