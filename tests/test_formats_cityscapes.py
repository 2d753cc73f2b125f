from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from framekit.formats import Item, read, write
from framekit.formats.mask_files import read_values, write_png
from framekit.palette import Palette, PaletteEntry
from tests.formats_cases import (
    CLASSES,
    SHARED,
    box_mask,
    codes,
    collection,
    item,
    seen,
    thing,
)

CITY = Palette.known("cityscapes")


def city_item(name: str = "aachen/aachen_000000_000019") -> Item:
    """
    A road with two cars and a group of persons.
    """
    labels = np.full((12, 16), 7, np.int32)
    objects = []
    for id, class_id, box, crowd in (
        (26000, 26, (1, 5, 5, 9), False),
        (26003, 26, (6, 5, 9, 9), False),
        (24, 24, (10, 3, 14, 9), True),
    ):
        labels[box_mask((12, 16), box)] = class_id
        one = thing(id, 2, box, crowd=crowd)
        objects.append((one, class_id))
    found = tuple(
        evolve(one, class_id=class_id, labels=CITY[class_id].labels)
        for one, class_id in objects
    )
    return Item(name=name, shape=(12, 16), labels=labels, objects=found)


class TestWriting:
    def test_values(self, tmp_path: Path) -> None:
        """
        LabelIds are label ids; instanceIds are 1000 * label + number, plain for groups.
        """
        write(collection(city_item(), classes=CITY), tmp_path, "cityscapes")

        base = tmp_path / "gtFine/aachen/aachen_000000_000019_gtFine"
        labels = read_values(f"{base}_labelIds.png")
        instances = read_values(f"{base}_instanceIds.png")
        assert sorted(set(labels.ravel().tolist())) == [7, 24, 26]
        assert sorted(set(instances.ravel().tolist())) == [7, 24, 26000, 26003]
        color = read_values(f"{base}_color.png", color=True)
        assert f"{int(color[0, 0]):06x}" == "804080"

    def test_panoptic_leaves_ignored_labels_out(self, tmp_path: Path) -> None:
        """
        The panoptic form has the labels that are evaluated, and groups as crowds.
        """
        one = city_item()
        assert one.labels is not None
        one.labels[0] = 4  # static

        write(collection(one, classes=CITY), tmp_path, "cityscapes")

        file = tmp_path / "gtFine/cityscapes_panoptic.json"
        document = json.loads(file.read_bytes())
        (annotation,) = document["annotations"]
        found = {
            s["id"]: (s["category_id"], s["iscrowd"])
            for s in annotation["segments_info"]
        }
        assert found == {7: (7, 0), 24: (24, 1), 26000: (26, 0), 26003: (26, 0)}
        assert "static" not in {c["name"] for c in document["categories"]}

    def test_other_labels_bring_their_table(self, tmp_path: Path) -> None:
        """
        Labels that Cityscapes lacks are in labels.json, and read from there.
        """
        field = Palette([*CLASSES[:3], evolve(CLASSES[3], labels=("farmer",))])
        drawn = collection(item("x"), classes=field)

        done = write(drawn, tmp_path / "out", "cityscapes")

        assert codes(done.problems) == ["labels-not-of-cityscapes"]
        names = [e.name for e in read(tmp_path / "out").classes]
        # Things first: only small values leave room for the number of an object.
        assert names == ["unlabeled", "car", "farmer", "sky", "road"]

    def test_too_many_objects(self, tmp_path: Path) -> None:
        """
        What 16 bits cannot hold is refused, never wrapped around.
        """
        many = Palette(
            PaletteEntry(id=n, index=n, labels=f"c{n}", thing=True)
            for n in range(1, 81)
        )
        one = thing(1, 2, (0, 0, 2, 2))
        labels = np.full((12, 16), 80, np.int32)
        drawn = Item(
            name="x",
            shape=(12, 16),
            labels=labels,
            objects=(evolve(one, class_id=80, labels=("c80",)),),
        )

        done = write(collection(drawn, classes=many), tmp_path / "o", "cityscapes")

        assert (done.written, done.failed) == (0, 1)
        assert "does not fit 16 bits" in done.problems[0].message


class TestReading:
    def test_disagreement(self, tmp_path: Path) -> None:
        """
        Where instanceIds and labelIds disagree, the pixels are counted.
        """
        write(collection(city_item(), classes=CITY), tmp_path, "cityscapes")
        file = tmp_path / "gtFine/aachen/aachen_000000_000019_gtFine_labelIds.png"
        labels = read_values(file).astype(np.uint8)
        labels[5, 1:3] = 7
        write_png(file, labels)

        (one,) = read(tmp_path)

        assert isinstance(one, Item)
        assert [(p.code, p.count) for p in one.problems] == [
            ("instance-of-other-label", 2)
        ]

    def test_unknown_value(self, tmp_path: Path) -> None:
        """
        A value that no label has is void, an error, and counted.
        """
        write_png(tmp_path / "a_1_2_gtFine_labelIds.png", np.full((3, 4), 99, np.uint8))

        (one,) = read(tmp_path)

        assert isinstance(one, Item)
        assert [(p.code, p.count) for p in one.problems] == [("unknown-value", 12)]

    @pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data")
    def test_color_masks_agree(self, tmp_path: Path) -> None:
        """
        Of colors alone, labels that share one are the first of them.
        """
        name = "aachen_000000_000019_gtFine"
        source = SHARED / "cityscapes" / f"{name}_color.png"
        (tmp_path / source.name).write_bytes(source.read_bytes())

        (by_color,) = read(tmp_path, "cityscapes")
        by_id = next(iter(read(SHARED / "cityscapes")))

        assert isinstance(by_color, Item)
        assert isinstance(by_id, Item)
        assert by_id.labels is not None
        assert by_color.labels is not None
        moved = by_color.labels != by_id.labels
        # Black stands for labels 0 to 4.
        assert set(np.unique(by_id.labels[moved]).tolist()) <= {1, 2, 3, 4}


@pytest.mark.filterwarnings("ignore")
class TestReferenceReader:
    def test_labels(self) -> None:
        """
        Ids, names, colors and kinds are those of Cityscapes' own table.
        """
        reference = pytest.importorskip("cityscapesscripts.helpers.labels")

        official = [
            (label.id, label.name, label.color, label.hasInstances)
            for label in reference.labels
            if label.id >= 0
        ]

        assert official == [
            (entry.index, entry.name, entry.color, entry.thing)
            for entry in CITY
            if entry.index is not None
        ]

    def test_instances(self, tmp_path: Path) -> None:
        """
        Cityscapes' own reader finds each object with its pixels.
        """
        name = "cityscapesscripts.evaluation.instances2dict"
        reference = pytest.importorskip(name)

        write(collection(city_item(), classes=CITY), tmp_path, "cityscapes")
        file = "gtFine/aachen/aachen_000000_000019_gtFine_instanceIds.png"

        (found,) = reference.instances2dict([str(tmp_path / file)]).values()

        cars = [(one["instID"], one["pixelCount"]) for one in found["car"]]
        assert cars == [(26000, 16), (26003, 12)]
        assert [one["instID"] for one in found["person"]] == [24]

    def test_panoptic(self, tmp_path: Path) -> None:
        """
        The panoptic form is the one that Cityscapes' own script makes of instanceIds.
        """
        name = "cityscapesscripts.preparation.createPanopticImgs"
        reference = pytest.importorskip(name)

        write(collection(city_item(), classes=CITY), tmp_path / "a", "cityscapes")
        folder = tmp_path / "b"
        (folder / "train/aachen").mkdir(parents=True)
        for file in (tmp_path / "a/gtFine/aachen").glob("*.png"):
            (folder / "train/aachen" / file.name).write_bytes(file.read_bytes())

        reference.convert2panoptic(
            str(folder), str(folder), useTrainId=False, setNames=["train"]
        )

        official = json.loads((folder / "cityscapes_panoptic_train.json").read_bytes())
        ours = json.loads((tmp_path / "a/gtFine/cityscapes_panoptic.json").read_bytes())
        key = "segments_info"
        wanted = sorted(official["annotations"][0][key], key=lambda one: one["id"])
        found = sorted(ours["annotations"][0][key], key=lambda one: one["id"])
        assert found == wanted
        assert ours["categories"] == [
            {**one, "isthing": int(one["isthing"])} for one in official["categories"]
        ]
        (image,) = (folder / "cityscapes_panoptic_train").glob("*.png")
        mine = tmp_path / "a/gtFine/cityscapes_panoptic/aachen" / image.name
        assert np.array_equal(read_values(mine), read_values(image))


def test_seen_again(tmp_path: Path) -> None:
    """
    Labels, objects and groups come back.
    """
    drawn = collection(city_item(), classes=CITY)

    write(drawn, tmp_path, "cityscapes")

    assert seen(read(tmp_path)) == seen(drawn)
