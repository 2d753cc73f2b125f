"""
Fewer segments from more: by class, or things apart and all else one background.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from attrs import evolve, frozen

from framekit.decoding.label_map import VOID_INT32, LabelMap, id_dtype, void_of
from framekit.errors import ArgumentError
from framekit.palette import Palette, PaletteEntry
from framekit.segments.segment_class import SegmentClass, classes_of
from framekit.segments.segmenting import as_label_map, looked_up

__all__ = ["Group", "Mode", "consolidate", "display_names", "groups", "semantic"]

#: One segment a class; one a thing and one for all else; or all as they are.
Mode = Literal["semantic", "instance", "panoptic"]


@frozen
class Group:
    """
    Entries that become one.
    """

    #: The entry they become; its id is the smallest, or the background's.
    entry: PaletteEntry

    #: The ids that become it, ascending.
    ids: tuple[int, ...]


def semantic(label_map: LabelMap) -> LabelMap:
    """
    See a label map as classes: entries with the same labels become one.

    Raises:
        ArgumentError: If it is no label map.
    """
    return consolidate(label_map, "semantic")


def consolidate(
    label_map: LabelMap,
    mode: Mode,
    *,
    things: Iterable[str] | None = None,
    background: str = "background",
) -> LabelMap:
    """
    Merge the segments of a label map that *mode* does not tell apart.

    Args:
        mode: ``"semantic"`` has one segment for each class; ``"instance"`` one for
            each entry of a thing, and *background* for all else; ``"panoptic"``
            all entries as they are.
        things: Labels whose classes are things, beside those that have several
            entries or that the palette calls things.
        background: What all that is no thing is called in ``"instance"`` mode.

    Returns:
        A label map whose ids are the smallest of those they stand for.

    Raises:
        ArgumentError: If an argument is refused.
    """
    source = as_label_map("label_map", label_map)
    found = groups(source.palette, mode, things=things, background=background)
    table = {id: group.entry.id or 0 for group in found for id in group.ids}
    void = [entry for entry in source.palette if entry.id is None]
    palette = Palette([*(group.entry for group in found), *void], shared="first")
    wide = looked_up(source.ids, table)
    wide[wide == VOID_INT32] = void_of(palette)
    ids: Any = wide.astype(id_dtype(palette))
    return evolve(source, ids=ids, palette=palette)


def groups(
    palette: Palette,
    mode: Mode,
    *,
    things: Iterable[str] | None = None,
    background: str = "background",
) -> tuple[Group, ...]:
    """
    Which entries of a palette :func:`consolidate` makes into one, by ascending id.

    Raises:
        ArgumentError: If an argument is refused.
    """
    classes = classes_of(palette, things=things)
    if mode == "semantic":
        found = [_merged(palette, one, one.ids) for one in classes]
    elif mode == "panoptic":
        found = [_merged(palette, one, (id,)) for one in classes for id in one.ids]
    elif mode == "instance":
        found = list(_things_and_background(palette, classes, background))
    else:
        reason = f"expected 'semantic', 'instance' or 'panoptic', got {mode!r}"
        raise ArgumentError("mode", reason)
    return tuple(sorted(found, key=lambda group: group.ids))


def display_names(palette: Palette) -> dict[int, str]:
    """
    What to call each entry: ``"bird 2"`` for the second that is a bird.

    By ascending id; entries that alone have their labels bear no number.
    """
    found: dict[int, str] = {}
    for one in classes_of(palette):
        lone = len(one.ids) == 1
        for number, id in enumerate(one.ids, 1):
            found[id] = one.name if lone else f"{one.name} {number}"
    return dict(sorted(found.items()))


def _things_and_background(
    palette: Palette, classes: Iterable[SegmentClass], background: str
) -> Iterator[Group]:
    rest: list[SegmentClass] = []
    for one in classes:
        if one.thing:
            yield from (_merged(palette, one, (id,)) for id in one.ids)
        else:
            rest.append(one)
    if rest:
        ids = tuple(sorted(id for one in rest for id in one.ids))
        same = [one for one in rest if one.labels == (background,)]
        first = palette[same[0].id if same else ids[0]]
        metadata: Mapping[str, Any] = first.metadata if len(ids) == 1 else {}
        entry = evolve(first, labels=(background,), thing=False, metadata=metadata)
        yield Group(entry, ids)


def _merged(palette: Palette, one: SegmentClass, ids: tuple[int, ...]) -> Group:
    """
    One entry for several: the first, with the metadata that all have alike.
    """
    first, *others = (palette[id] for id in ids)
    metadata = {
        key: value
        for key, value in first.metadata.items()
        if all(
            key in other.metadata and _equal(other.metadata[key], value)
            for other in others
        )
    }
    return Group(evolve(first, metadata=metadata, thing=one.thing), ids)


def _equal(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other))
