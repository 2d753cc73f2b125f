"""
Comparing two annotations of one image, object by object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from typing import Any, TypeGuard

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.decoding.label_map import LabelMap
from framekit.errors import ArgumentError
from framekit.segments.agreement import Agreement, agreement_of
from framekit.segments.artifacts import artifacts_of
from framekit.segments.assignment import assigned
from framekit.segments.difference import Difference
from framekit.segments.instance import Instance
from framekit.segments.instances import instances
from framekit.segments.panoptic import Panoptic
from framekit.segments.stacking import seen

__all__ = ["Annotation", "agreement", "compare"]

#: What can be compared.
Annotation = LabelMap | Panoptic | Sequence[Instance]


def _is_share(value: Any) -> TypeGuard[float]:
    number = isinstance(value, Real) and not isinstance(value, bool)
    return number and 0 <= float(value) <= 1


def _as_share(_: Any, attribute: Any, value: Any) -> None:
    if not _is_share(value):
        raise ArgumentError(attribute.name, f"expected 0 to 1, got {value!r}")


@frozen(kw_only=True)
class _Limits:
    """
    What counts as a difference, checked.
    """

    iou: float = field(validator=_as_share)
    low_overlap: float = field(validator=_as_share)
    visibility: float = field(validator=_as_share)
    min_score: float = field(validator=_as_share)
    tiny: float = field(validator=_as_share)
    spike: int = field()

    @spike.validator
    def _is_length(self, _: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            reason = f"expected a number of pixels, 1 or more, got {value!r}"
            raise ArgumentError("spike", reason)


def compare(
    a: Annotation,
    b: Annotation,
    *,
    iou: float = 0.4,
    low_overlap: float = 0.8,
    visibility: float = 0.05,
    min_score: float = 0.0,
    tiny: float = 0.02,
    spike: int = 10,
    things: Iterable[str] | None = None,
) -> list[Difference]:
    """
    List what *b* has otherwise than *a*.

    Objects are matched for the largest sum of IoU, first those of one class, then
    what is left whatever it is called. Of objects that overlap only what is seen is
    compared. Names and limits are those of CVAT's quality control.

    Args:
        a: What should be there: a reference, the other annotator, or a model.
        b: What is looked at, of the same size.
        iou: Objects match from this IoU on.
        low_overlap: A match below this IoU is a warning.
        visibility: An object of which a smaller share is seen is covered.
        min_score: Objects of *a* that are less sure are not missed in *b*.
        tiny: A separate part with a smaller share of its object is a speck.
        spike: From this length in pixels on a thin part is a spike.
        things: Labels whose classes are things, for label maps.

    Returns:
        Differences; errors first, then by how grave they are.

    Raises:
        ArgumentError: If sizes differ, or an argument is refused.
    """
    limits = _Limits(
        iou=iou,
        low_overlap=low_overlap,
        visibility=visibility,
        min_score=min_score,
        tiny=tiny,
        spike=spike,
    )
    return list(_compared(a, b, limits, things).differences)


def agreement(
    a: Annotation,
    b: Annotation,
    *,
    iou: float = 0.4,
    low_overlap: float = 0.8,
    visibility: float = 0.05,
    min_score: float = 0.0,
    tiny: float = 0.02,
    spike: int = 10,
    things: Iterable[str] | None = None,
) -> Agreement:
    """
    Compare as :func:`compare` does, and count what agrees, too.

    Raises:
        ArgumentError: If sizes differ, or an argument is refused.
    """
    limits = _Limits(
        iou=iou,
        low_overlap=low_overlap,
        visibility=visibility,
        min_score=min_score,
        tiny=tiny,
        spike=spike,
    )
    return _compared(a, b, limits, things)


def _compared(
    a: Annotation, b: Annotation, limits: _Limits, things: Iterable[str] | None
) -> Agreement:
    names = None if things is None else tuple(things)
    one, other = _listed("a", a, names), _listed("b", b, names)
    shapes = {item.region.shape for item in (*one, *other)} | {
        source.shape for source in (a, b) if isinstance(source, (LabelMap, Panoptic))
    }
    if len(shapes) > 1:
        reason = f"they are of images of several sizes: {sorted(shapes)[:5]}"
        raise ArgumentError("a, b", reason)
    crowds = [item for item in one if item.crowd]
    one = [item for item in one if not item.crowd]
    found: list[Difference] = []
    mine, _ = _seen(one, limits.visibility)
    theirs, covered = _seen(other, limits.visibility)
    found += [_covered(item, share) for item, share in covered]
    table = _overlaps(mine, theirs)
    keys = [_key(item) for item in theirs]
    same = np.array(
        [[own == key for key in keys] for own in map(_key, mine)], np.bool_
    ).reshape(table.shape)
    enough = np.where(table >= max(limits.iou, 1e-12), table, 0.0)
    matched = assigned(np.where(same, enough, 0.0))
    rest = enough.copy()
    for row, column in matched:
        rest[row], rest[:, column] = 0.0, 0.0
    renamed = assigned(rest)
    found += _missing(mine, table, {row for row, _ in matched + renamed}, limits)
    found += _extra(theirs, table, {at for _, at in matched + renamed}, crowds)
    for row, column in renamed:
        found.append(_renamed(mine[row], theirs[column], float(table[row, column])))
    for row, column in matched:
        overlap = float(table[row, column])
        found += _within(mine[row], theirs[column], overlap, limits)
    pairs = [(mine[row].label, float(table[row, at])) for row, at in matched]
    return agreement_of(mine, theirs, pairs, _ordered(found))


def _listed(
    argument: str, value: Annotation, things: tuple[str, ...] | None
) -> list[Instance]:
    if isinstance(value, LabelMap):
        return instances(value, things=things)
    if isinstance(value, Panoptic):
        return instances(value)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        found = list(value)
        if all(isinstance(item, Instance) for item in found):
            return found
    reason = f"expected a LabelMap, a Panoptic or instances, got {value!r:.80}"
    raise ArgumentError(argument, reason)


def _key(item: Instance) -> frozenset[str]:
    return frozenset(item.labels)


def _seen(
    items: Sequence[Instance], visibility: float
) -> tuple[list[Instance], list[tuple[Instance, float]]]:
    """
    Instances with what is seen of them, and those that are covered, with the share.
    """
    kept, covered = [], []
    for item, region in zip(items, seen(items), strict=True):
        share = 0.0 if region is None else region.area / item.area
        if region is None or share < visibility:
            covered.append((item, share))
        else:
            kept.append(evolve(item, region=region))
    return kept, covered


def _overlaps(
    one: Sequence[Instance], other: Sequence[Instance]
) -> NDArray[np.float64]:
    """
    The IoU of each pair.
    """
    table = np.zeros((len(one), len(other)))
    if not table.size:
        return table
    a = np.array([item.region.bounds for item in one])[:, None]
    b = np.array([item.region.bounds for item in other])[None]
    near = (
        (a[..., 0] < b[..., 2])
        & (b[..., 0] < a[..., 2])
        & (a[..., 1] < b[..., 3])
        & (b[..., 1] < a[..., 3])
    )
    for row, column in np.argwhere(near).tolist():
        table[row, column] = one[row].region.iou(other[column].region)
    return table


def _missing(
    one: Sequence[Instance],
    table: NDArray[np.float64],
    used: set[int],
    limits: _Limits,
) -> Iterator[Difference]:
    for row, item in enumerate(one):
        sure = item.score is None or item.score >= limits.min_score
        if row not in used and sure:
            nearest = float(table[row].max(initial=0.0))
            yield Difference(
                kind="missing_annotation",
                label=item.label,
                box=item.box,
                area=item.area,
                score=1 - nearest if item.score is None else item.score,
                iou=nearest,
                action="accept",
                first=item.id,
            )


def _extra(
    other: Sequence[Instance],
    table: NDArray[np.float64],
    used: set[int],
    crowds: Sequence[Instance],
) -> Iterator[Difference]:
    for column, item in enumerate(other):
        if column in used or _in_crowd(item, crowds):
            continue
        nearest = float(table[:, column].max(initial=0.0))
        yield Difference(
            kind="extra_annotation",
            label=item.label,
            box=item.box,
            area=item.area,
            score=1 - nearest if item.score is None else item.score,
            iou=nearest,
            action="reject",
            second=item.id,
        )


def _in_crowd(item: Instance, crowds: Sequence[Instance]) -> bool:
    """
    Whether most of it lies where the first has not told its class's objects apart.
    """
    shared = sum(
        item.region.intersection(crowd.region)
        for crowd in crowds
        if _key(crowd) == _key(item)
    )
    return 2 * shared > item.area


def _covered(item: Instance, share: float) -> Difference:
    return Difference(
        kind="covered_annotation",
        label=item.label,
        box=item.box,
        area=item.area,
        score=1 - share,
        action="reject",
        second=item.id,
    )


def _renamed(one: Instance, other: Instance, overlap: float) -> Difference:
    return Difference(
        kind="mismatching_label",
        label=one.label,
        other_label=other.label,
        box=other.box,
        area=other.area,
        score=overlap if one.score is None else one.score,
        iou=overlap,
        action="edit",
        first=one.id,
        second=other.id,
    )


def _within(
    one: Instance, other: Instance, overlap: float, limits: _Limits
) -> Iterator[Difference]:
    """
    What two outlines of one object differ in.
    """
    if overlap < limits.low_overlap:
        yield Difference(
            kind="low_overlap",
            label=one.label,
            box=other.box,
            area=other.area,
            score=1 - overlap,
            iou=overlap,
            action="edit",
            first=one.id,
            second=other.id,
        )
    parts = artifacts_of(one.region, other.region, tiny=limits.tiny, spike=limits.spike)
    for part in parts:
        yield Difference(
            kind=part.kind,
            label=one.label,
            box=part.box,
            area=part.area,
            score=min(1.0, part.area / other.area),
            iou=overlap,
            action="edit",
            first=one.id,
            second=other.id,
        )


def _ordered(found: Iterable[Difference]) -> list[Difference]:
    return sorted(found, key=lambda one: (str(one.severity) != "error", -one.score))
