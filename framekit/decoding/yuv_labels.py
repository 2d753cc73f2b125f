"""
From planes to labels: for each pixel the nearest of some centroids.

``classify_planes`` is the one place where planes of YUV become labels; a border
repair is plugged in there. All distances are in integers, so that results are the
same on every machine.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.decoding.colorspace import SCALE
from framekit.decoding.planes import Planes

__all__ = ["CentroidLookup", "Labels", "Mode", "Nearest", "classify_planes", "keys_of"]

#: How borders in 4:2:0 are treated: repaired, repaired quickly, or not at all.
Mode = Literal["full", "fast", "nearest"]

#: Labels: positions among the centroids; ``NONE`` is none of them.
Labels = NDArray[np.int32]

NONE: Final = -1

_NO_LIMIT: Final = 1 << 40
_EMPTY: Final = 0
_FAR: Final = 1


@frozen(eq=False)
class Nearest:
    """
    The labels of one picture, and how sure they are.
    """

    #: (H, W) int32, positions among the centroids.
    labels: Labels = field(repr=lambda a: f"<{a.shape}>")

    #: (H, W) bool: decided by a small margin; None if no margin is known.
    uncertain: NDArray[np.bool_] | None = field(default=None, repr=False)

    #: Share of pixels that no single label explained, 0 to 1.
    ambiguous_share: float = 0.0

    #: Remarks for the report.
    notes: tuple[str, ...] = ()


def classify_planes(planes: Planes, lookup: CentroidLookup, *, mode: Mode) -> Nearest:
    """
    Label 8-bit *planes* of ``yuv`` or ``gray`` by the centroids of *lookup*.

    Chroma is repeated up to the size of luma.
    """
    notes: tuple[str, ...] = ()
    if mode != "nearest" and planes.steps == (2, 2):
        notes = (f"borders: labeled by the nearest color; mode {mode!r} is not there",)
    return Nearest(lookup(keys_of(planes)), notes=notes)


def keys_of(planes: Planes) -> NDArray[np.int32]:
    """
    The three 8-bit values of each pixel in one number, (H, W): the first is highest.
    """
    first = planes.channels[0].astype(np.int32) << 16
    if planes.kind == "gray":
        return first | (128 << 8 | 128)
    second, third = planes.channels[1:3]
    rest = second.astype(np.int32) << 8 | third
    across, down = planes.steps
    height, width = planes.shape
    if down > 1:
        rest = rest.repeat(down, 0)
    if across > 1:
        rest = rest.repeat(across, 1)
    return np.asarray(first | rest[:height, :width])


class CentroidLookup:
    """
    The nearest centroid of every 24-bit value, found when first needed.

    Filling it in is the only thing that ever changes, and what is filled in depends
    on the centroids alone.
    """

    def __init__(
        self, centroids: NDArray[np.int32], *, within: float | None = None
    ) -> None:
        """
        Prepare for (K, 3) *centroids* in eighths of a code.

        Args:
            within: Values farther away than this, in codes, get ``NONE``.
        """
        self.centroids = np.ascontiguousarray(centroids, np.int32)
        self._limit = _NO_LIMIT if within is None else int((within * SCALE) ** 2)
        dtype: Any = np.uint16 if len(centroids) < 65000 else np.int32
        # Zeros cost nothing until they are written to.
        self._table = np.zeros(1 << 24, dtype)

    def __len__(self) -> int:
        return len(self.centroids)

    def __call__(self, keys: NDArray[np.int32]) -> Labels:
        """
        The labels of *keys*, in their shape.
        """
        if not len(self.centroids):
            return np.full(keys.shape, NONE, np.int32)
        found = self._table.take(keys)
        empty = found == _EMPTY
        if empty.any():
            self._fill(keys[empty])
            found = self._table.take(keys)
        return found.astype(np.int32) - (_FAR + 1)

    def _fill(self, keys: NDArray[np.int32]) -> None:
        changes = np.ones(len(keys), bool)
        np.not_equal(keys[1:], keys[:-1], out=changes[1:])
        keys = np.unique(keys[changes])
        values = np.stack([keys >> 16, keys >> 8 & 255, keys & 255], -1) * SCALE
        step = max((1 << 20) // len(self.centroids), 1)
        for start in range(0, len(keys), step):
            part = values[start : start + step]
            square = np.zeros((len(part), len(self.centroids)), np.int32)
            for axis in range(3):
                square += (part[:, axis, None] - self.centroids[None, :, axis]) ** 2
            nearest = square.argmin(1)
            far = np.take_along_axis(square, nearest[:, None], 1)[:, 0] > self._limit
            self._table[keys[start : start + step]] = np.where(
                far, _FAR, nearest + _FAR + 1
            )
