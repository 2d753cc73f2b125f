"""
Adding, updating, deleting and reading frames of a version.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import framekit as fk
from framekit.dataset.dataset import Dataset
from framekit.dataset.version import DatasetVersion
from framekit.errors import (
    ArgumentError,
)
from framekit.problem import Problem, Severity


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


class TestAddFrames:
    def test_objects_and_json(self, version: DatasetVersion) -> None:
        """
        SingleFrames, groups and parsed JSON are stored as the same document.
        """
        one = fk.SingleFrame.from_dict(frame("a"))
        group = fk.FrameGroup.from_frame(fk.SingleFrame.from_dict(frame("b")))

        assert version.add_frames([one, group, frame("c")]) == []
        assert [found.to_dict() for found in version] == [
            frame("a"),
            frame("b"),
            frame("c"),
        ]

    def test_upsert(self, version: DatasetVersion) -> None:
        """
        A frame with a known id replaces the one that has it.
        """
        version.add_frames([frame("a"), frame("b")])
        version.add_frames([frame("a", meta={"n": 2})])

        assert len(version) == 2
        assert version.get_single_frame("a").metadata == {"n": 2}

    def test_derived_id(self, version: DatasetVersion) -> None:
        """
        Without an id the source and the moment make one, so nothing is doubled.
        """
        shot = fk.SingleFrame(source="media/x.mp4", timestamp=33)
        other = fk.SingleFrame(source="media/x.mp4", timestamp=66)
        version.add_frames([shot, other])
        shot.add_annotation(frame_class=["train"])
        version.add_frames([shot])

        found = list(version)

        assert len(found) == 2
        assert [len(one.rois) for one in found] == [1, 0]
        assert shot.id is None

    def test_bad_frames(self, version: DatasetVersion) -> None:
        """
        What is no frame comes back as a problem, and the rest is stored.
        """
        problems = version.add_frames(
            [
                frame("a"),
                7,
                {"id": "b"},
                {"sources": []},
                frame("c", timestamp=0, rois=[{"label": "car"}]),
                {**frame("x"), "id": ""},
                frame("d"),
            ]
        )

        assert ids(version) == ["a", "d"]
        assert [(one.document, one.at, one.code) for one in problems] == [
            ("frames[1]", "$", "wrong-type"),
            ("frames[2]", "$", "missing-key"),
            ("frames[3]", "$.id", "missing-key"),
            ("frames[4]", "$.rois[0].label", "wrong-value"),
            ("frames[5]", "$.id", "wrong-value"),
        ]

    @pytest.mark.parametrize(
        "value", [float("nan"), {1, 2}, b"x", 2**70, "\ud800", object()]
    )
    def test_no_json(self, version: DatasetVersion, value: Any) -> None:
        """
        A value that JSON cannot hold is a problem of its frame.
        """
        problems = version.add_frames([frame("a", meta={"x": value}), frame("b")])

        assert [one.document for one in problems] == ["frames[0]"]
        assert ids(version) == ["b"]

    def test_problems_pass_through(self, version: DatasetVersion) -> None:
        """
        A frame that could not be read already is handed back.
        """
        problem = Problem("invalid-json", Severity.ERROR, "no JSON", document="f:3")

        assert version.add_frames([problem, frame("a")]) == [problem]
        assert ids(version) == ["a"]

    def test_one_id_twice(self, version: DatasetVersion) -> None:
        """
        Of two frames with one id the first is stored; no frame vanishes silently.
        """
        problems = version.add_frames(
            [frame("a"), frame("a"), frame("a", meta={"n": 1}), frame("b")]
        )

        assert [(one.document, one.code, one.frame) for one in problems] == [
            ("frames[2]", "duplicate-frame-id", "a")
        ]
        assert [one.to_dict() for one in version] == [frame("a"), frame("b")]

    def test_one_id_twice_in_two_shards(
        self, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        That holds wherever the first is by then.
        """
        monkeypatch.setattr("framekit.dataset.shard_builder.SHARD_FRAMES", 2)

        problems = version.add_frames(
            [frame(name, meta={"n": n}) for n, name in enumerate("abcdea")]
        )

        assert [one.document for one in problems] == ["frames[5]"]
        assert version.get_single_frame("a").metadata == {"n": 0}

    def test_failing_iterable(self, version: DatasetVersion) -> None:
        """
        If the frames cannot be gone through to the end none of them is stored.
        """
        version.add_frames([frame("a")])

        def broken() -> Iterable[dict[str, Any]]:
            yield frame("b")
            raise RuntimeError("lost")

        with pytest.raises(RuntimeError):
            version.add_frames(broken())

        assert ids(version) == ["a"]
        assert len(list((version.store.root / "shards").glob("*.jsonl"))) == 1

    def test_one_by_one(self, version: DatasetVersion) -> None:
        """
        Frames that come one by one end up in few shards.
        """
        for n in range(40):
            version.add_frames([frame(f"{n:02}", timestamp=n)])

        assert [shard.frames for shard in version.manifest.shards] == [32, 8]
        version.commit()
        assert [shard.frames for shard in version.manifest.shards] == [40]
        assert ids(version) == [f"{n:02}" for n in range(40)]
        assert len(list((version.store.root / "shards").glob("*.jsonl"))) == 1

    def test_unknown_keys_survive(self, version: DatasetVersion) -> None:
        """
        What framekit has no field for is stored too.
        """
        known = frame("a", saved=1598982880693, x={"y": [1, None]})
        version.add_frames([known])

        assert version.get_single_frame("a").to_dict() == known

    def test_wild_spelling(self, version: DatasetVersion) -> None:
        """
        Spellings that are read as meant are stored canonically.
        """
        version.add_frames([frame("a", rois=[{"labels": ["car"]}])])

        (found,) = version.frames.scan()

        assert found.value["rois"] == [{"label": ["car"]}]

    def test_seen_by_others(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        A change is made to what is on disk, not to what was read before.
        """
        other = dataset.get_version("v1")
        version.add_frames([frame("a")])
        other.add_frames([frame("b")])
        version.refresh()

        assert ids(version) == ["a", "b"]


class TestUpdateFrames:
    def test_merge(self, version: DatasetVersion) -> None:
        """
        Objects are merged key by key; other values are replaced.
        """
        version.add_frames([labeled("a", "car", meta={"x": 1, "y": {"z": 2}})])

        problems = version.update_frames(
            [{"id": "a", "meta": {"y": {"w": 3}}, "timestamp": 5}]
        )

        assert problems == []
        assert version.get_single_frame("a").to_dict() == labeled(
            "a", "car", meta={"x": 1, "y": {"z": 2, "w": 3}}, timestamp=5
        )

    def test_object(self, version: DatasetVersion) -> None:
        """
        A SingleFrame changes what it has, and does not take sources away.
        """
        version.add_frames([labeled("a", "car")])

        version.update_frames([fk.SingleFrame(id="a", metadata={"x": 1})])

        assert version.get_single_frame("a").to_dict() == labeled(
            "a", "car", meta={"x": 1}
        )

    def test_without_fields(self, version: DatasetVersion) -> None:
        """
        Keys can be taken away.
        """
        version.add_frames([labeled("a", "car", meta={"x": 1, "y": 2})])

        version.update_frames([{"id": "a"}], without_fields=["rois", "metadata.x"])

        assert version.get_single_frame("a").to_dict() == frame("a", meta={"y": 2})

    @pytest.mark.parametrize("fields", [["id"], ["sources"], [""], "rois", [3]])
    def test_bad_fields(self, version: DatasetVersion, fields: Any) -> None:
        """
        What a frame cannot be without is not taken away.
        """
        with pytest.raises(ArgumentError):
            version.update_frames([{"id": "a"}], without_fields=fields)

    def test_problems(self, version: DatasetVersion) -> None:
        """
        A frame that is not there, or would be none, is told; the rest is updated.
        """
        version.add_frames([frame("a"), frame("b")])

        problems = version.update_frames(
            [
                {"id": "nope"},
                {"id": "a", "sources": 3},
                {"meta": {}},
                {"id": "b", "timestamp": 7},
            ]
        )

        assert [(one.document, one.at, one.code) for one in problems] == [
            ("frames[0]", "$.id", "unknown-frame-id"),
            ("frames[1]", "$.sources", "wrong-type"),
            ("frames[2]", "$.id", "missing-key"),
        ]
        assert [one.timestamp for one in version] == [0, 7]


class TestDeleteFrames:
    def test_delete(self, version: DatasetVersion) -> None:
        """
        Frames are deleted by id or as frames; unknown ones are told.
        """
        version.add_frames([frame("a"), frame("b"), frame("c")])

        problems = version.delete_frames(["a", frame("b"), "nope"])

        assert [(one.document, one.code) for one in problems] == [
            ("frames[2]", "unknown-frame-id")
        ]
        assert ids(version) == ["c"]

    def test_twice(self, version: DatasetVersion) -> None:
        """
        What is deleted is there no longer, for deleting too.
        """
        version.add_frames([frame("a")])
        version.delete_frames(["a"])

        assert [one.code for one in version.delete_frames(["a"])] == [
            "unknown-frame-id"
        ]

    def test_add_again(self, version: DatasetVersion) -> None:
        """
        A frame that was deleted can be added again.
        """
        version.add_frames([frame("a")])
        version.delete_frames(["a"])
        version.add_frames([frame("a", meta={"n": 2})])

        assert version.manifest.deleted == ()
        assert [one.metadata for one in version] == [{"n": 2}]

    def test_of_the_parent(self, dataset: Dataset, version: DatasetVersion) -> None:
        """
        A child leaves its parent as it is, through any number of generations.
        """
        version.add_frames([frame("a"), frame("b"), frame("c")])
        version.publish()
        child = dataset.create_version("v2", parent=version)
        child.delete_frames(["a"])
        child.update_frames([{"id": "b", "meta": {"n": 1}}])
        child.publish()
        grandchild = dataset.create_version("v3", parent="v2")
        grandchild.add_frames([frame("a", meta={"n": 3})])
        grandchild.delete_frames(["c"])
        grandchild.commit()

        assert ids(version) == ["a", "b", "c"]
        assert ids(child) == ["c", "b"] or ids(child) == ["b", "c"]
        assert {one.id: one.metadata for one in grandchild} == {
            "a": {"n": 3},
            "b": {"n": 1},
        }
        assert grandchild.manifest.deleted == ("c",)
