"""
What pixels are compared with: the colors or values of a palette.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from framekit.color import unpack_rgb
from framekit.decoding.planes import Planes
from framekit.decoding.yuv_labels import NONE, Labels
from framekit.errors import PaletteError
from framekit.palette import Palette

__all__ = ["Targets", "reduced", "targets_of"]


class Targets(NamedTuple):
    """
    Colors, and the ids that they stand for.
    """

    #: (K, 3) float64: RGB, or a gray value three times.
    colors: NDArray[np.float64]
    ids: tuple[int, ...]

    def to_ids(self, labels: Labels) -> Labels:
        """
        Replace positions by ids; ``NONE`` stays.
        """
        if self.ids == tuple(range(len(self.ids))):
            return labels
        return np.array([*self.ids, NONE], np.int32)[labels]

    def describe(self, position: int, palette: Palette) -> str:
        """
        Name the target at *position* for a person.
        """
        color = list(map(int, self.colors[position]))
        return f"{palette[self.ids[position]].name!r} {color}"


def targets_of(palette: Palette, planes: Planes) -> Targets:
    """
    What pixels of *planes* are compared with.

    Entries without a color stand for gray values, or, in RGB that is not gray, for
    numbers, R + 256 G + 65536 B.

    Raises:
        PaletteError: If no entry can be a pixel of this kind.
    """
    by_color = palette.ids_by_color
    by_index = palette.ids_by_index
    if planes.kind == "gray":
        if palette.is_indexed:
            pairs = [((v, v, v), id) for v, id in by_index.items()]
        else:
            pairs = [(c, id) for c, id in by_color.items() if len(set(c)) == 1]
    elif by_color:
        pairs = list(by_color.items())
    elif planes.kind == "yuv" or _is_gray(planes):
        pairs = [((v, v, v), id) for v, id in by_index.items() if v < 256]
    else:
        pairs = [(unpack_rgb(v), id) for v, id in by_index.items() if v < 1 << 24]
    if not pairs:
        raise PaletteError("the palette has nothing that a pixel can be")
    colors = np.array([color for color, _ in pairs], np.float64).reshape(-1, 3)
    return Targets(colors, tuple(id for _, id in pairs))


def reduced(palette: Palette, planes: Planes) -> Planes:
    """
    YUV without color as gray, for palettes without color; the depth is kept.
    """
    colorless = all(len(set(color)) == 1 for color in palette.ids_by_color)
    if planes.kind != "yuv" or not colorless:
        return planes
    middle = 1 << (planes.depth - 1)
    for chroma in planes.channels[1:]:
        if chroma.size and (chroma.min() < middle - 1 or chroma.max() > middle + 1):
            return planes
    return evolve(
        planes,
        kind="gray",
        channels=planes.channels[:1],
        steps=(1, 1),
        matrix=None,
        altered=planes.depth > 8,
    )


def _is_gray(planes: Planes) -> bool:
    red, green, blue = planes.channels
    return bool((red == green).all() and (green == blue).all())
