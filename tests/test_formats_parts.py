from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from framekit.errors import ArgumentError, MissingFileError
from framekit.formats import FORMATS, Item, convert, detect, read, write
from framekit.formats.classes import painted, spread_color
from framekit.formats.output import safe_name
from framekit.palette import Palette, PaletteEntry
from tests.formats_cases import collection, item, with_picture


class TestDetect:
    @pytest.mark.parametrize("format", FORMATS)
    def test_each(self, format: str, tmp_path: Path) -> None:
        """
        What framekit writes it knows again, and is at least 80 % sure.
        """
        write(collection(with_picture(item("x"), tmp_path)), tmp_path / "out", format)

        name, sure = detect(tmp_path / "out")[0]

        assert (name, sure >= 0.8) == (format, True)

    def test_nothing(self, tmp_path: Path) -> None:
        """
        A folder of nothing known is nothing, and has to be named.
        """
        (tmp_path / "notes.txt").write_text("hello")

        assert detect(tmp_path) == []
        with pytest.raises(ArgumentError, match="cannot tell"):
            read(tmp_path)

    def test_not_there(self, tmp_path: Path) -> None:
        """
        A path that is not there is an error.
        """
        with pytest.raises(MissingFileError):
            detect(tmp_path / "nowhere")

    def test_unknown_format(self, tmp_path: Path) -> None:
        """
        A format of another name is refused; the message names all.
        """
        with pytest.raises(ArgumentError, match="coco-panoptic"):
            read(tmp_path, "coco")
        with pytest.raises(ArgumentError, match="coco-panoptic"):
            write(collection(), tmp_path / "out", "coco")

    def test_unknown_option(self, tmp_path: Path) -> None:
        """
        An option that the format does not have is refused by its name.
        """
        with pytest.raises(ArgumentError, match="things"):
            read(tmp_path, "voc", things=["car"])


class TestParts:
    def test_spread_colors_differ(self) -> None:
        """
        Each number has a color of its own, and none is black.
        """
        found = {spread_color(n) for n in range(1, 5000)}

        assert len(found) == 4999
        assert (0, 0, 0) not in found

    def test_painted(self) -> None:
        """
        Colors stay where they are free; the rest, and void, get one of their own.
        """
        classes = Palette(
            [
                PaletteEntry(id=4, color=(0, 0, 0), labels="a"),
                PaletteEntry(id=5, color=(0, 0, 0), index=1, labels="b"),
                PaletteEntry(id=6, index=2, labels="c"),
            ],
            shared="first",
        )

        found = painted(classes)

        assert [(e.id, e.labels) for e in found] == [
            (4, ("a",)),
            (5, ("b",)),
            (6, ("c",)),
            (None, ()),
        ]
        assert found[4].color == (0, 0, 0)
        assert len({e.color for e in found}) == 4

    @pytest.mark.parametrize(
        ("name", "safe"),
        [
            ("a/b.c", "a/b.c"),
            ("../../etc/passwd", "etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("a\\b:c", "a_b_c"),
            ("..", "_"),
            ("", "_"),
        ],
    )
    def test_safe_names(self, name: str, safe: str) -> None:
        """
        Names of items never lead out of the folder.
        """
        assert safe_name(name) == safe

    def test_a_failing_writer(self, tmp_path: Path) -> None:
        """
        An item that cannot be written does not keep the next from being written.
        """
        small = Palette(PaletteEntry(id=n, index=n, labels=f"{n}") for n in range(300))
        labels = np.arange(300, dtype=np.int32).reshape(15, 20)
        big = Item(name="big", shape=(15, 20), labels=labels)
        fine = Item(name="fine", shape=(15, 20), labels=labels % 9)
        found = collection(big, fine, classes=small)

        done = convert(found, FORMATS["nucleus"].writer(tmp_path / "o", found))

        assert (done.written, done.failed, done.ok) == (1, 1, False)
        assert [p.document for p in done.problems] == ["big"]
