from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framekit.color import (
    MATRICES,
    RGB,
    Matrix,
    as_rgb,
    in_range,
    pack_rgb,
    to_hex,
    to_yuv,
    unpack_rgb,
    yuv_code,
    yuv_distance,
    yuv_transform,
)
from framekit.errors import ArgumentError

EXPECTED = "expected three integers from 0 to 255 like [210, 210, 120], or '#d2d278'"

channels = st.integers(0, 255)
colors = st.tuples(channels, channels, channels)


class TestAsRgb:
    @pytest.mark.parametrize(
        "value",
        [
            (210, 210, 120),
            [210, 210, 120],
            "#d2d278",
            "#D2D278",
            [210.0, 210, 120],
            np.array([210, 210, 120], np.uint8),
            (np.int64(210), np.float32(210), 120),
        ],
    )
    def test_accepted(self, value: Any) -> None:
        """
        Three whole numbers of any kind, or hexadecimal text, are a color.
        """
        assert as_rgb(value) == (210, 210, 120)

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("#ff", "'#ff'"),
            ("d2d278", "'d2d278'"),
            ("#d2d27g", "'#d2d27g'"),
            ("#d2d278\n", r"'#d2d278\n'"),
            ((1, 2), "2 values: [1, 2]"),
            ((1, 2, 3, 4), "4 values: [1, 2, 3, 4]"),
            ((300, -4, 1.9), "[300, -4, 1.9]"),
            ((0, 0, 256), "[0, 0, 256]"),
            ((0, 0, 0.5), "[0, 0, 0.5]"),
            ((0, 0, float("nan")), "[0, 0, nan]"),
            ((True, 0, 0), "[True, 0, 0]"),
            (("1", 0, 0), "[1, 0, 0]"),
            (7, "7"),
            (None, "None"),
            (b"abc", "b'abc'"),
        ],
    )
    def test_refused(self, value: Any, found: str) -> None:
        """
        Anything else is refused with what to write instead.
        """
        with pytest.raises(ArgumentError) as e:
            as_rgb(value, argument="mask_rgb")

        assert e.value == ArgumentError("mask_rgb", f"{EXPECTED}; got {found}")

    @given(colors)
    def test_hex(self, color: RGB) -> None:
        """
        Hexadecimal text reads back as the color it was made from.
        """
        assert re.fullmatch("#[0-9a-f]{6}", to_hex(color))
        assert as_rgb(to_hex(color)) == color


class TestPacked:
    def test_order(self) -> None:
        """
        Red is the lowest byte, as COCO and Cityscapes have it.
        """
        assert pack_rgb((1, 2, 3)) == 1 + 256 * 2 + 65536 * 3

    @given(colors)
    def test_inverse(self, color: RGB) -> None:
        """
        Unpacking gives back what was packed.
        """
        assert unpack_rgb(pack_rgb(color)) == color

    def test_in_range(self) -> None:
        """
        Channels below 0 and above 255 are out of range.
        """
        assert in_range((0, 128, 255))
        assert not in_range((-1, 1, 255))
        assert not in_range((0, 256, 0))


class TestYuv:
    @pytest.mark.parametrize(
        ("matrix", "full_range", "color", "code"),
        [
            ("bt601", False, (0, 0, 0), (16, 128, 128)),
            ("bt601", False, (255, 255, 255), (235, 128, 128)),
            ("bt601", False, (210, 210, 120), (188, 88, 134)),
            ("bt601", False, (255, 0, 0), (81, 90, 240)),
            ("bt601", False, (0, 0, 255), (41, 240, 110)),
            ("bt601", True, (255, 0, 0), (76, 85, 255)),
            ("bt601", True, (255, 255, 255), (255, 128, 128)),
            ("bt709", False, (255, 0, 0), (63, 102, 240)),
            ("bt709", False, (0, 255, 0), (173, 42, 26)),
            ("bt2020", False, (255, 0, 0), (74, 97, 240)),
        ],
    )
    def test_codes(
        self, *, matrix: Matrix, full_range: bool, color: RGB, code: RGB
    ) -> None:
        """
        Codes are those that the standards print.
        """
        assert yuv_code(color, matrix, full_range=full_range) == code

    @pytest.mark.parametrize("matrix", MATRICES)
    @pytest.mark.parametrize("full_range", [False, True])
    def test_gray(self, *, matrix: Matrix, full_range: bool) -> None:
        """
        Grays have no chroma, and black and white are the ends of the range.
        """
        low, high = (0.0, 255.0) if full_range else (16.0, 235.0)

        assert to_yuv((0, 0, 0), matrix, full_range=full_range) == (low, 128, 128)
        white = to_yuv((255, 255, 255), matrix, full_range=full_range)
        assert white == pytest.approx((high, 128, 128), abs=1e-9)

    def test_transform(self) -> None:
        """
        The transform of BT.601 in full range is the textbook's.
        """
        (luma, blueness, redness), added = yuv_transform("bt601", full_range=True)

        assert luma == (0.299, 0.587, 0.114)
        assert blueness == pytest.approx((-0.168736, -0.331264, 0.5), abs=1e-6)
        assert redness == pytest.approx((0.5, -0.418688, -0.081312), abs=1e-6)
        assert added == (0.0, 128.0, 128.0)

    def test_220_grays(self) -> None:
        """
        Limited range has 220 codes for 256 grays, full range one for each.
        """
        grays = [(v, v, v) for v in range(256)]

        assert len({yuv_code(c) for c in grays}) == 220
        assert len({yuv_code(c, full_range=True) for c in grays}) == 256

    @given(
        a=colors, b=colors, matrix=st.sampled_from(MATRICES), full_range=st.booleans()
    )
    def test_distance(
        self, *, a: RGB, b: RGB, matrix: Matrix, full_range: bool
    ) -> None:
        """
        A distance is that between the two places, and larger in full range.
        """
        places = [np.array(to_yuv(c, matrix, full_range=full_range)) for c in (a, b)]
        distance = yuv_distance(a, b, matrix, full_range=full_range)

        assert distance == pytest.approx(np.linalg.norm(places[0] - places[1]))
        assert distance == yuv_distance(b, a, matrix, full_range=full_range)
        assert yuv_distance(a, b, matrix, full_range=True) >= distance - 1e-9

    def test_unknown_matrix(self) -> None:
        """
        A matrix that is not known is refused with those that are.
        """
        with pytest.raises(ArgumentError) as e:
            yuv_distance((0, 0, 0), (1, 1, 1), "bt470")  # type: ignore[arg-type]

        reason = "expected one of bt601, bt709, bt2020, got 'bt470'"
        assert e.value == ArgumentError("matrix", reason)


class TestImport:
    def test_light(self) -> None:
        """
        Colors alone bring no NumPy along.
        """
        code = "import sys, framekit.color; print('numpy' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )

        assert done.stdout == "False\n"
