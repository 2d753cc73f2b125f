"""
What differs between two versions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framekit.dataset.dataset import Dataset
from framekit.dataset.mask_label_diff import MaskLabelChange
from framekit.dataset.shard_files import ShardFiles
from framekit.dataset.version_diff import (
    Diff,
    FrameChange,
    LabelChange,
    changed_keys,
    diff,
)
from framekit.errors import ArgumentError

SAMPLES = Path(__file__).parents[1] / "samples"


def frame(id: str, *labels: str, **more: Any) -> dict[str, Any]:
    """
    A frame with one ROI for each label.
    """
    return {
        "id": id,
        "sources": [{"id": "s", "uri": f"{id}.png"}],
        "rois": [{"label": [label]} for label in labels],
        **more,
    }


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """
    A dataset with a published version of frames a, b and c.
    """
    made = Dataset.create(tmp_path / "cars")
    version = made.create_version("v1")
    version.add_frames(
        [frame("a", "car"), frame("b", "car", "road"), frame("c", "person")]
    )
    version.set_masks_labels({(1, 1, 1): ["car"], (2, 2, 2): ["road"]})
    version.set_metadata({"fps": 30})
    version.publish()
    return made


class TestDiff:
    def test_all(self, dataset: Dataset) -> None:
        """
        Frames, labels, mask labels and metadata that differ are told.
        """
        child = dataset.create_version("v2", "v1")
        child.delete_frames(["a"])
        child.update_frames([frame("b", "car", "sky", meta={"x": 1})])
        child.add_frames([frame("d", "car"), frame("0", "sky")])
        child.set_masks_labels({(1, 1, 1): ["bus"], (3, 3, 3): ["sky"]})
        child.set_metadata({"fps": 25})

        found = diff(dataset.get_version("v1"), child)

        assert found == Diff(
            added=("0", "d"),
            removed=("a",),
            changed=(FrameChange("b", ("$.rois[1].label[0]", "$.meta")),),
            labels={
                "car": LabelChange(1, 1),
                "road": LabelChange(1, 0),
                "sky": LabelChange(0, 2),
            },
            mask_labels=(
                MaskLabelChange("_all_", (1, 1, 1), ("car",), ("bus",)),
                MaskLabelChange("_all_", (2, 2, 2), ("road",), None),
                MaskLabelChange("_all_", (3, 3, 3), None, ("sky",)),
            ),
            metadata=("$.fps",),
            unchanged=1,
        )
        assert found
        assert json.loads(json.dumps(found.to_dict()))["same"] is False

    def test_same(self, dataset: Dataset) -> None:
        """
        A child that nothing was done to is the same.
        """
        found = diff(dataset.get_version("v1"), dataset.create_version("v2", "v1"))

        assert not found
        assert found.unchanged == 3

    def test_back_and_forth(self, dataset: Dataset) -> None:
        """
        What was changed and changed back is the same, wherever it is stored.
        """
        child = dataset.create_version("v2", "v1")
        child.delete_frames(["a"])
        child.update_frames([frame("b", "x")])
        child.commit()
        child.add_frames([frame("a", "car"), frame("b", "car", "road")])

        found = diff(dataset.get_version("v1"), child)

        assert not found
        assert found.unchanged == 3

    def test_shared_shards_are_not_read(
        self, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Of shards that both versions have only the frames that differ are read.
        """
        child = dataset.create_version("v2", "v1")
        child.delete_frames(["a"])
        read = []
        line = ShardFiles.line

        def counted(self: ShardFiles, shard: Any, number: int) -> bytes:
            read.append(number)
            return line(self, shard, number)

        monkeypatch.setattr(ShardFiles, "line", counted)
        monkeypatch.setattr(ShardFiles, "lines", None)

        found = diff(
            Dataset.open(dataset.path).get_version("v1"),
            Dataset.open(dataset.path).get_version("v2"),
        )

        assert found.removed == ("a",)
        assert len(read) == 1

    def test_other_dataset(self, dataset: Dataset, tmp_path: Path) -> None:
        """
        Versions of two datasets are compared by the ids of their frames.
        """
        other = Dataset.create(tmp_path / "other", compression="gz")
        version = other.create_version("x")
        version.add_frames([frame("c", "person"), frame("b", "car")])

        found = diff(dataset, other)

        assert (found.added, found.removed) == ((), ("a",))
        assert found.changed == (FrameChange("b", ("$.rois",)),)
        assert found.unchanged == 1

    def test_frames_folder(self, tmp_path: Path) -> None:
        """
        A frames folder is compared like a version of itself.
        """
        dataset = Dataset.create(tmp_path)
        dataset.import_folder(SAMPLES / "crossing", media="keep")

        found = diff(SAMPLES / "crossing", tmp_path)

        assert not found
        assert found.unchanged == 24

    def test_frames_that_cannot_be_read(self, tmp_path: Path) -> None:
        """
        A line that is no frame is a problem of the comparison.
        """
        path = tmp_path / "frames.jsonl"
        path.write_text(json.dumps(frame("a")) + "\n{\n")

        found = diff(path, [frame("a"), frame("b")])

        assert found.added == ("b",)
        assert [one.code for one in found.problems] == ["invalid-json"]

    def test_nothing_of_the_kind(self) -> None:
        """
        What are no frames is refused.
        """
        with pytest.raises(ArgumentError):
            diff(3, 4)


class TestChangedKeys:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ({"a": 1}, {"a": 1}, []),
            ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
            ({"a": 1}, {"a": 2}, ["$.a"]),
            ({"a": 1}, {"a": True}, ["$.a"]),
            ({"a": 1}, {"a": 1.0}, []),
            ({"a": None}, {}, []),
            ({"a b": 1}, {}, ['$["a b"]']),
            ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, ["$.a.b", "$.a.c"]),
            ({"a": [1, 2]}, {"a": [1, 3]}, ["$.a[1]"]),
            ({"a": [1, 2]}, {"a": [1]}, ["$.a"]),
            ({"a": [1]}, {"a": {"b": 1}}, ["$.a"]),
        ],
    )
    def test_paths(self, before: Any, after: Any, expected: list[str]) -> None:
        """
        The paths are those of the values that differ; null is the same as absent.
        """
        assert list(changed_keys(before, after)) == expected


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "update", "delete", "commit", "child"]),
            st.lists(st.sampled_from("abcdefgh"), max_size=4, unique=True),
            st.integers(0, 2),
        ),
        max_size=10,
    )
)
def test_versions_are_what_a_dictionary_is(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    """
    After any steps a version holds what a dictionary would, and diff says so.
    """
    dataset = Dataset.create(tmp_path_factory.mktemp("d"))
    version = dataset.create_version("0")
    expected: dict[str, Any] = {}
    parent: tuple[Any, dict[str, Any]] | None = None
    for number, (step, ids, value) in enumerate(steps):
        if step == "add":
            frames = {id: frame(id, timestamp=value) for id in ids}
            assert version.add_frames(frames.values()) == []
            expected |= frames
        elif step == "update":
            problems = version.update_frames(
                [{"id": id, "meta": {str(value): number}} for id in ids]
            )
            known = [id for id in ids if id in expected]
            assert len(problems) == len(ids) - len(known)
            for id in known:
                meta = {**expected[id].get("meta", {}), str(value): number}
                expected[id] = {**expected[id], "meta": meta}
        elif step == "delete":
            version.delete_frames(ids)
            expected = {id: one for id, one in expected.items() if id not in ids}
        elif step == "commit":
            version.commit()
        else:
            version.publish()
            parent = (version, dict(expected))
            version = dataset.create_version(str(number + 1), version)
    found = Dataset.open(dataset.path).get_version(version.name)

    assert {one.id: one.to_dict() for one in found} == {
        id: {k: v for k, v in one.items() if k != "rois" or v}
        | ({"rois": []} if one.get("rois") == [] else {})
        for id, one in expected.items()
    }
    assert len(found) == len(expected)
    keys = [one.timestamp or 0 for one in found.query()]
    assert len(keys) == len(expected)
    if parent is not None:
        told = diff(parent[0], found)
        before = parent[1]
        assert set(told.added) == expected.keys() - before.keys()
        assert set(told.removed) == before.keys() - expected.keys()
        assert {one.id for one in told.changed} == {
            id for id in expected.keys() & before.keys() if expected[id] != before[id]
        }
