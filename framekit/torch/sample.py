"""
What a network is given for one frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["Sample", "Transform", "image_of"]

#: Takes an image and its target, and returns them changed.
Transform = Callable[[Any, Any], tuple[Any, Any]]


class Sample(NamedTuple):
    """
    A picture and the numbers of its pixels; of a batch, tensors with a dimension more.
    """

    #: (3, H, W) uint8 RGB; None if pictures are not read.
    image: Any

    #: (H, W) int64.
    target: Any

    #: Which frame, source and mask it is: ``"crossing_1_000/front.seg"``.
    name: Any


def image_of(picture: NDArray[np.uint8]) -> torch.Tensor:
    """
    *picture*, (H, W, 3), as (3, H, W).
    """
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
