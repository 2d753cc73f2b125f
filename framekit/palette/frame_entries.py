"""
What a frame and its version say about the colors of one mask.
"""

from __future__ import annotations

import warnings
from typing import Any

from framekit.errors import LinkWarning, PaletteError, PaletteWarning
from framekit.frame import SingleFrame
from framekit.palette.entry import PaletteEntry
from framekit.palette.linking import link_frame
from framekit.palette.sharing import Shared
from framekit.palette.version_labels import levels_of

__all__ = ["entries_of"]


def entries_of(
    frame: SingleFrame,
    source: str,
    mask: str,
    *,
    version: Any = None,
    restrict: bool = False,
    shared: Shared = "error",
    stacklevel: int = 2,
) -> list[PaletteEntry]:
    """
    The colors of a mask: those of ROIs first, then those of the version's levels.

    Raises:
        ArgumentError: If *version* has no mask_labels in a known form.
        PaletteError: If the mask id of a ROI that may mean *source* leads
            nowhere, or a level gives one color two label sets.
    """
    linking = link_frame(frame)
    if linking.swapped:
        message = "mask ids and labels of the frame's ROIs are exchanged; read so"
        warnings.warn(message, LinkWarning, stacklevel=stacklevel + 1)
    for index, mask_id, known in linking.dangling:
        sources = frame.rois[index].sources
        if not sources or source in sources:
            reason = f"$.rois[{index}].mask.id: {mask_id!r} is none of {list(known)}"
            raise PaletteError(reason)
    entries = [
        PaletteEntry(color=found.color, labels=found.labels)
        for found in linking.links
        if found.source == source and found.mask == mask
    ]
    said: dict[tuple[int, int, int] | None, tuple[str, tuple[str, ...]]] = {}
    for entry in entries:
        _, before = said.setdefault(entry.color, ("rois", entry.labels))
        if shared == "merge":
            said[entry.color] = ("rois", tuple(dict.fromkeys(before + entry.labels)))
    for level, labels_by_color in levels_of(version, mask, shared=shared):
        for color, labels in labels_by_color.items():
            if color not in said:
                said[color] = (level, labels)
                if not restrict:
                    entries.append(PaletteEntry(color=color, labels=labels))
            elif set(said[color][1]) != set(labels):
                where, before = said[color]
                message = (
                    f"{list(color)} is {list(before)} in {where} and {list(labels)} "
                    f"in {level}; the former counts"
                )
                warnings.warn(message, PaletteWarning, stacklevel=stacklevel + 1)
    return entries
