"""
Masks of one label, and what they cut out of an image.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.image.arrays import ensure_label_array
from framekit.decoding.label_map import LabelMap
from framekit.errors import ArgumentError

__all__ = ["VOID_BINARY", "binary_mask", "cut_out"]

#: What stands for neither 0 nor 1 in a binary mask.
VOID_BINARY: Final = 255


def binary_mask(
    source: LabelMap | Any,
    label: str | int,
    *,
    unclassified: Iterable[str | int] = (),
    void: Literal["zero", "keep"] = "zero",
) -> NDArray[np.uint8]:
    """
    Where *label* is: 1 there, 0 elsewhere.

    Args:
        source: A label map, or (H, W) of whole numbers. Floats that were divided by
            255, like what ``ToTensor`` makes of a mask, are refused.
        label: A label or id of the map; the value, for an array.
        unclassified: Labels or values that say neither yes nor no.
        void: What such pixels get, and void ones of a label map: 0 (``"zero"``), or
            255 (``"keep"``) to be ignored later.

    Returns:
        (H, W) uint8.

    Raises:
        ArgumentError: If the palette has no such label, or *source* is no map.
    """
    if void not in ("zero", "keep"):
        raise ArgumentError("void", f"expected 'zero' or 'keep', got {void!r}")
    if isinstance(unclassified, str) or not isinstance(unclassified, Iterable):
        reason = f"expected a list of labels or values, got {unclassified!r}"
        raise ArgumentError("unclassified", reason)
    values = source.ids if isinstance(source, LabelMap) else ensure_label_array(source)
    found = np.isin(values, _values(source, "label", label)).astype(np.uint8)
    if void == "keep":
        neither = [
            value
            for other in unclassified
            for value in _values(source, "unclassified", other)
        ]
        if isinstance(source, LabelMap):
            neither.append(source.void)
        found[np.isin(values, neither) & (found == 0)] = VOID_BINARY
    else:
        for other in unclassified:
            _values(source, "unclassified", other)
    return found


def cut_out(
    image: Any,
    mask: Any,
    *,
    background: Literal["zeros", "transparent"] = "zeros",
    crop: bool = False,
) -> NDArray[Any]:
    """
    Keep of an image what a mask covers.

    Args:
        image: (H, W) or (H, W, C) of numbers.
        mask: (H, W) of bools, or of integers 0 and 1.
        background: ``"zeros"`` multiplies image and mask; ``"transparent"`` gives
            RGBA, opaque where the mask is 1.
        crop: Cut to the smallest box around the mask.

    Returns:
        An array of the image's type.

    Raises:
        ArgumentError: If sizes differ, or an array is refused.
    """
    if background not in ("zeros", "transparent"):
        reason = f"expected 'zeros' or 'transparent', got {background!r}"
        raise ArgumentError("background", reason)
    covered = _covered(mask)
    pixels = _pixels(image, covered.shape)
    if crop:
        rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
        if not len(rows):
            raise ArgumentError("mask", "covers no pixel, so there is no box to cut")
        box = (
            slice(int(rows[0]), int(rows[-1]) + 1),
            slice(int(columns[0]), int(columns[-1]) + 1),
        )
        pixels, covered = pixels[box], covered[box]
    kept = covered if pixels.ndim == 2 else covered[:, :, None]
    zeroed = np.where(kept, pixels, np.zeros((), pixels.dtype))
    return zeroed if background == "zeros" else _with_alpha(zeroed, covered)


def _values(source: LabelMap | Any, argument: str, label: str | int) -> list[int]:
    if isinstance(label, str):
        if not isinstance(source, LabelMap):
            reason = f"an array has values, no labels like {label!r}"
            raise ArgumentError(argument, reason)
        return list(source.palette.ids_of(label))
    if isinstance(label, bool) or not isinstance(label, (int, np.integer)):
        raise ArgumentError(argument, f"expected a label or a value, got {label!r}")
    value = int(label)
    if isinstance(source, LabelMap):
        known = [entry.id for entry in source.palette if entry.id is not None]
        if value not in known:
            raise ArgumentError(argument, f"the palette has no id {value}")
    return [value]


def _covered(mask: Any) -> NDArray[np.bool_]:
    array = ensure_label_array(mask)
    if array.size and (array.min() < 0 or array.max() > 1):
        values = np.unique(array)[:5].tolist()
        reason = f"expected a mask of 0 and 1, or bools; has {values}"
        raise ArgumentError("mask", reason)
    return array.astype(np.bool_)


def _pixels(image: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    pixels = np.asarray(image)
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "iufb":
        reason = f"expected numbers (H, W) or (H, W, C), got {pixels.shape}"
        raise ArgumentError("image", f"{reason} {pixels.dtype}")
    if pixels.shape[:2] != shape:
        reason = f"is {_size(pixels.shape[:2])} pixels, the mask is {_size(shape)}"
        if pixels.shape[1:] == shape:
            reason = f"has its channels first; give (H, W, C), not {pixels.shape}"
        raise ArgumentError("image", reason)
    return pixels


def _size(shape: tuple[int, ...]) -> str:
    height, width = shape
    return f"{width} x {height}"


def _with_alpha(zeroed: NDArray[Any], covered: NDArray[np.bool_]) -> NDArray[Any]:
    kind = zeroed.dtype
    if kind.kind == "f":
        opaque: Any = 1.0
    elif kind.kind == "u":
        opaque = np.iinfo(kind).max
    else:
        reason = f"a transparent background needs unsigned or float pixels, not {kind}"
        raise ArgumentError("image", reason)
    color = np.stack([zeroed] * 3, axis=2) if zeroed.ndim == 2 else zeroed
    if color.shape[2] == 1:
        color = np.repeat(color, 3, axis=2)
    if color.shape[2] not in (3, 4):
        reason = f"expected 1, 3 or 4 channels, got {color.shape[2]}"
        raise ArgumentError("image", reason)
    alpha = np.where(covered, np.asarray(opaque, kind), np.zeros((), kind))
    if color.shape[2] == 4:
        alpha = color[:, :, 3]
    return np.dstack([color[:, :, :3], alpha])
