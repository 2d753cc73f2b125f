"""
The street crossing of the sample data set, as its front and its rear camera see it.
"""

from __future__ import annotations

from crossing_canvas import (
    BUILDING,
    EGO,
    LIGHT,
    MARKING,
    POLE,
    ROAD,
    SIDEWALK,
    SIGN,
    SKY,
    VEGETATION,
    Brush,
    Canvas,
    Color,
)
from crossing_objects import (
    GLASS,
    LEAVES,
    draw_bicyclist,
    draw_car,
    draw_car_front,
    draw_clouds,
    draw_facade,
    draw_person,
    draw_signal,
    draw_tree,
)

FRAMES = 24
FRONT_SIZE = (640, 360)
REAR_SIZE = (480, 270)

ASPHALT: Color = (92, 93, 97)
PAVING: Color = (158, 152, 143)
WHITE: Color = (226, 226, 220)
STEEL: Color = (70, 74, 78)


def draw_front(index: int) -> Canvas:
    """
    What the front camera sees: the car waits, turned right a little every frame.
    """
    canvas = Canvas(FRONT_SIZE, label=SKY, pan=index)
    draw_clouds(canvas, [(90, 34, 70), (330, 52, 54), (560, 26, 84)])
    _far_street(canvas)
    _far_corners(canvas)
    _ground(canvas)
    _traffic(canvas, index)
    _people(canvas, index)
    _street_furniture(canvas)

    canvas.pan = 0  # The hood turns with the camera.
    canvas.ellipse(320, 432, 330, 96, Brush(EGO, (34, 40, 56)))
    canvas.ellipse(320, 446, 300, 96, Brush(None, (44, 52, 72)))
    canvas.rect(316, 352, 324, 360, Brush(EGO, (24, 28, 38)))
    return canvas


def draw_rear(index: int) -> Canvas:
    """
    What the rear camera sees: the street behind, and who follows.
    """
    canvas = Canvas(REAR_SIZE, label=SKY)
    draw_clouds(canvas, [(70, 30, 60), (300, 22, 70)])
    _rear_street(canvas)
    _rear_sides(canvas)
    _rear_traffic(canvas, index)
    canvas.polygon(
        [(0, 258), (70, 247), (410, 247), (480, 258), (480, 270), (0, 270)],
        Brush(EGO, (36, 42, 58)),
    )
    return canvas


def _ground_x(lane: int, y: int) -> int:
    # All lines along the street meet in the front camera's vanishing point.
    return 330 + lane * (y - 150) // 100


def _far_street(canvas: Canvas) -> None:
    canvas.rect(-10, 150, 680, 190, Brush(SIDEWALK, PAVING))
    canvas.polygon(
        [(250, 190), (410, 190), (338, 150), (322, 150)], Brush(ROAD, ASPHALT)
    )
    for top, bottom in ((153, 156), (159, 163), (168, 174)):
        canvas.rect(329, top, 331, bottom, Brush(MARKING, WHITE))
    # Houses and a tree at the end of the street close the view.
    canvas.rect(296, 132, 366, 151, Brush(BUILDING, (170, 160, 156)))
    canvas.rect(318, 126, 336, 151, Brush(BUILDING, (150, 140, 140)))
    canvas.ellipse(352, 144, 9, 7, Brush(VEGETATION, LEAVES[2]))
    canvas.ellipse(304, 145, 8, 6, Brush(VEGETATION, LEAVES[0]))
    _side_wall(canvas, near=212, far=304, top=36, far_top=124, paint=(160, 120, 98))
    _side_wall(canvas, near=452, far=358, top=20, far_top=120, paint=(128, 126, 136))


def _side_wall(
    canvas: Canvas, *, near: int, far: int, top: int, far_top: int, paint: Color
) -> None:
    canvas.polygon(
        [(near, top), (far, far_top), (far, 154), (near, 180)], Brush(BUILDING, paint)
    )
    steps = 8
    for floor in range(4):
        for step in range(1, steps - 1):
            corners = []
            for along, level in ((0, 0), (5, 0), (5, 5), (0, 5)):
                # Window rows narrow with the wall, from 0 at *near* to 80 at *far*.
                share = 10 * step + along
                x = near + (far - near) * share // 80
                high = top + (far_top - top) * share // 80
                low = 180 + (154 - 180) * share // 80
                corners.append(
                    (x, high + (low - high) * (10 * floor + level + 2) // 44)
                )
            canvas.polygon(corners, Brush(None, GLASS))


def _far_corners(canvas: Canvas) -> None:
    draw_facade(canvas, (-10, 58, 96, 180), (196, 172, 134), windows=(5, 5))
    draw_facade(canvas, (96, 36, 212, 180), (178, 132, 108), windows=(6, 6))
    draw_facade(canvas, (452, 20, 574, 180), (146, 144, 152), windows=(7, 7))
    draw_facade(canvas, (574, 66, 690, 180), (204, 188, 160), windows=(5, 4))


def _ground(canvas: Canvas) -> None:
    canvas.rect(-10, 190, 690, 360, Brush(ROAD, ASPHALT))
    canvas.rect(-10, 187, 250, 190, Brush(SIDEWALK, (186, 182, 174)))
    canvas.rect(410, 187, 690, 190, Brush(SIDEWALK, (186, 182, 174)))
    for stripe in range(9):
        x = 262 + 16 * stripe
        canvas.rect(x, 185, x + 8, 188, Brush(MARKING, WHITE))
    for dash in range(18):
        canvas.rect(40 * dash - 6, 211, 40 * dash + 14, 213, Brush(MARKING, WHITE))
    for side in (-1, 1):
        # The near corners, left and right of the own street, with a curb.
        corner = [(330 + side * x, y) for x, y in ((700, 243), (182, 243), (168, 249))]
        edge = [(_ground_x(side * 172, y), y) for y in (250, 360)]
        outside = (330 + side * 700, 360)
        canvas.polygon([*corner, *edge, outside], Brush(SIDEWALK, PAVING))
        curb = [(_ground_x(side * 172, 250), 250), (_ground_x(side * 172, 360), 360)]
        canvas.line(curb[0], curb[1], 4, Brush(None, (196, 192, 184)))
    for lane in range(-154, 160, 36):
        rows = ((lane, 246), (lane + 18, 246), (lane + 18, 272), (lane, 272))
        canvas.polygon([(_ground_x(k, y), y) for k, y in rows], Brush(MARKING, WHITE))
    stop = ((-46, 282), (162, 282), (162, 288), (-46, 288))
    canvas.polygon([(_ground_x(k, y), y) for k, y in stop], Brush(MARKING, WHITE))
    middle = ((-57, 284), (-53, 284), (-53, 360), (-57, 360))
    canvas.polygon([(_ground_x(k, y), y) for k, y in middle], Brush(MARKING, WHITE))


def _traffic(canvas: Canvas, index: int) -> None:
    # Two parked cars touch: one blob of "car", two objects.
    draw_car(canvas, 468, 199, 64, (150, 36, 40), 1)
    draw_car(canvas, 529, 199, 66, (52, 84, 138), 2)
    draw_car_front(canvas, 296, 190, 26, (206, 206, 202), 3)
    draw_car(canvas, 300 - 7 * index, 209, 84, (222, 222, 224), 4, left=True)
    draw_car(canvas, 110 + 5 * index, 239, 118, (196, 150, 40), 5)
    draw_car(canvas, -190 + 7 * index, 241, 122, (40, 96, 84), 6)


def _people(canvas: Canvas, index: int) -> None:
    draw_person(canvas, 236 - index // 3, 189, 16, index, (140, 60, 60), 9)
    draw_person(canvas, 432 + index // 3, 188, 15, index + 4, (60, 70, 120), 10)
    draw_bicyclist(canvas, 560 - 4 * index, 243, 62, (40, 120, 190), 12)
    draw_person(canvas, 352 + index, 268, 74, index, (178, 44, 52), 7)
    draw_person(canvas, 372 + index, 267, 48, index + 5, (236, 190, 60), 8)
    draw_person(canvas, 574, 272, 72, 0, (66, 92, 66), 11)


def _street_furniture(canvas: Canvas) -> None:
    steel = Brush(POLE, STEEL)
    for x, top in ((256, 128), (408, 126)):
        canvas.rect(x, top, x + 1, 188, steel)
        canvas.rect(x - 1, top, x + 2, top + 8, Brush(LIGHT, (40, 40, 40)))
        canvas.rect(x, top + 1, x + 1, top + 3, Brush(None, (240, 60, 40)))
    for x in (30, 166, 640):
        canvas.rect(x, 92, x + 2, 186, steel)
        canvas.rect(x, 92, x + 14, 93, steel)
    draw_tree(canvas, 128, 188, 62, seed=3)
    draw_tree(canvas, 620, 189, 58, seed=8)
    draw_tree(canvas, 52, 189, 48, seed=5)

    canvas.rect(530, 40, 533, 268, steel)
    canvas.rect(432, 44, 532, 46, steel)
    draw_signal(canvas, 436, 42, 12, 32)
    draw_signal(canvas, 526, 128, 11, 29)
    canvas.rect(101, 118, 104, 276, steel)
    draw_signal(canvas, 97, 114, 11, 30)
    canvas.rect(600, 150, 602, 288, steel)
    canvas.ellipse(601, 148, 12, 12, Brush(SIGN, (236, 236, 236)))
    canvas.ellipse(601, 148, 10, 10, Brush(SIGN, (40, 84, 170)))
    canvas.polygon([(601, 141), (606, 150), (596, 150)], Brush(None, WHITE))


def _rear_street(canvas: Canvas) -> None:
    canvas.rect(0, 112, 480, 270, Brush(SIDEWALK, PAVING))
    canvas.polygon(
        [(228, 112), (252, 112), (470, 270), (10, 270)], Brush(ROAD, ASPHALT)
    )
    for top, bottom, half in (
        (116, 119, 1),
        (124, 130, 1),
        (140, 152, 2),
        (172, 200, 3),
    ):
        canvas.rect(240 - half, top, 240 + half, bottom, Brush(MARKING, WHITE))
    for side in (-1, 1):
        edge = [(240 + side * 10, 112), (240 + side * 214, 270)]
        canvas.line(edge[0], edge[1], 2, Brush(MARKING, WHITE))


def _rear_sides(canvas: Canvas) -> None:
    canvas.rect(200, 96, 280, 113, Brush(BUILDING, (160, 150, 150)))
    for side, walls in ((-1, ((200, 132, 10), (128, 70, 40))), (1, ((196, 110, 24),))):
        for near, far, top in walls:
            _rear_wall(canvas, side, near, far, top)
    draw_facade(canvas, (0, 6, 44, 180), (186, 150, 120), windows=(2, 5))
    draw_facade(canvas, (436, 30, 480, 186), (150, 152, 160), windows=(2, 4))
    draw_tree(canvas, 318, 136, 34, seed=4)
    draw_tree(canvas, 340, 152, 52, seed=6)
    draw_tree(canvas, 168, 136, 30, seed=2)
    for x, top, base, wide in ((282, 84, 124, 1), (382, 48, 178, 2), (98, 30, 182, 2)):
        canvas.rect(x, top, x + wide, base, Brush(POLE, STEEL))
    canvas.rect(368, 48, 384, 49, Brush(POLE, STEEL))
    draw_signal(canvas, 95, 62, 8, 21)
    canvas.rect(422, 96, 424, 200, Brush(POLE, STEEL))
    canvas.rect(412, 82, 434, 98, Brush(SIGN, (232, 232, 228)))
    canvas.rect(414, 84, 432, 96, Brush(None, (36, 110, 66)))


def _rear_wall(canvas: Canvas, side: int, near: int, far: int, top: int) -> None:
    paint = ((168, 128, 104), (190, 174, 142))[(near // 4) % 2]
    base_near, base_far = 112 + near * 70 // 200, 112 + far * 70 // 200
    far_top = top + (112 - top) * (near - far) // near
    corners = [(near, top), (far, far_top), (far, base_far), (near, base_near)]
    canvas.polygon([(240 + side * x, y) for x, y in corners], Brush(BUILDING, paint))
    for floor in range(4):
        for step in range(5):
            window = []
            for along, level in ((0, 0), (5, 0), (5, 5), (0, 5)):
                share = 10 * step + along + 3
                x = near + (far - near) * share // 52
                high = top + (far_top - top) * share // 52
                low = base_near + (base_far - base_near) * share // 52
                y = high + (low - high) * (10 * floor + level + 3) // 44
                window.append((240 + side * x, y))
            canvas.polygon(window, Brush(None, GLASS))


def _rear_traffic(canvas: Canvas, index: int) -> None:
    draw_person(canvas, 134 - index // 4, 172, 34, index, (120, 80, 140), 0)
    draw_person(canvas, 404, 206 + index // 6, 52, index + 3, (60, 110, 150), 0)
    draw_car_front(canvas, 312, 152, 36, (150, 40, 44), 0)
    draw_car_front(canvas, 344, 176, 54, (60, 90, 150), 0)
    draw_bicyclist(canvas, 276 + index, 176, 44, (200, 80, 40), 0)
    draw_car_front(
        canvas, 196 - index // 3, 196 + index, 84 + index, (206, 208, 212), 0
    )
