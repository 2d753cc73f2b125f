"""
Labels of lossy planes: that kernels and twins agree, and what they refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from framekit.decoding import kernels
from framekit.decoding.color.colorspace import centroids_of, flat_colors
from framekit.decoding.color.hidden import FEWEST, hidden_centroids
from framekit.decoding.color.repair.codebook import make_codebook
from framekit.decoding.color.repair.dispatch import Mode, Three, classify_yuv, look_up
from framekit.decoding.video.planes import Planes
from tests import scenes
from tests.clips import planes_in
from tests.random_planes import STEPS, compare_case, random_case, same, twin

needs_kernels = pytest.mark.skipif(kernels.NATIVE is None, reason="no extension")
needs_camvid = pytest.mark.skipif(not scenes.CAMVID.exists(), reason="no CamVid")

SMALL = (192, 112)


def codes_of(colors: scenes.Colors) -> NDArray[np.int32]:
    """
    Where *colors* land in BT.601 of limited range, in eighths of a code.
    """
    return centroids_of(np.array(colors, float), "bt601", full_range=False)


def clip_planes(
    maps: list[scenes.Ids], colors: scenes.Colors, **options: str
) -> Iterator[Three]:
    """
    The planes of each frame of a clip of *maps*.
    """
    for planes in planes_in(scenes.film(maps, colors, **options)):
        y, u, v = planes.channels
        yield y, u, v  # type: ignore[misc] # 8 bits


@needs_kernels
class TestTwins:
    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 2**31),
        height=st.integers(1, 40),
        width=st.integers(1, 40),
        labels=st.integers(1, 300),
        noise=st.sampled_from((0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 40.0)),
        steps=st.sampled_from(STEPS),
    )
    def test_random_planes(
        self,
        *,
        seed: int,
        height: int,
        width: int,
        labels: int,
        noise: float,
        steps: tuple[int, int],
    ) -> None:
        """
        They agree on labels, uncertain pixels and counts in all modes.
        """
        different = compare_case(
            seed, height=height, width=width, labels=labels, noise=noise, steps=steps
        )

        assert different == []

    @pytest.mark.parametrize("crf", ["0", "23", "40"])
    @pytest.mark.parametrize("mode", ["full", "fast", "nearest"])
    @pytest.mark.parametrize("name", ["pal9", "city20", "rand50"])
    def test_clip(self, name: str, mode: Mode, crf: str) -> None:
        """
        They agree on coded scenes.
        """
        colors = scenes.PALETTES[name]
        maps = scenes.draw("shapes", len(colors), seed=3, frames=2, size=SMALL)
        codebook = make_codebook(codes_of(colors))

        for planes in clip_planes(maps, colors, crf=crf):
            native = classify_yuv(planes, codebook, mode=mode)
            assert same(native, twin(classify_yuv, planes, codebook, mode=mode))

    @pytest.mark.slow
    @needs_camvid
    @pytest.mark.parametrize("crf", ["18", "35"])
    def test_camvid(self, crf: str) -> None:
        """
        They agree on real masks.
        """
        maps, colors = scenes.camvid()
        codebook = make_codebook(codes_of(colors))

        for planes in clip_planes(maps, colors, crf=crf):
            native = classify_yuv(planes, codebook, mode="full")
            assert same(native, twin(classify_yuv, planes, codebook, mode="full"))

    def test_many_labels(self) -> None:
        """
        They agree on a codebook of thousands.
        """
        different = compare_case(
            6, height=24, width=32, labels=3000, noise=2.0, steps=(2, 2)
        )

        assert different == []

    def test_damaged_codebook(self) -> None:
        """
        The kernels refuse tables that would lead them outside.
        """
        planes, centroids = random_case(1, height=4, width=4, labels=3, noise=1.0)
        dense = tuple(np.ascontiguousarray(plane) for plane in planes)
        book = make_codebook(centroids)
        labels = np.empty((4, 4), np.uint8)
        good: list[Any] = [book.centroids, book.tight, book.wide]
        good += [book.grid, book.starts, book.items]
        bad_grid = book.grid.copy()
        bad_grid[7] = 100
        bad_starts = book.starts.copy()
        bad_starts[5] = 1 << 20

        for place, wrong in (
            (0, book.centroids + 5000),
            (1, book.tight[:2]),
            (3, bad_grid),
            (3, book.grid[:100]),
            (4, bad_starts),
            (5, np.array([7], np.int32)),
        ):
            tables = [*good[:place], wrong, *good[place + 1 :]]
            with pytest.raises(ValueError, match=r"codebook|buffer|centroids"):
                kernels.NATIVE.repair_yuv420(*dense, *tables, labels, 0)


@pytest.mark.usefixtures("kernel")
class TestClassify:
    def test_lines_apart(self) -> None:
        """
        Padding between lines, or lines upside down, change nothing.
        """
        maps = scenes.draw("shapes", 9, seed=1, frames=1, size=SMALL)
        planes = next(clip_planes(maps, scenes.PAL9, crf="23"))
        codebook = make_codebook(codes_of(scenes.PAL9))
        plain = classify_yuv(planes, codebook, mode="full")
        padded: Any = [np.pad(p, ((0, 0), (0, 13)))[:, :-13] for p in planes]
        reversed_: Any = [p[::-1].copy()[::-1] for p in planes]

        for views in (padded, reversed_):
            assert same(plain, classify_yuv(views, codebook, mode="full"))

    def test_odd_size(self) -> None:
        """
        The last line and column of an odd picture are labeled like the others.
        """
        maps = scenes.draw("shapes", 9, seed=1, frames=1, size=(640, 360))
        y, u, v = next(clip_planes(maps, scenes.PAL9, crf="18"))
        planes = y[:119, :201], u[:60, :101], v[:60, :101]
        codebook = make_codebook(codes_of(scenes.PAL9))

        labels = classify_yuv(planes, codebook, mode="full").labels

        assert labels.shape == (119, 201)
        assert (labels != maps[0][:119, :201]).mean() < 0.003

    @pytest.mark.parametrize("chroma", [(3, 4), (9, 2), (10, 9)])
    def test_misfit(self, chroma: tuple[int, int]) -> None:
        """
        Chroma planes that fit no subsampling are refused.
        """
        y, u = np.zeros((9, 9), np.uint8), np.zeros(chroma, np.uint8)
        codebook = make_codebook([[128, 1024, 1024]])

        with pytest.raises(ValueError, match="fit"):
            classify_yuv((y, u, u), codebook, mode="full")
        with pytest.raises(ValueError, match="chroma planes"):
            classify_yuv((y, u, u[1:]), codebook, mode="full")


@pytest.mark.usefixtures("kernel")
class TestForeign:
    @settings(max_examples=40, deadline=None)
    @given(
        seed=st.integers(0, 2**31),
        labels=st.integers(1, 12),
        noise=st.sampled_from((0.0, 1.0, 4.0)),
        steps=st.sampled_from(((2, 2), (1, 1), (1, 2))),
        hidden=st.integers(0, 6),
        mode=st.sampled_from(("full", "fast", "nearest")),
    )
    def test_gate(
        self,
        *,
        seed: int,
        labels: int,
        noise: float,
        steps: tuple[int, int],
        hidden: int,
        mode: Mode,
    ) -> None:
        """
        Where few foreign samples are counted, no color is missing.
        """
        planes, centroids = random_case(
            seed, height=48, width=64, labels=labels, noise=noise, steps=steps
        )
        known = centroids[: max(1, labels - hidden)]

        foreign = classify_yuv(planes, make_codebook(known), mode=mode).foreign

        flat = flat_colors(Planes("yuv", planes, steps=(steps[1], steps[0])), wide=True)
        assert foreign >= FEWEST or not len(hidden_centroids(flat, known))

    def test_missing_colors(self) -> None:
        """
        Colors that the codebook lacks are counted.
        """
        maps = scenes.draw("shapes", 9, seed=1, frames=1, size=(640, 360))
        planes = next(clip_planes(maps, scenes.PAL9, crf="23"))
        codes = codes_of(scenes.PAL9)

        whole = classify_yuv(planes, make_codebook(codes), mode="full")
        some = classify_yuv(planes, make_codebook(codes[:5]), mode="full")

        assert whole.foreign < FEWEST
        assert some.foreign > 100


@pytest.mark.usefixtures("kernel")
class TestLookUp:
    def test_exact(self) -> None:
        """
        Colors of the palette are found exactly, in packed and planar pixels.
        """
        truth = scenes.draw("shapes", 9, seed=1, frames=1, size=SMALL)[0]
        table = np.array(scenes.PAL9, np.uint8)
        packed = table[truth]
        planar: Any = tuple(np.ascontiguousarray(packed[..., i]) for i in range(3))

        for planes in ((packed[..., 0], packed[..., 1], packed[..., 2]), planar):
            found = look_up(planes, table.astype(np.int32) * 8, within=0.0)
            assert np.array_equal(found.labels, truth)
            assert found.unknown == 0

    @pytest.mark.parametrize(
        ("within", "labels", "unknown"),
        [
            (None, [0, 0, 0, 1], 0),
            (24.0, [0, 0, 255, 1], 1),
            (0.0, [0, 255, 255, 1], 2),
        ],
    )
    def test_unknown(
        self, within: float | None, labels: list[int], unknown: int
    ) -> None:
        """
        Pixels too far from all colors get no label.
        """
        codes = np.array([[0, 0, 0], [800, 800, 800]], np.int32)
        row = np.array([[0, 3, 30, 100]], np.uint8)

        found = look_up((row, row, row), codes, within=within)

        assert found.labels.tolist() == [labels]
        assert found.unknown == unknown

    @pytest.mark.parametrize("count", [0, 254, 255, 70_000])
    def test_any_number_of_colors(self, count: int) -> None:
        """
        There may be none, and more than 16 bits can tell apart.
        """
        numbers = np.arange(count)
        colors = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], -1)
        row = np.array([[0, 0, 255]], np.uint8)
        codes = colors.astype(np.int32) * 8

        found = look_up((row[:, :1], row[:, 1:2], row[:, 2:]), codes, within=0.0)

        assert found.unknown == (count < 256)
        assert found.labels[0, 0] == (255 if count > 255 else found.labels.max())

    def test_sizes(self) -> None:
        """
        Planes of different sizes are refused.
        """
        row = np.zeros((2, 4), np.uint8)

        with pytest.raises(ValueError, match="one size"):
            look_up((row, row, row[:1]), np.zeros((1, 3), np.int32), within=None)


class TestCodebook:
    @pytest.mark.parametrize(
        "centroids",
        [
            [[0, 0, 0, 0]],
            [[0.5, 0, 0]],
            np.empty((0, 3), int),
            [[0, 0, 2041]],
            [[-1, 0, 0]],
        ],
    )
    def test_no_colors(self, centroids: Any) -> None:
        """
        Centroids that are no colors are refused.
        """
        with pytest.raises(ValueError, match=r"centroids|labels"):
            make_codebook(centroids)
