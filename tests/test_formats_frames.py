from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import framekit as fk
from framekit.dataset.dataset import Dataset
from framekit.formats import FORMATS, Collection, Item, read, write
from framekit.formats.mask_files import write_png
from framekit.palette import Palette, PaletteEntry
from tests.formats_cases import (
    CLASSES,
    codes,
    collection,
    item,
    said,
    seen,
    thing,
    with_picture,
)


class TestFrames:
    def test_what_is_written(self, tmp_path: Path) -> None:
        """
        A frame has the masks seg and seg_instance, and an ROI for what is in them.
        """
        drawn = with_picture(item("a/one"), tmp_path)

        write(collection(drawn), tmp_path / "out", "frames")

        (line,) = (tmp_path / "out/frames.jsonl").read_bytes().splitlines()
        frame = fk.SingleFrame.from_json(line)
        (source,) = frame.sources
        assert (frame.id, source.uri, source.content_type) == (
            "a/one",
            "media/images/a/one.png",
            "image/png",
        )
        assert [(m.id, m.uri, m.width, m.height) for m in source.masks] == [
            ("seg", "media/masks/a/one.seg.png", 16, 12),
            ("seg_instance", "media/masks/a/one.seg_instance.png", 16, 12),
        ]
        assert [(r.mask.id, r.labels, r.id) for r in frame.rois if r.mask] == [
            ("seg", ("sky",), None),
            ("seg", ("road",), None),
            ("seg", ("car",), None),
            ("seg", ("person",), None),
            ("seg_instance", ("car",), "7"),
            ("seg_instance", ("car",), "8"),
            ("seg_instance", ("person",), "9"),
        ]

    def test_frames_decode_by_themselves(self, tmp_path: Path) -> None:
        """
        framekit.decode gives the label map of such a frame; void is known, not unknown.
        """
        drawn = with_picture(item("one"), tmp_path)
        write(collection(drawn), tmp_path / "out", "frames")
        frame = fk.SingleFrame.from_json((tmp_path / "out/frames.jsonl").read_bytes())

        found = fk.decode(
            frame,
            mask="seg",
            version=_version(tmp_path / "out"),
            storage=fk.Storage(tmp_path / "out"),
        )

        assert drawn.labels is not None
        assert np.array_equal(found.ids == found.void, drawn.labels < 0)
        assert found.report.unknown_pixels == 0
        assert found.areas["car"] == int((drawn.labels == 2).sum())

    @pytest.mark.parametrize("format", ["frames", "dataset"])
    def test_everything_survives(self, format: str, tmp_path: Path) -> None:
        """
        Ids, crowds, scores, probabilities, metadata and pixel values come back.
        """
        objects = (
            thing(5, 2, (1, 5, 5, 9), score=0.25, metadata={"pose": "left"}),
            thing(6, 3, (6, 5, 9, 9), crowd=True, pdf={"person": 0.9}),
        )
        classes = Palette(
            [
                *CLASSES,
                PaletteEntry(
                    id=9, index=77, labels=["a", "b"], metadata={"supercategory": "x"}
                ),
                PaletteEntry(index=200, void=True, labels="border"),
            ]
        )
        one = item("one", objects=objects, said={1: said(id=44, score=0.5)})

        write(collection(one, classes=classes), tmp_path / "out", format)
        source = read(tmp_path / "out")
        (found,) = source

        assert isinstance(found, Item)
        assert source.classes == classes
        assert found.objects is not None
        assert [
            (o.id, o.score, o.metadata, o.crowd, o.pdf, o.region) for o in found.objects
        ] == [(o.id, o.score, o.metadata, o.crowd, o.pdf, o.region) for o in objects]
        assert found.said[1] == one.said[1]

    def test_shared_colors(self, tmp_path: Path) -> None:
        """
        Classes that share a color are painted apart; the table keeps theirs.
        """
        classes = Palette.known("cityscapes")
        labels = np.zeros((2, 5), np.int32)
        labels[:] = [0, 1, 2, 3, 4]  # all of them black
        one = Item(name="x", shape=(2, 5), labels=labels)

        write(collection(one, classes=classes), tmp_path / "out", "frames")
        source = read(tmp_path / "out")
        (found,) = source

        assert isinstance(found, Item)
        assert np.array_equal(np.asarray(found.labels), labels)
        assert source.classes == classes

    def test_colors_that_share_labels_are_objects(self, tmp_path: Path) -> None:
        """
        In a mask by itself, several colors with one label are objects.
        """
        colors = np.array([[[9, 9, 9], [8, 8, 8], [1, 1, 1]]], np.uint8)
        write_png(tmp_path / "m.png", colors)
        frame = fk.SingleFrame(
            id="x",
            sources=[
                fk.Source(id="s", uri="i.png", masks=[fk.Mask(id="m", uri="m.png")])
            ],
        )
        frame.add_annotation(mask_rgb=[9, 9, 9], labels=["bird"], id="first")
        frame.add_annotation(mask_rgb=[8, 8, 8], labels=["bird"])
        frame.add_annotation(mask_rgb=[1, 1, 1], labels=["sky"])
        (tmp_path / "frames.jsonl").write_bytes(frame.to_json() + b"\n")

        (found,) = read(tmp_path)

        assert isinstance(found, Item)
        assert found.objects is not None
        assert [(o.label, o.metadata) for o in found.objects] == [
            ("bird", {"object_id": "first"}),
            ("bird", {}),
        ]

    def test_several_masks(self, tmp_path: Path) -> None:
        """
        Of two masks that could be the classes, none is guessed.
        """
        write_png(tmp_path / "m.png", np.zeros((2, 2, 3), np.uint8))
        masks = [fk.Mask(id=id, uri="m.png") for id in ("lanes", "seg")]
        frame = fk.SingleFrame(
            id="x", sources=[fk.Source(id="s", uri="i.png", masks=masks)]
        )
        for mask in masks:
            frame.add_annotation(mask_rgb=[0, 0, 0], labels=["a"], mask_id=mask.id)
        (tmp_path / "frames.jsonl").write_bytes(frame.to_json() + b"\n")

        (problem,) = read(tmp_path)
        (found,) = read(tmp_path, mask="lanes")

        assert codes([problem]) == ["not-converted"]
        assert "--mask" in getattr(problem, "message", "")
        assert isinstance(found, Item)

    def test_unknown_colors(self, tmp_path: Path) -> None:
        """
        Colors without a label are void, and an error with their number.
        """
        write(collection(item("x")), tmp_path / "out", "frames")
        file = tmp_path / "out/media/masks/x.seg.png"
        write_png(file, np.full((12, 16, 3), 3, np.uint8))

        (found,) = read(tmp_path / "out")

        assert isinstance(found, Item)
        assert [(p.code, p.count) for p in found.problems] == [("unknown-color", 192)]

    def test_missing_mask(self, tmp_path: Path) -> None:
        """
        A mask that is not there is one problem; the other items go on.
        """
        write(collection(item("x"), item("y")), tmp_path / "out", "frames")
        (tmp_path / "out/media/masks/x.seg.png").unlink()

        found = list(read(tmp_path / "out"))

        assert codes(found) == ["not-converted"]
        assert isinstance(found[1], Item)

    def test_missing_pictures_are_told(self, tmp_path: Path) -> None:
        """
        That images are not there is said once, with their number.
        """
        done = write(collection(item("x"), item("y")), tmp_path / "out", "frames")

        assert [(p.code, p.count) for p in done.problems] == [("picture-missing", 2)]


class TestDatasets:
    def test_versions(self, tmp_path: Path) -> None:
        """
        A dataset that is there gets another version, with media of its own.
        """
        drawn = collection(item("x"))

        write(drawn, tmp_path / "out", "dataset", version="first")
        write(drawn, tmp_path / "out", "dataset")
        dataset = Dataset.open(tmp_path / "out")

        assert dataset.version_names == ["drawn", "first"]
        assert seen(read(tmp_path / "out", version="first")) == seen(drawn)
        version = dataset.get_version("first")
        write(version, tmp_path / "voc", "voc")
        assert seen(read(tmp_path / "voc")) == seen(drawn)

    def test_frames_in_memory(self, tmp_path: Path) -> None:
        """
        Frames that were built in code can be written, too.
        """
        write_png(tmp_path / "m.png", np.full((2, 2, 3), 9, np.uint8))
        frame = fk.SingleFrame(
            id="x",
            sources=[
                fk.Source(
                    id="s",
                    uri=str(tmp_path / "i.png"),
                    masks=[fk.Mask(id="m", uri=str(tmp_path / "m.png"))],
                )
            ],
        )
        frame.add_annotation(mask_rgb=[9, 9, 9], labels=["car"])

        done = write([frame], tmp_path / "out", "cvat")

        assert (done.written, done.ok) == (1, True)


class TestParallel:
    @pytest.mark.parametrize("format", FORMATS)
    def test_threads_give_the_same(self, format: str, tmp_path: Path) -> None:
        """
        Several threads write what one does, byte for byte.
        """
        drawn = collection(*(item(f"i{n}") for n in range(8)))

        write(drawn, tmp_path / "one", format)
        with ThreadPoolExecutor(4) as executor:
            write(drawn, tmp_path / "four", format, executor=executor)

        one, four = (
            {
                file.relative_to(tmp_path / name).as_posix(): file.read_bytes()
                for file in (tmp_path / name).rglob("*")
                if file.is_file() and file.suffix in (".png", ".npz", ".txt")
            }
            for name in ("one", "four")
        )
        assert one == four

    def test_progress(self, tmp_path: Path) -> None:
        """
        Progress is told item by item.
        """
        told: list[int] = []

        write(
            collection(item("x"), item("y")),
            tmp_path / "out",
            "voc",
            progress=told.append,
        )

        assert told == [1, 1]


def _version(folder: Path) -> object:
    from framekit.dataset import open_target

    return open_target(folder).version


def test_collections_can_be_read_twice() -> None:
    """
    Going through a collection again gives the items again.
    """
    found: Collection = collection(item("x"))

    assert seen(found) == seen(found)
