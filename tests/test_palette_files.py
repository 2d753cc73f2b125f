from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from framekit.errors import (
    DocumentError,
    PaletteError,
    PaletteWarning,
)
from framekit.palette import Palette, PaletteEntry

DATA = Path(__file__).parents[2] / "shared/data"

needs_data = pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")


def load(tmp_path: Path, text: str | bytes, name: str, **options: Any) -> Palette:
    """
    Load a palette file of this content.
    """
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Palette.load(path, **options)


def pairs(palette: Palette) -> list[tuple[Any, tuple[str, ...]]]:
    """
    Colors and labels in their order.
    """
    return [(entry.color, entry.labels) for entry in palette]


class TestLabelmap:
    def test_lines(self, tmp_path: Path) -> None:
        """
        Comments, empty parts, blanks, colons and spaces in names are read.
        """
        text = (
            "# label:color_rgb:parts:actions\r\n"
            "\r\n"
            "background:0,0,0::\r\n"
            "sky dome : 1, 2 ,3 ::\r\n"
            "a:b:4,5,6:head, hand:walk,run # a comment, with a comma\r\n"
            "no tail:7,8,9\r\n"
            "grass:0,255,0:: #green\r\n"
            "#5:10,11,12::"
        )

        assert list(load(tmp_path, text, "labelmap.txt")) == [
            PaletteEntry(id=0, color=(0, 0, 0), labels="background"),
            PaletteEntry(id=1, color=(1, 2, 3), labels="sky dome"),
            PaletteEntry(
                id=2,
                color=(4, 5, 6),
                labels="a:b",
                metadata={"parts": ["head", "hand"], "actions": ["walk", "run"]},
            ),
            PaletteEntry(id=3, color=(7, 8, 9), labels="no tail"),
            PaletteEntry(id=4, color=(0, 255, 0), labels="grass"),
        ]

    def test_written(self, tmp_path: Path) -> None:
        """
        What is written is what CVAT writes.
        """
        palette = Palette(
            [
                PaletteEntry(color=(0, 0, 0), labels="background"),
                PaletteEntry(
                    color=(1, 2, 3), labels="sky dome", metadata={"parts": ["a", "b"]}
                ),
            ]
        )

        palette.save(tmp_path / "labelmap.txt")

        assert (tmp_path / "labelmap.txt").read_bytes() == (
            b"# label:color_rgb:parts:actions\n"
            b"background:0,0,0::\n"
            b"sky dome:1,2,3:a,b:\n"
        )
        assert Palette.load(tmp_path / "labelmap.txt") == palette

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("car", "expected 'label:r,g,b:parts:actions', got 'car'"),
            ("car:::", "expected 'label:r,g,b:parts:actions', got 'car:::'"),
            ("car:1,2::", "expected 'label:r,g,b:parts:actions', got 'car:1,2::'"),
            (":1,2,3::", "expected 'label:r,g,b:parts:actions', got ':1,2,3::'"),
            (
                "car:1,2,3,4::",
                "expected 'label:r,g,b:parts:actions', got 'car:1,2,3,4::'",
            ),
            ("car:1,2,999::", "expected a color of 0 to 255, got [1, 2, 999]"),
        ],
    )
    def test_refused(self, tmp_path: Path, line: str, reason: str) -> None:
        """
        A line that is none is refused with the file and the line.
        """
        with pytest.raises(DocumentError) as e:
            load(tmp_path, f"#\nbackground:0,0,0::\n{line}\n", "labelmap.txt")

        assert (e.value.at, e.value.reason) == (f"{tmp_path}/labelmap.txt:3", reason)

    def test_shared(self, tmp_path: Path) -> None:
        """
        Two labels on one color are refused with both lines.
        """
        text = "a:0,0,0::\nb:1,1,1::\n\nc:0,0,0::\n"

        with pytest.raises(PaletteError) as e:
            load(tmp_path, text, "labelmap.txt")

        assert e.value == PaletteError(
            f"{tmp_path}/labelmap.txt: #000000 stands for ['a'] and for ['c']; choose "
            "with shared='first' or 'merge' (line 1 and line 4)"
        )
        merged = load(tmp_path, text, "labelmap.txt", shared="merge")
        assert merged == Palette({"#000000": ["a", "c"], "#010101": "b"})

    @needs_data
    def test_real(self) -> None:
        """
        CVAT's own files are read, one with a comment behind a line.
        """
        one = Palette.load(DATA / "cvat/labelmap.txt")
        other = Palette.load(DATA / "cvat/labelmap_comment/labelmap.txt")

        assert one == Palette(
            {
                (0, 0, 0): "background",
                (224, 64, 64): "cheetah",
                (160, 96, 64): "fox",
                (7, 73, 80): "hyena",
                (32, 128, 224): "lion",
                (112, 192, 192): "tiger",
                (102, 178, 138): "wolf",
            }
        )
        assert other == Palette(
            {
                (255, 255, 0): "agriculture_land",
                (97, 35, 35): "background",
                (255, 255, 255): "barren_land",
                (0, 255, 0): "forest_land",
                (255, 0, 255): "range_land",
                (255, 128, 0): "unknown",
                (0, 255, 255): "urban_land",
                (0, 0, 255): "water",
            }
        )


class TestCamvid:
    def test_lines(self, tmp_path: Path) -> None:
        """
        Fields are separated by spaces and tabs, names may have spaces.
        """
        text = "64 128 64\tAnimal\n128 0 0\t\tBuilding\n 0  0 0   sky dome \n#\n"

        assert load(tmp_path, text, "label_colors.txt") == Palette(
            {(64, 128, 64): "Animal", (128, 0, 0): "Building", (0, 0, 0): "sky dome"}
        )

    def test_written(self, tmp_path: Path) -> None:
        """
        What is written is what CamVid has.
        """
        Palette({(64, 128, 64): "sky dome"}).save(tmp_path / "label_colors.txt")

        written = (tmp_path / "label_colors.txt").read_bytes()
        assert written == b"64 128 64\tsky dome\n"

    @pytest.mark.parametrize("line", ["1 2 3", "1 2 x y", "1 2 3\t ", "256 0 0 a"])
    def test_refused(self, tmp_path: Path, line: str) -> None:
        """
        A line that is none is refused with the file and the line.
        """
        with pytest.raises(DocumentError) as e:
            load(tmp_path, f"0 0 0\tVoid\n{line}\n", "label_colors.txt")

        assert e.value.at == f"{tmp_path}/label_colors.txt:2"

    def test_void(self, tmp_path: Path) -> None:
        """
        The format cannot say void, so writing it is a warning.
        """
        with pytest.warns(PaletteWarning) as found:
            Palette.known("camvid").save(tmp_path / "label_colors.txt")

        assert [str(w.message) for w in found] == [
            "camvid has no place for void; JSON has"
        ]
        read = Palette.load(tmp_path / "label_colors.txt")
        assert pairs(read) == pairs(Palette.known("camvid"))


class TestCsv:
    @pytest.mark.parametrize(
        "text",
        [
            "name,r,g,b\ncar,210,210,120\nsky dome,0,0,255\n",
            "label;color\ncar;#d2d278\nsky dome;0,0,255\n",
            "Name\tHex\ncar\td2d278\n\nsky dome\t0000FF\n",
            'class,rgb\ncar,"210, 210, 120"\nsky dome,"(0, 0, 255)"\n',
            "\ufeffr,g,b,name\r\n210,210,120,car\r\n0,0,255,sky dome",
            "labels,red,green,blue\ncar,210,210,120\n sky dome ,0,0,255\n",
        ],
    )
    def test_spellings(self, tmp_path: Path, text: str) -> None:
        """
        Columns stand in any order, under any of their names.
        """
        assert load(tmp_path, text, "p.csv") == Palette(
            {(210, 210, 120): "car", (0, 0, 255): "sky dome"}
        )

    def test_all_columns(self, tmp_path: Path) -> None:
        """
        Every field of an entry has a column; others go to the metadata.
        """
        text = (
            "id,labels,color,index,thing,void,metadata,Group\n"
            '7,car|vehicle,#d2d278,26,true,,"{""a"": [1]}",flat\n'
            ",border,#e0e0c0,255,,yes,,\n"
        )

        assert list(load(tmp_path, text, "p.csv")) == [
            PaletteEntry(
                id=7,
                color=(210, 210, 120),
                index=26,
                labels=["car", "vehicle"],
                thing=True,
                metadata={"Group": "flat", "a": [1]},
            ),
            PaletteEntry(color=(224, 224, 192), index=255, labels="border", void=True),
        ]

    def test_indexed(self, tmp_path: Path) -> None:
        """
        A table of values without colors is an indexed palette.
        """
        palette = load(tmp_path, "value,name\n0,background\n300,car\n", "p.csv")

        assert palette == Palette.indexed({0: "background", 300: "car"})

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", 1),
            ("\n\n", 1),
            ("r,g,b\n1,2,3\n", 1),
            ("name,label,r,g,b\n", 1),
            ("name,r,g,b\ncar,1,2\n", 2),
            ("name,r,g,b\n\ncar,1,2,3,4\n", 3),
            ("name,r,g,b\na,0,0,0\ncar,1,2,256\n", 3),
            ("name,r,g,b\ncar,1,2,x\n", 2),
            ("name,color\ncar,red\n", 2),
            ("name,index\ncar,-1\n", 2),
            ("name,index\ncar,1.5\n", 2),
            ("name,index\n ,1\n", 2),
            ("name,index,thing\ncar,1,perhaps\n", 2),
            ("name,index,metadata\ncar,1,[2]\n", 2),
            ("name,index,metadata\ncar,1,{\n", 2),
            ('name,index\n"a\nb",0\n"c\nd",x\n', 4),
        ],
    )
    def test_refused(self, tmp_path: Path, text: str, line: int) -> None:
        """
        What is no such table is refused with the file and the line.
        """
        with pytest.raises(DocumentError) as e:
            load(tmp_path, text, "p.csv")

        assert e.value.at == f"{tmp_path}/p.csv:{line}"


class TestJson:
    def test_round_trip(self, tmp_path: Path) -> None:
        """
        JSON keeps everything, without a warning.
        """
        palette = Palette.known("cityscapes-train")

        palette.save(tmp_path / "p.json")

        assert Palette.load(tmp_path / "p.json") == palette

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("", "$"),
            ("[{]", "$"),
            ('{"entries": [{"index": 1, "labels": [7]}]}', "$.entries[0].labels"),
            ('{"entries": [], "entries": []}', "$.entries"),
            ('[{"name": "a", "color": [1, 2]}]', "$[0].color"),
        ],
    )
    def test_refused(self, tmp_path: Path, text: str, place: str) -> None:
        """
        What is no palette is refused with the file and the JSON path.
        """
        with pytest.raises(DocumentError) as e:
            load(tmp_path, text, "p.json")

        assert e.value.at == f"{tmp_path}/p.json:{place}"

    @needs_data
    def test_real(self) -> None:
        """
        Tables of classes are read; ids are the tables', indices only if they say so.
        """
        camvid = Palette.load(DATA / "camvid/table.json")
        voc = Palette.load(DATA / "voc/table.json").indexed_by_id()
        cityscapes = Palette.load(DATA / "cityscapes/labels.json", shared="first")

        assert camvid.ids_by_color[192, 192, 128] == 2
        assert not camvid.is_indexed
        assert camvid.indexed_by_id().ids_by_index[2] == 2
        assert (voc.ids_by_index[20], voc.labels[20]) == (20, "tv/monitor")
        assert cityscapes[26].metadata == {
            "trainId": 13,
            "category": "vehicle",
            "ignoreInEval": False,
        }
        with pytest.raises(PaletteError, match="stands for"):
            Palette.load(DATA / "cityscapes/labels.json")
