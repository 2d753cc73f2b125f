from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framekit.color import MATRICES, RGB, yuv_distance
from framekit.errors import ArgumentError, PaletteError
from framekit.palette import Palette, PaletteEntry
from framekit.palette.generate import LEAST_DISTANCE

channels = st.integers(0, 255)
colors = st.tuples(channels, channels, channels)


def closest(palette: Palette, matrix: Any = "bt601") -> float:
    """
    The distance of the two closest colors of *palette*.
    """
    found = [entry.color for entry in palette if entry.color]
    return min(yuv_distance(a, b, matrix) for a, b in combinations(found, 2))


class TestGenerate:
    def test_reproducible(self) -> None:
        """
        The same labels have the same colors everywhere; a seed gives others.
        """
        labels = ["car", "road", ["person", "sitting"]]

        assert Palette.generate(labels) == Palette(
            {(255, 255, 0): "car", (0, 255, 255): "road", (255, 119, 255): labels[2]}
        )
        assert Palette.generate(labels, seed=1) == Palette.generate(labels, seed=1)
        assert Palette.generate(labels, seed=1) != Palette.generate(labels)
        assert [e.color for e in Palette.generate(labels, seed=1, lossy=False)] == [
            (255, 0, 0),
            (0, 255, 0),
            (255, 255, 0),
        ]

    def test_prefix(self) -> None:
        """
        Further labels leave the colors of the first as they are.
        """
        some = Palette.generate(["a", "b", "c"])

        assert some[:] == Palette.generate(["a", "b", "c", "d", "e"])[:3]

    @settings(deadline=None, max_examples=25)
    @given(
        st.integers(2, 120),
        st.integers(-(2**70), 2**70),
        st.lists(colors, max_size=4),
        st.booleans(),
    )
    def test_distance(
        self,
        count: int,
        seed: int,
        avoid: list[RGB],
        black: bool,  # noqa: FBT001
    ) -> None:
        """
        The closest pair survives CRF 28 in each matrix, also beside avoided colors.
        """
        labels = [f"c{n}" for n in range(count)]

        palette = Palette.generate(
            labels, seed=seed, avoid=avoid, black="c1" if black else None
        )

        assert palette.labels == tuple(labels)
        made = [e.color for e in palette if e.color and e.color != (0, 0, 0)]
        assert len(made) == count - black
        for matrix in MATRICES:
            assert closest(palette, matrix) >= LEAST_DISTANCE
            assert all(
                yuv_distance(color, other, matrix) >= LEAST_DISTANCE
                for color in made
                for other in [*avoid, (0, 0, 0)]
            )
        assert palette.audit(lossy=True) == []

    def test_black(self) -> None:
        """
        Black goes to the label that asks for it, and to no other.
        """
        palette = Palette.generate(["car", "background"], black="background")

        assert palette.ids_by_color[0, 0, 0] == 1
        assert (0, 0, 0) not in Palette.generate(["car", "background"]).ids_by_color
        assert len(Palette.generate(["background"], black="background")) == 1
        with pytest.raises(ArgumentError) as e:
            Palette.generate(["car"], black="void")
        assert e.value == ArgumentError("black", "'void' is none of the labels")

    def test_avoid_palette(self) -> None:
        """
        Another palette can be avoided as a whole.
        """
        other = Palette.known("cityscapes")

        both = [*Palette.generate(["a", "b"], avoid=other)]

        assert all(
            yuv_distance(e.color, o.color) >= LEAST_DISTANCE
            for e in both
            for o in other
            if e.color and o.color
        )

    def test_entries(self) -> None:
        """
        Entries keep all but their color.
        """
        entry = PaletteEntry(id=7, color=(1, 1, 1), index=3, labels="car", thing=True)

        (made,) = Palette.generate([entry])

        assert made.color == (255, 255, 0)
        assert (made.id, made.index, made.thing) == (7, 3, True)

    def test_room(self) -> None:
        """
        There is room for 689 colors; more are refused, and possible without loss.
        """
        labels = [f"c{n}" for n in range(690)]

        assert len(Palette.generate(labels[:-1])) == 689
        with pytest.raises(PaletteError) as e:
            Palette.generate(labels)
        assert e.value == PaletteError(
            "no room for 690 colors that survive lossy video, only for 689; use "
            "lossless video and lossy=False"
        )
        assert len(Palette.generate(labels, lossy=False).ids_by_color) == 690

    def test_lossless(self) -> None:
        """
        Without loss every color but black will do, ten thousand of them.
        """
        labels = [f"c{n}" for n in range(10_000)]

        palette = Palette.generate(labels, lossy=False, seed=3, avoid=[(1, 2, 3)])

        assert len(palette.ids_by_color) == 10_000
        assert not {(0, 0, 0), (1, 2, 3)} & set(palette.ids_by_color)

    @pytest.mark.parametrize(
        ("arguments", "argument"),
        [
            ({"labels": "car"}, "labels"),
            ({"labels": 7}, "labels"),
            ({"labels": [7]}, "labels"),
            ({"labels": ["a"], "seed": 1.5}, "seed"),
            ({"labels": ["a"], "avoid": "#000000"}, "avoid"),
            ({"labels": ["a"], "avoid": [(0, 0, 300)]}, "avoid"),
        ],
    )
    def test_refused(self, arguments: dict[str, Any], argument: str) -> None:
        """
        Arguments that are none are refused by name.
        """
        with pytest.raises(ArgumentError) as e:
            Palette.generate(**arguments)

        assert e.value.argument == argument

    def test_none(self) -> None:
        """
        No labels make an empty palette.
        """
        assert Palette.generate([]) == Palette()
