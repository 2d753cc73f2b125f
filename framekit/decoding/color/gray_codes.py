"""
Gray planes whose pixels are codes of values, at any depth.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.color import RGB
from framekit.decoding.color.targets import Targets
from framekit.decoding.color.yuv_labels import Labels
from framekit.decoding.video.planes import Planes

__all__ = ["GrayLabels", "codes_of_values", "color_of_code", "label_codes"]

#: What lossy coding does to a flat color at most; nearer than that but not equal
#: means lossy.
_NOISE: Final = 2


@frozen(eq=False)
class GrayLabels:
    """
    Labels of pixels that equal a value's code.
    """

    #: (H, W); the largest number where a pixel equals none.
    labels: Labels

    #: Pixels that equal none.
    unknown: int

    #: Whether all pixels are codes, or values that the palette does not have.
    explained: bool


def codes_of_values(
    targets: Targets, planes: Planes, *, full_range: bool
) -> NDArray[np.int64]:
    """
    The code of each target in gray *planes*, at their depth.
    """
    values = targets.colors[:, 0]
    if not full_range:
        codes = (16 + 219 * values / 255) * (1 << (planes.depth - 8))
    elif planes.depth == 8 or (
        targets.palette.is_indexed and (not planes.altered or values.max() > 255)
    ):
        codes = values
    else:
        codes = values * ((1 << planes.depth) - 1) / 255
    return np.rint(codes).astype(np.int64)


def label_codes(
    planes: Planes, targets: Targets, codes: NDArray[np.int64], *, is_lossy: bool
) -> GrayLabels:
    """
    Label the pixels of *planes* that equal one of *codes*.

    Args:
        is_lossy: Whether the codec rules out that the stream is lossless.
    """
    dtype: Any = np.uint8 if len(targets) < 255 else np.int32
    none = np.iinfo(dtype).max
    table = np.full(1 << planes.depth, none, dtype)
    inside = np.flatnonzero((codes >= 0) & (codes < len(table)))[::-1]
    if planes.depth > 8:  # what was 8 bits may be a code off
        for near in (-1, 1):
            table[np.clip(codes[inside] + near, 0, len(table) - 1)] = inside
    table[codes[inside]] = inside
    values = planes.channels[0]
    labels = table[values]
    unknown = int(np.count_nonzero(labels == none))
    explained = True
    if unknown and (is_lossy or not targets.palette.is_indexed):
        present = np.flatnonzero(np.bincount(values.reshape(-1)))
        unequal = present[table[present] == none]
        noise = _NOISE << (planes.depth - 8)
        explained = bool(np.abs(unequal[:, None] - codes[None]).min() > noise)
    return GrayLabels(labels, unknown, explained)


def color_of_code(code: int) -> RGB:
    """
    How reports show a code.
    """
    return (code, code, code) if code < 256 else (code & 255, code >> 8, 0)
