"""
Label maps drawn for tests and measurements, and real ones.

Every generator is a pure function of its arguments: the same seed draws the same
scene on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from framekit.palette import Palette
from tests.clips import encode, paint

Colors = tuple[tuple[int, int, int], ...]
Ids = NDArray[np.uint8]

#: Real masks; not part of the project.
CAMVID = Path(__file__).parents[2] / "shared" / "data" / "camvid"

#: The page's six colors and three more.
PAL9: Colors = (
    (0, 0, 0),
    (210, 210, 120),
    (147, 44, 209),
    (197, 135, 146),
    (135, 198, 145),
    (72, 191, 65),
    (230, 60, 60),
    (40, 90, 220),
    (240, 240, 240),
)

#: The colors of the Cityscapes training classes, and black.
CITY20: Colors = (
    (128, 64, 128),
    (244, 35, 232),
    (70, 70, 70),
    (102, 102, 156),
    (190, 153, 153),
    (153, 153, 153),
    (250, 170, 30),
    (220, 220, 0),
    (107, 142, 35),
    (152, 251, 152),
    (70, 130, 180),
    (220, 20, 60),
    (255, 0, 0),
    (0, 0, 142),
    (0, 0, 70),
    (0, 60, 100),
    (0, 80, 100),
    (0, 0, 230),
    (119, 11, 32),
    (0, 0, 0),
)


def _voc(count: int) -> Colors:
    """
    The first colors of the VOC color map: the bits of the id, dealt to R, G and B.
    """
    colors = []
    for number in range(count):
        rgb = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                rgb[channel] |= (number >> (3 * bit + channel) & 1) << (7 - bit)
        colors.append((rgb[0], rgb[1], rgb[2]))
    return tuple(colors)


def _random(count: int, seed: int, closest: float) -> Colors:
    """
    Random colors, none closer to another than *closest*.
    """
    rng = np.random.default_rng(seed)
    colors: list[NDArray[np.int64]] = []
    while len(colors) < count:
        color = rng.integers(0, 256, 3)
        if all(np.sqrt(((color - other) ** 2).sum()) >= closest for other in colors):
            colors.append(color)
    return tuple((int(r), int(g), int(b)) for r, g, b in colors)


VOC21 = _voc(21)

RAND50 = _random(50, seed=5, closest=14.0)

PALETTES = {"pal9": PAL9, "city20": CITY20, "voc21": VOC21, "rand50": RAND50}


def shapes(
    classes: int, *, width: int, height: int, frames: int, seed: int
) -> Iterator[Ids]:
    """
    26 moving ellipses, polygons, boxes, 1-4 px poles and specks over wavy bands.
    """
    rng = np.random.default_rng(seed)
    bands = rng.integers(0, classes, 4)
    edges = np.sort(rng.uniform(0.15, 0.95, 3))
    waves = rng.uniform((0.01, 0.005, 0), (0.04, 0.03, 6.3), (3, 3))
    scale = min(width, height) / 360
    things: list[dict[str, Any]] = [
        {
            "kind": ("ellipse", "polygon", "box", "pole", "speck")[number % 5],
            "label": int(rng.integers(0, classes)),
            "at": rng.uniform((0, 0), (width, height)),
            "speed": rng.uniform(-4, 4, 2) * scale,
            "size": rng.uniform(12, 70, 2) * scale,
            "thin": int(rng.integers(1, 5)),
            "dot": int(rng.integers(2, 10)),
            "corners": np.sort(rng.uniform(0, 2 * np.pi, 6)),
            "turn": rng.uniform(-0.06, 0.06),
        }
        for number in range(26)
    ]
    x = np.arange(width)
    for time in range(frames):
        ids = np.full((height, width), bands[0], np.uint8)
        for edge, (rise, pitch, phase), label in zip(
            edges, waves, bands[1:], strict=True
        ):
            line = height * (edge + rise * np.sin(pitch * x / scale + phase + time / 9))
            ids[np.arange(height)[:, None] >= line] = label
        image = Image.fromarray(ids)
        draw = ImageDraw.Draw(image)
        for thing in things:
            cx, cy = np.floor((thing["at"] + thing["speed"] * time) % (width, height))
            a, b = thing["size"]
            label = thing["label"]
            if thing["kind"] == "ellipse":
                draw.ellipse((cx - a, cy - b, cx + a, cy + b), fill=label)
            elif thing["kind"] == "polygon":
                angles = thing["corners"] + thing["turn"] * time
                points = [(cx + a * np.cos(t), cy + b * np.sin(t)) for t in angles]
                draw.polygon(points, fill=label)
            elif thing["kind"] == "box":
                draw.rectangle((cx - a, cy - b, cx + a, cy + b), fill=label)
            elif thing["kind"] == "pole":
                draw.rectangle((cx, cy - 2 * b, cx + thing["thin"] - 1, cy), fill=label)
            else:
                size = thing["dot"] - 1
                draw.rectangle((cx, cy, cx + size, cy + size), fill=label)
        yield np.asarray(image).copy()


def voronoi(
    classes: int, *, width: int, height: int, frames: int, seed: int, cells: int = 90
) -> Iterator[Ids]:
    """
    Dense moving Voronoi cells.
    """
    rng = np.random.default_rng(seed)
    at = rng.uniform((0, 0), (width, height), (cells, 2))
    speed = rng.uniform(-2, 2, (cells, 2))
    labels = rng.integers(0, classes, cells).astype(np.uint8)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for time in range(frames):
        best = np.full((height, width), np.inf, np.float32)
        ids = np.zeros((height, width), np.uint8)
        for (cx, cy), label in zip(
            (at + speed * time) % (width, height), labels, strict=True
        ):
            distance = (x - np.float32(cx)) ** 2 + (y - np.float32(cy)) ** 2
            closer = distance < best
            best[closer] = distance[closer]
            ids[closer] = label
        yield ids


def thin(
    classes: int, *, width: int, height: int, frames: int, seed: int
) -> Iterator[Ids]:
    """
    Adversarial: 70 moving lines of 1-3 px and 60 dots over two bands.
    """
    rng = np.random.default_rng(seed)
    lines = rng.uniform((0, 0, 0, 0), (width, height, width, height), (70, 4))
    dots = rng.uniform((0, 0), (width, height), (60, 2))
    labels = rng.integers(0, classes, 132)
    widths = rng.integers(1, 4, 130)
    speed = rng.uniform(-3, 3, (130, 2))
    for time in range(frames):
        image = Image.new("L", (width, height), int(labels[130]))
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, height // 2, width, height), fill=int(labels[131]))
        for number, line in enumerate(lines):
            shift = np.tile(speed[number] * time, 2)
            draw.line(tuple(line + shift), int(labels[number]), int(widths[number]))
        for number, dot in enumerate(dots, 70):
            cx, cy = np.floor((dot + speed[number] * time) % (width, height))
            size = int(widths[number])
            draw.rectangle((cx, cy, cx + size, cy + size), fill=int(labels[number]))
        yield np.asarray(image).copy()


SCENES = {"shapes": shapes, "voronoi": voronoi, "thin": thin}


def draw(
    kind: str, classes: int, *, seed: int, frames: int, size: tuple[int, int]
) -> list[Ids]:
    """
    The label maps of a scene of *kind*; *size* is width and height.
    """
    width, height = size
    scene = SCENES[kind]
    return list(scene(classes, width=width, height=height, frames=frames, seed=seed))


def camvid() -> tuple[list[Ids], Colors]:
    """
    Twelve label maps of real streets, and their palette.
    """
    rows = json.loads((CAMVID / "table.json").read_text())
    colors: Colors = tuple(tuple(row["color"]) for row in rows)
    maps = []
    for path in sorted(CAMVID.glob("*_color.png")):
        painted = np.asarray(Image.open(path))
        ids = np.full(painted.shape[:2], 255, np.uint8)
        for number, color in enumerate(colors):
            ids[(painted == color).all(2)] = number
        maps.append(ids)
    return maps, colors


def film(
    maps: list[Ids],
    colors: Colors,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    **options: str,
) -> bytes:
    """
    A clip of *maps*, as swscale makes YUV of RGB: BT.601, limited range, no tags.
    """
    pictures = (paint(ids, colors) for ids in maps)
    return encode(pictures, codec, pixel_format, container="matroska", options=options)


def palette_of(colors: Colors) -> Palette:
    """
    Labels whose ids are positions among *colors*.
    """
    return Palette({color: f"label {n}" for n, color in enumerate(colors)})
