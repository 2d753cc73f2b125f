"""
Damaged input of every kind, for a few seconds each, and what that has found.

Images have `test_fuzz_images.py`.
"""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from framekit.dataset import Dataset
from framekit.errors import FramekitError, StorageError
from framekit.formats import Item, read, write
from framekit.frame import SingleFrame
from framekit.problem import Problem
from framekit.validation import validate
from tests import fuzz_datasets, fuzz_formats, fuzz_json, fuzz_palettes, fuzz_videos
from tests.formats_cases import codes, collection, item, with_picture
from tests.fuzz_harness import HungError, damaged, fuzz, strange

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
class TestFuzz:
    @pytest.mark.parametrize(
        ("module", "outcomes"),
        [
            (fuzz_json, {"read", "no frame", "no JSON"}),
            (fuzz_palettes, {"read", "refused"}),
            (fuzz_datasets, {"same", "refused"}),
            (fuzz_formats, {"read", "problems", "refused"}),
        ],
        ids=["json", "palettes", "datasets", "formats"],
    )
    def test_damaged(self, module: Any, outcomes: set[str]) -> None:
        """
        Damaged documents are read rightly, or framekit says what is wrong.
        """
        found = module.harness(10, 1)

        assert found.failures == {}
        assert outcomes <= set(found.outcomes)
        assert sum(found.outcomes.values()) > 50

    def test_videos(self, tmp_path: Path) -> None:
        """
        So are damaged videos, in a process that only they could take along.
        """
        made = subprocess.run(
            [sys.executable, "-m", "tests.fuzz_videos", "12", "1"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"},
            timeout=120,
            capture_output=True,
            text=True,
            check=False,
        )

        assert made.returncode == 0, made.stdout + made.stderr
        assert all(f"'{word}'" in made.stdout for word in ("read", "partly", "refused"))


class TestHarness:
    def test_sound(self) -> None:
        """
        What is not damaged is read.
        """
        for name, data in fuzz_videos.seeds().items():
            assert fuzz_videos.attempt(fuzz_videos.Case(name, data, "raise")) == "read"

    def test_sound_palettes(self, tmp_path: Path) -> None:
        """
        So are palettes of each format.
        """
        for name, data in fuzz_palettes.seeds().items():
            case = fuzz_palettes.Case(name, data, None)
            assert fuzz_palettes.attempt(case, tmp_path) == "read"

    def test_failures_are_seen(self) -> None:
        """
        A foreign error, a wrong result and a case that hangs are failures.
        """

        def attempt(case: int) -> str:
            if case == 0:
                raise KeyError("foreign")
            if case == 1:
                raise AssertionError("wrong")
            if case == 2:
                raise HungError
            if case == 3:
                warnings.warn("foreign", UserWarning, stacklevel=1)
            if case == 4:
                raise FramekitError
            return "fine"

        found = fuzz(lambda rng: rng.randrange(6), attempt, 0.2, 1)

        assert set(found.outcomes) == {"failed", "refused", "fine"}
        assert {what.partition(" ")[0] for what in found.failures} == {
            "KeyError",
            "AssertionError",
            "HungError",
            "UserWarning",
        }
        assert sorted(found.failures.values()) == [0, 1, 2, 3]

    def test_reproducible(self) -> None:
        """
        A seed makes the same cases again.
        """
        one, two = random.Random(3), random.Random(3)  # noqa: S311 - no secret

        assert [damaged(b"abc" * 9, b"xyz", one) for _ in range(50)] == [
            damaged(b"abc" * 9, b"xyz", two) for _ in range(50)
        ]
        value = {"a": [1, {"b": 2}]}
        assert [strange(value, one) for _ in range(50)] == [
            strange(value, two) for _ in range(50)
        ]
        assert value == {"a": [1, {"b": 2}]}


class TestFound:
    @pytest.mark.parametrize("value", [[], {}, 7, "rar"])
    def test_compression_of_any_type(self, tmp_path: Path, value: Any) -> None:
        """
        A dataset whose compression is no word is refused.
        """
        Dataset.create(tmp_path / "cars")
        file = tmp_path / "cars" / "dataset.json"
        document = json.loads(file.read_text()) | {"compression": value}
        file.write_text(json.dumps(document))

        with pytest.raises(StorageError, match="compression: expected None"):
            Dataset.open(tmp_path / "cars")

    def test_deleted_twice(self, tmp_path: Path) -> None:
        """
        A manifest that names a deleted frame twice takes one more.
        """
        path = fuzz_datasets.build(tmp_path, None)
        file = path / "versions" / "v2.json"
        document = json.loads(file.read_text()) | {"deleted": ["f5", "f6", "f6"]}
        file.write_text(json.dumps(document))
        version = Dataset.open(path).get_version("v2")
        before = {frame.id for frame in version}

        assert version.delete_frames(["f1"]) == []

        again = Dataset.open(path).get_version("v2")
        assert {frame.id for frame in again} == before - {"f1"}

    @pytest.mark.parametrize("damage", ["method", "deflated"])
    def test_npz(self, tmp_path: Path, damage: str) -> None:
        """
        Arrays that cannot be unpacked are a problem, and their file is closed.
        """
        write(collection(item("one"), item("two")), tmp_path / "npz", "panoptic-npz")
        path = tmp_path / "npz" / "one.npz"
        data = bytearray(path.read_bytes())
        if damage == "method":
            for sign, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
                start = data.index(sign) + place
                data[start : start + 2] = b"\x63\0"
        else:
            with zipfile.ZipFile(path) as archive:
                start = archive.infolist()[0].header_offset + 60
            data[start : start + 20] = b"\xff" * 20
        path.write_bytes(data)

        found = list(read(tmp_path / "npz", "panoptic-npz"))

        gc.collect()  # An unclosed file would be a warning, hence an error.
        assert codes(found) == ["not-converted"]
        assert [one.name for one in found if isinstance(one, Item)] == ["two"]

    @pytest.mark.parametrize("name", ["a" * 300, "\0", "../x", "a/" * 3000])
    def test_names_no_file_can_have(self, tmp_path: Path, name: str) -> None:
        """
        A picture that cannot be there is not, and a mask a problem.
        """
        one = with_picture(item("one"), tmp_path)
        write(collection(one), tmp_path / "coco", "coco-panoptic")
        (file,) = (tmp_path / "coco").rglob("*.json")
        document = json.loads(file.read_text())
        images = json.loads(file.read_text())
        images["images"][0]["file_name"] = name
        file.write_text(json.dumps(images))
        (found,) = read(tmp_path / "coco", "coco-panoptic")
        assert isinstance(found, Item)
        assert found.picture is not None
        assert not found.picture.exists

        document["annotations"][0]["file_name"] = name
        file.write_text(json.dumps(document))
        (found,) = read(tmp_path / "coco", "coco-panoptic")
        assert isinstance(found, Problem)
        assert "no such file" in found.message

    def test_whole_numbers_beyond_integers(self) -> None:
        """
        A time of 1e300 ms is legal, and writing it is refused by name.
        """
        source = {"id": "front", "uri": "a.png", "timestamp": 1e300}
        frame = {"id": "a", "sources": [source], "timestamp": 0}
        assert Counter(validate([frame]).counts) == Counter()

        read_frame = SingleFrame.from_dict(frame)

        assert read_frame.to_dict() == frame
        with pytest.raises(FramekitError, match="64-bit"):
            read_frame.to_json()
