from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framekit.errors import DocumentError
from framekit.palette import MAX_ID, Palette, PaletteEntry
from framekit.schema import check

CAR = (210, 210, 120)
SHARED = (("#000000", "ego"), ("#000000", "static"), ("#0000ff", "car"))

channels = st.integers(-3, 300)
indices = st.integers(0, 3) | st.integers(0, MAX_ID)
names = st.text('ab |:#,;"\\ä', max_size=6)


@st.composite
def palettes(draw: st.DrawFn) -> Palette:
    """
    Palettes of all kinds, with shared colors and indices, void and ids.
    """
    count = draw(st.integers(0, 6))
    given_ids = draw(st.booleans())
    ids = draw(st.lists(st.integers(0, MAX_ID), min_size=6, max_size=6, unique=True))
    entries = []
    for n in range(count):
        color = draw(st.none() | st.tuples(channels, channels, channels))
        labels = draw(st.lists(names, max_size=2))
        void = not labels or draw(st.booleans())
        entries.append(
            PaletteEntry(
                id=ids[n] if given_ids and not void else None,
                color=color,
                index=draw(indices if color is None else indices | st.none()),
                labels=labels,
                thing=draw(st.none() | st.booleans()),
                void=void,
                metadata=draw(st.dictionaries(names, names | st.booleans())),
            )
        )
    return Palette(entries, shared="first")


class TestJson:
    def test_form(self) -> None:
        """
        Entries are written with what they have, ids always.
        """
        palette = Palette(
            [
                PaletteEntry(color=CAR, labels="car", thing=True, metadata={"a": 1}),
                PaletteEntry(index=255, void=True),
            ]
        )

        assert palette.to_dict() == {
            "entries": [
                {
                    "id": 0,
                    "color": [210, 210, 120],
                    "labels": ["car"],
                    "thing": True,
                    "metadata": {"a": 1},
                },
                {"index": 255, "void": True},
            ]
        }

    def test_shared(self) -> None:
        """
        A palette with shared colors says so, and is read back by what it says.
        """
        palette = Palette(SHARED, shared="first")

        assert palette.to_dict()["shared"] == "first"
        assert Palette.from_dict(palette.to_dict()) == palette
        merged = Palette.from_dict(
            {"entries": [{"color": c, "labels": [x]} for c, x in SHARED]},
            shared="merge",
        )
        assert merged == Palette(SHARED, shared="merge")

    def test_unknown_keys(self) -> None:
        """
        Keys of entries that framekit does not know survive.
        """
        document = {
            "entries": [{"id": 0, "color": [1, 2, 3], "labels": ["a"], "note": "x"}]
        }

        assert Palette.from_dict(document).to_dict() == document

    @settings(deadline=None)
    @given(palettes())
    def test_round_trip(self, palette: Palette) -> None:
        """
        Every palette is read back equal from its JSON, which the schema accepts.
        """
        document = palette.to_dict()

        assert Palette.from_dict(document) == palette
        assert Palette.from_dict(document).to_dict() == document
        assert list(check(document, "palette")) == []

    @pytest.mark.parametrize(
        ("data", "at"),
        [
            (7, "$"),
            ({}, "$"),
            ({"entries": {}}, "$.entries"),
            ({"entries": [7]}, "$.entries[0]"),
            ({"entries": [{"color": [1, 2], "labels": ["a"]}]}, "$.entries[0].color"),
            ({"entries": [{"color": "red", "labels": ["a"]}]}, "$.entries[0].color"),
            ({"entries": [{"index": -1, "labels": ["a"]}]}, "$.entries[0].index"),
            ({"entries": [{"index": 1, "labels": [2]}]}, "$.entries[0].labels"),
            (
                {"entries": [{"index": 1, "labels": ["a"], "thing": 7}]},
                "$.entries[0].thing",
            ),
            ({"entries": [], "shared": "last"}, "$.shared"),
            ([7], "$[0]"),
            ([{"color": [1, 2, 3]}], "$[0]"),
            ([{"name": "a", "color": [1, 2, 300]}], "$[0].color"),
            ([{"name": "a", "rgb": "#12"}], "$[0].rgb"),
            ([{"name": 7, "color": [1, 2, 3]}], "$[0].name"),
            ([{"name": "a", "metadata": 7, "index": 1}], "$[0].metadata"),
            ([{"name": "a", "value": "x"}], "$[0].value"),
            ({"categories": [{}]}, "$.categories[0]"),
        ],
    )
    def test_refused(self, data: Any, at: str) -> None:
        """
        What is no palette is refused with the JSON path of what is wrong.
        """
        with pytest.raises(DocumentError) as e:
            Palette.from_dict(data)

        assert e.value.at == at

    def test_table(self) -> None:
        """
        Arrays of classes, as other tools write them, are palettes, too.
        """
        table = [
            {"id": 3, "name": "car", "color": "#D2D278FF", "isthing": 1, "group": "x"},
            {"id": -1, "name": "plate", "color": [1, 2, 3], "hasInstances": False},
            {"id": "car-1", "labels": ["car", "red"], "rgb": [9, 9, 9], "index": 4},
        ]

        assert list(Palette.from_dict({"categories": table})) == [
            PaletteEntry(
                id=3, color=CAR, labels="car", thing=True, metadata={"group": "x"}
            ),
            PaletteEntry(
                id=1,
                color=(1, 2, 3),
                labels="plate",
                thing=False,
                metadata={"id": -1},
            ),
            PaletteEntry(
                id=2,
                color=(9, 9, 9),
                index=4,
                labels=["car", "red"],
                metadata={"id": "car-1"},
            ),
        ]
