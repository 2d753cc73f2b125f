"""
Damaged files: what is left is used, what cannot be trusted is called so.
"""

from __future__ import annotations

import io
import random
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest

from framekit.decoding.video.mask_video import MaskFrame, MaskVideo
from framekit.errors import (
    DecodeWarning,
    FramekitError,
    MissingFileError,
    TimestampError,
    UnreadableMaskError,
)
from tests.clips import PALETTE, encode, faststart, kinds, paint, remux, scene, x264

SCENE = scene(30)
PICTURES = [paint(ids) for ids in SCENE]
MOMENTS = [n * 1000 // 30 for n in range(30)]

#: Kinds of files in which a cut cannot be seen at every place: they have no table,
#: no size and no end mark.
OPEN_ENDED = ("ps", "flv", "ivf", "nut")


@cache
def clip(**options: str) -> bytes:
    """
    A lossy clip with short GOPs.
    """
    return encode(PICTURES, **x264(g="10", bf="2", **options))


def video_of(clip: bytes, **options: Any) -> MaskVideo:
    """
    A clip in memory as a video.
    """
    return MaskVideo(io.BytesIO(clip), PALETTE, uri="clip", **options)


def packets(clip: bytes) -> list[tuple[int, int]]:
    """
    The place and size of each packet in an MP4 file.
    """
    import av

    with av.open(io.BytesIO(clip), "r") as container:
        found = [(p.pos or 0, p.size) for p in container.demux(video=0)]
    return [(place, size) for place, size in found if size]


class TestNoVideo:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "the file is empty"),
            (b"junk" * 500, "no video that can be read"),
            (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG image, no video"),
            (b"\xff\xd8\xff\xe0" + bytes(100), "a JPEG image, no video"),
            (clip()[: len(clip()) // 2], "no video that can be read"),
        ],
        ids=["empty", "junk", "png", "jpeg", "no moov"],
    )
    def test_reasons(self, content: bytes, reason: str) -> None:
        """
        A file that is no video says what it is, or why it cannot be read.
        """
        with pytest.raises(UnreadableMaskError, match=reason) as caught:
            video_of(content).at(0)

        assert caught.value.uri == "clip"
        each = dict(video_of(content).at_each([0, 33]))
        assert each == {0: caught.value, 1: caught.value}

    def test_no_frames(self) -> None:
        """
        A video without frames is none.
        """
        empty = encode(PICTURES[:2], **x264(), container="matroska")

        with pytest.raises(UnreadableMaskError):
            video_of(remux(empty, "matroska", keep=lambda _n, _: False)).at(0)

    def test_missing_file(self) -> None:
        """
        Each moment in a missing file is that same error.
        """
        each = dict(MaskVideo("no.mp4", PALETTE).at_each([0, 33]))

        assert {type(error) for error in each.values()} == {MissingFileError}


class TestCut:
    def test_early_moments_are_fine(self) -> None:
        """
        Of a file cut in the middle the early frames are right, late ones errors.
        """
        whole = faststart(clip())
        start = whole.find(b"mdat")
        part = whole[: start + (len(whole) - start) * 6 // 10]

        found = dict(video_of(part).at_each(MOMENTS))

        right = [n for n, item in found.items() if isinstance(item, MaskFrame)]
        errors = {type(e) for e in found.values() if not isinstance(e, MaskFrame)}
        assert right == list(range(len(right)))
        assert 10 <= len(right) < 25
        assert errors == {UnreadableMaskError}
        whole_video = video_of(whole)
        for n in right:
            item = found[n]
            assert isinstance(item, MaskFrame)
            expected = whole_video.at(MOMENTS[n])
            assert np.array_equal(item.label_map.ids, expected.label_map.ids)

    def test_iteration_does_not_just_end(self) -> None:
        """
        Iteration over a cut file is an error at its end; or a warning, or silence.
        """
        part = faststart(clip())[: len(clip()) * 7 // 10]

        got: list[MaskFrame] = []
        with pytest.raises(UnreadableMaskError):
            got.extend(video_of(part))
        with pytest.warns(DecodeWarning, match="damage") as caught:
            warned = list(video_of(part, on_corrupt="warn"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ignored = list(video_of(part, on_corrupt="ignore"))

        assert len(caught) == 1
        assert 0 < len(got) <= len(warned) == len(ignored) < 30

    @pytest.mark.parametrize("kind", kinds(30))
    def test_at_every_tenth(self, kind: str) -> None:
        """
        Cut anywhere, a file of any kind is an error at the latest at its end.
        """
        if {*kind.split()} & {"trimmed", "joined", *OPEN_ENDED}:
            pytest.skip("it may be whole, or its format has no end")
        whole = kinds(30)[kind]()

        for tenth in range(1, 10):
            with pytest.raises(FramekitError):
                list(video_of(whole[: len(whole) * tenth // 10]))


class TestTaint:
    def damaged(self) -> tuple[bytes, int]:
        """
        A clip whose 13th packet, in the second of three GOPs, is overwritten.
        """
        broken = bytearray(clip())
        place, size = packets(clip())[12]
        broken[place + 5 : place + size] = bytes(size - 5)
        return bytes(broken), 12

    def test_until_the_next_keyframe(self) -> None:
        """
        Frames from the damage to the next keyframe are tainted, others are not.
        """
        broken, _ = self.damaged()

        items = {item.index: item for item in video_of(broken, on_corrupt="ignore")}

        tainted = [n for n, item in items.items() if item.tainted]
        assert tainted
        assert min(tainted) >= 10
        assert max(tainted) <= 19
        assert all(items[n].label_map.report.tainted for n in tainted)
        clean = [n for n in items if n < 10 or n >= 20]
        assert len(clean) == 20
        expected = list(video_of(clip()))
        for n, item in items.items():
            if not item.tainted:
                ids = item.label_map.ids
                assert np.array_equal(ids, expected[n].label_map.ids)

    def test_by_moment(self) -> None:
        """
        By default only the damaged moments are errors.
        """
        broken, _ = self.damaged()
        iterated = list(video_of(broken, on_corrupt="ignore"))
        fine = [item.index for item in iterated if not item.tainted]

        found = dict(video_of(broken).at_each(MOMENTS))

        for n in fine:
            assert isinstance(found[n], MaskFrame)
        errors = [n for n, item in found.items() if not isinstance(item, MaskFrame)]
        alone = [dict(video_of(broken).at_each([moment]))[0] for moment in MOMENTS]
        assert [type(item) for item in alone] == [type(found[n]) for n in range(30)]
        assert errors
        assert set(errors) <= set(range(10, 20))
        assert all(isinstance(found[n], UnreadableMaskError) for n in errors)

    def test_policies(self) -> None:
        """
        A damaged moment raises, or comes tainted with one warning, or silently.
        """
        broken, _ = self.damaged()
        found = dict(video_of(broken).at_each(MOMENTS))
        bad = next(n for n, item in found.items() if not isinstance(item, MaskFrame))
        tainted = video_of(broken, on_corrupt="ignore")
        usable = [
            item.index for item in video_of(broken, on_corrupt="ignore") if item.tainted
        ]

        with pytest.raises(UnreadableMaskError, match=r"cannot be decoded|damaged at"):
            video_of(broken).at(MOMENTS[bad])
        item = tainted.at(MOMENTS[usable[0]])
        warned = video_of(broken, on_corrupt="warn")
        with pytest.warns(DecodeWarning, match="damage"):
            warned.at(MOMENTS[usable[0]])
        again = warned.at(MOMENTS[usable[0]])  # a second warning would be an error

        assert item.tainted
        assert again.tainted


class TestFuzz:
    @pytest.mark.parametrize("kind", kinds(12))
    def test_flipped_bits(self, kind: str) -> None:
        """
        Whatever bits are flipped: labels, or an error of ours.
        """
        whole = kinds(12)[kind]()
        for seed in range(4):
            chance = random.Random(f"{kind} {seed}")  # noqa: S311 (no secret)
            broken = bytearray(whole)
            for _ in range(chance.choice([1, 4, 40]) if whole else 0):
                broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)

            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DecodeWarning)
                video = video_of(bytes(broken), on_corrupt="ignore")
                found = dict(video.at_each([0, 100, 300]))

            for item in found.values():
                assert isinstance(item, (MaskFrame, FramekitError))

    def test_error_of_one_moment(self) -> None:
        """
        A moment that is out of range stays that, also where a file is damaged.
        """
        found = dict(video_of(clip()).at_each([10**9]))

        assert isinstance(found[0], TimestampError)
