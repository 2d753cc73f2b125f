"""
A dataset whose writers are killed, run out of space, or come two at a time.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from framekit.dataset import durable
from framekit.dataset.dataset import Dataset
from framekit.dataset.lock import LOCK_FILE, writing
from framekit.errors import StorageError

ROOT = Path(__file__).parents[1]

#: How often the slow test kills a writer; 100 takes some minutes.
KILLS = int(os.environ.get("FRAMEKIT_KILLS", "5"))

#: A writer that changes a dataset for ever, and writes down what is certain.
WRITER = """
import json, sys
from framekit.dataset import shard_builder
from framekit.dataset.dataset import Dataset

shard_builder.SHARD_FRAMES = 50
dataset = Dataset.open(sys.argv[1])
log = open(sys.argv[1] + "/../log.jsonl", "a")

def tell(*what):
    log.write(json.dumps(what) + "\\n")
    log.flush()

def frame(id, number):
    source = {"id": "s", "uri": f"{id}.png"}
    return {"id": id, "meta": {"n": number}, "sources": [source]}

start = int(sys.argv[2])
for number in range(start, start + 100000):
    version = dataset.get_version("work")
    ids = [f"{(number * 31 + n * 7) % 400:03}" for n in range(130)]
    tell("adding", number, ids)
    version.add_frames(frame(id, number) for id in ids)
    tell("added", number)
    gone = [frame.id for frame in version][:: 5]
    tell("deleting", number, gone)
    version.delete_frames(gone)
    tell("deleted", number)
    tell("committing", number)
    version.commit()
    tell("committed", number)
    if number % 3 == 2:
        tell("snapshot", number)
        version.create_snapshot(f"release {number}")
        tell("released", number)
"""


#: A writer that only holds the lock.
HOLDER = """
import sys, pathlib
from framekit.dataset.lock import writing

with writing(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

#: A writer that is not allowed files of more than 4 KiB.
BOUNDED = """
import resource, signal, sys
from framekit.dataset.dataset import Dataset
from framekit.errors import StorageError

version = Dataset.open(sys.argv[1]).get_version("v1")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
source = [{"id": "s", "uri": "a.png"}]
try:
    version.add_frames({"id": str(n), "sources": source} for n in range(999))
except StorageError as error:
    print(error)
"""


def frame(id: str, number: int = 0) -> dict[str, Any]:
    """
    A frame that a writer writes.
    """
    source = {"id": "s", "uri": f"{id}.png"}
    return {"id": id, "meta": {"n": number}, "sources": [source]}


def possible_states(log: Path) -> tuple[list[dict[str, int]], list[int]]:
    """
    What the version may hold by the log: what was certain, and what may be since.

    Beside it the releases that are certain.
    """
    state: dict[str, int] = {}
    after = state
    releases = []
    for line in log.read_text().splitlines():
        what, number, *rest = json.loads(line)
        if what == "adding":
            after = state | dict.fromkeys(rest[0], number)
        elif what == "deleting":
            gone = set(rest[0])
            after = {id: n for id, n in state.items() if id not in gone}
        elif what in {"added", "deleted"}:
            state = after
        elif what == "released":
            releases.append(number)
    return [state, after], releases


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """
    A writer that is killed leaves what was there before its call, or after it.

    Nothing is half there, and the next writer goes on where it stopped.
    """
    path = tmp_path / "cars"
    Dataset.create(path).create_version("work")
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    log = tmp_path / "log.jsonl"
    log.touch()
    chance = random.Random(int(os.environ.get("FRAMEKIT_SEED", "1")))  # noqa: S311
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for kill in range(KILLS):
        before = log.stat().st_size
        writer = subprocess.Popen(
            [sys.executable, str(script), str(path), str(kill * 1000)],
            env=environment,
            stderr=subprocess.PIPE,
        )
        while log.stat().st_size == before and writer.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.6))
        writer.send_signal(signal.SIGKILL)
        _, complaint = writer.communicate()
        assert writer.returncode == -signal.SIGKILL, complaint.decode()
        text = log.read_text()
        if not text.endswith("\n"):  # killed while it wrote down
            log.write_text(text[: text.rfind("\n") + 1])

        dataset = Dataset.open(path)
        found = {one.id: one.metadata["n"] for one in dataset.get_version("work")}
        states, releases = possible_states(log)
        assert found in states
        if found != states[0]:
            with log.open("a") as file:  # the call was carried out
                last = json.loads(log.read_text().splitlines()[-1])
                what = {"adding": "added", "deleting": "deleted"}[last[0]]
                file.write(json.dumps([what, last[1]]) + "\n")
        for version in dataset.versions:
            assert len(list(version)) == len(version)
        assert {f"release {n}" for n in releases} <= set(dataset.version_names)

    version = dataset.get_version("work")
    version.add_frames([frame("last")])
    version.publish()
    left = [p for p in path.rglob("*") if p.name.startswith(durable.TEMPORARY)]
    assert left == []


class TestOneWriter:
    def test_another_process(self, tmp_path: Path) -> None:
        """
        A second writer is refused and told who is writing.
        """
        dataset = Dataset.create(tmp_path)
        version = dataset.create_version("v1")
        holder = subprocess.Popen(
            [
                sys.executable,
                "-c",
                HOLDER,
                str(tmp_path),
            ],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(StorageError, match=f"process {holder.pid} on"):
                version.add_frames([frame("a")])
            assert len(dataset.get_version("v1")) == 0
        finally:
            holder.kill()
            holder.communicate()

        assert version.add_frames([frame("a")]) == []

    def test_another_thread(self, tmp_path: Path) -> None:
        """
        So is a second writer in the same process.
        """
        version = Dataset.create(tmp_path).create_version("v1")
        errors = []

        def late() -> None:
            try:
                version.delete_frames(["a"])
            except StorageError as error:
                errors.append(str(error))

        def frames() -> Iterator[dict[str, Any]]:
            yield frame("a")
            thread = threading.Thread(target=late)
            thread.start()
            thread.join()
            yield frame("b")

        version.add_frames(frames())

        assert len(errors) == 1
        assert "writing already" in errors[0]
        assert len(version) == 2

    def test_stale_lock(self, tmp_path: Path) -> None:
        """
        The lock file of a process that died locks nobody out.
        """
        version = Dataset.create(tmp_path).create_version("v1")
        (tmp_path / LOCK_FILE).write_text('{"process":1,"host":"x","since":"y"}')

        assert version.add_frames([frame("a")]) == []

    def test_released(self, tmp_path: Path) -> None:
        """
        An error ends the writing like success does.
        """
        for _ in range(2):
            with pytest.raises(KeyError), writing(tmp_path):
                raise KeyError

    @pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
    def test_no_permission(self, tmp_path: Path) -> None:
        """
        A folder that cannot be written to is an error of storage.
        """
        version = Dataset.create(tmp_path).create_version("v1")
        (tmp_path / LOCK_FILE).unlink()
        tmp_path.chmod(0o500)
        try:
            with pytest.raises(StorageError, match="cannot be written"):
                version.add_frames([frame("a")])
        finally:
            tmp_path.chmod(0o700)


class TestDiskFull:
    @pytest.mark.parametrize("fails_at", range(8))
    def test_any_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
    ) -> None:
        """
        Whichever write fails, the version stays as it was.

        When only the promise fails that the last one is lasting, it is done.
        """
        monkeypatch.setattr("framekit.dataset.shard_builder.SHARD_FRAMES", 10)
        dataset = Dataset.create(tmp_path)
        version = dataset.create_version("v1")
        version.add_frames(frame(f"{n:02}") for n in range(5))
        files = sorted(tmp_path.rglob("*"))
        written = 0
        sync = os.fsync

        def full(descriptor: int) -> None:
            nonlocal written
            written += 1
            if written > fails_at:
                raise OSError(28, "No space left on device")
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left on device"):
            version.add_frames(frame(f"{n:02}", 1) for n in range(25))
        monkeypatch.setattr(os, "fsync", sync)

        found = Dataset.open(tmp_path).get_version("v1")
        assert {one.id: one.metadata["n"] for one in found} == (
            {f"{n:02}": 0 for n in range(5)}
            if fails_at < 7
            else {f"{n:02}": 1 for n in range(25)}
        )
        if fails_at < 7:
            assert sorted(tmp_path.rglob("*")) == files
        assert version.add_frames(frame(f"{n:02}", 1) for n in range(25)) == []
        assert len(version) == 25

    def test_size_limit(self, tmp_path: Path) -> None:
        """
        A file that the system refuses to let grow is an error, not a half version.
        """
        dataset = Dataset.create(tmp_path)
        version = dataset.create_version("v1")
        version.add_frames([frame("a")])
        told = subprocess.run(
            [sys.executable, "-c", BOUNDED, str(tmp_path)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )

        assert "cannot be written" in told.stdout
        assert [one.id for one in dataset.get_version("v1")] == ["a"]
        assert len(list((tmp_path / "shards").iterdir())) == 2
