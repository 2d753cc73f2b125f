"""
Classes: the entries of a palette that have the same labels, and whether they count.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from framekit.errors import ArgumentError
from framekit.palette import Palette, PaletteEntry

__all__ = ["SegmentClass", "as_names", "classes_of", "has_instances"]


@frozen
class SegmentClass:
    """
    What the entries with one set of labels have in common.
    """

    #: The smallest id of its entries.
    id: int

    labels: tuple[str, ...]

    #: The ids of its entries, ascending.
    ids: tuple[int, ...]

    #: Whether it is countable (True) or stuff (False); None if nobody said.
    thing: bool | None = None

    @property
    def name(self) -> str:
        """
        The labels as one text.
        """
        return ", ".join(self.labels)


def classes_of(
    palette: Palette, *, things: Iterable[str] | None = None
) -> tuple[SegmentClass, ...]:
    """
    Group the entries of *palette* that have the same labels, in any order.

    A class is a thing if *things* names one of its labels; else as its entries say;
    else if it has two or more entries, which are taken for its instances.

    Args:
        things: Labels whose classes are things, whatever the palette says.

    Raises:
        ArgumentError: If *things* names a label that the palette does not have.
    """
    named = frozenset(as_names("things", things))
    for label in sorted(named):
        palette.ids_of(label)
    groups: dict[frozenset[str], list[PaletteEntry]] = {}
    for entry in palette:
        if entry.id is not None:
            groups.setdefault(frozenset(entry.labels), []).append(entry)
    return tuple(_class(entries, named) for entries in groups.values())


def has_instances(classes: Iterable[SegmentClass]) -> bool:
    """
    Whether each entry is one segment, since entries of a thing share their labels.
    """
    return any(len(one.ids) > 1 and one.thing is not False for one in classes)


def as_names(argument: str, value: Iterable[str] | None) -> tuple[str, ...]:
    """
    Return a collection of labels as a tuple.

    Raises:
        ArgumentError: If it is a single text, or not of texts.
    """
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ArgumentError(argument, f"expected a list of labels, got {value!r}")
    names = tuple(value)
    for name in names:
        if not isinstance(name, str):
            raise ArgumentError(argument, f"expected labels, got {name!r}")
    return names


def _class(entries: list[PaletteEntry], named: frozenset[str]) -> SegmentClass:
    ids = tuple(sorted(entry.id for entry in entries if entry.id is not None))
    labels = entries[0].labels
    return SegmentClass(ids[0], labels, ids, _thing(entries, named))


def _thing(entries: list[PaletteEntry], named: frozenset[str]) -> bool | None:
    if named & frozenset(entries[0].labels):
        return True
    said = {entry.thing for entry in entries} - {None}
    if said:
        return True in said
    return True if len(entries) > 1 else None
