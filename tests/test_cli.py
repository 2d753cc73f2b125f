"""
The command, as a user calls it.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import framekit as fk
from framekit.cli import run
from framekit.cli.progress import Progress

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"


def call(*arguments: Any) -> tuple[int, str, str]:
    """
    Run a command line: its exit code, standard output, standard error.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    code = run([str(argument) for argument in arguments], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.fixture
def crossing(tmp_path: Path) -> Path:
    """
    A copy of the sample that can be broken.
    """
    copied = tmp_path / "crossing"
    shutil.copytree(CROSSING, copied, ignore=shutil.ignore_patterns("truth", "lossy"))
    return copied


def break_in_four_places(folder: Path) -> None:
    """
    A wrong color, a missing file, a frame with exchanged ids, a torn last line.
    """
    mask = folder / "media" / "rear_003_seg.png"
    pixels = np.array(Image.open(mask))
    pixels[20, 10:12] = (1, 2, 3)
    Image.fromarray(pixels).save(mask)
    (folder / "media" / "rear_006_seg.png").unlink()
    frames = folder / "frames.jsonl"
    lines = frames.read_text().splitlines()
    second = json.loads(lines[1])
    for roi in second["rois"]:
        if "mask" in roi:
            (label,) = roi["label"]
            roi["label"], roi["mask"]["id"] = [roi["mask"]["id"]], label
    lines[1] = json.dumps(second)
    frames.write_text("\n".join([*lines, lines[-1][:100]]))


class TestValidate:
    def test_clean(self) -> None:
        """
        The sample has nothing to find, down to its pixels.
        """
        code, out, err = call("validate", CROSSING, "--level", "pixels")

        assert (code, err) == (0, "")
        assert "no problems in 24 frames" in out

    def test_four_problems(self, crossing: Path) -> None:
        """
        Four faults are four problems at their places, and nothing else.
        """
        break_in_four_places(crossing)
        code, out, _ = call(
            "validate", crossing, "--level", "pixels", "--format", "json"
        )
        report = json.loads(out)
        found = {
            p["code"]: (p["document"], p["at"], p.get("box"))
            for p in report["problems"]
        }

        assert code == 1
        assert (report["ok"], report["level"], report["frames"]) == (
            False,
            "pixels",
            24,
        )
        assert len(report["problems"]) == 4
        assert found == {
            "unknown-color": (
                "frames.jsonl:4",
                "$.sources[1].masks[0]",
                [10, 20, 12, 21],
            ),
            "missing-media": (
                "frames.jsonl:7",
                "$.sources[1].masks[0].uri",
                None,
            ),
            "mask-id-is-label": ("frames.jsonl:2", "$.rois[0].mask.id", None),
            "torn-line": ("frames.jsonl:25", "$", None),
        }

    def test_fail_on_warning(self, crossing: Path) -> None:
        """
        A warning alone fails only when asked to.
        """
        break_in_four_places(crossing)
        select = ("--select", "mask-id-is-label")

        assert call("validate", crossing, *select)[0] == 0
        assert call("validate", crossing, *select, "--fail-on", "warning")[0] == 1

    def test_ignore(self, crossing: Path) -> None:
        """
        What is ignored is not reported and does not fail.
        """
        break_in_four_places(crossing)
        code, out, _ = call(
            "validate", crossing, "--ignore", "torn-line,mask-id-is-label"
        )

        assert code == 0
        assert "no problems" in out

    def test_unknown_code(self) -> None:
        """
        A code that does not exist is an error of the call.
        """
        code, _, err = call("validate", CROSSING, "--select", "nonsense")

        assert code == 2
        assert "'nonsense' is no code" in err

    def test_output_file(self, tmp_path: Path) -> None:
        """
        The report goes to a file on request.
        """
        out = tmp_path / "report.json"
        code, text, _ = call("validate", CROSSING, "--format", "json", "-o", out)

        assert (code, text) == (0, "")
        assert json.loads(out.read_bytes())["ok"]

    def test_levels_not_run(self) -> None:
        """
        The last line of the text names the levels that were not run.
        """
        out = call("validate", CROSSING)[1]

        assert out.splitlines()[-1] == "Levels not run: media, pixels"


class TestDecode:
    def test_folder(self, tmp_path: Path) -> None:
        """
        Every mask becomes a label map file, listed in the index.
        """
        code, out, err = call("decode", CROSSING, "-o", tmp_path)
        index = [
            json.loads(line)
            for line in (tmp_path / "index.jsonl").read_bytes().splitlines()
        ]

        assert (code, err) == (0, "")
        assert out == f"56 label maps in {tmp_path}, 0 failed\n"
        assert len(index) == 56
        for entry in index:
            found = np.asarray(Image.open(tmp_path / entry["file"]))
            assert list(found.shape[::-1]) == entry["size"]
            assert sum(entry["labels"].values()) == found.size
        truth = np.asarray(Image.open(CROSSING / "truth" / "front_seg" / "007.png"))
        found = np.asarray(Image.open(tmp_path / "crossing_1_007" / "front.seg.png"))
        assert np.array_equal(found, truth)

    def test_failures(self, crossing: Path, tmp_path: Path) -> None:
        """
        What fails is a line in the index and on standard error; the rest is made.
        """
        break_in_four_places(crossing)
        code, out, err = call("decode", crossing, "-o", tmp_path / "out")
        index = [
            json.loads(line)
            for line in (tmp_path / "out" / "index.jsonl").read_bytes().splitlines()
        ]
        errors = [entry for entry in index if "error" in entry]

        assert code == 1
        assert out.startswith("55 label maps")
        assert len(errors) == 2
        assert errors[0]["frame"] == "crossing_1_006"
        assert errors[1]["document"] == "frames.jsonl:25"
        assert "rear_006_seg.png" in err
        assert "Traceback" not in err

    def test_image(self, tmp_path: Path) -> None:
        """
        One mask image needs a palette file.
        """
        mask = CROSSING / "media" / "rear_000_seg.png"
        palette = fk.Palette.from_frame(
            fk.SingleFrame.from_json(
                (CROSSING / "frames.jsonl").read_bytes().splitlines()[0]
            ),
            "rear",
        )
        palette.save(tmp_path / "palette.json")

        code, _, err = call("decode", mask, "-o", tmp_path)
        assert (code, "--palette" in err) == (2, True)
        code, _, err = call(
            "decode", mask, "--palette", tmp_path / "palette.json", "-o", tmp_path
        )
        assert (code, err) == (0, "")
        truth = np.asarray(Image.open(CROSSING / "truth" / "rear_seg" / "000.png"))
        found = np.asarray(Image.open(tmp_path / "rear_000_seg.png"))
        assert np.array_equal(found, truth)

    def test_video(self, tmp_path: Path) -> None:
        """
        One mask video becomes a file for each frame, or for one moment.
        """
        video = CROSSING / "media" / "front_seg.mp4"
        frame = fk.SingleFrame.from_json(
            (CROSSING / "frames.jsonl").read_bytes().splitlines()[0]
        )
        fk.Palette.from_frame(frame, "front", "seg").save(tmp_path / "p.json")

        arguments = ("decode", video, "--palette", tmp_path / "p.json", "-o")
        assert call(*arguments, tmp_path / "all")[0] == 0
        assert call(*arguments, tmp_path / "one", "--timestamp", 233)[0] == 0
        assert len(list((tmp_path / "all").glob("*.png"))) == 24
        assert [p.name for p in (tmp_path / "one").glob("*.png")] == ["000007.png"]

    def test_hostile_ids(self, tmp_path: Path) -> None:
        """
        Ids cannot lead out of the folder, nor can two frames share one.
        """
        frame = fk.SingleFrame(
            id="../../x",
            sources=[
                fk.Source(
                    id="a/b",
                    uri="a.jpg",
                    masks=[fk.Mask(id="..", uri="rear_000_seg.png")],
                )
            ],
        )
        frame.add_annotation(mask_rgb=[0, 0, 0], labels=["ego"])
        shutil.copy(CROSSING / "media" / "rear_000_seg.png", tmp_path)
        (tmp_path / "frames.jsonl").write_bytes(
            frame.to_json() + b"\n" + frame.to_json()
        )
        code, _, _ = call("decode", tmp_path, "-o", tmp_path / "out")

        assert code == 0
        made = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.png")}
        assert made == {
            "out/_.._x/a_b._.png",
            "out/_.._x.1/a_b._.png",
            "rear_000_seg.png",
        }


class TestShow:
    def test_picture(self, tmp_path: Path) -> None:
        """
        The overlay is a picture with a panel for each mask.
        """
        out = tmp_path / "x.png"
        code, text, err = call("show", CROSSING, "--frame", "crossing_1_003", "-o", out)

        assert (code, err) == (0, "")
        assert text == f"3 masks of frame crossing_1_003 in {out}\n"
        with Image.open(out) as picture:
            assert picture.size[0] > 1000

    def test_uncertain(self, crossing: Path, tmp_path: Path) -> None:
        """
        Pixels of a lossy mask that were decided by a small margin are marked.
        """
        twin = CROSSING / "media" / "lossy" / "front_seg_crf23.mp4"
        shutil.copy(twin, crossing / "media" / "front_seg.mp4")
        arguments = ("show", crossing, "--source", "front", "--mask", "seg", "-o")
        assert call(*arguments, tmp_path / "plain.png")[0] == 0
        assert call(*arguments, tmp_path / "marked.png", "--uncertain")[0] == 0

        magenta = []
        for name in ("plain.png", "marked.png"):
            with Image.open(tmp_path / name) as picture:
                pixels = np.asarray(picture)
            magenta.append(int((pixels == (255, 0, 255)).all(axis=2).sum()))
        assert magenta[0] == 0
        assert magenta[1] > 500

    def test_no_such_frame(self, tmp_path: Path) -> None:
        """
        A misspelled id names some that exist.
        """
        code, _, err = call("show", CROSSING, "--frame", "x", "-o", tmp_path / "x.png")

        assert code == 2
        assert "crossing_1_000" in err


class TestInfo:
    def test_framekit(self) -> None:
        """
        Without files it says what is in use.
        """
        code, out, _ = call("info", "--format", "json")
        (facts,) = json.loads(out)

        assert code == 0
        assert facts["kernels"] in ("native", "numpy")
        assert facts["inflater"] in ("zlib-ng", "isal", "zlib")

    def test_files(self) -> None:
        """
        Images, videos and frames are told apart by what they are.
        """
        media = CROSSING / "media"
        code, out, _ = call(
            "info",
            CROSSING,
            media / "rear_000_seg.png",
            media / "front_seg.mp4",
            "--format",
            "json",
        )
        folder, image, video = json.loads(out)

        assert code == 0
        assert (folder["kind"], folder["frames"]) == ("frames folder", 24)
        assert (image["kind"], image["width"], image["mode"]) == ("image", 480, "rgb")
        assert (video["kind"], video["frames"], video["pixel_format"]) == (
            "video",
            24,
            "gbrp",
        )

    def test_palette(self, tmp_path: Path) -> None:
        """
        With a palette it says how sure the labels of a file are.
        """
        frame = next(fk.open_target(CROSSING).frames())
        assert isinstance(frame, fk.SingleFrame)
        fk.Palette.from_frame(frame, "front", "seg").save(tmp_path / "p.json")
        media = CROSSING / "media"
        code, out, _ = call(
            "info",
            media / "front_seg.mp4",
            media / "lossy" / "front_seg_crf23.mp4",
            media / "rear_000_seg.png",
            "--palette",
            tmp_path / "p.json",
            "--format",
            "json",
        )
        lossless, lossy, image = json.loads(out)

        assert code == 0
        assert (lossless["exact"], lossless["lossless"]) == (True, True)
        assert (lossy["exact"], lossy["lossless"]) == (False, False)
        assert (lossy["matrix"], lossy["full_range"]) == ("bt601", False)
        assert 0 < lossy["uncertain_share"] < 0.05 < lossy["ambiguous_share"] < 0.2
        assert (image["exact"], image["unknown_share"]) == (True, 0.0)

    def test_unreadable(self) -> None:
        """
        What is no media is one line on standard error; the rest is told.
        """
        readme = CROSSING.parents[1] / "README.md"
        code, out, err = call("info", readme, CROSSING / "media" / "rear_000_seg.png")

        assert code == 1
        assert "png" in out
        assert "README.md" in err


class TestRun:
    def test_version(self) -> None:
        """
        The version is printed.
        """
        assert call("--version")[:2] == (0, f"framekit {fk.__version__}\n")

    def test_usage(self) -> None:
        """
        A command line that cannot be read exits with 2 and says how it goes.
        """
        code, _, err = call("validate")

        assert code == 2
        assert "usage: framekit validate" in err

    def test_missing_target(self) -> None:
        """
        A missing target is one line, no traceback.
        """
        code, out, err = call("validate", "/nowhere/frames.jsonl")

        assert (code, out) == (2, "")
        assert err.count("\n") == 1

    def test_defect(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Even a bug of ours is one line.
        """

        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError("oops\nno")

        monkeypatch.setattr("framekit.validation.validate", broken)
        code, _, err = call("validate", CROSSING)

        assert code == 2
        assert err.startswith("framekit: RuntimeError: oops no (this is a bug")

    def test_module(self) -> None:
        """
        ``python -m framekit`` is the command.
        """
        found = subprocess.run(
            [sys.executable, "-m", "framekit", "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd=CROSSING.parents[1],
        )

        assert found.stdout == f"framekit {fk.__version__}\n"


class Terminal(io.StringIO):
    """
    A stream that says it is a terminal.
    """

    def isatty(self) -> bool:
        """
        Say so.
        """
        return True


class TestProgress:
    def test_not_a_terminal(self) -> None:
        """
        Nothing is shown in a log file.
        """
        stream = io.StringIO()
        with Progress(stream, unit="frames") as progress:
            progress.advance(5)

        assert stream.getvalue() == ""

    def test_short_work(self) -> None:
        """
        Nothing is shown for work of less than a second.
        """
        stream = Terminal()
        with Progress(stream, unit="frames") as progress:
            progress.advance(5)

        assert stream.getvalue().strip() == ""

    def test_plain_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without tqdm one line is written over.
        """
        clock = iter([0.0, 2.0, 2.1, 3.0])
        monkeypatch.setattr("framekit.cli.progress.time.monotonic", lambda: next(clock))
        monkeypatch.setattr("framekit.cli.progress._tqdm", lambda *_: None)
        stream = Terminal()
        with Progress(stream, unit="frames", total=9) as progress:
            for _ in range(3):
                progress.advance(2)

        assert stream.getvalue() == "\r2 of 9 frames, 1/s \r6 of 9 frames, 2/s \n"

    def test_share(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Where only a share is known, it and the time left are told.
        """
        clock = iter([0.0, 2.0, 100.0])
        monkeypatch.setattr("framekit.cli.progress.time.monotonic", lambda: next(clock))
        monkeypatch.setattr("framekit.cli.progress._tqdm", lambda *_: None)
        stream = Terminal()
        with Progress(stream, unit="frames") as progress:
            progress(2)
            progress.reached(0.25)
            progress(8)

        assert stream.getvalue() == (
            "\r2 frames, 1/s \r10 frames, 0/s (25%, 5:00 left) \n"
        )
