"""
The last step to a label map: turning it, counting what is unknown, reporting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.color import RGB
from framekit.decoding.color.colorspace import Colorspace
from framekit.decoding.color.targets import Targets
from framekit.decoding.color.yuv_labels import Labels
from framekit.decoding.label_map import LabelMap, Marks
from framekit.decoding.report import DecodeReport, UnknownColor
from framekit.decoding.video.options import Options
from framekit.decoding.video.orientation import Orientation
from framekit.decoding.video.planes import Planes
from framekit.errors import UnknownColorError

__all__ = ["Found", "finish"]

_MOST_COLORS: Final = 8
_UPRIGHT: Final = Orientation()


@frozen(eq=False)
class Found:
    """
    The labels of one frame as stored, before it is turned.
    """

    #: (H, W) positions among the targets; numbers beyond them are unknown.
    labels: Labels = field(repr=lambda a: f"<{a.shape}>")

    targets: Targets

    #: Whether no pixel is unknown.
    complete: bool

    lossless: bool | None

    #: For each pixel a value, (H, W), and the color that a value stands for.
    values: Callable[[], NDArray[Any]] = field(repr=False)
    color_of: Callable[[int], RGB] = field(repr=False)

    exact: bool = False

    #: Places of uncertain pixels; None if no margin is known.
    doubtful: NDArray[np.uint32] | None = field(default=None, repr=False)

    ambiguous_share: float = 0.0
    noise: float | None = None


def finish(
    found: Found,
    planes: Planes,
    options: Options,
    *,
    space: Colorspace | None,
    uri: str,
    notes: tuple[str, ...],
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
    transparent = None
    if planes.alpha is not None and options.alpha == "void":
        transparent = turn(planes.alpha) == 0
    count = 0
    colors: tuple[UnknownColor, ...] = ()
    if not found.complete:
        unknown = turn(found.labels) >= len(found.targets)
        if transparent is not None:
            unknown &= ~transparent
        count = int(np.count_nonzero(unknown))
        if count:
            colors = _most_frequent(turn(found.values()), unknown, found.color_of)
    if count and options.unknown == "error":
        raise UnknownColorError(uri, tuple(color for color, _, _ in colors))
    ids = found.targets.to_ids(found.labels, complete=found.complete)
    marks = None
    if found.doubtful is not None:
        marks = Marks(found.doubtful, planes.shape)
        if options.uncertain == "void":
            ids.reshape(-1)[marks.places] = found.targets.void
    uncertain: NDArray[np.bool_] | Marks | None = marks
    if planes.orientation != _UPRIGHT:
        ids = np.array(turn(ids), order="C")
        uncertain = marks and np.array(turn(marks.to_mask()), order="C")
    if transparent is not None:
        ids[transparent] = found.targets.void
    report = DecodeReport(
        exact=found.exact,
        lossless=found.lossless,
        unknown_pixels=count,
        unknown_colors=colors,
        ambiguous_share=found.ambiguous_share,
        uncertain_share=0.0 if marks is None else len(marks.places) / ids.size,
        noise=found.noise,
        matrix=None if space is None else space.matrix,
        full_range=None if space is None else space.full_range,
        colorspace_reason=None if space is None else space.reason,
        residual=None if space is None else space.residual,
        notes=notes,
    )
    return LabelMap(ids, found.targets.palette, report, uncertain)


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
