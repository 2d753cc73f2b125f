from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from framekit.decoding.png.chunks import PngError, PngHeader, open_png, read_header
from framekit.decoding.png.reading import check_pixels, read_pixels
from tests.png_files import SHARED, chunk, ihdr, png_file

SUITE = SHARED / "pngsuite"

needs_suite = pytest.mark.skipif(not SUITE.exists(), reason="no PngSuite")

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IDAT = chunk(b"IDAT", zlib.compress(b"\0\1\2\3"))
IEND = chunk(b"IEND")


def png(*chunks: bytes) -> bytes:
    """
    A file of *chunks*.
    """
    return SIGNATURE + b"".join(chunks)


def refused(data: bytes, **limits: int) -> str:
    """
    Why *data* is refused.
    """
    with pytest.raises(PngError) as caught:
        open_png(data, **limits)
    return caught.value.reason


class TestHeader:
    def test_rgb(self) -> None:
        """
        A header says what IHDR says.
        """
        assert read_header(png(ihdr(1, 1), IDAT, IEND)) == PngHeader(
            1, 1, 8, 2, interlaced=False
        )

    @pytest.mark.parametrize(
        ("depth", "color", "interlace", "kind"),
        [
            (1, 0, 0, "gray"),
            (8, 0, 0, "gray"),
            (16, 0, 0, "gray16"),
            (2, 3, 0, "palette"),
            (8, 2, 0, "rgb"),
            (16, 2, 0, "other"),
            (8, 4, 0, "other"),
            (8, 6, 0, "rgba"),
            (16, 6, 0, "other"),
            (8, 2, 1, "other"),
        ],
    )
    def test_kind(self, depth: int, color: int, interlace: int, kind: Any) -> None:
        """
        The kind is decided by IHDR alone.
        """
        header = PngHeader(1, 1, depth, color, interlaced=interlace == 1)

        assert header.kind == kind

    def test_junk_after_end(self) -> None:
        """
        Bytes after IEND are a note.
        """
        header = read_header(png(ihdr(1, 1), IDAT, IEND, b"junk"))

        assert header.notes == ("4 bytes after the end chunk",)

    def test_gamma(self) -> None:
        """
        GAMA is ignored, and said to be.
        """
        header = read_header(png(ihdr(1, 1), chunk(b"gAMA", bytes(4)), IDAT, IEND))

        assert header.notes == ("gAMA ignored: values are taken as stored",)

    def test_transparency(self) -> None:
        """
        TRNS is handed on as stored.
        """
        body = b"\0\1\0\2\0\3"

        header = read_header(png(ihdr(1, 1), chunk(b"tRNS", body), IDAT, IEND))

        assert header.transparency == body

    def test_misplaced_transparency(self) -> None:
        """
        A tRNS chunk that says nothing is a note, as in libpng.
        """
        header = read_header(png(ihdr(1, 1), chunk(b"tRNS", b"x"), IDAT, IEND))

        assert header.transparency is None
        assert header.notes == ("a misplaced tRNS chunk, ignored",)

    def test_parts(self) -> None:
        """
        IDAT may come in parts, empty ones too.
        """
        data = zlib.compress(b"\0\1\2\3")
        parts = [chunk(b"IDAT", data[i : i + 1]) for i in range(len(data))]

        opened = open_png(png(ihdr(1, 1), *parts, chunk(b"IDAT"), IEND))

        assert b"".join(opened.idat) == data


class TestRefused:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"GIF89a", "not a PNG file"),
            (b"", "not a PNG file"),
            (SIGNATURE, "breaks off after 8 bytes, before its end chunk"),
            (png(IDAT, IEND), "starts with IDAT, not with IHDR"),
            (png(ihdr(1, 1), IEND), "no IDAT chunk"),
            (png(ihdr(1, 1), ihdr(1, 1), IDAT, IEND), "a second IHDR chunk"),
            (
                png(ihdr(1, 1), IDAT, chunk(b"tEXt"), IDAT, IEND),
                "IDAT chunks are not in one piece",
            ),
            (png(ihdr(1, 1), IDAT), "breaks off after 57 bytes, before its end chunk"),
            (png(ihdr(1, 1), IDAT, chunk(b"IEND", b"x")), "its end chunk is not empty"),
            (
                png(ihdr(1, 1), chunk(b"CRIT"), IDAT, IEND),
                "an unknown critical chunk CRIT",
            ),
            (png(ihdr(1, 1), chunk(b"a\0b1"), IDAT, IEND), "a chunk named b'a\\x00b1'"),
            (png(ihdr(0, 1), IDAT, IEND), "a size of 0x1 pixels"),
            (png(ihdr(1, 1, 4, 2), IDAT, IEND), "color type 2 with 4 bits"),
            (png(ihdr(1, 1, 8, 1), IDAT, IEND), "color type 1 with 8 bits"),
            (
                png(ihdr(1, 1, interlace=2), IDAT, IEND),
                "unknown compression, filter or interlace method",
            ),
            (png(chunk(b"IHDR", bytes(12)), IDAT, IEND), "an IHDR of 12 bytes"),
            (png(ihdr(1, 1, 8, 3), IDAT, IEND), "no palette"),
            (
                png(ihdr(1, 1, 8, 3), chunk(b"PLTE"), IDAT, IEND),
                "a palette of 0 bytes",
            ),
            (
                png(ihdr(1, 1, 8, 3), chunk(b"PLTE", bytes(4)), IDAT, IEND),
                "a palette of 4 bytes",
            ),
            (
                png(ihdr(1, 1, 8, 0), chunk(b"PLTE", bytes(3)), IDAT, IEND),
                "a palette in a gray image",
            ),
            (
                png(ihdr(1, 1, 8, 3), IDAT, chunk(b"PLTE", bytes(3)), IEND),
                "PLTE after IDAT",
            ),
            (
                png(ihdr(1, 1, 8, 3), *[chunk(b"PLTE", bytes(3))] * 2, IDAT, IEND),
                "a second PLTE chunk",
            ),
            (
                png(ihdr(1000, 1000), IDAT, IEND),
                "claims 1000x1000 pixels, more than 12 bytes of data can hold",
            ),
            (
                png(ihdr(16385, 1), IDAT, IEND),
                "16385x1 pixels, the limit is 16384 a side",
            ),
            (
                png(ihdr(16384, 16384), IDAT, IEND),
                "16384x16384 pixels take 805306368 bytes, the limit is 536870912",
            ),
            (
                png(ihdr(1, 1, interlace=0)[:-1] + b"?", IDAT, IEND),
                "wrong checksum of IHDR at byte 8",
            ),
        ],
    )
    def test_reason(self, data: bytes, reason: str) -> None:
        """
        What is wrong is said.
        """
        assert refused(data) == reason

    def test_limits(self) -> None:
        """
        Limits are arguments.
        """
        data = png(ihdr(2, 1), IDAT, IEND)

        assert refused(data, max_side=1) == "2x1 pixels, the limit is 1 a side"
        assert refused(data, max_bytes=5) == "2x1 pixels take 6 bytes, the limit is 5"


@pytest.mark.usefixtures("kernel")
class TestDamage:
    @pytest.mark.parametrize(
        ("stream", "reason"),
        [
            (b"\5\1\2\3", "an unknown filter type"),
            (b"\0\1\2", "3 of 4 bytes of pixels in the data"),
            (b"\0\1\2\3\4", "more than the 4 bytes of pixels in the data"),
        ],
    )
    def test_stream(self, stream: bytes, reason: str) -> None:
        """
        The stream is exactly the rows.
        """
        with pytest.raises(PngError) as caught:
            read_pixels(open_png(png_file(1, 1, 8, 2, stream)))

        assert caught.value.reason == reason

    def test_checksum(self) -> None:
        """
        The checksum of the stream counts too, when those of the chunks are right.
        """
        body = bytearray(zlib.compress(b"\0\1\2\3"))
        body[-1] ^= 1
        data = png(ihdr(1, 1), chunk(b"IDAT", bytes(body)), IEND)

        with pytest.raises(PngError, match="damaged compressed data"):
            read_pixels(open_png(data))

    def test_after_stream(self) -> None:
        """
        Nothing may follow the stream, in its chunk or in another.
        """
        data = zlib.compress(b"\0\1\2\3")
        for parts in ([data + b"x"], [data, b"x"]):
            chunks = [chunk(b"IDAT", part) for part in parts]
            with pytest.raises(PngError, match="bytes after the end"):
                read_pixels(open_png(png(ihdr(1, 1), *chunks, IEND)))

    def test_short_palette(self) -> None:
        """
        An index past the end of a short palette is damage.
        """
        plte = chunk(b"PLTE", bytes(6))
        fine = png_file(2, 1, 8, 3, b"\0\0\1", before=plte)
        bad = png_file(2, 1, 8, 3, b"\0\0\2", before=plte)

        assert read_pixels(open_png(fine)).tolist() == [[0, 1]]
        with pytest.raises(PngError, match="past the end of the palette"):
            read_pixels(open_png(bad))


@needs_suite
class TestSuite:
    def files(self) -> list[Path]:
        """
        All of the suite.
        """
        return sorted(SUITE.glob("*.png"))

    @pytest.mark.usefixtures("inflater", "kernel")
    def test_truth(self) -> None:
        """
        Sound files give the true pixels or are for another reader, corrupt ones none.
        """
        truth = np.load(SUITE / "truth_rgba.npz")
        seen = {"read": 0, "other": 0, "refused": 0}
        for file in self.files():
            if file.name.startswith("x"):
                with pytest.raises(PngError):
                    check_pixels(open_png(file.read_bytes()))
                seen["refused"] += 1
                continue
            opened = open_png(file.read_bytes())
            check_pixels(opened)
            header = opened.header
            if header.kind == "other":
                seen["other"] += 1
                continue
            pixels = read_pixels(opened)
            found = as_rgb16(header, pixels)
            key = file.stem if file.stem in truth else file.name
            expected = truth[key][..., :3].astype(int)
            assert np.array_equal(found, scaled(expected, found)), file.name
            if header.kind == "rgba":
                alpha = truth[key][..., 3].astype(int)
                assert np.array_equal(pixels[..., 3], scaled(alpha, pixels[..., 3]))
            seen["read"] += 1

        assert seen["refused"] == 14
        assert seen["read"] + seen["other"] == 161

    def test_kinds(self) -> None:
        """
        Only interlaced files, gray with alpha and 16-bit color are left to others.
        """
        for file in self.files():
            if file.name.startswith("x"):
                continue
            other = file.name[3] == "i" or file.name[4:8] in (
                "2c16",
                "4a08",
                "4a16",
                "6a16",
            )
            with Image.open(file) as image:
                assert image.size[0]
            assert (read_header(file.read_bytes()).kind == "other") == other, file


def as_rgb16(header: PngHeader, pixels: NDArray[Any]) -> NDArray[Any]:
    """
    Samples as colors: gray widened to 0..255 or kept at 16 bits, palettes applied.
    """
    if header.kind == "palette":
        table = np.frombuffer(header.palette or b"", np.uint8).reshape(-1, 3)
        return np.asarray(table[pixels].astype(int))
    pixels = pixels.astype(int)
    if pixels.ndim == 2:
        if header.bit_depth < 8:
            pixels *= 255 // ((1 << header.bit_depth) - 1)
        pixels = np.repeat(pixels[..., None], 3, 2)
    return pixels[..., :3]


def scaled(expected: NDArray[Any], found: NDArray[Any]) -> NDArray[Any]:
    """
    *expected*, which may be of 16 bits, as deep as *found*.
    """
    if np.array_equal(expected, found):
        return expected
    return np.asarray(expected // 257)


class TestEveryByte:
    def mask(self) -> tuple[NDArray[Any], bytes]:
        """
        A small mask, and its file.
        """
        rng = np.random.default_rng(3)
        colors = rng.integers(0, 256, (5, 3)).astype(np.uint8)
        image = colors[np.kron(rng.integers(0, 5, (6, 8)), np.ones((4, 4), int))]
        file = io.BytesIO()
        Image.fromarray(image).save(file, "png")
        return image, file.getvalue()

    @pytest.mark.usefixtures("kernel", "inflater")
    def test_cut(self) -> None:
        """
        A file cut anywhere is refused.
        """
        _, data = self.mask()
        for end in range(len(data)):
            with pytest.raises(PngError):
                read_pixels(open_png(data[:end]))

    @pytest.mark.usefixtures("kernel", "inflater")
    def test_changed(self) -> None:
        """
        A file with any one byte changed is refused.
        """
        _, data = self.mask()
        rng = np.random.default_rng(4)
        for place in range(len(data)):
            for flip in (1, 128, int(rng.integers(1, 256))):
                damaged = bytearray(data)
                damaged[place] ^= flip
                with pytest.raises(PngError):
                    read_pixels(open_png(bytes(damaged)))

    @pytest.mark.usefixtures("kernel", "inflater")
    def test_changed_with_good_checksums(self) -> None:
        """
        A change with right chunk checksums passes only if the stream's is right, too.
        """
        _, data = self.mask()
        opened = open_png(data)
        body = b"".join(opened.idat)
        for place in range(len(body)):
            damaged = bytearray(body)
            damaged[place] ^= 1 << place % 8
            again = data[:33] + chunk(b"IDAT", bytes(damaged)) + IEND
            try:
                read_pixels(open_png(again))
            except PngError:
                continue
            plain = zlib.decompress(bytes(damaged))
            assert zlib.adler32(plain).to_bytes(4, "big") == bytes(damaged[-4:])
