from __future__ import annotations

import io
import random
import struct
import threading
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from framekit.decoding.image.decode import Limits, decode_image, read_image_header
from framekit.errors import DecodeError, DecodeWarning, UnreadableMaskError
from framekit.palette import Palette

COLORS = [(10, 20, 30), (0, 0, 0), (200, 100, 0), (9, 8, 7), (250, 250, 250)]
PALETTE = Palette({color: f"label {n}" for n, color in enumerate(COLORS)})
IDS = np.kron(np.random.default_rng(2).integers(0, 5, (6, 8)), np.ones((5, 6), int))

pytestmark = pytest.mark.filterwarnings(
    "ignore::framekit.errors.DecodeWarning",
)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """
    A file, by Pillow.
    """
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _files() -> dict[str, bytes]:
    rgb = Image.fromarray(np.array(COLORS, np.uint8)[IDS])
    alpha = rgb.copy()
    alpha.putalpha(255)
    index = Image.frombytes("P", (48, 30), IDS.astype(np.uint8).tobytes())
    index.putpalette([channel for color in COLORS for channel in color])
    return {
        "rgb.png": encoded(rgb, "PNG"),
        "rgba.png": encoded(alpha, "PNG"),
        "palette.png": encoded(index, "PNG"),
        "rgb.bmp": encoded(rgb, "BMP"),
        "palette.bmp": encoded(index, "BMP"),
        "palette.gif": encoded(index, "GIF"),
        "raw.tiff": encoded(rgb, "TIFF"),
        "palette.tiff": encoded(index, "TIFF"),
        "lzw.tiff": encoded(rgb, "TIFF", compression="tiff_lzw"),
        "deflate.tiff": encoded(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "packbits.tiff": encoded(rgb, "TIFF", compression="packbits"),
        "lossless.webp": encoded(rgb, "WEBP", lossless=True),
        "lossy.webp": encoded(rgb, "WEBP", quality=95),
        "rgb.jpg": encoded(rgb, "JPEG", quality=95),
        "progressive.jpg": encoded(rgb, "JPEG", quality=95, progressive=True),
    }


FILES = _files()
PNGS = [name for name in FILES if name.endswith(".png")]


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """
    The chunks of a PNG file.
    """
    found, position = [], 8
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        body = data[position + 8 : position + 8 + length]
        found.append((data[position + 4 : position + 8], body))
        position += 12 + length
    return found


def assembled(parts: list[tuple[bytes, bytes]]) -> bytes:
    """
    A PNG file of chunks, with right checksums.
    """
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in parts:
        data += struct.pack(">I", len(body)) + name + body
        data += struct.pack(">I", zlib.crc32(name + body))
    return data


def refusal(data: bytes, **options: Any) -> str:
    """
    Why *data* is refused.
    """
    with pytest.raises(UnreadableMaskError) as caught:
        decode_image(io.BytesIO(data), PALETTE, uri="m", **options)
    assert caught.value.uri == "m"
    return caught.value.reason


class TestCut:
    @pytest.mark.parametrize("name", FILES)
    def test_every_tenth_byte(self, name: str) -> None:
        """
        A file cut anywhere is refused, whatever its format.
        """
        data = FILES[name]

        for stop in [*range(0, len(data), 10), len(data) - 1, len(data) - 2]:
            assert refusal(data[:stop])

    @pytest.mark.parametrize("name", PNGS)
    def test_every_byte(self, name: str) -> None:
        """
        A PNG is refused from the first byte missing at its end, IEND included.
        """
        data = FILES[name]

        for stop in range(len(data)):
            assert refusal(data[:stop])

    @pytest.mark.parametrize("name", FILES)
    def test_junk_at_the_end(self, name: str) -> None:
        """
        What follows the end changes no label, and is noted where it is seen.
        """
        data = FILES[name]

        whole = decode_image(io.BytesIO(data), PALETTE)
        longer = decode_image(io.BytesIO(data + b"junk"), PALETTE)

        assert np.array_equal(whole.ids, longer.ids)
        if not name.endswith(("bmp", "tiff")):
            assert any("4 bytes after the end" in note for note in longer.report.notes)

    def test_empty(self) -> None:
        """
        A file of no bytes, or of zeros, is no image.
        """
        assert refusal(b"") == "an empty file"
        assert refusal(bytes(1000)) == "no image of a known kind"


class TestFlips:
    @pytest.mark.parametrize("name", PNGS)
    def test_every_byte_of_a_png(self, name: str) -> None:
        """
        Whatever byte of a PNG changes, it is refused.
        """
        data = FILES[name]
        rng = random.Random(3)  # noqa: S311

        for place in range(len(data)):
            damaged = bytearray(data)
            damaged[place] ^= rng.randrange(1, 256)

            assert refusal(bytes(damaged))

    @pytest.mark.parametrize("name", FILES)
    def test_other_formats(self, name: str) -> None:
        """
        Other formats have no checksums; what is not refused is at least an image.
        """
        data = FILES[name]
        rng = random.Random(4)  # noqa: S311

        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(rng.choice((1, 1, 2, 8))):
                damaged[rng.randrange(len(data))] = rng.randrange(256)
            try:
                found = decode_image(io.BytesIO(bytes(damaged)), PALETTE)
            except DecodeError:
                continue
            assert found.ids.dtype == np.uint8
            assert found.ids.max() <= 4 or found.report.unknown_pixels

    def test_wrong_checksum(self) -> None:
        """
        A wrong checksum is refused in every chunk, those of no consequence too.
        """
        parts = chunks(FILES["rgb.png"])
        data = assembled([parts[0], (b"tEXt", b"a\0b"), *parts[1:]])

        for name in (b"IHDR", b"tEXt", b"IDAT", b"IEND"):
            position = data.index(name)
            (length,) = struct.unpack_from(">I", data, position - 4)
            damaged = bytearray(data)
            damaged[position + 4 + length] ^= 1

            assert refusal(bytes(damaged)) == (
                f"wrong checksum of {name.decode()} at byte {position - 4}"
            )

    @pytest.mark.parametrize("kind", ["rgb.png", "palette.png"])
    def test_damage_with_right_checksums(self, kind: str) -> None:
        """
        Compressed data that is damaged before its chunk was made is refused, too.
        """
        parts = dict(chunks(FILES[kind]))
        body = parts[b"IDAT"]
        rows = zlib.decompress(body)
        cases = {
            "cut": body[:-9],
            "checksum": body[:-1] + bytes([body[-1] ^ 1]),
            "fewer rows": zlib.compress(rows[: len(rows) // 2]),
            "more rows": zlib.compress(rows + rows[:200]),
            "a filter": zlib.compress(b"\7" + rows[1:]),
            "junk": body + b"junk",
        }

        for changed in cases.values():
            assert refusal(assembled(list((parts | {b"IDAT": changed}).items())))

    def test_no_retry(self) -> None:
        """
        Nothing that is refused is tried with a reader that is less strict.
        """
        data = bytearray(FILES["rgb.png"])
        data[data.index(b"IEND") + 5] ^= 1
        with Image.open(io.BytesIO(data)) as image:
            image.load()

        assert refusal(bytes(data)).startswith("wrong checksum of IEND")


class TestGif:
    @pytest.mark.parametrize("length", range(10))
    def test_damage_after_the_first_picture(self, length: int) -> None:
        """
        A second picture that breaks off is told of the header, too.
        """
        data = FILES["palette.gif"][:-1] + b"\x2c" + bytes(length)

        assert refusal(data).startswith("breaks off after")
        with pytest.raises(UnreadableMaskError):
            read_image_header(io.BytesIO(data))

    def test_warnings_stay_in(self) -> None:
        """
        A picture larger than its screen is refused, and Pillow does not warn.
        """
        data = bytearray(FILES["palette.gif"])
        place = data.index(b"\x2c\0\0\0\0")
        struct.pack_into("<HH", data, place + 5, 40000, 40000)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert refusal(bytes(data))
        assert caught == []


class TestNames:
    @pytest.mark.parametrize("suffix", ["png", "jpg", "mp4", "txt", ""])
    @pytest.mark.parametrize("name", ["rgb.png", "palette.gif", "raw.tiff"])
    def test_wrong_extension(self, tmp_path: Any, name: str, suffix: str) -> None:
        """
        The name of a file decides nothing.
        """
        path = tmp_path / f"mask.{suffix}"
        path.write_bytes(FILES[name])

        assert np.array_equal(decode_image(path, PALETTE).ids, IDS)

    def test_other_kinds(self) -> None:
        """
        What is no image, or an image of another format, is refused.
        """
        image = Image.new("RGB", (8, 8))

        for format in ("PPM", "TGA", "ICO", "PDF", "EPS"):
            assert refusal(encoded(image, format)) == "no image of a known kind"
        assert refusal(b"RIFF\x10\0\0\0AVI LIST") == "no image of a known kind"


class TestSizes:
    @pytest.mark.parametrize(
        ("width", "height", "reason"),
        [
            (60000, 60000, "60000x60000 pixels, the limit is 16384 a side"),
            (16384, 16384, "16384x16384 pixels take 805306368 bytes"),
            (5000, 5000, "claims 5000x5000 pixels, more than"),
            (0, 5, "a size of 0x5 pixels"),
        ],
    )
    def test_png(self, width: int, height: int, reason: str) -> None:
        """
        A size that is too large, or larger than the data, is refused unread.
        """
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        parts = dict(chunks(FILES["rgb.png"])) | {b"IHDR": header}

        assert refusal(assembled(list(parts.items()))).startswith(reason)

    def test_bomb(self) -> None:
        """
        A PNG that inflates to more than its size says is stopped.
        """
        parts = dict(chunks(FILES["rgb.png"]))
        parts[b"IDAT"] = zlib.compress(bytes(50 << 20), 9)

        assert "more than" in refusal(assembled(list(parts.items())))

    @pytest.mark.parametrize("name", ["rgb.bmp", "palette.gif", "raw.tiff", "rgb.jpg"])
    def test_other_formats(self, name: str) -> None:
        """
        Sizes of other formats are held against the limits, too.
        """
        reason = refusal(FILES[name], limits=Limits(max_side=47))

        assert reason == "48x30 pixels, the limit is 47 a side"

    @pytest.mark.parametrize("name", ["rgb.png", "palette.gif", "lossless.webp"])
    def test_bytes(self, name: str) -> None:
        """
        So is the memory that the pixels take, in every format.
        """
        reason = refusal(FILES[name], limits=Limits(max_bytes=1000))

        assert reason.startswith("48x30 pixels take")

    def test_large_bmp(self) -> None:
        """
        A header that claims much is refused before any pixel is looked for.
        """
        data = bytearray(FILES["rgb.bmp"])
        struct.pack_into("<ii", data, 18, 2**31 - 1, -(2**31) + 1)

        assert refusal(bytes(data)).endswith("the limit is 16384 a side")

    def test_large_file(self) -> None:
        """
        A file larger than its pixels may be is not read on.
        """
        data = FILES["rgb.png"] + bytes(5000)

        assert refusal(data, limits=Limits(max_bytes=4500)) == (
            "a file of more than 4500 bytes"
        )


class TestPillow:
    def test_no_state_is_changed(self) -> None:
        """
        Pillow's switches are as they were, and are not relied on.
        """
        before = (
            Image.MAX_IMAGE_PIXELS,
            ImageFile.LOAD_TRUNCATED_IMAGES,
            dict(Image.OPEN),
            warnings.filters[:],
        )

        for data in FILES.values():
            decode_image(io.BytesIO(data), PALETTE)

        after = (
            Image.MAX_IMAGE_PIXELS,
            ImageFile.LOAD_TRUNCATED_IMAGES,
            dict(Image.OPEN),
            warnings.filters[:],
        )
        assert after == before

    @pytest.mark.parametrize("name", FILES)
    def test_truncated_images_of_others(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Who lets Pillow load truncated images does not thereby let us.
        """
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
        assert refusal(FILES[name][:-20])

    def test_warnings_stay_in(self) -> None:
        """
        A TIFF file with odd tags decodes without a word.
        """
        rgb = Image.fromarray(np.array(COLORS, np.uint8)[IDS])
        data = bytearray(encoded(rgb, "TIFF", tiffinfo={305: "framekit"}))
        place = data.index(b"\x31\x01\x02\0")
        struct.pack_into("<II", data, place + 4, 4000, len(data) - 3)

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.array_equal(
                decode_image(io.BytesIO(bytes(data)), PALETTE).ids, IDS
            )

    def test_broken_files(self) -> None:
        """
        What a file object raises becomes a StorageError.
        """

        class Broken(io.BytesIO):
            def read(self, *_: Any) -> bytes:
                raise RuntimeError("the line is dead")

        with pytest.raises(OSError, match="the line is dead"):
            decode_image(Broken(), PALETTE)

    def test_headers(self) -> None:
        """
        Reading headers of damaged files raises nothing else.
        """
        rng = random.Random(5)  # noqa: S311

        for data in FILES.values():
            for _ in range(60):
                damaged = bytearray(data[: rng.randrange(1, len(data))])
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
                try:
                    read_image_header(io.BytesIO(bytes(damaged)))
                except UnreadableMaskError:
                    continue

    def test_threads(self) -> None:
        """
        Threads decode at the same time, and none disturbs another.
        """
        wrong: list[str] = []

        def work() -> None:
            for name, data in FILES.items():
                if name.endswith(("jpg", "lossy.webp")):
                    continue
                if not np.array_equal(decode_image(io.BytesIO(data), PALETTE).ids, IDS):
                    wrong.append(name)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []


def test_lossy_warning_names_the_file() -> None:
    """
    The warning of a lossy file points at the caller.
    """
    with pytest.warns(DecodeWarning) as caught:
        decode_image(io.BytesIO(FILES["rgb.jpg"]), PALETTE, uri="m.jpg")

    assert caught[0].filename == __file__
