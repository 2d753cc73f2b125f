"""
Average precision of masks, as COCO defines it and its own code computes it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from types import FunctionType
from typing import Any, Literal, Self

from attrs import frozen

from framekit.errors import ArgumentError, FramekitWarning, MissingExtraError
from framekit.segments.instance import Instance

__all__ = ["AveragePrecision", "Detections", "average_precision", "detections"]

#: What to do about predictions without a score.
Scores = Literal["require", "one"]

#: COCO's limits of area, in pixels: all, small, medium, large.
_AREAS = ("all", "small", "medium", "large")


@frozen(kw_only=True)
class AveragePrecision:
    """
    COCO's scores of masks, 0 to 1; None where no target counts.
    """

    #: The mean over IoU 0.50, 0.55, … 0.95, and over classes.
    ap: float | None

    #: At IoU 0.50 and 0.75.
    ap50: float | None
    ap75: float | None

    #: Of targets under 32 x 32 pixels, under 96 x 96, and above.
    small: float | None
    medium: float | None
    large: float | None

    #: The first score, of each class.
    per_class: tuple[tuple[str, float | None], ...] = ()

    #: How many images there were.
    images: int = 0


@frozen
class _Mask:
    """
    One target or prediction.
    """

    label: str
    rle: tuple[tuple[int, int], str]
    area: int
    crowd: bool
    score: float


@frozen
class Detections:
    """
    The targets and predictions of some images; those of others are added with ``+``.
    """

    #: For each image its targets, and its predictions.
    images: tuple[tuple[tuple[_Mask, ...], tuple[_Mask, ...]], ...] = ()

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, Detections):
            return NotImplemented
        return type(self)(self.images + other.images)

    def __radd__(self, other: object) -> Self:
        # sum() starts from 0.
        return self if other == 0 else NotImplemented

    def average_precision(self) -> AveragePrecision:
        """
        Score all images together, with pycocotools.

        Raises:
            MissingExtraError: If pycocotools is not installed.
        """
        labels = sorted({one.label for image in self.images for one in image[0]})
        if not labels:
            return AveragePrecision(
                ap=None,
                ap50=None,
                ap75=None,
                small=None,
                medium=None,
                large=None,
                images=len(self.images),
            )
        return _evaluated(self.images, labels)


def detections(
    target: Sequence[Instance],
    prediction: Sequence[Instance],
    *,
    scores: Scores = "require",
) -> Detections:
    """
    Collect what average precision needs of one image.

    Args:
        scores: What predictions without a score are: refused (``"require"``), since
            average precision ranks them; or all as sure (``"one"``), with a warning.

    Raises:
        ArgumentError: If a prediction has no score, or sizes differ.
    """
    if scores not in ("require", "one"):
        raise ArgumentError("scores", f"expected 'require' or 'one', got {scores!r}")
    shapes = {one.region.shape for one in (*target, *prediction)}
    if len(shapes) > 1:
        reason = f"are of images of several sizes: {sorted(shapes)[:5]}"
        raise ArgumentError("prediction", reason)
    without = [one.name for one in prediction if one.score is None]
    if without and scores == "require":
        reason = (
            f"{len(without)} of {len(prediction)} have no score, like {without[0]!r}; "
            f"average precision ranks predictions by it. Score panoptic quality or "
            f"IoU instead, or take all for equally sure with scores='one'"
        )
        raise ArgumentError("prediction", reason)
    if without:
        reason = f"{len(without)} predictions have no score and are taken for certain"
        warnings.warn(reason, FramekitWarning, stacklevel=2)
    found = tuple(_mask(one) for one in target), tuple(_mask(one) for one in prediction)
    return Detections((found,))


def average_precision(
    targets: Sequence[Instance] | Iterable[Sequence[Instance]],
    predictions: Sequence[Instance] | Iterable[Sequence[Instance]],
    *,
    scores: Scores = "require",
) -> AveragePrecision:
    """
    Score predicted instances: COCO's AP at IoU 0.50 to 0.95 and its parts.

    Args:
        targets: The instances of one image, or of each of several.
        predictions: The same, with scores.
        scores: See :func:`detections`, whose results are added up for images that
            do not fit into memory together.

    Raises:
        ArgumentError: If a prediction has no score, or sizes or numbers differ.
        MissingExtraError: If pycocotools is not installed.
    """
    ones, others = list(targets), list(predictions)
    if any(isinstance(one, Instance) for one in (*ones, *others)):
        ones, others = [ones], [others]
    if len(ones) != len(others):
        reason = f"are of {len(others)} images, targets of {len(ones)}"
        raise ArgumentError("predictions", reason)
    found = Detections()
    for one, other in zip(ones, others, strict=True):
        found = found + detections(_listed(one), _listed(other), scores=scores)
    return found.average_precision()


def _listed(value: Any) -> list[Instance]:
    found = list(value)
    for one in found:
        if not isinstance(one, Instance):
            reason = f"expected instances, got {type(one).__name__}"
            raise ArgumentError("targets, predictions", reason)
    return found


def _mask(one: Instance) -> _Mask:
    height, width = one.region.shape
    rle = (height, width), one.rle()["counts"]
    score = 1.0 if one.score is None else one.score
    return _Mask(one.label, rle, one.area, one.crowd, score)


def _evaluated(images: Sequence[Any], labels: Sequence[str]) -> AveragePrecision:
    """
    Hand all masks to COCO's evaluation, without its index of files.
    """
    try:
        evaluation = import_module("pycocotools.cocoeval").COCOeval
    except ImportError:
        raise MissingExtraError("average precision", "analysis") from None
    # What reading its files would fill in, COCOeval keeps in private names.
    work = evaluation(iouType="segm")
    work.params.imgIds = list(range(len(images)))
    work.params.catIds = list(range(len(labels)))
    work.params.areaRngLbl = list(_AREAS)
    places = {label: place for place, label in enumerate(labels)}
    work._gts = _grouped(images, places, 0)  # noqa: SLF001
    work._dts = _grouped(images, places, 1)  # noqa: SLF001
    work.ious = {
        (image, place): work.computeIoU(image, place)
        for image in work.params.imgIds
        for place in work.params.catIds
    }
    limit = work.params.maxDets[-1]
    work.evalImgs = [
        work.evaluateImg(image, place, area, limit)
        for place in work.params.catIds
        for area in work.params.areaRng
        for image in work.params.imgIds
    ]
    work._paramsEval = work.params  # noqa: SLF001
    _silent(evaluation.accumulate)(work)
    # By IoU, recall, class, area and number of detections; -1 where nothing counts.
    precision = work.eval["precision"][..., -1]
    return AveragePrecision(
        ap=_mean(precision[..., 0]),
        ap50=_mean(precision[0, ..., 0]),
        ap75=_mean(precision[5, ..., 0]),
        small=_mean(precision[..., 1]),
        medium=_mean(precision[..., 2]),
        large=_mean(precision[..., 3]),
        per_class=tuple(
            (label, _mean(precision[:, :, place, 0])) for label, place in places.items()
        ),
        images=len(images),
    )


class _Groups(dict[tuple[int, int], list[dict[str, Any]]]):
    """
    Masks by image and class.
    """

    def __missing__(self, key: tuple[int, int]) -> list[dict[str, Any]]:
        return []


def _grouped(images: Sequence[Any], places: dict[str, int], side: int) -> _Groups:
    found = _Groups()
    number = 0
    for image, sides in enumerate(images):
        for one in sides[side]:
            if one.label not in places:
                continue  # A class without targets has no average precision.
            number += 1
            (height, width), counts = one.rle
            item = {
                "id": number,
                "segmentation": {"size": [height, width], "counts": counts.encode()},
                "area": one.area,
                "iscrowd": int(one.crowd),
                "ignore": int(one.crowd),
                "score": one.score,
            }
            found.setdefault((image, places[one.label]), []).append(item)
    return found


def _silent(method: Callable[..., Any]) -> Callable[..., Any]:
    """
    The same method, with a ``print`` that does nothing, for this call only.
    """
    function: Any = method
    names = {**function.__globals__, "print": lambda *_: None}
    return FunctionType(function.__code__, names, function.__name__, (None,))


def _mean(precision: Any) -> float | None:
    known = precision[precision > -1]
    return float(known.mean()) if known.size else None
