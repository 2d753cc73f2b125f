"""
Reading one file at several places at once.
"""

from __future__ import annotations

import io

import numpy as np

from framekit.decoding.video.mask_video import MaskVideo
from framekit.decoding.video.reader import Reader
from framekit.palette import Palette
from tests.clips import encode


class TestReader:
    def test_turns(self) -> None:
        """
        Each reader goes on where it was, whatever another one does to the file.
        """
        file = io.BytesIO(bytes(range(100)))
        one, other = Reader(file, "x"), Reader(file, "x")

        assert one.read(3) == bytes([0, 1, 2])
        assert other.read(2) == bytes([0, 1])
        assert other.seek(50) == 50
        assert one.tell() == 3
        assert one.read(2) == bytes([3, 4])
        assert other.read(2) == bytes([50, 51])
        assert one.seek(5, 1) == 10
        assert other.seek(-1, 2) == 99
        assert one.read(1) == bytes([10])


class TestVideo:
    def test_large_file_of_a_caller(self) -> None:
        """
        The first frame, which a video is judged by, is read while others are.
        """
        colors = [(0, 0, 0), (250, 250, 250)]
        rng = np.random.default_rng(0)
        truth = [rng.integers(0, 2, (256, 256), np.uint8) for _ in range(40)]
        pictures = [np.array(colors, np.uint8)[ids] for ids in truth]
        clip = encode(pictures, options={"qp": "0", "g": "40"}, container="matroska")
        assert len(clip) > 1 << 17

        video = MaskVideo(io.BytesIO(clip), Palette({c: str(c) for c in colors}))
        found = video.at_many([video.index.timestamp(n) for n in range(0, 40, 3)])

        for item in found:
            assert np.array_equal(item.label_map.ids, truth[item.index])
