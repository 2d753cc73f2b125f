"""
Datasets of which a file is damaged: a manifest, a shard, or the dataset's own.

    python -m tests.fuzz_datasets [seconds] [seed]

A damaged shard is refused or gives the frames that it held; one frame too few would
be a silent loss.  What is damaged is never made worse by opening it.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import framekit as fk
from framekit.dataset import Dataset, open_target
from framekit.dataset.compression import Compression
from framekit.errors import FramekitError
from framekit.validation import validate
from tests.fuzz_harness import Fuzzed, damaged, fuzz, run, strange

#: How shards are compressed; "zst" needs an extra.
KINDS: tuple[Compression, ...] = (None, "gz")


class Case(NamedTuple):
    """
    A file of one of the datasets, and what is in it now.
    """

    dataset: Path
    file: Path
    data: bytes


def frame(n: int, **more: Any) -> dict[str, Any]:
    """
    A frame with a mask and two ROIs.
    """
    source = {"id": "front", "uri": f"{n}.png", "masks": [{"id": "s", "uri": "m.png"}]}
    mask = {"id": "s", "value": [n, 2, 3]}
    rois = [{"label": ["car"], "mask": mask}, {"label": [f"l{n % 3}"], "id": "o"}]
    found = {"id": f"f{n}", "context_id": f"c{n % 2}", "timestamp": n}
    return found | {"sources": [source], "rois": rois, "meta": {"n": n}} | more


def build(folder: Path, kind: Compression) -> Path:
    """
    A dataset of two versions, of which the second changes the first.
    """
    path = folder / str(kind)
    dataset = Dataset.create(path, compression=kind, tags=["a"], metadata={"b": 1})
    first = dataset.create_version("v1")
    first.add_frames(frame(n) for n in range(12))
    first.set_masks_labels({(1, 2, 3): ["car"]})
    first.set_metadata({"c": 1})
    first.publish()
    second = dataset.create_version("v2", parent="v1")
    second.update_frames([frame(3, meta={"n": 33})])
    second.delete_frames(["f5", "f6"])
    second.add_frames([frame(40), frame(41)])
    second.commit()
    return path


def frames_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    """
    The frames of each version.
    """
    dataset = Dataset.open(path)
    return {v.name: [f.to_dict() for f in v] for v in dataset.versions}


class DatasetFuzz:
    """
    Datasets to damage a file of, and what they hold.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = [build(folder, kind) for kind in KINDS]
        self.frames = {path: frames_of(path) for path in self.paths}
        self.files = [
            (path, file, file.read_bytes())
            for path in self.paths
            for file in sorted(path.rglob("*"))
            if file.is_file() and file.stat().st_size
        ]

    def make(self, rng: random.Random) -> Case:
        """
        One file, damaged.
        """
        path, file, data = rng.choice(self.files)
        if file.suffix == ".json" and rng.random() < 0.7:
            changed = strange(json.loads(data), rng)
            return Case(path, file, json.dumps(changed).encode())
        other = rng.choice(self.files)[2]
        return Case(path, file, damaged(data, other, rng))

    def attempt(self, case: Case) -> str:
        """
        What becomes of a dataset: "same", "other" or "refused".

        Raises:
            AssertionError: If frames are lost or changed without a word.
        """
        copy = self.folder / "damaged"
        shutil.copytree(case.dataset, copy)
        try:
            file = copy / case.file.relative_to(case.dataset)
            file.write_bytes(case.data)
            outcome = self.look(case, copy, is_shard=file.parent.name == "shards")
            # Indexes are made anew where they do not fit.
            kept = file.suffix == ".index" or file.read_bytes() == case.data
            assert kept, "changed by reading"
            if len(case.data) % 4 == 0:  # Writing waits for the disk.
                change(copy)
            return outcome
        finally:
            shutil.rmtree(copy)

    def look(self, case: Case, path: Path, *, is_shard: bool) -> str:
        """
        Read all that can be read, each on its own.
        """
        wanted = self.frames[case.dataset]
        outcome = "same"
        for name in ("v1", "v2", None):
            try:
                version = Dataset.open(path).get_version(name)
                found = [one.to_dict() for one in version]
            except FramekitError:
                outcome = "refused"
                continue
            if found != wanted.get(version.name):
                assert not is_shard, "a damaged shard gives other frames"
                outcome = "other"
            assert len(found) == len(version), "len() and iteration disagree"
            for one in found[:2]:
                (again,) = version.get_frames_by_ids([one["id"]])
                assert again.to_dict() == one
            look_at(version)
        try:
            validate(path)
        except FramekitError:
            outcome = "refused" if outcome == "same" else outcome
        return outcome


def look_at(version: fk.DatasetVersion) -> None:
    """
    Ask a version for everything; framekit's errors are answers.
    """
    questions: tuple[Callable[[], object], ...] = (
        version.get_stats,
        version.get_masks_labels,
        lambda: list(version.query("car")),
        lambda: list(open_target(version).frames()),
        lambda: fk.diff(version, version),
        lambda: (version.metadata, version.tags, version.comment, repr(version)),
    )
    for question in questions:
        try:
            question()
        except FramekitError:
            continue


def change(path: Path) -> None:
    """
    Change what is damaged: that is refused, or works.
    """
    for name in ("v1", "v2"):
        try:
            version = Dataset.open(path).get_version(name)
            version.add_frames([frame(50)])
            version.delete_frames(["f1"])
            version.commit()
            ids = [one.id for one in Dataset.open(path).get_version(name)]
        except FramekitError:
            continue
        assert "f50" in ids
        assert "f1" not in ids


def harness(seconds: float, seed: int) -> Fuzzed[Case]:
    """
    Fuzz for *seconds*.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = DatasetFuzz(Path(folder))
        return fuzz(target.make, partial(DatasetFuzz.attempt, target), seconds, seed)


if __name__ == "__main__":
    run(harness, *sys.argv[1:])
