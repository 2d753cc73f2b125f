"""
Clearing good frames of problems in one pass over their parsed JSON.

jsonschema and the rules find out what is wrong with a frame, and take hundreds of
times longer than the gate, which only finds out that nothing is. Whatever it is
not sure about goes to them: it may take a good frame for a bad one, never the
reverse. Changes to the schema or the rules need a change here, too;
tests/test_gate.py compares the two on frames of all kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from framekit._json import fingerprint, join
from framekit.errors import DocumentError
from framekit.validation import doubts
from framekit.validation.linked import Found, Linked
from framekit.validation.meta_types import KINDS, types_of
from framekit.validation.outcome import Outcome
from framekit.validation.rules import is_video, misfit
from framekit.validation.shapes import Shapes
from framekit.validation.version_rules import VersionLabels

__all__ = ["Gate", "Unclear"]

#: Integers from here on may have become floats when they were parsed.
_HUGE: Final = 2.0**63

#: How deep values may nest that are not looked at; below what the parser allows.
_DEEP: Final = 60

_NUMBERS: Final = frozenset({int, float})

_FRAME, _SOURCE, _MASK, _PREVIEW, _ROI, _ROI_MASK = map(
    Shapes, ("", "source", "mask", "preview", "roi", "roi_mask")
)


class Unclear(Exception):  # noqa: N818 - nothing is wrong yet
    """
    The frame has to be looked at in full.
    """


class Gate:
    """
    Looks at one frame after the other, and counts what frames have in common.

    The reason for this being a class is what is counted: a frame is only cleared
    of a remark that is told once when that remark was told before.
    """

    def __init__(self, labels: VersionLabels) -> None:
        """
        Watch frames of a version that has *labels*.
        """
        self._linked = Linked(labels)
        self._doubts = 0
        self._keys = 0
        self._meta: Any = None
        self._metas: dict[Any, int] = {}
        self._rois_key: bytes | None = None
        self._known_rois: dict[bytes, tuple[int, int, Found]] = {}

    def examine(self, frame: Any, ends: int | None = None) -> int:
        """
        Find what may be wrong with a frame.

        Args:
            frame: Parsed JSON.
            ends: At least the number of keys that were written, as
                :func:`framekit._json.key_ends` counts them; None if none of them
                can have been lost.

        Returns:
            Doubts, which ``rules_in`` reads; 0 if there are none. In any
            case the frame is canonical, its schema allows it, and nothing was lost
            when it was parsed.

        Raises:
            Unclear: If not even that is certain.
        """
        self._doubts = self._keys = 0
        self._frame(frame)
        if ends is not None and ends != self._keys:
            raise Unclear
        return self._doubts

    @property
    def rois_key(self) -> bytes | None:
        """
        Is the same for frames in which ``ROI_RULES`` find the same.

        None if that is not known.
        """
        return self._rois_key

    @property
    def mask_ids(self) -> Iterable[list[str]]:
        """
        The ids of the masks of each source of the frame examined last.
        """
        return self._linked.masks.values()

    # -- what is told once

    def count(self) -> None:
        """
        Count what the frame examined last, without ``FACTS``, has to be told.
        """
        if self._meta is not None:
            self._metas[self._meta] += 1
        self._linked.count()

    def learn(self) -> None:
        """
        Take what the frame examined last shares with others as told.
        """
        if self._meta is not None and len(self._metas) < _REMEMBERED:
            self._metas.setdefault(self._meta, 0)
        self._linked.learn()

    def give_counts(self, outcome: Outcome) -> None:
        """
        Add what was counted to *outcome*, and start again.
        """
        for signature, number in self._metas.items():
            if number:
                self._metas[signature] = 0
                for at, kind in _typed(signature):
                    outcome.types.count((at, kind), number)
        self._linked.give_counts(outcome)

    # -- the parts of a frame

    def _frame(self, frame: Any) -> None:
        if type(frame) is not dict:
            raise Unclear
        shape = _FRAME[tuple(frame)]
        sources, rois = frame.get("sources"), frame.get("rois")
        if not shape.is_possible or type(sources) is not list:
            raise Unclear
        self._keys += len(frame)
        self._meta = None
        self._frame_fields(frame, shape.optional)
        self._remaining(frame, shape)
        linked = self._linked
        linked.start()
        if not sources:
            self._doubts |= doubts.NO_SOURCES
        for source in sources:
            self._source(source)
        if rois is None:
            rois = []
        elif type(rois) is not list:
            raise Unclear
        self._rois(rois)
        if not linked.is_known():
            self._doubts |= doubts.FACTS

    def _frame_fields(self, frame: dict[str, Any], optional: frozenset[str]) -> None:
        if "id" in optional:
            id = frame["id"]
            if id is not None and (type(id) is not str or not id):
                raise Unclear
        if "timestamp" in optional:
            _is_integer(frame["timestamp"])
        if "context_id" in optional:
            _is_text(frame["context_id"])
        if "meta" in optional:
            self._frame_meta(frame["meta"])
        if "blob" in optional:
            _is_text(frame["blob"])
        if "meta_blob" in optional:
            self._object(frame["meta_blob"])

    def _frame_meta(self, meta: Any) -> None:
        self._object(meta)
        if not meta:
            return
        kinds = tuple(map(type, meta.values()))
        if dict in kinds or list in kinds:
            self._meta = frozenset(types_of(meta, "$.meta"))
        else:
            self._meta = tuple(meta), kinds
        if self._meta not in self._metas:
            self._doubts |= doubts.FACTS

    def _source(self, source: Any) -> None:
        if type(source) is not dict:
            raise Unclear
        shape = _SOURCE[tuple(source)]
        moment = self._media(source, shape)
        id = source["id"]
        if type(id) is not str or not id:
            raise Unclear
        masks = source.get("masks")
        linked = self._linked
        if id in linked.masks:
            self._doubts |= doubts.SAME_SOURCES
        ids = linked.masks.setdefault(id, [])
        if masks is not None:
            if type(masks) is not list:
                raise Unclear
            for mask in masks:
                self._mask(mask, source, moment, ids)
        if "preview" in shape.optional:
            preview = source["preview"]
            if preview is not None:
                if type(preview) is not dict:
                    raise Unclear
                self._media(preview, _PREVIEW[tuple(preview)])
        if "meta" in shape.optional:
            self._object(source["meta"])

    def _mask(self, mask: Any, source: Any, moment: int, ids: list[str]) -> None:
        if type(mask) is not dict:
            raise Unclear
        here = self._media(mask, _MASK[tuple(mask)])
        id = mask["id"]
        if type(id) is not str or not id:
            raise Unclear
        if id in ids:
            self._doubts |= doubts.SAME_MASKS
        ids.append(id)
        if mask["uri"] == source["uri"]:
            self._doubts |= doubts.SAME_FILE
        if here != moment and is_video(mask) and is_video(source):
            self._doubts |= doubts.TIMESTAMPS

    def _media(self, media: dict[str, Any], shape: Any) -> int:
        """
        Look at what sources, masks and previews have in common.
        """
        if not shape.is_possible:
            raise Unclear
        uri = media["uri"]
        if type(uri) is not str or not uri:
            raise Unclear
        self._keys += len(media)
        get = media.get
        content_type = get("content_type")
        if content_type is not None and type(content_type) is not str:
            raise Unclear
        width, height = get("width"), get("height")
        if width is not None or height is not None:
            _is_integer(width)
            _is_integer(height)
            if (1 if width is None else width) <= 0 or (
                1 if height is None else height
            ) <= 0:
                self._doubts |= doubts.SIZE
        if shape.loose or shape.is_misspelled:
            self._remaining(media, shape)
        moment = get("timestamp")
        if moment is None:
            return 0
        if type(moment) is not int:
            raise Unclear
        if moment < 0:
            self._doubts |= doubts.NEGATIVE
        return moment

    def _rois(self, rois: Sequence[Any]) -> None:
        """
        Look at ROIs, unless they are those of a frame before with the same masks.
        """
        linked = self._linked
        try:
            key = fingerprint((linked.masks, rois))
        except DocumentError:
            raise Unclear from None
        self._rois_key = key if len(key) <= _LONGEST else None
        seen = self._known_rois.get(key)
        if seen is not None:
            here, keys, linked.found = seen
            self._doubts |= here
            self._keys += keys
            return
        others, self._doubts = self._doubts, 0
        before = self._keys
        for roi in rois:
            self._roi(roi)
        linked.finish(rois)
        if self._rois_key is not None:
            if len(self._known_rois) >= _ROIS_REMEMBERED:
                self._known_rois.clear()
            self._known_rois[key] = self._doubts, self._keys - before, linked.found
        self._doubts |= others

    def _roi(self, roi: Any) -> None:
        if type(roi) is not dict:
            raise Unclear
        shape = _ROI[tuple(roi)]
        if not shape.is_possible:
            raise Unclear
        self._keys += len(roi)
        labels = roi["label"]
        _is_texts(labels)
        if not all(map(str.strip, labels)) or not labels:
            self._doubts |= doubts.LABEL
        named = roi.get("sources")
        if named is not None:
            _is_texts(named)
            for id in named:
                if id not in self._linked.masks:
                    self._doubts |= doubts.UNKNOWN_SOURCE
        mask = roi.get("mask")
        if mask is not None:
            self._roi_mask(mask, labels, named)
        if shape.is_rare:
            self._geometry(roi)
        if shape.loose or shape.is_misspelled:
            self._remaining(roi, shape)

    def _roi_mask(self, mask: Any, labels: list[str], named: Any) -> None:
        if type(mask) is not dict:
            raise Unclear
        shape = _ROI_MASK[tuple(mask)]
        if not shape.is_possible:
            raise Unclear
        self._keys += len(mask)
        id, value = mask["id"], mask["value"]
        if type(id) is not str or not id or type(value) is not list or len(value) != 3:
            raise Unclear
        red, green, blue = value
        if type(red) is not int or type(green) is not int or type(blue) is not int:
            raise Unclear
        if not (0 <= red <= 255 and 0 <= green <= 255 and 0 <= blue <= 255):
            self._doubts |= doubts.COLOR
        if shape.loose or shape.is_misspelled:
            self._remaining(mask, shape)
        linked = self._linked
        if not linked.link(id, named):
            self._doubts |= doubts.LINK
        if not linked.agree((id, red, green, blue), labels):
            self._doubts |= doubts.LABEL_SETS

    def _geometry(self, roi: dict[str, Any]) -> None:
        id = roi.get("id")
        if id is not None and (type(id) is not str or not id):
            raise Unclear
        meta = roi.get("meta")
        self._object(meta)
        confidence = roi.get("confidence")
        if confidence is not None:
            if type(confidence) is not float and type(confidence) is not int:
                raise Unclear
            if not 0 <= confidence <= 1:
                self._doubts |= doubts.CONFIDENCE
                self._value(confidence)
        poly = roi.get("poly")
        if poly is not None:
            if type(poly) is not list or not _NUMBERS.issuperset(map(type, poly)):
                raise Unclear
            if poly and not -_HUGE < min(poly) <= max(poly) < _HUGE:
                raise Unclear
            kind = meta.get("_type") if meta else None
            if poly and misfit(poly, kind if type(kind) is str and kind else None):
                self._doubts |= doubts.GEOMETRY

    # -- what may be anything

    def _object(self, value: Any) -> None:
        if value is not None:
            if type(value) is not dict:
                raise Unclear
            self._value(value)

    def _remaining(self, value: dict[str, Any], shape: Any) -> None:
        if shape.is_misspelled:
            self._doubts |= doubts.SPELLED
        for key in shape.loose:
            self._value(value[key])

    def _value(self, value: Any, depth: int = 0) -> None:
        """
        Count the keys in *value*, and see that no integer was lost.
        """
        if depth > _DEEP:
            raise Unclear
        cls = type(value)
        if cls is dict:
            self._keys += len(value)
            value = value.values()
        elif cls is not list:
            value = (value,)
        for item in value:
            cls = type(item)
            if cls is dict or cls is list:
                self._value(item, depth + 1)
            elif cls is float and not -_HUGE < item < _HUGE:
                raise Unclear


#: How many shapes of ``meta`` are counted apart.
_REMEMBERED: Final = 4096

#: How many lists of ROIs are remembered, and how long they may be in bytes.
_ROIS_REMEMBERED: Final = 512
_LONGEST: Final = 4096


def _typed(signature: Any) -> Any:
    if isinstance(signature, frozenset):
        return signature
    pairs = zip(*signature, strict=True)
    return ((join("$.meta", key), KINDS[t]) for key, t in pairs if t in KINDS)


def _is_integer(value: Any) -> None:
    if value is not None and type(value) is not int:
        raise Unclear


def _is_text(value: Any) -> None:
    if value is not None and type(value) is not str:
        raise Unclear


def _is_texts(value: Any) -> None:
    if type(value) is not list:
        raise Unclear
    for item in value:
        if type(item) is not str:
            raise Unclear
