"""
The last step to a label map: turning it, counting what is unknown, reporting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.color import RGB
from framekit.decoding.colorspace import Colorspace
from framekit.decoding.label_map import LabelMap, id_dtype, void_of
from framekit.decoding.options import Options
from framekit.decoding.planes import Planes
from framekit.decoding.report import DecodeReport, UnknownColor
from framekit.decoding.yuv_labels import NONE, Labels
from framekit.errors import UnknownColorError
from framekit.palette import Palette

__all__ = ["Found", "finish"]

_MOST_COLORS: Final = 8


@frozen(eq=False)
class Found:
    """
    The ids of one frame as stored, before it is turned.
    """

    #: (H, W) int32; ``NONE`` where there is no id. uint8 if there is one everywhere.
    ids: Labels | NDArray[np.uint8]

    lossless: bool | None

    #: For each pixel a value, and the color that a value stands for.
    values: NDArray[Any]
    color_of: Callable[[int], RGB]

    exact: bool = False
    uncertain: NDArray[np.bool_] | None = None
    ambiguous_share: float = 0.0
    notes: tuple[str, ...] = ()


def finish(
    found: Found,
    planes: Planes,
    palette: Palette,
    options: Options,
    *,
    space: Colorspace | None,
    uri: str,
) -> LabelMap:
    """
    Make a label map of *found*.

    Args:
        planes: The frame, for its alpha and how it is to be turned.
        space: The color space that was used, if any.

    Raises:
        UnknownColorError: If pixels have no id and ``unknown`` is "error".
    """
    turn = planes.orientation.apply
    void = void_of(palette)
    ids = turn(found.ids)
    transparent = None
    if planes.alpha is not None and options.alpha == "void":
        transparent = turn(planes.alpha) == 0
    count = 0
    if ids.dtype != np.uint8:
        unknown = ids == NONE
        ids = np.where(unknown, void, ids)
        if transparent is not None:
            unknown &= ~transparent
        count = int(np.count_nonzero(unknown))
    colors: tuple[UnknownColor, ...] = ()
    if count:
        colors = _most_frequent(turn(found.values), unknown, found.color_of)
        if options.unknown == "error":
            raise UnknownColorError(uri, tuple(color for color, _, _ in colors))
    made: Any = np.array(ids, id_dtype(palette), order="C", copy=ids is not found.ids)
    if transparent is not None:
        made[transparent] = void
    uncertain = None
    if found.uncertain is not None:
        uncertain = np.array(turn(found.uncertain), order="C")
        if options.uncertain == "void":
            made[uncertain] = void
    report = DecodeReport(
        exact=found.exact,
        lossless=found.lossless,
        unknown_pixels=count,
        unknown_colors=colors,
        ambiguous_share=found.ambiguous_share,
        uncertain_share=0.0 if uncertain is None else float(uncertain.mean()),
        matrix=None if space is None else space.matrix,
        full_range=None if space is None else space.full_range,
        colorspace_reason=None if space is None else space.reason,
        residual=None if space is None else space.residual,
        notes=found.notes,
    )
    return LabelMap(made, palette, report, uncertain)


def _most_frequent(
    values: NDArray[Any], unknown: NDArray[np.bool_], color_of: Callable[[int], RGB]
) -> tuple[UnknownColor, ...]:
    found, counts = np.unique(values[unknown], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_COLORS]
    colors: list[UnknownColor] = []
    for n in order:
        here = (values == found[n]) & unknown
        rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
        left, right = int(columns[0]), int(columns[-1]) + 1
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        color = color_of(int(found[n]))
        colors.append((color, int(counts[n]), (left, top, right, bottom)))
    return tuple(colors)
