"""
Contact sheets: the label maps of many frames side by side, with one legend.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from framekit.color import RGB
from framekit.decoding.display import display_colors
from framekit.decoding.image.pictures import draw_text, resize_smooth, text_size
from framekit.decoding.label_map import LabelMap
from framekit.errors import ArgumentError
from framekit.report.overlay import Panel, overlaid

__all__ = ["MOST", "ContactSheet"]

Picture = NDArray[np.uint8]

#: How many pictures a sheet holds.
MOST: Final = 1000

#: Sizes of the drawing, in pixels.
_GAP: Final = 10
_TITLE: Final = 18
_TEXT: Final = 12
_LINE: Final = 20
_COLUMN: Final = 170

_PAPER: Final = (250, 250, 250)
_INK: Final = (30, 30, 30)
_ALERT: Final = (170, 0, 40)
_EMPTY: Final = (225, 225, 225)


class ContactSheet:
    """
    Small pictures under their names, and what the colors in them mean.

    The reason for this being a class is memory: a picture is shrunk when it is added
    and can be let go then, so that thousands of frames take little.
    """

    def __init__(self, *, width: int = 240, columns: int | None = None) -> None:
        """
        Begin an empty sheet.

        Args:
            width: Of each picture, in pixels.
            columns: How many stand side by side; by default the sheet gets about
                as wide as a screen is.

        Raises:
            ArgumentError: If *width* is not within 32 to 4096, or there is no column.
        """
        if not 32 <= width <= 4096:
            raise ArgumentError("width", f"expected 32 to 4096, got {width}")
        if columns is not None and columns < 1:
            raise ArgumentError("columns", f"expected 1 or more, got {columns}")
        self._width, self._columns = width, columns
        self._tiles: list[Picture] = []
        self._colors: dict[tuple[str, RGB], int] = {}
        self._void = 0

    def __len__(self) -> int:
        return len(self._tiles)

    def add(self, panel: Panel) -> None:
        """
        Add the label map of *panel*, painted over its picture.

        Raises:
            ArgumentError: If the sheet is full.
        """
        self._count(panel.label_map)
        over = overlaid(panel.label_map, panel.picture)
        height = max(1, round(over.shape[0] * self._width / over.shape[1]))
        # A mask that is a thin strip upright must not fill the sheet.
        height = min(height, 2 * self._width)
        small = resize_smooth(over, self._width, height)
        self._put(panel.title, small, panel.note)

    def add_missing(self, title: str, reason: str) -> None:
        """
        Add what could not be decoded, so that nobody takes it for absent.

        Raises:
            ArgumentError: If the sheet is full.
        """
        size = (self._width * 9 // 16, self._width, 3)
        self._put(title, np.full(size, _EMPTY, np.uint8), reason)

    def to_rgb(self) -> Picture:
        """
        Draw the sheet, (H, W, 3).

        Raises:
            ArgumentError: If nothing was added.
        """
        if not self._tiles:
            raise ArgumentError("sheet", "nothing was added to it")
        columns = min(self._columns or self._usual_columns(), len(self._tiles))
        rows = [
            self._row(self._tiles[start : start + columns], columns)
            for start in range(0, len(self._tiles), columns)
        ]
        return np.concatenate([*rows, *self._legend(rows[0].shape[1])])

    def _usual_columns(self) -> int:
        # As 16 to 10, if the pictures are as 16 to 9.
        return max(1, ceil(sqrt(len(self._tiles))))

    def _count(self, label_map: LabelMap) -> None:
        colors = display_colors(label_map)
        for id, pixels in label_map.counts.items():
            if id == label_map.void:
                self._void += pixels
            else:
                key = (label_map.palette[id].name, colors[id])
                self._colors[key] = self._colors.get(key, 0) + pixels

    def _put(self, title: str, picture: Picture, note: str) -> None:
        if len(self._tiles) >= MOST:
            raise ArgumentError("sheet", f"it holds {MOST:,} pictures, no more")
        tile = np.full((_TITLE + picture.shape[0], self._width, 3), _PAPER, np.uint8)
        tile[_TITLE:] = picture
        name = _cut(title, self._width)
        tile = draw_text(tile, name, (0, 1), color=_INK, height=_TEXT)
        for number, line in enumerate(_lines(note, self._width - 12)):
            at = (6, _TITLE + 4 + number * (_TEXT + 3))
            if at[1] + _TEXT < tile.shape[0]:
                tile = draw_text(tile, line, at, color=_ALERT, height=_TEXT)
        self._tiles.append(tile)

    def _row(self, tiles: list[Picture], columns: int) -> Picture:
        height = max(tile.shape[0] for tile in tiles) + _GAP
        width = columns * (self._width + _GAP) + _GAP
        row = np.full((height, width, 3), _PAPER, np.uint8)
        for number, tile in enumerate(tiles):
            left = _GAP + number * (self._width + _GAP)
            row[_GAP : _GAP + tile.shape[0], left : left + self._width] = tile
        return row

    def _legend(self, width: int) -> Iterator[Picture]:
        """
        Yield the lines of the legend, the largest areas first.
        """
        named = sorted(self._colors.items(), key=lambda item: (-item[1], item[0]))
        entries: list[tuple[str, RGB | None]] = [key for key, _ in named]
        if self._void:
            entries.append(("no label (striped)", None))
        across = max(1, (width - _GAP) // _COLUMN)
        yield np.full((_GAP, width, 3), _PAPER, np.uint8)
        for start in range(0, len(entries), across):
            line = np.full((_LINE, width, 3), _PAPER, np.uint8)
            for number, (name, color) in enumerate(entries[start : start + across]):
                left = _GAP + number * _COLUMN
                line[2:16, left : left + 14] = _INK
                line[3:15, left + 1 : left + 13] = (
                    _stripes() if color is None else color
                )
                text = _cut(name, min(_COLUMN - 24, width - left - 20))
                at = (left + 20, 2)
                line = draw_text(line, text, at, color=_INK, height=_TEXT)
            yield line
        yield np.full((_GAP, width, 3), _PAPER, np.uint8)


def _stripes() -> Picture:
    rows, columns = np.indices((12, 12))
    striped = (rows + columns) // 4 % 2 == 0
    return np.where(striped[:, :, None], 255, np.array((200, 0, 60))).astype(np.uint8)


def _cut(text: str, width: int) -> str:
    """
    *text*, with its middle left out if it is wider than *width* pixels.
    """
    text = text[:400]
    kept = len(text)
    shown = text
    while kept > 4 and text_size(shown, height=_TEXT)[0] > width:
        kept -= 1
        shown = f"{text[: kept // 2]}\N{HORIZONTAL ELLIPSIS}{text[-(kept // 2) :]}"
    return shown


def _lines(text: str, width: int) -> Iterator[str]:
    """
    Yield *text* in lines of at most *width* pixels, broken between words.
    """
    line = ""
    for word in text[:400].split():
        longer = f"{line} {word}".strip()
        if line and text_size(longer, height=_TEXT)[0] > width:
            yield line
            longer = _cut(word, width)
        line = (
            longer if text_size(longer, height=_TEXT)[0] <= width else _cut(word, width)
        )
    if line:
        yield line
