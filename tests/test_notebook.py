from __future__ import annotations

import io
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import framekit as fk
from framekit._markup import Markup, markup, swatch, table
from framekit.validation import Problems, Report
from framekit.validation.codes import problem

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e{{count}}"


class Cells(HTMLParser):
    """
    The rows of the tables in a piece of HTML, and its elements with attributes.
    """

    def __init__(self, html: Any) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: set[tuple[str, str]] = set()
        self.feed(html._repr_html_())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Begin a row or a cell.
        """
        self.elements.add((tag, " ".join(name for name, _ in attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        """
        Add to the text of the cell.
        """
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] = (self.rows[-1][-1] + data).strip()


def crossing_frame() -> fk.SingleFrame:
    """
    The first frame of the sample.
    """
    found = next(fk.open_target(CROSSING).frames())
    assert isinstance(found, fk.SingleFrame)
    return found


class TestFrame:
    def test_tables(self) -> None:
        """
        Sources and ROIs stand in tables.
        """
        frame = fk.SingleFrame(source="a.jpg", size=(4, 3), mask_source="m.png")
        frame.add_annotation(mask_rgb="#d2d278", labels=["car"], confidence=0.5)
        frame.add_annotation(box2d_xywh=(1, 2, 3, 4), labels=["a", "b"])
        frame.add_annotation(frame_class=["night"])

        assert Cells(frame).rows == [
            ["source", "uri", "size", "ms", "masks"],
            ["default", "a.jpg", "4 x 3", "", "00: m.png"],
            ["labels", "region", "sources", "confidence"],
            ["car", "#d2d278 in 00", "default", "0.5"],
            ["a, b", type(frame.rois[1].geometry).__name__, "default", ""],
            ["night", "whole frame", "default", ""],
        ]

    def test_long(self) -> None:
        """
        Of many ROIs the first 100 are shown, and how many more there are.
        """
        frame = fk.SingleFrame(source="a.jpg")
        for _ in range(130):
            frame.add_annotation(frame_class=["x"])

        assert Cells(frame).rows[-1] == ["and 30 more"]

    def test_nothing(self) -> None:
        """
        An empty frame is shown as that.
        """
        assert Cells(fk.SingleFrame()).rows == [
            ["source", "uri", "size", "ms", "masks"]
        ]


class TestPalette:
    def test_table(self) -> None:
        """
        Each entry has a row, with a square of its color where it has one.
        """
        palette = fk.Palette(
            [
                fk.PaletteEntry(color=(1, 2, 3), labels=["car"], thing=True),
                fk.PaletteEntry(index=7, labels=["road"]),
                fk.PaletteEntry(color=(300, 0, 0), labels=["far"]),
                fk.PaletteEntry(color=(0, 0, 0)),
            ]
        )

        assert Cells(palette).rows == [
            ["", "id", "color or value", "labels", "kind"],
            ["", "0", "#010203", "car", "thing"],
            ["", "1", "7", "road", ""],
            ["", "2", "(300, 0, 0)", "far", ""],
            ["", "", "#000000", "void", "void"],
        ]
        assert palette._repr_html_().count("background:#") == 2
        assert "background:#010203" in palette._repr_html_()


class TestLabelMap:
    def test_png(self) -> None:
        """
        The picture has the palette's colors.
        """
        storage = fk.Storage(CROSSING)
        label_map = fk.decode(crossing_frame(), "rear", "seg", storage=storage)

        with Image.open(io.BytesIO(label_map._repr_png_())) as image:
            pixels = np.asarray(image)

        assert (pixels == label_map.to_rgb()).all()

    def test_large(self, tmp_path: Path) -> None:
        """
        A large map is shown small, in its own colors only.
        """
        mask = np.zeros((900, 1300, 3), np.uint8)
        mask[:, 600:] = (9, 99, 199)
        Image.fromarray(mask).save(tmp_path / "m.png")
        palette = fk.Palette({(0, 0, 0): "road", (9, 99, 199): "car"})
        label_map = fk.decode_image(tmp_path / "m.png", palette)

        with Image.open(io.BytesIO(label_map._repr_png_())) as image:
            size, colors = image.size, image.getcolors()

        assert size == (640, 443)
        assert colors is not None
        assert {color for _, color in colors} == {(0, 0, 0), (9, 99, 199)}

    def test_html(self, tmp_path: Path) -> None:
        """
        Beside the picture stands how much of it has which label.
        """
        mask = np.full((3, 4), 1, np.uint8)
        mask[0, 0], mask[1] = 77, 2
        Image.fromarray(mask).save(tmp_path / "m.png")
        palette = fk.Palette.indexed({1: "road", 2: ["car", "red"]})
        label_map = fk.decode_image(tmp_path / "m.png", palette)

        html = label_map._repr_html_()

        assert "4 x 3, exact, 1 pixels of unknown colors" in html
        assert Cells(label_map).rows[1:] == [
            ["", "0", "road", "7", "58.33%"],
            ["", "1", "car, red", "4", "33.33%"],
            ["", "255", "no label (striped)", "1", "8.33%"],
        ]
        data = html.partition("base64,")[2].partition('"')[0]
        assert b64decode(data) == label_map._repr_png_()


class TestReport:
    def test_nothing(self) -> None:
        """
        Without findings there is the verdict.
        """
        report = Report(target="cars", level="media", frames=1, problems=Problems())

        assert report._repr_html_() == (
            "<div><p><b>OK</b> cars: no problems in 1 frame, up to level media "
            "(not run: pixels)</p></div>"
        )

    def test_findings(self) -> None:
        """
        The codes with their counts, and the first findings.
        """
        found = Problems()
        for n in range(12):
            found.append(
                problem("wrong-type", f"m{n}", "$.a", document="f:1", frame="one")
            )
        report = Report(level="pixels", frames=5, problems=found)

        rows = Cells(report).rows
        html = report._repr_html_()

        assert rows[1][:3] == ["wrong-type", "error", "12"]
        assert rows[3] == ["one", "wrong-type", "m0", "f:1 $.a"]
        assert len(rows) == 13
        assert "<b>FAILED</b> 12 findings in 5 frames, up to level pixels</p>" in html
        assert "<p>The first 10 of 12:</p>" in html


class TestHostile:
    def test_inert(self, tmp_path: Path) -> None:
        """
        What data says is text in all of them.
        """
        source = fk.Source(id=HOSTILE, uri=HOSTILE, masks=[fk.Mask(id="m", uri="x")])
        frame = fk.SingleFrame(id=HOSTILE, context_id=HOSTILE, sources=[source])
        frame.add_annotation(mask_rgb=(1, 2, 3), labels=[HOSTILE], mask_id="m")
        palette = fk.Palette({(0, 0, 0): HOSTILE})
        Image.new("RGB", (2, 2)).save(tmp_path / "m.png")
        label_map = fk.decode_image(tmp_path / "m.png", palette)
        found = Problems()
        found.append(problem("wrong-type", HOSTILE, HOSTILE, document=HOSTILE))
        report = Report(target=HOSTILE, level="pixels", frames=1, problems=found)

        for shown in (frame, palette, label_map, report):
            html = shown._repr_html_()
            elements = Cells(shown).elements
            assert {tag for tag, _ in elements} <= {
                *("div", "p", "b", "span", "img"),
                *("table", "thead", "tbody", "tr", "th", "td"),
            }
            assert {names for _, names in elements} <= {"", "style", "alt src"}
            assert "\\u202e{{count}}" in html


class TestMarkup:
    def test_escaped(self) -> None:
        """
        What is not Markup gets escaped; places in values are not filled.
        """
        assert markup("<b>{{a}}{{b}}</b>", a="<{{b}}>", b=Markup("<i>")) == (
            "<b>&lt;{{b}}&gt;<i></b>"
        )
        assert table(["<"], [["&"], [None], [Markup("<i>")]]) == (
            '<table><thead><tr><th style="text-align:left">&lt;</th></tr></thead>'
            '<tbody><tr><td style="text-align:left">&amp;</td></tr>'
            '<tr><td style="text-align:left"></td></tr>'
            '<tr><td style="text-align:left"><i></td></tr></tbody></table>'
        )

    @pytest.mark.parametrize("color", [(256, 0, 0), (-1, 0, 0), (1, 2), ()])
    def test_no_swatch(self, color: tuple[int, ...]) -> None:
        """
        What is no color of a pixel is not drawn.
        """
        assert swatch(color) == ""

    def test_light(self) -> None:
        """
        Nothing for notebooks is loaded before a notebook asks.
        """
        code = (
            "import sys, framekit; framekit.SingleFrame(source='a');"
            "framekit.Palette({(0, 0, 0): 'a'});"
            "print([m for m in sys.modules if 'notebook' in m or m in "
            "('framekit._markup', 'PIL', 'av')])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[1],
        )

        assert done.stdout == "[]\n"
