"""
Labels from RGB, YUV and gray: exact where the file is, honest where it is not.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from av.video.reformatter import Colorspace
from numpy.typing import NDArray
from PIL import Image

from framekit.decoding.report import DecodeReport
from framekit.decoding.video.mask_video import MaskVideo
from framekit.errors import DecodeWarning, PaletteError
from framekit.palette import Palette
from tests.clips import COLORS, PALETTE, encode, paint, scene, x264

SCENE = scene(5)
PICTURES = [paint(ids) for ids in SCENE]


def labels(
    clip: bytes, palette: Palette = PALETTE, **options: Any
) -> tuple[list[NDArray[Any]], DecodeReport]:
    """
    All ids of a clip, and the report of the first frame.
    """
    items = list(MaskVideo(io.BytesIO(clip), palette, uri="clip", **options))
    return [item.label_map.ids for item in items], items[0].label_map.report


def error(
    found: Sequence[NDArray[Any]], truth: Sequence[NDArray[Any]] = SCENE
) -> float:
    """
    The share of wrong pixels, in percent.
    """
    pairs = zip(found, truth, strict=True)
    return 100 * float(np.mean([(ids != true).mean() for ids, true in pairs]))


class TestLossless:
    @pytest.mark.parametrize(
        ("codec", "pixel_format", "container", "options"),
        [
            ("libx264rgb", "rgb24", "mp4", {"qp": "0"}),
            ("libx264", "yuv444p", "mp4", {"qp": "0"}),
            ("ffv1", "bgr0", "matroska", {}),
            ("qtrle", "rgb24", "mov", {}),
            ("png", "rgb24", "mov", {}),
            ("png", "rgb48be", "mov", {}),
            ("png", "rgba", "mov", {}),
            ("huffyuv", "bgra", "avi", {}),
            ("utvideo", "gbrp", "avi", {}),
            ("rawvideo", "bgr24", "avi", {}),
            ("apng", "rgb24", "apng", {}),
            ("libvpx-vp9", "gbrp", "webm", {"lossless": "1"}),
            (
                "libx265",
                "gbrp",
                "mp4",
                {"x265-params": "lossless=1:log-level=none:pools=1"},
            ),
            ("ffv1", "rgb48le", "matroska", {}),
        ],
    )
    def test_no_wrong_pixel(
        self, codec: str, pixel_format: str, container: str, options: dict[str, str]
    ) -> None:
        """
        What keeps RGB decodes without a wrong pixel, and the report knows.
        """
        clip = encode(
            PICTURES, codec, pixel_format, container=container, options=options
        )

        found, report = labels(clip)

        assert error(found) == 0
        if pixel_format != "yuv444p":
            assert (report.exact, report.lossless, report.matrix) == (True, True, None)
        assert report.unknown_pixels == 0

    def test_gif(self) -> None:
        """
        GIF files with a palette are exact.
        """
        images = [Image.fromarray(ids) for ids in SCENE]
        for image in images:
            image.putpalette(np.array(COLORS, np.uint8).tobytes())
        file = io.BytesIO()
        images[0].save(
            file, "gif", save_all=True, append_images=images[1:], duration=50, loop=0
        )

        found, report = labels(file.getvalue())

        assert error(found) == 0
        assert (report.exact, report.lossless) == (True, True)

    def test_order_of_planes(self) -> None:
        """
        Planar RGB is G, B, R: the pure colors are told apart.
        """
        pure = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
        palette = Palette(dict(zip(pure, "rgb", strict=True)))
        truth = [ids % 3 for ids in SCENE]
        clip = encode([paint(ids, pure) for ids in truth], options={"qp": "0"})

        assert error(labels(clip, palette)[0], truth) == 0

    def test_colors_one_level_apart(self) -> None:
        """
        Lossless RGB keeps neighbors apart, and warns of nothing.
        """
        near = tuple((100 + n, 100, 100) for n in range(9))
        palette = Palette({color: str(n) for n, color in enumerate(near)})
        clip = encode([paint(ids, near) for ids in SCENE], options={"qp": "0"})

        assert error(labels(clip, palette)[0]) == 0

    def test_almost_lossless(self) -> None:
        """
        4:4:4 of quality 0 has no exact color and not one wrong pixel.
        """
        clip = encode(
            PICTURES, codec="libx264", pixel_format="yuv444p", options={"crf": "0"}
        )

        found, report = labels(clip)

        assert error(found) == 0
        assert report.exact is False

    def test_one_color_proves_nothing(self) -> None:
        """
        A first frame of one color does not make a lossy stream lossless.
        """
        black = np.zeros_like(SCENE[0])
        clip = encode([paint(ids) for ids in [black, *SCENE]], **x264(crf="30"))

        found, report = labels(clip)

        assert report.lossless is False
        assert error(found, [black, *SCENE]) < 2


class TestColorspace:
    @pytest.mark.parametrize("tagged", [True, False])
    @pytest.mark.parametrize(
        ("name", "number", "matrix"),
        [("ITU601", 5, "bt601"), ("ITU709", 1, "bt709"), ("BT2020", 9, "bt2020")],
    )
    @pytest.mark.parametrize("kind", ["MPEG", "JPEG"])
    def test_found(
        self,
        name: str,
        number: int,
        matrix: str,
        kind: str,
        tagged: bool,  # noqa: FBT001
    ) -> None:
        """
        Matrix and range are found from the palette where tags are missing.
        """
        if name not in Colorspace.__members__:
            pytest.skip("this PyAV cannot write it")
        full = kind == "JPEG"
        clip = encode(
            PICTURES,
            **x264(crf="10"),
            convert={"dst_colorspace": name, "dst_color_range": kind},
            tags=(number, 2 if full else 1) if tagged else (2, 0),
        )

        found, report = labels(clip)

        assert (report.matrix, report.full_range) == (matrix, full)
        known = tagged or (matrix, full) == ("bt601", False)
        expected = "tag" if tagged else "default" if known else "palette"
        assert report.colorspace_reason == expected
        assert report.residual is not None
        assert report.residual < 2.5
        assert error(found) < 1

    def test_wrong_tags(self) -> None:
        """
        Tags that the palette contradicts are overruled, with a warning.
        """
        clip = encode(
            PICTURES,
            **x264(crf="10"),
            convert={"dst_colorspace": "ITU709", "dst_color_range": "MPEG"},
            tags=(5, 1),
        )

        with pytest.warns(DecodeWarning, match="the palette fits bt709 limited"):
            _, report = labels(clip)

        assert (report.matrix, report.colorspace_reason) == ("bt709", "palette")

    def test_on_request(self) -> None:
        """
        ``tag`` keeps what the file says and warns if it fits badly; a pair is given.
        """
        clip = encode(
            PICTURES,
            **x264(crf="10"),
            convert={"dst_colorspace": "ITU709", "dst_color_range": "MPEG"},
            tags=(2, 0),
        )

        with pytest.warns(DecodeWarning, match="colorspace-doubtful"):
            _, tag = labels(clip, colorspace="tag")
        _, given = labels(clip, colorspace=("bt709", "limited"))

        assert (tag.matrix, tag.colorspace_reason) == ("bt601", "default")
        assert tag.residual is not None
        assert tag.residual > 3
        assert (given.matrix, given.colorspace_reason) == ("bt709", "given")

    def test_black_and_white(self) -> None:
        """
        Black and white tell no matrix, but the range.
        """
        colors = ((0, 0, 0), (255, 255, 255))
        truth = [(ids > 0).astype(np.uint8) for ids in SCENE]
        palette = Palette({colors[0]: "out", colors[1]: "in"})
        clip = encode(
            [paint(ids, colors) for ids in truth],
            **x264(),
            convert={"dst_color_range": "JPEG"},
            tags=(2, 0),
        )

        found, report = labels(clip, palette)

        assert report.full_range is True
        assert error(found, truth) < 0.1


class TestLossy:
    @pytest.mark.parametrize(
        ("codec", "pixel_format", "options", "limit"),
        [
            ("libx264", "yuv420p", {"crf": "18"}, 1.0),
            ("libx264", "yuv420p10le", {"crf": "18"}, 1.0),
            ("libx264", "yuv422p", {"crf": "18"}, 0.6),
            ("libx264", "yuv444p", {"crf": "18"}, 0.2),
            ("libx264rgb", "rgb24", {"crf": "10"}, 0.1),
            ("libvpx-vp9", "yuv420p", {"crf": "24", "deadline": "realtime"}, 1.0),
            ("mjpeg", "yuvj420p", {"q": "3"}, 2.0),
            ("mpeg4", "yuv420p", {"q": "3"}, 1.5),
        ],
    )
    def test_error(
        self, codec: str, pixel_format: str, options: dict[str, str], limit: float
    ) -> None:
        """
        Lossy clips come out with few wrong pixels, and are called lossy.
        """
        clip = encode(
            PICTURES, codec, pixel_format, options=options, container="matroska"
        )

        found, report = labels(clip)

        assert error(found) < limit
        assert (report.exact, report.lossless) == (False, False)

    def test_interleaved_chroma(self) -> None:
        """
        NV12 gives the labels that planar 4:2:0 gives.
        """
        planar = encode(PICTURES, "rawvideo", "yuv420p", container="nut")
        interleaved = encode(PICTURES, "rawvideo", "nv12", container="nut")

        assert np.array_equal(labels(planar)[0], labels(interleaved)[0])


ALL_VALUES = np.arange(256, dtype=np.uint8).reshape(16, 16)
GRAY = [np.roll(ALL_VALUES, n).repeat(4, 0).repeat(4, 1) for n in range(3)]
THREE = [np.stack([ids] * 3, -1) for ids in GRAY]
ALL = Palette.indexed({n: f"id {n}" for n in range(256)})


class TestGray:
    @pytest.mark.parametrize(
        ("codec", "pixel_format", "container", "tags", "pictures"),
        [
            ("libx264", "gray", "mp4", (2, 2), GRAY),
            ("libx264", "yuvj420p", "mp4", None, THREE),
            ("libx264rgb", "rgb24", "mp4", None, THREE),
            ("ffv1", "gray", "matroska", None, GRAY),
            ("png", "gray", "mov", None, GRAY),
            ("rawvideo", "gray", "nut", None, GRAY),
            ("libx264", "yuv420p10le", "mp4", None, THREE),
        ],
    )
    @pytest.mark.parametrize(
        "palette", [ALL, Palette({(n, n, n): str(n) for n in range(256)})]
    )
    def test_all_256_ids(  # noqa: PLR0917 (parameters)
        self,
        codec: str,
        pixel_format: str,
        container: str,
        tags: tuple[int, int] | None,
        pictures: list[NDArray[np.uint8]],
        palette: Palette,
    ) -> None:
        """
        Gray of full range, and of limited range with ten bits, keeps every id.
        """
        options = {"qp": "0"} if codec.startswith("libx264") else {}
        clip = encode(
            pictures,
            codec,
            pixel_format,
            container=container,
            options=options,
            tags=tags,
        )

        found, report = labels(clip, palette)

        assert error(found, GRAY) == 0
        assert (report.exact, report.lossless) == (True, True)

    def test_limited_range_merges(self) -> None:
        """
        Eight bits of limited range hold 220 grays: 256 ids are refused.
        """
        clip = encode(
            THREE, codec="libx264", pixel_format="yuv420p", options={"qp": "0"}
        )

        with pytest.raises(PaletteError, match="have the same code in this video"):
            labels(clip, ALL)

    def test_lossy_gray_is_refused(self) -> None:
        """
        A codec that is certainly lossy keeps no neighboring ids apart.
        """
        clip = encode(
            GRAY,
            codec="libx264",
            pixel_format="gray",
            options={"crf": "23"},
            tags=(2, 2),
        )

        with pytest.raises(PaletteError, match=r"1\.0 codes apart in this lossy video"):
            labels(clip, ALL)

    def test_few_ids_without_tags(self) -> None:
        """
        Of a few ids the range is found, even where the file does not say it.
        """
        palette = Palette.indexed({n: str(n) for n in range(9)})
        clip = encode(SCENE, codec="libx264", pixel_format="gray", options={"qp": "0"})

        found, report = labels(clip, palette)

        assert error(found) == 0
        assert (report.full_range, report.colorspace_reason) == (True, "palette")

    def test_16_bits(self) -> None:
        """
        16-bit ids are exact; those that the palette does not have are counted.
        """
        truth = np.arange(1024, dtype=np.uint16).reshape(32, 32)
        values = truth * 37
        palette = Palette.indexed({n * 37: str(n) for n in range(1000)})
        clip = encode(
            [values], "ffv1", "gray16le", container="matroska", source="gray16le"
        )

        found, report = labels(clip, palette)

        assert np.array_equal(found[0], np.where(truth < 1000, truth.astype(int), -1))
        assert report.unknown_pixels == 24
        assert report.unknown_colors[0][0] == (37000 & 255, 37000 >> 8, 0)

    def test_24_bits(self) -> None:
        """
        RGB can hold numbers, R + 256 G + 65536 B.
        """
        palette = Palette.indexed({n * 3000: str(n) for n in range(9)})
        numbers = [ids.astype(int) * 3000 for ids in SCENE]
        pictures = [
            np.stack([n & 255, n >> 8 & 255, n >> 16], -1).astype(np.uint8)
            for n in numbers
        ]

        found, report = labels(encode(pictures, options={"qp": "0"}), palette)

        assert error(found) == 0
        assert report.exact is True


class TestMerged:
    def test_colors_of_one_code(self) -> None:
        """
        Two colors that YUV rounds to one code are refused, even if lossless.
        """
        palette = Palette({(0, 0, 0): "a", (0, 0, 1): "b", (200, 0, 0): "c"})
        clip = encode(
            PICTURES, codec="libx264", pixel_format="yuv444p", options={"qp": "0"}
        )

        with pytest.raises(PaletteError, match=r"'a' .* and 'b' .* the same code"):
            labels(clip, palette)

    def test_restricted_palette(self) -> None:
        """
        No label outside the palette is ever returned.
        """
        palette = Palette({COLORS[0]: "a", COLORS[1]: "b", COLORS[3]: "c"})
        clip = encode(PICTURES, **x264(crf="28"))

        found, _ = labels(clip, palette)

        assert set(np.unique(found)) <= {0, 1, 2, 255}
