"""
From positions in the index to decoded frames, in one pass over the file.

What is decoded at a position does not depend on how it was reached. FFmpeg's seek
may land after the frame that was asked for (open GOPs, recovery points, MPEG-TS),
so each jump goes to a keyframe's own pts, the keyframe is looked for among the
first frames that come out, and if it is missing the jump is repeated a keyframe
earlier.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from attrs import field, frozen

from framekit.decoding.video._av import Frame, VideoFile
from framekit.decoding.video.index import FrameIndex
from framekit.decoding.video.media import Media
from framekit.decoding.video.packets import Damage

__all__ = ["Decoded", "decode_all", "decode_opened", "decode_some"]


@frozen
class Decoded:
    """
    One frame as it came out of the decoder, or none if it did not.
    """

    position: int
    frame: Frame | None = field(repr=False)

    #: Why the pixels cannot be trusted: damage in it or before it.
    tainted: str | None = None


def decode_all(
    media: Media, index: FrameIndex, *, threads: int = 1
) -> Generator[Decoded, None, None]:
    """
    Decode all frames in order, holding one at a time.

    Frames that do not come out are passed over in their place.
    """
    with media.open_video(threads=threads) as video:
        yield from decode_opened(video, index)


def decode_opened(
    video: VideoFile, index: FrameIndex
) -> Generator[Decoded, None, None]:
    """
    The same from a file that was opened just now.
    """
    if index.linear:
        yield from _count(video, range(len(index)))
        return
    run = _Run(video, index, range(len(index)), seek_to=None)
    with closing(run.frames()) as frames:
        yield from frames
    for position in run.missing():
        yield Decoded(position, None, run.reason)


def decode_some(
    media: Media, index: FrameIndex, positions: Iterable[int]
) -> Generator[Decoded, None, None]:
    """
    Decode the frames at *positions*, each once, in the order of time.

    Neighboring GOPs are decoded in one run; frames in between that nobody refers
    to are left out where that changes nothing.
    """
    wanted = sorted(set(positions))
    if not wanted:
        return
    with media.open_video() as video:
        if index.linear:
            yield from _count(video, wanted)
            return
        for run in _runs(index, wanted):
            yield from _decode_run(video, media, index, run)


def _count(video: VideoFile, wanted: Iterable[int]) -> Iterator[Decoded]:
    """
    Decode from the beginning, counting. What was lost shifts all that follows.
    """
    targets = iter(wanted)
    target = next(targets, None)
    position = 0
    lost = damage = None
    marked: dict[int | None, Damage] = {}
    for item in video.frames():
        if isinstance(item, Damage):
            if item.lost or item.pts is None:
                lost = damage = lost or item.reason
            else:
                marked[item.pts] = item
            continue
        if item.key_frame:
            damage = lost
        mark = marked.pop(item.pts, None)
        reason = damage or (mark.reason if mark else None)
        if mark and not mark.isolated:
            damage = reason
        if position == target:
            yield Decoded(position, item, reason)
            target = next(targets, None)
        if target is None:
            return
        position += 1
    while target is not None:
        yield Decoded(target, None, damage)
        target = next(targets, None)


def _runs(index: FrameIndex, wanted: list[int]) -> Iterator[list[int]]:
    """
    Group positions so that between two groups at least one GOP can be left out.
    """
    run: list[int] = []
    before = -2
    for position in wanted:
        gop = bisect_right(index.keys, index.times[position]) - 1
        if run and gop > before + 1:
            yield run
            run = []
        run.append(position)
        before = gop
    yield run


def _decode_run(
    video: VideoFile, media: Media, index: FrameIndex, run: list[int]
) -> Iterator[Decoded]:
    key = bisect_right(index.keys, index.times[run[0]]) - 1
    step = 1
    while key >= 0 and video.seek(index.keys[key]):
        attempt = _Run(video, index, run, seek_to=index.keys[key])
        with closing(attempt.frames()) as frames:
            yield from frames
        if attempt.landed:
            yield from _lost(attempt)
            return
        key -= step
        step *= 2
    # Before the first keyframe there is only the beginning of the file.
    with media.open_video() as again:
        attempt = _Run(again, index, run, seek_to=None)
        with closing(attempt.frames()) as frames:
            yield from frames
        yield from _lost(attempt)


def _lost(run: _Run) -> Iterator[Decoded]:
    for position in run.missing():
        yield Decoded(position, None, run.reason)


class _Run:
    """
    One pass from a keyframe, or from the beginning, over some positions.

    The reason for this being a class is that damage, once seen, outlives frames:
    what follows it is tainted until the next keyframe on the time axis, so that
    frames shown before that keyframe but decoded after it are tainted, too.
    """

    def __init__(
        self,
        video: VideoFile,
        index: FrameIndex,
        positions: Iterable[int],
        *,
        seek_to: int | None,
    ) -> None:
        self._video = video
        self._index = index
        self._positions = list(positions)
        self._times = [index.times[position] for position in self._positions]
        self._wanted = frozenset(self._times)
        self._skips = video.can_skip and len(self._positions) < len(index)
        self._start = seek_to
        self._next = 0
        #: Whether decoding began where it should have.
        self.landed = seek_to is None
        #: What was damaged first, if anything.
        self.reason: str | None = None
        self._taint: str | None = None
        #: Of damage: its place in the order of decoding, and the keyframe after it.
        self._tainted_from = 0
        self._tainted_before: int | None = None
        self._isolated: dict[int, str] = {}
        self._expected: set[int] = set()
        self._order: dict[int, int] = {}
        self._fed = 0

    def missing(self) -> list[int]:
        """
        The positions that did not come out.
        """
        return self._positions[self._next :]

    def frames(self) -> Generator[Decoded, None, None]:
        """
        Yield the frames that come out, and those that are passed over.
        """
        with closing(self._video.frames(self._is_wanted)) as items:
            for item in items:
                if isinstance(item, Damage):
                    self._note(item)
                    continue
                if item.pts is None:
                    continue
                if not self.landed and not self._lands(item.pts):
                    return
                if not self.landed:
                    continue
                self._note_absent(item.pts)
                yield from self._deliver(item, item.pts)
                if self._next == len(self._positions):
                    return

    def _is_wanted(self, pts: int | None, alone: bool) -> bool:  # noqa: FBT001
        self._fed += 1
        if pts is None:
            return True
        self._order[pts] = self._fed
        if not alone:
            self._expected.add(pts)
        return not self._skips or pts in self._wanted or pts == self._start

    def _note_absent(self, pts: int) -> None:
        """
        Take frames before *pts* that others refer to, and that did not come, for lost.
        """
        self._expected.discard(pts)
        for absent in sorted(time for time in self._expected if time < pts):
            self._expected.discard(absent)
            if self._index.position_of(absent) is not None:
                self._note(Damage(absent, "a frame before it cannot be decoded"))

    def _lands(self, pts: int) -> bool:
        """
        Whether it can still be that decoding began at the keyframe.
        """
        if self._start is None or pts < self._start:
            return True
        shown = self._index.position_of(self._start) is not None
        self.landed = pts == self._start or (not shown and pts <= self._times[0])
        return self.landed

    def _deliver(self, frame: Frame, pts: int) -> Iterator[Decoded]:
        while self._next < len(self._times) and self._times[self._next] < pts:
            time = self._times[self._next]
            yield Decoded(self._positions[self._next], None, self._reason_at(time))
            self._next += 1
        if self._next < len(self._times) and self._times[self._next] == pts:
            yield Decoded(self._positions[self._next], frame, self._reason_at(pts))
            self._next += 1

    def _note(self, damage: Damage) -> None:
        pts, reason = damage.pts, damage.reason
        if pts is not None and self._start is not None and pts < self._start:
            return  # belongs to the GOP before, whose frames are not complete here
        self.reason = self.reason or reason
        if damage.isolated and pts is not None:
            self._isolated[pts] = reason
            return
        keys = self._index.keys
        if pts is None:
            pts = self._times[min(self._next, len(self._times) - 1)]
        after = bisect_right(keys, pts)
        until = keys[after] if after < len(keys) else None
        here = self._order.get(pts, self._fed)
        if self._taint is None:
            self._tainted_from, self._tainted_before = here, until
        else:
            self._tainted_from = min(self._tainted_from, here)
            if until is None or self._tainted_before is None:
                self._tainted_before = None
            else:
                self._tainted_before = max(until, self._tainted_before)
        self._taint = reason

    def _reason_at(self, pts: int) -> str | None:
        if self._tainted_before is not None and pts >= self._tainted_before:
            self._taint = self._tainted_before = None
        order = self._order.pop(pts, self._fed)
        if pts in self._isolated:
            return self._isolated.pop(pts)
        if self._taint is not None and order >= self._tainted_from:
            return self._taint
        return self._index.broken if pts == self._index.cut else None
