"""
Label maps are the same bits on every machine, PyAV and kernel.

The hashes are of the committed media: what an encoder of another version makes of a
drawing may differ, what is decoded from one file may not.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import framekit as fk

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"

CASES = [
    ("front_seg.mp4", "full", "4c23aef7029c641d"),
    ("lossy/front_seg_crf23.mp4", "full", "62213e25332289c7"),
    ("lossy/front_seg_crf23.mp4", "fast", "d57837d98c1a3b18"),
    ("lossy/front_seg_crf23.mp4", "nearest", "e203004670571758"),
]


def hash_of(name: str, mode: str) -> str:
    """
    The hash of the ids and the uncertain pixels of every fourth frame.
    """
    frame = next(fk.open_target(CROSSING).frames())
    assert isinstance(frame, fk.SingleFrame)
    palette = fk.Palette.from_frame(frame, "front", "seg")
    found = hashlib.sha256()
    options = {"mode": mode}
    with fk.MaskVideo(CROSSING / "media" / name, palette, **options) as video:  # type: ignore[arg-type]
        moments = [float(video.index.timestamp(n)) for n in range(0, 24, 4)]
        for item in video.at_many(moments):
            found.update(item.label_map.ids.tobytes())
            if item.label_map.uncertain is not None:
                found.update(item.label_map.uncertain.tobytes())
    return found.hexdigest()[:16]


@pytest.mark.parametrize(("name", "mode", "expected"), CASES)
def test_same_bits(name: str, mode: str, expected: str) -> None:
    """
    A committed video decodes to the labels it had when this was written.
    """
    assert hash_of(name, mode) == expected
