from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import framekit as fk
from framekit.cli import run
from framekit.errors import ArgumentError
from framekit.report import contact_sheet
from framekit.report.contact_sheet import ContactSheet
from framekit.report.overlay import Panel

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"

ROAD, CAR = (40, 60, 200), (210, 40, 40)


def call(*arguments: Any) -> tuple[int, str, str]:
    """
    Run a command line: its exit code, standard output, standard error.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    code = run([str(argument) for argument in arguments], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def label_map(folder: Path, width: int = 64, height: int = 36) -> fk.LabelMap:
    """
    A road with a car in its middle, and a corner without a label.
    """
    mask = np.full((height, width, 3), ROAD, np.uint8)
    mask[height // 3 : height // 2, width // 3 : width // 2] = CAR
    mask[:4, :4] = 9
    Image.fromarray(mask).save(folder / "mask.png")
    palette = fk.Palette({ROAD: "road", CAR: "car"})
    return fk.decode_image(folder / "mask.png", palette)


def share(rgb: NDArray[np.uint8], color: tuple[int, int, int]) -> float:
    """
    How much of a picture has a color, or nearly.
    """
    difference = np.abs(rgb.astype(int) - color).max(axis=2)
    return float((difference < 40).mean())


class TestContactSheet:
    def test_grid(self, tmp_path: Path) -> None:
        """
        Pictures of one width stand in rows, the legend below them.
        """
        sheet = ContactSheet(width=100, columns=3)
        for number in range(4):
            sheet.add(Panel(f"frame {number}", label_map(tmp_path)))

        rgb = sheet.to_rgb()

        rows, legend = 2 * (10 + 18 + 56), 10 + 3 * 20 + 10
        assert len(sheet) == 4
        assert rgb.shape == (rows + legend, 3 * 110 + 10, 3)
        assert rgb.dtype == np.uint8

    def test_usual_columns(self, tmp_path: Path) -> None:
        """
        Without a number of columns the grid gets about square.
        """
        sheet = ContactSheet(width=100)
        for number in range(10):
            sheet.add(Panel(f"frame {number}", label_map(tmp_path)))

        assert sheet.to_rgb().shape[1] == 4 * 110 + 10

    def test_legend(self, tmp_path: Path) -> None:
        """
        The legend has the colors that occur, each once.
        """
        sheet = ContactSheet(width=600)
        sheet.add(Panel("one", label_map(tmp_path)))
        sheet.add(Panel("two", label_map(tmp_path)))

        legend = sheet.to_rgb()[-30:-10]

        assert [
            [share(legend[:, left : left + 14], color) > 0.4 for color in (ROAD, CAR)]
            for left in (10, 180, 350)
        ] == [[True, False], [False, True], [False, False]]

    def test_painted(self, tmp_path: Path) -> None:
        """
        The labels are painted over the picture.
        """
        sheet = ContactSheet(width=64)
        picture = np.full((36, 64, 3), 255, np.uint8)
        sheet.add(Panel("one", label_map(tmp_path), picture))

        tile = sheet.to_rgb()[28:64, 10:74]

        mixed = tuple(int(255 * 0.4 + channel * 0.6) for channel in ROAD)
        assert tuple(tile[30, 50].tolist()) == mixed

    def test_missing(self, tmp_path: Path) -> None:
        """
        What could not be decoded has its place, and says why.
        """
        sheet = ContactSheet(width=200)
        sheet.add(Panel("one", label_map(tmp_path)))
        sheet.add_missing("two", "mask.png: no such file " + "and so on " * 60)

        rgb = sheet.to_rgb()

        assert len(sheet) == 2
        missing = rgb[28:140, 220:420]
        assert share(missing, (225, 225, 225)) > 0.5
        assert share(missing, (170, 0, 40)) > 0.02

    @pytest.mark.parametrize(
        "title",
        ["", "x" * 5000, "\u202e\n\x00\ud83d", "\U0001f600 \u6c34 \u0623" * 40],
    )
    def test_any_title(self, tmp_path: Path, title: str) -> None:
        """
        Names of any length and of any letters fit.
        """
        sheet = ContactSheet(width=32)
        sheet.add(Panel(title, label_map(tmp_path), note=title))
        sheet.add_missing(title, title)

        assert sheet.to_rgb().shape[1] == 2 * 42 + 10

    def test_thin(self, tmp_path: Path) -> None:
        """
        A strip upright does not fill the sheet.
        """
        sheet = ContactSheet(width=40)
        sheet.add(Panel("one", label_map(tmp_path, width=5, height=900)))

        assert sheet.to_rgb().shape[0] < 200

    def test_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Sizes that make no sheet are refused, and so is one picture too many.
        """
        monkeypatch.setattr(contact_sheet, "MOST", 1)
        sheet = ContactSheet()
        with pytest.raises(ArgumentError, match="nothing was added"):
            sheet.to_rgb()
        sheet.add(Panel("one", label_map(tmp_path)))
        with pytest.raises(ArgumentError, match="holds 1 pictures"):
            sheet.add_missing("two", "")
        with pytest.raises(ArgumentError, match="width: expected 32 to 4096, got 5"):
            ContactSheet(width=5)
        with pytest.raises(ArgumentError, match="columns: expected 1 or more"):
            ContactSheet(columns=0)


class TestCommand:
    def test_some(self, tmp_path: Path) -> None:
        """
        Frames are chosen evenly from first to last.
        """
        out = tmp_path / "deep" / "sheet.png"

        code, text, err = call(
            *("show", CROSSING, "--frames", 4, "--source", "front", "--mask", "seg"),
            *("-o", out, "--width", 120),
        )

        assert (code, text, err) == (0, f"4 masks of 4 frames in {out}\n", "")
        with Image.open(out) as image:
            assert image.size[0] == 2 * 130 + 10

    def test_more_than_there_are(self, tmp_path: Path) -> None:
        """
        More frames than there are is all of them.
        """
        code, text, _ = call(
            *("show", CROSSING, "--frames", 900, "--source", "rear", "--width", 40),
            *("-o", tmp_path / "x.png"),
        )

        assert code == 0
        assert text.startswith("8 masks of 24 frames in ")

    def test_broken(self, tmp_path: Path) -> None:
        """
        Masks and frames that cannot be read are told; the rest is shown.
        """
        lines = (CROSSING / "frames.jsonl").read_text().splitlines()[:4]
        frame = json.loads(lines[0])
        frame["sources"][1]["masks"][0]["uri"] = "media/none.png"
        text = "\n".join([json.dumps(frame), "{", *lines[1:]])
        (tmp_path / "frames.jsonl").write_text(text)
        (tmp_path / "version.json").write_bytes(
            (CROSSING / "version.json").read_bytes()
        )
        (tmp_path / "media").symlink_to(CROSSING / "media")
        out = tmp_path / "sheet.png"

        code, shown, err = call(
            *("show", tmp_path, "--all", "--width", 40, "-o", out),
            *("--folder", CROSSING / "media"),
        )

        assert code == 1
        assert shown == f"10 masks of 4 frames in {out}\n"
        first, second = err.splitlines()
        assert first.startswith("framekit: crossing_1_000 rear seg: media/none.png: ")
        assert second.startswith("framekit: frames.jsonl:2: ")

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("--frames", "0"), "--frames: expected 1 or more, got 0"),
            (("--frames", "2", "--width", "9"), "--width: expected 32 to 4096, got 9"),
            (("--all", "--source", "no"), "it has no mask that can be shown"),
            (("--all", "--frames", "3"), "not allowed with argument"),
        ],
    )
    def test_refused(self, tmp_path: Path, options: tuple[str, ...], told: str) -> None:
        """
        What cannot be shown is refused in one line.
        """
        code, _, err = call("show", CROSSING, *options, "-o", tmp_path / "x.png")

        assert code == 2
        assert told in err

    def test_too_many(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A sheet that nobody could look at is refused, saying how to choose.
        """
        monkeypatch.setattr(contact_sheet, "MOST", 5)

        code, _, err = call(
            "show", CROSSING, "--all", "--width", "32", "-o", tmp_path / "x.png"
        )

        assert code == 2
        assert "more than 5 pictures; choose by --frames, --source, --mask" in err
        assert not (tmp_path / "x.png").exists()
