"""
The cases at which tools for masks are known to give wrong labels without a word.

Each is right here, or refused: a row says what a mask file holds, what the palette
is, and the labels (255 is void, or -1 beyond ids of 254) or the error that follows.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import field, frozen
from PIL import Image

import framekit as fk
from framekit.errors import (
    ArgumentError,
    MissingFileError,
    PaletteError,
    UnknownColorError,
    UnreadableMaskError,
)

RED, GREEN, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 0)
STRAY = (9, 9, 9)

COLORS = fk.Palette({BLACK: "road", RED: "car", GREEN: "tree"})
VALUES = fk.Palette.indexed({0: "road", 1: "car", 2: "tree"})
LARGE = fk.Palette(
    [
        fk.PaletteEntry(id=70_000, color=RED, labels="car"),
        fk.PaletteEntry(id=65_536, color=GREEN, labels="tree"),
    ]
)


@frozen
class Edge:
    """
    A mask, how it is read, and what comes of it.
    """

    name: str
    file: bytes = field(repr=False)
    palette: fk.Palette | Callable[[], fk.Palette]
    expected: Any
    options: dict[str, Any] = field(factory=dict)

    #: Pixels that the report must count as unknown.
    unknown: int = 0


def drawn(pixels: Any, dtype: Any = np.uint8, mode: str | None = None) -> bytes:
    """
    A PNG file of *pixels*, by Pillow.
    """
    image = Image.fromarray(np.array(pixels, dtype))
    if mode == "P":
        image.putpalette([*BLACK, *RED, *GREEN])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def deep(pixels: Any) -> bytes:
    """
    A PNG file of one row of 16-bit colors, which Pillow does not write.
    """

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + checksum

    header = struct.pack(">IIBBBBB", len(pixels), 1, 16, 2, 0, 0, 0)
    rows = b"\0" + np.array(pixels, ">u2").tobytes()
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


def shared(**options: Any) -> Callable[[], fk.Palette]:
    """
    What makes a palette of two classes in one color.
    """
    rows: Any = [(BLACK, "road"), (RED, "car"), (RED, "bus")]
    return lambda: fk.Palette(rows, **options)


def wild() -> fk.Palette:
    """
    A palette with a color that does not exist.
    """
    return fk.Palette({(999, -5, 3): "car"})


RGB = drawn([[BLACK, RED, GREEN]])
PALETTE_PNG = drawn([[0, 1, 2]], mode="P")
GRAY = drawn([[0, 1, 2]])
CLEAR = drawn([[(*RED, 0), (*RED, 128), (*GREEN, 255)]])

EDGES = [
    Edge("unknown color", drawn([[RED, STRAY]]), COLORS, [1, 255], unknown=1),
    Edge(
        "unknown color, refused",
        drawn([[RED, STRAY]]),
        COLORS,
        UnknownColorError,
        {"unknown": "error"},
    ),
    Edge(
        "unknown color, nearest",
        drawn([[RED, STRAY]]),
        COLORS,
        [1, 0],
        {"unknown": "nearest"},
        unknown=1,
    ),
    Edge("unknown value", drawn([[1, 255, 3]]), VALUES, [1, 255, 255], unknown=2),
    Edge("two classes, one color", RGB, shared(), PaletteError),
    Edge("the first of two classes", RGB, shared(shared="first"), [0, 1, 255], {}, 1),
    Edge("two classes merged", RGB, shared(shared="merge"), [0, 1, 255], {}, 1),
    Edge("black is a class", RGB, COLORS, [0, 1, 2]),
    Edge("black is none", RGB, fk.Palette({RED: "car"}), [255, 0, 255], unknown=2),
    Edge("RGBA", CLEAR, COLORS, [1, 1, 2]),
    Edge("RGBA, clear is void", CLEAR, COLORS, [255, 1, 2], {"alpha": "void"}),
    Edge("palette PNG by color", PALETTE_PNG, COLORS, [0, 1, 2]),
    Edge("palette PNG by index", PALETTE_PNG, VALUES, [0, 1, 2]),
    Edge("gray as a value", GRAY, VALUES, [0, 1, 2]),
    Edge("gray as a color", GRAY, COLORS, [0, 255, 255], unknown=2),
    Edge(
        "gray of 16 bits",
        drawn([[300, 26_001, 44, 145, 269, 13]], np.uint16),
        fk.Palette.indexed({300: "a", 26_001: "b", 13: "c"}),
        [0, 1, 255, 255, 255, 2],
        unknown=3,
    ),
    Edge(
        "RGB of 16 bits", deep([[v * 257 for v in RED], (0, 65_535, 0)]), COLORS, [1, 2]
    ),
    Edge(
        "RGB of 16 bits, off", deep([(65_280, 0, 0), RED]), COLORS, UnreadableMaskError
    ),
    Edge("RGB where values are meant", RGB, VALUES, [0, 255, 255], unknown=2),
    Edge(
        "RGB as a number",
        drawn([[(1, 0, 0), (0, 1, 0), (112, 17, 1)]]),
        fk.Palette.indexed({1: "a", 256: "b", 70_000: "c"}),
        [0, 1, 2],
    ),
    Edge("ids beyond 65535", RGB, LARGE, [-1, 70_000, 65_536], unknown=1),
    Edge("another size", RGB, COLORS, UnreadableMaskError, {"expect": (6, 1)}),
    Edge(
        "another size, nearest",
        RGB,
        COLORS,
        [0, 0, 1, 1, 2, 2],
        {"expect": (6, 1), "size": "nearest"},
    ),
    Edge(
        "a label with a space",
        RGB,
        fk.Palette({BLACK: "sky dome", RED: "car", GREEN: "tree"}),
        [0, 1, 2],
    ),
    Edge("a color of 999", RGB, wild, ArgumentError),
]


@pytest.mark.usefixtures("kernel")
class TestEdges:
    @pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
    def test_right_or_refused(self, edge: Edge) -> None:
        """
        A label is right, or there is none and the report counts it.
        """

        def decoded() -> fk.LabelMap:
            palette = edge.palette
            palette = palette if isinstance(palette, fk.Palette) else palette()
            return fk.decode_image(io.BytesIO(edge.file), palette, **edge.options)

        if isinstance(edge.expected, type):
            with pytest.raises(edge.expected):
                decoded()
            return

        found = decoded()

        assert found.ids.tolist() == [edge.expected]
        assert found.report.unknown_pixels == edge.unknown

    def test_jpeg(self) -> None:
        """
        A JPEG mask has the labels of the nearest colors, and says that it is lossy.
        """
        blocks = np.kron(np.arange(6).reshape(2, 3) % 3, np.ones((24, 24), int))
        file = io.BytesIO()
        colors = np.array([BLACK, RED, GREEN], np.uint8)
        Image.fromarray(colors[blocks]).save(file, "JPEG", quality=90, subsampling=0)

        with pytest.warns(fk.DecodeWarning, match="a lossy file"):
            found = fk.decode_image(io.BytesIO(file.getvalue()), COLORS)

        assert np.array_equal(found.ids, blocks)
        assert not found.report.exact

    def test_missing_file(self, tmp_path: Path) -> None:
        """
        A file that is missing is an error, alone or among others.
        """
        Image.new("RGB", (2, 1), RED).save(tmp_path / "there.png")
        frames = [
            fk.SingleFrame(
                source="a.jpg", mask_source=str(tmp_path / name), context_id="c"
            )
            for name in ("there.png", "missing.png")
        ]

        there, missing = fk.decode_frames(frames, palette=COLORS)

        assert there.label_map is not None
        assert there.label_map.ids.tolist() == [[1, 1]]
        assert missing.label_map is None
        assert isinstance(missing.error, MissingFileError)
        with pytest.raises(FileNotFoundError):
            fk.decode(frames[1], palette=COLORS)
