"""
Colors as numbers: reading, packing and printing RGB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from framekit.errors import ArgumentError

__all__ = ["RGB", "as_rgb", "in_range", "pack_rgb", "to_hex", "unpack_rgb"]

#: Red, green, blue, each 0 to 255.
RGB = tuple[int, int, int]

_HEX = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
_EXPECTED = (
    "expected three integers from 0 to 255 like [210, 210, 120], or '#d2d278'"
)


def as_rgb(value: Any, *, argument: str = "color") -> RGB:
    """
    Read a color from three numbers (any sequence, NumPy too) or ``"#rrggbb"``.

    Raises:
        ArgumentError: If *value* is not exactly that; *argument* is the name in
            the message.
    """
    if isinstance(value, str):
        if not _HEX.fullmatch(value):
            raise ArgumentError(argument, f"{_EXPECTED}; got {value!r}")
        return unpack_hex(value)
    if not isinstance(value, Iterable) or isinstance(value, (bytes, dict, set)):
        raise ArgumentError(argument, f"{_EXPECTED}; got {value!r}")
    parts = list(value)
    if len(parts) != 3:
        found = f"{len(parts)} values: {_short(parts)}"
        raise ArgumentError(argument, f"{_EXPECTED}; got {found}")
    return (
        _channel(parts[0], value, argument),
        _channel(parts[1], value, argument),
        _channel(parts[2], value, argument),
    )


def in_range(color: Iterable[int]) -> bool:
    """
    Whether every channel is one that an 8-bit pixel can have.
    """
    return all(0 <= channel <= 255 for channel in color)


def pack_rgb(color: RGB) -> int:
    """
    Return R + 256 G + 65536 B, COCO's and Cityscapes' order for 24-bit ids.
    """
    red, green, blue = color
    return red | green << 8 | blue << 16


def unpack_rgb(packed: int) -> RGB:
    """
    The inverse of :func:`pack_rgb`.
    """
    return packed & 255, packed >> 8 & 255, packed >> 16 & 255


def to_hex(color: RGB) -> str:
    """
    Return ``"#rrggbb"``.
    """
    return "#{:02x}{:02x}{:02x}".format(*color)


def unpack_hex(text: str) -> RGB:
    """
    Read ``"#rrggbb"``, whose form the caller has checked.
    """
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _channel(value: Any, whole: Any, argument: str) -> int:
    number = (
        isinstance(value, Integral)
        or (isinstance(value, Real) and float(value).is_integer())
    ) and not isinstance(value, bool)
    if not number or not 0 <= int(value) <= 255:
        raise ArgumentError(argument, f"{_EXPECTED}; got {_short(list(whole))}")
    return int(value)


def _short(parts: list[Any]) -> str:
    shown = ", ".join(str(part)[:24] for part in parts[:6])
    return f"[{shown}{', …' if len(parts) > 6 else ''}]"
