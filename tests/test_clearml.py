"""
The real client accepts what we write; skipped where it is not installed.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import framekit as fk
from framekit import schema

pytestmark = [
    pytest.mark.slow,
    # The client's own imports and calls use what Python has deprecated.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    """
    The module of the server's own request model, which calls no server.
    """
    before = os.environ.get("CLEARML_CONFIG_FILE")
    os.environ["CLEARML_CONFIG_FILE"] = os.devnull
    pytest.importorskip("clearml", minversion="2.1.5")
    from clearml.backend_api.services.v2_23 import datasets

    yield datasets
    if before is None:
        del os.environ["CLEARML_CONFIG_FILE"]
    else:
        os.environ["CLEARML_CONFIG_FILE"] = before


def server_accepts(api: Any, frame: dict[str, Any]) -> Any:
    """
    What of *frame* reaches the server; raises where the client refuses it.
    """
    request = api.SaveFramesRequest(version="v", frames=[copy.deepcopy(frame)])
    request.validate()
    return request.to_dict()["frames"][0]


def with_defaults(frame: dict[str, Any]) -> dict[str, Any]:
    """
    The frame with the timestamps of 0 that the request model fills in.
    """
    filled = copy.deepcopy(frame)
    for source in filled["sources"]:
        parts = [source, *source.get("masks", [])]
        for part in parts + ([source["preview"]] if "preview" in source else []):
            part.setdefault("timestamp", 0)
    return filled


def built() -> dict[str, Any]:
    """
    A frame with every kind of ROI, built in code.
    """
    frame = fk.SingleFrame(
        id="a",
        source="front.mp4",
        size=(800, 600),
        timestamp=33,
        preview_uri="p.jpg",
        metadata={"velocity": "60"},
        context_id="car_1",
        masks_source={"seg": "seg.mp4", "ids": "ids.mp4"},
    )
    frame.add_annotation(mask_rgb="#d2d278", mask_id="seg", labels=["car"])
    frame.add_annotation(mask_rgb=[0, 0, 0], mask_id="ids", labels=["cat"])
    frame.add_annotation(
        poly2d_xy=[[(0, 0), (4, 0), (4, 4)], [(1, 1), (2, 1), (2, 2)]],
        points2d_xy=[(1, 2), (3, 4.5)],
        box2d_xywh=(1, 2, 3, 4, 0.5),
        ellipse2d_xyrrt=(5, 6, 2, 1, 0.1),
        poly3d_xyz=[(0, 0, 0), (1, 0, 0), (1, 1, 1)],
        points3d_xyz=[(1, 2, 3)],
        box3d_xyzwhxyzwh=range(10),
        labels=["thing"],
        confidence=0.5,
        metadata={"by": "me"},
    )
    frame.add_annotation(frame_class=["train"])
    return frame.to_dict()


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """
    What we build, and the samples.
    """
    yield "built", built()
    lines = (SAMPLES / "crossing" / "frames.jsonl").read_bytes().splitlines()
    for line in lines[::8]:
        frame = fk.SingleFrame.from_json(line)
        yield str(frame.id), frame.to_dict()
    for path in sorted((SAMPLES / "valid").glob("page-example-*.json")):
        frame = fk.SingleFrame.from_json(path.read_bytes())
        yield path.stem, frame.to_dict()


@pytest.mark.parametrize(
    "frame", [pytest.param(frame, id=name) for name, frame in documents()]
)
class TestAccepted:
    def test_request_model(self, api: Any, frame: dict[str, Any]) -> None:
        """
        The server's own request model takes our output and loses nothing of it.
        """
        assert server_accepts(api, frame) == with_defaults(frame)

    def test_sdk_reads(self, api: Any, frame: dict[str, Any]) -> None:
        """
        The SDK finds every source, every mask and every color with its labels.
        """
        assert api is not None
        from clearml import hyperdatasets

        reader: Any = hyperdatasets.DataEntryImage
        entry = reader.from_api_object(copy.deepcopy(frame))

        assert len(entry.sub_data_entries) == len(frame["sources"])
        for sub, source in zip(entry.sub_data_entries, frame["sources"], strict=True):
            masks = {mask["id"]: mask["uri"] for mask in source.get("masks", [])}
            assert sub.get_masks_source_dict() == masks
            found = {
                (a["mask"]["id"], *a["mask"]["value"]): a["label"]
                for a in sub.get_all_annotations()
                if a.get("mask")
            }
            expected = {
                (roi["mask"]["id"], *roi["mask"]["value"]): roi["label"]
                for roi in frame["rois"]
                if "mask" in roi and sub.name in roi["sources"]
            }
            assert found == expected


def minimal(**changes: Any) -> dict[str, Any]:
    """
    A small frame with some of its parts replaced.
    """
    mask = {"id": "seg", "uri": "m.png", **changes.pop("mask", {})}
    source = {"id": "front", "uri": "f.jpg", "masks": [mask]}
    source |= changes.pop("source", {})
    roi = {
        "label": ["car"],
        "sources": ["front"],
        "mask": {"id": "seg", "value": [1, 2, 3]},
        **changes.pop("roi", {}),
    }
    frame = {"sources": [source], "rois": [roi], **changes}
    made: dict[str, Any] = without_none(frame)
    return made


def without_none(value: Any) -> Any:
    """
    Drop keys whose value is the marker ``...``.
    """
    if isinstance(value, dict):
        return {k: without_none(v) for k, v in value.items() if v is not ...}
    if isinstance(value, list):
        return [without_none(item) for item in value]
    return value


class TestVerdicts:
    @pytest.mark.parametrize(
        ("frame", "accepted"),
        [
            (minimal(mask={"id": 0}), False),
            (minimal(mask={"id": ...}), False),
            (minimal(mask={"uri": ...}), False),
            (minimal(roi={"label": ..., "labels": ["car"]}), False),
            (minimal(roi={"label": "car"}), False),
            (minimal(roi={"mask": {"id": "seg", "value": "#d2d278"}}), False),
            (minimal(roi={"mask": {"value": [1, 2, 3]}}), False),
            (minimal(source={"preview": "p.jpg"}), False),
            (minimal(source={"timestamp": 33.3}), False),
            (minimal(source={"timestamp": "0"}), False),
            (minimal(source={"timestamp": True}), False),
            (minimal(source={"timestamp": 33.0}), True),
            (minimal(), True),
            (minimal(roi={"poly": [1, 2.5]}), True),
        ],
        ids=lambda value: None if isinstance(value, bool) else json.dumps(value)[:60],
    )
    def test_like_the_client(
        self, api: Any, frame: dict[str, Any], *, accepted: bool
    ) -> None:
        """
        Our schema and the real client agree on what is acceptable.
        """
        assert (next(schema.check(frame, "frame"), None) is None) is accepted
        try:
            server_accepts(api, frame)
        except Exception:  # noqa: BLE001 - it raises TypeError and jsonschema's own
            assert not accepted
        else:
            assert accepted
