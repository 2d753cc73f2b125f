"""
A palette as notebooks show it.
"""

from __future__ import annotations

from collections.abc import Iterable

from framekit._markup import swatch, table
from framekit.palette.entry import PaletteEntry

__all__ = ["palette_html"]


def palette_html(palette: Iterable[PaletteEntry]) -> str:
    """
    The entries as a table, each with its color.
    """
    return table(("", "id", "color or value", "labels", "kind"), map(_row, palette))


def _row(entry: PaletteEntry) -> tuple[object, ...]:
    color = None if entry.color is None else swatch(entry.color)
    kinds = {True: "thing", False: "stuff", None: None}
    kind = "void" if entry.void else kinds[entry.thing]
    return color, entry.id, entry.marker, entry.name, kind
