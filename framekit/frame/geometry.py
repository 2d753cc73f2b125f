"""
The shapes an ROI can have, and how each is written as ClearML's flat ``poly``.

Which shape a ``poly`` is stands in the ROI's ``meta._type``, ClearML's own mark.
Coordinates are pixels, angles are radians.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import chain
from numbers import Real
from typing import Any, ClassVar, Final

from attrs import field, frozen

from framekit.errors import ArgumentError
from framekit.frame.values import as_numbers, as_tuple

__all__ = [
    "RING_SEPARATOR",
    "Box2D",
    "Box3D",
    "Ellipse2D",
    "Geometry",
    "KeyPoints2D",
    "KeyPoints3D",
    "Polygon2D",
    "Polygon3D",
    "geometry_of",
]

#: Separates the rings of a polygon inside a flat ``poly``.
RING_SEPARATOR: Final = -999999999

Number = int | float


def _as_rings(value: Any, argument: str, dimensions: int) -> tuple[Any, ...]:
    """
    Read points in any of ClearML's forms into rings of flat coordinates.

    Flat numbers, points, rings of flat numbers and rings of points are told
    apart by how deeply they are nested; separators split flat numbers.
    """
    items = _items(value, argument)
    if not items:
        raise ArgumentError(argument, "expected points, got an empty list")
    if isinstance(items[0], Real):
        return tuple(_split(as_numbers(items, argument=argument)))
    inner = [_items(item, argument) for item in items]
    points = all(len(item) == dimensions for item in inner)
    if points and all(isinstance(part, Real) for item in inner for part in item):
        return (as_numbers(chain(*inner), argument=argument),)
    rings = (_as_rings(item, argument, dimensions) for item in inner)
    return tuple(chain.from_iterable(rings))


def _items(value: Any, argument: str) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        reason = f"expected points like [(x, y), …], got {value!r}"
        raise ArgumentError(argument, reason)
    return list(value)


def _split(numbers: tuple[Number, ...]) -> list[tuple[Number, ...]]:
    rings: list[list[Number]] = [[]]
    for number in numbers:
        if number == RING_SEPARATOR:
            rings.append([])
        else:
            rings[-1].append(number)
    return [tuple(ring) for ring in rings if ring]


def _joined(rings: Iterable[tuple[Number, ...]]) -> tuple[Number, ...]:
    flat: list[Number] = []
    for ring in rings:
        if flat:
            flat.append(RING_SEPARATOR)
        flat.extend(ring)
    return tuple(flat)


def _check_rings(
    rings: tuple[tuple[Number, ...], ...], argument: str, dimensions: int, least: int
) -> None:
    axes = "xyz"[:dimensions]
    if not rings:
        raise ArgumentError(argument, "expected points, got none")
    for ring in rings:
        if len(ring) % dimensions:
            reason = f"expected {axes} coordinates, got {len(ring)} numbers"
            raise ArgumentError(argument, reason)
        if len(ring) < least * dimensions:
            found = len(ring) // dimensions
            reason = f"expected at least {least} point(s), got {found}"
            raise ArgumentError(argument, reason)


@frozen
class _Rings:
    kind: ClassVar[str]
    argument: ClassVar[str]
    dimensions: ClassVar[int]
    least: ClassVar[int]

    #: One tuple of flat coordinates for each ring.
    rings: tuple[tuple[Number, ...], ...] = field(converter=as_tuple)

    @classmethod
    def of(cls, value: Any) -> Any:
        """
        Read points, rings of points, or flat numbers.

        Raises:
            ArgumentError: If they are too few, or no numbers.
        """
        rings = _as_rings(value, cls.argument, cls.dimensions)
        _check_rings(rings, cls.argument, cls.dimensions, cls.least)
        return cls(rings)

    @classmethod
    def from_poly(cls, poly: tuple[Number, ...]) -> Any:
        """
        The inverse of :attr:`poly`.
        """
        return cls.of(poly)

    @property
    def poly(self) -> tuple[Number, ...]:
        """
        Flat coordinates, rings separated by -999999999.
        """
        return _joined(self.rings)


class Polygon2D(_Rings):
    """
    A polygon of one ring, or of several for holes and parts.
    """

    kind, argument, dimensions, least = "p2d", "poly2d_xy", 2, 3


class Polygon3D(_Rings):
    """
    A polygon in space.
    """

    kind, argument, dimensions, least = "p3d", "poly3d_xyz", 3, 3


class KeyPoints2D(_Rings):
    """
    Points in the picture.
    """

    kind, argument, dimensions, least = "k2d", "points2d_xy", 2, 1


class KeyPoints3D(_Rings):
    """
    Points in space.
    """

    kind, argument, dimensions, least = "k3d", "points3d_xyz", 3, 1


@frozen
class Box2D:
    """
    A rectangle, turned around its center by *angle*.

    It is written as its four corners, so that a reader that knows only polygons
    draws it right; the angle is read back from them.
    """

    kind: ClassVar[str] = "b2d"
    argument: ClassVar[str] = "box2d_xywh"

    #: Left and top before turning.
    x: Number
    y: Number
    width: Number
    height: Number
    angle: Number = 0

    @classmethod
    def of(cls, value: Any) -> Box2D:
        """
        Read ``(x, y, width, height)`` or ``(x, y, width, height, angle)``.

        Raises:
            ArgumentError: If it is neither, or has a negative side.
        """
        numbers = as_numbers(value, argument=cls.argument)
        if len(numbers) not in (4, 5):
            reason = (
                f"expected x, y, width, height and optionally an angle in radians, "
                f"got {len(numbers)} numbers"
            )
            raise ArgumentError(cls.argument, reason)
        if numbers[2] < 0 or numbers[3] < 0:
            reason = f"expected width and height of 0 or more, got {numbers[2:4]}"
            raise ArgumentError(cls.argument, reason)
        return cls(*numbers)

    @classmethod
    def from_poly(cls, poly: tuple[Number, ...]) -> Box2D:
        """
        Read four corners, or the four or five numbers of :meth:`of`.
        """
        if len(poly) != 8:
            return cls.of(poly)
        x0, y0, x1, y1, x2, y2, x3, y3 = poly
        if y0 == y1 and x1 == x2 and y2 == y3 and x3 == x0 and x1 >= x0 and y2 >= y0:
            return cls(x0, y0, x1 - x0, y2 - y0)
        width, height = math.dist((x0, y0), (x1, y1)), math.dist((x1, y1), (x2, y2))
        center_x, center_y = (x0 + x1 + x2 + x3) / 4, (y0 + y1 + y2 + y3) / 4
        if width >= height:
            angle = math.atan2(y1 - y0, x1 - x0)
        else:
            angle = math.atan2(x1 - x2, y2 - y1)
        turned = (center_x - width / 2, center_y - height / 2, width, height, angle)
        return cls(*(round(number, 9) for number in turned))

    @property
    def poly(self) -> tuple[Number, ...]:
        """
        The four corners, clockwise on the screen from the one that was top left.
        """
        x0, y0 = self.x, self.y
        x1, y1 = x0 + self.width, y0 + self.height
        corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        if not self.angle:
            return tuple(chain(*corners))
        center_x, center_y = x0 + self.width / 2, y0 + self.height / 2
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return tuple(
            chain.from_iterable(
                (
                    center_x + (x - center_x) * cosine - (y - center_y) * sine,
                    center_y + (x - center_x) * sine + (y - center_y) * cosine,
                )
                for x, y in corners
            )
        )


@frozen
class Ellipse2D:
    """
    An ellipse around a center, turned by *angle*.
    """

    kind: ClassVar[str] = "elp"
    argument: ClassVar[str] = "ellipse2d_xyrrt"

    x: Number
    y: Number
    radius_x: Number
    radius_y: Number
    angle: Number

    @classmethod
    def of(cls, value: Any) -> Ellipse2D:
        """
        Read ``(x, y, radius_x, radius_y, angle)``.

        Raises:
            ArgumentError: If it is not that.
        """
        numbers = as_numbers(value, argument=cls.argument)
        if len(numbers) != 5:
            reason = (
                f"expected x, y, two radii and an angle in radians, "
                f"got {len(numbers)} numbers"
            )
            raise ArgumentError(cls.argument, reason)
        if numbers[2] < 0 or numbers[3] < 0:
            reason = f"expected radii of 0 or more, got {numbers[2:4]}"
            raise ArgumentError(cls.argument, reason)
        return cls(*numbers)

    @classmethod
    def from_poly(cls, poly: tuple[Number, ...]) -> Ellipse2D:
        """
        The inverse of :attr:`poly`.
        """
        return cls.of(poly)

    @property
    def poly(self) -> tuple[Number, ...]:
        """
        The five numbers.
        """
        return self.x, self.y, self.radius_x, self.radius_y, self.angle


@frozen
class Box3D:
    """
    A box in space, as the rectangles of its front and its back.
    """

    kind: ClassVar[str] = "b3d"
    argument: ClassVar[str] = "box3d_xyzwhxyzwh"

    #: x, y, z, width, height.
    front: tuple[Number, ...]
    back: tuple[Number, ...]

    @classmethod
    def of(cls, value: Any) -> Box3D:
        """
        Read ten numbers: x, y, z, width, height of the front, then of the back.

        Raises:
            ArgumentError: If it is not that.
        """
        numbers = as_numbers(value, argument=cls.argument)
        if len(numbers) != 10:
            reason = (
                f"expected ten numbers (x, y, z, width, height, twice), "
                f"got {len(numbers)}"
            )
            raise ArgumentError(cls.argument, reason)
        return cls(numbers[:5], numbers[5:])

    @classmethod
    def from_poly(cls, poly: tuple[Number, ...]) -> Box3D:
        """
        The inverse of :attr:`poly`.
        """
        return cls.of(poly)

    @property
    def poly(self) -> tuple[Number, ...]:
        """
        The ten numbers.
        """
        return self.front + self.back


Geometry = Polygon2D | Polygon3D | KeyPoints2D | KeyPoints3D | Box2D | Ellipse2D | Box3D

_BY_KIND: Final[dict[str, type[Any]]] = {
    cls.kind: cls
    for cls in (
        Polygon2D,
        Polygon3D,
        KeyPoints2D,
        KeyPoints3D,
        Box2D,
        Ellipse2D,
        Box3D,
    )
}


def geometry_of(poly: tuple[Number, ...], kind: Any) -> Geometry | None:
    """
    The shape that a ``poly`` of ClearML's *kind* has; None if it has none.

    Without a kind a ``poly`` is a polygon, as ClearML's own viewer takes it.
    """
    cls = _BY_KIND.get(kind) if isinstance(kind, str) else Polygon2D
    if cls is None:
        return None
    try:
        shape: Geometry = cls.from_poly(poly)
    except ArgumentError:
        return None
    return shape
