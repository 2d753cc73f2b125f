from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from framekit.decoding.image.decode import (
    ImageHeader,
    decode_image,
    is_image,
    read_image_header,
)
from framekit.decoding.image.reading import png_pixels
from framekit.decoding.png.chunks import open_png
from framekit.decoding.report import DecodeReport
from framekit.errors import MissingFileError, StorageError, UnreadableMaskError
from framekit.palette import Palette, PaletteEntry
from framekit.storage import Storage

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the shared data is absent")

COLORS = [(10, 20, 30), (0, 0, 0), (200, 100, 0), (9, 8, 7), (250, 250, 250)]
PALETTE = Palette({color: f"label {n}" for n, color in enumerate(COLORS)})
GRAYS = Palette({(v, v, v): f"gray {v}" for v in (0, 85, 170, 255)})
VALUES = Palette.indexed({0: "zero", 1: "one", 2: "two", 3: "three"})


def blocks(labels: int, seed: int = 1) -> NDArray[np.uint8]:
    """
    Ids in 5x6 blocks, (30, 42).
    """
    few = np.random.default_rng(seed).integers(0, labels, (6, 7))
    return np.kron(few, np.ones((5, 6), int)).astype(np.uint8)


def encoded(image: Image.Image, format: str, **options: Any) -> io.BytesIO:
    """
    A file in memory, by Pillow.
    """
    file = io.BytesIO()
    image.save(file, format, **options)
    file.seek(0)
    return file


def paletted(ids: NDArray[np.uint8], colors: Sequence[tuple[int, ...]]) -> Image.Image:
    """
    A palette image of *ids*.
    """
    image = Image.frombytes("P", ids.shape[::-1], ids.tobytes())
    image.putpalette([channel for color in colors for channel in color])
    return image


def chunk(name: bytes, body: bytes) -> bytes:
    """
    A PNG chunk.
    """
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


def raw_png(
    width: int,
    height: int,
    depth: int,
    color_type: int,
    rows: bytes,
    *extra: tuple[bytes, bytes],
) -> io.BytesIO:
    """
    A PNG file of *rows*, which have their filter bytes, and *extra* chunks.
    """
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    middle = b"".join(chunk(*pair) for pair in extra)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle
    return io.BytesIO(data + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class TestKinds:
    ids = blocks(5)
    rgb = np.array(COLORS, np.uint8)[ids]

    @pytest.mark.parametrize(
        ("format", "options"),
        [
            ("PNG", {}),
            ("BMP", {}),
            ("TIFF", {}),
            ("TIFF", {"compression": "tiff_lzw"}),
            ("TIFF", {"compression": "tiff_adobe_deflate"}),
            ("TIFF", {"compression": "packbits"}),
            ("WEBP", {"lossless": True}),
        ],
    )
    @pytest.mark.parametrize("alpha", [False, True])
    def test_rgb(self, format: str, options: dict[str, Any], alpha: Any) -> None:
        """
        RGB and RGBA of every lossless format decode to every pixel.
        """
        opacity = np.full((*self.ids.shape, 1), 255, np.uint8)
        pixels = np.concatenate([self.rgb, opacity], axis=2) if alpha else self.rgb
        file = encoded(Image.fromarray(pixels), format, **options)

        found = decode_image(file, PALETTE)

        assert np.array_equal(found.ids, self.ids)
        assert found.ids.dtype == np.uint8
        assert found.report == DecodeReport(exact=True, lossless=True)

    @pytest.mark.parametrize("format", ["PNG", "BMP", "GIF", "TIFF"])
    @pytest.mark.parametrize("indexed", [False, True])
    def test_palette_image(self, format: str, indexed: Any) -> None:
        """
        A palette image is read by color or, with an indexed palette, by index.
        """
        palette = Palette.indexed(dict(enumerate("abcde"))) if indexed else PALETTE
        found = decode_image(encoded(paletted(self.ids, COLORS), format), palette)

        assert np.array_equal(found.ids, self.ids)
        assert found.report == DecodeReport(exact=True, lossless=True)

    @pytest.mark.parametrize("top_down", [False, True])
    def test_bmp_with_alpha(self, top_down: Any) -> None:
        """
        BMP has alpha where its masks say so; rows may start at either end.
        """
        pixels = np.array([[(*COLORS[0], 0), (*COLORS[2], 9)], [(*COLORS[3], 7)] * 2])
        rows = pixels[:, :, [2, 1, 0, 3]].astype(np.uint8)
        rows = rows if top_down else rows[::-1]
        sizes = struct.pack(
            "<IiiHHIIiiII", 56, 2, -2 if top_down else 2, 1, 32, 3, *(0,) * 5
        )
        masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        head = struct.pack("<2sIII", b"BM", 70 + 16, 0, 70)
        data = head + sizes + masks + rows.tobytes()

        ignored = decode_image(io.BytesIO(data), PALETTE)
        heeded = decode_image(io.BytesIO(data), PALETTE, alpha="void")

        assert ignored.ids.tolist() == [[0, 2], [3, 3]]
        assert heeded.ids.tolist() == [[255, 2], [3, 3]]

    @pytest.mark.parametrize("colors", [2, 4, 16])
    def test_bmp_with_a_gray_table(self, colors: int) -> None:
        """
        Of a BMP image whose table is gray, indices stay indices at every depth.
        """
        ids = blocks(2)
        table = [(255 * n // (colors - 1),) * 3 for n in range(colors)]
        header = struct.pack("<IiiHHIIiiII", 40, 42, 30, 1, 8, 0, 0, 0, 0, colors, 0)
        body = header + b"".join(bytes((*color, 0)) for color in table)
        offset = 14 + len(body)
        rows = np.pad(ids, ((0, 0), (0, 2)))[::-1].tobytes()
        file = struct.pack("<2sIII", b"BM", offset + len(rows), 0, offset)

        found = decode_image(io.BytesIO(file + body + rows), VALUES)

        assert np.array_equal(found.ids, ids)

    @pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
    @pytest.mark.parametrize("format", ["PNG", "TIFF"])
    def test_gray(self, mode: str, format: str) -> None:
        """
        Gray is a pixel value for an indexed palette, else the color (v, v, v).
        """
        ids = blocks(4)
        gray = (ids * 85).astype(np.uint16 if mode == "I;16" else np.uint8)
        image = Image.fromarray(gray)
        if mode == "LA":
            image.putalpha(255)
        values = Palette.indexed({0: "a", 85: "b", 170: "c", 255: "d"})

        by_color = decode_image(encoded(image, format), GRAYS)
        by_value = decode_image(encoded(image, format), values)

        assert np.array_equal(by_color.ids, ids)
        assert np.array_equal(by_value.ids, ids)

    @pytest.mark.parametrize("depth", [1, 2, 4])
    def test_gray_of_few_bits(self, depth: int) -> None:
        """
        Gray of 1, 2 or 4 bits: the sample is the value, the color is what it shows.
        """
        largest = (1 << depth) - 1
        rows = b"\0" + bytes([largest << (8 - depth)])
        values = Palette.indexed({0: "dark", largest: "light"})
        colors = Palette({(0, 0, 0): "dark", (255, 255, 255): "light"})

        for palette in (values, colors):
            found = decode_image(raw_png(2, 1, depth, 0, rows), palette)

            assert found.ids.tolist() == [[1, 0]]

    def test_gray_of_16_bits(self) -> None:
        """
        16-bit values are kept whole, and reported whole where they are unknown.
        """
        values = np.array([[0, 300, 44, 26001, 65535]], np.uint16)
        file = encoded(Image.fromarray(values), "PNG")
        palette = Palette.indexed({0: "a", 300: "b", 26001: "c"})

        found = decode_image(file, palette)

        assert found.ids.tolist() == [[0, 1, 255, 2, 255]]
        assert found.report.unknown_colors == (
            ((44, 44, 44), 1, (2, 0, 3, 1)),
            ((255, 255, 0), 1, (4, 0, 5, 1)),
        )

    def test_gray_of_16_bits_by_color(self) -> None:
        """
        Beyond 255 a gray value is no color: it does not wrap around.
        """
        values = np.array([[85, 256, 65535, 341, 255]], np.uint16)

        found = decode_image(encoded(Image.fromarray(values), "PNG"), GRAYS)

        assert found.ids.tolist() == [[1, 255, 255, 255, 3]]
        assert found.report.unknown_pixels == 3

    def test_color_of_16_bits(self) -> None:
        """
        16-bit color is read where it is 8-bit color scaled, and refused elsewhere.
        """
        pixels = np.array([COLORS[0], COLORS[2]], np.uint16) * 257
        rows = b"\0" + pixels.astype(">u2").tobytes()
        off = rows[:-1] + b"\1"

        found = decode_image(raw_png(2, 1, 16, 2, rows), PALETTE)
        with pytest.raises(UnreadableMaskError) as caught:
            decode_image(raw_png(2, 1, 16, 2, off), PALETTE, uri="m.png")

        assert found.ids.tolist() == [[0, 2]]
        assert caught.value == UnreadableMaskError(
            "m.png", "16-bit colors that no 8-bit value stands for"
        )

    def test_ids_of_24_bits(self) -> None:
        """
        With an indexed palette RGB is the number R + 256 G + 65536 B.
        """
        rgb = np.array([[(1, 0, 0), (0, 1, 0), (0, 0, 1), (3, 2, 1)]], np.uint8)
        palette = Palette.indexed({1: "a", 256: "b", 65536: "c"})

        found = decode_image(encoded(Image.fromarray(rgb), "PNG"), palette)

        assert found.ids.tolist() == [[0, 1, 2, 255]]
        assert found.report.unknown_colors == (((3, 2, 1), 1, (3, 0, 4, 1)),)

    def test_large_ids(self) -> None:
        """
        Ids of 255 and above make the map int32, with void -1.
        """
        palette = Palette(
            [PaletteEntry(id=70000, color=COLORS[0], labels="a")],
        )

        found = decode_image(encoded(Image.fromarray(self.rgb), "PNG"), palette)

        assert found.ids.dtype == np.int32
        assert np.array_equal(found.ids, np.where(self.ids == 0, 70000, -1))

    def test_void_entries(self) -> None:
        """
        The color of a void entry is void, and not unknown.
        """
        void = PaletteEntry(color=COLORS[1], void=True)
        palette = Palette([PaletteEntry(color=COLORS[0], labels="a"), void])
        rgb = np.array([[COLORS[0], COLORS[1], COLORS[2]]], np.uint8)
        file = encoded(Image.fromarray(rgb), "PNG").getvalue()

        found = decode_image(io.BytesIO(file), palette)
        near = decode_image(io.BytesIO(file), palette, unknown="nearest")

        assert found.ids.tolist() == [[0, 255, 255]]
        assert found.report.unknown_colors == ((COLORS[2], 1, (2, 0, 3, 1)),)
        assert near.ids.tolist() == [[0, 255, 0]]

    def test_an_id_that_no_pixel_can_have(self) -> None:
        """
        The type of the map depends on the palette, not on the colors found.
        """
        entries = [
            PaletteEntry(id=1, color=COLORS[0], labels="a"),
            PaletteEntry(id=900, color=(-1, 1, 255), labels="never"),
        ]

        found = decode_image(
            encoded(Image.fromarray(self.rgb), "PNG"), Palette(entries)
        )

        assert found.ids.dtype == np.int32
        assert np.array_equal(found.ids, np.where(self.ids == 0, 1, -1))

    def test_gamma_and_profiles_change_nothing(self) -> None:
        """
        Values are taken as stored, and the report says that something was ignored.
        """
        row = b"\0" + bytes(COLORS[2])
        gamma = (b"gAMA", struct.pack(">I", 45455))

        found = decode_image(raw_png(1, 1, 8, 2, row, gamma), PALETTE)

        assert found.ids.tolist() == [[2]]
        assert found.report.notes == ("gAMA ignored: values are taken as stored",)

    @pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP"])
    def test_several_pictures(self, format: str) -> None:
        """
        Of several pictures the first is read, and the report says so.
        """
        first, second = paletted(self.ids, COLORS), paletted(blocks(5, 2), COLORS)
        if format == "WEBP":
            first, second = first.convert("RGB"), second.convert("RGB")
        options: Any = {"save_all": True, "append_images": [second]}
        options |= {"lossless": True} if format == "WEBP" else {}

        found = decode_image(encoded(first, format, **options), PALETTE)

        assert np.array_equal(found.ids, self.ids)
        assert found.report.notes == ("several pictures: only the first is read",)

    def test_orientation(self) -> None:
        """
        A TIFF image that says it lies on its side is turned, and that is noted.
        """
        file = encoded(Image.fromarray(self.rgb), "TIFF", tiffinfo={274: 6})

        found = decode_image(file, PALETTE)

        assert np.array_equal(found.ids, np.rot90(self.ids, -1))
        assert found.report.notes == ("turned upright, as its orientation 6 says",)


class TestInputs:
    def test_paths_and_files(self, tmp_path: Path) -> None:
        """
        A path, its text and a binary file decode alike.
        """
        path = tmp_path / "mask.png"
        Image.fromarray(np.array([[COLORS[2]]], np.uint8)).save(path)

        with path.open("rb") as file:
            maps = [decode_image(x, PALETTE) for x in (path, str(path), file)]

        assert [found.ids.tolist() for found in maps] == [[[2]]] * 3

    def test_content_decides(self, tmp_path: Path) -> None:
        """
        A suffix that lies changes nothing.
        """
        path = tmp_path / "mask.jpg"
        path.write_bytes(encoded(Image.fromarray(TestKinds.rgb), "BMP").getvalue())

        assert np.array_equal(decode_image(path, PALETTE).ids, TestKinds.ids)

    def test_storage(self, tmp_path: Path) -> None:
        """
        Paths are opened by the storage, within its bounds.
        """
        (tmp_path / "in").mkdir()
        Image.fromarray(TestKinds.rgb).save(tmp_path / "in" / "mask.png")
        storage = Storage(tmp_path / "in")

        found = decode_image("mask.png", PALETTE, storage=storage)

        assert np.array_equal(found.ids, TestKinds.ids)
        with pytest.raises(StorageError):
            decode_image("../out.png", PALETTE, storage=storage)

    def test_missing(self, tmp_path: Path) -> None:
        """
        A file that is not there is a FileNotFoundError, too.
        """
        with pytest.raises(MissingFileError):
            decode_image(tmp_path / "no.png", PALETTE)


class TestHeader:
    @pytest.mark.parametrize(
        ("image", "format", "mode", "depth"),
        [
            (Image.new("RGB", (7, 5)), "PNG", "rgb", 8),
            (Image.new("RGBA", (7, 5)), "PNG", "rgba", 8),
            (Image.new("LA", (7, 5)), "PNG", "gray+alpha", 8),
            (Image.new("1", (7, 5)), "PNG", "gray", 1),
            (Image.new("I;16", (7, 5)), "PNG", "gray", 16),
            (Image.new("I;16", (7, 5)), "TIFF", "gray", 16),
            (Image.new("RGB", (7, 5)), "TIFF", "rgb", 8),
            (Image.new("RGB", (7, 5)), "JPEG", "rgb", 8),
            (Image.new("RGB", (7, 5)), "WEBP", "rgb", 8),
            (Image.new("RGB", (7, 5)), "BMP", "rgb", 8),
            (Image.new("L", (7, 5)), "BMP", "palette", 8),
        ],
    )
    def test_header(
        self, image: Image.Image, format: str, mode: str, depth: int
    ) -> None:
        """
        Size and kind are read from the header, and the file is put back.
        """
        file = encoded(image, format)
        name = format.lower()

        found = read_image_header(file)

        assert found == ImageHeader(name, f"image/{name}", 7, 5, mode, depth)
        assert file.tell() == 0

    def test_animation(self) -> None:
        """
        That there are several pictures is told, how many is not counted.
        """
        options: Any = {"save_all": True, "append_images": [Image.new("L", (7, 5), 9)]}
        file = encoded(Image.new("L", (7, 5)), "GIF", **options)

        assert read_image_header(file).frames is None

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "an empty file"),
            (b"hello", "no image of a known kind"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "breaks off after 16 bytes"),
            (b"BM" + bytes(12) + b"\x28\0\0\0", "breaks off after 18 bytes"),
        ],
    )
    def test_damaged(self, data: bytes, reason: str) -> None:
        """
        A header that cannot be read is an error with the file's name.
        """
        with pytest.raises(UnreadableMaskError) as caught:
            read_image_header(io.BytesIO(data), uri="m.png")

        assert caught.value == UnreadableMaskError("m.png", reason)

    def test_sniffing(self) -> None:
        """
        The first bytes tell the kind; a text that starts with BM is no image.
        """
        image = Image.new("RGB", (3, 3))
        formats = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
        heads = {f: encoded(image, f).getvalue()[:32] for f in formats}

        found = {format: is_image(head) for format, head in heads.items()}

        assert found == {format: f"image/{format.lower()}" for format in formats}
        assert is_image(b"BMW is a maker of cars and of motorcycles.") is None
        assert is_image(b"") is None


@needs_data
class TestPngSuite:
    truth: Any = np.load(DATA / "pngsuite/truth_rgba.npz") if DATA.exists() else {}
    names = sorted(p.stem for p in (DATA / "pngsuite").glob("*.png"))

    @pytest.mark.parametrize("name", [name for name in names if name[0] != "x"])
    def test_pixels(self, name: str) -> None:
        """
        Every pixel of every kind of PNG, all 16 bits and alpha included.
        """
        png = open_png((DATA / "pngsuite" / f"{name}.png").read_bytes())
        found = png_pixels(png, alpha=True)
        truth = self.truth[name]
        rgb = found.samples
        if found.palette is not None:
            rgb = found.palette[rgb]
        elif rgb.ndim == 2:
            scale = 255 // ((1 << found.depth) - 1) if found.depth < 8 else 1
            rgb = np.repeat(rgb[:, :, None] * scale, 3, axis=2)

        assert np.array_equal(rgb, truth[:, :, :3])
        opaque = np.full(rgb.shape[:2], truth[:, :, 3].max())
        alpha = opaque if found.alpha is None else found.alpha
        assert np.array_equal(alpha == 0, truth[:, :, 3] == 0)
        if png.header.color_type in (4, 6):
            assert np.array_equal(alpha, truth[:, :, 3])

    @pytest.mark.parametrize("name", [name for name in names if name[0] == "x"])
    @pytest.mark.parametrize("unknown", ["void", "nearest"])
    def test_corrupt(self, name: str, unknown: Any) -> None:
        """
        All corrupt files are refused, the one with a wrong checksum included.
        """
        with pytest.raises(UnreadableMaskError):
            decode_image(DATA / "pngsuite" / f"{name}.png", PALETTE, unknown=unknown)


def entries(path: Path, *, color: bool, index: bool) -> list[PaletteEntry]:
    """
    The rows of a table of the shared data.
    """
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        PaletteEntry(
            id=row["id"],
            color=tuple(row["color"]) if color else None,
            index=row["id"] if index else None,
            labels=row["name"],
        )
        for row in rows
        if row["id"] >= 0 and row["name"] != "__ignore__"
    ]


def array_of(path: Path) -> NDArray[Any]:
    """
    The pixels of a PNG file, by Pillow.
    """
    with Image.open(path) as image:
        return np.asarray(image)


@needs_data
class TestRealMasks:
    def test_camvid(self) -> None:
        """
        The color masks, decoded with the table, equal the independent index masks.
        """
        table = DATA / "camvid/table.json"
        colors = Palette(entries(table, color=True, index=False))
        values = Palette.indexed(entries(table, color=False, index=True))

        for path in sorted((DATA / "camvid").glob("*_color.png")):
            index = path.with_name(path.name.replace("color", "index"))
            by_color = decode_image(path, colors)
            by_value = decode_image(index, values)

            assert np.array_equal(by_color.ids, array_of(index))
            assert np.array_equal(by_value.ids, array_of(index))
            assert by_color.report == by_value.report
            assert by_color.report == DecodeReport(exact=True, lossless=True)

    @pytest.mark.parametrize("kind", ["class", "object"])
    def test_voc(self, kind: str) -> None:
        """
        The indices equal the truth, and so do the colors.
        """
        table = DATA / "voc/table.json"
        values = Palette.indexed(entries(table, color=False, index=True))
        colors = Palette(entries(table, color=True, index=False))

        for path in sorted((DATA / "voc" / kind).glob("*.png")):
            truth = np.load(DATA / f"voc/truth/{path.stem}_{kind}.npz")["ids"]
            by_index = decode_image(path, values)
            by_color = decode_image(path, colors)

            for found in (by_index, by_color):
                void = found.ids == found.void
                assert np.array_equal(np.where(void, -1, found.ids.astype(int)), truth)
                assert found.report.unknown_pixels == (truth == -1).sum()

    def test_cityscapes(self) -> None:
        """
        Ids of 16 bits agree with those of 8 bits, and with the colors.
        """
        table = DATA / "cityscapes/labels.json"
        rows = entries(table, color=True, index=False)
        colors = Palette(rows, shared="first")
        by_id = {entry.id: entry for entry in rows}

        for path in sorted((DATA / "cityscapes").glob("*_labelIds.png")):
            labels = array_of(path)
            stem = path.name.removesuffix("labelIds.png")
            wide = array_of(path.with_name(f"{stem}instanceIds.png")).astype(np.int32)
            instances = Palette.indexed({int(v): f"{v}" for v in np.unique(wide)})

            found = decode_image(path.with_name(f"{stem}instanceIds.png"), instances)
            color = decode_image(path.with_name(f"{stem}color.png"), colors)

            values = np.array([entry.index for entry in instances])[found.ids]
            assert np.array_equal(values, wide)
            classes = np.where(values >= 1000, values // 1000, values)
            assert np.array_equal(classes, labels)
            painted = np.array([by_id[i].color for i in range(34)])
            assert np.array_equal(color.to_rgb(), painted[labels])

    def test_coco_panoptic(self) -> None:
        """
        The area and the bounding box of every segment are those in the JSON.
        """
        document = json.loads((DATA / "coco_panoptic/val6/panoptic.json").read_text())

        for annotation in document["annotations"]:
            segments = annotation["segments_info"]
            palette = Palette.indexed({s["id"]: f"{s['id']}" for s in segments})
            path = DATA / "coco_panoptic/val6" / annotation["file_name"]
            found = decode_image(path, palette)

            areas = {s["id"]: s["area"] for s in segments}
            assert {int(k): n for k, n in found.areas.items()} == areas
            for segment in segments:
                rows, columns = np.nonzero(found.mask(str(segment["id"])))
                x, y = int(columns.min()), int(rows.min())
                width, height = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
                assert [x, y, width, height] == segment["bbox"]

    def test_cvat(self) -> None:
        """
        Every pixel has a color of the labelmap.
        """
        lines = (DATA / "cvat/labelmap.txt").read_text().splitlines()[1:]
        colors = {
            tuple(map(int, line.split(":")[1].split(","))): line.split(":")[0]
            for line in lines
            if line
        }

        for path in sorted((DATA / "cvat/SegmentationClass").glob("*.png")):
            found = decode_image(path, Palette(colors))

            assert found.report == DecodeReport(exact=True, lossless=True)

    def test_isaid(self) -> None:
        """
        Each instance has one class.
        """
        colors = Palette(entries(DATA / "isaid/table.json", color=True, index=False))
        classes = decode_image(DATA / "isaid/P0002_instance_color_RGB.png", colors)
        pixels = array_of(DATA / "isaid/P0002_instance_id_RGB.png")[:, :, :3]
        numbers = pixels.astype(np.int64) @ np.array([1, 256, 65536])
        palette = Palette.indexed({int(v): f"{v}" for v in np.unique(numbers)})

        instances = decode_image(DATA / "isaid/P0002_instance_id_RGB.png", palette)

        assert classes.report.unknown_pixels == instances.report.unknown_pixels == 0
        for entry in palette:
            if entry.index:
                assert len(np.unique(classes.ids[instances.mask(entry.name)])) == 1
