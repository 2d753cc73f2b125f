"""
Palettes, and how a frame's ROIs and a version's labels make one.
"""

from framekit.palette.drift import label_drift
from framekit.palette.entry import MAX_ID, VOID, PaletteEntry
from framekit.palette.linking import Link, Linking, MaskRoi, link, link_frame, mask_of
from framekit.palette.palette import Palette
from framekit.palette.sharing import Shared
from framekit.palette.version_labels import ALL_MASKS, levels_of

__all__ = [
    "ALL_MASKS",
    "MAX_ID",
    "VOID",
    "Link",
    "Linking",
    "MaskRoi",
    "Palette",
    "PaletteEntry",
    "Shared",
    "label_drift",
    "levels_of",
    "link",
    "link_frame",
    "mask_of",
]
