from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from framekit.decoding.image import snap as snap_module
from framekit.decoding.image.decode import decode_image, fitted
from framekit.decoding.report import DecodeReport
from framekit.errors import (
    ArgumentError,
    DecodeWarning,
    PaletteError,
    UnknownColorError,
    UnreadableMaskError,
)
from framekit.palette import Palette, PaletteEntry

RED, GREEN, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 0)
PALETTE = Palette({RED: "red", GREEN: "green", BLACK: "black"})


def png(pixels: Any, **options: Any) -> io.BytesIO:
    """
    A PNG file of (H, W, channels) or (H, W).
    """
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG", **options)
    file.seek(0)
    return file


def indices(
    rows: Any, colors: Sequence[tuple[int, int, int]], **options: Any
) -> io.BytesIO:
    """
    A palette PNG.
    """
    array = np.asarray(rows, np.uint8)
    image = Image.frombytes("P", array.shape[::-1], array.tobytes())
    image.putpalette([channel for color in colors for channel in color])
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    file.seek(0)
    return file


class TestUnknown:
    pixels = (
        (RED, (1, 2, 3), (1, 2, 3), BLACK),
        (RED, (1, 2, 3), (250, 9, 9), (0, 200, 50)),
    )

    def test_void(self) -> None:
        """
        Unknown colors become void; the report has them with count and box.
        """
        found = decode_image(png(self.pixels), PALETTE)

        assert found.ids.tolist() == [[0, 255, 255, 2], [0, 255, 255, 255]]
        assert found.report == DecodeReport(
            exact=True,
            lossless=True,
            unknown_pixels=5,
            unknown_colors=(
                ((1, 2, 3), 3, (1, 0, 3, 2)),
                ((0, 200, 50), 1, (3, 1, 4, 2)),
                ((250, 9, 9), 1, (2, 1, 3, 2)),
            ),
        )

    def test_error(self) -> None:
        """
        On request they are an error, which names them, the most frequent first.
        """
        with pytest.raises(UnknownColorError) as caught:
            decode_image(png(self.pixels), PALETTE, unknown="error", uri="m.png")

        colors = ((1, 2, 3), (0, 200, 50), (250, 9, 9))
        assert caught.value == UnknownColorError("m.png", colors)

    def test_nearest(self) -> None:
        """
        On request they take the nearest color; the report still counts them.
        """
        found = decode_image(png(self.pixels), PALETTE, unknown="nearest")

        assert found.ids.tolist() == [[0, 2, 2, 2], [0, 2, 0, 1]]
        assert found.report.exact is False
        assert found.report.unknown_pixels == 5
        assert found.report.notes == (
            "5 pixels of 3 unknown colors took the nearest one",
        )

    def test_nothing_unknown(self) -> None:
        """
        The policy changes nothing where every color is known.
        """
        for unknown in ("void", "error", "nearest"):
            found = decode_image(png([[RED, BLACK]]), PALETTE, unknown=unknown)

            assert found.ids.tolist() == [[0, 2]]
            assert found.report == DecodeReport(exact=True, lossless=True)

    def test_nearest_value(self) -> None:
        """
        Of single-channel values the nearest is that of the smallest difference.
        """
        palette = Palette.indexed({0: "a", 100: "b", 255: "c"})

        found = decode_image(png([[0, 40, 60, 200, 255]]), palette, unknown="nearest")

        assert found.ids.tolist() == [[0, 0, 1, 2, 2]]

    def test_nearest_number(self) -> None:
        """
        Numbers of 24 bits have no nearest one.
        """
        palette = Palette.indexed({70000: "a"})

        with pytest.raises(PaletteError):
            decode_image(png([[RED]]), palette, unknown="nearest")

    def test_empty_palette(self) -> None:
        """
        Without entries everything is unknown, and nothing is near.
        """
        for unknown in ("void", "nearest"):
            found = decode_image(png([[RED]]), Palette(), unknown=unknown)

            assert found.ids.tolist() == [[255]]
            assert found.report.unknown_pixels == 1

    @given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 40))
    def test_nearest_is_nearest(self, seed: int, size: int, colors: int) -> None:
        """
        Against every distance computed one by one.
        """
        rng = np.random.default_rng(seed)
        table = np.unique(rng.integers(0, 256, (colors, 3)), axis=0)
        pixels = rng.integers(0, 256, (1, size, 3))
        palette = Palette({tuple(c): f"{n}" for n, c in enumerate(table.tolist())})

        found = decode_image(png(pixels), palette, unknown="nearest")

        distances = ((pixels[0, :, None] - table[None]) ** 2).sum(axis=2)
        chosen = distances[np.arange(size), found.ids[0]]
        assert np.array_equal(chosen, distances.min(axis=1))


class TestAlpha:
    pixels = (((*RED, 255), (*RED, 0), (*GREEN, 1), (*BLACK, 0)),)

    def test_ignore(self) -> None:
        """
        Colors count, whatever their alpha: it is never multiplied in.
        """
        found = decode_image(png(self.pixels), PALETTE)

        assert found.ids.tolist() == [[0, 0, 1, 2]]

    def test_void(self) -> None:
        """
        On request what is wholly transparent is void, and not unknown.
        """
        found = decode_image(png(self.pixels), PALETTE, alpha="void")

        assert found.ids.tolist() == [[0, 255, 1, 255]]
        assert found.report.unknown_pixels == 0
        assert found.report.notes == ("2 void pixels are transparent",)

    def test_void_and_nearest(self) -> None:
        """
        Transparent pixels stay void when unknown ones take the nearest color.
        """
        pixels = [[(250, 0, 0, 255), (250, 0, 0, 0)]]

        found = decode_image(png(pixels), PALETTE, alpha="void", unknown="nearest")

        assert found.ids.tolist() == [[0, 255]]
        assert found.report.unknown_pixels == 1

    def test_opacity(self) -> None:
        """
        Opacity can be what is looked up, by an indexed palette.
        """
        palette = Palette.indexed({0: "nothing", 255: "dog"})

        found = decode_image(png(self.pixels), palette, alpha="opacity")

        assert found.ids.tolist() == [[1, 0, 255, 0]]
        assert found.report.unknown_colors == (((1, 1, 1), 1, (2, 0, 3, 1)),)

    def test_opacity_needs_alpha(self) -> None:
        """
        A file without alpha has no opacity to look up.
        """
        palette = Palette.indexed({255: "dog"})

        with pytest.raises(UnreadableMaskError):
            decode_image(png([[RED]]), palette, alpha="opacity")

    def test_opacity_needs_values(self) -> None:
        """
        Opacity is a value: a palette of colors does not go with it.
        """
        with pytest.raises(PaletteError):
            decode_image(png(self.pixels), PALETTE, alpha="opacity")

    def test_gray_with_alpha(self) -> None:
        """
        Alpha of gray images works alike.
        """
        file = png([[(0, 255), (0, 0), (7, 9)]])
        palette = Palette.indexed({0: "a", 7: "b"})

        maps = [
            decode_image(io.BytesIO(file.getvalue()), palette, alpha=alpha).ids.tolist()
            for alpha in ("ignore", "void")
        ]

        assert maps == [[[0, 0, 1]], [[0, 255, 1]]]

    def test_transparent_color(self) -> None:
        """
        A PNG's transparent color or index is alpha, too.
        """
        rgb = png([[RED, GREEN]], transparency=RED)
        palette = indices([[0, 1]], [RED, GREEN], transparency=0)
        gray = png([[0, 255]], transparency=0)
        grays = Palette({(0, 0, 0): "a", (255, 255, 255): "b"})

        assert decode_image(rgb, PALETTE, alpha="void").ids.tolist() == [[255, 1]]
        assert decode_image(palette, PALETTE, alpha="void").ids.tolist() == [[255, 1]]
        assert decode_image(gray, grays, alpha="void").ids.tolist() == [[255, 1]]


class TestPalettePng:
    colors = (BLACK, RED, GREEN)

    def test_colors(self) -> None:
        """
        With colors, the table decides: order in the file means nothing.
        """
        found = decode_image(indices([[0, 1, 2]], self.colors), PALETTE)

        assert found.ids.tolist() == [[2, 0, 1]]

    def test_indices(self) -> None:
        """
        With an indexed palette, the indices do: their colors mean nothing.
        """
        palette = Palette.indexed({2: "two", 0: "zero"})

        found = decode_image(indices([[0, 1, 2]], self.colors), palette)

        assert found.ids.tolist() == [[1, 255, 0]]
        assert found.report.unknown_colors == (((1, 1, 1), 1, (1, 0, 2, 1)),)

    def test_indices_of_colors(self) -> None:
        """
        Asked for indices, entries without one go by their ids.
        """
        found = decode_image(
            indices([[0, 1, 2]], self.colors), PALETTE, palette_png="indices"
        )

        assert found.ids.tolist() == [[0, 1, 2]]

    def test_colors_of_an_indexed_palette(self) -> None:
        """
        Asked for colors, those of the entries count, else the color is a number.
        """
        both = Palette(
            [
                PaletteEntry(color=RED, index=0, labels="a"),
                PaletteEntry(color=GREEN, index=1, labels="b"),
            ]
        )
        numbers = Palette.indexed({255: "red", 65280: "green"})

        for palette in (both, numbers):
            found = decode_image(
                indices([[0, 1, 2]], self.colors), palette, palette_png="colors"
            )

            assert found.ids.tolist() == [[255, 0, 1]]

    @pytest.mark.parametrize("unknown", ["void", "nearest", "error"])
    @pytest.mark.parametrize("palette_png", ["auto", "indices"])
    def test_past_the_end(self, unknown: Any, palette_png: Any) -> None:
        """
        An index past the end of a short table is damage, by color and by index.
        """
        data = indices([[0, 1, 2]], self.colors).getvalue()
        start = data.index(b"PLTE") - 4
        size = int.from_bytes(data[start : start + 4], "big")
        body = b"PLTE" + bytes(6)
        short = struct.pack(">I", 6) + body + struct.pack(">I", zlib.crc32(body))
        file = io.BytesIO(data[:start] + short + data[start + 12 + size :])

        with pytest.raises(UnreadableMaskError) as caught:
            decode_image(
                file, PALETTE, unknown=unknown, palette_png=palette_png, uri="m"
            )

        reason = "a palette index past the end of the palette"
        assert caught.value == UnreadableMaskError("m", reason)


class TestSize:
    def test_error(self) -> None:
        """
        A mask of another size than wanted is an error.
        """
        with pytest.raises(UnreadableMaskError) as caught:
            decode_image(png([[RED, GREEN]]), PALETTE, expect=(4, 2), uri="m")

        assert caught.value == UnreadableMaskError(
            "m", "2x1 pixels, expected 4x2; size='nearest' resizes"
        )

    def test_nearest(self) -> None:
        """
        On request labels are resized to the nearest pixel, and nothing is mixed.
        """
        file = png([[RED, GREEN]])

        found = decode_image(file, PALETTE, expect=(4, 2), size="nearest")

        assert found.ids.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]
        assert found.report == DecodeReport(
            exact=False,
            lossless=True,
            notes=("resized from 2x1 to the nearest pixel",),
        )

    @pytest.mark.parametrize("size", ["error", "nearest"])
    def test_as_expected(self, size: Any) -> None:
        """
        A mask of the size wanted is left alone.
        """
        found = decode_image(png([[RED, GREEN]]), PALETTE, expect=(2, 1), size=size)

        assert found.report == DecodeReport(exact=True, lossless=True)

    def test_fitted(self) -> None:
        """
        What is uncertain is resized along.
        """
        from attrs import evolve

        found = decode_image(png([[RED, GREEN, RED]]), PALETTE)
        unsure = evolve(found, uncertain=np.array([[True, False, True]]))

        small = fitted(unsure, (1, 1), "nearest", uri="m")

        assert small.ids.tolist() == [[1]]
        assert small.uncertain is not None
        assert small.uncertain.tolist() == [[False]]


class TestLossy:
    @pytest.fixture
    def jpeg(self) -> bytes:
        """
        Three areas of flat color.
        """
        pixels = np.zeros((32, 32, 3), np.uint8)
        pixels[:, :16] = RED
        pixels[:16, 16:] = GREEN
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=80, subsampling=0)
        return file.getvalue()

    truth = np.full((32, 32), 2)
    truth[:, :16] = 0
    truth[:16, 16:] = 1

    def test_nearest(self, jpeg: bytes) -> None:
        """
        A JPEG gives the nearest colors, a warning, and a report that says so.
        """
        with pytest.warns(DecodeWarning, match="m.jpg: a lossy file"):
            found = decode_image(io.BytesIO(jpeg), PALETTE, uri="m.jpg")

        assert np.array_equal(found.ids, self.truth)
        assert found.report.exact is False
        assert found.report.lossless is False
        assert found.report.unknown_pixels > 0

    def test_error(self, jpeg: bytes) -> None:
        """
        Who wants an error for colors that are not exact gets one.
        """
        with pytest.warns(DecodeWarning), pytest.raises(UnknownColorError):
            decode_image(io.BytesIO(jpeg), PALETTE, unknown="error")

    def test_values_too_close(self) -> None:
        """
        Values that a lossy file cannot keep apart are refused, not guessed.
        """
        file = io.BytesIO()
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(file, "JPEG")
        palette = Palette.indexed({0: "a", 1: "b"})

        with pytest.raises(PaletteError):
            decode_image(io.BytesIO(file.getvalue()), palette)

    def test_numbers(self, jpeg: bytes) -> None:
        """
        Numbers of 24 bits do not survive, so they are refused.
        """
        with pytest.raises(PaletteError):
            decode_image(io.BytesIO(jpeg), Palette.indexed({255: "a", 70000: "b"}))

    def test_colors_too_close(self, jpeg: bytes) -> None:
        """
        Of colors that are close to each other the report says so.
        """
        palette = Palette({RED: "a", (250, 0, 0): "b", BLACK: "c"})

        with pytest.warns(DecodeWarning):
            found = decode_image(io.BytesIO(jpeg), palette)

        assert found.report.notes[0] == (
            "palette-too-close: two colors are 5.0 from each other"
        )

    @pytest.mark.parametrize("mode", ["CMYK"])
    def test_no_colors(self, mode: str) -> None:
        """
        Inks are no colors that a palette has.
        """
        file = io.BytesIO()
        Image.new(mode, (8, 8)).save(file, "JPEG")

        with pytest.raises(UnreadableMaskError):
            decode_image(io.BytesIO(file.getvalue()), PALETTE)

    def test_lossy_webp(self) -> None:
        """
        A lossy WebP is treated like a JPEG.
        """
        file = io.BytesIO()
        Image.new("RGB", (32, 32), (250, 3, 3)).save(file, "WEBP", quality=80)

        with pytest.warns(DecodeWarning):
            found = decode_image(io.BytesIO(file.getvalue()), PALETTE)

        assert found.areas == {"red": 1024}


class TestArguments:
    @pytest.mark.parametrize(
        "options",
        [
            {"unknown": "ignore"},
            {"alpha": True},
            {"palette_png": "index"},
            {"size": "bilinear"},
            {"expect": (0, 4)},
        ],
    )
    def test_refused(self, options: dict[str, Any]) -> None:
        """
        An option that is none is refused by name, before anything is opened.
        """
        with pytest.raises(ArgumentError) as caught:
            decode_image("no such file", PALETTE, **options)

        assert caught.value.argument == next(iter(options))

    @pytest.mark.parametrize("source", [b"\x89PNG", 3, None, io.StringIO("text")])
    def test_no_file(self, source: Any) -> None:
        """
        What is neither a path nor a binary file is refused.
        """
        with pytest.raises(ArgumentError) as caught:
            decode_image(source, PALETTE)

        assert caught.value.argument == "path_or_file"

    def test_no_palette(self) -> None:
        """
        A mapping is no palette yet.
        """
        colors: Any = {RED: "red"}

        with pytest.raises(ArgumentError) as caught:
            decode_image(png([[RED]]), colors)

        assert caught.value.argument == "palette"


def gray16(values: Any) -> io.BytesIO:
    """
    A 16-bit gray PNG.
    """
    file = io.BytesIO()
    Image.fromarray(np.asarray(values, np.uint16)).save(file, "PNG")
    file.seek(0)
    return file


def wide_rgb(pixels: Any) -> io.BytesIO:
    """
    A 16-bit RGB PNG of one row.
    """
    array = np.asarray(pixels)
    header = struct.pack(">IIBBBBB", array.shape[1], 1, 16, 2, 0, 0, 0)
    rows = b"\0" + array.astype(">u2").tobytes()
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in parts:
        data += struct.pack(">I", len(body)) + name + body
        data += struct.pack(">I", zlib.crc32(name + body))
    return io.BytesIO(data)


MANY = Palette.indexed([PaletteEntry(id=70000, index=70000, labels="far")])

#: What other tools get wrong at the edges: file, palette, options, ids or error.
EDGES: dict[str, tuple[Any, Palette, dict[str, Any], Any]] = {
    "unknown color": (png([[RED, (9, 9, 9)]]), PALETTE, {}, [[0, 255]]),
    "unknown color, error": (
        png([[(9, 9, 9)]]),
        PALETTE,
        {"unknown": "error"},
        UnknownColorError,
    ),
    "black is a class": (png([[BLACK, RED]]), PALETTE, {}, [[2, 0]]),
    "RGBA": (png([[(*RED, 0)]]), PALETTE, {}, [[0]]),
    "palette image by color": (indices([[1, 0]], [BLACK, RED]), PALETTE, {}, [[0, 2]]),
    "gray by color": (png([[0]]), PALETTE, {}, [[2]]),
    "gray by value": (png([[7]]), Palette.indexed({7: "a"}), {}, [[0]]),
    "gray 16 bits": (
        gray16([[300, 44, 26001]]),
        Palette.indexed({300: "a", 26001: "b"}),
        {},
        [[0, 255, 1]],
    ),
    "RGB 16 bits": (wide_rgb([[(65535, 0, 0)]]), PALETTE, {}, [[0]]),
    "RGB 16 bits, not of 8": (
        wide_rgb([[(65534, 0, 0)]]),
        PALETTE,
        {},
        UnreadableMaskError,
    ),
    "RGB where values are expected": (
        png([[RED]]),
        Palette.indexed({0: "a", 1: "b"}),
        {},
        [[255]],
    ),
    "id above 65535": (png([[(112, 17, 1)]]), MANY, {}, [[70000]]),
    "another size": (png([[RED]]), PALETTE, {"expect": (2, 2)}, UnreadableMaskError),
    "missing file": ("no/such/file.png", PALETTE, {}, FileNotFoundError),
    "label with a space": (
        png([[RED]]),
        Palette({RED: "sky dome"}),
        {},
        [[0]],
    ),
}


class TestEdges:
    @pytest.mark.parametrize("case", EDGES)
    def test_right_or_refused(self, case: str) -> None:
        """
        Where other tools wrap, drop or guess, the label is right or refused.
        """
        source, palette, options, expected = EDGES[case]
        if isinstance(source, io.BytesIO):
            source.seek(0)

        if isinstance(expected, type):
            with pytest.raises(expected):
                decode_image(source, palette, **options)
        else:
            assert decode_image(source, palette, **options).ids.tolist() == expected

    def test_shared_color(self) -> None:
        """
        Two classes of one color are refused when the palette is made, or settled.
        """
        pairs = [(RED, "car"), (RED, "bus")]

        with pytest.raises(PaletteError):
            Palette(pairs)
        found = decode_image(png([[RED]]), Palette(pairs, shared="merge"))

        assert found.labels == ("car", "bus")

    def test_nothing_is_kept(self) -> None:
        """
        A result depends on nothing that was decoded before.
        """
        first: NDArray[Any] = decode_image(png([[RED, (9, 9, 9)]]), PALETTE).ids
        decode_image(png([[GREEN]]), PALETTE, unknown="nearest")

        assert np.array_equal(decode_image(png([[RED, (9, 9, 9)]]), PALETTE).ids, first)


class TestSnap:
    @pytest.mark.parametrize("many", [1, 1 << 30])
    def test_few_and_many(self, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The table of all colors and sorting give the same ids.
        """
        monkeypatch.setattr(snap_module, "_MANY", many)
        rng = np.random.default_rng(1)
        pixels = rng.integers(0, 256, (20, 30, 3))

        found = decode_image(png(pixels), PALETTE, unknown="nearest")

        # In the order of R << 16 | G << 8 | B, which decides between equals.
        distances = ((pixels[:, :, None] - [BLACK, GREEN, RED]) ** 2).sum(axis=3)
        assert np.array_equal(found.ids, 2 - distances.argmin(axis=2))
