"""
One object of an image: its class, its number, its pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.segments.bounding_box import BoundingBox
from framekit.segments.polygons import Polygon, polygons_of, to_coco_polygons
from framekit.segments.region import Region
from framekit.segments.rle import to_rle

__all__ = ["Instance", "counts", "numbered"]


@frozen(kw_only=True)
class Instance:
    """
    One object.
    """

    #: What identifies it: the id of its entry, its value in an instance mask, or,
    #: when it is derived, its place in the list, from 1.
    id: int

    labels: tuple[str, ...]

    #: Its pixels.
    region: Region

    #: The id of its class: the smallest id of the entries with its labels.
    class_id: int = 0

    #: From 1 among those of its class; None if it is the only one.
    number: int | None = None

    #: Whether its class is countable; None if nobody said.
    thing: bool | None = None

    #: It is a connected component: objects that touch are one, and one that is
    #: cut in two by another is two.
    derived: bool = False

    #: It stands for several objects that were not told apart.
    crowd: bool = False

    #: Confidence, 0 to 1; None if there is none.
    score: float | None = None

    #: The probability of each class.
    pdf: Mapping[str, float] | None = field(default=None, hash=False)

    #: Where several overlap, the highest is seen.
    z: int = 0

    metadata: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)

    @property
    def label(self) -> str:
        """
        The labels as one text.
        """
        return ", ".join(self.labels)

    @property
    def name(self) -> str:
        """
        What to call it: ``"person 2"``; ``"person"`` if it is the only one.
        """
        return self.label if self.number is None else f"{self.label} {self.number}"

    @property
    def area(self) -> int:
        """
        Pixels.
        """
        return self.region.area

    @property
    def box(self) -> BoundingBox:
        """
        The smallest box around it, right and bottom exclusive.
        """
        return self.region.box

    @property
    def mask(self) -> NDArray[np.bool_]:
        """
        Its pixels within its box, (box height, box width); read only.
        """
        return self.region.mask

    def full_mask(self) -> NDArray[np.bool_]:
        """
        Its pixels within the image, (H, W).
        """
        return self.region.full_mask()

    def rle(self, *, counts: Literal["text", "numbers"] = "text") -> dict[str, Any]:
        """
        Return COCO's RLE of the whole image, counted by columns.

        Raises:
            ArgumentError: If *counts* is neither ``"text"`` nor ``"numbers"``.
        """
        return to_rle(self.region, counts=counts)

    def polygons(self) -> tuple[Polygon, ...]:
        """
        Its outlines along the pixels' edges, with their holes.
        """
        return polygons_of(self.region)

    def coco_polygons(self) -> list[list[int]]:
        """
        Its outlines as COCO writes them: ``[[x, y, x, y, …], …]``.

        Raises:
            ArgumentError: If it has holes, which this form cannot say; RLE can.
        """
        return to_coco_polygons(self.region)

    def to_dict(self) -> dict[str, Any]:
        """
        Return what there is to know as JSON values; the box is COCO's ``xywh``.
        """
        found: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "labels": list(self.labels),
            "class_id": self.class_id,
            "number": self.number,
            "thing": self.thing,
            "derived": self.derived,
            "crowd": self.crowd,
            "box_xywh": list(self.box.xywh),
            "area": self.area,
            "rle": self.rle(),
            "score": self.score,
            "pdf": None if self.pdf is None else dict(self.pdf),
            "z": self.z,
            "metadata": dict(self.metadata),
        }
        return {key: value for key, value in found.items() if value not in (None, {})}


def numbered(instances: Iterable[Instance]) -> list[Instance]:
    """
    Number the instances of each class from 1, in their order; lone ones not.
    """
    found = list(instances)
    totals = Counter(one.class_id for one in found)
    reached: Counter[int] = Counter()
    for place, one in enumerate(found):
        reached[one.class_id] += 1
        lone = totals[one.class_id] == 1
        number = None if lone else reached[one.class_id]
        if number != one.number:
            found[place] = evolve(one, number=number)
    return found


def counts(instances: Iterable[Instance]) -> dict[str, int]:
    """
    How many instances there are of each class, in the order they come.
    """
    return dict(Counter(one.label for one in instances))
