from __future__ import annotations

import json
from pathlib import Path

import pytest

from framekit.errors import ArgumentError
from framekit.palette import VOID, Palette
from framekit.palette.known import NAMES

DATA = Path(__file__).parents[2] / "shared/data"

needs_data = pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")


class TestKnown:
    @pytest.mark.parametrize(
        ("name", "entries", "labels", "void"),
        [
            ("ade20k", 151, 150, 1),
            ("camvid", 32, 31, 1),
            ("cityscapes", 35, 35, 0),
            ("cityscapes-train", 35, 19, 16),
            ("voc", 22, 21, 1),
        ],
    )
    def test_counts(self, name: str, entries: int, labels: int, void: int) -> None:
        """
        Each table has the classes of its data set.
        """
        palette = Palette.known(name)

        assert (len(palette), len(palette.labels)) == (entries, labels)
        assert sum(entry.void for entry in palette) == void
        assert Palette.from_dict(palette.to_dict()) == palette

    def test_names(self) -> None:
        """
        A name that there is not is refused with those that there are.
        """
        with pytest.raises(ArgumentError) as e:
            Palette.known("kitti")

        assert NAMES == ("ade20k", "camvid", "cityscapes", "cityscapes-train", "voc")
        reason = f"expected one of {', '.join(NAMES)}, got 'kitti'"
        assert e.value == ArgumentError("name", reason)


class TestCityscapes:
    def test_shared_colors(self) -> None:
        """
        A color that labels share stands for the first of them.
        """
        palette = Palette.known("cityscapes")
        shared = {
            color: palette[palette.ids_by_color[color]].name
            for color in [(0, 0, 0), (153, 153, 153), (0, 0, 142)]
        }

        assert shared == {
            (0, 0, 0): "unlabeled",
            (153, 153, 153): "pole",
            (0, 0, 142): "car",
        }

    def test_label_ids(self) -> None:
        """
        By label id each label is itself, but for the license plate, which has none.
        """
        palette = Palette.known("cityscapes")

        assert palette.is_indexed
        assert palette.ids_by_index == {id: id for id in range(34)}
        assert palette[18].name == "polegroup"
        assert (palette[34].name, palette[34].index) == ("license plate", None)

    def test_train_ids(self) -> None:
        """
        The evaluated classes have their train ids, all others are void.
        """
        palette = Palette.known("cityscapes-train")

        assert palette.is_indexed
        assert [palette[id].name for id in (0, 5, 13, 18)] == [
            "road",
            "pole",
            "car",
            "bicycle",
        ]
        assert palette.ids_by_color[0, 0, 142] == 13
        assert palette.ids_by_color[0, 0, 0] == VOID
        assert palette.ids_by_index[18] == VOID  # polegroup

    @needs_data
    def test_official(self) -> None:
        """
        Both palettes are the official table.
        """
        table = json.loads((DATA / "cityscapes/labels.json").read_text())

        assert [
            (e.name, list(e.color or ()), e.index, e.thing, dict(e.metadata))
            for e in Palette.known("cityscapes")
        ] == [
            (
                row["name"],
                row["color"],
                None if row["id"] < 0 else row["id"],
                row["hasInstances"],
                {"category": row["category"], "train_id": row["trainId"]},
            )
            for row in table
        ]
        assert [
            (e.name, VOID if e.void else e.id)
            for e in Palette.known("cityscapes-train")
        ] == [
            (row["name"], VOID if row["ignoreInEval"] else row["trainId"])
            for row in table
        ]


class TestVoc:
    def test_colors(self) -> None:
        """
        Colors and values are those of the development kit's color map.
        """
        palette = Palette.known("voc")

        assert palette.ids_by_color[0, 0, 0] == 0
        assert palette[15].name == "person"
        assert palette[15].color == (192, 128, 128)
        assert palette[20].name == "tvmonitor"
        assert palette[20].color == (0, 64, 128)
        assert palette.ids_by_index == {id: id for id in range(21)} | {255: VOID}
        assert palette.void_color == (224, 224, 192)

    @needs_data
    def test_table(self) -> None:
        """
        Colors are those of VOC's files.
        """
        table = json.loads((DATA / "voc/table.json").read_text())

        assert [(e.index, list(e.color or ())) for e in Palette.known("voc")] == [
            (row["id"], row["color"]) for row in table
        ]


class TestCamvid:
    def test_colors(self) -> None:
        """
        Classes are in alphabetical order; black is void.
        """
        palette = Palette.known("camvid")
        names = [entry.name for entry in palette]

        assert names == sorted(names, key=str.lower)
        assert palette.void_color == (0, 0, 0)
        assert palette.ids_by_color[64, 0, 128] == names.index("Car")

    @needs_data
    def test_table(self) -> None:
        """
        The classes that a reduced CamVid kept have their colors here.
        """
        renamed = {
            "Pole": "Column_Pole",
            "Pavement": "Sidewalk",
            "Unlabelled": "Void",
        }
        rows = json.loads((DATA / "camvid/table.json").read_text())
        colors = {e.name: e.color for e in Palette.known("camvid")}

        assert {row["name"]: tuple(row["color"]) for row in rows} == {
            row["name"]: colors[renamed.get(row["name"], row["name"])] for row in rows
        }


class TestAde20k:
    def test_classes(self) -> None:
        """
        Values are 1 to 150, 0 is void, and the first of two equal colors counts.
        """
        palette = Palette.known("ade20k")

        assert palette.ids_by_index == {0: VOID} | {id: id for id in range(1, 151)}
        assert [palette[id].name for id in (1, 8, 150)] == ["wall", "bed", "flag"]
        assert palette[150].color == (92, 0, 255)
        assert palette[palette.ids_by_color[140, 140, 140]].name == "road"
        assert palette[49].name == "skyscraper"
        assert palette[49].color == (140, 140, 140)
        assert len(palette.ids_by_color) == 150

    def test_stuff(self) -> None:
        """
        35 of the classes are stuff, 115 are things.
        """
        kinds = [e.thing for e in Palette.known("ade20k") if not e.void]

        assert (kinds.count(False), kinds.count(True)) == (35, 115)
