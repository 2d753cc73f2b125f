"""
The files of a dataset: compressed, damaged, lost.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import framekit as fk
from framekit.dataset.dataset import Dataset
from framekit.dataset.version import DatasetVersion
from framekit.errors import (
    MissingFileError,
    StorageError,
)


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


@pytest.mark.parametrize("compression", [None, "gz", "zst"])
class TestCompression:
    def test_round_trip(self, tmp_path: Path, compression: Any) -> None:
        """
        Compressed shards hold the same lines under the same hash.
        """
        if compression == "zst":
            pytest.importorskip("zstandard")
        dataset = Dataset.create(tmp_path, compression=compression)
        version = dataset.create_version("v1")
        version.add_frames(frame(f"{n:03}", timestamp=n) for n in range(100))
        version.delete_frames(["050"])

        found = Dataset.open(tmp_path).get_version("v1")
        (shard,) = found.manifest.shards

        assert shard.file.endswith(f".jsonl{'.' + compression if compression else ''}")
        assert len(found) == 99
        assert found.get_single_frame("070").timestamp == 70
        if compression == "gz":
            lines = gzip.decompress((tmp_path / shard.file).read_bytes())
            assert len(lines.splitlines()) == 100

    def test_damage(self, tmp_path: Path, compression: Any) -> None:
        """
        A flipped byte anywhere in a shard is found, and the shard named.
        """
        if compression == "zst":
            pytest.importorskip("zstandard")
        version = Dataset.create(tmp_path, compression=compression).create_version("v1")
        version.add_frames(frame(f"{n:03}", timestamp=n) for n in range(10))
        (shard,) = version.manifest.shards
        path = tmp_path / shard.file
        sound = path.read_bytes()
        harmless = set(range(4, 10)) if compression == "gz" else set()

        for position in sorted(set(range(0, len(sound), 7)) - harmless):
            damaged = bytearray(sound)
            damaged[position] ^= 0x10
            path.write_bytes(damaged)
            found = Dataset.open(tmp_path).get_version("v1")
            with pytest.raises(StorageError) as caught:
                found.get_single_frame("005")
            assert shard.blake2b in caught.value.uri
            with pytest.raises(StorageError, match="damaged"):
                list(found)


def test_zst_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the extra the error says how to get it.
    """
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)

    with pytest.raises(fk.errors.MissingExtraError, match=r"framekit\[zstd\]"):
        Dataset.create(tmp_path, compression="zst")


class TestDamage:
    def test_after_it_was_checked(
        self, version: DatasetVersion, dataset: Dataset
    ) -> None:
        """
        A file that changes while it is in use is found out too.
        """
        version.add_frames(frame(name) for name in "abc")
        found = dataset.get_version("v1")
        assert found.get_single_frame("b").id == "b"
        path = dataset.path / version.manifest.shards[0].file
        before = path.stat()
        path.write_bytes(path.read_bytes().replace(b"b.png", b"x.png"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

        with pytest.raises(StorageError, match="damaged: line 2"):
            found.get_single_frame("b")

    def test_lost_index(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        An index that is lost or damaged is made again.
        """
        version.add_frames(frame(name) for name in "abc")
        (index,) = (dataset.path / "shards").glob("*.index")

        for broken in (b"", b"x" * 300, index.read_bytes()[:-1]):
            index.write_bytes(broken)
            found = Dataset.open(dataset.path).get_version("v1")
            assert found.get_single_frame("b").id == "b"
        index.unlink()
        assert len(Dataset.open(dataset.path).get_version("v1")) == 3
        assert index.exists()

    def test_lost_shard(self, version: DatasetVersion, dataset: Dataset) -> None:
        """
        A shard that is missing is named.
        """
        version.add_frames([frame("a")])
        (shard,) = version.manifest.shards
        (dataset.path / shard.file).unlink()

        with pytest.raises(MissingFileError, match=shard.blake2b):
            list(Dataset.open(dataset.path).get_version("v1"))

    def test_damage_is_not_published(
        self, version: DatasetVersion, dataset: Dataset
    ) -> None:
        """
        A damaged shard stops a commit.
        """
        version.add_frames(frame(name) for name in "abc")
        (shard,) = version.manifest.shards
        path = dataset.path / shard.file
        path.write_bytes(path.read_bytes().replace(b'"b"', b'"x"'))

        with pytest.raises(StorageError, match="damaged"):
            version.publish()

        assert dataset.get_version("v1").status == "draft"

    def test_damage_is_mended_by_adding_again(
        self, version: DatasetVersion, dataset: Dataset
    ) -> None:
        """
        A shard that is written again replaces its damaged file.
        """
        version.add_frames(frame(name) for name in "abc")
        (shard,) = version.manifest.shards
        path = dataset.path / shard.file
        path.write_bytes(path.read_bytes()[:-5])

        other = Dataset.open(dataset.path).create_version("v2")
        other.add_frames(frame(name) for name in "abc")

        assert ids(dataset.get_version("v1")) == ["a", "b", "c"]

    @pytest.mark.parametrize(
        "shards",
        [
            3,
            [{"file": "../../etc/passwd", "frames": 1, "blake2b": "a" * 64}],
            [{"file": f"shards/{'a' * 64}.jsonl", "frames": 1, "blake2b": "b" * 64}],
            [{"file": f"shards/{'a' * 64}.jsonl", "frames": -1, "blake2b": "a" * 64}],
            [{"file": f"shards/{'a' * 64}.jsonl"}],
        ],
    )
    def test_bad_manifest(
        self, version: DatasetVersion, dataset: Dataset, shards: Any
    ) -> None:
        """
        A manifest leads to no file but the dataset's own shards.
        """
        path = dataset.path / "versions/v1.json"
        path.write_text(json.dumps({"name": "v1", "shards": shards}))

        with pytest.raises(StorageError, match=r"v1\.json: no manifest"):
            dataset.get_version(version.name)

    @pytest.mark.parametrize(
        "line",
        [
            b"{",
            b"3",
            b'{"id":3}',
            b'{"id":""}',
            b'{"id":"a","id":"a"}',
            b'{"sources":[]}',
        ],
    )
    def test_foreign_shard(
        self, version: DatasetVersion, dataset: Dataset, line: bytes
    ) -> None:
        """
        A shard with a sound hash that holds no frames is named, with the line.
        """
        from hashlib import blake2b

        data = b'{"id":"x","sources":[]}\n' + line + b"\n"
        name = blake2b(data, digest_size=32).hexdigest()
        file = f"shards/{name}.jsonl"
        (dataset.path / file).write_bytes(data)
        shard = {"file": file, "frames": 2, "blake2b": name}
        path = dataset.path / "versions/v1.json"
        manifest = {"name": version.name, "status": "draft", "shards": [shard]}
        path.write_text(json.dumps(manifest))

        with pytest.raises(StorageError, match=f"{name}.jsonl:2"):
            list(dataset.get_version("v1"))

    def test_circle(self, dataset: Dataset) -> None:
        """
        A version that descends from itself is refused.
        """
        for name, parent in (("a", "b"), ("b", "a")):
            path = dataset.path / "versions" / f"{name}.json"
            manifest = {"name": name, "parent": parent, "status": "draft", "shards": []}
            path.write_text(json.dumps(manifest))

        with pytest.raises(StorageError, match="descends from itself"):
            len(dataset.get_version("a"))

    @pytest.mark.parametrize("key", ["status", "shards"])
    def test_misspelled_key(
        self, version: DatasetVersion, dataset: Dataset, key: str
    ) -> None:
        """
        A manifest that lost its status or its shards is refused, not made up for.
        """
        path = dataset.path / "versions/v1.json"
        manifest = json.loads(path.read_bytes())
        manifest[key + "s"] = manifest.pop(key)
        path.write_text(json.dumps(manifest))

        with pytest.raises(StorageError, match=f"the key '{key}' is missing"):
            dataset.get_version(version.name)
