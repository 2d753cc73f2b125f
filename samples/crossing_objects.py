"""
What stands and moves on a street, drawn at any place and size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap

from crossing_canvas import (
    BICYCLIST,
    BUILDING,
    CAR,
    LIGHT,
    PERSON,
    VEGETATION,
    Brush,
    Canvas,
    Color,
    Point,
)

GLASS: Color = (52, 66, 80)
RUBBER: Color = (28, 28, 30)
SKIN: Color = (214, 166, 138)
LEAVES: tuple[Color, ...] = ((58, 104, 44), (72, 122, 50), (48, 90, 42), (86, 136, 60))


def draw_car(
    canvas: Canvas,
    x: int,
    base: int,
    length: int,
    paint: Color,
    instance: int,
    *,
    left: bool = False,
) -> None:
    """
    Draw a car from the side, *length* pixels long, its wheels down to row *base*.
    """
    body = Brush(CAR, paint, instance)

    def place(along: int, height: int) -> Point:
        along = 100 - along if left else along
        return x + along * length // 100, base - height * length // 100

    def shape(points: Sequence[Point], brush: Brush) -> None:
        canvas.polygon(list(starmap(place, points)), brush)

    canvas.ellipse(x + length // 2, base - 1, length // 2, 3, Brush(None, (58, 58, 62)))
    shape(
        ((0, 6), (0, 20), (14, 23), (29, 36), (62, 36), (78, 23), (97, 20), (100, 6)),
        body,
    )
    shape(((0, 6), (0, 10), (100, 10), (100, 6)), Brush(None, _darker(paint, 70)))
    shape(((20, 24), (31, 33), (45, 33), (45, 24)), Brush(None, GLASS))
    shape(((48, 24), (48, 33), (61, 33), (73, 24)), Brush(None, GLASS))
    shape(((96, 15), (96, 19), (99, 19), (99, 15)), Brush(None, (250, 240, 190)))
    shape(((0, 15), (0, 19), (3, 19), (3, 15)), Brush(None, (200, 40, 40)))
    radius = max(2, length * 9 // 100)
    for along in (20, 80):
        wheel_x, _ = place(along, 0)
        tire = Brush(CAR, RUBBER, instance)
        canvas.ellipse(wheel_x, base - radius, radius, radius, tire)
        hub = max(1, radius // 2)
        canvas.ellipse(wheel_x, base - radius, hub, hub, Brush(None, (150, 152, 156)))


def draw_car_front(
    canvas: Canvas, x: int, base: int, width: int, paint: Color, instance: int
) -> None:
    """
    Draw a car from the front, *width* pixels wide, around column *x*.
    """

    def box(x0: int, y0: int, x1: int, y1: int, brush: Brush) -> None:
        across = [x + v * width // 100 for v in (x0, x1)]
        down = [base - v * width // 100 for v in (y0, y1)]
        canvas.rect(across[0], down[0], across[1], down[1], brush)

    def place(points: Sequence[Point]) -> list[Point]:
        return [(x + u * width // 100, base - v * width // 100) for u, v in points]

    body = Brush(CAR, paint, instance)
    canvas.ellipse(x, base - 1, width * 54 // 100, 3, Brush(None, (58, 58, 62)))
    for side in (-46, 30):
        box(side, 14, side + 16, 0, Brush(CAR, RUBBER, instance))
    left = ((-50, 8), (-50, 40), (-42, 48), (-32, 78))
    right = [(-u, v) for u, v in reversed(left)]
    canvas.polygon(place([*left, *right]), body)
    canvas.polygon(
        place(((-36, 50), (-28, 73), (28, 73), (36, 50))), Brush(None, GLASS)
    )
    box(-26, 34, 26, 24, Brush(None, (44, 46, 50)))
    box(-48, 36, -32, 28, Brush(None, (250, 244, 210)))
    box(32, 36, 48, 28, Brush(None, (250, 244, 210)))
    box(-12, 20, 12, 14, Brush(None, (236, 236, 230)))
    box(-50, 13, 50, 8, Brush(None, _darker(paint, 60)))


def draw_person(
    canvas: Canvas,
    x: int,
    base: int,
    height: int,
    step: int,
    paint: Color,
    instance: int,
) -> None:
    """
    Draw a person who walks; *step* counts frames, a stride takes eight.
    """

    def place(points: Sequence[Point]) -> list[Point]:
        return [(x + u * height // 100, base - v * height // 100) for u, v in points]

    # Legs open and close once in eight frames.
    swing = (2, 6, 10, 13, 13, 10, 6, 2)[step % 8]
    coat = Brush(PERSON, paint, instance)
    cloth = Brush(PERSON, (46, 50, 70), instance)
    thick = max(1, height * 7 // 100)
    canvas.ellipse(x, base, height // 5, 2, Brush(None, (62, 62, 64)))
    for side in (-1, 1):
        foot = side * swing
        leg = ((side * 5 - 5, 48), (side * 5 + 5, 48), (foot + 4, 0), (foot - 5, 0))
        canvas.polygon(place(leg), cloth)
        shoulder, hand = place(((side * 9, 78), (side * (11 + swing // 2), 44)))
        canvas.line(shoulder, hand, thick, coat)
    canvas.polygon(place(((-11, 82), (11, 82), (10, 46), (-10, 46))), coat)
    head = max(1, height * 8 // 100)
    skin = Brush(PERSON, SKIN, instance)
    canvas.ellipse(x, base - height * 91 // 100, head, head + head // 4, skin)
    hair = Brush(PERSON, (60, 42, 32), instance)
    canvas.ellipse(x, base - height * 95 // 100, head, max(1, head * 3 // 4), hair)


def draw_bicyclist(
    canvas: Canvas, x: int, base: int, height: int, paint: Color, instance: int
) -> None:
    """
    Draw a bicyclist who rides left; the street is seen through wheels and frame.
    """

    def at(u: int, v: int) -> Point:
        return x + u * height // 100, base - v * height // 100

    frame = Brush(BICYCLIST, (30, 30, 34), instance)
    radius = height * 20 // 100
    for along in (-30, 30):
        hub_x, hub_y = at(along, 20)
        canvas.ring(hub_x, hub_y, radius, 2 if height > 50 else 1, frame)
    for start, end in (
        ((-30, 20), (-18, 44)),
        ((-18, 44), (12, 44)),
        ((12, 44), (0, 22)),
        ((0, 22), (-18, 44)),
        ((0, 22), (30, 20)),
        ((12, 44), (30, 20)),
        ((-18, 44), (-20, 54)),
    ):
        canvas.line(at(*start), at(*end), 1, frame)
    trousers = Brush(BICYCLIST, (52, 54, 76), instance)
    jacket = Brush(BICYCLIST, paint, instance)
    limb = max(2, height * 6 // 100)
    canvas.line(at(12, 54), at(-4, 40), limb, trousers)
    canvas.line(at(-4, 40), at(2, 18), limb, trousers)
    canvas.polygon([at(6, 50), at(18, 54), at(2, 82), at(-8, 78)], jacket)
    canvas.line(at(-4, 76), at(-20, 54), limb, jacket)
    head_x, head_y = at(-6, 90)
    head = max(2, height * 8 // 100)
    canvas.ellipse(head_x, head_y, head, head, Brush(BICYCLIST, SKIN, instance))
    helmet = Brush(BICYCLIST, (220, 220, 70), instance)
    canvas.ellipse(head_x, head_y - head // 2, head, max(1, head // 2), helmet)


def draw_tree(canvas: Canvas, x: int, base: int, size: int, *, seed: int) -> None:
    """
    Draw a tree; *seed* decides where its leaves are.
    """
    trunk = max(2, size // 12)
    canvas.rect(x, base - size, x + trunk, base, Brush(VEGETATION, (84, 66, 50)))
    value = seed
    for blob in range(14):
        # A small generator of our own: its numbers may never change.
        value = (value * 1103515245 + 12345) % 2**31
        dx = (value >> 8) % size - size // 2
        dy = (value >> 18) % (size * 3 // 4)
        leaves = Brush(VEGETATION, LEAVES[blob % len(LEAVES)])
        radius = size // 5 + blob % 3
        canvas.ellipse(x + dx * 3 // 4, base - size // 2 - dy, radius, radius, leaves)


def draw_signal(canvas: Canvas, x: int, y: int, width: int, height: int) -> None:
    """
    Draw the box of a traffic light that shows red.
    """
    canvas.rect(x, y, x + width, y + height, Brush(LIGHT, (34, 36, 38)))
    radius = max(1, width * 3 // 10)
    lamps = ((236, 52, 40), (74, 62, 36), (36, 66, 44))
    for place, paint in zip((1, 3, 5), lamps, strict=True):
        lamp = Brush(None, paint)
        canvas.ellipse(x + width // 2, y + height * place // 6, radius, radius, lamp)


def draw_facade(
    canvas: Canvas, box: tuple[int, int, int, int], paint: Color, *, windows: Point
) -> None:
    """
    Draw a house front: *windows* (across, floors) above shops.
    """
    x0, y0, x1, y1 = box
    canvas.rect(x0, y0, x1, y1, Brush(BUILDING, paint))
    canvas.rect(x0, y0, x1, y0 + 4, Brush(None, _darker(paint, 70)))
    across, floors = windows
    for column in range(across):
        for floor in range(floors):
            x = x0 + (x1 - x0) * (2 * column + 1) // (2 * across)
            y = y0 + 10 + (y1 - y0 - 34) * floor // floors
            wide, high = (x1 - x0) // (5 * across), (y1 - y0 - 34) // (2 * floors)
            lit = (column * 7 + floor * 3) % 5 == 0
            glass = (196, 186, 140) if lit else GLASS
            canvas.rect(x - wide, y, x + wide, y + high, Brush(None, glass))
    # The ground floor is shops.
    canvas.rect(x0 + 4, y1 - 20, x1 - 4, y1 - 4, Brush(None, (64, 72, 84)))
    canvas.rect(x0 + 2, y1 - 25, x1 - 2, y1 - 20, Brush(None, (150, 58, 48)))


def draw_clouds(canvas: Canvas, places: Sequence[tuple[int, int, int]]) -> None:
    """
    Draw clouds; in the labels they are sky.
    """
    for x, y, size in places:
        for dx, dy, grow in ((-40, 3, 50), (0, 0, 70), (45, 4, 45)):
            canvas.ellipse(
                x + dx * size // 80,
                y + dy,
                size * grow // 80,
                size * grow // 500 + 3,
                Brush(None, (196, 212, 232)),
            )


def _darker(paint: Color, percent: int) -> Color:
    red, green, blue = (value * percent // 100 for value in paint)
    return red, green, blue
