from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Literal

import pytest

from framekit.formats import FORMATS, Collection, Item, read, write
from framekit.palette import Palette
from tests.formats_cases import (
    CROSSING,
    SHARED,
    codes,
    collection,
    item,
    seen,
    thing,
    with_picture,
)

#: How crowds are compared.
Crowds = Literal["told", "as objects", "left out"]

#: What a format does not keep.
NO_OBJECTS = ("camvid", "folder")
NO_CLASSES = ("coco-instances",)

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data")


def shared(name: str, folder: Path) -> tuple[Path, str]:
    """
    A data set of the shared data in the layout of its format.
    """
    if name == "camvid":
        for file in (SHARED / "camvid").glob("*_color.png"):
            shutil.copy(file, folder / file.name.replace("_color", "_L"))
        table = Palette.load(SHARED / "camvid" / "table.json")
        table.save(folder / "label_colors.txt")
        return folder, "camvid"
    if name == "voc":
        shutil.copytree(SHARED / "voc/class", folder / "SegmentationClass")
        shutil.copytree(SHARED / "voc/object", folder / "SegmentationObject")
        return folder, "voc"
    if name == "val6":
        return SHARED / "coco_panoptic/val6", "coco-panoptic"
    if name == "examples":
        return SHARED / "coco_panoptic/panoptic_examples.json", "coco-panoptic"
    if name == "two-channel":
        return SHARED / "coco_panoptic/panoptic_examples_2ch_format", "two-channel"
    if name == "detection":
        name = "panoptic_coco_detection_format.json"
        return SHARED / "coco_panoptic" / name, "coco-instances"
    return SHARED / name, name


class TestDrawn:
    @pytest.mark.parametrize("format", FORMATS)
    def test_same_format(self, format: str, tmp_path: Path) -> None:
        """
        What is written and read again shows the same classes and objects.
        """
        drawn = collection(
            with_picture(item("one"), tmp_path), with_picture(item("two"), tmp_path)
        )

        done = write(drawn, tmp_path / "out", format)
        options: dict[str, Any] = {}
        if format == "nucleus":
            options = {"things": ["person"]}
        found = read(tmp_path / "out", **options)

        assert (done.written, done.failed, done.ok) == (2, 0, True)
        assert found.format == ("frames" if format == "dataset" else format)
        wanted = seen(drawn, objects=format not in NO_OBJECTS)
        if format in NO_CLASSES:
            wanted = {name: ([], objects) for name, (_, objects) in wanted.items()}
        if format == "cityscapes":
            wanted = {
                name: ([[n or "unlabeled" for n in row] for row in rows], objects)
                for name, (rows, objects) in wanted.items()
            }
        assert seen(found) == wanted

    @pytest.mark.parametrize("format", FORMATS)
    def test_picture_survives(self, format: str, tmp_path: Path) -> None:
        """
        The picture is copied as it is, byte for byte.
        """
        drawn = with_picture(item("one"), tmp_path)
        assert drawn.picture is not None

        write(collection(drawn), tmp_path / "out", format)
        (found,) = read(tmp_path / "out")

        assert isinstance(found, Item)
        assert found.picture is not None
        with found.picture.storage.open(found.picture.uri) as file:
            assert file.read() == Path(drawn.picture.uri).read_bytes()

    @pytest.mark.parametrize("format", FORMATS)
    def test_losses_are_told(self, format: str) -> None:
        """
        Each format says in sentences what it does not keep.
        """
        losses = FORMATS[format].losses

        assert losses
        assert all(loss.endswith(".") for loss in losses)

    @pytest.mark.parametrize("format", ["coco-instances", "frames", "dataset"])
    def test_overlaps_survive(self, format: str, tmp_path: Path) -> None:
        """
        Objects that overlap keep all of their pixels.
        """
        over = (thing(1, 2, (1, 1, 9, 9)), thing(2, 3, (4, 4, 12, 12), z=1))
        drawn = collection(item("one", labels=None, objects=over))

        write(drawn, tmp_path / "out", format)

        assert seen(read(tmp_path / "out")) == seen(drawn)

    @pytest.mark.parametrize(
        "format",
        ["coco-panoptic", "voc", "cvat", "cityscapes", "two-channel", "panoptic-npz"],
    )
    def test_overlaps_are_counted(self, format: str, tmp_path: Path) -> None:
        """
        A format that cannot hold overlaps says how many pixels are hidden.
        """
        over = (thing(1, 2, (1, 1, 9, 9)), thing(2, 3, (4, 4, 12, 12), z=1))
        drawn = collection(item("one", labels=None, objects=over))

        done = write(drawn, tmp_path / "out", format)

        hidden = [p for p in done.problems if p.code == "overlap-flattened"]
        assert [problem.count for problem in hidden] == [25]

    def test_names_that_clash(self, tmp_path: Path) -> None:
        """
        Of two items with one name the second is a problem, not a loss.
        """
        done = write(collection(item("x"), item("x")), tmp_path / "out", "voc")

        assert (done.written, done.failed) == (1, 1)
        assert "not-converted" in codes(done.problems)


@needs_shared
class TestShared:
    @pytest.mark.parametrize(
        "name",
        ["camvid", "voc", "cityscapes", "cvat", "val6", "two-channel", "detection"],
    )
    def test_same_format(self, name: str, tmp_path: Path) -> None:
        """
        Real data written in its own format and read again is the same.
        """
        (tmp_path / "in").mkdir()
        path, format = shared(name, tmp_path / "in")
        source = read(path)

        done = write(source, tmp_path / "out", format)

        assert (source.format, done.failed, done.problems) == (format, 0, ())
        assert digest(read(tmp_path / "out", format)) == digest(source)

    @pytest.mark.parametrize(
        "name", ["camvid", "voc", "cvat", "val6", "two-channel", "detection"]
    )
    def test_through_frames(self, name: str, tmp_path: Path) -> None:
        """
        Real data becomes frames that show the same.
        """
        (tmp_path / "in").mkdir()
        path, _ = shared(name, tmp_path / "in")
        source = read(path)

        done = write(source, tmp_path / "out", "frames")

        assert done.failed == 0
        assert digest(read(tmp_path / "out")) == digest(source)

    @pytest.mark.slow
    @pytest.mark.parametrize("to", ["frames", "dataset", "coco-panoptic"])
    def test_cityscapes(self, to: str, tmp_path: Path) -> None:
        """
        Cityscapes keeps its 16-bit objects elsewhere, too.
        """
        source = read(SHARED / "cityscapes")

        write(source, tmp_path / "out", to)

        assert digest(read(tmp_path / "out")) == digest(source)

    @pytest.mark.parametrize(
        ("to", "crowds"),
        [("panoptic-npz", "told"), ("two-channel", "as objects"), ("nucleus", "told")],
    )
    def test_panoptic_forms(self, to: str, crowds: Crowds, tmp_path: Path) -> None:
        """
        COCO's panoptic masks keep each object in every panoptic form.
        """
        source = read(SHARED / "coco_panoptic/val6")
        things = [entry.name for entry in source.classes if entry.thing]

        write(source, tmp_path / "out", to)
        options = {"things": things} if to == "nucleus" else {}

        found = digest(read(tmp_path / "out", to, **options), crowds=crowds)
        assert found == digest(source, crowds=crowds)

    def test_forms_of_one_sample_agree(self) -> None:
        """
        The panoptic and the two-channel form of COCO's sample are one segmentation.
        """
        folder = SHARED / "coco_panoptic"

        panoptic = read(folder / "panoptic_examples.json")
        channels = read(folder / "panoptic_examples_2ch_format")

        assert digest(panoptic, crowds="as objects") == digest(
            channels, crowds="as objects"
        )


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The front of the sample with a PNG for each moment of its videos.
    """
    out = tmp_path_factory.mktemp("crossing") / "frames"
    done = write(read(CROSSING, source="front"), out, "frames")
    assert (done.written, done.failed, done.problems) == (24, 0, ())
    return out


class TestCrossing:
    @pytest.mark.slow
    def test_from_videos(self, crossing: Path) -> None:
        """
        Frames of videos become frames of images that show the same.
        """
        assert digest(read(crossing)) == digest(read(CROSSING, source="front"))

    @pytest.mark.slow
    @pytest.mark.parametrize("format", [f for f in FORMATS if f not in NO_CLASSES])
    def test_every_format(self, format: str, crossing: Path, tmp_path: Path) -> None:
        """
        The sample's masks come back from each format.
        """
        source = read(crossing)

        done = write(source, tmp_path / "out", format)

        assert (done.written, done.failed) == (24, 0)
        options: dict[str, Any] = {}
        if format == "nucleus":
            options = {"things": ["bicyclist", "person", "car"]}
        found = read(tmp_path / "out", **options)
        keep = format not in NO_OBJECTS
        assert digest(found, crowds="left out", objects=keep) == digest(
            source, crowds="left out", objects=keep
        )

    def test_objects_of_frames(self) -> None:
        """
        The mask seg_instance has the objects, by the ids of their ROIs.
        """
        first = next(iter(read(CROSSING, source="front")))

        assert isinstance(first, Item)
        assert first.objects is not None
        called = {one.metadata["object_id"]: one.label for one in first.objects}
        assert called["car-1"] == "car"
        assert called["bicyclist-1"] == "bicyclist"


def digest(
    found: Collection, *, crowds: Crowds = "told", objects: bool = True
) -> dict[str, Any]:
    """
    A short form of what a collection shows, by the names of the files.
    """
    result = {}
    for one in found:
        assert isinstance(one, Item), one
        assert one.problems == (), one.problems
        names = {e.id: e.name for e in found.classes if e.id is not None}
        areas: dict[str, int] = {}
        if one.labels is not None:
            for id, entry in sorted(names.items()):
                mask = one.labels == id
                if mask.any():
                    areas[entry] = hash(mask.tobytes())
        listed = []
        if objects:
            listed = sorted(
                (
                    x.label,
                    x.area,
                    x.region.bounds,
                    hash(x.region.runs.tobytes()),
                    x.crowd and crowds == "told",
                )
                for x in one.objects or ()
                if crowds != "left out" or not x.crowd
            )
        result[one.name] = (areas, listed)
    return result
