"""
Datasets and the states of their versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import framekit as fk
from framekit.dataset.dataset import Dataset
from framekit.dataset.version import DatasetVersion
from framekit.errors import (
    ArgumentError,
    MissingFileError,
    ReadOnlyError,
    StorageError,
)
from framekit.schema import check


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


class TestDataset:
    def test_layout(self, version: DatasetVersion) -> None:
        """
        The folder holds the dataset's document, manifests, and shards by hash.
        """
        version.add_frames([frame("a")])
        (shard,) = version.manifest.shards
        root = version.store.root

        found = sorted(
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_file() and path.suffix != ".index"
        )

        assert found == ["dataset.json", shard.file, "versions/v1.json", "writer.lock"]
        assert shard.file == f"shards/{shard.blake2b}.jsonl"
        assert json.loads((root / shard.file).read_bytes()) == frame("a")

    def test_documents_follow_their_schemas(self, version: DatasetVersion) -> None:
        """
        What is written is what the schemas say.
        """
        version.add_frames([frame("a"), frame("b")])
        version.delete_frames(["b"])
        version.set_masks_labels({(1, 2, 3): ["car"]})
        version.publish()
        root = version.store.root
        of_dataset = json.loads((root / "dataset.json").read_bytes())
        of_version = json.loads((root / "versions/v1.json").read_bytes())

        assert list(check(of_dataset, "dataset")) == []
        assert list(check(of_version, "dataset-version")) == []

    def test_open(self, dataset: Dataset) -> None:
        """
        What was created is there when it is opened.
        """
        opened = Dataset.open(dataset.path)

        assert (opened.name, opened.tags, opened.metadata) == ("Cars", (), {})

    def test_facts(self, tmp_path: Path) -> None:
        """
        Comment, tags and metadata are kept.
        """
        Dataset.create(
            tmp_path, comment="all", tags=["night"], metadata={"city": "Ulm"}
        )

        opened = Dataset.open(tmp_path)

        assert (opened.comment, opened.tags) == ("all", ("night",))
        assert opened.metadata == {"city": "Ulm"}

    def test_twice(self, dataset: Dataset) -> None:
        """
        A dataset is not created over another.
        """
        with pytest.raises(ArgumentError, match="is a dataset already"):
            Dataset.create(dataset.path)

    def test_no_dataset(self, tmp_path: Path) -> None:
        """
        A folder without a dataset.json is none.
        """
        with pytest.raises(MissingFileError):
            Dataset.open(tmp_path)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 3}', '{"name":"a"'])
    def test_broken_document(self, dataset: Dataset, text: str) -> None:
        """
        A dataset.json that is none is named.
        """
        (dataset.path / "dataset.json").write_text(text)

        with pytest.raises(StorageError, match=r"dataset\.json"):
            Dataset.open(dataset.path)

    def test_versions_are_listed(self, dataset: Dataset) -> None:
        """
        Versions come in the order in which they were made.
        """
        for name in ("b", "a", "c"):
            dataset.create_version(name)

        assert dataset.version_names == ["a", "b", "c"]
        assert [one.name for one in dataset.versions] == ["b", "a", "c"]

    def test_default_version(self, dataset: Dataset) -> None:
        """
        The newest published version is the one that is meant, else the newest.
        """
        first = dataset.create_version("a")
        dataset.create_version("b")

        assert dataset.get_version().name == "b"

        first.publish()

        assert dataset.get_version().name == "a"

    @pytest.mark.parametrize("name", ["nope", "../dataset", "a/b"])
    def test_no_such_version(self, dataset: Dataset, name: str) -> None:
        """
        A version that is not there is refused with those that are.
        """
        dataset.create_version("v1")

        with pytest.raises(ArgumentError, match="there are: v1"):
            dataset.get_version(name)

    @pytest.mark.parametrize(
        "name", ["a/b", "..", ".x", 'x:y*?"<>|', "100 %", "é", "a.json", "end."]
    )
    def test_any_name(self, dataset: Dataset, name: str) -> None:
        """
        A name is any text, also such as no file can be called.
        """
        dataset.create_version(name).add_frames([frame("a")])

        again = Dataset.open(dataset.path)

        assert again.version_names == [name]
        assert ids(again.get_version(name)) == ["a"]
        assert len(list((dataset.path / "versions").iterdir())) == 1

    @pytest.mark.parametrize("name", ["", "x" * 201, 3, None])
    def test_bad_name(self, dataset: Dataset, name: Any) -> None:
        """
        What is no name is refused.
        """
        with pytest.raises(ArgumentError):
            dataset.create_version(name)

    def test_name_taken(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        Two versions do not have one name.
        """
        with pytest.raises(ArgumentError, match="already"):
            dataset.create_version(version.name)

    def test_delete_version(self, dataset: Dataset) -> None:
        """
        A version is deleted with the shards that only it has.
        """
        first = dataset.create_version("v1")
        first.add_frames([frame("a")])
        first.publish()
        dataset.create_version("v2", parent="v1").add_frames([frame("b")])

        with pytest.raises(ArgumentError, match="has children: v2"):
            dataset.delete_version("v1", force=True)
        dataset.delete_version("v2")
        with pytest.raises(ArgumentError, match="is published"):
            dataset.delete_version("v1")

        assert len(list((dataset.path / "shards").glob("*.jsonl"))) == 1
        assert ids(dataset.get_version("v1")) == ["a"]


class TestStates:
    def test_commit(self, version: DatasetVersion) -> None:
        """
        A commit is a state of its own, which the next change ends.
        """
        version.add_frames([frame("a"), frame("b")])
        version.delete_frames(["a"])

        version.commit()

        assert version.status == "committed"
        assert version.committed is not None
        assert version.manifest.deleted == ()
        assert [shard.frames for shard in version.manifest.shards] == [1]
        version.add_frames([frame("c")])
        version.refresh()
        assert version.manifest.status == "draft"
        assert version.manifest.committed is None

    def test_read_only(self, version: DatasetVersion) -> None:
        """
        Nothing of a published version can be changed.
        """
        version.publish()
        before = version.manifest
        error = ReadOnlyError("v1")

        for change in (
            lambda: version.add_frames([frame("a")]),
            lambda: version.update_frames([{"id": "a"}]),
            lambda: version.delete_frames(["a"]),
            version.commit,
            version.publish,
            version.create_snapshot,
            lambda: version.set_metadata({}),
            lambda: version.set_tags([]),
            lambda: version.set_comment("x"),
            lambda: version.set_masks_labels({}),
        ):
            with pytest.raises(ReadOnlyError) as caught:
                change()
            assert caught.value == error
        version.refresh()
        assert version.manifest == before

    def test_child_of_a_draft(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        Only a published version has children.
        """
        with pytest.raises(ArgumentError, match="is draft; publish it first"):
            dataset.create_version("v2", parent=version)

    def test_child_takes_over(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        A child has its parent's frames, mask labels and metadata.
        """
        version.add_frames([frame("a")])
        version.set_masks_labels({(0, 0, 0): ["void"]})
        version.set_metadata({"fps": 30})
        version.publish()

        child = dataset.create_version("v2", parent="v1")

        assert ids(child) == ["a"]
        assert child.get_masks_labels() == {(0, 0, 0): ["void"]}
        assert child.metadata == {"fps": 30}
        assert (child.parent, child.status) == ("v1", "draft")
        assert child.manifest.shards == ()

    def test_snapshot(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        A snapshot is published under its own name, and the work goes on.
        """
        version.add_frames([frame("a")])

        child = version.create_snapshot("release 1")
        child.add_frames([frame("b")])

        assert (version.name, version.status) == ("release 1", "published")
        assert (child.name, child.parent) == ("v1", "release 1")
        assert dataset.version_names == ["release 1", "v1"]
        assert ids(dataset.get_version("release 1")) == ["a"]
        assert ids(dataset.get_version("v1")) == ["a", "b"]

    def test_snapshot_with_names(
        self, version: DatasetVersion, dataset: Dataset
    ) -> None:
        """
        Both names can be chosen; neither may be taken.
        """
        dataset.create_version("taken")
        with pytest.raises(ArgumentError, match="'taken'"):
            version.create_snapshot("taken")
        with pytest.raises(ArgumentError, match="another name"):
            version.create_snapshot("x", "x")

        version.create_snapshot("one", "two")

        assert dataset.version_names == ["one", "taken", "two"]

    def test_snapshot_name(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        Without a name a snapshot is called by its time, as ClearML's are.
        """
        version.create_snapshot()

        assert dataset.version_names[0].startswith("snapshot 20")


class TestFacts:
    def test_set(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        Metadata, tags and comment are kept in the manifest.
        """
        version.set_metadata({"city": "Ulm", "sensor": {"fov": 120}})
        version.set_tags(["night", "rain", "night"])
        version.set_comment("first")

        found = dataset.get_version("v1")

        assert found.metadata == {"city": "Ulm", "sensor": {"fov": 120}}
        assert (found.tags, found.comment) == (("night", "rain"), "first")

    @pytest.mark.parametrize(
        "metadata", [{"a.b": 1}, {"$x": 1}, {"a": [{"b.c": 1}]}, [1], {1: 2}]
    )
    def test_bad_metadata(self, version: DatasetVersion, metadata: Any) -> None:
        """
        Keys have no ``$`` and no ``.``, at any depth.
        """
        with pytest.raises(ArgumentError):
            version.set_metadata(metadata)

    def test_mask_labels(self, version: DatasetVersion) -> None:
        """
        Labels of colors are stated as in ClearML; a Palette takes the version.
        """
        version.set_masks_labels({(1, 1, 1): ["person", "sitting"], "#000000": ["bg"]})
        version.set_masks_labels({(2, 2, 2): ["car"]}, mask="seg")

        assert version.get_masks_labels() == {
            (1, 1, 1): ["person", "sitting"],
            (0, 0, 0): ["bg"],
        }
        assert version.get_masks_labels("seg") == {(2, 2, 2): ["car"]}
        assert version.labeled_masks == ["_all_", "seg"]
        assert version.manifest.mask_labels["seg"] == [
            {"value": [2, 2, 2], "labels": ["car"]}
        ]
        version.set_masks_labels({})
        assert version.labeled_masks == ["seg"]

    @pytest.mark.parametrize(
        "colors", [{(1, 2): ["a"]}, {(1, 2, 300): ["a"]}, {(1, 2, 3): "car"}, [1]]
    )
    def test_bad_mask_labels(self, version: DatasetVersion, colors: Any) -> None:
        """
        What are no colors, or no labels, is refused.
        """
        with pytest.raises(ArgumentError):
            version.set_masks_labels(colors)

    def test_palette(self, version: DatasetVersion) -> None:
        """
        A frame's palette can be made from its version.
        """
        one = fk.SingleFrame(source="a.png", mask_source="m.png")
        version.set_masks_labels({(1, 1, 1): ["person"]})

        palette = fk.Palette.from_frame(one, version=version)

        assert [(entry.color, entry.labels) for entry in palette] == [
            ((1, 1, 1), ("person",))
        ]
