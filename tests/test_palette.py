from __future__ import annotations

import pickle
import subprocess
import sys
from time import process_time
from typing import Any

import pytest
from attrs import evolve

from framekit.errors import ArgumentError, PaletteError
from framekit.palette import MAX_ID, VOID, Palette, PaletteEntry

CAR = (210, 210, 120)
PERSON = (147, 44, 209)


class TestConstruction:
    def test_mapping(self) -> None:
        """
        Colors in any form map to one label or several; ids are positions.
        """
        palette = Palette({CAR: "car", "#932cd1": ["person", "sitting"]})

        assert list(palette) == [
            PaletteEntry(id=0, color=CAR, labels=["car"]),
            PaletteEntry(id=1, color=PERSON, labels=["person", "sitting"]),
        ]

    def test_forms(self) -> None:
        """
        Pairs, entries and another palette make the same palette.
        """
        palette = Palette({CAR: "car"})

        assert palette == Palette([(CAR, ["car"])])
        assert palette == Palette([PaletteEntry(color=CAR, labels="car")])
        assert palette == Palette(palette)

    @pytest.mark.parametrize(
        "entries", ["car", 7, [CAR], [("#d2d278", "car", 1)], None, [None]]
    )
    def test_refused(self, entries: Any) -> None:
        """
        Anything else is refused.
        """
        with pytest.raises(ArgumentError) as e:
            Palette(entries)

        assert e.value.argument == "entries"

    def test_neither_color_nor_index(self) -> None:
        """
        An entry that no pixel can have is refused.
        """
        with pytest.raises(PaletteError) as e:
            Palette([PaletteEntry(labels="car")])

        assert e.value == PaletteError("'car' has neither a color nor an index")

    def test_indexed(self) -> None:
        """
        In an indexed palette the value is the index, the position the id.
        """
        palette = Palette.indexed({7: "background", 300: "car", 70000: "person"})

        assert [(e.id, e.index, e.color) for e in palette] == [
            (0, 7, None),
            (1, 300, None),
            (2, 70000, None),
        ]
        assert palette.ids_by_index == {7: 0, 300: 1, 70000: 2}
        assert palette.is_indexed

    def test_indexed_needs_indices(self) -> None:
        """
        An indexed palette takes no entries without one.
        """
        with pytest.raises(ArgumentError, match="has no index"):
            Palette.indexed([PaletteEntry(color=CAR, labels="car")])

    def test_ids(self) -> None:
        """
        Explicit ids need no order and no density; lookup is by id.
        """
        palette = Palette(
            [
                PaletteEntry(id=MAX_ID, color=CAR, labels="car"),
                PaletteEntry(id=24, color=PERSON, labels="person"),
            ]
        )

        assert palette[24].name == "person"
        assert palette[MAX_ID].name == "car"
        assert palette.ids_by_color == {CAR: MAX_ID, PERSON: 24}
        with pytest.raises(IndexError, match="the palette has no id 0"):
            palette[0]

    def test_id_twice(self) -> None:
        """
        Two entries cannot have one id, be it given or a position.
        """
        with pytest.raises(PaletteError) as e:
            Palette(
                [
                    PaletteEntry(id=1, color=CAR, labels="car"),
                    PaletteEntry(color=PERSON, labels="person"),
                ]
            )

        assert e.value == PaletteError(
            "id 1 stands for 'car' and for 'person'; give every entry an id of its "
            "own, or none"
        )

    def test_instances(self) -> None:
        """
        Several colors may have one label.
        """
        palette = Palette({CAR: "car", PERSON: "car"})

        assert palette.ids_of("car") == (0, 1)
        assert palette.labels == ("car",)

    def test_repetition(self) -> None:
        """
        What is said twice counts once, whatever the order of the labels.
        """
        pairs = [(CAR, ["a", "b"]), (CAR, ["b", "a"]), (PERSON, "person")]

        assert len(Palette(pairs)) == 2

    def test_sequence(self) -> None:
        """
        All but the lookup of an id is by position.
        """
        palette = Palette(
            [
                PaletteEntry(id=9, color=CAR, labels="car"),
                PaletteEntry(id=5, color=PERSON, labels="person"),
            ]
        )
        car, person = palette

        assert list(reversed(palette)) == [person, car]
        assert palette[1:] == (person,)
        assert palette.index(person) == 1
        assert palette.count(car) == 1
        assert car in palette
        assert evolve(car, id=1) not in palette

    def test_unknown_label(self) -> None:
        """
        A label that the palette does not have is refused with those that it has.
        """
        with pytest.raises(ArgumentError) as e:
            Palette({CAR: "car"}).ids_of("cat")

        reason = "'cat' is no label of the palette: ['car']"
        assert e.value == ArgumentError("label", reason)

    def test_out_of_range(self) -> None:
        """
        A color out of range stays in the palette, and no pixel leads to it.
        """
        palette = Palette([PaletteEntry(color=(-1, 1, 255), labels="car")])

        assert palette.ids_by_color == {}
        assert palette.labels == ("car",)


class TestShared:
    PAIRS = (("#000000", "ego"), ("#000000", "static"), ("#0000ff", "car"))

    def test_error(self) -> None:
        """
        Two label sets on one color are refused by default.
        """
        with pytest.raises(PaletteError) as e:
            Palette(self.PAIRS)

        assert e.value == PaletteError(
            "#000000 stands for ['ego'] and for ['static']; choose with shared='first' "
            "or 'merge'"
        )

    def test_first(self) -> None:
        """
        With "first" all entries stay, and the color leads to the first.
        """
        palette = Palette(self.PAIRS, shared="first")

        assert [e.name for e in palette] == ["ego", "static", "car"]
        assert palette.ids_by_color == {(0, 0, 0): 0, (0, 0, 255): 2}

    def test_merge(self) -> None:
        """
        With "merge" one entry has the labels of all.
        """
        palette = Palette(self.PAIRS, shared="merge")

        assert [(e.id, e.labels) for e in palette] == [
            (0, ("ego", "static")),
            (1, ("car",)),
        ]

    def test_index(self) -> None:
        """
        Two label sets on one pixel value are refused as well.
        """
        entries = [
            PaletteEntry(index=1, labels="car"),
            PaletteEntry(index=1, labels="bus"),
        ]

        with pytest.raises(PaletteError, match=r"^1 stands for \['car'\]"):
            Palette.indexed(entries)
        assert Palette.indexed(entries, shared="first").ids_by_index == {1: 0}

    def test_void_and_label(self) -> None:
        """
        Void and a label on one color contradict each other.
        """
        entries = [(CAR, "car"), (CAR, None)]

        with pytest.raises(PaletteError, match=r"\['car'\] and for void"):
            Palette(entries)
        with pytest.raises(PaletteError, match="cannot be merged"):
            Palette(entries, shared="merge")
        assert Palette(entries, shared="first").ids_by_color == {CAR: 0}

    def test_void_twice(self) -> None:
        """
        Void entries on one color agree, whatever they are called.
        """
        entries = [
            PaletteEntry(color=CAR, labels="static", void=True),
            PaletteEntry(color=CAR, labels="ego", void=True),
        ]

        assert Palette(entries).ids_by_color == {CAR: VOID}

    def test_merge_loses_no_index(self) -> None:
        """
        Entries with indices of their own are not merged, an index would be lost.
        """
        entries = [
            PaletteEntry(color=CAR, index=1, labels="car"),
            PaletteEntry(color=CAR, index=2, labels="plate"),
        ]

        with pytest.raises(PaletteError, match="cannot be merged"):
            Palette(entries, shared="merge")

    def test_two_ids_of_one_color(self) -> None:
        """
        A color cannot stand for two ids, even with the same labels.
        """
        entries = [
            PaletteEntry(id=4, color=CAR, labels="car"),
            PaletteEntry(id=5, color=CAR, labels="car"),
        ]

        with pytest.raises(PaletteError) as e:
            Palette(entries)

        assert e.value == PaletteError("#d2d278 stands for two ids of 'car'")

    def test_one_color_of_two_indices(self) -> None:
        """
        Entries that indices tell apart may be painted alike when labels agree.
        """
        entries = [
            PaletteEntry(color=CAR, index=1, labels="car"),
            PaletteEntry(color=CAR, index=2, labels="car"),
        ]

        palette = Palette(entries)

        assert palette.ids_by_index == {1: 0, 2: 1}
        assert palette.ids_by_color == {CAR: 0}

    def test_policy(self) -> None:
        """
        A policy that is none is refused.
        """
        with pytest.raises(ArgumentError) as e:
            Palette({}, shared="last")  # type: ignore[arg-type]

        reason = "expected 'error', 'first' or 'merge', got 'last'"
        assert e.value == ArgumentError("shared", reason)


class TestEquality:
    def test_equal(self) -> None:
        """
        Palettes are equal, with equal hashes, when their entries are.
        """
        palette = Palette({CAR: "car"})

        assert palette == Palette({"#D2D278": ["car"]})
        assert hash(palette) == hash(Palette({"#D2D278": ["car"]}))
        assert palette != Palette({CAR: "bus"})
        assert palette != {CAR: "car"}

    def test_metadata(self) -> None:
        """
        Metadata tell palettes apart; hashes leave them out.
        """
        one, other = (
            Palette([PaletteEntry(color=CAR, labels="car", metadata={"x": x})])
            for x in ([1], [2])
        )

        assert one != other
        assert hash(one) == hash(other)

    def test_pickle(self) -> None:
        """
        A palette read in another process is equal and has that process's hash.
        """
        palette = Palette({CAR: "car", PERSON: None})
        hash(palette)
        code = (
            "import pickle, sys; from framekit.palette import Palette\n"
            "read = pickle.load(sys.stdin.buffer)\n"
            "made = Palette({(210, 210, 120): 'car', (147, 44, 209): None})\n"
            "print(read == made, hash(read) == hash(made), read.labels)"
        )

        done = subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(palette),
            capture_output=True,
            check=True,
        )

        assert done.stdout.decode() == "True True ('car',)\n"

    def test_repr(self) -> None:
        """
        The text shows the first entries and how many more there are.
        """
        palette = Palette([(f"#00000{n}", f"c{n}") for n in range(8)])

        assert repr(palette) == (
            "Palette({#000000: 'c0', #000001: 'c1', #000002: 'c2', #000003: 'c3', "
            "#000004: 'c4', #000005: 'c5', … 2 more})"
        )


class TestSize:
    def test_10000_entries(self) -> None:
        """
        Time grows with the number of entries, not with its square.
        """
        pairs = [((n & 255, n >> 8, 0), f"c{n}") for n in range(10_000)]
        crowd = [((0, 0, 0), f"c{n}") for n in range(10_000)]
        start = process_time()

        palette = Palette(pairs)
        merged = Palette(crowd, shared="merge")
        read = Palette.from_dict(palette.to_dict())

        assert process_time() - start < 5
        assert len(palette.ids_by_color) == len(merged[0].labels) == 10_000
        assert read == palette
        assert palette.ids_of("c9999") == (9999,)
