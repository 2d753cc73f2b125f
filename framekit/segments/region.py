"""
A set of pixels of an image, kept as runs: small, however large the image is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Self

import numpy as np
from attrs import cmp_using, field, frozen
from numpy.typing import NDArray

from framekit.decoding.image.arrays import ensure_label_array
from framekit.errors import ArgumentError
from framekit.segments.bounding_box import BoundingBox
from framekit.segments.runs import runs_of

__all__ = ["Region"]


@frozen
class Region:
    """
    Which pixels of an image belong to something; at least one.
    """

    #: Height and width of the image in pixels.
    shape: tuple[int, int]

    #: (n, 3) int64: row, first column and the column after the last, in reading
    #: order.
    runs: NDArray[np.int64] = field(
        eq=cmp_using(eq=np.array_equal), hash=False, repr=lambda a: f"<{a.shape}>"
    )

    #: The box, where it is known already.
    _bounds: tuple[int, int, int, int] | None = field(
        default=None, eq=False, repr=False
    )

    @classmethod
    def of_mask(cls, mask: Any) -> Self:
        """
        The pixels of a mask that are not 0.

        Args:
            mask: (H, W) of bools, or of integers 0 and 1.

        Raises:
            ArgumentError: If it is another kind of array, or all 0.
        """
        array = ensure_label_array(mask)
        if array.size and (array.min() < 0 or array.max() > 1):
            values = np.unique(array)[:5].tolist()
            reason = f"expected a mask of 0 and 1, or bools; has {values}"
            raise ArgumentError("mask", reason)
        runs = runs_of(array)
        kept = runs.values == 1
        if not kept.any():
            raise ArgumentError("mask", "has no pixel; a region has at least one")
        width = runs.shape[1]
        row, start = np.divmod(runs.starts[kept], width)
        stop = start + runs.lengths[kept]
        return cls(runs.shape, np.stack([row, start, stop], axis=1))

    @cached_property
    def area(self) -> int:
        """
        How many pixels there are.
        """
        return int((self.runs[:, 2] - self.runs[:, 1]).sum())

    @cached_property
    def box(self) -> BoundingBox:
        """
        The smallest box around all pixels.
        """
        left, top, right, bottom = self.bounds
        return BoundingBox(left, top, right, bottom)

    @cached_property
    def bounds(self) -> tuple[int, int, int, int]:
        """
        The box as whole numbers: left, top, right, bottom; half open.
        """
        if self._bounds is not None:
            return self._bounds
        rows, starts, stops = self.runs.T
        return (
            int(starts.min()),
            int(rows[0]),
            int(stops.max()),
            int(rows[-1]) + 1,
        )

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """
        The pixels within the box, (box height, box width); read only.
        """
        left, top, right, bottom = self.bounds
        rows, starts, stops = self.runs.T
        found = _painted(
            (bottom - top, right - left), rows - top, starts - left, stops - left
        )
        found.flags.writeable = False
        return found

    @property
    def slices(self) -> tuple[slice, slice]:
        """
        Rows and columns of the box, to index an image with.
        """
        left, top, right, bottom = self.bounds
        return slice(top, bottom), slice(left, right)

    def full_mask(self) -> NDArray[np.bool_]:
        """
        The pixels within the image, (H, W).
        """
        found = np.zeros(self.shape, np.bool_)
        found[self.slices] = self.mask
        return found

    def intersection(self, other: Region) -> int:
        """
        How many pixels both have.

        Raises:
            ArgumentError: If *other* is of an image of another size.
        """
        if other.shape != self.shape:
            reason = f"is of an image of {other.shape}, this of one of {self.shape}"
            raise ArgumentError("other", reason)
        one, two = self.bounds, other.bounds
        left, top = max(one[0], two[0]), max(one[1], two[1])
        right, bottom = min(one[2], two[2]), min(one[3], two[3])
        if right <= left or bottom <= top:
            return 0
        return int(
            np.count_nonzero(
                self.window(left, top, right, bottom)
                & other.window(left, top, right, bottom)
            )
        )

    def iou(self, other: Region) -> float:
        """
        Shared pixels divided by the pixels of either, 0 to 1.

        Raises:
            ArgumentError: If *other* is of an image of another size.
        """
        shared = self.intersection(other)
        return shared / (self.area + other.area - shared)

    def window(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
        """
        The pixels of a part of the box, (bottom - top, right - left).
        """
        x, y = self.bounds[:2]
        return self.mask[top - y : bottom - y, left - x : right - x]

    def joined(self, others: Iterable[Region]) -> Region:
        """
        The pixels of this region and of *others*.

        Raises:
            ArgumentError: If one is of an image of another size.
        """
        mask = self.full_mask()
        for other in others:
            if other.shape != self.shape:
                reason = f"is of an image of {other.shape}, this of one of {self.shape}"
                raise ArgumentError("others", reason)
            mask[other.slices] |= other.mask
        return Region.of_mask(mask)


def _painted(
    shape: tuple[int, int],
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """
    (H, W) True within the runs, which do not overlap.
    """
    height, width = shape
    edges = np.zeros(height * (width + 1), np.int8)
    edges[rows * (width + 1) + starts] += 1
    edges[rows * (width + 1) + stops] -= 1
    inside = np.cumsum(edges, dtype=np.int8).reshape(height, width + 1)
    return inside[:, :width].view(np.bool_)
