"""
Which frame of a video is shown at a moment.

Containers count in ticks of their own and start where they like; frame JSON says
whole milliseconds since the first frame, mostly rounded down (33 for the second
frame at 30 frames a second). In between there is exact arithmetic, and one
millisecond of tolerance.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from itertools import pairwise
from math import isfinite
from numbers import Rational, Real
from statistics import median_low
from typing import Any, Final, Literal, NamedTuple, get_args

from attrs import evolve, field, frozen

from framekit.decoding.video._av import VideoFile
from framekit.decoding.video.media import Media
from framekit.decoding.video.packets import Damage, Packet
from framekit.decoding.video.reader import breaks_off
from framekit.errors import ArgumentError, TimestampError, UnreadableMaskError

__all__ = ["FrameIndex", "Gap", "Match", "Origin", "as_milliseconds", "index_video"]

#: Which frame belongs to a moment: the one on screen, the nearest one, or only
#: one that starts there.
Match = Literal["display", "nearest", "exact"]

#: What time 0 is: the first frame, or what the container says.
Origin = Literal["first_frame", "container"]

_MILLISECOND: Final = Fraction(1, 1000)

#: Formats whose header says how long the file is meant to be.
_PROMISING: Final = ("mov", "matroska", "avi", "flv")


class Gap(NamedTuple):
    """
    A stretch of time in which frames seem to be missing.
    """

    #: The frames around it, in ms.
    after: float
    before: float


@frozen
class FrameIndex:
    """
    The times of all frames that are displayed, in ticks, sorted.
    """

    times: tuple[int, ...] = field(repr=lambda times: f"<{len(times)}>")

    #: The times of keyframes; also of those that are not displayed.
    keys: tuple[int, ...] = field(repr=lambda keys: f"<{len(keys)}>")

    #: A tick, in seconds.
    tick: Fraction

    #: The tick that timestamps count from.
    origin: int

    #: Where the last frame ends.
    end: int

    #: Whether frames are counted from the beginning of the file, because their
    #: pts are missing, repeated or wrong. Ticks are then frames.
    linear: bool = False

    #: Why the file ends before it should, if it does.
    broken: str | None = None

    #: Where it should end; None if that is not known.
    promised_end: int | None = None

    #: The pts of what may be cut off in the middle.
    cut: int | None = None

    def __len__(self) -> int:
        return len(self.times)

    def timestamp(self, position: int) -> Fraction:
        """
        When frame *position* appears, in ms.
        """
        return self._milliseconds(self.times[position])

    @property
    def start_ms(self) -> Fraction:
        """
        When the first frame appears, in ms.
        """
        return self._milliseconds(self.times[0])

    @property
    def end_ms(self) -> Fraction:
        """
        When the last frame ends, in ms.
        """
        return self._milliseconds(self.end)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """
        Where frames seem to be missing: longer than 1.5 of the usual interval.

        Empty for videos without a usual interval.
        """
        intervals = [after - before for before, after in pairwise(self.times)]
        if len(intervals) < 4:
            return ()
        usual = median_low(intervals)
        near = sum(abs(interval - usual) * 4 <= usual + 4 for interval in intervals)
        if near * 4 < len(intervals) * 3:
            return ()
        return tuple(
            Gap(float(self.timestamp(n)), float(self.timestamp(n + 1)))
            for n, interval in enumerate(intervals)
            if interval * 2 > usual * 3 and (interval - usual) * self.tick * 1000 > 2
        )

    def position_of(self, pts: int | None) -> int | None:
        """
        The frame whose time is *pts*, if there is one.
        """
        if pts is None:
            return None
        position = bisect_left(self.times, pts)
        if position < len(self.times) and self.times[position] == pts:
            return position
        return None

    def find(self, timestamp: Any, *, match: Match = "display", uri: str = "") -> int:
        """
        The position of the frame that belongs to *timestamp*, in ms.

        ``display`` takes the last frame that has begun 1 ms after it, ``nearest``
        the nearest (of two the earlier), ``exact`` one that begins within 1 ms.

        Raises:
            TimestampError: If it lies outside the video, or no frame matches; the
                message names the valid range.
            UnreadableMaskError: If the file breaks off before it.
            ArgumentError: If it is no number.
        """
        asked = as_milliseconds(timestamp)
        time = asked / 1000 / self.tick + self.origin
        slack = self._slack
        if time + slack < self.times[0] or time >= self.end:
            raise self._outside(timestamp, time, uri)
        position = max(bisect_right(self.times, time + slack) - 1, 0)
        if position and self.times[position - 1] == time:
            return position - 1
        if match == "display":
            return position
        around = range(max(position - 1, 0), min(position + 2, len(self.times)))
        nearest = min(around, key=lambda n: abs(self.times[n] - time))
        if match == "exact" and abs(self.times[nearest] - time) > slack:
            begins = float(self.timestamp(nearest))
            reason = f"no frame begins there; the nearest begins at {begins:g} ms"
            raise TimestampError(uri, timestamp, reason)
        return nearest

    def _outside(
        self, timestamp: Any, time: Fraction, uri: str
    ) -> TimestampError | UnreadableMaskError:
        end = float(self.end_ms)
        if self.broken is not None and time >= self.end:
            promised = self.promised_end
            if promised is None or time < promised:
                reason = f"{self.broken}; nothing is left of {timestamp} ms"
                return UnreadableMaskError(uri, reason)
        reason = f"the video has {float(self.start_ms):g} to {end:g} ms"
        return TimestampError(uri, timestamp, reason)

    @property
    def _slack(self) -> Fraction:
        """
        The tolerance in ticks.

        Timestamps are whole milliseconds, and containers round times to ticks.
        """
        rounding = Fraction(0) if self.linear else min(self.tick / 2, _MILLISECOND)
        return (_MILLISECOND + rounding) / self.tick

    def _milliseconds(self, ticks: int) -> Fraction:
        return (ticks - self.origin) * self.tick * 1000


def as_milliseconds(timestamp: Any) -> Fraction:
    """
    Read a number of milliseconds exactly.

    Raises:
        ArgumentError: If it is no finite number.
    """
    if isinstance(timestamp, Rational) and not isinstance(timestamp, bool):
        return Fraction(int(timestamp.numerator), int(timestamp.denominator))
    if isinstance(timestamp, Real) and not isinstance(timestamp, bool):
        number = float(timestamp)
        if isfinite(number):
            return Fraction(number)
    reason = f"expected a finite number of milliseconds, got {timestamp!r}"
    raise ArgumentError("timestamp", reason)


def index_video(media: Media, *, origin: Origin = "first_frame") -> FrameIndex:
    """
    Read the times of all displayed frames, without decoding any where possible.

    Raises:
        UnreadableMaskError: If it is no video, or none of its frames can be read.
    """
    if origin not in get_args(Origin):
        expected = " or ".join(map(repr, get_args(Origin)))
        raise ArgumentError("origin", f"expected {expected}, got {origin!r}")
    with media.open_video() as video:
        found = _Scan(video)
        index = None if found.is_linear(video) else found.index(video)
    if index is None:
        index = _linear_index(media, found)
    if not index.times:
        raise UnreadableMaskError(media.uri, found.broken or "it has no frames")
    return index if origin == "first_frame" else evolve(index, origin=0)


class _Scan:
    """
    What one pass over the packets of a stream finds.
    """

    def __init__(self, video: VideoFile) -> None:
        self.broken: str | None = None
        self.count = 0
        self.cut: int | None = None
        self.shown: list[int] = []
        self.keys: list[int] = []
        self.regular = True
        self.last_duration = 0
        last: tuple[int, int] | None = None
        last_dts: int | None = None
        video.leave_out_frames()
        for packet in video.packets():
            if isinstance(packet, Damage):
                self.broken = f"the file is damaged: {packet.reason}"
                continue
            self.count += 1
            last_dts = self._check_order(packet, last_dts)
            if packet.pts is None:
                self.regular = False
                continue
            if packet.is_keyframe:
                self.keys.append(packet.pts)
            if not packet.is_discard:
                self.shown.append(packet.pts)
                last = max(last or (packet.pts, 0), (packet.pts, packet.duration))
            self.cut = packet.pts
        self.last_duration = last[1] if last else 0
        self.broken = self.broken or breaks_off(video.reader, video.format)

    def _check_order(self, packet: Packet, before: int | None) -> int | None:
        if packet.dts is None:
            return before
        if before is not None and packet.dts < before:
            self.regular = False  # joined files, whose times start again
        return packet.dts

    def is_linear(self, video: VideoFile) -> bool:
        # AVI stores no pts, and FFmpeg's are wrong where frames are reordered.
        avi = video.format == "avi" and video.codec in ("h264", "hevc")
        repeated = len(set(self.shown)) != len(self.shown)
        return avi or not self.regular or repeated or not self.keys

    def index(self, video: VideoFile) -> FrameIndex:
        times = sorted(self.shown)
        if not times:
            return FrameIndex((), (), video.tick, 0, 0)
        length = self.last_duration or _usual(times, video)
        keys = sorted(self.keys)
        if video.format in ("gif", "apng"):
            keys = keys[:1]  # a frame is painted onto the ones before it
        end = times[-1] + length
        promised = None
        if video.frames_in_header > self.count:
            missing = f"{self.count} of {video.frames_in_header} frames are there"
            self.broken = self.broken or f"the file breaks off: {missing}"
        promised = self._promised_end(video, times[0])
        return FrameIndex(
            tuple(times),
            tuple(keys),
            video.tick,
            times[0],
            end,
            broken=self.broken,
            promised_end=promised if self.broken else None,
            cut=self.cut if self.broken else None,
        )

    @staticmethod
    def _promised_end(video: VideoFile, start: int) -> int | None:
        seconds = video.seconds_in_header
        if seconds is None or not video.format.startswith(_PROMISING):
            return None
        # Matroska counts from 0, MP4 from the first frame.
        from_zero = video.format.startswith("matroska")
        return int(seconds / video.tick) + (0 if from_zero else start)


def _usual(times: list[int], video: VideoFile) -> int:
    if len(times) > 1:
        return median_low([after - before for before, after in pairwise(times)])
    return max(int(1 / (video.rate or 30) / video.tick), 1)


def _linear_index(media: Media, found: _Scan) -> FrameIndex:
    """
    Count the frames by decoding them, at the rate that the header has.
    """
    with media.open_video() as video:
        rate = video.rate or Fraction(30)
        count = 0
        for item in video.frames():
            if isinstance(item, Damage):
                if item.lost:
                    found.broken = f"the file is damaged: {item.reason}"
            else:
                count += 1
    return FrameIndex(
        tuple(range(count)), (0,), 1 / rate, 0, count, linear=True, broken=found.broken
    )
