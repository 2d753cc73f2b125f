"""
The command ``framekit palette``, as a user calls it.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import framekit as fk
from framekit.cli import run


def call(*arguments: Any) -> tuple[int, str, str]:
    """
    Run a command line: its exit code, standard output, standard error.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    code = run(["palette", *map(str, arguments)], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.fixture
def close(tmp_path: Path) -> Path:
    """
    A palette of two colors that lossy video mixes up.
    """
    path = tmp_path / "labelmap.txt"
    path.write_text(
        "# label:color_rgb:parts:actions\nroad:90,90,90::\npath:93,93,93::\n"
    )
    return path


class TestAudit:
    def test_fine(self, close: Path) -> None:
        """
        No problems are exit code 0; that lossy video was left out is told.
        """
        code, out, err = call("audit", close)

        assert (code, err) == (0, "")
        assert out == (
            f"{close}: 0 problems in 2 entries; lossy video not looked at (--lossy)\n"
        )

    def test_lossy(self, close: Path) -> None:
        """
        Colors that lossy video mixes up are problems.
        """
        code, out, _ = call("audit", close, "--lossy")

        assert code == 1
        assert out.splitlines() == [
            (
                "WARNING palette-too-close: [90, 90, 90] 'road' and [93, 93, 93] "
                "'path' are 2.6 apart in BT.601 limited range; lossy video needs 8"
            ),
            (
                "  $.entries[1] -> generate other colors, or write the masks as "
                "lossless RGB"
            ),
            f"{close}: 1 problem in 2 entries",
        ]

    def test_json(self, close: Path) -> None:
        """
        The problems as one document.
        """
        code, out, _ = call("audit", close, "--lossy", "--format", "json")
        document = json.loads(out)

        assert code == 1
        assert (document["ok"], document["counts"]) == (False, {"palette-too-close": 1})
        assert document["problems"][0]["color"] == [93, 93, 93]

    def test_fail_on_error(self, close: Path) -> None:
        """
        Warnings can be let pass.
        """
        assert call("audit", close, "--lossy", "--fail-on", "error")[0] == 0

    def test_shared(self, tmp_path: Path) -> None:
        """
        Shared colors are told, not refused.
        """
        path = tmp_path / "labelmap.txt"
        path.write_text("road:90,90,90::\npath:90,90,90::\n")
        code, out, err = call("audit", path)

        assert (code, err) == (1, "")
        assert out.startswith("WARNING palette-shared-color: color [90, 90, 90]")

    def test_unreadable(self, tmp_path: Path) -> None:
        """
        No palette is one line on standard error.
        """
        (tmp_path / "a.txt").write_text("hello\n")
        for name in ("a.txt", "none.json"):
            code, out, err = call("audit", tmp_path / name)

            assert (code, out, err.count("\n")) == (2, "", 1)
            assert name in err


class TestGenerate:
    def test_reproducible(self, tmp_path: Path) -> None:
        """
        The same labels give the same colors, which survive lossy video.
        """
        arguments = ("generate", "car", "traffic light", "--seed", 3, "-o")
        first, second = tmp_path / "a.json", tmp_path / "new" / "b.json"
        code, out, err = call(*arguments, first)
        call(*arguments, second)
        palette = fk.Palette.load(first)

        assert (code, err) == (0, "")
        assert palette == fk.Palette.load(second)
        assert palette == fk.Palette.generate(["car", "traffic light"], seed=3)
        assert out.splitlines() == [
            f"{palette[0].marker} car",
            f"{palette[1].marker} traffic light",
            f"2 entries in {first}",
        ]

    def test_options(self, tmp_path: Path) -> None:
        """
        Black for one label, colors to stay clear of, as many as there are.
        """
        path, other = tmp_path / "a.json", tmp_path / "b.json"
        fk.Palette.generate(["x", "y"]).save(other)
        call(
            "generate",
            "car",
            "ground",
            "--black",
            "ground",
            "--avoid",
            other,
            "-o",
            path,
        )
        many = [f"label {n}" for n in range(3000)]
        code, _, err = call("generate", *many, "-o", tmp_path / "c.json")
        lossless = call("generate", *many, "--no-lossy", "-o", tmp_path / "c.json")

        assert fk.Palette.load(path) == fk.Palette.generate(
            ["car", "ground"], black="ground", avoid=fk.Palette.load(other)
        )
        assert (code, "no room for 3000 colors" in err) == (2, True)
        assert lossless[0] == 0


class TestConvert:
    def test_formats(self, close: Path, tmp_path: Path) -> None:
        """
        The names, or the options, say which format.
        """
        code, out, err = call("convert", close, "-o", tmp_path / "a.csv")
        call("convert", tmp_path / "a.csv", "-o", tmp_path / "b", "--to", "camvid")

        assert (code, out, err) == (0, f"2 entries in {tmp_path / 'a.csv'}\n", "")
        assert (tmp_path / "b").read_text() == "90 90 90\troad\n93 93 93\tpath\n"
        found = call(
            "convert", tmp_path / "b", "--from", "camvid", "-o", tmp_path / "c.json"
        )
        assert found[0] == 0
        assert fk.Palette.load(tmp_path / "c.json") == fk.Palette.load(close)

    def test_loss(self, tmp_path: Path) -> None:
        """
        What a format has no place for is told.
        """
        fk.Palette.indexed({3: "car"}).save(tmp_path / "a.json")
        entry = fk.PaletteEntry(id=7, color=(1, 2, 3), labels="car")
        fk.Palette([entry]).save(tmp_path / "b.json")

        code, _, err = call("convert", tmp_path / "a.json", "-o", tmp_path / "a.txt")
        assert (code, err.count("\n")) == (2, 1)
        code, _, err = call("convert", tmp_path / "b.json", "-o", tmp_path / "b.txt")
        assert code == 0
        assert err == "framekit: warning: labelmap has no place for id; JSON has\n"

    def test_shared(self, tmp_path: Path) -> None:
        """
        Shared colors are refused unless it is said what to do.
        """
        path = tmp_path / "labelmap.txt"
        path.write_text("road:90,90,90::\npath:90,90,90::\n")
        arguments = ("convert", path, "-o", tmp_path / "a.json")

        assert call(*arguments)[0] == 2
        assert call(*arguments, "--shared", "merge")[0] == 0
        assert fk.Palette.load(tmp_path / "a.json").labels == ("road", "path")


class TestKnown:
    def test_known(self, tmp_path: Path) -> None:
        """
        The palettes of well-known data sets can be written.
        """
        path = tmp_path / "a.json"
        code, out, err = call("known", "cityscapes", "-o", path, "--format", "json")

        assert (code, err) == (0, "")
        assert json.loads(out) == {"ok": True, "file": str(path), "entries": 35}
        assert fk.Palette.load(path) == fk.Palette.known("cityscapes")

    def test_unknown(self, tmp_path: Path) -> None:
        """
        A misspelled name is told which there are.
        """
        code, _, err = call("known", "city", "-o", tmp_path / "a.json")

        assert code == 2
        assert "cityscapes-train" in err
