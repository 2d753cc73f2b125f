"""
Bounding boxes in the forms that the field writes them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from numbers import Real
from typing import Any, Literal, Self

from attrs import field, frozen

from framekit.errors import ArgumentError

__all__ = ["BoundingBox", "BoxForm"]

#: Two corners; a corner and the size; or the center and the size.
BoxForm = Literal["xyxy", "xywh", "cxcywh"]

#: Four numbers, in the order that the name of their form says.
Four = tuple[float, float, float, float]


def _as_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value):
        raise ArgumentError("box", f"expected finite numbers, got {value!r}")
    number = float(value)
    return int(number) if number.is_integer() else number


@frozen
class BoundingBox:
    """
    Edges in pixels, from the image's top left corner; right and bottom exclusive.

    The box of the single pixel (0, 0) is (0, 0, 1, 1), of width 1: half open, like
    slices, and like COCO's ``xywh``. :attr:`xyxy_inclusive` is what names the last
    pixel instead, as ``masks_to_boxes`` does.
    """

    left: float = field(converter=_as_number)
    top: float = field(converter=_as_number)
    right: float = field(converter=_as_number)
    bottom: float = field(converter=_as_number)

    def __attrs_post_init__(self) -> None:
        if self.right < self.left or self.bottom < self.top:
            reason = f"right and bottom come before left and top: {self.xyxy}"
            raise ArgumentError("box", reason)

    @classmethod
    def from_xyxy(cls, values: Sequence[float], *, inclusive: bool = False) -> Self:
        """
        Read two corners.

        Args:
            inclusive: The second corner is the last pixel, not the one after it.

        Raises:
            ArgumentError: If they are not four numbers, or in the wrong order.
        """
        left, top, right, bottom = _four(values)
        more = 1 if inclusive else 0
        return cls(left, top, right + more, bottom + more)

    @classmethod
    def from_xywh(cls, values: Sequence[float]) -> Self:
        """
        Read the top left corner, width and height.

        Raises:
            ArgumentError: If they are not four numbers, or a size is negative.
        """
        left, top, width, height = _four(values)
        return cls(left, top, left + width, top + height)

    @classmethod
    def from_cxcywh(cls, values: Sequence[float]) -> Self:
        """
        Read the center, width and height.

        Raises:
            ArgumentError: If they are not four numbers, or a size is negative.
        """
        x, y, width, height = _four(values)
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @property
    def width(self) -> float:
        """
        Pixels from left to right.
        """
        return self.right - self.left

    @property
    def height(self) -> float:
        """
        Pixels from top to bottom.
        """
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """
        Pixels within.
        """
        return self.width * self.height

    @property
    def xyxy(self) -> Four:
        """
        Left, top, right, bottom; the latter two exclusive.
        """
        return self.left, self.top, self.right, self.bottom

    @property
    def xyxy_inclusive(self) -> Four:
        """
        Left, top and the last column and row that belong to the box.
        """
        return self.left, self.top, self.right - 1, self.bottom - 1

    @property
    def xywh(self) -> Four:
        """
        Left, top, width, height.
        """
        return self.left, self.top, self.width, self.height

    @property
    def cxcywh(self) -> Four:
        """
        Center, width, height.
        """
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        return x, y, self.width, self.height

    def normalized(self, shape: tuple[int, int], form: BoxForm = "xyxy") -> Four:
        """
        Return the box as shares of the image's width and height.

        Args:
            shape: Height and width of the image in pixels.
            form: The order of the numbers.

        Raises:
            ArgumentError: If *form* is unknown or the image has no pixels.
        """
        if form not in ("xyxy", "xywh", "cxcywh"):
            reason = f"expected 'xyxy', 'xywh' or 'cxcywh', got {form!r}"
            raise ArgumentError("form", reason)
        height, width = shape
        if height < 1 or width < 1:
            raise ArgumentError("shape", f"expected a height and width, got {shape}")
        values: Four = getattr(self, form)
        a, b, c, d = values
        return a / width, b / height, c / width, d / height


def _four(values: Sequence[float]) -> Sequence[float]:
    try:
        count = len(values)
    except TypeError:
        raise ArgumentError("box", f"expected four numbers, got {values!r}") from None
    if count != 4 or isinstance(values, str):
        raise ArgumentError("box", f"expected four numbers, got {values!r}")
    return [_as_number(value) for value in values]
