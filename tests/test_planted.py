"""
Faults planted into a large version are found, and nothing else is.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from framekit.validation import validate

COUNT = 200_000

Frame = dict[str, Any]

GOOD: Frame = {
    "id": "",
    "context_id": "car_1",
    "timestamp": 0,
    "meta": {"velocity": "60", "speed": 1.5},
    "sources": [
        {
            "id": "front",
            "uri": "front.mp4",
            "content_type": "video/mp4",
            "width": 800,
            "height": 600,
            "timestamp": 0,
            "masks": [
                {
                    "id": "seg",
                    "uri": "seg.mp4",
                    "content_type": "video/mp4",
                    "timestamp": 0,
                }
            ],
        }
    ],
    "rois": [
        {"label": ["car"], "mask": {"id": "seg", "value": [1, 2, 3]}, "confidence": 1},
        {"label": ["road"], "mask": {"id": "seg", "value": [4, 5, 6]}},
        {"label": ["cat"], "poly": [0, 0, 1, 0, 1, 1], "sources": ["front"]},
    ],
}


def changed(path: str, value: Any) -> Callable[[Frame], bytes]:
    """
    What puts *value* at *path*, like ``rois.0.label``.
    """

    def change(frame: Frame) -> bytes:
        inner: Any = frame
        *way, last = [int(s) if s.isdigit() else s for s in path.split(".")]
        for step in way:
            inner = inner[step]
        inner[last] = value
        return json.dumps(frame).encode()

    return change


def without(key: str) -> Callable[[Frame], bytes]:
    """
    What leaves *key* out.
    """
    return lambda frame: json.dumps(
        {k: v for k, v in frame.items() if k != key}
    ).encode()


def replaced(old: bytes, new: bytes) -> Callable[[Frame], bytes]:
    """
    What changes the text of a frame.
    """
    return lambda frame: json.dumps(frame).encode().replace(old, new, 1)


def swapped(frame: Frame) -> bytes:
    """
    Exchange the mask ids and labels.
    """
    for roi in frame["rois"][:2]:
        roi["label"], roi["mask"]["id"] = [roi["mask"]["id"]], roi["label"][0]
    return json.dumps(frame).encode()


def doubled(frame: Frame) -> bytes:
    """
    Give one color two meanings.
    """
    frame["rois"][1]["mask"]["value"] = [1, 2, 3]
    return json.dumps(frame).encode()


FAULTS: dict[str, Callable[[Frame], bytes]] = {
    "invalid-json": replaced(b"}", b""),
    "bad-utf8": replaced(b"velocity", b"\xff"),
    "duplicate-key": replaced(b'"context_id"', b'"context_id": "a", "context_id"'),
    "integer-too-large": changed("meta_blob", {"a": [2**64]}),
    "missing-key": changed("sources.0.masks.0", {"id": "seg"}),
    "wrong-type": changed("timestamp", "0"),
    "wrong-length": changed("rois.0.mask.value", [1, 2, 3, 4]),
    "wrong-value": changed("sources.0.uri", ""),
    "non-canonical": changed("sources.0.preview", "front.jpg"),
    "misspelled-key": changed("rois.1.confidance", 0.5),
    "duplicate-frame-id": changed("id", "17"),
    "dangling-mask-id": changed("rois.1.mask.id", "seg\n"),
    "mask-id-is-label": swapped,
    "unknown-source": changed("rois.2.sources", ["front "]),
    "color-out-of-range": changed("rois.0.mask.value", [256, 2, 3]),
    "color-has-two-label-sets": doubled,
    "roi-without-label": changed("rois.0.label", [" "]),
    "bad-geometry": changed("rois.2.poly", [0, 0, 1]),
    "timestamp-mismatch": changed("sources.0.masks.0.timestamp", 1),
    "meta-type-conflict": changed("meta", {"velocity": 60}),
}


def write(folder: Path, count: int) -> dict[int, str]:
    """
    Write frames, and return the faulty lines with their codes.
    """
    codes = [*FAULTS, *FAULTS]
    step = count // (len(codes) + 1)
    places = {step * (n + 1): code for n, code in enumerate(codes)}
    # One key with one other type is told once; so the second one has another key.
    (_, last) = (n for n, code in places.items() if code == "meta-type-conflict")
    with (folder / "frames.jsonl").open("wb") as file:
        text = json.dumps(GOOD)
        for n in range(count):
            line = n + 1
            made = text.replace('"id": ""', f'"id": "{n}"', 1).replace(
                '"timestamp": 0', f'"timestamp": {n}'
            )
            if line in places:
                frame = copy.deepcopy(json.loads(made))
                data = FAULTS[places[line]](frame)
                if line == last:
                    data = changed("meta", {"speed": "1.5"})(frame)
            else:
                data = made.encode()
            file.write(data + b"\n")
    return places


@pytest.mark.slow
def test_planted(tmp_path: Path) -> None:
    """
    Of 200,000 frames the faulty ones are told, each with its code, and no others.
    """
    places = write(tmp_path, COUNT)

    report = validate(tmp_path)

    found = [(p.document, p.code) for p in report.problems]
    assert sorted(found) == sorted(
        (f"frames.jsonl:{line}", code) for line, code in places.items()
    )
    assert len(set(places.values())) == 20
    assert report.frames == COUNT - 4
