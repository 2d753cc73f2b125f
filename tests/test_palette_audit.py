from __future__ import annotations

from itertools import combinations
from time import process_time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framekit.color import RGB, yuv_distance
from framekit.errors import ArgumentError
from framekit.palette import Palette, PaletteEntry
from framekit.palette.closeness import close_pairs
from framekit.problem import Problem, Severity

HINT = "generate other colors, or write the masks as lossless RGB"

channels = st.integers(0, 255)
colors = st.tuples(channels, channels, channels)


def codes(problems: list[Problem]) -> list[tuple[str, str, str]]:
    """
    Code, severity and place of each.
    """
    return [(p.code, p.severity.value, p.at) for p in problems]


class TestShared:
    def test_color(self) -> None:
        """
        Each color with several label sets is one warning that counts its entries.
        """
        palette = Palette(
            [("#000000", "ego"), ("#ffffff", "sky"), ("#000000", "static")],
            shared="first",
        )

        assert palette.audit() == [
            Problem(
                code="palette-shared-color",
                severity=Severity.WARNING,
                message="color [0, 0, 0] stands for 'ego' and for 'static'; the first "
                "counts",
                at="$.entries[2]",
                color=(0, 0, 0),
                count=2,
                hint="give each its own color, or merge them (shared='merge')",
            )
        ]

    def test_index(self) -> None:
        """
        So is each shared pixel value.
        """
        entries = [PaletteEntry(index=1, labels=x) for x in "abcdefgh"]
        palette = Palette.indexed(entries, shared="first")

        assert palette.audit() == [
            Problem(
                code="palette-shared-index",
                severity=Severity.WARNING,
                message="index 1 stands for 'a' and for 'b', 'c', 'd', 'e', 'f' and 2 "
                "more; the first counts",
                at="$.entries[1]",
                count=8,
                hint="give each its own index, or merge them (shared='merge')",
            )
        ]

    def test_agreeing(self) -> None:
        """
        Values that are painted alike and labeled alike are nothing to report.
        """
        palette = Palette(
            [PaletteEntry(color=(9, 9, 9), index=n, labels="car") for n in range(3)]
        )

        assert palette.audit() == []

    def test_cityscapes(self) -> None:
        """
        Cityscapes has three shared colors.
        """
        found = Palette.known("cityscapes").audit()

        assert [(p.code, p.color, p.count) for p in found] == [
            ("palette-shared-color", (0, 0, 0), 5),
            ("palette-shared-color", (153, 153, 153), 2),
            ("palette-shared-color", (0, 0, 142), 2),
        ]


class TestOutOfRange:
    def test_color(self) -> None:
        """
        A color that no pixel can have is a warning at the color.
        """
        palette = Palette([PaletteEntry(color=(-1, 1, 255), labels="car")])

        assert palette.audit(lossy=True) == [
            Problem(
                code="color-out-of-range",
                severity=Severity.WARNING,
                message="[-1, 1, 255] of 'car' never matches a pixel",
                at="$.entries[0].color",
                color=(-1, 1, 255),
                hint="write values from 0 to 255",
            )
        ]

    def test_index(self) -> None:
        """
        So is a value that does not fit 24 bits.
        """
        palette = Palette.indexed({2**24 - 1: "a", 2**24: "b"})

        assert codes(palette.audit()) == [
            ("index-out-of-range", "warning", "$.entries[1].index")
        ]


class TestTooClose:
    def test_warning(self) -> None:
        """
        A pair less than 8 apart is a warning, and only for lossy video.
        """
        palette = Palette({(100, 100, 100): "car", (104, 100, 100): "bus"})

        assert palette.audit() == []
        assert palette.audit(lossy=True) == [
            Problem(
                code="palette-too-close",
                severity=Severity.WARNING,
                message="[100, 100, 100] 'car' and [104, 100, 100] 'bus' are 2.1 apart "
                "in BT.601 limited range; lossy video needs 8",
                at="$.entries[1]",
                color=(104, 100, 100),
                hint=HINT,
            )
        ]

    def test_error(self) -> None:
        """
        A pair less than 2 apart is an error.
        """
        palette = Palette({(100, 100, 100): "car", (101, 100, 100): "bus"})

        assert codes(palette.audit(lossy=True)) == [
            ("palette-too-close", "error", "$.entries[1]")
        ]

    def test_matrix(self) -> None:
        """
        Distances are those of the matrix and range that are asked for.
        """
        palette = Palette({(0, 0, 0): "car", (0, 0, 16): "bus"})

        near = palette.audit(lossy=True)
        far = palette.audit(lossy=True, matrix="bt709", full_range=True)

        assert near[0].message.endswith(
            "are 7.3 apart in BT.601 limited range; lossy video needs 8"
        )
        assert far == []
        with pytest.raises(ArgumentError):
            palette.audit(matrix="bt470")  # type: ignore[arg-type]

    def test_void(self) -> None:
        """
        Void colors may be close to each other, but not to a label's.
        """
        palette = Palette({(9, 9, 9): None, (10, 9, 9): None, (11, 9, 9): "car"})

        found = palette.audit(lossy=True)

        assert [p.at for p in found] == ["$.entries[2]"] * 2

    def test_known(self) -> None:
        """
        The palettes of VOC and CamVid are fit for lossy video.
        """
        assert Palette.known("voc").audit(lossy=True) == []
        assert Palette.known("camvid").audit(lossy=True) == []

    @settings(deadline=None, max_examples=50)
    @given(st.lists(colors, unique=True, max_size=20), colors, st.integers(1, 3))
    def test_planted(self, others: list[RGB], color: RGB, step: int) -> None:
        """
        All pairs that are too close are found, a planted one among them; no others.
        """
        planted = tuple(min(c + step, 255) for c in color)
        palette = Palette(
            [
                (c, f"c{n}")
                for n, c in enumerate(dict.fromkeys([*others, color, planted]))
            ]
        )
        entries = [(n, e.color) for n, e in enumerate(palette)]
        expected = [
            (yuv_distance(a, b), m)
            for (_, a), (m, b) in combinations(entries, 2)
            if a and b and yuv_distance(a, b) < 8
        ]

        found = [p for p in palette.audit(lossy=True) if p.code == "palette-too-close"]

        assert sorted(p.at for p in found) == sorted(
            f"$.entries[{m}]" for _, m in expected
        )
        assert [p.severity == "error" for p in found] == sorted(
            (distance < 2 for distance, _ in expected), reverse=True
        )

    def test_many(self) -> None:
        """
        Of very many pairs the closest are listed and the others counted.
        """
        palette = Palette.indexed({n: f"id {n}" for n in range(10_000)})
        start = process_time()

        found = palette.audit(lossy=True)

        assert process_time() - start < 5
        assert len(found) == 1001
        assert found[-1] == Problem(
            code="palette-too-close",
            severity=Severity.ERROR,
            message=f"{found[-1].count} more pairs are less than 8 apart",
            at="$.entries",
            count=2_356_004,
            hint=HINT,
        )


class TestClosePairs:
    @given(
        st.lists(st.tuples(*[st.floats(-40, 40, width=16)] * 3), max_size=30),
        st.sampled_from([0.5, 3.0, 8.0]),
    )
    def test_all_pairs(self, points: list[Any], radius: float) -> None:
        """
        Every pair closer than the radius is found, once, with its distance.
        """
        array = np.array(points, np.float64).reshape(-1, 3)

        found = sorted(
            (int(i), int(j), float(d))
            for portion in close_pairs(array, radius)
            for i, j, d in zip(*portion, strict=True)
        )

        assert found == sorted(
            (i, j, float(np.sqrt(((array[i] - array[j]) ** 2).sum())))
            for i, j in combinations(range(len(array)), 2)
            if np.sqrt(((array[i] - array[j]) ** 2).sum()) < radius
        )


class TestGrayIds:
    def test_256(self) -> None:
        """
        Of 256 gray ids 36 fall together in limited range, none in full range.
        """
        palette = Palette.indexed({n: f"id {n}" for n in range(256)})

        merged = [
            p for p in palette.audit(lossy=True) if p.code == "palette-gray-ids-merge"
        ]

        assert merged == [
            Problem(
                code="palette-gray-ids-merge",
                severity=Severity.ERROR,
                message="BT.601 limited range video cannot tell gray 3 'id 3' and 4 "
                "'id 4' apart, nor 35 more",
                at="$.entries[4]",
                color=(4, 4, 4),
                count=36,
                hint="write gray or full-range video, or lossless RGB",
            )
        ]
        assert "palette-gray-ids-merge" not in {
            p.code for p in palette.audit(lossy=True, full_range=True)
        }

    def test_gray_colors(self) -> None:
        """
        Gray colors, as ClearML's pages have them, are gray ids, too.
        """
        palette = Palette({(3, 3, 3): "a", (4, 4, 4): "b", (200, 0, 0): "c"})

        assert codes(palette.audit(lossy=True)) == [
            ("palette-gray-ids-merge", "error", "$.entries[1]"),
            ("palette-too-close", "error", "$.entries[1]"),
        ]

    def test_spread(self) -> None:
        """
        Gray ids that are far apart are no problem.
        """
        palette = Palette.indexed({0: "a", 128: "b", 255: "c"})

        assert palette.audit(lossy=True) == []
