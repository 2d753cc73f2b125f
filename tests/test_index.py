"""
Which frame is shown at a moment.
"""

from __future__ import annotations

import io
import math
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framekit.decoding.video.index import FrameIndex, Gap, index_video
from framekit.decoding.video.media import media_of
from framekit.errors import ArgumentError, TimestampError, UnreadableMaskError
from tests.clips import encode, faststart, paint, remux, scene, x264

RATES = {
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "59.94": Fraction(60000, 1001),
    "120": Fraction(120),
    "240": Fraction(240),
}


def even(frames: int, rate: Fraction | int, *, start: int = 0) -> FrameIndex:
    """
    An index of a constant rate, in ticks of a 15360th of a second.
    """
    tick = Fraction(1, 15360)
    times = tuple(start + round(n / Fraction(rate) / tick) for n in range(frames))
    end = start + round(frames / Fraction(rate) / tick)
    return FrameIndex(times, (start,), tick, start, end)


def index_of(clip: bytes, **options: Any) -> FrameIndex:
    """
    The index of a clip in memory.
    """
    return index_video(media_of(io.BytesIO(clip), uri="clip"), **options)


PICTURES = [paint(ids) for ids in scene(30)]


class TestFind:
    @pytest.mark.parametrize(
        ("timestamp", "position"),
        [(0, 0), (33, 1), (34, 1), (66, 2), (67, 2), (100, 3), (3999, 119)],
    )
    def test_whole_milliseconds_at_30_fps(self, timestamp: int, position: int) -> None:
        """
        ClearML's whole milliseconds, rounded down or to the nearest, name the frame.
        """
        assert even(120, 30).find(timestamp) == position

    @pytest.mark.parametrize("timestamp", [4000, 5000, 1234567889, -50])
    def test_outside(self, timestamp: int) -> None:
        """
        A moment that the video does not have is an error that names the range.
        """
        with pytest.raises(TimestampError) as caught:
            even(120, 30).find(timestamp, uri="mask.mp4")

        reason = "the video has 0 to 4000 ms"
        assert caught.value == TimestampError("mask.mp4", timestamp, reason)

    @pytest.mark.parametrize("rate", RATES)
    @pytest.mark.parametrize("rounded", [math.floor, round, math.ceil])
    @pytest.mark.parametrize("tick", [Fraction(1, 15360), Fraction(1, 1000)])
    def test_every_frame_of_every_rate(
        self, rate: str, rounded: Any, tick: Fraction
    ) -> None:
        """
        Whole milliseconds, however rounded, map back, also with WebM's 1 ms ticks.
        """
        count = 3000
        moments = [n * 1000 / RATES[rate] for n in range(count)]
        times = tuple(round(moment / 1000 / tick) for moment in moments)
        index = FrameIndex(times, (0,), tick, 0, times[-1] + times[1])

        found = [index.find(rounded(moment)) for moment in moments]

        assert found == list(range(count))

    @given(st.lists(st.integers(2, 500), min_size=1, max_size=40), st.integers(0, 999))
    def test_variable_rates(self, steps: list[int], start: int) -> None:
        """
        Frames at any intervals above a millisecond map back, floored.
        """
        times = [start]
        for step in steps:
            times.append(times[-1] + step * 90 + step % 90)
        index = FrameIndex(
            tuple(times), (start,), Fraction(1, 90000), start, times[-1] + 3000
        )

        moments = [math.floor(index.timestamp(n)) for n in range(len(times))]

        assert [index.find(moment) for moment in moments] == list(range(len(times)))

    def test_a_frame_that_begins_exactly_then_wins(self) -> None:
        """
        At 1000 frames a second the tolerance does not lead to the next frame.
        """
        index = FrameIndex(tuple(range(50)), (0,), Fraction(1, 1000), 0, 50)

        assert [index.find(n) for n in range(50)] == list(range(50))

    def test_between_frames(self) -> None:
        """
        Between frames the one on screen counts, the nearest, or none.
        """
        index = even(120, 30)

        assert index.find(50) == 1
        assert index.find(50, match="nearest") == 1
        assert index.find(51, match="nearest") == 2
        with pytest.raises(TimestampError) as caught:
            index.find(50, match="exact")
        assert "the nearest begins at 33.3333 ms" in caught.value.reason
        assert index.find(33, match="exact") == 1
        assert index.find(34, match="exact") == 1

    def test_masks_at_a_lower_rate(self) -> None:
        """
        At 10 frames a second the mask of 66 ms is the one shown then, of 0 ms.
        """
        index = even(40, 10)

        assert index.find(66) == 0
        assert index.find(66, match="nearest") == 1

    @pytest.mark.parametrize(
        "timestamp", [33, 33.0, np.int64(33), np.float32(33.3), Fraction(100, 3)]
    )
    def test_kinds_of_numbers(self, timestamp: Any) -> None:
        """
        Any real number will do.
        """
        assert even(120, 30).find(timestamp) == 1

    @pytest.mark.parametrize("timestamp", [True, "33", None, math.nan, math.inf, 1j])
    def test_what_is_no_number(self, timestamp: Any) -> None:
        """
        What is no finite number is refused.
        """
        with pytest.raises(ArgumentError, match="expected a finite number"):
            even(120, 30).find(timestamp)

    def test_one_frame(self) -> None:
        """
        A video of one frame lasts as long as that frame.
        """
        index = index_of(encode(PICTURES[:1], **x264()))

        assert (len(index), index.find(0), index.find(33)) == (1, 0, 0)
        with pytest.raises(TimestampError):
            index.find(1000)


class TestOrigin:
    @pytest.mark.parametrize(
        ("container", "options", "offset", "start"),
        [
            ("mp4", {}, 60, 2000.0),
            ("mp4", {"movflags": "frag_keyframe+empty_moov"}, 0, 200 / 3),
            ("matroska", {}, 44, 1467.0),
            ("mpegts", {}, 40, 4000 / 3),
        ],
    )
    def test_first_frame_or_container(
        self, container: str, options: dict[str, str], offset: int, start: float
    ) -> None:
        """
        Time 0 is the first frame, or on request the container's own.
        """
        clip = encode(
            PICTURES,
            **x264(g="12"),
            container=container,
            container_options=options,
            offset=offset,
        )

        first, own = index_of(clip), index_of(clip, origin="container")

        assert (float(first.start_ms), first.find(0), first.find(33)) == (0.0, 0, 1)
        assert float(own.start_ms) == pytest.approx(start)
        assert own.find(round(start)) == 0
        with pytest.raises(TimestampError):
            own.find(0)

    def test_discarded_packets_are_no_frames(self) -> None:
        """
        A trimmed copy has the frames that are displayed, not those it keeps.
        """
        whole = encode(PICTURES, **x264(g="12", bf="3"))
        clip = remux(whole, "mp4", keep=lambda n, _: n >= 12, shift=-512 * 20)

        index = index_of(clip)

        assert len(index) == 10
        assert index.keys[0] < index.times[0] == index.origin


class TestGaps:
    def test_a_dropped_packet(self) -> None:
        """
        A missing packet shows as a gap.
        """
        whole = encode(PICTURES, **x264(g="30", bf="0"))

        index = index_of(remux(whole, "matroska", keep=lambda n, _: n != 10))

        assert index.gaps == (Gap(300.0, 367.0),)

    def test_no_usual_interval(self) -> None:
        """
        Variable rates have no gaps.
        """
        times = tuple(n * n * 10 for n in range(40))
        index = FrameIndex(times, (0,), Fraction(1, 1000), 0, 20000)

        assert index.gaps == ()

    @pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
    def test_constant_rates(self, container: str) -> None:
        """
        Nor has a whole video, whatever its container rounds times to.
        """
        clip = encode(PICTURES, **x264(), container=container, rate=RATES["59.94"])

        assert index_of(clip).gaps == ()


class TestBreaksOff:
    @pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
    def test_what_is_left_can_be_found(self, container: str) -> None:
        """
        A file that was cut has its early frames, and says why it has no late ones.
        """
        clip = encode(
            PICTURES,
            **x264(g="12", crf="1"),
            container=container,
        )
        if container == "mp4":
            clip = faststart(clip)

        index = index_of(clip[: len(clip) * 6 // 10 | 1])

        assert index.find(0) == 0
        assert index.broken is not None
        assert index.broken.startswith("the file breaks off")
        with pytest.raises(UnreadableMaskError, match="nothing is left of 990 ms"):
            index.find(990, uri="clip")

    def test_beyond_what_was_promised(self) -> None:
        """
        A moment that even the whole file would not have is no fault of the cut.
        """
        clip = faststart(encode(PICTURES, **x264(g="12")))

        with pytest.raises(TimestampError):
            index_of(clip[: len(clip) * 7 // 10]).find(60_000)


class TestValues:
    def test_pickle_and_repr(self) -> None:
        """
        An index is a value; its text shows no lists.
        """
        index = even(120, 30)

        assert pickle.loads(pickle.dumps(index)) == index  # noqa: S301
        assert "times=<120>" in repr(index)

    def test_origin_is_checked(self) -> None:
        """
        A misspelled origin is refused, with what is allowed.
        """
        with pytest.raises(ArgumentError) as caught:
            index_of(b"", origin="start")

        reason = "expected 'first_frame' or 'container', got 'start'"
        assert caught.value == ArgumentError("origin", reason)
