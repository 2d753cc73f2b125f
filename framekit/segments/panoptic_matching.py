"""
Matching the segments of two panoptic maps, and counting what matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from framekit.errors import ArgumentError
from framekit.segments.panoptic import Panoptic
from framekit.segments.panoptic_quality import (
    PanopticQuality,
    Tally,
    VoidRule,
    as_void_rule,
)
from framekit.segments.runs import runs_of

__all__ = ["panoptic_quality"]

#: Keys below this are counted in a table, others are sorted.
_DENSE: Final = 1 << 22

#: A map as planes to look for changes in, and its labels and instances.
_Planes = tuple[tuple[NDArray[Any], ...], NDArray[Any], NDArray[Any]]


def panoptic_quality(
    target: Panoptic | Any,
    prediction: Panoptic | Any,
    *,
    things: Iterable[int],
    stuff: Iterable[int],
    void: VoidRule = "target",
    crowd: Iterable[Iterable[int]] = (),
) -> PanopticQuality:
    """
    Score a panoptic segmentation.

    Segments of one class match if their IoU is above 0.5. Pixels whose target is
    void are left out of unions; a predicted segment of which more than half is void
    or crowd of its class is forgiven, and so is a crowd that was not found.

    Args:
        target: What is right: a Panoptic, or [L, Z] as (H, W, 2) or (N, H, W, 2) of
            whole numbers. Labels that are neither things nor stuff are void.
        prediction: What was found, of the same size. Negative labels are void.
        things: Ids of the classes that have instances.
        stuff: Ids of the classes that have none; Z of their pixels is ignored.
        void: ``"target"`` as panopticapi; ``"both"`` as torchmetrics: void in the
            prediction is left out of unions, and a target of which more than half
            was predicted as void is forgiven.
        crowd: [L, Z] of the target that stand for several objects, beside those that
            a Panoptic names.

    Returns:
        The quality; those of several images can be added.

    Raises:
        ArgumentError: If sizes differ, the prediction has a label that is no class,
            or an argument is refused.
    """
    empty = PanopticQuality(tuple(things), tuple(stuff), as_void_rule(void))
    crowds = {_pair(one) for one in crowd}
    if isinstance(target, Panoptic):
        crowds |= target.crowd
    ones, others = _images("target", target), _images("prediction", prediction)
    if len(ones) != len(others):
        reason = f"has {len(others)} image(s), the target {len(ones)}"
        raise ArgumentError("prediction", reason)
    found = empty
    for one, other in zip(ones, others, strict=True):
        found = found + evolve(empty, tallies=_tallies(one, other, empty, crowds))
    return found


@frozen(eq=False)
class _Side:
    """
    The segments of one of the two maps.
    """

    #: For each run its segment; -1 is void.
    segment: NDArray[np.int64]

    #: For each segment its place among the classes, and its instance number.
    place: NDArray[np.int64]
    number: NDArray[np.int64]


def _pair(value: Iterable[int]) -> tuple[int, int]:
    pair = tuple(int(number) for number in value)
    if len(pair) != 2:
        raise ArgumentError("crowd", f"expected pairs [L, Z], got {list(pair)}")
    return pair[0], pair[1]


def _images(argument: str, value: Panoptic | Any) -> list[_Planes]:
    if isinstance(value, Panoptic):
        planes = (value.labels, value.instances)
        return [(planes, *planes)]
    array = np.asarray(value)
    if array.ndim not in (3, 4) or array.shape[-1] != 2 or array.dtype.kind not in "iu":
        reason = (
            f"expected a Panoptic or whole numbers [L, Z] of shape (H, W, 2), "
            f"got {array.shape} {array.dtype}"
        )
        raise ArgumentError(argument, reason)
    if array.dtype == np.uint64:
        reason = "has unsigned 64-bit numbers; give signed ones"
        raise ArgumentError(argument, reason)
    batch = array[None] if array.ndim == 3 else array
    return [_planes(one) for one in batch]


def _planes(pair: NDArray[Any]) -> _Planes:
    labels, numbers = pair[:, :, 0], pair[:, :, 1]
    if pair.itemsize <= 4:
        # Both channels as one number: one comparison finds the changes.
        whole = np.ascontiguousarray(pair).view(f"u{2 * pair.itemsize}")[:, :, 0]
        return (whole,), labels, numbers
    return (labels, numbers), labels, numbers


def _tallies(
    target: _Planes,
    prediction: _Planes,
    empty: PanopticQuality,
    crowds: set[tuple[int, int]],
) -> dict[int, Tally]:
    if target[1].shape != prediction[1].shape:
        reason = f"is {prediction[1].shape}, the target is {target[1].shape}"
        raise ArgumentError("prediction", reason)
    runs = runs_of(*target[0], *prediction[0])
    at = np.divmod(runs.starts, max(runs.shape[1], 1))
    classes = np.array(sorted(empty.things_ids + empty.stuff_ids), np.int64)
    countable = np.isin(classes, empty.things_ids)
    one = _side(target, at, classes, countable)
    other = _side(prediction, at, classes, countable)
    _refuse_unknown(other, prediction, at)
    matching = _matching(one, other, runs.lengths)
    crowd = _crowd(one, classes, countable, crowds)
    return dict(_counted(matching, (one, other), crowd, empty, classes))


def _side(
    planes: _Planes,
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    classes: NDArray[np.int64],
    countable: NDArray[np.bool_],
) -> _Side:
    label, number = planes[1][at].astype(np.int64), planes[2][at].astype(np.int64)
    place = np.minimum(np.searchsorted(classes, label), len(classes) - 1)
    known = classes[place] == label
    number[~(known & countable[place])] = 0
    low = int(number.min(initial=0))
    span = int(number.max(initial=0)) - low + 1
    if span > 1 << 40:
        raise ArgumentError("instances", "are numbers too far apart")
    keys, ranks = _ranked((place * span + number - low)[known], len(classes) * span)
    segment = np.full(len(label), -1, np.int64)
    segment[known] = ranks
    return _Side(segment, keys // span, keys % span + low)


def _ranked(
    keys: NDArray[np.int64], limit: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    The different keys, ascending, and the rank of each.
    """
    if limit > _DENSE:
        found, ranks = np.unique(keys, return_inverse=True)
        return found, ranks.reshape(-1)
    used = np.zeros(limit, np.bool_)
    used[keys] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[keys]


def _refuse_unknown(
    side: _Side, planes: _Planes, at: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> None:
    none = side.segment < 0
    labels = planes[1][at[0][none], at[1][none]]
    unknown = np.unique(labels[labels >= 0])
    if len(unknown):
        reason = (
            f"has labels that are neither things nor stuff: {unknown[:10].tolist()}"
        )
        raise ArgumentError("prediction", reason)


@frozen(eq=False)
class _Matching:
    """
    Pixels of segments and of what pairs of them share.
    """

    #: Pixels of each segment.
    target: NDArray[np.int64]
    prediction: NDArray[np.int64]

    #: Segments of each pair that shares pixels, and how many.
    one: NDArray[np.int64]
    other: NDArray[np.int64]
    shared: NDArray[np.int64]

    #: Pixels of each segment that are void on the other side.
    target_in_void: NDArray[np.int64]
    prediction_in_void: NDArray[np.int64]


def _matching(one: _Side, other: _Side, lengths: NDArray[np.int64]) -> _Matching:
    rows, columns = len(one.place) + 1, len(other.place) + 1
    # Void is -1, and comes first.
    keys = (one.segment + 1) * columns + other.segment + 1
    pairs, ranks = _ranked(keys, rows * columns)
    counts = _sums(ranks, lengths, len(pairs))
    first, second = np.divmod(pairs, columns)
    real = (first > 0) & (second > 0)
    in_void, of_void = second == 0, first == 0
    return _Matching(
        _sums(first, counts, rows)[1:],
        _sums(second, counts, columns)[1:],
        first[real] - 1,
        second[real] - 1,
        counts[real],
        _sums(first[in_void], counts[in_void], rows)[1:],
        _sums(second[of_void], counts[of_void], columns)[1:],
    )


def _sums(
    places: NDArray[np.int64], counts: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    # Sums of whole numbers below 2**53 are exact in floats.
    weights = counts.astype(np.float64)
    return np.bincount(places, weights, minlength=size).astype(np.int64)


def _crowd(
    side: _Side,
    classes: NDArray[np.int64],
    countable: NDArray[np.bool_],
    crowds: set[tuple[int, int]],
) -> NDArray[np.bool_]:
    """
    Which segments stand for several objects.
    """
    labels, numbers = classes[side.place].tolist(), side.number.tolist()
    stuff = set(classes[~countable].tolist())
    marked = {(label, 0 if label in stuff else number) for label, number in crowds}
    pairs = zip(labels, numbers, strict=True)
    return np.array([pair in marked for pair in pairs], np.bool_)


def _counted(
    found: _Matching,
    sides: tuple[_Side, _Side],
    crowd: NDArray[np.bool_],
    empty: PanopticQuality,
    classes: NDArray[np.int64],
) -> Iterator[tuple[int, Tally]]:
    """
    The tally of each class that occurs.
    """
    one, other = sides
    same = one.place[found.one] == other.place[found.other]
    union = found.target[found.one] + found.prediction[found.other] - found.shared
    union = union - found.prediction_in_void[found.other]
    if empty.void == "both":
        union = union - found.target_in_void[found.one]
    matched = same & ~crowd[found.one] & (2 * found.shared > union)
    missed = ~crowd
    missed[found.one[matched]] = False
    if empty.void == "both":
        missed &= 2 * found.target_in_void <= found.target
    forgiven = found.prediction_in_void.copy()
    groups = same & crowd[found.one]
    np.add.at(forgiven, found.other[groups], found.shared[groups])
    imagined = 2 * forgiven <= found.prediction
    imagined[found.other[matched]] = False
    size = len(classes)
    fn = np.bincount(one.place[missed], minlength=size).tolist()
    fp = np.bincount(other.place[imagined], minlength=size).tolist()
    hits: dict[int, Tally] = {}
    for pair in np.flatnonzero(matched).tolist():
        place = int(one.place[found.one[pair]])
        tally = hits.get(place, Tally())
        hits[place] = tally.with_match(int(found.shared[pair]), int(union[pair]))
    for place, id in enumerate(classes.tolist()):
        tally = hits.get(place, Tally()) + Tally(fp=fp[place], fn=fn[place])
        if tally != Tally():
            yield id, tally
