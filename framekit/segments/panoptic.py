"""
The panoptic form: for each pixel a label L and an instance number Z.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.decoding.label_map import LabelMap
from framekit.errors import ArgumentError
from framekit.palette import Palette
from framekit.segments.components import Connectivity, as_connectivity
from framekit.segments.segment_class import SegmentClass, classes_of
from framekit.segments.segmenting import By, as_label_map, looked_up, segments_of

__all__ = ["NO_INSTANCE", "VOID", "Panoptic", "panoptic"]

#: L and Z of pixels without a label.
VOID: Final = -1

#: Z of stuff in arrays, where the object form has None.
NO_INSTANCE: Final = 0

#: A label and the number of one of its instances.
Pair = tuple[int, int]


def _as_plane(value: Any) -> NDArray[np.int32]:
    array = np.asarray(value)
    if array.ndim != 2 or array.dtype.kind not in "iu":
        reason = f"expected (H, W) whole numbers, got {array.shape} {array.dtype}"
        raise ArgumentError("panoptic", reason)
    if array.dtype != np.int32:
        # What would not fit must not wrap around.
        if array.size and not -(2**31) <= int(array.min()) <= int(array.max()) < 2**31:
            raise ArgumentError("panoptic", "has values beyond 32 bits")
        array = array.astype(np.int32)
    return array


def _as_pairs(value: Iterable[Iterable[int]]) -> frozenset[Pair]:
    pairs = frozenset(tuple(map(int, pair)) for pair in value)
    for pair in pairs:
        if len(pair) != 2:
            raise ArgumentError("crowd", f"expected pairs [L, Z], got {list(pair)}")
    return frozenset((pair[0], pair[1]) for pair in pairs)


@frozen(eq=False)
class Panoptic:
    """
    Which class each pixel is of, and which instance of it.
    """

    #: (H, W) int32: ids of classes, -1 for void.
    labels: NDArray[np.int32] = field(
        converter=_as_plane, repr=lambda a: f"<{a.shape}>"
    )

    #: (H, W) int32: 1, 2, … for each instance of a thing, 0 for stuff, -1 for void.
    instances: NDArray[np.int32] = field(
        converter=_as_plane, repr=lambda a: f"<{a.shape}>"
    )

    #: The [L, Z] that stand for several objects which were not told apart.
    crowd: frozenset[Pair] = field(default=frozenset(), converter=_as_pairs)

    #: What the ids of classes mean, where that is known.
    palette: Palette | None = field(default=None, repr=False)

    #: Whether instances are connected components.
    derived: bool = False

    def __attrs_post_init__(self) -> None:
        if self.labels.shape != self.instances.shape:
            reason = f"is {self.instances.shape}, labels are {self.labels.shape}"
            raise ArgumentError("instances", reason)

    @classmethod
    def from_channels(
        cls,
        array: Any,
        *,
        crowd: Iterable[Iterable[int]] = (),
        palette: Palette | None = None,
    ) -> Self:
        """
        Take apart an array with two channels.

        Args:
            array: (H, W, 2) whole numbers, or (1, H, W, 2): L and Z. A negative L
                is void.
            crowd: The pairs that stand for several objects.

        Raises:
            ArgumentError: If the array has another shape or type.
        """
        values = np.asarray(array)
        if values.ndim == 4 and values.shape[0] == 1:
            values = values[0]
        if values.ndim != 3 or values.shape[2] != 2:
            reason = f"expected [L, Z] of shape (H, W, 2), got {values.shape}"
            raise ArgumentError("array", reason)
        return cls(values[:, :, 0], values[:, :, 1], crowd=crowd, palette=palette)

    @property
    def shape(self) -> tuple[int, int]:
        """
        Height and width in pixels.
        """
        height, width = self.labels.shape
        return height, width

    def channels(self) -> NDArray[np.int32]:
        """
        (H, W, 2): [L, Z] of each pixel; Z is 0 for stuff, both are -1 for void.
        """
        return np.stack([self.labels, self.instances], axis=2)

    def at(self, x: int, y: int) -> tuple[int | None, int | None]:
        """
        Return [L, Z] of a pixel as objects: no Z for stuff, neither for void.

        Raises:
            ArgumentError: If it lies outside of the image.
        """
        height, width = self.shape
        if not (0 <= x < width and 0 <= y < height):
            reason = f"({x}, {y}) is outside of {width} x {height} pixels"
            raise ArgumentError("x, y", reason)
        label, instance = int(self.labels[y, x]), int(self.instances[y, x])
        if label < 0:
            return None, None
        return label, instance if instance > NO_INSTANCE else None


def panoptic(
    label_map: LabelMap,
    *,
    things: Iterable[str] | None = None,
    connectivity: Connectivity = 8,
    by: By = "auto",
) -> Panoptic:
    """
    See a label map as classes and instances.

    A class is a thing if *things* names it, if the palette says so, or if several
    entries have its labels; all other classes are stuff. Where several entries of
    a thing share their labels, each entry is an instance; else each connected
    component of a thing is one, and the result is marked *derived*.

    Args:
        things: Labels whose classes are things, whatever the palette says.
        connectivity: 8 joins pixels that share a corner, 4 those that share an edge.
        by: ``"entries"`` or ``"components"`` decides what instances are.

    Raises:
        ArgumentError: If an argument is refused.
    """
    source = as_label_map("label_map", label_map)
    connectivity = as_connectivity(connectivity)
    classes = classes_of(source.palette, things=things)
    wanted = [one for one in classes if one.thing]
    found = segments_of(
        source, classes, wanted=wanted, connectivity=connectivity, by=by
    )
    labels = looked_up(source.ids, {id: one.id for one in classes for id in one.ids})
    number = np.append(_numbers(found.classes, found.areas), NO_INSTANCE)
    per_run = number[found.segment].astype(np.int32)
    instances = np.repeat(per_run, found.runs.lengths).reshape(labels.shape)
    instances[labels == VOID] = VOID
    return Panoptic(labels, instances, palette=source.palette, derived=found.derived)


def _numbers(
    classes: tuple[SegmentClass, ...], areas: NDArray[np.int64]
) -> NDArray[np.int64]:
    """
    Number the segments that occur from 1 within their class.
    """
    reached: dict[int, int] = {}
    found = np.zeros(len(classes), np.int64)
    for place, one in enumerate(classes):
        if areas[place]:
            reached[one.id] = reached.get(one.id, 0) + 1
            found[place] = reached[one.id]
    return found
