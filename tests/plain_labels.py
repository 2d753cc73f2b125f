"""
Labels the plain way, pixel by pixel: what the kernels are compared with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.lookup.unknown import NONE, Unknown, UnknownValue


def plain_labels(keys: Any, ids: Any, *, small: Any) -> tuple[NDArray[Any], Unknown]:
    """
    The labels of *keys*, (H, W) ints, pixel by pixel, and the unknown ones.
    """
    out = np.full(keys.shape, 255 if small else -1, np.uint8 if small else np.int32)
    seen: dict[int, tuple[int, int, int, int, int]] = {}
    for y, x in np.ndindex(keys.shape):
        key = int(keys[y, x])
        if key < 0:
            continue
        if key in ids:
            out[y, x] = ids[key] if ids[key] >= 0 else out[y, x]
            continue
        count, x0, y0, x1, _ = seen.get(key, (0, x, y, 0, 0))
        seen[key] = count + 1, min(x, x0), y0, max(x + 1, x1), y + 1
    values = sorted(
        (UnknownValue(key, n, (a, b, c, d)) for key, (n, a, b, c, d) in seen.items()),
        key=lambda v: (-v.count, v.value),
    )
    pixels = sum(v.count for v in values)
    return out, Unknown(pixels, tuple(values), len(values)) if pixels else NONE


def packed(pixels: NDArray[Any]) -> NDArray[Any]:
    """
    Pixels of three channels as R << 16 | G << 8 | B.
    """
    return pixels[..., :3].astype(int) @ [1 << 16, 1 << 8, 1]
