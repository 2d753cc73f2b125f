"""
RGB frames all of whose pixels have a color of the palette: the usual case, fast.
"""

from __future__ import annotations

import numpy as np

from framekit.color import RGB
from framekit.decoding.finish import Found
from framekit.decoding.label_map import id_dtype
from framekit.decoding.lookup import Lookup, array_to_ids
from framekit.decoding.planes import Planes
from framekit.decoding.targets import Targets
from framekit.palette import Palette

__all__ = ["exact_rgb", "rgb_of_key"]


def exact_rgb(planes: Planes, targets: Targets, palette: Palette) -> Found | None:
    """
    Label 8-bit RGB *planes*, if every pixel equals a target.

    Returns:
        None if one does not, or the planes are not what the file holds.
    """
    if planes.altered or id_dtype(palette) is not np.uint8:
        return None
    colors = targets.colors.astype(np.int64) @ (1 << 16, 1 << 8, 1)
    lookup = Lookup.of("color", colors, targets.ids)
    pixels = np.empty((*planes.shape, 3), np.uint8)
    for place, channel in enumerate(planes.channels):
        pixels[..., place] = channel
    ids, unknown = array_to_ids(pixels, lookup, top=0)
    if unknown.pixels or ids.dtype != np.uint8:
        return None
    return Found(ids, lossless=True, values=ids, color_of=rgb_of_key, exact=True)


def rgb_of_key(key: int) -> RGB:
    """
    The color of R << 16 | G << 8 | B.
    """
    return key >> 16, key >> 8 & 255, key & 255
