from __future__ import annotations

import json
import shutil
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from framekit.errors import ArgumentError
from framekit.storage import Storage
from framekit.validation import Report, validate
from framekit.validation.engines import processes
from tests.openers import Harmful

SAMPLES = Path(__file__).parents[1] / "samples"
FRAME: dict[str, Any] = json.loads((SAMPLES / "valid/single-frame.json").read_text())


def frame(number: int, mask: str) -> dict[str, Any]:
    """
    A good frame with a mask of its own, and with one thing to remark.
    """
    source = FRAME["sources"][0] | {"content_type": "image/png"}
    masks = [source["masks"][0] | {"uri": f"test://{mask}"}]
    roi = {"label": [""]}
    return FRAME | {
        "id": str(number),
        "sources": [source | {"uri": f"test://{number}", "masks": masks}],
        "rois": [*FRAME["rois"], roi],
    }


def report_of(
    folder: Path, bad: dict[int, str], count: int = 100, **options: Any
) -> Report:
    """
    What is found in *count* frames, of which some have masks that do harm.
    """
    shutil.copy(SAMPLES / "valid/media/seg.png", folder)
    lines = [json.dumps(frame(n, bad.get(n, f"m{n}"))) for n in range(count)]
    path = folder / "frames.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    storage = Storage(folder, allow="test", opener=Harmful(folder))
    chosen: dict[str, Any] = {"executor": partial(processes, 2), "shard": 16}
    return validate(path, level="pixels", storage=storage, **(chosen | options))


def died(report: Report) -> list[tuple[str, str | None]]:
    """
    The frames that killed a worker.
    """
    return [(p.document, p.frame) for p in report.problems if p.code == "worker-died"]


def remarked(report: Report) -> Counter[str]:
    """
    How often the remark that each frame is worth was made, by document.
    """
    found = (p.document for p in report.problems if p.code == "roi-without-label")
    return Counter(found)


EVERY = Counter(f"frames.jsonl:{n + 1}" for n in range(100))


@pytest.mark.slow
class TestProcesses:
    @pytest.mark.parametrize("way", ["kill", "abort", "memory"])
    def test_one(self, tmp_path: Path, way: str) -> None:
        """
        A mask that kills its worker is told, and every frame once.
        """
        report = report_of(tmp_path, {37: way})

        assert died(report) == [("frames.jsonl:38", "37")]
        assert remarked(report) == EVERY
        assert report.counts == {"roi-without-label": 100, "worker-died": 1}
        assert report.frames == 100

    def test_several(self, tmp_path: Path) -> None:
        """
        So are several, at the ends of the file and side by side.
        """
        bad = {0: "kill", 50: "abort", 51: "kill", 99: "kill"}

        report = report_of(tmp_path, bad)

        assert died(report) == [(f"frames.jsonl:{n + 1}", str(n)) for n in bad]
        assert remarked(report) == EVERY

    def test_once(self, tmp_path: Path) -> None:
        """
        A worker that died of something else is no problem of a frame.
        """
        report = report_of(tmp_path, {37: "kill-once"})

        assert died(report) == []
        assert remarked(report) == EVERY

    def test_given_executor(self, tmp_path: Path) -> None:
        """
        An executor that was handed in and has broken is replaced.
        """
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
            report = report_of(tmp_path, {37: "kill"}, executor=executor)

        assert died(report) == [("frames.jsonl:38", "37")]
        assert remarked(report) == EVERY

    def test_values(self, tmp_path: Path) -> None:
        """
        Frames that come from an iterator are isolated, too.
        """
        shutil.copy(SAMPLES / "valid/media/seg.png", tmp_path)
        storage = Storage(tmp_path, allow="test", opener=Harmful(tmp_path))
        made = (frame(n, "kill" if n == 3 else "m") for n in range(20))

        report = validate(
            made, level="media", storage=storage, executor=processes, shard=5
        )

        assert died(report) == [("frames[3]", "3")]
        assert sum(remarked(report).values()) == 20

    def test_ledger(self, tmp_path: Path) -> None:
        """
        What killed a worker is not tried again by the next run.
        """
        ledger = tmp_path / "ledger"
        first = report_of(tmp_path, {37: "kill"}, ledger=ledger)
        (tmp_path / "opened.txt").unlink()

        second = report_of(tmp_path, {37: "kill"}, ledger=ledger)

        assert second.problems == first.problems
        assert not (tmp_path / "opened.txt").exists()


class TestThreads:
    def test_memory(self, tmp_path: Path) -> None:
        """
        Without processes, want of memory is isolated all the same.
        """
        report = report_of(tmp_path, {37: "memory"}, executor=None)

        assert died(report) == [("frames.jsonl:38", "37")]
        assert remarked(report) == EVERY

    def test_unsendable(self, tmp_path: Path) -> None:
        """
        A storage that cannot be sent to processes is refused by name.
        """
        storage = Storage(tmp_path, allow="test", opener=lambda _: open("x", "rb"))  # noqa: PTH123, SIM115

        with pytest.raises(ArgumentError, match=r"storage: .*processes"):
            validate([FRAME], level="media", storage=storage, executor=processes)
