"""
The sample data set is what its script draws, and its masks are what its truth says.

framekit is not used here: the sample has to be right before framekit is tried on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from crossing_scene import draw_front, draw_rear

CROSSING = Path(__file__).resolve().parent.parent / "samples" / "crossing"
TRUTH = CROSSING / "truth"

Array = npt.NDArray[np.uint8]


def frames() -> list[dict[str, Any]]:
    """
    The frames of the sample, as written.
    """
    text = (CROSSING / "frames.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def indices(path: Path) -> Array:
    """
    The pixels of a palette image, as indices.
    """
    with Image.open(path) as image:
        assert image.mode == "P"
        return np.asarray(image)


def rgb(path: Path) -> Array:
    """
    The pixels of an image, as colors.
    """
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def video_frames(path: Path) -> Iterator[Array]:
    """
    The frames of a video, as colors.
    """
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def front_mask(name: str) -> list[Array]:
    """
    All frames of one of the front camera's mask videos.
    """
    return list(video_frames(CROSSING / "media" / f"front_{name}.mp4"))


def palettes() -> dict[str, list[dict[str, Any]]]:
    """
    What the indices of the truth mean.
    """
    text = (TRUTH / "classes.json").read_text(encoding="utf-8")
    tables: dict[str, list[dict[str, Any]]] = json.loads(text)
    return tables


def declared_colors(frame: dict[str, Any], source: str, mask: str) -> set[int]:
    """
    The colors that ROIs of *frame*, or else the version, give labels in *mask*.
    """
    version = json.loads((CROSSING / "version.json").read_text(encoding="utf-8"))
    values = [entry["value"] for entry in version["mask_labels"].get(mask, ())]
    values += [
        roi["mask"]["value"]
        for roi in frame["rois"]
        if "mask" in roi and roi["mask"]["id"] == mask and source in roi["sources"]
    ]
    return {red << 16 | green << 8 | blue for red, green, blue in values}


def shown_colors(mask: Array) -> set[int]:
    """
    The colors in a mask, red in the highest byte.
    """
    packed = mask.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    return set(np.unique(packed).tolist())


class TestTruth:
    def test_front_is_drawn_again(self) -> None:
        """
        Drawing the front camera again gives the committed labels and objects.
        """
        for path in sorted((TRUTH / "front_seg").glob("*.png")):
            canvas = draw_front(int(path.stem))

            objects = indices(TRUTH / "front_seg_instance" / path.name)
            assert np.array_equal(canvas.labels, indices(path)), path
            assert np.array_equal(canvas.instances, objects), path

    def test_rear_is_drawn_again(self) -> None:
        """
        Drawing the rear camera again gives the committed labels.
        """
        for path in sorted((TRUTH / "rear_seg").glob("*.png")):
            canvas = draw_rear(int(path.stem))

            assert np.array_equal(canvas.labels, indices(path)), path

    @pytest.mark.parametrize("name", ["front_seg", "front_seg_instance", "rear_seg"])
    def test_table(self, name: str) -> None:
        """
        The table gives each index of the palette images its color, and has no other.
        """
        colors = np.array([entry["color"] for entry in palettes()[name]], np.uint8)
        shown: set[int] = set()

        for path in sorted((TRUTH / name).glob("*.png")):
            shown.update(np.unique(indices(path)).tolist())
            assert np.array_equal(colors[indices(path)], rgb(path)), path

        assert shown == set(range(len(colors)))
        assert [entry["index"] for entry in palettes()[name]] == sorted(shown)

    def test_touching_cars(self) -> None:
        """
        Two cars share a border: one blob of their class, two objects.
        """
        objects = indices(TRUTH / "front_seg_instance" / "012.png").astype(int)
        one, other = (
            entry["index"]
            for entry in palettes()["front_seg_instance"]
            if entry.get("id") in {"car-1", "car-2"}
        )

        beside = (objects[:, :-1] == one) & (objects[:, 1:] == other)

        assert beside.sum() >= 4


class TestMedia:
    @pytest.mark.parametrize("name", ["seg", "seg_instance"])
    def test_mask_video_is_lossless(self, name: str) -> None:
        """
        Each frame of a mask video is the truth, pixel by pixel.
        """
        paths = sorted((TRUTH / f"front_{name}").glob("*.png"))

        decoded = front_mask(name)

        assert len(decoded) == len(paths) >= 24
        for path, frame in zip(paths, decoded, strict=True):
            assert np.array_equal(frame, rgb(path)), path

    def test_mask_images(self) -> None:
        """
        Each rear mask is an RGB image of the truth.
        """
        for path in sorted((TRUTH / "rear_seg").glob("*.png")):
            with Image.open(CROSSING / f"media/rear_{path.stem}_seg.png") as image:
                assert image.mode == "RGB"
                assert np.array_equal(np.asarray(image), rgb(path)), path

    def test_lossy_twin(self) -> None:
        """
        The lossy twin has the same frames, and hardly a color of the palette left.
        """
        twin = list(video_frames(CROSSING / "media/lossy/front_seg_crf23.mp4"))

        assert len(twin) == len(front_mask("seg"))
        assert len(shown_colors(twin[0])) > 10 * len(palettes()["front_seg"])

    def test_size(self) -> None:
        """
        The sample stays small enough to be checked out without a thought.
        """
        size = sum(p.stat().st_size for p in CROSSING.rglob("*") if p.is_file())

        assert size < 4_000_000


class TestFrames:
    def test_ids(self) -> None:
        """
        No two frames have an id in common, and no two ROIs of one frame.
        """
        ids = [frame["id"] for frame in frames()]

        assert len(set(ids)) == len(ids) >= 24
        for frame in frames():
            rois = [roi["id"] for roi in frame["rois"] if "id" in roi]
            assert len(set(rois)) == len(rois)

    def test_references(self) -> None:
        """
        Frames refer to files that exist, and by no absolute path.
        """
        for frame in frames():
            for source in frame["sources"]:
                media = [source, *source["masks"], source.get("preview", source)]
                for uri in (item["uri"] for item in media):
                    assert not Path(uri).is_absolute()
                    assert (CROSSING / uri).is_file(), uri

    def test_masks_match_their_source(self) -> None:
        """
        A mask has the size and the time of the picture it lies on.
        """
        for frame in frames():
            for source in frame["sources"]:
                for mask in source["masks"]:
                    for key in ("width", "height", "timestamp"):
                        assert mask[key] == source[key], (frame["id"], mask["id"])

    def test_timestamps(self) -> None:
        """
        Frames of the video stand at whole milliseconds, cut: 0, 33, 66.
        """
        times = [frame["timestamp"] for frame in frames()]

        assert times == [1000 * index // 30 for index in range(len(times))]
        for frame in frames():
            front, *rear = frame["sources"]
            assert front["timestamp"] == frame["timestamp"]
            assert [source["timestamp"] for source in rear] in ([], [0])

    def test_sizes_are_true(self) -> None:
        """
        Pictures and masks have the sizes that the frames say.
        """
        with av.open(str(CROSSING / "media/front.mp4")) as container:
            video = container.streams.video[0]
            front_size = (video.width, video.height)
        for frame in frames():
            front, *rears = frame["sources"]
            assert (front["width"], front["height"]) == front_size
            for item in (front.get("preview"), *rears):
                if item is not None:
                    with Image.open(CROSSING / item["uri"]) as image:
                        assert image.size == (item["width"], item["height"])
                        assert image.get_format_mimetype() == item["content_type"]

    @pytest.mark.parametrize("name", ["seg", "seg_instance"])
    def test_front_colors_are_declared(self, name: str) -> None:
        """
        Each color of a mask video is named by a ROI of its frame or by the version.
        """
        for frame, mask in zip(frames(), front_mask(name), strict=True):
            assert shown_colors(mask) <= declared_colors(frame, "front", name)

    def test_rear_colors_are_declared(self) -> None:
        """
        Each color of a rear mask is named by a ROI of its frame.
        """
        for frame in frames():
            for source in frame["sources"][1:]:
                shown = shown_colors(rgb(CROSSING / source["masks"][0]["uri"]))
                assert shown <= declared_colors(frame, "rear", "seg")

    def test_objects_are_shown(self) -> None:
        """
        A frame names exactly the objects its instance mask shows, and background.
        """
        for frame, mask in zip(frames(), front_mask("seg_instance"), strict=True):
            assert shown_colors(mask) == declared_colors(frame, "front", "seg_instance")
