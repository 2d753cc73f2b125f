"""
The command ``framekit lint``, as a user calls it.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import framekit as fk
from framekit.cli import run
from framekit.validation.lint_result import CAUSES

BLACK, RED = (0, 0, 0), (220, 20, 60)


def call(*arguments: Any) -> tuple[int, str, str]:
    """
    Run a command line: its exit code, standard output, standard error.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    code = run(["lint", *map(str, arguments)], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def mask(path: Path, color: tuple[int, int, int] = RED) -> Path:
    """
    A square of the color on black.
    """
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[10:20, 5:25] = color
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def palette(tmp_path: Path) -> Path:
    """
    A palette file.
    """
    path = tmp_path / "palette.json"
    fk.Palette({BLACK: "ground", RED: "person"}).save(path)
    return path


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """
    A folder with a clean mask, and in a folder below one that is a little off.
    """
    mask(tmp_path / "masks" / "clean.png")
    mask(tmp_path / "masks" / "day" / "off.png", (221, 20, 60))
    (tmp_path / "masks" / "notes.txt").write_text("no mask")
    return tmp_path / "masks"


class TestLint:
    def test_clean(self, masks: Path, palette: Path) -> None:
        """
        Nothing found is exit code 0, and one line.
        """
        found = call(masks / "clean.png", "--palette", palette)

        assert found == (0, "OK  1 mask, 0 with stray colors\n", "")

    def test_text(self, masks: Path, palette: Path) -> None:
        """
        Stray colors are told with file, count, place, nearest color and a guess.
        """
        code, out, err = call(masks, "--palette", palette)

        assert (code, err) == (1, "")
        assert out.splitlines() == [
            f"{masks}/day/off.png: 200 stray pixels (16.67%) in 1 color",
            (
                "  #dd143c [221, 20, 60] 200 pixels, 1.0 from #dc143c person; "
                "columns 5-24, rows 10-19"
            ),
            (
                "  guess: shifted-colors: 100% of the stray pixels lie in areas "
                "at most 1.0 from a color of the palette"
            ),
            f"  -> {CAUSES['shifted-colors']}",
            "",
            "Stray pixels by distance to the nearest color of the palette:",
            "      to 1          200 ########################################",
            "      to 2            0",
            "      to 4            0",
            "      to 8            0",
            "     to 16            0",
            "     to 32            0",
            "     to 64            0",
            "   over 64            0",
            "",
            "Guess over all: shifted-colors, in 1 of 1 files",
            "FAILED  2 masks, 1 with stray colors",
        ]

    def test_json(self, masks: Path, palette: Path) -> None:
        """
        One document, with the files that have something to tell.
        """
        code, out, _ = call(masks, "--palette", palette, "--format", "json")
        document = json.loads(out)
        (result,) = document["results"]

        assert code == 1
        assert (document["ok"], document["files"], document["stray_files"]) == (
            False,
            2,
            1,
        )
        assert document["histogram"] == [200, 0, 0, 0, 0, 0, 0, 0]
        assert document["causes"]["shifted-colors"]["files"] == 1
        assert result["file"] == str(masks / "day" / "off.png")
        assert result["colors"] == [
            {
                "color": [221, 20, 60],
                "count": 200,
                "box": [5, 10, 25, 20],
                "nearest": [220, 20, 60],
                "label": "person",
                "distance": 1.0,
            }
        ]

    def test_unreadable(self, masks: Path, palette: Path) -> None:
        """
        What cannot be read is told, the rest goes on.
        """
        (masks / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
        code, out, _ = call(
            masks / "none.png", masks, "--palette", palette, "-j", 2, "--fix"
        )

        assert code == 1
        assert f"{masks}/broken.png: ERROR " in out
        assert f"{masks}/none.png: ERROR no such file" in out
        assert "4 masks, 1 with stray colors, 2 failed, 1 fixed" in out


class TestFix:
    def test_beside(self, masks: Path, palette: Path) -> None:
        """
        By default the fixed mask stands beside the mask, which stays.
        """
        off = masks / "day" / "off.png"
        before = off.read_bytes()
        code, out, _ = call(masks, "--palette", palette, "--fix")
        fixed = masks / "day" / "off.fixed.png"

        assert code == 0
        assert f"  fixed: {fixed}: 200 pixels changed, 0 left" in out
        assert "    #dd143c -> #dc143c 200" in out
        assert out.endswith(
            "OK  2 masks, 1 with stray colors, 1 fixed (200 pixels changed, 0 left)\n"
        )
        assert off.read_bytes() == before
        assert np.array_equal(
            np.array(Image.open(fixed)), np.array(Image.open(masks / "clean.png"))
        )
        assert not (masks / "clean.fixed.png").exists()

    def test_in_place(self, masks: Path, palette: Path) -> None:
        """
        In place the original is kept; the next run finds all well, and passes it over.
        """
        off = masks / "day" / "off.png"
        before = off.read_bytes()

        assert call(masks, "--palette", palette, "--fix", "--in-place")[0] == 0
        assert (masks / "day" / "off.orig.png").read_bytes() == before
        code, out, _ = call(masks, "--palette", palette)
        assert code == 0
        assert "1 file of a former --fix passed over" in out

    def test_second_backup(self, masks: Path, palette: Path) -> None:
        """
        A backup is never overwritten: the next one gets a number.
        """
        arguments = (masks, "--palette", palette, "--fix", "--in-place")
        call(*arguments)
        mask(masks / "day" / "off.png", (219, 20, 60))
        call(*arguments)

        names = sorted(path.name for path in (masks / "day").iterdir())
        assert names == ["off.orig.1.png", "off.orig.png", "off.png"]

    def test_out(self, masks: Path, palette: Path, tmp_path: Path) -> None:
        """
        A folder gets the fixed masks, under the folders they come from.
        """
        out = tmp_path / "out"

        assert call(masks, "--palette", palette, "--fix", "--out", out)[0] == 0
        found = [str(path.relative_to(out)) for path in out.rglob("*.png")]
        assert found == ["day/off.png"]

    def test_out_is_not_the_masks(self, masks: Path, palette: Path) -> None:
        """
        A folder in which masks would be overwritten is refused.
        """
        code, _, err = call(masks, "--palette", palette, "--fix", "--out", masks)

        assert code == 2
        assert "is one of the masks" in err

    def test_same_target(self, masks: Path, palette: Path, tmp_path: Path) -> None:
        """
        Two masks that would be one fixed file are refused before anything is written.
        """
        other = mask(tmp_path / "night" / "off.png", (221, 20, 60))
        day = masks / "day" / "off.png"
        code, _, err = call(
            day, other, "--palette", palette, "--fix", "--out", tmp_path / "out"
        )

        assert code == 2
        assert "would both be written" in err
        assert not (tmp_path / "out").exists()

    def test_left(self, masks: Path, palette: Path) -> None:
        """
        What cannot be fixed makes the exit code 1.
        """
        mask(masks / "far.png", (9, 160, 40))
        code, out, _ = call(masks, "--palette", palette, "--fix")

        assert code == 1
        assert "  not fixed: 200 stray pixels left as they are" in out


class TestArguments:
    @pytest.mark.parametrize(
        ("more", "message"),
        [
            (["--in-place"], "--in-place: goes with --fix"),
            (["--out", "x"], "--out: goes with --fix"),
            (["-j", "0"], "--jobs: expected 1 or more"),
            (["--within", "-3"], "within: expected 0 to 255"),
            (["--fix", "--in-place", "--out", "x"], "not allowed with"),
        ],
    )
    def test_refused(
        self, masks: Path, palette: Path, more: list[str], message: str
    ) -> None:
        """
        Options that make no sense are refused.
        """
        code, out, err = call(masks, "--palette", palette, *more)

        assert (code, out) == (2, "")
        assert message in err

    def test_patterns(self, masks: Path, palette: Path) -> None:
        """
        Patterns that the shell has left are expanded; each file counts once.
        """
        arguments = (masks / "**" / "*.png", masks / "clean.png", "--palette", palette)

        assert "2 masks" in call(*arguments)[1]

    def test_nothing_there(self, masks: Path, palette: Path, tmp_path: Path) -> None:
        """
        A pattern or a folder without masks is an error, not a success.
        """
        (tmp_path / "empty").mkdir()
        for argument in (masks / "*.bmp", tmp_path / "empty"):
            code, out, err = call(argument, "--palette", palette)

            assert (code, out) == (2, "")
            assert str(argument) in err

    def test_name_with_brackets(self, masks: Path, palette: Path) -> None:
        """
        A file whose name looks like a pattern is that file.
        """
        mask(masks / "a[1].png")

        assert call(masks / "a[1].png", "--palette", palette)[0] == 0

    def test_hostile_name(self, masks: Path, palette: Path) -> None:
        """
        A name cannot move the cursor of the terminal.
        """
        mask(masks / "a\x1b[2J.png", (221, 20, 60))

        assert "\x1b" not in call(masks, "--palette", palette)[1]
