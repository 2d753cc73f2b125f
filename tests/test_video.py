"""
Mask videos as their users see them.
"""

from __future__ import annotations

import io
import pickle
import threading
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framekit.decoding.video.index import Gap
from framekit.decoding.video.mask_video import MaskFrame, MaskVideo
from framekit.errors import (
    ArgumentError,
    DecodeWarning,
    MissingFileError,
    PaletteError,
    StorageError,
    TimestampError,
    UnknownColorError,
    UnreadableMaskError,
)
from framekit.palette import Palette
from framekit.storage import Storage
from tests.clips import COLORS, PALETTE, encode, paint, remux, scene, x264
from tests.test_planes import MATRICES

SCENE = scene(30)
PICTURES = [paint(ids) for ids in SCENE]
LOSSLESS = encode(PICTURES, options={"qp": "0", "g": "10"})
SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "crossing"


def video_of(clip: bytes, palette: Palette = PALETTE, **options: Any) -> MaskVideo:
    """
    A clip in memory as a video.
    """
    return MaskVideo(io.BytesIO(clip), palette, uri="clip", **options)


def wrong(item: MaskFrame) -> float:
    """
    The share of wrong pixels of a frame of the scene.
    """
    return float((item.label_map.ids != SCENE[item.index]).mean())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    The lossless clip in a file.
    """
    file = tmp_path / "mask.mp4"
    file.write_bytes(LOSSLESS)
    return file


class TestAccess:
    def test_iteration(self) -> None:
        """
        All frames in order, each with its time.
        """
        items = list(video_of(LOSSLESS))

        assert [item.index for item in items] == list(range(30))
        assert [wrong(item) for item in items] == [0.0] * 30
        assert [item.exact_timestamp for item in items] == [
            Fraction(n * 1000, 30) for n in range(30)
        ]
        assert {item.delta_ms for item in items} == {0.0}
        assert {item.label_map.ids.dtype.name for item in items} == {"uint8"}

    def test_at(self) -> None:
        """
        A moment gives the frame on screen and how much later the moment is.
        """
        item = video_of(LOSSLESS).at(50)

        assert (item.index, wrong(item), item.tainted) == (1, 0.0, False)
        assert item.timestamp == pytest.approx(100 / 3)
        assert item.delta_ms == pytest.approx(50 / 3)
        assert item.label_map.report.delta_ms == item.delta_ms

    def test_at_many(self) -> None:
        """
        Input order and duplicates are kept; duplicates do not share memory.
        """
        items = video_of(LOSSLESS).at_many([500, 33, 66, 33, 0])

        assert [item.index for item in items] == [15, 1, 2, 1, 0]
        assert [wrong(item) for item in items] == [0.0] * 5
        assert not np.shares_memory(items[1].label_map.ids, items[3].label_map.ids)

    def test_at_many_outside(self) -> None:
        """
        One moment outside is an error that names it and the range.
        """
        with pytest.raises(TimestampError) as caught:
            video_of(LOSSLESS).at_many([0, 1234567889])

        reason = "the video has 0 to 1000 ms"
        assert caught.value == TimestampError("clip", 1234567889, reason)

    def test_at_each(self) -> None:
        """
        Each moment has its frame or its error, with its place.
        """
        found = dict(video_of(LOSSLESS).at_each([900, -50, 0, 5000, 900]))

        kinds = {place: type(item).__name__ for place, item in found.items()}
        assert kinds == {
            0: "MaskFrame",
            1: "TimestampError",
            2: "MaskFrame",
            3: "TimestampError",
            4: "MaskFrame",
        }

    def test_at_each_with_palettes(self) -> None:
        """
        Each moment may have a palette of its own; one that is refused is one error.
        """
        two = Palette({COLORS[0]: "a", COLORS[1]: "b"})
        none = Palette.indexed({1 << 30: "never"})

        palettes = [PALETTE, two, none]
        found = dict(video_of(LOSSLESS).at_each([0, 0, 0], palettes=palettes))

        first, second, third = (found[n] for n in range(3))
        assert isinstance(first, MaskFrame)
        assert isinstance(second, MaskFrame)
        assert first.label_map.report.unknown_pixels == 0
        assert second.label_map.palette == two
        assert second.label_map.report.unknown_pixels == (SCENE[0] > 1).sum()
        assert isinstance(third, PaletteError)

    def test_one_palette_for_each(self) -> None:
        """
        As many palettes as moments are needed.
        """
        with pytest.raises(ArgumentError, match="expected 2, one for each moment"):
            video_of(LOSSLESS).at_each([0, 33], palettes=[PALETTE])

    def test_history_does_not_matter(self) -> None:
        """
        A lossy frame is the same after any other frame, and with more threads.
        """
        clip = encode(PICTURES, **x264(g="10", bf="3"))
        expected = [item.label_map for item in video_of(clip)]

        video = video_of(clip)
        order = [29, 3, 3, 17, 0, 28]
        items = [video.at(n * 1000 / 30) for n in order]
        threaded = list(video_of(clip, threads=4))

        for n, item in zip(order, items, strict=True):
            assert np.array_equal(item.label_map.ids, expected[n].ids)
        for item in threaded:
            assert np.array_equal(item.label_map.ids, expected[item.index].ids)

    def test_held_label_maps_are_copies(self) -> None:
        """
        A label map keeps no decoded frame alive.
        """
        ids = video_of(LOSSLESS).at(0).label_map.ids

        assert ids.base is None
        assert ids.flags.owndata
        assert ids.flags.c_contiguous

    def test_metadata(self) -> None:
        """
        What the file says; counted where it can be counted.
        """
        video = video_of(encode(PICTURES, **x264(), container="matroska"))
        found = video.metadata

        assert (found.codec, found.container) == ("h264", "matroska,webm")
        assert (found.width, found.height, found.frames) == (96, 64, 30)
        assert found.duration_ms == pytest.approx(1000, abs=1)
        assert (found.pixel_format, found.rotation) == ("yuv420p", 0)
        assert (found.frames_in_header, found.frame_rate_guess) == (None, 30.0)
        assert (found.linear, found.broken) == (False, None)
        assert len(video) == len(video.index) == 30


class TestFiles:
    def test_path_and_storage(self, path: Path) -> None:
        """
        Paths may be text, and relative to a storage's root.
        """
        found = [
            MaskVideo(path, PALETTE).at(0),
            MaskVideo(str(path), PALETTE).at(0),
            MaskVideo("mask.mp4", PALETTE, storage=Storage(path.parent)).at(0),
        ]

        assert [wrong(item) for item in found] == [0.0] * 3

    def test_outside_the_root(self, path: Path) -> None:
        """
        A path that leads out of the root is not opened.
        """
        storage = Storage(path.parent / "elsewhere")

        with pytest.raises(StorageError, match="leads outside"):
            MaskVideo(str(path), PALETTE, storage=storage).at(0)

    def test_missing(self, tmp_path: Path) -> None:
        """
        A missing file is found out when it is needed, by each of those who ask.
        """
        video = MaskVideo(tmp_path / "none.mp4", PALETTE)

        with pytest.raises(MissingFileError):
            video.at(0)
        with pytest.raises(FileNotFoundError):
            list(video)

    def test_pickle(self, path: Path) -> None:
        """
        A video from a path can be sent to a process, before and after use.
        """
        video = MaskVideo(path, PALETTE, unknown="error", threads=2)
        fresh = pickle.loads(pickle.dumps(video))  # noqa: S301
        expected = video.at(33)
        used = pickle.loads(pickle.dumps(video))  # noqa: S301

        for copy in (fresh, used):
            assert np.array_equal(copy.at(33).label_map.ids, expected.label_map.ids)

    def test_pickle_of_a_file(self) -> None:
        """
        A video from an open file cannot; the message says what to do.
        """
        with pytest.raises(ArgumentError, match="give its path"):
            pickle.dumps(video_of(LOSSLESS))

    def test_what_is_no_file(self) -> None:
        """
        Anything but a path or a binary file is refused.
        """
        for value in (3, None, b"bytes", [1]):
            with pytest.raises(ArgumentError, match="expected a path"):
                MaskVideo(value, PALETTE)

    def test_file_that_fails(self) -> None:
        """
        Whatever a caller's file raises is a storage error.
        """

        class Failing(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise RuntimeError(f"the wire is cut after {size}")

        with pytest.raises(StorageError, match="the wire is cut"):
            MaskVideo(Failing(LOSSLESS), PALETTE).at(0)

    def test_nothing_stays_open(self, path: Path) -> None:
        """
        Neither finished work nor an abandoned iterator leaves a file or thread.
        """

        def resources() -> tuple[int, int]:
            return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

        before = resources()
        for _ in range(100):
            with MaskVideo(path, PALETTE) as video:
                video.at(0)
                iterator = iter(video)
                next(iterator)
                each = video.at_each([0, 500, 900])
                next(each)
            assert resources() == before

    def test_use_after_close(self, path: Path) -> None:
        """
        Closing ends what runs, and no more.
        """
        video = MaskVideo(path, PALETTE)
        iterator = iter(video)
        next(iterator)

        video.close()

        assert list(iterator) == []
        assert video.at(33).index == 1

    @pytest.mark.skipif(not SAMPLE.exists(), reason="needs the samples")
    def test_the_sample(self) -> None:
        """
        The sample's lossless mask video has no wrong pixel.
        """
        import json

        rows = json.loads((SAMPLE / "truth" / "classes.json").read_text())["front_seg"]
        palette = Palette([(tuple(row["color"]), row["labels"]) for row in rows])
        truth = sorted((SAMPLE / "truth" / "front_seg").iterdir())

        with MaskVideo(SAMPLE / "media" / "front_seg.mp4", palette) as video:
            for item in video:
                with Image.open(truth[item.index]) as image:
                    assert np.array_equal(item.label_map.ids, np.asarray(image))


class TestOptions:
    @pytest.mark.parametrize(
        ("option", "value", "expected"),
        [
            ("mode", "best", "'full' or 'fast' or 'nearest'"),
            ("unknown", "raise", "'void' or 'error' or 'nearest'"),
            ("uncertain", None, "'keep' or 'void'"),
            ("on_corrupt", "skip", "'raise' or 'warn' or 'ignore'"),
            ("origin", 0, "'first_frame' or 'container'"),
            ("match", "last", "'display' or 'nearest' or 'exact'"),
            ("alpha", "opacity", "'ignore' or 'void'"),
            ("threads", 0, "a whole number from 1 to 64"),
            ("threads", True, "a whole number from 1 to 64"),
            ("colorspace", "bt709", "'auto', 'tag' or a pair"),
            ("colorspace", ("bt709", "tv"), "['full', 'limited']"),
        ],
    )
    def test_checked_before_anything_is_opened(
        self, option: str, value: Any, expected: str
    ) -> None:
        """
        A value that is not allowed is refused at once, with those that are.
        """
        with pytest.raises(ArgumentError) as caught:
            MaskVideo("no such file", PALETTE, **{option: value})

        assert caught.value.argument == option
        assert expected in caught.value.reason

    def test_palette(self) -> None:
        """
        A palette is a Palette.
        """
        with pytest.raises(ArgumentError, match="expected a Palette, got dict"):
            MaskVideo("no such file", {(0, 0, 0): "a"})  # type: ignore[arg-type]


class TestTurned:
    @pytest.mark.parametrize("name", MATRICES)
    def test_labels_are_turned(self, name: str) -> None:
        """
        Labels are seen as the file asks for, or, on request, as they are stored.
        """
        (a, b, c, d), orientation = MATRICES[name]
        clip = bytearray(LOSSLESS)
        identity = [1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30]
        matrix = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
        old, new = (
            b"".join(n.to_bytes(4, "big", signed=True) for n in numbers)
            for numbers in (identity, matrix)
        )
        place = clip.find(old, clip.find(b"tkhd"))
        clip[place : place + 36] = new

        video = video_of(bytes(clip))
        turned = video.at(33).label_map
        stored = video_of(bytes(clip), autorotate=False).at(33).label_map

        assert np.array_equal(turned.ids, orientation.apply(SCENE[1]))
        assert np.array_equal(stored.ids, SCENE[1])
        assert (video.metadata.height, video.metadata.width) == turned.shape
        assert video.metadata.rotation == orientation.degrees


class TestSizes:
    @pytest.mark.parametrize(
        ("codec", "pixel_format", "options"),
        [
            ("libvpx-vp9", "yuv420p", {"crf": "10", "deadline": "realtime"}),
            ("ffv1", "yuv420p", {}),
            ("ffv1", "bgr0", {}),
            ("mpeg4", "yuv420p", {"q": "2"}),
            ("libx264", "yuv444p", {"crf": "4"}),
            ("libx264rgb", "rgb24", {"qp": "0"}),
        ],
    )
    def test_odd(self, codec: str, pixel_format: str, options: dict[str, str]) -> None:
        """
        Odd sizes have all their pixels.
        """
        truth = scene(3, width=95, height=63)
        clip = encode(
            [paint(ids) for ids in truth],
            codec,
            pixel_format,
            container="matroska",
            options=options,
        )

        ids = video_of(clip).at(33).label_map.ids

        assert ids.shape == (63, 95)
        assert (ids != truth[1]).mean() < 0.02

    def test_change_within_a_stream(self) -> None:
        """
        Where pictures change their size, so do label maps.
        """
        small = encode(PICTURES[:10], **x264(), container="mpegts")
        large = encode(
            [paint(ids) for ids in scene(10, width=160, height=90)],
            **x264(),
            container="mpegts",
        )

        items = list(video_of(small + large, on_corrupt="ignore"))

        shapes = [item.label_map.shape for item in items]
        assert shapes == [(64, 96)] * 10 + [(90, 160)] * 10


class TestAlpha:
    @pytest.mark.parametrize(
        ("codec", "pixel_format", "container"),
        [("qtrle", "argb", "mov"), ("png", "rgba", "mov"), ("ffv1", "bgra", "nut")],
    )
    def test_policies(self, codec: str, pixel_format: str, container: str) -> None:
        """
        Transparent pixels keep their labels, or on request are void.
        """
        alpha = np.full((64, 96, 1), 255, np.uint8)
        alpha[:, :20] = 0
        pictures = [np.concatenate([paint(ids), alpha], 2) for ids in SCENE[:3]]
        clip = encode(pictures, codec, pixel_format, container=container, source="rgba")

        ignored = video_of(clip).at(0).label_map
        void = video_of(clip, alpha="void").at(0).label_map

        assert np.array_equal(ignored.ids, SCENE[0])
        assert (void.ids[:, :20] == void.void).all()
        assert np.array_equal(void.ids[:, 20:], SCENE[0][:, 20:])
        assert void.report.unknown_pixels == 0


class TestStreams:
    def test_cover_art_first(self) -> None:
        """
        A picture that is attached is not the video.
        """
        import av

        file = io.BytesIO()
        cover = encode([paint(np.full((32, 32), 2, np.uint8))], "png", container="nut")
        with (
            av.open(file, "w", format="mp4") as output,
            av.open(io.BytesIO(cover), "r") as first,
            av.open(io.BytesIO(encode(PICTURES, **x264())), "r") as second,
        ):
            art = output.add_stream_from_template(first.streams.video[0])
            art.disposition = 0x400  # type: ignore[assignment]
            real = output.add_stream_from_template(second.streams.video[0])
            for source, stream in ((first, art), (second, real)):
                for packet in source.demux(source.streams.video[0]):
                    if packet.dts is not None:
                        packet.stream = stream
                        output.mux(packet)

        video = video_of(file.getvalue())

        assert len(video) == 30
        assert wrong(video.at(0)) < 0.02

    def test_audio_only(self) -> None:
        """
        A file without a video stream says what it has.
        """
        import av

        file = io.BytesIO()
        with av.open(file, "w", format="mp4") as output:
            stream = output.add_stream("aac", rate=44100)
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 4096), np.float32), format="fltp", layout="mono"
            )
            frame.rate = 44100
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                output.mux(packet)

        with pytest.raises(UnreadableMaskError) as caught:
            video_of(file.getvalue()).at(0)

        reason = "no video stream, only audio"
        assert caught.value == UnreadableMaskError("clip", reason)


class TestUnknown:
    SIX = Palette({color: f"label {n}" for n, color in list(enumerate(COLORS))[:6]})

    def test_exact(self) -> None:
        """
        Colors that the palette does not have are counted exactly, with their boxes.
        """
        label_map = video_of(LOSSLESS, self.SIX).at(0).label_map

        report = label_map.report
        known = np.where(SCENE[0] < 6, SCENE[0], label_map.void)
        assert np.array_equal(label_map.ids, known)
        assert report.unknown_pixels == (SCENE[0] >= 6).sum()
        assert (report.exact, report.lossless) == (True, True)
        for color, count, (left, top, right, bottom) in report.unknown_colors:
            here = SCENE[0] == COLORS.index(color)
            rows, columns = np.nonzero(here)
            assert count == here.sum()
            assert (left, top) == (columns.min(), rows.min())
            assert (right, bottom) == (columns.max() + 1, rows.max() + 1)

    def test_lossy(self) -> None:
        """
        In lossy video flat regions of unknown color are void, without a fringe.
        """
        clip = encode(PICTURES, **x264(crf="10"))

        label_map = video_of(clip, self.SIX).at(0).label_map

        unknown = label_map.ids == label_map.void
        truth = SCENE[0] >= 6
        assert (unknown & ~truth).mean() < 0.005
        assert (unknown & truth).sum() / truth.sum() > 0.8
        found = [color for color, _, _ in label_map.report.unknown_colors]
        assert all(
            any(np.abs(np.subtract(color, other)).max() <= 6 for other in COLORS[6:])
            for color in found
        )

    def test_nearest(self) -> None:
        """
        On request no pixel is void.
        """
        for clip in (LOSSLESS, encode(PICTURES[:3], **x264())):
            label_map = video_of(clip, self.SIX, unknown="nearest").at(0).label_map

            assert not (label_map.ids == label_map.void).any()
            assert label_map.report.unknown_pixels == 0
            assert not label_map.report.exact

    def test_error(self) -> None:
        """
        On request an unknown color is an error that names it.
        """
        with pytest.raises(UnknownColorError) as caught:
            video_of(LOSSLESS, self.SIX, unknown="error").at(0)

        present = {COLORS[n] for n in np.unique(SCENE[0]) if n >= 6}
        assert set(caught.value.colors) == present

    def test_more_than_254_labels(self) -> None:
        """
        Large palettes give int32 with void -1.
        """
        colors = [(n % 256, n // 256 * 40, 9) for n in range(300)]
        palette = Palette({color: str(n) for n, color in enumerate(colors)})
        ids = np.arange(64 * 96).reshape(64, 96) % 301
        picture = np.array([*colors, (255, 255, 255)], np.uint8)[ids]

        clip = encode([picture], options={"qp": "0"})

        label_map = video_of(clip, palette).at(0).label_map

        assert label_map.ids.dtype == np.int32
        assert np.array_equal(label_map.ids, np.where(ids < 300, ids, -1))


class TestWarnings:
    def test_gaps(self) -> None:
        """
        A dropped packet is a warning, once for each video.
        """
        clip = remux(
            encode(PICTURES, **x264(g="30", bf="0")),
            "matroska",
            keep=lambda n, _: n != 10,
        )

        video = video_of(clip)
        with pytest.warns(DecodeWarning, match="missing after 300 ms"):
            video.at(0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            video.at(100)

        assert video.index.gaps == (Gap(300.0, 367.0),)

    def test_close_colors(self) -> None:
        """
        Colors that lossy coding may mix up are a warning; closer ones are refused.
        """
        near = Palette({(100, 100, 100): "a", (104, 104, 104): "b"})
        nearer = Palette({(100, 100, 100): "a", (101, 101, 101): "b"})
        ids = [(s > 0).astype(np.uint8) for s in SCENE[:3]]
        clip = encode([paint(i, [(100,) * 3, (104,) * 3]) for i in ids], **x264())

        video = video_of(clip, near)
        with pytest.warns(DecodeWarning, match="palette-too-close") as caught:
            items = list(video)

        assert len(caught) == 1
        note = "'a' [100, 100, 100] and 'b' [104, 104, 104] are 3.5 codes apart"
        assert note in items[0].label_map.report.notes[0]
        with pytest.raises(PaletteError, match="cannot be told apart"):
            video_of(clip, nearer).at(0)
