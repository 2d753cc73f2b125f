"""
From the planes of one frame to labels: positions among some centroids.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.color.repair.codebook import Codebook
from framekit.decoding.color.repair.dispatch import (
    Classified,
    LookedUp,
    Mode,
    classify_yuv,
    look_up,
)
from framekit.decoding.video.planes import Planes

__all__ = ["Labels", "Mode", "classify_planes", "keys_of", "look_up_planes"]

#: Positions among the centroids, unsigned; numbers beyond the last are none of them.
Labels = NDArray[Any]

_MIDDLE: Final = 128


def classify_planes(planes: Planes, codebook: Codebook, *, mode: Mode) -> Classified:
    """
    Label 8-bit *planes* of ``yuv`` or ``gray`` that lossy coding has changed.
    """
    return classify_yuv(_three(planes), codebook, mode=mode)


def look_up_planes(
    planes: Planes, centroids: NDArray[np.int32], *, within: float | None
) -> LookedUp:
    """
    The nearest of (K, 3) *centroids* for each pixel of 8-bit *planes*.

    Chroma is repeated up to the size of luma.

    Args:
        within: Pixels farther away than this, in codes, get none.
    """
    first, second, third = _three(planes)
    return look_up(
        (first, _wide(second, planes), _wide(third, planes)), centroids, within=within
    )


def keys_of(planes: Planes) -> NDArray[np.int32]:
    """
    The three 8-bit values of each pixel in one number, (H, W): the first is highest.
    """
    first, second, third = _three(planes)
    rest = second.astype(np.int32) << 8 | third
    return np.asarray(first.astype(np.int32) << 16 | _wide(rest, planes))


def _three(planes: Planes) -> tuple[Any, Any, Any]:
    """
    The channels, those that gray does not have being neutral.
    """
    if planes.kind == "gray":
        neutral = np.full(planes.shape, _MIDDLE, np.uint8)
        return planes.channels[0], neutral, neutral
    first, second, third = planes.channels
    return first, second, third


def _wide(chroma: NDArray[Any], planes: Planes) -> NDArray[Any]:
    """
    Samples repeated up to the size of the first channel.
    """
    across, down = planes.steps if planes.kind == "yuv" else (1, 1)
    if down > 1:
        chroma = chroma.repeat(down, 0)
    if across > 1:
        chroma = chroma.repeat(across, 1)
    height, width = planes.shape
    return chroma[:height, :width]
