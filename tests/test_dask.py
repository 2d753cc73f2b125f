"""
Validation on the workers of Dask, with a scheduler and workers of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framekit.errors import StorageError
from framekit.storage import Storage
from framekit.validation import validate
from framekit.validation.engines import engine
from tests.openers import Harmful

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
FRAME: dict[str, Any] = json.loads((SAMPLES / "valid/single-frame.json").read_text())
COUNT = 200


class Cluster:
    """
    A scheduler, and workers that are processes of their own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        place = folder / "scheduler.json"
        self.start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file")
        while not (place.exists() and place.read_text().strip()):
            time.sleep(0.05)
        self.address = json.loads(place.read_text())["address"].removeprefix("tcp://")

    def start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        """
        Start a scheduler or a worker.
        """
        module = f"distributed.cli.dask_{kind}"
        command = [sys.executable, "-m", module, *options]
        process = subprocess.Popen(
            [*command, str(self.folder / "scheduler.json")],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def worker(self, *, nanny: bool = False) -> subprocess.Popen[bytes]:
        """
        Start a worker of one thread.
        """
        kind = "--nanny" if nanny else "--no-nanny"
        options = ["--nthreads", "1", kind, "--no-dashboard", "--scheduler-file"]
        return self.start("worker", *options)

    def stop(self) -> None:
        """
        End all that was started.
        """
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """
    A scheduler without workers.
    """
    pytest.importorskip("distributed")
    made = Cluster(tmp_path)
    yield made
    made.stop()


def target(folder: Path, bad: dict[int, str]) -> tuple[Path, Storage]:
    """
    Frames with a mask each that takes a while, and one thing to remark.
    """
    shutil.copy(SAMPLES / "valid/media/seg.png", folder)
    lines = []
    for n in range(COUNT):
        source = FRAME["sources"][0] | {"uri": "test://s", "content_type": "image/png"}
        uri = f"test://{bad.get(n, f'm{n}')}"
        source["masks"] = [source["masks"][0] | {"uri": uri}]
        rois = [*FRAME["rois"], {"label": [""]}]
        lines.append(
            json.dumps(FRAME | {"id": str(n), "sources": [source], "rois": rois})
        )
    path = folder / "frames.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path, Storage(folder, allow="test", opener=Harmful(folder))


EVERY = Counter(f"frames.jsonl:{n + 1}" for n in range(COUNT))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
class TestDask:
    def test_workers_come_and_go(self, cluster: Cluster, tmp_path: Path) -> None:
        """
        One worker is killed on the way, one comes late; nothing is lost or doubled.
        """
        first, _ = cluster.worker(), cluster.worker()
        path, storage = target(tmp_path, {n: f"slow{n}" for n in range(0, COUNT, 10)})
        done: list[int] = []

        def interfere() -> None:
            while sum(done) < 20:
                time.sleep(0.02)
            first.kill()
            cluster.worker()

        meddler = threading.Thread(target=interfere)
        meddler.start()
        report = validate(
            path,
            level="pixels",
            storage=storage,
            executor=engine(f"dask://{cluster.address}"),
            shard=5,
            progress=done.append,
        )
        meddler.join()

        assert first.wait() != 0
        assert Counter(p.document for p in report.problems) == EVERY
        assert report.counts == {"roi-without-label": COUNT}
        assert (report.frames, sum(done)) == (COUNT, COUNT)

    def test_killer(self, cluster: Cluster, tmp_path: Path) -> None:
        """
        A mask that kills its workers is told, and every frame once.
        """
        for _ in range(2):
            cluster.worker(nanny=True)
        path, storage = target(tmp_path, {77: "kill"})

        report = validate(
            path,
            level="pixels",
            storage=storage,
            executor=engine(f"dask://{cluster.address}"),
            shard=16,
        )

        died = [p.document for p in report.problems if p.code == "worker-died"]
        assert died == ["frames.jsonl:78"]
        assert report.counts == {"roi-without-label": COUNT, "worker-died": 1}

    def test_nobody(self) -> None:
        """
        Where there is no scheduler, the address is named.
        """
        pytest.importorskip("distributed")

        with pytest.raises(StorageError, match=r"127.0.0.1:1: no Dask scheduler"):
            engine("dask://127.0.0.1:1")()
