"""
How the pixels of one kind of image find their ids in a palette.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from attrs import frozen

from framekit.color import RGB, unpack_rgb
from framekit.decoding.lookup.tables import Lookup
from framekit.errors import PaletteError
from framekit.palette import Palette

__all__ = ["PalettePng", "PixelKind", "Scheme", "scheme_of", "value_of_color"]

#: What a pixel of a file is; gray of up to 8 bits is also a color, (v, v, v).
PixelKind = Literal["rgb", "gray", "wide gray", "palette", "alpha"]

#: What pixels of palette images are looked up by.
PalettePng = Literal["auto", "colors", "indices"]

_Keys = Literal["color", "index", "wide gray", "position"]


@frozen
class Scheme:
    """
    A lookup, and what its keys are.
    """

    lookup: Lookup

    #: Whether a palette image is looked up by its index, not by its color.
    by_index: bool = False

    #: Whether values are R + 256 G + 65536 B.
    packed: bool = False

    @property
    def by_color(self) -> bool:
        """
        Whether keys are colors.
        """
        return self.lookup.kind == "color"

    def color_of(self, key: int) -> RGB:
        """
        How reports show the key of a pixel.
        """
        if self.by_color:
            return key >> 16, key >> 8 & 255, key & 255
        return unpack_rgb(key) if self.packed else value_of_color(key)


def value_of_color(value: int) -> RGB:
    """
    How reports show a single-channel value: (v, v, v), or its bytes beyond 255.
    """
    return (value, value, value) if value <= 255 else unpack_rgb(value)


def scheme_of(palette: Palette, kind: PixelKind, palette_png: PalettePng) -> Scheme:
    """
    Choose what pixels of *kind* are looked up by.

    Colors decide for three channels, if the palette has any; pixel values for a
    single channel, if the palette is indexed. For palette images *palette_png*
    decides.

    Raises:
        PaletteError: If opacity is asked for with a palette that is not indexed.
    """
    has_colors = bool(palette.ids_by_color)
    if kind == "alpha":
        if not palette.is_indexed:
            reason = "alpha='opacity' needs an indexed palette: {opacity: labels}"
            raise PaletteError(reason)
        return Scheme(_lookup(palette, "index"), by_index=True)
    if kind == "palette":
        if palette_png == "indices" or (palette_png == "auto" and palette.is_indexed):
            keys: _Keys = "index" if palette.is_indexed else "position"
            return Scheme(_lookup(palette, keys), by_index=True)
        if has_colors or not palette.is_indexed:
            return Scheme(_lookup(palette, "color"))
        return Scheme(_lookup(palette, "index"), packed=True)
    if kind == "rgb":
        if has_colors or not palette.is_indexed:
            return Scheme(_lookup(palette, "color"))
        return Scheme(_lookup(palette, "index"), packed=True)
    if palette.is_indexed:
        return Scheme(_lookup(palette, "index"))
    return Scheme(_lookup(palette, "wide gray" if kind == "wide gray" else "color"))


@lru_cache(maxsize=4)
def _lookup(palette: Palette, keys: _Keys) -> Lookup:
    if keys == "color":
        colors = palette.ids_by_color.items()
        return Lookup.by_color({r << 16 | g << 8 | b: id for (r, g, b), id in colors})
    if keys == "wide gray":
        colors = palette.ids_by_color.items()
        return Lookup.by_index({r: id for (r, g, b), id in colors if r == g == b})
    if keys == "index":
        return Lookup.by_index(dict(palette.ids_by_index))
    found: dict[int, int] = {}
    for position, entry in enumerate(palette):
        id = position if entry.id is None else entry.id
        value = id if entry.index is None else entry.index
        found.setdefault(value, entry.id_or_void)
    return Lookup.by_index(found)
