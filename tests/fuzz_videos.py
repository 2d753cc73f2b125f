"""
Damaged mask videos of many containers to `MaskVideo`.

    python -m tests.fuzz_videos [seconds] [seed]

Whatever the bytes are there is a framekit error or frames; a moment looks the same
whether it is jumped to or come to, and of labels each is one that the palette has.
"""

from __future__ import annotations

import io
import random
import sys
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from framekit.decoding.video.mask_video import MaskFrame, MaskVideo
from framekit.errors import FramekitError
from tests.clips import PALETTE, encode, faststart, paint, scene, x264
from tests.fuzz_harness import Fuzzed, damaged, fuzz, run


class Case(NamedTuple):
    """
    A file, and what to do where it is damaged.
    """

    name: str
    data: bytes
    on_corrupt: str


@cache
def seeds() -> dict[str, bytes]:
    """
    Small clips.
    """
    pictures = [paint(ids) for ids in scene(10, width=64, height=48)]
    lossy = x264(g="4", bf="2")
    plain: dict[str, Any] = {
        "codec": "mpeg4",
        "pixel_format": "yuv420p",
        "options": {"g": "4"},
    }
    return {
        "lossy.mp4": encode(pictures, **lossy),
        "fast.mp4": faststart(encode(pictures, **lossy)),
        "lossless.mp4": encode(pictures, options={"qp": "0", "g": "4"}),
        "fragmented.mp4": encode(
            pictures,
            **lossy,
            container_options={"movflags": "frag_keyframe+empty_moov"},
        ),
        "lossy.mkv": encode(pictures, **lossy, container="matroska"),
        "ffv1.mkv": encode(pictures, "ffv1", "bgr0", container="matroska"),
        "lossy.avi": encode(pictures, **lossy, container="avi"),
        "mpeg4.avi": encode(pictures, **plain, container="avi"),
        "raw.avi": encode(pictures[:3], "rawvideo", "bgr24", container="avi"),
        "lossy.ts": encode(pictures, **lossy, container="mpegts"),
        "some.gif": encode(pictures, "gif", "rgb8", container="gif"),
        "some.apng": encode(pictures, "apng", "rgb24", container="apng"),
        "qtrle.mov": encode(pictures, "qtrle", "rgb24", container="mov"),
        "png.mov": encode(pictures, "png", "rgb24", container="mov"),
        "mpeg4.nut": encode(pictures, **plain, container="nut"),
    }


def make(rng: random.Random) -> Case:
    """
    A damaged clip.
    """
    files = seeds()
    name = rng.choice(list(files))
    data = files[name]
    if rng.random() < 0.5:
        # The tables are at the beginning or at the end.
        size = min(len(data), 1500)
        start = rng.choice((0, len(data) - size))
        part = damaged(data[start : start + size], rng.choice([*files.values()]), rng)
        data = data[:start] + part + data[start + size :]
    else:
        data = damaged(data, rng.choice([*files.values()]), rng)
    return Case(name, data, rng.choice(("raise", "raise", "warn", "ignore")))


def attempt(case: Case) -> str:
    """
    What becomes of a clip: "read", "partly" or "refused".

    Raises:
        AssertionError: If labels are wrong, or differ from one way to another.
    """
    outcome = "read"
    found: dict[float, MaskFrame] = {}
    with opened(case) as video:
        assert len(video.index) == len(video)
        assert repr(video.metadata)
        try:
            for count, item in enumerate(video):
                check(item)
                found[item.timestamp] = item
                if count > 40:
                    break
        except FramekitError:
            outcome = "partly" if found else "refused"
    moments = [0, 33, 133, 266, 300, -5, 10**9, *found]
    with opened(case) as video:
        for moment, there in video.at_each(reversed(moments)):
            if not isinstance(there, MaskFrame):
                assert isinstance(there, FramekitError), there
                continue
            check(there)
            if outcome == "read" and moment in found:
                compare(found[moment], there)
    return outcome


def opened(case: Case) -> MaskVideo:
    """
    A clip in memory.
    """
    on_corrupt = case.on_corrupt
    return MaskVideo(
        io.BytesIO(case.data),
        PALETTE,
        uri=case.name,
        on_corrupt=on_corrupt,  # type: ignore[arg-type]  # one of its words
    )


def check(item: MaskFrame) -> None:
    """
    Each label is one that there is.
    """
    ids = item.label_map.ids
    assert ids.ndim == 2
    known = ids[ids != item.label_map.void]
    assert known.max(initial=0) < len(PALETTE)


def compare(one: MaskFrame, other: MaskFrame) -> None:
    """
    Both ways lead to the same picture, if it is sound.
    """
    if one.tainted or other.tainted or one.index != other.index:
        return
    assert np.array_equal(one.label_map.ids, other.label_map.ids), "two results"


def harness(seconds: float, seed: int) -> Fuzzed[Case]:
    """
    Fuzz for *seconds*.
    """
    return fuzz(make, attempt, seconds, seed)


if __name__ == "__main__":
    run(harness, *sys.argv[1:])
