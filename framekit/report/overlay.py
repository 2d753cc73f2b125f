"""
Label maps painted over the pictures they describe, with a legend.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.color import RGB
from framekit.decoding.display import VOID_COLORS, display_colors, painted
from framekit.decoding.image.pictures import draw_text, resize_nearest
from framekit.decoding.label_map import LabelMap

__all__ = ["Panel", "compose", "overlaid"]

Picture = NDArray[np.uint8]

#: How much of a pixel is the label's color.
_STRENGTH: Final = 0.6

#: Sizes of the drawing, in pixels.
_LEGEND: Final = 230
_LINE: Final = 19
_TITLE: Final = 28
_GAP: Final = 10
_TEXT: Final = 13

_PAPER: Final = (250, 250, 250)
_INK: Final = (30, 30, 30)
_ALERT: Final = (170, 0, 40)
_UNCERTAIN: Final = (255, 0, 255)


@frozen(eq=False)
class Panel:
    """
    One mask of one source at one moment.
    """

    title: str

    label_map: LabelMap

    #: (H, W, 3) uint8, or None where the source could not be read.
    picture: Picture | None = field(default=None, repr=False)

    #: What a person should know, such as why the picture is missing.
    note: str = ""

    #: Whether pixels that were decided by a small margin are marked.
    marks_uncertain: bool = False


def overlaid(
    label_map: LabelMap, picture: Picture | None, *, marks_uncertain: bool = False
) -> Picture:
    """
    Paint the label map over *picture*, (H, W, 3); pixels without a label are striped.

    Args:
        picture: Of the label map's size, or resized to it; None paints on gray.
        marks_uncertain: Paint pixels that were decided by a small margin magenta.
    """
    height, width = label_map.shape
    if picture is None:
        picture = np.full((height, width, 3), 128, np.uint8)
    elif picture.shape[:2] != (height, width):
        picture = resize_nearest(picture, width, height)
    paint = painted(label_map)
    mixed = picture * (1 - _STRENGTH) + paint * _STRENGTH
    mixed[_edges(label_map.ids)] = paint[_edges(label_map.ids)] * 0.5
    if marks_uncertain and label_map.uncertain is not None:
        mixed[label_map.uncertain] = _UNCERTAIN
    return mixed.astype(np.uint8)


def compose(panels: Sequence[Panel], *, width: int = 640) -> Picture:
    """
    Put *panels* under each other: picture, overlay, legend; (H, W, 3) uint8.

    Args:
        width: Of each picture, in pixels.
    """
    return _stacked([_composed(panel, width) for panel in panels])


def _composed(panel: Panel, shown: int) -> Picture:
    height, width = panel.label_map.shape
    size = (shown, max(1, round(height * shown / width)))
    over = resize_nearest(
        overlaid(panel.label_map, panel.picture, marks_uncertain=panel.marks_uncertain),
        *size,
    )
    plain = (
        np.full((size[1], size[0], 3), 225, np.uint8)
        if panel.picture is None
        else resize_nearest(panel.picture, *size)
    )
    legend = _legend(panel, size[1])
    total = (_TITLE + size[1] + _GAP, 2 * size[0] + _LEGEND + 4 * _GAP, 3)
    sheet = np.full(total, _PAPER, np.uint8)
    left = _GAP
    for part in (plain, over, legend):
        sheet[_TITLE : _TITLE + size[1], left : left + part.shape[1]] = part
        left += part.shape[1] + _GAP
    sheet = draw_text(sheet, panel.title, (_GAP, 6), color=_INK, height=_TEXT + 2)
    if panel.note:
        at = (_GAP + 8, _TITLE + 8)
        sheet = draw_text(sheet, panel.note, at, color=_ALERT, height=_TEXT)
    return sheet


def _edges(ids: NDArray[Any]) -> NDArray[np.bool_]:
    edges = np.zeros(ids.shape, bool)
    edges[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edges[1:] |= ids[1:] != ids[:-1]
    return edges


def _legend(panel: Panel, height: int) -> Picture:
    """
    Swatches, labels and shares, the largest first, as many lines as fit.
    """
    label_map = panel.label_map
    lines = list(_shares(label_map))
    if panel.marks_uncertain:
        share = label_map.report.uncertain_share
        lines.insert(0, ([_UNCERTAIN], "uncertain", share))
    fitting = max(1, height // _LINE)
    if len(lines) > fitting:
        more = f"and {len(lines) - fitting + 1} more"
        lines = [*lines[: fitting - 1], ([], more, 0.0)]
    sheet = np.full((height, _LEGEND, 3), _PAPER, np.uint8)
    texts: list[tuple[str, tuple[int, int]]] = []
    for number, (swatches, name, share) in enumerate(lines):
        top = number * _LINE
        for place, color in enumerate(swatches[:4]):
            left = 2 + place * 5
            sheet[top + 2 : top + 15, left : left + 14] = _INK
            sheet[top + 3 : top + 14, left + 1 : left + 13] = color
        indent = 22 + 5 * (min(len(swatches), 4) - 1) if swatches else 2
        texts.append((name[:26], (indent, top + 1)))
        if share:
            shown = f"{share:.1%}" if share >= 0.0005 else "<0.1%"
            texts.append((shown, (_LEGEND - 44, top + 1)))
    for text, at in texts:
        sheet = draw_text(sheet, text, at, color=_INK, height=_TEXT)
    return sheet


def _shares(label_map: LabelMap) -> Iterable[tuple[list[RGB], str, float]]:
    colors = display_colors(label_map)
    total = label_map.ids.size
    found: dict[str, tuple[list[RGB], int]] = {}
    for id, count in label_map.counts.items():
        if id == label_map.void:
            name, color = "no label", VOID_COLORS[1]
        else:
            name, color = label_map.palette[id].name, colors[id]
        swatches, pixels = found.get(name, ([], 0))
        found[name] = ([*swatches, color], pixels + count)
    for name, (swatches, pixels) in sorted(
        found.items(), key=lambda item: (-item[1][1], item[0])
    ):
        several = f"{name} x {len(swatches)}" if len(swatches) > 1 else name
        yield swatches, several, pixels / total


def _stacked(sheets: Sequence[Picture]) -> Picture:
    width = max(sheet.shape[1] for sheet in sheets)
    padded = []
    for sheet in sheets:
        wide = np.full((sheet.shape[0], width, 3), _PAPER, np.uint8)
        wide[:, : sheet.shape[1]] = sheet
        padded.append(wide)
    return np.concatenate(padded)
