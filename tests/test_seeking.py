"""
What is decoded at a position does not depend on how it was reached.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from functools import cache
from hashlib import blake2b

import numpy as np
import pytest

from framekit.decoding.video._av import VideoFile
from framekit.decoding.video.index import FrameIndex, index_video
from framekit.decoding.video.mask_video import MaskVideo
from framekit.decoding.video.media import Media, media_of
from framekit.decoding.video.planes import planes_of
from framekit.decoding.video.seeking import Decoded, decode_all, decode_some
from tests.clips import LINEAR, PALETTE, kinds, scene

FRAMES = 40
KINDS = kinds(FRAMES)

#: What a decoded frame is for these tests: its place, its bytes, its taint.
Seen = tuple[int, bytes, str | None]


@cache
def clip(kind: str) -> bytes:
    """
    The clip of a kind.
    """
    return KINDS[kind]()


def opened(kind: str) -> tuple[Media, FrameIndex]:
    """
    The clip of a kind, with its index.
    """
    media = media_of(io.BytesIO(clip(kind)))
    return media, index_video(media)


def seen(items: Iterable[Decoded]) -> list[Seen]:
    """
    What came out, frame by frame.
    """
    found = []
    for item in items:
        digest = blake2b(digest_size=8)
        if item.frame is not None:
            for channel in planes_of(item.frame).channels:
                digest.update(np.ascontiguousarray(channel).tobytes())
        found.append((item.position, digest.digest(), item.tainted))
    return found


class TestAllKinds:
    @pytest.mark.parametrize("kind", KINDS)
    def test_random_access_is_sequential_access(self, kind: str) -> None:
        """
        Single frames and random sets of them are those of a sequential pass.
        """
        media, index = opened(kind)
        expected = seen(decode_all(media, index))
        choose = random.Random(kind)  # noqa: S311 (no secret)
        positions = choose.sample(range(len(index)), min(12, len(index)))
        sets = [choose.sample(range(len(index)), 7) for _ in range(6)]

        alone = [seen(decode_some(media, index, [n])) for n in positions]
        together = [seen(decode_some(media, index, some)) for some in sets]

        assert alone == [[expected[n]] for n in positions]
        assert together == [[expected[n] for n in sorted(some)] for some in sets]

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_frame(self, kind: str) -> None:
        """
        Every single frame is that of a sequential pass.
        """
        media, index = opened(kind)
        expected = seen(decode_all(media, index))

        alone = [seen(decode_some(media, index, [n])) for n in range(len(index))]

        assert alone == [[one] for one in expected]

    @pytest.mark.parametrize("kind", KINDS)
    def test_all_come_out_and_differ(self, kind: str) -> None:
        """
        Every frame of the index comes out, untainted, in order, and is another one.
        """
        media, index = opened(kind)
        repeats = 2 if "joined" in kind else 1
        displayed = 10 if "trimmed" in kind else FRAMES * repeats

        found = seen(decode_all(media, index))

        assert [position for position, _, _ in found] == list(range(displayed))
        assert len({digest for _, digest, _ in found}) == displayed // repeats
        if "joined" not in kind:  # there FFmpeg takes the seam for damage
            assert {tainted for _, _, tainted in found} == {None}
        assert index.linear == (kind in LINEAR)
        assert index.broken is None

    @pytest.mark.parametrize("kind", ["h264 ts", "hevc mp4 open gop", "av1 mp4"])
    def test_only_the_last_frame(self, kind: str) -> None:
        """
        The last GOP is found, also where a seek to it lands after the last key.
        """
        media, index = opened(kind)
        last = len(index) - 1

        assert (
            seen(decode_some(media, index, [last]))
            == seen(decode_all(media, index))[-1:]
        )


class TestTrimmed:
    def test_frame_0_is_the_first_that_is_displayed(self) -> None:
        """
        Packets before the cut that are kept for decoding are no frames.
        """
        with MaskVideo(io.BytesIO(clip("h264 mp4 trimmed")), PALETTE) as video:
            first = video.at(0)

            wrong = (first.label_map.ids != scene(FRAMES)[30]).mean()

        assert len(video) == 10
        assert wrong < 0.02


class TestEconomy:
    def test_each_gop_is_decoded_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A batch decodes far fewer frames than one call for each timestamp does.
        """
        count = 0
        decode = VideoFile.frames

        def counting(self: VideoFile, wanted: object = None) -> object:
            nonlocal count
            for item in decode(self, wanted):  # type: ignore[arg-type]
                count += 1
                yield item

        monkeypatch.setattr(VideoFile, "frames", counting)
        media, index = opened("h264 mkv")
        choose = random.Random(0)  # noqa: S311 (no secret)
        positions = choose.sample(range(FRAMES), 30)

        list(decode_some(media, index, positions))
        batch, count = count, 0
        for position in positions:
            list(decode_some(media, index, [position]))

        assert batch <= FRAMES
        assert batch < 0.6 * count

    def test_opened_once(self) -> None:
        """
        However many frames are asked for, the file is read by one container.
        """
        media, index = opened("h264 mp4 b-frames")
        opens = 0

        class Counting(io.BytesIO):
            def seek(self, offset: int, whence: int = 0) -> int:
                nonlocal opens
                opens += offset == 0 and whence == 0 and self.tell() != 0
                return super().seek(offset, whence)

        file = Counting(clip("h264 mp4 b-frames"))
        list(decode_some(media_of(file), index, [0, 5, 20, 39]))

        assert opens <= 3
        assert media.file is not None


class TestLinear:
    def test_joined_transport_streams(self) -> None:
        """
        Two files in one, whose times start again, are counted through.
        """
        with MaskVideo(io.BytesIO(clip("h264 ts joined")), PALETTE) as video:
            first, again = video.at_many([100, 100 + FRAMES * 1000 / 30])

        assert (first.index, again.index) == (3, 3 + FRAMES)
        assert np.array_equal(first.label_map.ids, again.label_map.ids)
        assert video.metadata.linear
