"""
The real client registers a version and reads it back, from a server on loopback.

What its own classes drop on the way is listed here as data; skipped where the client
is not installed.
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framekit as fk
from framekit.dataset import Dataset
from framekit.storage import Storage
from tests.clearml_server import ClearmlServer, environment, serving

pytestmark = pytest.mark.slow

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"
CLIENT = Path(__file__).with_name("clearml_client.py")
STORAGE = Storage(root=CROSSING)

#: The color of the road in the sample.
ROAD = [197, 135, 146]

#: What does not survive `DataEntryImage.from_api_object(frame).to_api_object()`, the
#: way of every frame that is registered or read with the client's classes.
DROPPED = {
    "timestamp",
    "blob",
    "meta_blob.note",
    "sources.content_type",
    "sources.meta.lens",
    "sources.preview.content_type",
    "sources.preview.height",
    "sources.preview.timestamp",
    "sources.preview.width",
    "sources.masks.content_type",
    "sources.masks.height",
    "sources.masks.timestamp",
    "sources.masks.width",
}

#: What it puts into ``meta``.
ADDED = {
    "meta._clearml_data_entry_class",
    "meta.front._clearml_data_sub_entry_class",
    "meta.rear._clearml_data_sub_entry_class",
}

#: Of which the request model makes what a frame without them means.
FILLED_IN = {"sources.preview.timestamp": 0, "sources.masks.timestamp": 0}

Json = dict[str, Any]


class Outcome:
    """
    What was registered, what the client told, and what the server has now.
    """

    def __init__(self, frames: list[Json], told: Json, server: ClearmlServer) -> None:
        self.frames = frames
        self.told = told
        self.server = server

    def stored(self, version: str) -> list[Json]:
        """
        The frames as they came over the wire.
        """
        return list(self.server.version(version).frames.values())


def rich() -> Json:
    """
    A frame that uses every key, also those of no sample.
    """
    source: Json = {"uri": "f.mp4", "content_type": "video/mp4", "timestamp": 33}
    size: Json = {"width": 8, "height": 4}
    masks: list[Json] = [
        {"id": id, "uri": f"m{id}.mp4", "content_type": "video/mp4", "timestamp": 33}
        for id in ("11", "100")
    ]
    preview: Json = {"uri": "p.jpg", "content_type": "image/jpeg", "timestamp": 33}
    front = {"id": "front", **source, **size, "meta": {"lens": "wide"}}
    front |= {"preview": preview | size, "masks": [mask | size for mask in masks]}
    rear = {"id": "rear", **source, **size}
    return {
        "id": "rich",
        "context_id": "crossing_2",
        "timestamp": 33,
        "meta": {"weather": "rain", "velocity": 3},
        "meta_blob": {"note": "not searched"},
        "blob": "raw",
        "sources": [front, rear],
        "rois": [
            {"label": ["car"], "sources": ["front"], "id": "car 1", "confidence": 0.5}
            | {"mask": {"id": "11", "value": [1, 2, 3]}, "meta": {"by": "me"}},
            {
                "label": ["car"],
                "sources": ["front", "rear"],
                "poly": [0, 0, 4, 0, 4, 4],
            },
            {"label": ["rain"], "sources": ["front", "rear"]},
        ],
    }


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """
    A published framekit version, registered by the client in a process of its own.
    """
    if not _has_client():
        pytest.skip("needs clearml>=2.1.5")
    folder = tmp_path_factory.mktemp("clearml")
    version = published(folder / "cars")
    frames = [frame.to_dict() for frame in version]
    uris = {
        "source": str(CROSSING / "media" / "rear_000.jpg"),
        "mask": str(CROSSING / "media" / "rear_000_seg.png"),
        "color": ROAD,
    }
    task = {"frames": frames, "mask_labels": version.mask_labels, "uris": uris}
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    with serving() as server:
        command = [CLIENT, folder / "task.json", folder / "result.json"]
        made = subprocess.run(
            [sys.executable, *map(str, command)],
            env=environment(server, folder),
            cwd=folder,
            timeout=100,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        told = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        yield Outcome(frames, told, server)


def _has_client() -> bool:
    try:
        found = importlib.metadata.version("clearml")
    except importlib.metadata.PackageNotFoundError:
        return False
    return tuple(map(int, found.split(".")[:3])) >= (2, 1, 5)


def published(path: Path) -> fk.DatasetVersion:
    """
    The sample and the rich frame as a published version.
    """
    dataset = Dataset.create(path)
    version, problems = dataset.import_folder(CROSSING, "v1", media="keep")
    assert problems == []
    assert version.add_frames([rich()]) == []
    version.commit()
    version.publish()
    return dataset.get_version("v1")


def facts(value: Any, at: str = "") -> dict[str, Any]:
    """
    What a frame says but for its ROIs, by path; parts go by their ids.
    """
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = {f"<{item['id']}>": item for item in value}
    if not isinstance(value, dict):
        return {at: value}
    found: dict[str, Any] = {}
    for key, item in value.items():
        if at or key != "rois":
            found |= facts(item, f"{at}.{key}" if at else key)
    return found


def kinds(paths: set[str]) -> set[str]:
    """
    The paths without the ids of parts.
    """
    return {
        ".".join(part for part in path.split(".") if not part.startswith("<"))
        for path in paths
    }


def rois(frame: Json) -> list[str]:
    """
    The ROIs, comparable.
    """
    return [json.dumps(roi, sort_keys=True) for roi in frame["rois"]]


class TestAsGiven:
    def test_nothing_lost(self, outcome: Outcome, tmp_path: Path) -> None:
        """
        Given as plain values, a version reaches the server whole, and comes back so.
        """
        stored = outcome.stored("as given")

        assert stored == outcome.frames
        assert len(stored) == outcome.told["as given"]["saved"] == 25
        one = Dataset.create(tmp_path / "one").create_version("v1")
        one.add_frames(outcome.frames)
        two = Dataset.create(tmp_path / "two").create_version("v1")
        assert two.add_frames(stored) == []
        assert not fk.diff(one, two)

    def test_mask_labels(self, outcome: Outcome) -> None:
        """
        The labels that the version gives to colors are metadata, up to publishing.
        """
        told = outcome.told["as given"]
        labels = {"seg_instance": [{"value": [0, 0, 0], "labels": ["background"]}]}

        assert told["metadata"] == [True, {"mask_labels": labels}]
        version = outcome.server.version("as given")
        assert (version.status, version.metadata) == ("published", told["metadata"][1])

    def test_published(self, outcome: Outcome) -> None:
        """
        What is published is not changed: metadata by "False", frames by an error.
        """
        told = outcome.told["as given"]

        assert told["late metadata"] is False
        assert told["late"][0] == "SendError"
        assert "is published and cannot be changed" in told["late"][1]

    def test_only_loopback(self, outcome: Outcome) -> None:
        """
        No other server was connected to, and this one was asked nothing unknown.
        """
        assert outcome.told["connected"] == ["127.0.0.1"]
        assert {asked.partition(".")[0] for asked in outcome.server.asked} == {
            "auth",
            "datasets",
            "frames",
            "projects",
            "users",
        }


class TestDropped:
    def test_on_reading(self, outcome: Outcome) -> None:
        """
        Entries read through the client lack what it has no place for.
        """
        lost, gained, changed = compared(
            outcome.frames, outcome.told["as given"]["entries"]
        )

        assert (lost, gained, changed) == (DROPPED, ADDED, {})

    def test_on_writing(self, outcome: Outcome) -> None:
        """
        Frames made its entries and registered lack the same; times become 0.
        """
        assert outcome.told["through entries"]["errors"] == {
            "upload": {},
            "register": {},
        }

        lost, gained, changed = compared(
            outcome.frames, outcome.stored("through entries")
        )

        assert (lost, gained) == (DROPPED - set(FILLED_IN), ADDED)
        assert changed == FILLED_IN

    def test_rois(self, outcome: Outcome) -> None:
        """
        ROIs stay as they are, but one of several sources is there once for each.

        One that names no source counts for the first.
        """
        for before, after in zip(
            outcome.frames, outcome.stored("through entries"), strict=True
        ):
            ids = [source["id"] for source in before["sources"]]
            expected = [
                text
                for id in ids
                for text, roi in zip(rois(before), before["rois"], strict=True)
                if id in roi.get("sources", ids[:1])
            ]
            assert rois(after) == expected

    def test_order_of_masks(self, outcome: Outcome) -> None:
        """
        Masks are sorted by their ids as text.
        """
        after = outcome.stored("through entries")[-1]

        assert [mask["id"] for mask in after["sources"][0]["masks"]] == ["100", "11"]


def compared(
    before: list[Json], after: list[Json]
) -> tuple[set[str], set[str], dict[str, Any]]:
    """
    What of frames is lost, gained and changed: by kind, changed with what it is now.
    """
    lost: set[str] = set()
    gained: set[str] = set()
    changed: dict[str, Any] = {}
    for one, other in zip(before, after, strict=True):
        old, new = facts(one), facts(other)
        lost |= kinds(set(old) - set(new))
        gained |= kinds(set(new) - set(old))
        for path in set(old) & set(new):
            if old[path] != new[path]:
                changed |= dict.fromkeys(kinds({path}), new[path])
    return lost, gained, changed


class TestRestored:
    def test_lost_times_are_found(self, outcome: Outcome) -> None:
        """
        That each frame now has the mask of moment 0 is a warning for each mask.
        """
        frames = outcome.stored("through entries")[:-1]

        report = fk.validate(frames, level="media", storage=STORAGE)

        late = sum(
            len(source["masks"])
            for frame in frames
            for source in frame["sources"]
            if source["timestamp"] > 0
        )
        assert report.counts == {"timestamp-mismatch": late}
        assert late == 2 * 23

    def test_same_labels(self, outcome: Outcome) -> None:
        """
        With the moment given by the source, labels and objects are as before.
        """
        before = fk.SingleFrame.from_dict(outcome.frames[6])
        after = fk.SingleFrame.from_dict(outcome.stored("through entries")[6])

        for source, mask in (
            ("front", "seg"),
            ("front", "seg_instance"),
            ("rear", "seg"),
        ):
            wanted = fk.decode(before, source=source, mask=mask, storage=STORAGE)
            moment = after.get_source(source).timestamp
            found = fk.decode(
                after, source=source, mask=mask, timestamp=moment, storage=STORAGE
            )
            assert found.areas == wanted.areas
            assert np.array_equal(found.ids, wanted.ids)

    def test_built_by_client(self, outcome: Outcome) -> None:
        """
        A frame as the client's documentation builds it decodes; ids are in "meta".
        """
        assert outcome.told["by client"] == {"errors": {"upload": {}, "register": {}}}
        listed, _ = map(fk.SingleFrame.from_dict, outcome.stored("by client"))

        assert [roi.id for roi in listed.rois] == [None, None]
        assert [roi.object_id for roi in listed.rois] == ["road 1", "car 1"]
        assert [roi.labels for roi in listed.get_annotations(id="road 1")] == [
            ("road",)
        ]
        assert listed.sources[0].mask_ids == ("00",)
        assert fk.decode(listed).areas["road"] > 1000
        assert fk.validate(listed).ok

    def test_nothing_is_guessed(self, outcome: Outcome) -> None:
        """
        Where masks have names, the client's "00" leads nowhere and is an error.
        """
        _, named = outcome.stored("by client")

        report = fk.validate([named])

        assert not report.ok
        dangling = [p.at for p in report.problems if p.code == "dangling-mask-id"]
        assert dangling == ["$.rois[0].mask.id"]
