"""
Hundreds of videos and thousands of images, after which the process is as before.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

import framekit as fk
from framekit.errors import DecodeError, DecodeWarning
from tests.clips import PALETTE, encode, paint, scene, x264
from tests.image_seeds import PALETTE as IMAGE_PALETTE
from tests.image_seeds import seeds

STATUS = Path("/proc/self/status")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STATUS.exists(), reason="counts what Linux shows in /proc"),
]

#: What may be kept, such as freed memory in pieces that are not given back, in bytes.
SLACK = 10 << 20


@frozen
class Held:
    """
    What the process holds.
    """

    #: Resident memory in bytes.
    memory: int

    #: Open files, as a count, and threads, those of libraries included.
    files: int
    threads: int


def held() -> Held:
    """
    What the process holds now.
    """
    gc.collect()
    facts = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return Held(
        memory=int(facts["VmRSS"].split()[0]) << 10,
        files=len(list(Path("/proc/self/fd").iterdir())),
        threads=int(facts["Threads"]),
    )


def clips(folder: Path) -> list[Path]:
    """
    Small videos of several kinds, each also cut off.
    """
    pictures = [paint(ids) for ids in scene(8, width=64, height=48)]
    plain: dict[str, Any] = {"codec": "mpeg4", "pixel_format": "yuv420p"}
    made = {
        "a.mp4": encode(pictures, **x264(g="4", bf="2")),
        "b.mkv": encode(pictures, "ffv1", "bgr0", container="matroska"),
        "c.ts": encode(pictures, **x264(g="4"), container="mpegts"),
        "d.avi": encode(pictures, **plain, container="avi"),
        "e.gif": encode(pictures, "gif", "rgb8", container="gif"),
    }
    made |= {f"cut-{name}": data[: len(data) * 2 // 3] for name, data in made.items()}
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in made]


def look_through(path: Path, number: int) -> None:
    """
    Use a video in one of several ways, not all of them tidy.
    """
    with warnings.catch_warnings(), suppress(DecodeError):
        warnings.simplefilter("ignore", DecodeWarning)
        way = number % 5
        if way == 0:
            with fk.MaskVideo(path, PALETTE) as video:
                for item in video:
                    assert item.label_map.ids.shape == (48, 64)
        elif way == 1:
            with fk.MaskVideo(path, PALETTE, on_corrupt="ignore") as video:
                video.at_many([233, 0, 100])
        elif way == 2:  # Nobody comes back to it, nobody closes it.
            assert len(list(islice(fk.MaskVideo(path, PALETTE), 2))) == 2
        elif way == 3:
            with path.open("rb") as file, fk.MaskVideo(file, PALETTE) as video:
                assert video.metadata.width == 64
                assert len(video.index) > 0
        else:
            source = fk.Source(
                id="front",
                uri="front.png",
                masks=[fk.Mask(id="seg", uri=str(path), timestamp=66)],
            )
            frame = fk.SingleFrame(sources=[source])
            for found in fk.decode_frames([frame, frame], palette=PALETTE):
                assert (found.label_map is None) != (found.error is None)


def growth(work: Callable[[int], None], count: int, warm_up: int) -> tuple[Held, Held]:
    """
    What is held after *warm_up* rounds of *work*, and after *count* more.
    """
    for number in range(warm_up):
        work(number)
    before = held()
    for number in range(count):
        work(number)
    return before, held()


@pytest.fixture
def quiet() -> Iterator[None]:
    """
    Nothing of earlier tests goes away meanwhile.
    """
    gc.collect()
    yield
    gc.collect()


@pytest.mark.usefixtures("quiet")
class TestSoak:
    def test_videos(self, tmp_path: Path) -> None:
        """
        After 300 videos, cut ones among them, no memory, file or thread is kept.
        """
        paths = clips(tmp_path)

        def work(number: int) -> None:
            look_through(paths[number // 5 % len(paths)], number)

        before, after = growth(work, 300, 100)

        assert after.memory - before.memory < SLACK
        assert (after.files, after.threads) == (before.files, before.threads)

    def test_images(self, tmp_path: Path) -> None:
        """
        So it is after 3,000 images of every kind, cut ones among them.
        """
        paths = []
        for name, data in seeds().items():
            for file, content in (name, data), (f"cut-{name}", data[:-9]):
                paths.append(tmp_path / file)
                paths[-1].write_bytes(content)

        def work(number: int) -> None:
            path = paths[number % len(paths)]
            with warnings.catch_warnings(), suppress(DecodeError):
                warnings.simplefilter("ignore", DecodeWarning)
                if number % 2:
                    fk.decode_image(path, IMAGE_PALETTE)
                else:
                    with path.open("rb") as file:
                        fk.decode_image(file, IMAGE_PALETTE)

        before, after = growth(work, 3000, 500)

        assert after.memory - before.memory < SLACK
        assert (after.files, after.threads) == (before.files, before.threads)
