"""
Scale Nucleus' segmentations as values: segments, predictions, and what adding does.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from attrs import field, frozen

from framekit import _json
from framekit.errors import ArgumentError, DocumentError, FramekitWarning
from framekit.frame.values import as_mapping

__all__ = [
    "AnnotateResult",
    "NucleusItems",
    "Segment",
    "SegmentationPrediction",
    "check_for_duplicate_ids",
    "payload_of",
    "read_payload",
]

#: Both spellings of the segments: the client's, and the page's.
_SPELLINGS: Final = ("annotations", "predictions")


def _as_index(value: Any) -> int:
    number = value
    text = value.strip() if isinstance(value, str) else ""
    if text.isascii() and text.isdigit():
        number = int(text)
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    whole = isinstance(number, int) and not isinstance(number, bool)
    if not whole or not 0 <= number <= 255:
        reason = f"expected a pixel value from 0 to 255, got {value!r:.40}"
        raise ArgumentError("index", reason)
    if type(value) is not int:
        message = f"index {value!r} is read as {number}; write a whole number"
        warnings.warn(message, FramekitWarning, stacklevel=4)
    return int(number)


def _as_label(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ArgumentError("label", f"expected text, got {value!r:.40}")
    return value


@frozen
class Segment:
    """
    What one pixel value of a mask stands for.
    """

    label: str = field(converter=_as_label)

    #: The pixel value, 0 to 255; text and whole floats are taken with a warning.
    index: int = field(converter=_as_index)

    metadata: Mapping[str, Any] = field(factory=dict, converter=as_mapping, hash=False)

    @property
    def confidence(self) -> float | None:
        """
        How sure a model was, 0 to 1; Nucleus has it as metadata only.
        """
        value = self.metadata.get("confidence")
        return float(value) if value is not None and _is_share(value) else None

    @property
    def pdf(self) -> Mapping[str, float] | None:
        """
        The probability of each class; Nucleus has it as metadata only.
        """
        value = self.metadata.get("pdf")
        if not isinstance(value, Mapping) or not all(map(_is_share, value.values())):
            return None
        return value

    def to_dict(self) -> dict[str, Any]:
        """
        Return the payload, as the client sends it.
        """
        found: dict[str, Any] = {"label": self.label, "index": self.index}
        if self.metadata:
            found["metadata"] = dict(self.metadata)
        return found


def _as_segments(value: Any) -> tuple[Segment, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise ArgumentError("annotations", f"expected segments, got {value!r:.40}")
    found = tuple(value)
    for one in found:
        if not isinstance(one, Segment):
            reason = f"expected Segment objects, got {one!r:.40}"
            raise ArgumentError("annotations", reason)
    indices = [one.index for one in found]
    twice = sorted({index for index in indices if indices.count(index) > 1})
    if twice:
        reason = f"pixel value(s) {twice} stand for several segments"
        raise ArgumentError("annotations", reason)
    return found


@frozen(init=False)
class SegmentationPrediction:
    """
    The mask of an item and what its pixel values stand for.
    """

    #: ``s3://``, ``gs://``, ``https://``, or the path of a local PNG file.
    mask_url: str
    annotations: tuple[Segment, ...]
    reference_id: str
    annotation_id: str | None

    def __init__(
        self,
        mask_url: str,
        annotations: Iterable[Segment] | None = None,
        reference_id: str | None = None,
        annotation_id: str | None = None,
        *,
        predictions: Iterable[Segment] | None = None,
    ) -> None:
        """
        Take the segments as *annotations* or, as the page has it, *predictions*.

        Raises:
            ArgumentError: If a value is refused, or there are both or neither.
        """
        if (annotations is None) == (predictions is None):
            reason = "expected the segments, once: as annotations= or as predictions="
            raise ArgumentError("annotations", reason)
        for name, value in (("mask_url", mask_url), ("reference_id", reference_id)):
            if not isinstance(value, str) or not value:
                raise ArgumentError(name, f"expected text, got {value!r:.40}")
        if annotation_id is not None and not isinstance(annotation_id, str):
            reason = f"expected text, got {annotation_id!r:.40}"
            raise ArgumentError("annotation_id", reason)
        segments = _as_segments(annotations if predictions is None else predictions)
        self.__attrs_init__(mask_url, segments, reference_id or "", annotation_id)

    @property
    def is_instance_segmentation(self) -> bool:
        """
        Whether several segments share a label, and so are objects.
        """
        labels = [one.label for one in self.annotations]
        return len(set(labels)) < len(labels)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the payload, as the client sends it.
        """
        found = {
            "type": "mask",
            "mask_url": self.mask_url,
            "annotations": [one.to_dict() for one in self.annotations],
            "reference_id": self.reference_id,
        }
        if self.annotation_id is not None:
            found["annotation_id"] = self.annotation_id
        return found

    @classmethod
    def from_dict(cls, data: Any, at: str = "$") -> SegmentationPrediction:
        """
        Read a payload; the segments are called annotations, or predictions.

        Raises:
            DocumentError: If it is none; ``at`` is the JSON path.
        """
        if not isinstance(data, Mapping):
            reason = f"expected an object, got {_json.kind(data)}"
            raise DocumentError(at, reason, "wrong-type")
        keys = [key for key in _SPELLINGS if data.get(key) is not None]
        if len(keys) != 1:
            reason = "expected the key 'annotations' (or 'predictions'), once"
            raise DocumentError(at, reason, "missing-key")
        listed = data[keys[0]]
        if not isinstance(listed, list):
            reason = f"expected an array, got {_json.kind(listed)}"
            raise DocumentError(f"{at}.{keys[0]}", reason, "wrong-type")
        segments = [
            _segment(one, f"{at}.{keys[0]}[{n}]") for n, one in enumerate(listed)
        ]
        try:
            return cls(
                data.get("mask_url") or "",
                segments,
                data.get("reference_id"),
                data.get("annotation_id"),
            )
        except ArgumentError as error:
            place = f"{at}.{error.argument}"
            raise DocumentError(place, error.reason, "wrong-value") from None


def _segment(data: Any, at: str) -> Segment:
    if not isinstance(data, Mapping):
        reason = f"expected an object, got {_json.kind(data)}"
        raise DocumentError(at, reason, "wrong-type")
    try:
        return Segment(data.get("label"), data.get("index"), data.get("metadata"))
    except ArgumentError as error:
        place = f"{at}.{error.argument}"
        raise DocumentError(place, error.reason, "wrong-value") from None


def read_payload(data: Any, at: str = "$") -> list[SegmentationPrediction]:
    """
    Read a batch ``{"segmentations": […]}``, a list of payloads, or one.

    Raises:
        DocumentError: If it is none of these; ``at`` is the JSON path.
    """
    if isinstance(data, Mapping) and "segmentations" in data:
        data, at = data["segmentations"], f"{at}.segmentations"
    if not isinstance(data, list):
        return [SegmentationPrediction.from_dict(data, at)]
    return [
        SegmentationPrediction.from_dict(one, f"{at}[{n}]")
        for n, one in enumerate(data)
    ]


def payload_of(
    segmentations: Iterable[SegmentationPrediction], *, update: bool = False
) -> dict[str, Any]:
    """
    The batch that the client sends.

    Raises:
        DocumentError: If two have the same ids.
    """
    found = list(segmentations)
    check_for_duplicate_ids(found)
    return {"segmentations": [one.to_dict() for one in found], "update": update}


def check_for_duplicate_ids(
    segmentations: Iterable[SegmentationPrediction],
) -> None:
    """
    Refuse two segmentations with the same reference id and annotation id.

    Raises:
        DocumentError: Naming them.
    """
    seen: set[tuple[str, str | None]] = set()
    twice: dict[tuple[str, str | None], None] = {}
    for one in segmentations:
        key = one.reference_id, one.annotation_id
        if key in seen:
            twice[key] = None
        seen.add(key)
    if twice:
        shown = ", ".join(map(repr, list(twice)[:5]))
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        reason = f"(reference_id, annotation_id) is there twice: {shown}{more}"
        raise DocumentError("$.segmentations", reason, "duplicate-id")


#: What became of a segmentation.
Outcome = Literal["processed", "ignored", "errors"]


@frozen
class AnnotateResult:
    """
    What came of adding segmentations.
    """

    processed: int = 0

    #: Items that had a mask already, and keep it.
    ignored: int = 0

    #: Reference ids that are no items.
    errors: int = 0

    #: By reference id, why.
    reasons: Mapping[str, str] = field(factory=dict, hash=False)


class NucleusItems:
    """
    The items of a dataset and the mask of each, as Nucleus keeps them.

    An item has at most one mask, whatever its annotation id.
    """

    def __init__(self, reference_ids: Iterable[str]) -> None:
        """
        Start without masks.
        """
        #: By reference id; None without a mask.
        self.masks: dict[str, SegmentationPrediction | None] = dict.fromkeys(
            reference_ids
        )

    def annotate(
        self, segmentations: Sequence[SegmentationPrediction], *, update: bool = False
    ) -> AnnotateResult:
        """
        Give items their masks.

        Args:
            update: Replace the mask of an item that has one, which else stays.

        Raises:
            DocumentError: If two have the same ids; nothing has changed then.
        """
        check_for_duplicate_ids(segmentations)
        processed = ignored = errors = 0
        reasons: dict[str, str] = {}
        for one in segmentations:
            if one.reference_id not in self.masks:
                errors += 1
                reasons[one.reference_id] = "there is no item of that reference id"
            elif self.masks[one.reference_id] is not None and not update:
                ignored += 1
            else:
                processed += 1
                self.masks[one.reference_id] = one
        return AnnotateResult(processed, ignored, errors, reasons)


def _is_share(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 <= value <= 1
