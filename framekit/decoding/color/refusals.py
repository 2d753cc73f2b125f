"""
Colors of a palette that a video cannot keep apart.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.color.colorspace import SCALE, closest_pair
from framekit.decoding.color.targets import Targets
from framekit.errors import PaletteError

__all__ = ["check_codes", "check_distances"]

#: Closer pairs are refused on lossy streams, or worth a warning.
_TOO_CLOSE: Final = 2.0
_CLOSE: Final = 8.0


def check_codes(codes: NDArray[Any], targets: Targets, *, uri: str, space: str) -> None:
    """
    Refuse *targets* of which two have one code.

    Args:
        codes: (K, 3) whole numbers.
        space: In which color space they do, for a person.

    Raises:
        PaletteError: Naming the two.
    """
    pair = closest_pair(np.asarray(codes, np.int32) * SCALE, within=0.5)
    if pair is not None:
        first, second = map(targets.describe, pair[1:])
        reason = (
            f"{uri}: {first} and {second} have the same code in this video{space}; "
            "they cannot be told apart"
        )
        raise PaletteError(reason)


def check_distances(
    centroids: NDArray[np.int32], targets: Targets, *, uri: str, space: str
) -> str | None:
    """
    Refuse *targets* of which two are too close for lossy coding.

    Returns:
        Which two are close enough to say so, if any are.

    Raises:
        PaletteError: Naming the two.
    """
    pair = closest_pair(centroids, within=_CLOSE)
    if pair is None:
        return None
    first, second = map(targets.describe, pair[1:])
    text = f"{first} and {second} are {pair[0]:.1f} codes apart"
    if pair[0] < _TOO_CLOSE:
        reason = f"{uri}: {text} in this lossy video{space}; they cannot be told apart"
        raise PaletteError(reason)
    return f"{text}, and the video is lossy"
