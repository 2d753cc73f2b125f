"""
Arrays that users hand over as labels: accepted as they are, or refused with reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.errors import ArgumentError

__all__ = ["ensure_label_array"]

#: How far from a whole number v * 255 may be for v to count as an id over 255.
_TOLERANCE = 1e-3


def ensure_label_array(array: Any, *, denormalize: bool = False) -> NDArray[Any]:
    """
    Return *array* as an array of whole numbers, (H, W).

    Integers and bools are accepted as they are, floats if they are whole numbers;
    but floats from 0 to 1 in steps of 1/255, not all of them 0, are most likely ids
    that a loader of pictures has divided by 255.

    Args:
        array: (H, W), or (1, H, W) or (H, W, 1).
        denormalize: Multiply such floats by 255 again, which gives uint8.

    Returns:
        (H, W) of the same type; floats become int64, bools uint8.

    Raises:
        ArgumentError: If it has another shape, or values that are no ids.
    """
    values = np.asarray(array)
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[:, :, 0]
    if values.ndim != 2:
        reason = f"expected labels of shape (H, W), got {values.shape}"
        if values.ndim == 3:
            reason += "; colors are decoded with a palette"
        raise ArgumentError("array", reason)
    if values.dtype == bool:
        return np.asarray(values.astype(np.uint8))
    if np.issubdtype(values.dtype, np.integer):
        return values
    if not np.issubdtype(values.dtype, np.floating):
        raise ArgumentError("array", f"expected whole numbers, got {values.dtype}")
    return _from_floats(values, denormalize=denormalize)


def _from_floats(values: NDArray[Any], *, denormalize: bool) -> NDArray[Any]:
    if not np.isfinite(values).all():
        raise ArgumentError("array", "has values that are not finite")
    if _is_normalized(values):
        if denormalize:
            return np.asarray(np.rint(values * 255), np.uint8)
        reason = (
            "floats from 0 to 1 in steps of 1/255: ids that were divided by 255 on "
            "loading; load them as integers (no ToTensor), or pass denormalize=True"
        )
        raise ArgumentError("array", reason)
    whole = np.rint(values)
    if not np.array_equal(whole, values):
        odd = values[whole != values].flat[0]
        reason = (
            f"has values between whole numbers, like {odd}: resampled or scaled; "
            f"labels are resized to the nearest only"
        )
        raise ArgumentError("array", reason)
    if values.size and np.abs(whole).max() >= 2**53:
        raise ArgumentError("array", "has floats too large to be exact")
    return np.asarray(whole, np.int64)


def _is_normalized(values: NDArray[Any]) -> bool:
    """
    Whether all are 0 to 1 in steps of 1/255.

    0 and 1 alone count, too: as floats they cannot be told from a mask of 0 and 255
    that was divided.
    """
    if not values.size or values.min() < 0 or values.max() > 1 or not values.any():
        return False
    scaled = values.astype(np.float64) * 255
    return bool((np.abs(scaled - np.rint(scaled)) <= _TOLERANCE).all())
