from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framekit.errors import (
    ArgumentError,
    DocumentError,
    MissingFileError,
    PaletteError,
    PaletteWarning,
    StorageError,
)
from framekit.palette import Palette, PaletteEntry

#: Palettes of colors and names, with all that text formats trip over.
tables = st.lists(
    st.tuples(
        st.tuples(*[st.integers(0, 255)] * 3),
        st.text("ab |:#,;\"'\t\n\r\\ 0ä\ufeff\x85", max_size=8),
    ),
    max_size=5,
)


def load(tmp_path: Path, text: str | bytes, name: str, **options: Any) -> Palette:
    """
    Load a palette file of this content.
    """
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Palette.load(path, **options)


class TestFormat:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("car:1,2,3::", "colors"),
            ("1 2 3 car", "labels.lst"),
            ('[{"name": "car", "color": [1, 2, 3]}]', "table"),
            ("# x\n\n1 2 3\tcar", "labelmap.txt"),
            ("name,r,g,b\ncar,1,2,3", "P.CSV"),
        ],
    )
    def test_found(self, tmp_path: Path, text: str, name: str) -> None:
        """
        Without a format, the name and the content say what a file is.
        """
        assert load(tmp_path, text, name) == Palette({(1, 2, 3): "car"})

    def test_named(self, tmp_path: Path) -> None:
        """
        A format that is named counts, whatever the name.
        """
        path = tmp_path / "p.json"
        palette = Palette({(1, 2, 3): "car"})

        palette.save(path, format="camvid")

        assert path.read_bytes() == b"1 2 3\tcar\n"
        assert Palette.load(path, format="camvid") == palette

    def test_unknown(self, tmp_path: Path) -> None:
        """
        A content that no format has is refused.
        """
        with pytest.raises(DocumentError) as e:
            load(tmp_path, "hello\n", "p.txt")

        assert e.value == DocumentError(
            f"{tmp_path}/p.txt:1",
            "no palette format that is known; name one of json, labelmap, camvid, csv",
            "unknown-format",
        )

    def test_misnamed(self, tmp_path: Path) -> None:
        """
        A format that there is not is refused, as is a name that says none.
        """
        with pytest.raises(ArgumentError) as e:
            Palette.load(tmp_path / "p.json", format="voc")
        with pytest.raises(ArgumentError, match="does not say; name one of json"):
            Palette().save(tmp_path / "palette")

        reason = "expected one of json, labelmap, camvid, csv, got 'voc'"
        assert e.value == ArgumentError("format", reason)


class TestStorage:
    def test_missing(self, tmp_path: Path) -> None:
        """
        A file that is not there is a missing file, also to Python.
        """
        with pytest.raises(FileNotFoundError) as e:
            Palette.load(tmp_path / "p.json")

        reason = "there is no such file"
        assert e.value == MissingFileError(f"{tmp_path}/p.json", reason)

    def test_folder(self, tmp_path: Path) -> None:
        """
        A folder can be neither read nor written as a palette.
        """
        with pytest.raises(StorageError, match="directory"):
            Palette.load(tmp_path, format="json")
        with pytest.raises(StorageError, match="directory"):
            Palette().save(tmp_path, format="json")

    def test_bad_utf8(self, tmp_path: Path) -> None:
        """
        Bytes that are no UTF-8 are refused with their line.
        """
        with pytest.raises(DocumentError) as e:
            load(tmp_path, b"a:0,0,0::\n\xff:1,1,1::\n", "labelmap.txt")

        assert e.value == DocumentError(
            f"{tmp_path}/labelmap.txt:2", "no UTF-8 text", "bad-utf8"
        )

    @pytest.mark.parametrize("name", ["labelmap.txt", "label_colors.txt", "p.csv"])
    def test_long_lines(self, tmp_path: Path, name: str) -> None:
        """
        Long lines of one character are refused at once.
        """
        for character in (" ", ":", "1", ",", "1 ", "a:1,", '"'):
            text = "a:0,0,0::\n" + character * (400_000 // len(character)) + "x"
            with pytest.raises((DocumentError, PaletteError)):
                load(tmp_path, text, name)

    def test_nothing_is_written_on_refusal(self, tmp_path: Path) -> None:
        """
        A palette that a format cannot hold leaves the file as it was.
        """
        path = tmp_path / "labelmap.txt"
        path.write_text("before")

        with pytest.raises(PaletteError):
            Palette({(0, 0, 0): ["a", "b"]}).save(path)

        assert path.read_text() == "before"


class TestCannotHold:
    @pytest.mark.parametrize(
        ("palette", "format", "reason"),
        [
            (
                Palette({(0, 0, 0): ["a", "b"]}),
                "labelmap",
                "labelmap cannot hold several labels on a color: 'a, b'",
            ),
            (
                Palette.indexed({0: "a"}),
                "camvid",
                "camvid needs a color of 0 to 255 for 'a'",
            ),
            (
                Palette([PaletteEntry(color=(-1, 0, 0), labels="a")]),
                "csv",
                "csv needs a color of 0 to 255 for 'a'",
            ),
            (
                Palette({(0, 0, 0): "#a"}),
                "labelmap",
                "labelmap cannot hold all 1 entries",
            ),
            (
                Palette({(0, 0, 0): "a:1,2,3"}),
                "labelmap",
                "labelmap cannot hold 'a:1,2,3' as it is",
            ),
            (
                Palette({(0, 0, 0): " a"}),
                "camvid",
                "camvid cannot hold ' a' as it is",
            ),
            (
                Palette({(0, 0, 0): ["a|b", "c"]}),
                "csv",
                "csv cannot hold 'a|b, c' among several labels",
            ),
        ],
    )
    def test_refused(
        self, tmp_path: Path, palette: Palette, format: str, reason: str
    ) -> None:
        """
        What would be read back as something else is not written.
        """
        with pytest.raises(PaletteError) as e:
            palette.save(tmp_path / "p", format=format)

        assert e.value == PaletteError(reason)

    def test_warned(self, tmp_path: Path) -> None:
        """
        What a format has no place for is named in one warning.
        """
        palette = Palette(
            [
                PaletteEntry(
                    id=5,
                    color=(0, 0, 0),
                    index=1,
                    labels="a",
                    thing=True,
                    metadata={"group": "x"},
                )
            ]
        )

        with pytest.warns(PaletteWarning) as found:
            palette.save(tmp_path / "p.txt")

        assert [str(w.message) for w in found] == [
            "labelmap has no place for id, index, thing, metadata; JSON has"
        ]
        assert found[0].filename == __file__

    @pytest.mark.parametrize("format", ["labelmap", "camvid", "csv", "json"])
    @settings(
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(table=tables)
    def test_round_trip(self, tmp_path: Path, format: str, table: list[Any]) -> None:
        """
        Whatever is written is read back the same; the rest is refused.
        """
        palette = Palette(table, shared="first")
        path = tmp_path / "p"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                palette.save(path, format=format)
        except PaletteError:
            assert format != "json"
            return

        assert Palette.load(path, format=format, shared="first") == palette

    @pytest.mark.parametrize(
        "name", ["ade20k", "cityscapes", "cityscapes-train", "voc"]
    )
    def test_csv_holds_known_tables(self, tmp_path: Path, name: str) -> None:
        """
        CSV keeps all that the known tables have.
        """
        palette = Palette.known(name)

        palette.save(tmp_path / "p.csv")

        assert Palette.load(tmp_path / "p.csv", shared="first") == palette
