from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from framekit.errors import ArgumentError
from framekit.validation import Report, validate

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
FRAME: dict[str, Any] = json.loads((SAMPLES / "valid/single-frame.json").read_text())


def folder_of(folder: Path, count: int = 200) -> Path:
    """
    A frames folder with problems of many kinds, told once and each.
    """
    shutil.copytree(SAMPLES / "valid/media", folder / "media")
    lines = []
    for n in range(count):
        frame = json.loads(json.dumps(FRAME)) | {"id": str(n % 190)}
        if n % 50 == 7:
            frame["rois"][0]["mask"]["id"] = f"sg\u00e9\u2028{n}"
        if n % 3 == 0:
            frame["sources"][0]["masks"].append({"id": "other", "uri": "media/x.png"})
        frame["meta"] = {"a": n if n % 2 else str(n), 'b "c"': [1]}
        lines.append(json.dumps(frame))
    lines[20] = "{"
    (folder / "frames.jsonl").write_text("\n".join(lines), encoding="utf-8")
    labels = [{"value": [210, 210, 120], "labels": ["bus"]}]
    version = {"mask_labels": {"seg": labels, "nothing": labels}}
    (folder / "version.json").write_text(json.dumps(version), encoding="utf-8")
    return folder


class Stop:
    """
    A progress that is interrupted after some portions.
    """

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, _: int) -> None:
        """
        Count one more portion.
        """
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def same(first: Report, second: Report) -> bool:
    """
    Whether two reports say the same.
    """
    return first.to_dict() == second.to_dict()


class TestResume:
    @pytest.mark.parametrize("level", ["references", "pixels"])
    @pytest.mark.parametrize("after", [0, 1, 5, 1000])
    def test_interrupted(self, tmp_path: Path, level: Any, after: int) -> None:
        """
        A run that goes on ends with the report of one that was never stopped.
        """
        folder = folder_of(tmp_path / "f")
        ledger = tmp_path / "ledger"
        options: dict[str, Any] = {"level": level, "shard": 1 if after < 9 else 8}
        whole = validate(folder, **options)

        validate(
            folder,
            ledger=ledger,
            progress=Stop(after),
            on_interrupt="report",
            **options,
        )
        done: list[int] = []
        resumed = validate(folder, ledger=ledger, progress=done.append, **options)

        assert same(resumed, whole)
        assert sum(done) == 200
        assert {"duplicate-frame-id", "unused-mask-labels", "invalid-json"} <= set(
            resumed.counts
        )

    def test_nothing_is_done_again(self, tmp_path: Path) -> None:
        """
        What is in the ledger is not looked at.
        """
        folder = folder_of(tmp_path / "f")
        first = validate(folder, level="media", ledger=tmp_path / "ledger")
        size = (tmp_path / "ledger").stat().st_size
        shutil.rmtree(folder / "media")

        second = validate(folder, level="media", ledger=tmp_path / "ledger")

        assert same(first, second)
        assert (tmp_path / "ledger").stat().st_size == size

    @pytest.mark.parametrize("cut", [1, 2, 50, 300])
    def test_torn(self, tmp_path: Path, cut: int) -> None:
        """
        A last line that was not written to its end is done again.
        """
        folder, ledger = folder_of(tmp_path / "f"), tmp_path / "ledger"
        whole = validate(folder, shard=1, ledger=ledger)
        data = ledger.read_bytes()
        ledger.write_bytes(data[:-cut])

        assert same(validate(folder, shard=1, ledger=ledger), whole)
        assert ledger.read_bytes() == data

    def test_torn_head(self, tmp_path: Path) -> None:
        """
        Nor is it in the way if that was its first line.
        """
        folder, ledger = folder_of(tmp_path / "f"), tmp_path / "ledger"
        whole = validate(folder, ledger=ledger)
        data = ledger.read_bytes()
        ledger.write_bytes(data[:20])

        assert same(validate(folder, ledger=ledger), whole)
        assert ledger.read_bytes() == data

    @pytest.mark.slow
    def test_killed(self, tmp_path: Path) -> None:
        """
        A process that is killed leaves a ledger that can be gone on with.
        """
        folder, ledger = folder_of(tmp_path / "f", 2000), tmp_path / "ledger"
        arguments = [folder, "--level", "media", "--ledger", ledger]
        command = [sys.executable, "-m", "framekit", "validate", *arguments]
        process = subprocess.Popen(
            [*map(str, command), "--engine", "threads"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not ledger.exists() or ledger.read_bytes().count(b"\n") < 4:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
        process.wait()
        done = ledger.read_bytes()

        report = validate(folder, level="media", ledger=ledger)

        assert ledger.read_bytes().startswith(done[: done.rindex(b"\n")])
        assert same(report, validate(folder, level="media"))


class TestRefused:
    def test_other_input(self, tmp_path: Path) -> None:
        """
        A ledger of other frames is refused.
        """
        folder, ledger = folder_of(tmp_path / "f"), tmp_path / "ledger"
        validate(folder, ledger=ledger)
        with (folder / "frames.jsonl").open("a") as file:
            file.write("\n")

        with pytest.raises(ArgumentError, match="of another run: input differ"):
            validate(folder, ledger=ledger)

    def test_other_options(self, tmp_path: Path) -> None:
        """
        So is one of another level, or of another version.
        """
        folder, ledger = folder_of(tmp_path / "f"), tmp_path / "ledger"
        validate(folder, ledger=ledger)

        with pytest.raises(ArgumentError, match="version and level differ"):
            validate(folder, ledger=ledger, level="schema", version=[])

    @pytest.mark.parametrize("text", ["", "x\n", "[1]\n", '{"a": 1}\n', "notes"])
    def test_no_ledger(self, tmp_path: Path, text: str) -> None:
        """
        A file that is something else is not written into; an empty one is.
        """
        folder, ledger = folder_of(tmp_path / "f"), tmp_path / "ledger"
        ledger.write_text(text)
        if not text:
            assert validate(folder, ledger=ledger).frames == 199
            return

        with pytest.raises(ArgumentError, match="is no ledger"):
            validate(folder, ledger=ledger)

        assert ledger.read_text() == text

    def test_damaged(self, tmp_path: Path) -> None:
        """
        Damage in the middle is told.
        """
        folder, ledger = folder_of(tmp_path / "f"), tmp_path / "ledger"
        validate(folder, shard=1, ledger=ledger)
        lines = ledger.read_bytes().split(b"\n")
        lines[2] = lines[2][:-9]
        ledger.write_bytes(b"\n".join(lines))

        with pytest.raises(ArgumentError, match="is damaged after"):
            validate(folder, shard=1, ledger=ledger)

    def test_values(self, tmp_path: Path) -> None:
        """
        Frames that cannot be read again have no ledger.
        """
        with pytest.raises(ArgumentError, match="ledger: "):
            validate([FRAME], ledger=tmp_path / "ledger")


class TestInterrupted:
    def test_report(self, tmp_path: Path) -> None:
        """
        The report so far says that it is one, and nothing about what is missing.
        """
        folder = folder_of(tmp_path / "f")

        report = validate(folder, shard=1, progress=Stop(1), on_interrupt="report")

        assert report.interrupted
        assert report.frames == 127
        assert "unused-mask-labels" not in report.counts
        assert "mask-labels-conflict" in report.counts
        assert report.to_dict()["interrupted"] is True

    def test_raised(self, tmp_path: Path) -> None:
        """
        Unless that is asked for, an interruption is one.
        """
        with pytest.raises(KeyboardInterrupt):
            validate(folder_of(tmp_path / "f"), progress=Stop(0))

    @pytest.mark.slow
    @pytest.mark.parametrize("engine", [[], ["--engine", "processes", "-j", "2"]])
    def test_command(self, tmp_path: Path, engine: list[str]) -> None:
        """
        Ctrl-C ends the command with the report so far, and with exit code 2.
        """
        folder, ledger = folder_of(tmp_path / "f"), tmp_path / "ledger"
        lines = (folder / "frames.jsonl").read_text().splitlines()
        with (folder / "frames.jsonl").open("w") as file:
            for _ in range(1000):
                file.write("\n".join(lines) + "\n")
        command = [sys.executable, "-m", "framekit", "validate", str(folder)]
        process = subprocess.Popen(
            [*command, "--ledger", str(ledger), *engine],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while not ledger.exists() or ledger.read_bytes().count(b"\n") < 4:
            assert process.poll() is None
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)

        assert process.returncode == 2
        assert "INTERRUPTED: " in out
        assert out.splitlines()[-1] == "Levels not run: media, pixels"
        assert err == "framekit: interrupted; the report is of what was done\n"
