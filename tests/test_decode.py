"""
Decoding the masks of frames, on the sample.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from numpy.typing import NDArray
from PIL import Image

import framekit as fk
from framekit.dataset import open_target
from framekit.decoding import requests
from framekit.errors import ArgumentError, MissingFileError, UnreadableMaskError

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"
STORAGE = fk.Storage(CROSSING)
VERSION = json.loads((CROSSING / "version.json").read_bytes())


def frames() -> list[fk.SingleFrame]:
    """
    The frames of the sample.
    """
    lines = (CROSSING / "frames.jsonl").read_bytes().splitlines()
    return [fk.SingleFrame.from_json(line) for line in lines]


def truth(name: str) -> NDArray[Any]:
    """
    The ids that were drawn.
    """
    return np.asarray(Image.open(CROSSING / "truth" / name))


def image_frame(folder: Path, **source: Any) -> fk.SingleFrame:
    """
    A frame with a 2x1 mask of the colors 1 and 2.
    """
    pixels = np.array([[(0, 0, 1), (0, 0, 2)]], np.uint8)
    Image.fromarray(pixels).save(folder / "m.png")
    frame = fk.SingleFrame(source="a.jpg", mask_source=str(folder / "m.png"), **source)
    frame.add_annotation(mask_rgb=[0, 0, 1], labels=["one"])
    frame.add_annotation(mask_rgb=[0, 0, 2], labels=["two"])
    return frame


class TestDecode:
    def test_image(self, tmp_path: Path) -> None:
        """
        A frame built in code opens absolute paths; its palette is its ROIs.
        """
        label_map = fk.decode(image_frame(tmp_path))

        assert label_map.ids.tolist() == [[0, 1]]
        assert label_map.areas == {"one": 1, "two": 1}

    def test_video(self) -> None:
        """
        A mask video decodes to what was drawn.
        """
        frame = frames()[7]
        label_map = fk.decode(frame, "front", "seg", storage=STORAGE)

        assert np.array_equal(label_map.ids, truth("front_seg/007.png"))
        assert label_map.report.exact
        assert label_map.report.lossless

    def test_timestamp(self) -> None:
        """
        Another moment of the same video can be asked for.
        """
        frame = frames()[7]
        label_map = fk.decode(frame, "front", "seg", timestamp=0, storage=STORAGE)

        assert np.array_equal(label_map.ids, truth("front_seg/000.png"))

    def test_version_labels(self) -> None:
        """
        What the version says about colors fills in behind the ROIs.
        """
        frame = frames()[0]
        with_version = fk.decode(
            frame, "front", "seg_instance", version=VERSION, storage=STORAGE
        )
        without = fk.decode(frame, "front", "seg_instance", storage=STORAGE)

        assert with_version.report.unknown_pixels == 0
        assert "background" in with_version.labels
        assert (
            without.report.unknown_pixels == (with_version.mask("background")).sum() > 0
        )

    def test_given_palette(self, tmp_path: Path) -> None:
        """
        A palette replaces the frame's own.
        """
        palette = fk.Palette({(0, 0, 1): "x", (0, 0, 2): "y"})
        label_map = fk.decode(image_frame(tmp_path), palette=palette)

        assert label_map.labels == ("x", "y")

    def test_which_mask(self) -> None:
        """
        With several masks one has to be named, and has to exist.
        """
        frame = frames()[0]

        with pytest.raises(ArgumentError, match=r"\['seg', 'seg_instance'\]"):
            fk.decode(frame, "front", storage=STORAGE)
        with pytest.raises(ArgumentError, match="'sge' is no mask"):
            fk.decode(frame, "front", "sge", storage=STORAGE)

    def test_unknown_option(self, tmp_path: Path) -> None:
        """
        A misspelled option is an error, not ignored.
        """
        with pytest.raises(ArgumentError, match="unknwon: no option"):
            fk.decode(image_frame(tmp_path), unknwon="error")

    def test_missing_file(self) -> None:
        """
        A missing file is a FileNotFoundError with the URI.
        """
        frame = fk.SingleFrame(source="a.jpg", mask_source="/nowhere/m.png")
        frame.add_annotation(mask_rgb=[0, 0, 0], labels=["cat"])

        with pytest.raises(MissingFileError) as e:
            fk.decode(frame)

        assert e.value.uri == "/nowhere/m.png"

    def test_mask_size(self, tmp_path: Path) -> None:
        """
        A mask of another size than its source is refused, or fitted on request.
        """
        frame = image_frame(tmp_path, width=4, height=2)

        with pytest.raises(fk.DecodeError, match="2x1"):
            fk.decode(frame)
        assert fk.decode(frame, size="nearest").ids.tolist() == [[0, 0, 1, 1]] * 2

    def test_no_timestamp(self) -> None:
        """
        A mask video without a timestamp is read from its beginning, with a warning.
        """
        frame = frames()[7]
        source = frame.get_source("front")
        masks = tuple(evolve(mask, timestamp=None) for mask in source.masks)
        frame.sources = (evolve(source, masks=masks),)
        frame.rois = [evolve(roi, sources=()) for roi in frame.rois]

        with pytest.warns(fk.DecodeWarning, match="no timestamp"):
            label_map = fk.decode(frame, mask="seg", storage=STORAGE)

        assert np.array_equal(label_map.ids, truth("front_seg/000.png"))


class TestDecodeFrames:
    def decoded(self, chosen: list[fk.SingleFrame], **options: Any) -> list[fk.Decoded]:
        """
        All masks of some frames.
        """
        return list(
            fk.decode_frames(chosen, version=VERSION, storage=STORAGE, **options)
        )

    def test_all_of_the_sample(self) -> None:
        """
        Every mask of every frame, in order, as it was drawn.
        """
        found = self.decoded(frames())

        assert len(found) == 24 * 2 + 8
        for item in found:
            assert item.error is None
            assert item.label_map is not None
            if item.mask == "seg":
                number = (item.frame.id or "")[-3:]
                drawn = truth(f"{item.source}_seg/{number}.png")
                assert np.array_equal(item.label_map.ids, drawn)
            assert item.label_map.report.unknown_pixels == 0

    @pytest.mark.parametrize("window", [1, 5, 256])
    @pytest.mark.parametrize("threads", [None, 2])
    def test_order(self, window: int, threads: int | None) -> None:
        """
        Frames in any order, also twice, come back in that order, decoded alike.
        """
        ordered = {item.frame.id: item for item in self.decoded(frames(), mask="seg")}
        chosen = [frames()[n] for n in (23, 0, 7, 7, 3, 12, 1, 0)]
        executor = None if threads is None else ThreadPoolExecutor(threads)

        found = self.decoded(
            chosen, mask="seg", source="front", window=window, executor=executor
        )

        assert [item.frame for item in found] == chosen
        for item in found:
            assert item.label_map is not None
            one = fk.decode(item.frame, "front", "seg", storage=STORAGE)
            assert np.array_equal(item.label_map.ids, one.ids)
        assert len(ordered) == 24
        if executor is not None:
            executor.shutdown()

    def test_opened_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Each video is opened for reading once a window, not once a frame.
        """
        made: list[str] = []
        video = fk.MaskVideo

        def counted(uri: str, *arguments: Any, **options: Any) -> Any:
            made.append(uri)
            return video(uri, *arguments, **options)

        monkeypatch.setattr(requests, "MaskVideo", counted)
        self.decoded(frames())

        assert sorted(made) == ["media/front_seg.mp4", "media/front_seg_instance.mp4"]

    def test_lazy(self) -> None:
        """
        Frames are taken a window at a time.
        """
        taken = []

        def endless() -> Iterator[fk.SingleFrame]:
            while True:
                taken.append(1)
                yield frames()[0]

        decoded = fk.decode_frames(
            endless(), window=4, version=VERSION, storage=STORAGE
        )
        next(decoded)
        decoded.close()  # type: ignore[attr-defined]

        assert len(taken) == 4

    def test_failures_are_items(self, tmp_path: Path) -> None:
        """
        What cannot be decoded is an item with its error; the rest goes on.
        """
        broken = image_frame(tmp_path)
        (tmp_path / "junk.png").write_bytes(b"\x89PNG\r\n\x1a\njunk")
        broken.mask_source = str(tmp_path / "junk.png")
        good = image_frame(tmp_path)
        found = list(fk.decode_frames([broken, good]))

        assert [type(item.error) for item in found] == [UnreadableMaskError, type(None)]
        with pytest.raises(UnreadableMaskError):
            list(fk.decode_frames([broken, good], errors="raise"))

    def test_moment_outside(self) -> None:
        """
        A moment that the video does not have fails alone.
        """
        late = frames()[0]
        source = late.get_source("front")
        masks = tuple(evolve(mask, timestamp=99_999) for mask in source.masks)
        late.sources = (evolve(source, masks=masks), *late.sources[1:])
        found = self.decoded([late, frames()[1]], source="front", mask="seg")

        assert isinstance(found[0].error, fk.TimestampError)
        assert found[1].label_map is not None

    def test_masks_without_labels(self) -> None:
        """
        A mask that nothing speaks about is left out, unless a palette is given.
        """
        frame = frames()[1]
        frame.remove_annotations(label="car")
        frame.rois = [r for r in frame.rois if r.mask is None or r.mask.id == "seg"]
        without = list(fk.decode_frames([frame], storage=STORAGE))
        palette = fk.Palette({(0, 0, 0): "background"})
        given = list(fk.decode_frames([frame], storage=STORAGE, palette=palette))

        assert [item.mask for item in without] == ["seg"]
        assert [item.mask for item in given] == ["seg", "seg_instance"]

    @pytest.mark.parametrize(
        "options", [{"window": 0}, {"errors": "ignore"}, {"modes": "full"}]
    )
    def test_refused(self, options: dict[str, Any]) -> None:
        """
        A bad option raises before anything is decoded.
        """
        with pytest.raises(ArgumentError):
            self.decoded([], **options)


def test_target_of_the_sample() -> None:
    """
    The folder brings its version's labels along.
    """
    target = open_target(CROSSING)
    found = list(
        fk.decode_frames(
            (f for f in target.frames() if isinstance(f, fk.SingleFrame)),
            version=target.version,
            storage=STORAGE,
            mask="seg_instance",
        )
    )

    assert len(found) == 24
