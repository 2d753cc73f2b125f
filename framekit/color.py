"""
Colors as numbers: reading, packing and printing RGB, and where it lands in YUV.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from numbers import Integral, Real
from typing import Any, Final, Literal, get_args

from framekit.errors import ArgumentError

__all__ = [
    "MATRICES",
    "RGB",
    "YUV",
    "Matrix",
    "as_rgb",
    "in_range",
    "pack_rgb",
    "to_hex",
    "to_yuv",
    "unpack_rgb",
    "yuv_code",
    "yuv_distance",
    "yuv_transform",
]

#: Red, green, blue, each 0 to 255.
RGB = tuple[int, int, int]

#: Luma and the two chroma values, in 8-bit code values, not rounded.
YUV = tuple[float, float, float]

#: The standards by which video turns RGB into YUV.
Matrix = Literal["bt601", "bt709", "bt2020"]

MATRICES: Final[tuple[Matrix, ...]] = get_args(Matrix)

#: The shares of red and of blue in luma.
_LUMA: Final[dict[str, tuple[Fraction, Fraction]]] = {
    "bt601": (Fraction("0.299"), Fraction("0.114")),
    "bt709": (Fraction("0.2126"), Fraction("0.0722")),
    "bt2020": (Fraction("0.2627"), Fraction("0.0593")),
}

_HEX = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
_EXPECTED = "expected three integers from 0 to 255 like [210, 210, 120], or '#d2d278'"


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


def yuv_transform(
    matrix: Matrix = "bt601", *, full_range: bool = False
) -> tuple[tuple[YUV, YUV, YUV], YUV]:
    """
    The rows that turn RGB into 8-bit Y, U, V code values, and what is added then.

    Each number is the float nearest to the exact one.

    Args:
        full_range: Y, U, V fill 0 to 255; otherwise Y 16 to 235, U and V 16 to 240.

    Raises:
        ArgumentError: If *matrix* is none of :data:`MATRICES`.
    """
    if matrix not in MATRICES:
        reason = f"expected one of {', '.join(MATRICES)}, got {matrix!r}"
        raise ArgumentError("matrix", reason)
    return _yuv_transform(matrix, full_range)


def to_yuv(color: RGB, matrix: Matrix = "bt601", *, full_range: bool = False) -> YUV:
    """
    Return where *color* lies among 8-bit YUV code values, before rounding.

    Without arguments as most tools write it: BT.601 in limited range.

    Raises:
        ArgumentError: If *matrix* is none of :data:`MATRICES`.
    """
    (y, u, v), (y0, u0, v0) = yuv_transform(matrix, full_range=full_range)
    return _dot(y, color) + y0, _dot(u, color) + u0, _dot(v, color) + v0


def yuv_code(
    color: RGB, matrix: Matrix = "bt601", *, full_range: bool = False
) -> tuple[int, int, int]:
    """
    Return the 8-bit code of *color*: each value rounded, halves up, 0 to 255.

    Raises:
        ArgumentError: If *matrix* is none of :data:`MATRICES`.
    """
    y, u, v = to_yuv(color, matrix, full_range=full_range)
    return _code(y), _code(u), _code(v)


def yuv_distance(
    a: RGB, b: RGB, matrix: Matrix = "bt601", *, full_range: bool = False
) -> float:
    """
    Return how far apart two colors are in YUV, in code values, before rounding.

    Raises:
        ArgumentError: If *matrix* is none of :data:`MATRICES`.
    """
    rows, _ = yuv_transform(matrix, full_range=full_range)
    difference = (a[0] - b[0], a[1] - b[1], a[2] - b[2])
    return math.hypot(*(_dot(row, difference) for row in rows))


def unpack_hex(text: str) -> RGB:
    """
    Read ``"#rrggbb"``, whose form the caller has checked.
    """
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@cache
def _yuv_transform(
    matrix: str,
    full_range: bool,  # noqa: FBT001
) -> tuple[tuple[YUV, YUV, YUV], YUV]:
    red, blue = _LUMA[matrix]
    luma = (red, 1 - red - blue, blue)
    # U is (B - Y) and V is (R - Y), scaled to reach -1/2 and 1/2.
    blueness = [(Fraction(n == 2) - luma[n]) / (2 - 2 * blue) for n in range(3)]
    redness = [(Fraction(n == 0) - luma[n]) / (2 - 2 * red) for n in range(3)]
    light, chroma = (1, 1) if full_range else (Fraction(219, 255), Fraction(224, 255))
    return (
        (
            _floats(light * x for x in luma),
            _floats(chroma * x for x in blueness),
            _floats(chroma * x for x in redness),
        ),
        (0.0 if full_range else 16.0, 128.0, 128.0),
    )


def _floats(row: Iterable[Fraction]) -> YUV:
    y, u, v = map(float, row)
    return y, u, v


def _dot(row: YUV, color: tuple[int, int, int]) -> float:
    return row[0] * color[0] + row[1] * color[1] + row[2] * color[2]


def _code(value: float) -> int:
    return min(max(math.floor(value + 0.5), 0), 255)


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
