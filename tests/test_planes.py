"""
Frames as planes: every family of pixel formats, odd sizes, and how they are turned.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from framekit.decoding.video.orientation import Orientation
from framekit.decoding.video.planes import Planes, planes_of
from framekit.errors import UnreadableMaskError

RNG = np.random.default_rng(7)


def pixels(height: int, width: int) -> NDArray[np.uint8]:
    """
    (H, W, 3) noise.
    """
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def frame_of(array: NDArray[Any], pixel_format: str) -> av.VideoFrame:
    """
    *array* as RGB, converted.
    """
    frame = av.VideoFrame.from_ndarray(array, "rgb24")
    return frame if pixel_format == "rgb24" else frame.reformat(format=pixel_format)


def filled(pixel_format: str, width: int, height: int) -> av.VideoFrame:
    """
    A frame whose bytes are noise.
    """
    frame = av.VideoFrame(width, height, pixel_format)
    for plane in frame.planes:
        plane.update(RNG.integers(0, 256, plane.buffer_size, np.uint8).tobytes())
    return frame


def stacked(planes: Planes) -> NDArray[Any]:
    """
    The channels, (H, W, C).
    """
    return np.stack(planes.channels, -1)


class TestRgb:
    @pytest.mark.parametrize("size", [(48, 64), (47, 63), (1, 1), (3, 130)])
    @pytest.mark.parametrize(
        "pixel_format",
        [
            "rgb24",
            "bgr24",
            "rgba",
            "bgra",
            "rgb0",
            "bgr0",
            "argb",
            "abgr",
            "0rgb",
            "0bgr",
            "gbrp",
            "gbrap",
        ],
    )
    def test_channels_in_order(self, pixel_format: str, size: tuple[int, int]) -> None:
        """
        Every layout of 8-bit RGB gives the pixels back, of odd sizes, too.
        """
        array = pixels(*size)

        found = planes_of(frame_of(array, pixel_format))

        assert found.kind == "rgb"
        assert np.array_equal(stacked(found), array)
        has_alpha = "a" in pixel_format
        assert (found.alpha is not None) == has_alpha

    @pytest.mark.parametrize(
        "pixel_format",
        ["gbrp10le", "gbrp12le", "gbrp16le", "gbrp16be", "rgb48le", "rgb48be"],
    )
    def test_more_bits(self, pixel_format: str) -> None:
        """
        What was 8 bits and is stored with more becomes the same 8 bits.
        """
        array = pixels(16, 24)
        depth = 16 if "48" in pixel_format else int(pixel_format[4:6])
        frame = av.VideoFrame(24, 16, pixel_format)
        order = ">u2" if pixel_format.endswith("be") else "<u2"
        wide = (array.astype(np.uint32) * ((1 << depth) - 1) + 127) // 255
        for number, plane in enumerate(frame.planes):
            lines = np.zeros((plane.height, plane.line_size // 2), order)
            if len(frame.planes) == 1:
                lines[:, : 24 * 3] = wide.reshape(16, -1)
            else:
                lines[:, :24] = wide[..., (1, 2, 0)[number]]
            plane.update(lines.tobytes())

        found = planes_of(frame)

        assert found.depth == depth
        assert np.array_equal(stacked(found.to_8bit()), array)
        assert not found.to_8bit().altered

    def test_values_that_need_more_bits(self) -> None:
        """
        16-bit colors that no 8-bit color stands for are known to be rounded.
        """
        frame = filled("gbrp16le", 8, 8)

        assert planes_of(frame).to_8bit().altered

    def test_palette(self) -> None:
        """
        Palette frames give their colors, and transparent entries as alpha.
        """
        frame = av.VideoFrame(6, 4, "pal8")
        indices = np.arange(24, dtype=np.uint8).reshape(4, 6)
        lines = np.zeros((4, frame.planes[0].line_size), np.uint8)
        lines[:, :6] = indices
        frame.planes[0].update(lines.tobytes())
        colors = RNG.integers(0, 1 << 32, 256, np.uint32)
        frame.planes[1].update(colors.tobytes())

        found = planes_of(frame)

        argb = colors[indices]
        expected = np.stack([argb >> 16 & 255, argb >> 8 & 255, argb & 255], -1)
        assert np.array_equal(stacked(found), expected)
        assert found.alpha is not None
        assert np.array_equal(found.alpha, argb >> 24)

    def test_conversion(self) -> None:
        """
        One-bit frames go through the one conversion, exactly.
        """
        array = np.where(pixels(9, 17)[..., :1] > 127, 255, 0).astype(np.uint8)
        array = array.repeat(3, 2)

        found = planes_of(frame_of(array, "monow"))

        assert (found.kind, found.altered) == ("rgb", False)
        assert np.array_equal(stacked(found), array)

    @pytest.mark.parametrize(
        "pixel_format", ["p010le", "vuya", "y210le", "xv36le", "rgb565le"]
    )
    def test_other_conversions(self, pixel_format: str) -> None:
        """
        Rare formats are converted, and all but the exact ones said to be.
        """
        found = planes_of(filled(pixel_format, 16, 8))

        assert (found.kind, found.shape) == ("rgb", (8, 16))
        assert found.altered == (pixel_format != "rgb565le")

    @pytest.mark.parametrize("pixel_format", ["bgr4", "uyyvyy411", "gbrpf32le"])
    def test_what_cannot_be_read(self, pixel_format: str) -> None:
        """
        Pixels that swscale does not know, or that are floats, are refused by name.
        """
        with pytest.raises(UnreadableMaskError, match=pixel_format):
            planes_of(av.VideoFrame(16, 16, pixel_format), uri="clip")


class TestYuv:
    @pytest.mark.parametrize(
        ("pixel_format", "steps", "depth"),
        [
            ("yuv420p", (2, 2), 8),
            ("yuvj420p", (2, 2), 8),
            ("yuv422p", (2, 1), 8),
            ("yuv440p", (1, 2), 8),
            ("yuv444p", (1, 1), 8),
            ("yuv411p", (4, 1), 8),
            ("yuv410p", (4, 4), 8),
            ("yuva420p", (2, 2), 8),
            ("yuv420p10le", (2, 2), 10),
            ("yuv422p12le", (2, 1), 12),
            ("yuv444p16le", (1, 1), 16),
            ("yuv420p10be", (2, 2), 10),
        ],
    )
    @pytest.mark.parametrize("size", [(32, 48), (31, 47), (5, 3)])
    def test_shapes(
        self,
        pixel_format: str,
        steps: tuple[int, int],
        depth: int,
        size: tuple[int, int],
    ) -> None:
        """
        Chroma is the size of luma divided, rounded up.
        """
        height, width = size

        found = planes_of(filled(pixel_format, width, height))

        chroma = (-(-height // steps[1]), -(-width // steps[0]))
        assert (found.kind, found.steps, found.depth) == ("yuv", steps, depth)
        assert [c.shape for c in found.channels] == [size, chroma, chroma]
        assert [c.shape for c in found.to_8bit().channels] == [size, chroma, chroma]
        assert found.to_8bit().channels[0].dtype == np.uint8
        assert (found.alpha is not None) == pixel_format.startswith("yuva")

    @pytest.mark.parametrize("size", [(32, 48), (31, 47)])
    @pytest.mark.parametrize(
        ("packed", "planar"),
        [
            ("nv12", "yuv420p"),
            ("nv21", "yuv420p"),
            ("nv16", "yuv422p"),
            ("nv24", "yuv444p"),
            ("yuyv422", "yuv422p"),
            ("uyvy422", "yuv422p"),
            ("yvyu422", "yuv422p"),
        ],
    )
    def test_interleaved(self, packed: str, planar: str, size: tuple[int, int]) -> None:
        """
        Interleaved chroma gives the values that planes of their own would.
        """
        height, width = size
        expected = filled(planar, width, height)

        found = planes_of(expected.reformat(format=packed))

        assert found.steps == planes_of(expected).steps
        for one, other in zip(
            found.channels, planes_of(expected).channels, strict=True
        ):
            assert np.array_equal(one, other)

    def test_tags(self) -> None:
        """
        Matrix and range are what the frame is tagged with, or unknown.
        """
        frame = filled("yuv420p", 8, 8)
        assert (planes_of(frame).matrix, planes_of(frame).full_range) == (None, None)
        frame.colorspace, frame.color_range = 1, 2
        assert (planes_of(frame).matrix, planes_of(frame).full_range) == ("bt709", True)
        frame.colorspace, frame.color_range = 9, 1
        assert planes_of(frame).matrix == "bt2020"
        assert planes_of(frame).full_range is False

    @given(st.integers(0, 255), st.sampled_from([10, 12, 16]))
    def test_more_bits_of_limited_range(self, value: int, depth: int) -> None:
        """
        8-bit codes that were shifted up come back.
        """
        channel = np.full((2, 2), value << (depth - 8), np.uint16)

        small = Planes("yuv", (channel, channel, channel), depth).to_8bit()

        assert [int(c[0, 0]) for c in small.channels] == [value] * 3


class TestGray:
    @pytest.mark.parametrize(
        "pixel_format", ["gray", "gray16le", "gray16be", "gray10le"]
    )
    def test_depth_is_kept(self, pixel_format: str) -> None:
        """
        Gray values are whole, of any depth.
        """
        depth = {"gray": 8, "gray10le": 10}.get(pixel_format, 16)
        frame = filled(pixel_format, 7, 5)
        plane = frame.planes[0]
        order = np.dtype(
            np.uint8 if depth == 8 else ">u2" if pixel_format.endswith("be") else "<u2"
        )
        values = np.frombuffer(bytes(plane), order).reshape(5, -1)[:, :7]

        found = planes_of(frame)

        assert (found.kind, found.depth) == ("gray", depth)
        assert np.array_equal(found.channels[0], values)

    @pytest.mark.parametrize("pixel_format", ["ya8", "ya16le"])
    def test_alpha(self, pixel_format: str) -> None:
        """
        Gray with alpha has both.
        """
        frame = filled(pixel_format, 7, 5)
        size = 1 if pixel_format == "ya8" else 2
        line = np.frombuffer(bytes(frame.planes[0]), f"<u{size}").reshape(5, -1)

        found = planes_of(frame)

        assert found.alpha is not None
        assert np.array_equal(found.channels[0], line[:, 0:14:2])
        assert np.array_equal(found.alpha, line[:, 1:14:2])


class TestNegativeLines:
    @pytest.mark.parametrize("pixel_format", ["rgb24", "gbrp", "bgra"])
    def test_bottom_up(self, pixel_format: str) -> None:
        """
        Planes stored bottom up, as the vflip filter leaves them, are read top down.
        """
        array = pixels(10, 14)
        graph = av.filter.Graph()
        frame = frame_of(array, pixel_format)
        source = graph.add_buffer(
            width=14, height=10, format=frame.format, time_base=Fraction(1, 30)
        )
        flip, sink = graph.add("vflip"), graph.add("buffersink")
        source.link_to(flip)
        flip.link_to(sink)
        graph.configure()
        graph.push(frame)
        flipped = graph.pull()
        assert isinstance(flipped, av.VideoFrame)
        assert flipped.planes[0].line_size < 0

        assert np.array_equal(stacked(planes_of(flipped)), array[::-1])


MATRICES = {
    "none": ((1, 0, 0, 1), Orientation()),
    "90 clockwise": ((0, 1, -1, 0), Orientation(transposed=True, flip_columns=True)),
    "180": ((-1, 0, 0, -1), Orientation(flip_rows=True, flip_columns=True)),
    "270 clockwise": ((0, -1, 1, 0), Orientation(transposed=True, flip_rows=True)),
    "mirrored": ((-1, 0, 0, 1), Orientation(flip_columns=True)),
    "upside down": ((1, 0, 0, -1), Orientation(flip_rows=True)),
    "transposed": ((0, 1, 1, 0), Orientation(transposed=True)),
    "transversed": (
        (0, -1, -1, 0),
        Orientation(transposed=True, flip_rows=True, flip_columns=True),
    ),
}


class TestOrientation:
    @pytest.mark.parametrize("name", MATRICES)
    def test_matrix_of_a_file(self, name: str) -> None:
        """
        All eight display matrices that keep pixels whole, from an MP4 header.
        """
        (a, b, c, d), expected = MATRICES[name]
        clip = turned_clip(a, b, c, d)

        with av.open(io.BytesIO(clip), "r") as container:
            frame = next(container.decode(video=0))

        assert planes_of(frame).orientation == expected

    def test_apply_and_degrees(self) -> None:
        """
        Turning by 90 degrees clockwise is what NumPy calls a rotation by -1.
        """
        array = np.arange(6).reshape(2, 3)
        quarter = MATRICES["90 clockwise"][1]
        half = MATRICES["180"][1]
        three = MATRICES["270 clockwise"][1]

        assert np.array_equal(quarter.apply(array), np.rot90(array, -1))
        assert np.array_equal(half.apply(array), np.rot90(array, 2))
        assert np.array_equal(three.apply(array), np.rot90(array))
        assert [o.degrees for o in (Orientation(), quarter, half, three)] == [
            0,
            90,
            180,
            270,
        ]


def turned_clip(a: int, b: int, c: int, d: int) -> bytes:
    """
    An MP4 clip whose track header has this display matrix.
    """
    from tests.clips import encode

    clip = bytearray(encode([pixels(16, 24)], options={"qp": "0"}))
    identity = b"".join(
        n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    )
    place = clip.find(identity, clip.find(b"tkhd"))
    numbers = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    clip[place : place + 36] = b"".join(
        n.to_bytes(4, "big", signed=True) for n in numbers
    )
    return bytes(clip)
