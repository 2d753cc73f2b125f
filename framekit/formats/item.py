"""
One image and what is drawn over it, as every format can say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.errors import ArgumentError
from framekit.formats.picture import Picture
from framekit.frame import SingleFrame
from framekit.problem import Problem, Severity
from framekit.segments import Instance

__all__ = ["Item", "Said", "noted"]


@frozen
class Said:
    """
    What is known of all pixels of a class that is not told apart.
    """

    #: What a format calls them; None where it has no name for them.
    id: int | None = None

    #: Confidence, 0 to 1; None if there is none.
    score: float | None = None

    metadata: Mapping[str, Any] = field(factory=dict, hash=False)


def _as_labels(value: Any) -> NDArray[np.int32] | None:
    if value is None:
        return None
    array = np.asarray(value)
    if array.ndim != 2 or array.dtype != np.int32:
        reason = f"expected (H, W) int32, got {array.shape} {array.dtype}"
        raise ArgumentError("labels", reason)
    return array


@frozen(eq=False, kw_only=True)
class Item:
    """
    One image: which class each pixel is of, and which objects are told apart.
    """

    #: Unique in its collection; may have folders, has no suffix.
    name: str

    #: Height and width in pixels.
    shape: tuple[int, int]

    #: (H, W) int32: ids of classes, -1 void; None where only objects are known.
    labels: NDArray[np.int32] | None = field(
        default=None,
        converter=_as_labels,
        repr=lambda a: "None" if a is None else f"<{a.shape}>",
    )

    #: The objects that are told apart, the lowest first; None where none are.
    objects: tuple[Instance, ...] | None = field(default=None, repr=False)

    #: By class id, what is known of its pixels that no object has.
    said: Mapping[int, Said] = field(factory=dict, repr=False)

    #: The image; None where there is none.
    picture: Picture | None = None

    #: The frame it was read from, for its times, its context and its metadata.
    frame: SingleFrame | None = field(default=None, repr=False)

    metadata: Mapping[str, Any] = field(factory=dict, repr=False)

    #: What deserves a look; none of it kept the item from being read.
    problems: tuple[Problem, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.labels is not None and self.labels.shape != self.shape:
            reason = f"are {self.labels.shape}, the image is {self.shape}"
            raise ArgumentError("labels", reason)
        for one in self.objects or ():
            if one.region.shape != self.shape:
                reason = f"are of {one.region.shape}, the image is {self.shape}"
                raise ArgumentError("objects", reason)


def noted(
    item: Item,
    code: str,
    message: str,
    *,
    severity: Severity = Severity.WARNING,
    count: int | None = None,
) -> Item:
    """
    *item* with one more thing that deserves a look.
    """
    found = Problem(
        code, severity, message, document=item.name, frame=item.name, count=count
    )
    return evolve(item, problems=(*item.problems, found))
