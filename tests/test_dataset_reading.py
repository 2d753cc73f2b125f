"""
The frames of a version in order, by id and counted; imported, and as a target.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import framekit as fk
from framekit.dataset import open_target
from framekit.dataset.dataset import Dataset
from framekit.dataset.version import DatasetVersion
from framekit.errors import (
    ArgumentError,
)
from framekit.schema import check

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"


def frame(
    id: str, *, context: str = "c", timestamp: int = 0, **more: Any
) -> dict[str, Any]:
    """
    A frame that shows a picture called after its id.
    """
    return {
        "id": id,
        "context_id": context,
        "timestamp": timestamp,
        "sources": [{"id": "front", "uri": f"media/{id}.png"}],
        **more,
    }


def labeled(id: str, *labels: str, **more: Any) -> dict[str, Any]:
    """
    A frame with one ROI for each label.
    """
    return frame(id, rois=[{"label": [label]} for label in labels], **more)


def ids(frames: Iterable[fk.SingleFrame]) -> list[str | None]:
    """
    Their ids.
    """
    return [one.id for one in frames]


def source_json(source: fk.Source) -> dict[str, Any]:
    """
    A source as parsed JSON.
    """
    found: dict[str, Any] = fk.SingleFrame(sources=[source]).to_dict()["sources"][0]
    return found


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """
    A dataset without versions.
    """
    return Dataset.create(tmp_path / "cars", name="Cars")


@pytest.fixture
def version(dataset: Dataset) -> DatasetVersion:
    """
    An empty draft.
    """
    return dataset.create_version("v1")


class TestReading:
    def test_order(
        self, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Frames come by context and timestamp, then as they were added.
        """
        monkeypatch.setattr("framekit.dataset.shard_builder.SHARD_FRAMES", 3)
        added = [
            frame(f"{n:02}", context="ba"[n % 2], timestamp=(n * 7) % 4)
            for n in range(20)
        ]
        version.add_frames(added)

        expected = sorted(added, key=lambda f: (f["context_id"], f["timestamp"]))

        assert ids(version) == [one["id"] for one in expected]

    def test_order_by_source(self, version: DatasetVersion) -> None:
        """
        A frame without context and timestamp stands where its first source does.
        """
        for n, (uri, timestamp) in enumerate([("b", 0), ("a", 66), ("a", 33)]):
            source = fk.Source(id="s", uri=uri, timestamp=timestamp)
            version.add_frames([{"id": str(n), "sources": [source_json(source)]}])

        assert ids(version) == ["2", "1", "0"]

    def test_many_shards(
        self, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        More shards than are read at once are merged in groups.
        """
        monkeypatch.setattr("framekit.dataset.shard_builder.SHARD_FRAMES", 2)
        monkeypatch.setattr("framekit.dataset.frame_set.FAN_IN", 3)
        names = [f"{(n * 37) % 50:02}" for n in range(50)]
        version.add_frames(
            frame(name, context=name[1], timestamp=int(name)) for name in names
        )

        assert ids(version) == sorted(names, key=lambda name: name[::-1])

    def test_by_ids(self, version: DatasetVersion) -> None:
        """
        Frames are found by their ids, in the order of the ids.
        """
        version.add_frames(frame(name) for name in "abc")

        assert ids(version.get_frames_by_ids(["c", "nope", "a"])) == ["c", "a"]
        with pytest.raises(ArgumentError, match="no frame 'nope'"):
            version.get_single_frame("nope")

    def test_by_source(self, version: DatasetVersion) -> None:
        """
        Frames are found by a wildcard of a source's URI.
        """
        version.add_frames(frame(name) for name in ("a1", "a2", "b1"))

        assert ids(version.get_frames_by_source("media/a*.png")) == ["a1", "a2"]
        assert ids(version.get_frames_by_source("*/?1.png")) == ["a1", "b1"]

    def test_statistics(self, version: DatasetVersion) -> None:
        """
        Frames, labels, sources and content types are counted.
        """
        version.add_frames([labeled("a", "car", "car", "road"), frame("b")])

        assert version.get_stats().to_dict() == {
            "frames": 2,
            "annotated": 1,
            "annotations": 3,
            "labels": {"car": 2, "road": 1},
            "label_frames": {"car": 1, "road": 1},
            "sources": {"front": 2},
            "content_types": {"": 2},
            "masks": {},
        }

    def test_statistics_of_exchanged_labels(self, version: DatasetVersion) -> None:
        """
        Where mask ids and labels are exchanged, what is meant is counted.
        """
        masks = [{"id": "seg", "uri": "m.png"}]
        version.add_frames(
            [
                {
                    "id": "a",
                    "sources": [{"id": "s", "uri": "a.png", "masks": masks}],
                    "rois": [
                        {"label": ["seg"], "mask": {"id": "car", "value": [1, 2, 3]}}
                    ],
                }
            ]
        )

        assert version.get_stats().labels == {"car": 1}

    def test_empty(self, version: DatasetVersion) -> None:
        """
        A version without frames is read like any other.
        """
        assert (len(version), list(version)) == (0, [])
        assert version.get_stats().frames == 0
        assert list(version.query("car")) == []


class TestImport:
    def test_crossing(self, dataset: Dataset) -> None:
        """
        A frames folder becomes a version, with its media and mask labels.
        """
        target = open_target(CROSSING)

        version, problems = dataset.import_folder(CROSSING, "v1")

        assert problems == []
        assert [one.to_dict() for one in version] == [
            one.to_dict() for one in target.frames()
        ]
        assert version.metadata == target.version["metadata"]
        assert version.mask_labels == target.version["mask_labels"]
        for one in version:
            for source in one.sources:
                assert (dataset.path / source.uri).is_file()

    def test_problems(self, dataset: Dataset, tmp_path: Path) -> None:
        """
        What cannot be imported is told; the rest is.
        """
        folder = tmp_path / "folder"
        (folder / "media").mkdir(parents=True)
        (tmp_path / "secret.png").write_bytes(b"s")
        (folder / "media/a.png").write_bytes(b"a")
        (folder / "dataset.json").write_bytes(b"x")
        rows = [
            frame("a"),
            {"id": "b", "sources": [{"id": "s", "uri": "../secret.png"}]},
            {"id": "c", "sources": [{"id": "s", "uri": "dataset.json"}]},
            {"id": "d", "sources": [{"id": "s", "uri": "media/missing.png"}]},
        ]
        lines = [json.dumps(row) for row in rows]
        (folder / "frames.jsonl").write_text("\n".join([*lines, "{", ""]))
        (folder / "version.json").write_text('{"metadata": {"a.b": 1}}')

        version, problems = dataset.import_folder(folder)

        assert version.name == "folder"
        assert ids(version) == ["a", "d"]
        assert [(one.code, one.frame) for one in problems] == [
            ("wrong-value", None),
            ("media-not-imported", "b"),
            ("media-not-imported", "c"),
            ("invalid-json", None),
        ]
        assert (dataset.path / "media/a.png").read_bytes() == b"a"

    def test_facts(self, dataset: Dataset, tmp_path: Path) -> None:
        """
        What a version.json states comes along as it stands; what is wrong is told.
        """
        path = tmp_path / "frames.jsonl"
        path.write_text(json.dumps(frame("a")) + "\n")
        stated = {
            "name": "first",
            "mask_labels": [{"value": [-1, 1, 255], "labels": ["car"]}],
            "metadata": {"a.b": 1},
            "tags": ["night"],
            "comment": 3,
        }
        (tmp_path / "version.json").write_text(json.dumps(stated))

        version, problems = dataset.import_folder(tmp_path)

        assert (version.name, version.tags) == ("first", ("night",))
        assert version.mask_labels == stated["mask_labels"]
        assert version.get_masks_labels() == {(-1, 1, 255): ["car"]}
        assert [one.message.partition(":")[0] for one in problems] == [
            "metadata",
            "comment",
        ]

    def test_other_file_of_that_name(self, dataset: Dataset, tmp_path: Path) -> None:
        """
        A file of the dataset is never overwritten with another.
        """
        folder = tmp_path / "folder"
        (folder / "media").mkdir(parents=True)
        (folder / "media/a.png").write_bytes(b"new")
        (folder / "frames.jsonl").write_text(json.dumps(frame("a")) + "\n")
        (dataset.path / "media").mkdir()
        (dataset.path / "media/a.png").write_bytes(b"old")

        _, problems = dataset.import_folder(folder)

        assert [one.code for one in problems] == ["media-not-imported"]
        assert (dataset.path / "media/a.png").read_bytes() == b"old"

    def test_keep(self, dataset: Dataset) -> None:
        """
        Media can stay where they are.
        """
        version, problems = dataset.import_folder(CROSSING, media="keep")

        assert (len(version), problems) == (24, [])
        assert not (dataset.path / "media").exists()


class TestTarget:
    def test_records(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        A version is read like a frames folder, from the dataset's folder.
        """
        version.add_frames([frame("b", timestamp=1), frame("a")])
        version.set_masks_labels({(1, 2, 3): ["car"]})
        (shard,) = version.manifest.shards

        target = open_target(dataset.path)

        assert [(one.document, one.line, one.value) for one in target.records()] == [
            (f"{shard.file}:1", 1, frame("a")),
            (f"{shard.file}:2", 2, frame("b", timestamp=1)),
        ]
        assert target.root == dataset.path.absolute()
        assert target.version["mask_labels"] == version.mask_labels
        assert list(check(target.version, "dataset-version")) == []

    def test_identity(self, version: DatasetVersion) -> None:
        """
        A target says whether it is of the same frames as another.
        """
        version.add_frames([frame("a"), frame("b")])
        before = version.target().identity()

        assert version.target().identity() == before
        version.delete_frames(["a"])
        assert version.target().identity() != before

    def test_by_name(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        A version can be named; a version without frames says so.
        """
        dataset.create_version("v2").add_frames([frame("x")])

        (record,) = open_target(dataset.path, version.name).records()

        assert [one.code for one in record.problems] == ["no-frames"]

    def test_in_another_process(self, version: DatasetVersion) -> None:
        """
        A version and its target are sent to other processes, which read on.
        """
        version.add_frames([frame("a"), frame("b")])
        assert version.get_single_frame("a").id == "a"

        again, target = pickle.loads(  # noqa: S301 - our own
            pickle.dumps((version, version.target()))
        )

        assert ids(again) == ["a", "b"]
        assert [one.value["id"] for one in target.records()] == ["a", "b"]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are POSIX")
    def test_in_forked_processes(self, version: DatasetVersion) -> None:
        """
        Processes that share a version's files do not disturb each other.
        """
        names = [f"{n:03}" for n in range(300)]
        version.add_frames(frame(name) for name in names)
        assert version.get_single_frame("000").id == "000"
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            found = list(executor.map(version.get_single_frame, names, chunksize=9))

        assert ids(found) == names
