"""
The colors in which people are shown a label map.
"""

from __future__ import annotations

import colorsys
from typing import Final

import numpy as np
from numpy.typing import NDArray

from framekit.color import RGB, in_range
from framekit.decoding.label_map import LabelMap

__all__ = ["VOID_COLORS", "display_colors", "painted"]

#: The two colors of the stripes where pixels have no label.
VOID_COLORS: Final = ((255, 255, 255), (200, 0, 60))


def display_colors(label_map: LabelMap) -> dict[int, RGB]:
    """
    A color for each id of the palette: its own, or one made from the id.
    """
    colors: dict[int, RGB] = {}
    for entry in label_map.palette:
        if entry.id is None:
            continue
        if entry.color is not None and in_range(entry.color):
            colors[entry.id] = entry.color
        else:
            # Steps of the golden ratio keep neighboring ids apart.
            hue = (entry.id * 0.618034) % 1
            red, green, blue = colorsys.hsv_to_rgb(hue, 0.65, 0.95)
            colors[entry.id] = (int(red * 255), int(green * 255), int(blue * 255))
    return colors


def painted(label_map: LabelMap) -> NDArray[np.uint8]:
    """
    Every pixel in its color, (H, W, 3); those without a label are striped.
    """
    height, width = label_map.shape
    rows, columns = np.indices((height, width), sparse=True)
    stripes = ((rows + columns) // 4 % 2).astype(np.intp)
    paint: NDArray[np.uint8] = np.array(VOID_COLORS, np.uint8)[stripes]
    colors = display_colors(label_map)
    known = np.array(sorted(colors), np.int64)
    if not len(known):
        return paint
    table = np.array([colors[int(id)] for id in known], np.uint8)
    places = np.searchsorted(known, label_map.ids).clip(max=len(known) - 1)
    labeled = label_map.ids != label_map.void
    paint[labeled] = table[places[labeled]]
    return paint
