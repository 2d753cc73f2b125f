from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from framekit.decoding import kernels
from framekit.decoding.lookup.tables import Lookup
from framekit.decoding.lookup.unknown import NONE, Unknown, UnknownValue
from framekit.decoding.png.chunks import PngError, open_png
from framekit.decoding.png.reading import check_pixels, read_labels, read_pixels
from tests.plain_labels import packed, plain_labels
from tests.png_files import (
    CHANNELS,
    SHARED,
    chunk,
    plain_unfilter,
    png_file,
    random_stream,
    row_bytes,
    samples,
)

LAYOUTS = [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (8, 6)]
LAYOUTS += [(1, 3), (2, 3), (4, 3), (8, 3)]


@st.composite
def images(draw: Any) -> Any:
    """
    A PNG file of random filtered rows, its samples, and its palette.
    """
    depth, color = draw(st.sampled_from(LAYOUTS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    width, height = draw(st.integers(1, 70)), draw(st.integers(1, 12))
    pitch = row_bytes(width, depth, color)
    stream = random_stream(
        rng, height, pitch, runs=draw(st.sampled_from([0, 0.5, 0.9, 0.99]))
    )
    palette = rng.integers(0, 3, (1 << depth if color == 3 else 1, 3), np.uint8)
    before = chunk(b"PLTE", palette.tobytes()) if color == 3 else b""
    data = png_file(
        width,
        height,
        depth,
        color,
        stream,
        before=before,
        parts=draw(st.integers(1, 4)),
    )
    unit = max(1, depth * CHANNELS[color] // 8)
    rows = plain_unfilter(stream, height, pitch, unit)
    return data, samples(rows, width, height, depth, color), palette, depth, color


@st.composite
def lookups(draw: Any, keys: Any) -> tuple[dict[int, int], bool]:
    """
    Ids for some of *keys*, small or large.
    """
    some = draw(st.lists(st.sampled_from(keys), unique=True, max_size=20))
    large = draw(st.booleans())
    top = 2**31 - 1 if large else 254
    ids = {key: draw(st.integers(-1, top)) for key in some}
    return ids, max(ids.values(), default=0) <= 254


@pytest.fixture(autouse=True, params=["native", "numpy"])
def both(request: Any) -> Iterator[None]:
    """
    Each of the two sets of kernels in turn, kept for all examples of a test.
    """
    kept = kernels.NATIVE
    if request.param == "native" and kept is None:
        pytest.skip("no extension")
    if request.param == "numpy":
        kernels.NATIVE = None
    yield
    kernels.NATIVE = kept


several = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class TestPixels:
    @several
    @given(images())
    def test_plain_filter(self, image: Any) -> None:
        """
        Pixels are those of the specification's own wording.
        """
        data, expected, *_ = image

        assert np.array_equal(read_pixels(open_png(data)), expected)

    @several
    @given(images())
    def test_check(self, image: Any) -> None:
        """
        What can be read passes the check.
        """
        check_pixels(open_png(image[0]))

    @pytest.mark.parametrize("mode", ["1", "L", "I;16", "P", "RGB", "RGBA"])
    def test_pillow(self, mode: str) -> None:
        """
        What Pillow writes is read like Pillow reads it.
        """
        rng = np.random.default_rng(1)
        small = rng.integers(0, 250, (40, 60, 4)).astype(np.uint8)
        if mode == "I;16":
            image = Image.fromarray(small.view(np.uint16)[..., 0])
        else:
            image = Image.fromarray(small).convert(mode)
        file = io.BytesIO()
        image.save(file, "png")

        pixels = read_pixels(open_png(file.getvalue()))

        expected = np.asarray(image)
        expected = (expected > 0) if mode == "1" else expected
        assert np.array_equal(pixels, expected)

    def test_other(self) -> None:
        """
        What is not of our kinds is not read.
        """
        opened = open_png(png_file(1, 1, 16, 2, bytes(7)))

        check_pixels(opened)
        with pytest.raises(ValueError, match="not of a kind"):
            read_pixels(opened)
        with pytest.raises(ValueError, match="not of a kind"):
            read_labels(opened, Lookup.by_color({}))


class TestLabels:
    @several
    @given(st.data())
    def test_by_color(self, data: Any) -> None:
        """
        Colors get their ids, in every layout that has colors.
        """
        file, pixels, palette, depth, color = data.draw(images())
        if depth == 16:
            return
        if color == 3:
            keys = packed(palette[pixels])
        elif color == 0:
            keys = pixels.astype(int) * (255 // ((1 << depth) - 1)) * 0x010101
        else:
            keys = packed(pixels)
        alpha = data.draw(st.sampled_from(["ignore", "void"]))
        if alpha == "void" and color == 6:
            keys = np.where(pixels[..., 3] == 0, -1, keys)
        pool = [int(k) for k in np.unique(keys[keys >= 0])[:200]] + [0x123456]
        ids, small = data.draw(lookups(pool))

        found = read_labels(open_png(file), Lookup.by_color(ids), alpha=alpha, top=None)

        labels, unknown = plain_labels(keys, ids, small=small)
        assert found[0].dtype == labels.dtype
        assert np.array_equal(found[0], labels)
        assert found[1] == unknown

    @several
    @given(st.data())
    def test_by_index(self, data: Any) -> None:
        """
        Values get their ids; three channels are R + 256 G + 65536 B.
        """
        file, pixels, *_ = data.draw(images())
        keys = pixels.astype(int)
        if pixels.ndim == 3:
            keys = keys[..., :3] @ [1, 256, 65536]
        pool = [int(k) for k in np.unique(keys)[:200]]
        ids, small = data.draw(lookups(pool))

        found = read_labels(open_png(file), Lookup.by_index(ids), top=None)

        labels, unknown = plain_labels(keys, ids, small=small)
        assert found[0].dtype == labels.dtype
        assert np.array_equal(found[0], labels)
        assert found[1] == unknown

    def test_palette_by_color_of_an_index(self) -> None:
        """
        A palette's colors can be read as 24-bit indices.
        """
        plte = chunk(b"PLTE", bytes([1, 2, 0, 7, 0, 0]))
        data = png_file(2, 1, 8, 3, b"\0\0\1", before=plte)

        labels, unknown = read_labels(
            open_png(data), Lookup.by_index({513: 4}), palette_png="color"
        )

        assert labels.tolist() == [[4, 255]]
        assert unknown.values == (UnknownValue(7, 1, (1, 0, 2, 1)),)

    def test_same_color_twice_in_a_palette(self) -> None:
        """
        Entries of one unknown color are one finding.
        """
        plte = chunk(b"PLTE", bytes(6))
        data = png_file(2, 2, 8, 3, b"\0\0\1\0\1\0", before=plte)

        _, unknown = read_labels(open_png(data), Lookup.by_color({}))

        assert unknown.values == (UnknownValue(0, 4, (0, 0, 2, 2)),)

    def test_index_past_palette(self) -> None:
        """
        An index past a short palette is damage; padding at the end of a row is not.
        """
        plte = chunk(b"PLTE", bytes(6))
        padded = png_file(1, 1, 4, 3, b"\0\x1f", before=plte)
        bad = png_file(2, 2, 4, 3, b"\0\x12\2\0", before=plte)
        lookup = Lookup.by_index({0: 0, 1: 1, 2: 2})

        assert read_labels(open_png(padded), lookup)[0].tolist() == [[1]]
        with pytest.raises(PngError, match="past the end of the palette"):
            read_labels(open_png(bad), lookup)

    @pytest.mark.parametrize(
        ("depth", "color", "stream", "trns"),
        [
            (8, 3, b"\0\0\1", b"\xff\0"),
            (8, 0, b"\0\0\1", b"\0\1"),
            (16, 0, b"\0\0\0\0\1", b"\0\1"),
            (8, 2, b"\0\0\0\0\0\0\1", b"\0\0\0\0\0\1"),
            (8, 6, b"\0\0\0\0\1\0\0\1\0", b""),
        ],
    )
    def test_transparent(
        self, depth: int, color: int, stream: bytes, trns: bytes
    ) -> None:
        """
        Transparent pixels are void on request, however they are stored.
        """
        before = chunk(b"PLTE", bytes([0, 0, 0, 1, 0, 0])) if color == 3 else b""
        before += chunk(b"tRNS", trns) if trns else b""
        opened = open_png(png_file(2, 1, depth, color, stream, before=before))
        lookup = Lookup.by_index({0: 3, 1: 4, 65536: 5})

        ignored, _ = read_labels(opened, lookup)
        labels, unknown = read_labels(opened, lookup, alpha="void")

        assert ignored[0, 0] == 3
        assert ignored[0, 1] != 255 or color == 6
        assert labels.tolist() == [[3, 255]]
        assert unknown == NONE

    def test_gray16_by_color(self) -> None:
        """
        16-bit gray has no 8-bit colors.
        """
        with pytest.raises(ValueError, match="16-bit gray"):
            read_labels(open_png(png_file(1, 1, 16, 0, bytes(3))), Lookup.by_color({}))


needs_data = pytest.mark.skipif(not SHARED.exists(), reason="no real masks")


def masks() -> list[Path]:
    """
    All PNG masks of the shared data.
    """
    return sorted(p for p in SHARED.rglob("*.png") if p.parent.name != "pngsuite")


@needs_data
class TestRealMasks:
    @pytest.mark.usefixtures("inflater")
    @pytest.mark.parametrize("file", masks(), ids=lambda file: file.name)
    def test_pixels(self, file: Path) -> None:
        """
        Every mask has the pixels Pillow gives it.
        """
        with Image.open(file) as image:
            expected = np.asarray(image)

        pixels = read_pixels(open_png(file.read_bytes()))

        assert np.array_equal(pixels, expected)

    @pytest.mark.parametrize("file", masks(), ids=lambda file: file.name)
    def test_labels(self, file: Path) -> None:
        """
        The labels of every mask, all its values but one known, are those of unique.
        """
        with Image.open(file) as image:
            pixels = np.asarray(image)
        keys = packed(pixels) if pixels.ndim == 3 else pixels.astype(int)
        values, inverse = np.unique(keys, return_inverse=True)
        lookup = Lookup.of(
            "color" if pixels.ndim == 3 else "index",
            values[:-1],
            np.arange(len(values) - 1),
        )

        labels, unknown = read_labels(open_png(file.read_bytes()), lookup)

        expected = inverse.reshape(keys.shape)
        last = expected == len(values) - 1
        rows, columns = np.flatnonzero(last.any(1)), np.flatnonzero(last.any(0))
        assert np.array_equal(labels, np.where(last, lookup.void, expected))
        left, top, right, bottom = map(
            int, (columns[0], rows[0], columns[-1], rows[-1])
        )
        box = left, top, right + 1, bottom + 1
        assert unknown == Unknown(
            int(last.sum()),
            (UnknownValue(int(values[-1]), int(last.sum()), box),),
            1,
        )
