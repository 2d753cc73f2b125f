"""
Frames as items: which of a frame's masks are classes, and which are objects.

A mask called like another with ``_instance`` behind it has the objects of that one. In
a mask by itself, colors that share their labels are objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen

from framekit.decoding.decode import Decoded, decode_frames
from framekit.decoding.label_map import LabelMap
from framekit.errors import FramekitError
from framekit.formats.classes import class_ids, is_background
from framekit.formats.collection import failure
from framekit.formats.item import Item, Said
from framekit.formats.mask_files import ids_of
from framekit.formats.picture import Picture
from framekit.frame import Roi, SingleFrame, Source
from framekit.palette import Palette
from framekit.palette.linking import link_frame
from framekit.problem import Problem, Severity
from framekit.segments import Instance
from framekit.segments.runs import runs_of
from framekit.segments.segmenting import looked_up, regions_of
from framekit.storage import Storage

__all__ = ["FrameReader", "is_instance_mask"]

#: Names of masks whose colors are objects.
_INSTANCES: Final = re.compile(r"(?:.*[_.-])?instances?(?:_\d+)?\Z", re.IGNORECASE)

#: Keys of an ROI's metadata that an object has fields for.
_OBJECT_KEYS: Final = frozenset({"iscrowd", "pdf", "z"})


def is_instance_mask(id: str) -> bool:
    """
    Whether a mask of that name has objects.
    """
    return _INSTANCES.match(id) is not None


@frozen(kw_only=True, eq=False)
class FrameReader:
    """
    Reads items from frames that share their classes.
    """

    classes: Palette
    version: Any
    storage: Storage

    #: Only this source; all that have masks, if None.
    source: str | None = None

    #: The mask of the classes; by default the one that is no instance mask.
    mask: str | None = None

    #: The masks of objects; by default by their names.
    instances: tuple[str, ...] | None = None

    #: Whether items are named by frame and source.
    several_sources: bool = False

    #: Options of decoding.
    options: Mapping[str, Any] = {}

    def items(self, frames: Sequence[SingleFrame]) -> Iterator[Item | Problem]:
        """
        Decode the masks of *frames* and yield an item for each source with masks.
        """
        decoded = decode_frames(
            frames,
            source=self.source,
            version=self.version,
            storage=self.storage,
            **self.options,
        )
        for found in _by_source(decoded):
            frame, source_id = found[0].frame, found[0].source
            name = self.name_of(frame, source_id)
            try:
                yield self._item(name, frame, source_id, found)
            except FramekitError as error:
                yield failure(name, error)

    def name_of(self, frame: SingleFrame, source: str) -> str:
        """
        What the item of one source of *frame* is called.
        """
        name = frame.id or f"{frame.context_id or 'frame'}_{frame.timestamp or 0}"
        return f"{name}.{source}" if self.several_sources else name

    def _item(
        self, name: str, frame: SingleFrame, source_id: str, found: Sequence[Decoded]
    ) -> Item:
        source = frame.get_source(source_id)
        classes, objects = self._chosen(found)
        for one in (*classes, *objects):
            if one.error is not None:
                raise one.error
        rois = _rois_by_color(frame, source_id)
        item: Item | None = None
        if classes:
            item = self._with_classes(name, classes[0], rois)
        layers = [(one.mask, one.label_map) for one in objects if one.label_map]
        if layers:
            first = layers[0][1]
            item = item or Item(name=name, shape=first.shape)
            item = self._with_objects(item, layers, rois)
        assert item is not None  # noqa: S101 - one of the two was decoded
        return evolve(
            item,
            picture=self._picture(source),
            frame=_about(frame, source),
            metadata=dict(frame.metadata),
        )

    def _chosen(self, found: Sequence[Decoded]) -> tuple[list[Decoded], list[Decoded]]:
        """
        The mask of classes, and those of objects.

        Raises:
            ArgumentError: If there are several that could be the one of classes.
        """
        from framekit.errors import ArgumentError

        objects = [one for one in found if self._is_of_objects(one.mask)]
        rest = [one for one in found if not self._is_of_objects(one.mask)]
        if self.mask is not None:
            rest = [one for one in found if one.mask == self.mask]
            objects = [one for one in objects if one.mask != self.mask]
            if not rest:
                known = [one.mask for one in found]
                reason = f"{self.mask!r} is no mask that has labels: {known}"
                raise ArgumentError("mask", reason)
        if len(rest) > 1:
            names = [one.mask for one in rest]
            reason = f"the frame has {names}; name the one of classes with --mask"
            raise ArgumentError("mask", reason)
        return rest, objects

    def _is_of_objects(self, mask: str) -> bool:
        if self.instances is not None:
            return mask in self.instances
        return is_instance_mask(mask)

    def _with_classes(
        self, name: str, found: Decoded, rois: Mapping[tuple[str, Any], Roi]
    ) -> Item:
        label_map = found.label_map
        assert label_map is not None  # noqa: S101 - it has no error
        known = class_ids(self.classes)
        per_entry = {
            entry.id: known[frozenset(entry.labels)]
            for entry in label_map.palette
            if entry.id is not None and frozenset(entry.labels) in known
        }
        ids = ids_of(label_map)
        runs = runs_of(ids)
        labels = np.repeat(looked_up(runs.values, per_entry), runs.lengths)
        item = Item(
            name=name,
            shape=label_map.shape,
            labels=labels.reshape(label_map.shape),
            problems=_unknown(name, found),
        )
        shared = _shared_classes(label_map.palette, self.classes, known)
        if not shared:
            return evolve(item, said=_said(label_map.palette, per_entry, found, rois))
        kept = [
            entry.id
            for entry in label_map.palette
            if entry.id is not None and per_entry.get(entry.id) in shared
        ]
        objects = self._objects_in(label_map, found.mask, rois, kept, 0)
        return evolve(item, objects=tuple(objects))

    def _with_objects(
        self,
        item: Item,
        layers: Sequence[tuple[str, LabelMap]],
        rois: Mapping[tuple[str, Any], Roi],
    ) -> Item:
        objects = list(item.objects or ())
        for mask, label_map in layers:
            if label_map.shape != item.shape:
                from framekit.errors import ArgumentError

                reason = f"mask {mask!r} is {label_map.shape}, others {item.shape}"
                raise ArgumentError("mask", reason)
            kept = [
                entry.id
                for entry in label_map.palette
                if entry.id is not None
                and (mask, entry.color) in rois
                and not is_background(entry)
            ]
            found = self._objects_in(label_map, mask, rois, kept, len(objects))
            objects += found
        objects.sort(key=lambda one: one.z)
        return evolve(item, objects=tuple(_distinct(objects)))

    def _objects_in(
        self,
        label_map: LabelMap,
        mask: str,
        rois: Mapping[tuple[str, Any], Roi],
        kept: Sequence[int | None],
        start: int,
    ) -> list[Instance]:
        wanted = [id for id in kept if id is not None]
        runs = runs_of(ids_of(label_map))
        places = {id: n for n, id in enumerate(wanted)}
        segment = looked_up(runs.values, places).astype(np.int64)
        regions = regions_of(runs, segment, len(wanted))
        known = class_ids(self.classes)
        found: list[Instance] = []
        for id, region in zip(wanted, regions, strict=True):
            entry = label_map.palette[id]
            class_id = known.get(frozenset(entry.labels))
            if region is None or class_id is None:
                continue
            roi = rois.get((mask, entry.color))
            number = start + len(found) + 1
            found.append(self._object(number, roi, region, class_id))
        return found

    def _object(
        self, number: int, roi: Roi | None, region: Any, class_id: int
    ) -> Instance:
        entry = self.classes[class_id]
        about = {} if roi is None else dict(roi.metadata)
        metadata = {k: v for k, v in about.items() if k not in _OBJECT_KEYS}
        called = None if roi is None else roi.id
        id = number
        if called is not None and called.isascii() and called.isdigit():
            id = int(called)
        elif called is not None:
            metadata["object_id"] = called
        z = about.get("z", 0)
        pdf = about.get("pdf")
        return Instance(
            id=id,
            labels=entry.labels,
            region=region,
            class_id=class_id,
            thing=entry.thing,
            crowd=about.get("iscrowd") is True,
            score=None if roi is None else roi.confidence,
            pdf=pdf if isinstance(pdf, Mapping) else None,
            z=z if isinstance(z, int) else 0,
            metadata=metadata,
        )

    def _picture(self, source: Source) -> Picture:
        exists = True
        try:
            with self.storage.open(source.uri):
                pass
        except FramekitError:
            exists = False
        return Picture(
            source.uri,
            self.storage,
            timestamp=source.timestamp or 0,
            exists=exists,
            content_type=source.content_type,
        )


def _by_source(decoded: Iterable[Decoded]) -> Iterator[list[Decoded]]:
    """
    The masks of each source of each frame together.
    """
    waiting: list[Decoded] = []
    for one in decoded:
        if waiting and (
            waiting[0].frame is not one.frame or waiting[0].source != one.source
        ):
            yield waiting
            waiting = []
        waiting.append(one)
    if waiting:
        yield waiting


def _rois_by_color(frame: SingleFrame, source: str) -> dict[tuple[str, Any], Roi]:
    return {
        (link.mask, link.color): frame.rois[link.roi]
        for link in reversed(link_frame(frame).links)
        if link.source == source
    }


def _shared_classes(
    palette: Palette, classes: Palette, known: Mapping[frozenset[str], int]
) -> frozenset[int]:
    """
    The classes whose entries are objects, for they are several.
    """
    counts: dict[int, int] = {}
    for entry in palette:
        id = known.get(frozenset(entry.labels))
        if entry.id is not None and id is not None:
            counts[id] = counts.get(id, 0) + 1
    several = {
        id for id, n in counts.items() if n > 1 and classes[id].thing is not False
    }
    if not several:
        return frozenset()
    things = {id for id in counts if classes[id].thing is True}
    return frozenset(several | things)


def _said(
    palette: Palette,
    per_entry: Mapping[int, int],
    found: Decoded,
    rois: Mapping[tuple[str, Any], Roi],
) -> dict[int, Said]:
    said = {}
    for entry in palette:
        roi = rois.get((found.mask, entry.color))
        if roi is None or entry.id is None or entry.id not in per_entry:
            continue
        called = roi.id or ""
        id = int(called) if called.isascii() and called.isdigit() else None
        if id is not None or roi.confidence is not None or roi.metadata:
            said[per_entry[entry.id]] = Said(id, roi.confidence, dict(roi.metadata))
    return said


def _distinct(objects: list[Instance]) -> list[Instance]:
    """
    *objects* with ids of their own: theirs, if none is there twice.
    """
    ids = [one.id for one in objects]
    if len(set(ids)) == len(ids):
        return objects
    return [evolve(one, id=number) for number, one in enumerate(objects, 1)]


def _about(frame: SingleFrame, source: Source) -> SingleFrame:
    """
    What is known of *frame* beside its masks, for one source.
    """
    return SingleFrame(
        id=frame.id,
        sources=[evolve(source, masks=())],
        timestamp=frame.timestamp,
        context_id=frame.context_id,
        metadata=frame.metadata,
    )


def _unknown(name: str, found: Decoded) -> tuple[Problem, ...]:
    label_map = found.label_map
    if label_map is None or not label_map.report.unknown_pixels:
        return ()
    colors = [list(color) for color, _, _ in label_map.report.unknown_colors[:5]]
    message = (
        f"mask {found.mask!r} has {label_map.report.unknown_pixels} pixels of colors "
        f"without a label, like {colors}; they are void"
    )
    count = label_map.report.unknown_pixels
    return (
        Problem(
            "unknown-color",
            Severity.ERROR,
            message,
            document=name,
            frame=name,
            source=found.source,
            mask=found.mask,
            count=count,
        ),
    )
