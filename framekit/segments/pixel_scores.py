"""
Comparing two label maps pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.decoding.image.arrays import ensure_label_array
from framekit.decoding.label_map import VOID_INT32, VOID_UINT8, LabelMap
from framekit.errors import ArgumentError
from framekit.palette import Palette
from framekit.segments.boundary import boundary_band
from framekit.segments.confusion import Confusion, Score
from framekit.segments.runs import runs_of
from framekit.segments.segment_class import classes_of
from framekit.segments.segmenting import looked_up

__all__ = ["confusion", "dice", "iou"]


def confusion(
    target: LabelMap | Any,
    prediction: LabelMap | Any,
    *,
    classes: Iterable[int] | None = None,
    void: int | None = None,
    band: int | None = None,
) -> Confusion:
    """
    Count pixels by what they are and what they were called.

    Classes of two label maps are told apart by their labels, the palettes may
    differ. An array beside a label map holds ids of its palette.

    Args:
        target: What is right: a label map, or (H, W) of whole numbers.
        prediction: What was found, of the same size.
        classes: The values that occur, needed for two arrays.
        void: The value of arrays for no label; by default 255 in uint8 unless it is
            one of *classes*, and -1 in other types.
        band: Count only pixels so near to a border in *target*; 1 is the pixels at
            it. See :func:`boundary_band`.

    Raises:
        ArgumentError: If sizes differ, a value is neither a class nor void, or an
            argument is refused.
    """
    table = _table(target, prediction, classes)
    one = _ids("target", target)
    other = _ids("prediction", prediction)
    if one.shape != other.shape:
        reason = f"is {other.shape}, the target is {one.shape}"
        raise ArgumentError("prediction", reason)
    near = None if band is None else boundary_band(one, band)
    runs = runs_of(one, other) if near is None else runs_of(one, other, near)
    others = other.reshape(-1)[runs.starts]
    weights = runs.lengths
    if near is not None:
        kept = near.reshape(-1)[runs.starts]
        values, others, weights = runs.values[kept], others[kept], weights[kept]
    else:
        values = runs.values
    rows = _places("target", values, table, _void(target, one, table, void))
    columns = _places(
        "prediction", others, table, _void(prediction, other, table, void)
    )
    side = len(table.classes) + 1
    flat = np.bincount(rows * side + columns, weights, minlength=side * side)
    return Confusion(table.classes, flat.astype(np.int64).reshape(side, side))


def iou(
    target: LabelMap | Any,
    prediction: LabelMap | Any,
    *,
    classes: Iterable[int] | None = None,
    void: int | None = None,
    band: int | None = None,
) -> Score:
    """
    Return the IoU of each class, None where it does not occur.

    Arguments are those of :func:`confusion`.

    Raises:
        ArgumentError: If an argument is refused.
    """
    found = confusion(target, prediction, classes=classes, void=void, band=band)
    return found.iou


def dice(
    target: LabelMap | Any,
    prediction: LabelMap | Any,
    *,
    classes: Iterable[int] | None = None,
    void: int | None = None,
    band: int | None = None,
) -> Score:
    """
    Return the Dice score of each class, None where it does not occur.

    Arguments are those of :func:`confusion`.

    Raises:
        ArgumentError: If an argument is refused.
    """
    found = confusion(target, prediction, classes=classes, void=void, band=band)
    return found.dice


@frozen
class _Table:
    """
    Which place each value has, on either side.
    """

    classes: tuple[str | int, ...]
    target: dict[int, int]
    prediction: dict[int, int]


def _table(target: Any, prediction: Any, classes: Iterable[int] | None) -> _Table:
    maps = [one for one in (target, prediction) if isinstance(one, LabelMap)]
    if maps and classes is not None:
        reason = "a label map has its classes; leave this out"
        raise ArgumentError("classes", reason)
    if not maps:
        if classes is None:
            reason = "expected the values that occur, like range(19)"
            raise ArgumentError("classes", reason)
        values = tuple(int(value) for value in classes)
        if len(set(values)) != len(values):
            raise ArgumentError("classes", "has a value twice")
        table = {value: place for place, value in enumerate(values)}
        return _Table(values, table, table)
    first, last = maps[0].palette, maps[-1].palette
    names: dict[frozenset[str], str] = {}
    one, other = _named(first, names), _named(last, names)
    if len(maps) == 1:
        other = one
    return _Table(tuple(names.values()), one, other)


def _named(palette: Palette, names: dict[frozenset[str], str]) -> dict[int, int]:
    """
    The place of each id's class in *names*, which grows by what it lacks.
    """
    found = {}
    for one in classes_of(palette):
        key = frozenset(one.labels)
        names.setdefault(key, one.name)
        place = list(names).index(key)
        found.update(dict.fromkeys(one.ids, place))
    return found


def _ids(argument: str, value: Any) -> NDArray[Any]:
    if isinstance(value, LabelMap):
        return value.ids
    try:
        return ensure_label_array(value)
    except ArgumentError as error:
        raise ArgumentError(argument, error.reason) from None


def _void(source: Any, ids: NDArray[Any], table: _Table, void: int | None) -> int:
    if isinstance(source, LabelMap):
        return source.void
    if void is not None:
        return void
    if ids.dtype == np.uint8:
        return VOID_INT32 if VOID_UINT8 in table.target else VOID_UINT8
    return VOID_INT32


def _places(
    argument: str, values: NDArray[Any], table: _Table, void: int
) -> NDArray[np.int64]:
    """
    The place of each value's class, the last for void.
    """
    wide = values.astype(np.int64)
    known = table.target if argument == "target" else table.prediction
    places = looked_up(wide, known).astype(np.int64)
    unknown = (places < 0) & (wide != void)
    if unknown.any():
        shown = np.unique(wide[unknown])[:10].tolist()
        reason = f"has values that are neither a class nor void ({void}): {shown}"
        raise ArgumentError(argument, reason)
    return np.where(places < 0, len(table.classes), places)
