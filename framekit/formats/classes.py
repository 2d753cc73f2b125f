"""
The classes of a collection: colors where they have none, names, and tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, Final

from attrs import evolve

from framekit.color import RGB, in_range, unpack_rgb
from framekit.errors import FramekitError, PaletteError
from framekit.palette import Palette, PaletteEntry

__all__ = [
    "BACKGROUND",
    "class_ids",
    "collect",
    "entries_with_ids",
    "is_background",
    "is_thing",
    "painted",
    "spread_color",
    "spread_colors",
    "things_said",
]

#: Labels of what is no object, whatever its color.
BACKGROUND: Final = frozenset({"background", "_background_", "__background__"})

#: Odd, so that multiples of it reach every 24-bit number once.
_STEP: Final = 0x9E3779


def spread_color(number: int) -> RGB:
    """
    The color of *number*: another for each up to 2**24 - 1, black for 0 alone.
    """
    return unpack_rgb(number * _STEP & 0xFFFFFF)


def spread_colors(taken: Iterable[RGB]) -> Iterator[RGB]:
    """
    Colors that are not *taken*, and not black; always the same ones.
    """
    used = {*taken, (0, 0, 0)}
    return (color for color in map(spread_color, count(1)) if color not in used)


def painted(classes: Palette) -> Palette:
    """
    *classes* by color only: each its own, that of the table where it is free.

    The last entry is void: in the color of the first void entry, else in black, else
    in one that is left over.
    """
    wanted = [entry for entry in classes if entry.id is not None]
    of_void = next((e.color for e in classes if e.void and _usable(e.color)), None)
    first: dict[RGB, int] = {}
    for entry in wanted:
        if _usable(entry.color) and entry.id is not None:
            first.setdefault(entry.color, entry.id)  # type: ignore[arg-type]
    if of_void in first:
        of_void = None
    if of_void is None and (0, 0, 0) not in first:
        of_void = (0, 0, 0)
    free = spread_colors(first if of_void is None else [*first, of_void])
    found = []
    for entry in wanted:
        own = first.get(entry.color) == entry.id if entry.color else False
        color = entry.color if own else next(free)
        found.append(
            PaletteEntry(id=entry.id, color=color, labels=entry.labels, void=False)
        )
    found.append(PaletteEntry(color=of_void or next(free), void=True))
    return Palette(found)


def entries_with_ids(classes: Palette) -> list[tuple[int, PaletteEntry]]:
    """
    The entries that are no void, with their ids.
    """
    return [(entry.id, entry) for entry in classes if entry.id is not None]


def class_ids(classes: Palette) -> dict[frozenset[str], int]:
    """
    Ids by label sets; of several entries with one set the first.
    """
    found: dict[frozenset[str], int] = {}
    for id, entry in entries_with_ids(classes):
        found.setdefault(frozenset(entry.labels), id)
    return found


def is_background(entry: PaletteEntry) -> bool:
    """
    Whether *entry* stands for what is no object.
    """
    return len(entry.labels) == 1 and entry.labels[0].lower() in BACKGROUND


def is_thing(classes: Palette, id: int) -> bool | None:
    """
    Whether the class *id* is countable; None if nobody said, or there is none.
    """
    try:
        return classes[id].thing
    except IndexError:
        return None


def things_said(classes: Palette) -> Palette:
    """
    *classes*, with the background as stuff where nobody said.
    """
    return Palette(
        (
            evolve(entry, thing=False)
            if entry.thing is None and is_background(entry)
            else entry
            for entry in classes
        ),
        shared="first",
    )


def collect(entries: Iterable[PaletteEntry], what: str) -> Palette:
    """
    A palette of *entries*, of which several may have one color.

    Raises:
        PaletteError: If ids repeat; *what* is where they come from.
    """
    try:
        return Palette(list(entries), shared="first")
    except PaletteError as error:
        raise PaletteError(f"{what}: {error.reason}") from None
    except FramekitError as error:
        raise PaletteError(f"{what}: {error}") from None


def _usable(color: Any) -> bool:
    return color is not None and in_range(color)
