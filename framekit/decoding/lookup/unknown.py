"""
Pixels no id exists for: how many, of which values, and where.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

#: Distinct values that are counted apart: the first ones in reading order.
LIMIT = 1 << 16

#: Runs that are gathered before they are merged.
WAITING = 1 << 18

#: Values a result lists unless told otherwise.
TOP = 16

#: One value: pixels, value, box (half open), place in the order of first sight.
RECORD = np.dtype(
    [
        ("count", "u8"),
        ("key", "u4"),
        ("x0", "u4"),
        ("y0", "u4"),
        ("x1", "u4"),
        ("y1", "u4"),
        ("order", "u4"),
    ]
)

Records = NDArray[Any]


@frozen
class UnknownValue:
    """
    A color or value that has no id.
    """

    #: As in the lookup's keys: a color R << 16 | G << 8 | B, or an index.
    value: int

    #: Pixels.
    count: int

    #: First column, first row, and the column and row after the last.
    box: tuple[int, int, int, int]


@frozen
class Unknown:
    """
    All pixels no id exists for.
    """

    #: How many, exactly.
    pixels: int = 0

    #: The most frequent values, by count, then by value.
    values: tuple[UnknownValue, ...] = ()

    #: How many values were told apart.
    distinct: int = 0

    #: False when there were more than `LIMIT` values: those seen later are in
    #: `pixels` only.
    complete: bool = True


#: Nothing unknown.
NONE = Unknown()


def summarize(
    pixels: int,
    complete: bool,  # noqa: FBT001 (as the kernels return it)
    records: Records,
    *,
    values: NDArray[np.uint32] | None = None,
    top: int | None = TOP,
) -> Unknown:
    """
    Return the statistics that *records* (dtype `RECORD`) hold.

    Args:
        values: The value of each key, where keys are samples; several keys may have
            one value.  None: keys are values.
        top: How many values to list, None for all.
    """
    if not pixels:
        return NONE
    if values is not None:
        renamed = records.copy()
        renamed["key"] = values[records["key"]]
        records = Tally(waiting=[renamed]).records
    order = _most(records["count"], records["key"], top)
    rows = records[order].tolist()
    return Unknown(
        pixels,
        tuple(
            UnknownValue(key, count, (x0, y0, x1, y1))
            for count, key, x0, y0, x1, y1, _ in rows
        ),
        len(records),
        complete,
    )


@define(eq=False)
class Tally:
    """
    Counts runs of unknown pixels, given in reading order.
    """

    limit: int = LIMIT
    pixels: int = 0
    complete: bool = True
    _merged: Records = field(factory=lambda: np.empty(0, RECORD))
    _waiting: list[Records] = field(factory=list)
    _runs: int = 0

    @property
    def records(self) -> Records:
        """
        One record a value, in order of first sight, at most `limit`.
        """
        self.merge()
        return self._merged

    def add(
        self,
        keys: NDArray[np.uint32],
        starts: NDArray[np.intp],
        lengths: NDArray[np.intp],
        width: int,
    ) -> None:
        """
        Count runs of *lengths* pixels from the flat indices *starts* on.

        They may go over several rows of *width* pixels.
        """
        ends = starts + lengths
        first, last = starts // width, (ends - 1) // width
        pieces = last - first + 1
        if (pieces > 1).any():
            run = np.repeat(np.arange(len(keys)), pieces)
            row = np.arange(len(run)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
            row += first[run]
            keys = keys[run]
            starts = np.maximum(starts[run], row * width)
            ends = np.minimum(ends[run], (row + 1) * width)
        else:
            row = first
        added = np.empty(len(keys), RECORD)
        added["count"] = ends - starts
        added["key"] = keys
        added["x0"] = starts - row * width
        added["x1"] = ends - row * width
        added["y0"] = row
        added["y1"] = row + 1
        self.pixels += int(lengths.sum())
        self._waiting.append(added)
        self._runs += len(added)
        if self._runs > WAITING:
            self.merge()

    def merge(self) -> None:
        """
        Make one record of those of one key.
        """
        if not self._waiting:
            return
        both = np.concatenate([self._merged, *self._waiting])
        self._waiting = []
        self._runs = 0
        _, first, group = np.unique(both["key"], return_index=True, return_inverse=True)
        order = np.argsort(first)
        merged = both[first]
        merged["count"] = np.bincount(group, both["count"]).astype(np.uint64)
        for name, pick in _BOX.items():
            whole = merged[name].copy()
            pick.at(whole, group, both[name])
            merged[name] = whole
        if len(order) > self.limit:
            self.complete = False
            order = order[: self.limit]
        self._merged = merged[order]
        self._merged["order"] = np.arange(len(order))


def _most(
    counts: NDArray[np.uint64], keys: NDArray[np.uint32], top: int | None
) -> NDArray[np.intp]:
    """
    Return the places of the *top* largest counts, of equal ones the smaller keys.
    """
    places = np.arange(len(counts))
    if top is not None and 0 < top < len(counts) and counts.max() < 1 << 32:
        rank = counts << np.uint64(32) | (keys ^ np.uint32(0xFFFFFFFF))
        places = np.argpartition(rank, len(rank) - top)[len(rank) - top :]
    order = np.lexsort((keys[places], -counts[places].astype(np.int64)))
    return places[order][:top]


_BOX = {"x0": np.minimum, "y0": np.minimum, "x1": np.maximum, "y1": np.maximum}
