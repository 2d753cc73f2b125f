"""
The pixels of an image as its file stores them, and the keys they are looked up by.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.decoding.image.walk import ImageError

__all__ = ["TRANSPARENT", "Pixels", "bytes_of"]

#: The key of pixels that are void since they are transparent; no pixel has it.
TRANSPARENT: Final = 0xFFFFFFFF


@frozen(eq=False)
class Pixels:
    """
    One picture.
    """

    #: (H, W, 3) uint8 or uint16 colors; or (H, W) uint8, uint16 or uint32: gray
    #: samples as stored, or indices into the palette.
    samples: NDArray[Any]

    #: Bits a sample, 1 to 32.
    depth: int = 8

    #: (N, 3) uint8.
    palette: NDArray[np.uint8] | None = None

    #: (H, W) uint8 or uint16, 0 is transparent; None where all is opaque.
    alpha: NDArray[Any] | None = None

    #: What is unusual but harmless, a sentence each.
    notes: tuple[str, ...] = ()

    def keys(self, *, color: bool, index: bool = False) -> NDArray[np.uint32]:
        """
        What each pixel is looked up by, (H, W).

        Args:
            color: Whether keys are colors, R << 16 | G << 8 | B; otherwise they are
                pixel values, of three channels R + 256 G + 65536 B. Gray of more
                than 8 bits has no colors.
            index: Of palette images, take the index itself, not its color.

        Raises:
            ImageError: If 16-bit colors are not the 8-bit ones, scaled.
        """
        if self.palette is not None:
            if index:
                return self.samples.astype(np.uint32)
            table = _packed(self.palette, color=color)
            return np.asarray(table[self.samples])
        if self.samples.ndim == 3:
            return _packed(bytes_of(self.samples, "colors"), color=color)
        keys = self.samples.astype(np.uint32)
        if color:
            keys *= np.uint32(255 // ((1 << self.depth) - 1) * 0x010101)
        return keys


def bytes_of(samples: NDArray[Any], what: str) -> NDArray[np.uint8]:
    """
    16-bit *samples* as the 8-bit ones that they are, scaled by 257.

    Raises:
        ImageError: If they are not; *what* is their name in the message.
    """
    if samples.dtype == np.uint8:
        return samples
    narrow = (samples >> 8).astype(np.uint8)
    if not np.array_equal(narrow, samples & np.uint16(0xFF)):
        raise ImageError(f"16-bit {what} that no 8-bit value stands for")
    return narrow


def _packed(rgb: NDArray[np.uint8], *, color: bool) -> NDArray[np.uint32]:
    keys = rgb[..., 1].astype(np.uint32) << np.uint32(8)
    keys |= rgb[..., 0 if not color else 2]
    keys |= rgb[..., 2 if not color else 0].astype(np.uint32) << np.uint32(16)
    return keys
