"""
What pixels are compared with: the colors or values of a palette.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.color import RGB, unpack_rgb
from framekit.decoding.color.yuv_labels import Labels
from framekit.decoding.label_map import id_dtype, void_of
from framekit.decoding.video.planes import Planes
from framekit.errors import PaletteError
from framekit.palette import VOID, Palette

__all__ = ["PixelKind", "Targets", "pixel_kind", "reduced", "targets_of"]

#: What pixels stand for: gray values; colors; gray values spelled as colors; numbers,
#: R + 256 G + 65536 B.
PixelKind = Literal["value", "color", "gray color", "number"]


@frozen(eq=False)
class Targets:
    """
    Colors, and the ids that they stand for: sorted by id, void ones last.
    """

    #: (K, 3) float64: RGB, or a gray value three times.
    colors: NDArray[np.float64] = field(repr=lambda a: f"<{a.shape}>")

    #: VOID for colors that are known to have no label.
    ids: tuple[int, ...]

    palette: Palette

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def void(self) -> int:
        """
        What stands for "no label" among ids.
        """
        return void_of(self.palette)

    def to_ids(self, labels: Labels, *, complete: bool) -> NDArray[Any]:
        """
        Replace positions by ids, and numbers beyond the last position by void.

        Args:
            labels: Of which nothing is left if they are of the ids' type.
            complete: Whether there are no numbers beyond the last position.
        """
        if labels.dtype == self._table.dtype == np.uint8 and self._ordered is not None:
            if not complete or self._ordered < len(self):
                beyond = (labels >= self._ordered).view(np.uint8)
                labels |= np.negative(beyond, out=beyond)  # 255 is void
            return labels
        if labels.dtype.itemsize > 1 and not complete:
            labels = np.minimum(labels, len(self))
        found: NDArray[Any] = self._table[labels]
        return found

    @cached_property
    def _table(self) -> NDArray[Any]:
        """
        The id of each position, and void for what is beyond.
        """
        size = max(len(self) + 1, 256)
        table = np.full(size, self.void, id_dtype(self.palette))
        known = np.array(self.ids, np.int64)
        place = np.flatnonzero(known >= 0)
        table[place] = known[place]
        return table

    @cached_property
    def _ordered(self) -> int | None:
        """
        How many positions are ids themselves, if all others are void.
        """
        count = sum(id >= 0 for id in self.ids)
        return count if self.ids[:count] == tuple(range(count)) else None

    def describe(self, position: int) -> str:
        """
        Name the target at *position* for a person.
        """
        color = list(map(int, self.colors[position]))
        id = self.ids[position]
        return f"{'void' if id == VOID else repr(self.palette[id].name)} {color}"


def pixel_kind(palette: Palette, planes: Planes) -> PixelKind:
    """
    What pixels of *planes* stand for under *palette*.

    Entries without a color stand for gray values, or, in RGB that is not gray, for
    numbers.
    """
    if planes.kind == "gray":
        return "value"
    if palette.ids_by_color:
        return "color"
    if planes.kind == "yuv" or _is_gray(planes):
        return "gray color"
    return "number"


def targets_of(palette: Palette, kind: PixelKind) -> Targets:
    """
    What pixels of *kind* are compared with.

    Raises:
        PaletteError: If no entry can be a pixel of this kind.
    """
    pairs: list[tuple[RGB, int]]
    by_color = palette.ids_by_color
    by_index = palette.ids_by_index
    if kind == "value" and palette.is_indexed:
        pairs = [((v, v, v), id) for v, id in by_index.items()]
    elif kind == "value":
        pairs = [(c, id) for c, id in by_color.items() if len(set(c)) == 1]
    elif kind == "color":
        pairs = list(by_color.items())
    elif kind == "gray color":
        pairs = [((v, v, v), id) for v, id in by_index.items() if v < 256]
    else:
        pairs = [(unpack_rgb(v), id) for v, id in by_index.items() if v < 1 << 24]
    if not pairs:
        raise PaletteError("the palette has nothing that a pixel can be")
    pairs.sort(key=lambda pair: (pair[1] < 0, pair[1]))
    colors = np.array([color for color, _ in pairs], np.float64).reshape(-1, 3)
    return Targets(colors, tuple(id for _, id in pairs), palette)


def reduced(palette: Palette, planes: Planes) -> Planes:
    """
    YUV without color as gray, for palettes without color; the depth is kept.
    """
    if planes.kind != "yuv":
        return planes
    if any(len(set(color)) > 1 for color in palette.ids_by_color):
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
