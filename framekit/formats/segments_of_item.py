"""
An item as each format needs it: as classes, as objects, or as both at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.decoding.label_map import LabelMap, id_dtype, void_of
from framekit.decoding.report import DecodeReport
from framekit.formats.classes import is_thing
from framekit.formats.item import Item, Said, noted
from framekit.palette import Palette
from framekit.problem import Severity
from framekit.segments import Instance, Region, instances
from framekit.segments.runs import runs_of
from framekit.segments.segmenting import regions_of

__all__ = ["Segment", "Segmented", "as_label_map", "segmented", "with_labels"]


@frozen
class Segment:
    """
    What a format lists of an image: an object, or all else of a class.
    """

    class_id: int

    #: The pixels of it that are seen.
    region: Region

    #: The object; None for all pixels of the class that no object has.
    instance: Instance | None = None

    #: Several objects that were not told apart.
    crowd: bool = False

    said: Said = field(factory=Said)

    @property
    def box(self) -> list[int]:
        """
        Left, top, width and height in pixels.
        """
        left, top, right, bottom = self.region.bounds
        return [left, top, right - left, bottom - top]


@frozen(eq=False)
class Segmented:
    """
    An item, each pixel of which is of one segment or of none.
    """

    item: Item

    #: (H, W) int32: places in *segments*, -1 void.
    places: NDArray[np.int32] = field(repr=lambda a: f"<{a.shape}>")

    #: Objects first, then classes.
    segments: tuple[Segment, ...]

    @property
    def things(self) -> frozenset[int]:
        """
        The ids of the classes that have objects here.
        """
        return frozenset(s.class_id for s in self.segments if s.instance is not None)

    def painted(self, values: list[int], void: int, dtype: Any) -> NDArray[Any]:
        """
        (H, W) of *dtype*: for each pixel the value of its segment, or *void*.
        """
        table = np.array([*values, void], dtype)
        return np.asarray(table[self.places])


def as_label_map(labels: NDArray[np.int32], classes: Palette) -> LabelMap:
    """
    A label map of *labels*, (H, W) of class ids and -1.
    """
    ids: Any = labels
    if id_dtype(classes) is np.uint8:
        ids = labels.astype(np.uint8)
        ids[labels < 0] = void_of(classes)
    return LabelMap(ids=ids, palette=classes, report=DecodeReport(exact=True))


def with_labels(item: Item) -> Item:
    """
    *item* with labels; where it has none, those of its objects, the highest seen.
    """
    if item.labels is not None:
        return item
    labels = np.full(item.shape, -1, np.int32)
    painted = 0
    for one in _upwards(item.objects or ()):
        labels[one.region.slices][one.mask] = one.class_id
        painted += one.area
    hidden = painted - int(np.count_nonzero(labels >= 0))
    item = evolve(item, labels=labels)
    if hidden:
        message = f"objects overlap: {hidden} pixels of lower ones are hidden"
        item = noted(item, "overlap-flattened", message, count=hidden)
    return item


def with_objects(item: Item, classes: Palette, *, things: bool) -> Item:
    """
    *item* with objects; where it has none, the connected components of its classes.

    Args:
        things: Only those of classes that are known to be things; otherwise, if
            none is, of all that are not known to be stuff.
    """
    if item.objects is not None or item.labels is None:
        return evolve(item, objects=item.objects or ())
    label_map = as_label_map(item.labels, classes)
    found = instances(label_map, by="components")
    if things:
        found = [one for one in found if one.thing]
    by_class = {id: entry.id for entry in classes if (id := entry.id) is not None}
    found = [one for one in found if one.class_id in by_class]
    item = evolve(item, objects=tuple(found))
    if found:
        message = (
            f"{len(found)} objects are connected components: those that touch are one, "
            f"and one that is cut in two is two"
        )
        item = noted(
            item,
            "derived-instances",
            message,
            severity=Severity.INFO,
            count=len(found),
        )
    return item


def segmented(item: Item, classes: Palette) -> Segmented:
    """
    Give each pixel of *item* its segment: the highest object, or else its class.

    What is of a thing's class and no object's is a crowd, if objects were told apart.
    """
    told_apart = item.objects is not None
    item = with_objects(with_labels(item), classes, things=True)
    objects = item.objects or ()
    labels = item.labels
    assert labels is not None  # noqa: S101 - with_labels gave it
    places = np.full(item.shape, -1, np.int32)
    order = sorted(range(len(objects)), key=lambda at: objects[at].z)
    for at in order:
        places[objects[at].region.slices][objects[at].mask] = at
    rest = np.where(places < 0, labels, -1)
    present = [int(id) for id in np.unique(runs_of(rest).values) if id >= 0]
    for offset, id in enumerate(present):
        places[rest == id] = len(objects) + offset
    runs = runs_of(places)
    total = len(objects) + len(present)
    regions = regions_of(runs, runs.values.astype(np.int64), total)
    item = _with_hidden(item, regions[: len(objects)])
    kept: list[Segment] = []
    numbers = np.full(total + 1, -1, np.int32)
    for at, region in enumerate(regions):
        if region is None:
            continue
        numbers[at] = len(kept)
        if at < len(objects):
            one = objects[at]
            said = Said(one.id, one.score, one.metadata)
            segment = Segment(one.class_id, region, one, one.crowd, said)
        else:
            id = present[at - len(objects)]
            crowd = told_apart and is_thing(classes, id) is True
            known = item.said.get(id, Said())
            segment = Segment(id, region, None, crowd, known)
        kept.append(segment)
    return Segmented(item, numbers[places], tuple(kept))


def _with_hidden(item: Item, regions: list[Region | None]) -> Item:
    hidden = sum(region is None for region in regions)
    if hidden:
        message = f"{hidden} object(s) are hidden by others and left out"
        item = noted(item, "overlap-flattened", message, count=hidden)
    if any(p.code == "overlap-flattened" for p in item.problems):
        return item
    objects = item.objects or ()
    seen = sum(region.area for region in regions if region is not None)
    lost = sum(one.area for one in objects) - seen
    if lost:
        message = f"objects overlap: {lost} pixels of lower ones are hidden"
        item = noted(item, "overlap-flattened", message, count=lost)
    return item


def _upwards(objects: tuple[Instance, ...]) -> list[Instance]:
    return sorted(objects, key=lambda one: one.z)
