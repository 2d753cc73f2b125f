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
from framekit.validation.shapes import Shape, Shapes
from framekit.validation.version_rules import VersionLabels

__all__ = ["Gate", "Unclear"]

#: Integers from here on may have become floats when they were parsed.
_HUGE: Final = 2.0**63

#: How deep values may nest that are not looked at; below what the parser allows.
_DEEP: Final = 60

_NUMBERS: Final = frozenset({int, float})

#: Types of values in which nothing can have been lost.
_PLAIN: Final = frozenset({bool, int, str, type(None)})

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
        self._linked.counted[self._linked.found.bare] += 1

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
        shape = _FRAME[tuple(frame), tuple(map(type, frame.values()))]
        if not shape.is_possible:
            raise Unclear
        self._keys += len(frame)
        optional = shape.optional
        if "id" in optional and not frame["id"]:
            raise Unclear
        self._meta = None
        if "meta" in optional:
            self._frame_meta(frame["meta"])
        if "meta_blob" in optional:
            self._value(frame["meta_blob"])
        if shape.is_odd:
            self._remaining(frame, shape)
        linked = self._linked
        linked.masks = {}
        sources = frame["sources"]
        if not sources:
            self._doubts |= doubts.NO_SOURCES
        for source in sources:
            self._source(source)
        self._rois(frame["rois"] if "rois" in optional else [])
        if not linked.is_known():
            self._doubts |= doubts.FACTS

    def _frame_meta(self, meta: Any) -> None:
        if not meta:
            return
        kinds = tuple(map(type, meta.values()))
        if dict in kinds or list in kinds:
            self._meta = frozenset(types_of(meta, "$.meta"))
            self._value(meta)
        else:
            self._meta = tuple(meta), kinds
            self._flat(meta, kinds)
        if self._meta not in self._metas:
            self._doubts |= doubts.FACTS

    def _source(self, source: Any) -> None:
        if type(source) is not dict:
            raise Unclear
        shape = _SOURCE[tuple(source), tuple(map(type, source.values()))]
        optional = shape.optional
        moment = self._media(source, shape)
        id = source["id"]
        if not id:
            raise Unclear
        masks = self._linked.masks
        if id in masks:
            self._doubts |= doubts.SAME_SOURCES
            ids = masks[id]
        else:
            ids = masks[id] = []
        if "masks" in optional:
            for mask in source["masks"]:
                self._mask(mask, source, moment, ids)
        if "preview" in optional:
            preview = source["preview"]
            types = tuple(map(type, preview.values()))
            self._media(preview, _PREVIEW[tuple(preview), types])
        if "meta" in optional:
            meta = source["meta"]
            self._flat(meta, tuple(map(type, meta.values())))

    def _mask(self, mask: Any, source: Any, moment: int, ids: list[str]) -> None:
        if type(mask) is not dict:
            raise Unclear
        shape = _MASK[tuple(mask), tuple(map(type, mask.values()))]
        here = self._media(mask, shape)
        id = mask["id"]
        if not id:
            raise Unclear
        if id in ids:
            self._doubts |= doubts.SAME_MASKS
        ids.append(id)
        if mask["uri"] == source["uri"]:
            self._doubts |= doubts.SAME_FILE
        if here != moment and is_video(mask) and is_video(source):
            self._doubts |= doubts.TIMESTAMPS

    def _media(self, media: dict[str, Any], shape: Shape) -> int:
        """
        Look at what sources, masks and previews have in common.
        """
        if not shape.is_possible or not media["uri"]:
            raise Unclear
        self._keys += len(media)
        optional = shape.optional
        if "width" in optional and media["width"] <= 0:
            self._doubts |= doubts.SIZE
        if "height" in optional and media["height"] <= 0:
            self._doubts |= doubts.SIZE
        if shape.is_odd:
            self._remaining(media, shape)
        if "timestamp" not in optional:
            return 0
        moment: int = media["timestamp"]
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
        linked.start()
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
        shape = _ROI[tuple(roi), tuple(map(type, roi.values()))]
        if not shape.is_possible:
            raise Unclear
        self._keys += len(roi)
        labels = roi["label"]
        _are_texts(labels)
        if not all(map(str.strip, labels)) or not labels:
            self._doubts |= doubts.LABEL
        named = roi.get("sources")
        if named is not None:
            _are_texts(named)
            for id in named:
                if id not in self._linked.masks:
                    self._doubts |= doubts.UNKNOWN_SOURCE
        if "mask" in shape.optional:
            self._roi_mask(roi["mask"], labels, named)
        if shape.is_rare:
            self._geometry(roi, shape.optional)
        if shape.is_odd:
            self._remaining(roi, shape)

    def _roi_mask(self, mask: Any, labels: list[str], named: Any) -> None:
        shape = _ROI_MASK[tuple(mask), tuple(map(type, mask.values()))]
        if not shape.is_possible:
            raise Unclear
        self._keys += len(mask)
        id, value = mask["id"], mask["value"]
        if not id or len(value) != 3:
            raise Unclear
        red, green, blue = value
        if type(red) is not int or type(green) is not int or type(blue) is not int:
            raise Unclear
        if not (0 <= red <= 255 and 0 <= green <= 255 and 0 <= blue <= 255):
            self._doubts |= doubts.COLOR
        if shape.is_odd:
            self._remaining(mask, shape)
        linked = self._linked
        if not linked.link(id, named):
            self._doubts |= doubts.LINK
        if not linked.agree((id, red, green, blue), labels):
            self._doubts |= doubts.LABEL_SETS

    def _geometry(self, roi: dict[str, Any], optional: frozenset[str]) -> None:
        if "id" in optional and not roi["id"]:
            raise Unclear
        meta = roi.get("meta")
        if meta is not None:
            self._value(meta)
        if "confidence" in optional and not 0 <= roi["confidence"] <= 1:
            self._doubts |= doubts.CONFIDENCE
            self._value([roi["confidence"]])
        poly = roi.get("poly")
        if poly:
            if not _NUMBERS.issuperset(map(type, poly)):
                raise Unclear
            if not -_HUGE < min(poly) <= max(poly) < _HUGE:
                raise Unclear
            kind = meta.get("_type") if meta else None
            if misfit(poly, kind if type(kind) is str and kind else None):
                self._doubts |= doubts.GEOMETRY

    # -- what may be anything

    def _flat(self, value: dict[str, Any], types: tuple[type, ...]) -> None:
        """
        Look at an object whose values have *types*.
        """
        if _PLAIN.issuperset(types):
            self._keys += len(value)
        else:
            self._value(value)

    def _remaining(self, value: dict[str, Any], shape: Shape) -> None:
        if shape.is_misspelled:
            self._doubts |= doubts.SPELLED
        for key in shape.loose:
            self._value([value[key]])

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


def _are_texts(items: list[Any]) -> None:
    for item in items:
        if type(item) is not str:
            raise Unclear
