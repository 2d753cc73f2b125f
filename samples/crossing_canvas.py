"""
Shapes that are drawn as labels and as a picture at once, with integer arithmetic.

Each shape goes into three arrays: the class of a pixel, the object it belongs to, and
the paint the picture is made of. Shapes are filled here rather than by an imaging
library because rasterizers differ between versions, and the labels have to come out
bit for bit the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Color = tuple[int, int, int]
Point = tuple[int, int]

#: Label and mask color of each class; its position is its index in the label arrays.
CLASSES: tuple[tuple[str, Color], ...] = (
    ("ego vehicle", (0, 0, 0)),
    ("sky", (70, 130, 220)),
    ("building", (72, 191, 65)),
    ("vegetation", (20, 100, 60)),
    ("road", (197, 135, 146)),
    ("sidewalk", (135, 198, 145)),
    ("lane marking", (250, 250, 250)),
    ("pole", (100, 80, 90)),
    ("traffic light", (250, 140, 20)),
    ("traffic sign", (245, 235, 40)),
    ("car", (210, 210, 120)),
    ("person", (147, 44, 209)),
    ("bicyclist", (220, 30, 70)),
)

#: Id, label and mask color of each object of the front camera, from index 1 on;
#: index 0 is everything that is no object.
INSTANCES: tuple[tuple[str, str, Color], ...] = (
    ("car-1", "car", (230, 60, 60)),
    ("car-2", "car", (60, 200, 90)),
    ("car-3", "car", (70, 90, 235)),
    ("car-4", "car", (240, 200, 40)),
    ("car-5", "car", (60, 210, 220)),
    ("car-6", "car", (150, 90, 30)),
    ("person-1", "person", (225, 80, 225)),
    ("person-2", "person", (245, 140, 90)),
    ("person-3", "person", (120, 120, 130)),
    ("person-4", "person", (175, 240, 150)),
    ("person-5", "person", (20, 100, 110)),
    ("bicyclist-1", "bicyclist", (250, 250, 250)),
)
BACKGROUND: Color = (0, 0, 0)

EGO, SKY, BUILDING, VEGETATION, ROAD, SIDEWALK, MARKING = range(7)
POLE, LIGHT, SIGN, CAR, PERSON, BICYCLIST = range(7, 13)

#: The picture where nothing was drawn.
OPEN_SKY: Color = (150, 186, 226)


@dataclass(frozen=True)
class Brush:
    """
    What a shape is, and what it looks like.
    """

    #: None draws into the picture only: windows, wheels, shadows.
    label: int | None
    paint: Color
    instance: int = 0


class Canvas:
    """
    Labels, objects and paint of one frame.

    All of it is *label* at first. *pan* turns the camera right, in pixels.
    """

    def __init__(self, size: tuple[int, int], *, label: int, pan: int = 0) -> None:
        width, height = size
        self.width = width
        self.height = height
        self.pan = pan
        self.labels = np.full((height, width), label, np.uint8)
        self.instances = np.zeros((height, width), np.uint8)
        self.paint = np.full((height, width, 3), OPEN_SKY, np.uint8)

    def rect(self, x0: int, y0: int, x1: int, y1: int, brush: Brush) -> None:
        """
        Fill columns *x0* to *x1* and rows *y0* to *y1*, ends excluded.
        """
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], brush)

    def polygon(self, points: Sequence[Point], brush: Brush) -> None:
        """
        Fill the pixels whose center is inside, by the even-odd rule.
        """
        xs, ys, box = self._centers(points)
        inside = np.zeros((ys.size, xs.size), bool)
        for edge in zip(points, [*points[1:], points[0]], strict=True):
            (x0, y0), (x1, y1) = sorted(edge, key=itemgetter(1))
            # Doubled coordinates keep pixel centers, at half a pixel, integers.
            beside = (ys - 2 * y0) * (x1 - x0) - (xs - 2 * x0) * (y1 - y0) > 0
            inside ^= (2 * y0 <= ys) & (ys < 2 * y1) & beside
        self._fill(box, inside, brush)

    def ellipse(self, cx: int, cy: int, rx: int, ry: int, brush: Brush) -> None:
        """
        Fill an ellipse around the pixel corner (*cx*, *cy*).
        """
        xs, ys, box = self._centers([(cx - rx, cy - ry), (cx + rx, cy + ry)])
        far = ((xs - 2 * cx) * ry) ** 2 + ((ys - 2 * cy) * rx) ** 2
        self._fill(box, far <= (2 * rx * ry) ** 2, brush)

    def ring(self, cx: int, cy: int, radius: int, width: int, brush: Brush) -> None:
        """
        Draw a circle line of *width* pixels; what is inside it stays.
        """
        xs, ys, box = self._centers(
            [(cx - radius, cy - radius), (cx + radius, cy + radius)]
        )
        far = (xs - 2 * cx) ** 2 + (ys - 2 * cy) ** 2
        inside = (far <= (2 * radius) ** 2) & (far > (2 * (radius - width)) ** 2)
        self._fill(box, inside, brush)

    def line(self, start: Point, end: Point, width: int, brush: Brush) -> None:
        """
        Draw a straight line *width* pixels thick, across its main direction.
        """
        (x0, y0), (x1, y1) = start, end
        if abs(x1 - x0) >= abs(y1 - y0):
            corners = [(x0, y0), (x1, y1), (x1, y1 + width), (x0, y0 + width)]
        else:
            corners = [(x0, y0), (x0 + width, y0), (x1 + width, y1), (x1, y1)]
        self.polygon(corners, brush)

    def _centers(self, points: Sequence[Point]) -> tuple[Array, Array, Any]:
        columns = [x - self.pan for x, _ in points]
        rows = [y for _, y in points]
        left, right = max(min(columns), 0), min(max(columns), self.width)
        top, bottom = max(min(rows), 0), min(max(rows), self.height)
        right, bottom = max(left, right), max(top, bottom)
        xs = 2 * (np.arange(left, right, dtype=np.int64) + self.pan) + 1
        ys = 2 * np.arange(top, bottom, dtype=np.int64)[:, None] + 1
        return xs, ys, np.s_[top:bottom, left:right]

    def _fill(self, box: Any, inside: Array, brush: Brush) -> None:
        self.paint[box][inside] = brush.paint
        if brush.label is not None:
            self.labels[box][inside] = brush.label
            self.instances[box][inside] = brush.instance
