"""
What the tests of formats share: a drawn data set, and looking at collections.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve

from framekit.decoding.image.pictures import save_picture
from framekit.formats import Collection, Item, Picture, Said
from framekit.palette import Palette, PaletteEntry
from framekit.problem import Problem
from framekit.segments import Instance, Region

SHARED = Path(__file__).parents[2] / "shared" / "data"
CROSSING = Path(__file__).parents[1] / "samples" / "crossing"

CLASSES = Palette(
    [
        PaletteEntry(id=0, color=(10, 20, 30), labels="sky", thing=False),
        PaletteEntry(id=1, color=(90, 80, 70), labels="road", thing=False),
        PaletteEntry(id=2, color=(200, 0, 0), labels="car", thing=True),
        PaletteEntry(id=3, color=(0, 200, 0), labels="person", thing=True),
    ]
)

#: Label, box (left, top, right, bottom), crowd.
Seen = dict[str, tuple[list[list[str]], list[tuple[Any, ...]]]]


def box_mask(shape: tuple[int, int], box: tuple[int, int, int, int]) -> Any:
    """
    (H, W) bool, True in *box*: left, top, right, bottom.
    """
    mask = np.zeros(shape, np.bool_)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def thing(
    id: int,
    class_id: int,
    box: tuple[int, int, int, int],
    shape: tuple[int, int] = (12, 16),
    **options: Any,
) -> Instance:
    """
    An object that is a box.
    """
    entry = CLASSES[class_id]
    return Instance(
        id=id,
        labels=entry.labels,
        region=Region.of_mask(box_mask(shape, box)),
        class_id=class_id,
        thing=True,
        **options,
    )


def item(name: str = "a/one", **options: Any) -> Item:
    """
    Sky over road, two cars, a person, and a void corner.
    """
    labels = np.zeros((12, 16), np.int32)
    labels[6:] = 1
    objects = (
        thing(7, 2, (1, 5, 5, 9)),
        thing(8, 2, (6, 5, 9, 9)),
        thing(9, 3, (10, 3, 12, 9)),
    )
    for one in objects:
        labels[one.region.slices][one.mask] = one.class_id
    labels[0, :3] = -1
    options = {"labels": labels, "objects": objects, **options}
    return Item(name=name, shape=(12, 16), **options)


def collection(*items: Item, classes: Palette = CLASSES) -> Collection:
    """
    A collection of *items* in memory.
    """
    return Collection(
        name="drawn",
        format="drawn",
        classes=classes,
        batches=[_given(one) for one in items],
        count=len(items),
    )


def with_picture(one: Item, folder: Path) -> Item:
    """
    *one* with a picture that is there.
    """
    height, width = one.shape
    path = folder / f"{one.name.replace('/', '_')}.png"
    save_picture(np.full((height, width, 3), 99, np.uint8), path)
    return evolve(one, picture=Picture.of_file(path))


def names_of(one: Item, classes: Palette) -> list[list[str]]:
    """
    The name of each pixel's class, ``""`` for void.
    """
    assert one.labels is not None
    names = {entry.id: entry.name for entry in classes if entry.id is not None}
    names[-1] = ""
    table = {id: names[id] for id in np.unique(one.labels).tolist()}
    found = np.vectorize(table.get, otypes=[object])(one.labels)
    rows: list[list[str]] = found.tolist()
    return rows


def objects_of(one: Item, *, crowd: bool = True) -> list[tuple[Any, ...]]:
    """
    Label, pixels, area and crowd of each object, sorted.
    """
    return sorted(
        (
            each.label,
            each.region.bounds,
            each.area,
            each.region.runs.tobytes(),
            each.crowd if crowd else None,
        )
        for each in one.objects or ()
    )


def seen(found: Collection, *, objects: bool = True, crowd: bool = True) -> Seen:
    """
    What the items of a collection show, by name; all must be readable.
    """
    result = {}
    for one in found:
        assert isinstance(one, Item), one
        assert [p for p in one.problems if p.severity == "error"] == []
        labels = [] if one.labels is None else names_of(one, found.classes)
        result[one.name] = (labels, objects_of(one, crowd=crowd) if objects else [])
    return result


def codes(problems: Any) -> list[str]:
    """
    The codes of *problems*, in order.
    """
    return [problem.code for problem in problems if isinstance(problem, Problem)]


def _given(one: Item) -> Callable[[], list[Item]]:
    return lambda: [one]


def said(**values: Any) -> Said:
    """
    What is known of a class in an image.
    """
    return Said(**values)
