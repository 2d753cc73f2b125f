"""
HTML made of text that nobody vouches for: whatever is not Markup gets escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

__all__ = ["Markup", "markup", "printable", "swatch", "table"]

_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")

#: How many rows a table for a notebook has.
_ROWS: Final = 100

_LEFT: Final = ' style="text-align:left"'

_SWATCH: Final = (
    '<span style="display:inline-block;width:1em;height:1em;vertical-align:-0.15em;'
    'border:1px solid #888;background:#{{color}}"></span> '
)


class Markup(str):
    """
    Text that is HTML already.

    The reason for this being a class is that whatever is not one gets escaped.
    """

    __slots__ = ()


def markup(template: str, **values: object) -> Markup:
    """
    Fill ``{{name}}`` in *template*; values are escaped unless they are Markup.
    """
    return Markup(_PLACE.sub(lambda found: _escaped(values[found[1]]), template))


def printable(text: str) -> str:
    """
    *text* on one line, without anything that moves, hides or reverses what is read.
    """
    return "".join(
        letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text
    )


def swatch(color: Sequence[int]) -> Markup:
    """
    A small square of *color*; nothing for one that no pixel can have.
    """
    if len(color) != 3 or not all(0 <= int(channel) <= 255 for channel in color):
        return Markup("")
    return markup(_SWATCH, color=bytes(map(int, color)).hex())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """
    A table for a notebook, whose first 100 rows are shown.
    """
    shown: list[str] = []
    more = 0
    for row in rows:
        if len(shown) < _ROWS:
            shown.append(_row("td", row))
        else:
            more += 1
    if more:
        last = f'<tr><td colspan="{len(head)}"{_LEFT}>and {more:,} more</td></tr>'
        shown.append(last)
    body = "".join(shown)
    return Markup(
        f"<table><thead>{_row('th', head)}</thead><tbody>{body}</tbody></table>"
    )


def _row(tag: str, cells: Iterable[object]) -> str:
    inner = "".join(f"<{tag}{_LEFT}>{_cell(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, Markup) else escape(printable(str(value)))


def _escaped(value: object) -> str:
    return value if isinstance(value, Markup) else escape(str(value))
