from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from framekit.errors import ArgumentError
from framekit.palette import MAX_ID, VOID, Palette, PaletteEntry

CAR = (210, 210, 120)
PERSON = (147, 44, 209)


class TestEntry:
    def test_void_without_labels(self) -> None:
        """
        An entry without labels is void, and one with labels is not.
        """
        assert PaletteEntry(color=CAR).void
        assert PaletteEntry(color=CAR, labels=[]).void
        assert not PaletteEntry(color=CAR, labels="car").void

    def test_named_void(self) -> None:
        """
        A void entry may have a name.
        """
        entry = PaletteEntry(color=CAR, labels="border", void=True)

        assert (entry.void, entry.name, entry.id_or_void) == (True, "border", VOID)

    def test_labels_once(self) -> None:
        """
        A label that is repeated counts once.
        """
        assert PaletteEntry(color=CAR, labels=["a", "b", "a"]).labels == ("a", "b")

    @pytest.mark.parametrize("id", [0, 7.0, np.int64(7), np.uint8(200), MAX_ID])
    def test_whole_numbers(self, id: Any) -> None:
        """
        Whole numbers of any kind are ids, as far as 31 bits reach.
        """
        assert PaletteEntry(id=id, color=CAR, labels="car").id == int(id)

    @pytest.mark.parametrize(
        ("values", "error"),
        [
            (
                {"id": -1},
                ArgumentError(
                    "id", f"expected a whole number from 0 to {MAX_ID}, got -1"
                ),
            ),
            (
                {"id": MAX_ID + 1},
                ArgumentError(
                    "id",
                    f"expected a whole number from 0 to {MAX_ID}, got {MAX_ID + 1}",
                ),
            ),
            (
                {"index": True},
                ArgumentError(
                    "index", f"expected a whole number from 0 to {MAX_ID}, got True"
                ),
            ),
            (
                {"index": "1"},
                ArgumentError(
                    "index", f"expected a whole number from 0 to {MAX_ID}, got '1'"
                ),
            ),
            (
                {"index": float("nan")},
                ArgumentError(
                    "index", f"expected a whole number from 0 to {MAX_ID}, got nan"
                ),
            ),
            (
                {"thing": "no"},
                ArgumentError("thing", "expected true, false or nothing, got 'no'"),
            ),
            (
                {"labels": [], "void": False},
                ArgumentError(
                    "labels", "expected at least one; an entry without labels is void"
                ),
            ),
            (
                {"id": 3, "void": True},
                ArgumentError("id", "expected none for a void entry, got 3"),
            ),
            (
                {"color": (1, 2)},
                ArgumentError(
                    "color", "expected three integers (red, green, blue), got [1, 2]"
                ),
            ),
        ],
    )
    def test_refused(self, values: dict[str, Any], error: ArgumentError) -> None:
        """
        What makes no entry is refused, naming the field.
        """
        with pytest.raises(ArgumentError) as e:
            PaletteEntry(**{"color": CAR, "labels": "car"} | values)

        assert e.value == error


class TestVoid:
    def test_lookups(self) -> None:
        """
        Void colors and values are known and lead to VOID; void entries have no id.
        """
        palette = Palette(
            [
                PaletteEntry(color=CAR, index=0, labels="car"),
                PaletteEntry(color=(224, 224, 192), index=255, void=True, labels="v"),
                PaletteEntry(color=PERSON, index=1, labels="person"),
            ]
        )

        assert [e.id for e in palette] == [0, None, 2]
        assert palette.ids_by_color == {CAR: 0, (224, 224, 192): -1, PERSON: 2}
        assert palette.ids_by_index == {0: 0, 255: -1, 1: 2}
        assert palette.void_color == (224, 224, 192)
        assert palette.labels == ("car", "person")
        with pytest.raises(ArgumentError):
            palette.ids_of("v")
        with pytest.raises(IndexError):
            palette[VOID]

    def test_spelling(self) -> None:
        """
        No labels, as None or an empty list, say void.
        """
        assert Palette({CAR: None}) == Palette({CAR: []})
        assert Palette({CAR: None}).void_color == CAR
        assert Palette({CAR: "car"}).void_color is None

    def test_cast(self) -> None:
        """
        VOID is the void value of uint8 label maps when cast.
        """
        assert np.array([VOID]).astype(np.uint8) == 255


class TestIsIndexed:
    def test_colors(self) -> None:
        """
        A palette of colors is not indexed, an empty one neither.
        """
        assert not Palette({CAR: "car"}).is_indexed
        assert not Palette().is_indexed

    def test_unreachable(self) -> None:
        """
        An entry that no pixel can lead to needs no index.
        """
        entries = [
            PaletteEntry(color=CAR, index=26, labels="car"),
            PaletteEntry(color=CAR, labels="license plate"),
        ]

        assert Palette(entries, shared="first").is_indexed
        assert not Palette([*entries, (PERSON, "x")], shared="first").is_indexed

    def test_indexed_by_id(self) -> None:
        """
        A table whose ids are pixel values becomes an indexed palette on request.
        """
        palette = Palette(
            [
                PaletteEntry(id=7, color=CAR, labels="car"),
                PaletteEntry(color=PERSON, index=255, void=True),
            ]
        ).indexed_by_id()

        assert palette.is_indexed
        assert palette.ids_by_index == {7: 7, 255: VOID}
