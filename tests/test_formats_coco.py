from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from framekit.errors import ArgumentError, DocumentError
from framekit.formats import Item, read, write
from framekit.formats.coco_panoptic import segment_ids
from framekit.formats.coco_polygon import coco_mask
from framekit.formats.mask_files import read_values
from framekit.formats.segments_of_item import segmented
from framekit.palette import Palette, PaletteEntry
from framekit.segments import Region
from tests.formats_cases import CLASSES, SHARED, codes, collection, item, thing

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data")


def by_id(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Objects of JSON in the order of their ids.
    """
    return sorted(listed, key=lambda one: one["id"])


def written(folder: Path, *items: Item, classes: Palette = CLASSES) -> dict[str, Any]:
    """
    The JSON of a COCO panoptic data set of *items*.
    """
    done = write(collection(*items, classes=classes), folder, "coco-panoptic")
    assert done.ok
    document: dict[str, Any] = json.loads((folder / "panoptic.json").read_bytes())
    return document


class TestPanoptic:
    @needs_shared
    @pytest.mark.parametrize("through", [None, "frames", "dataset"])
    def test_json_survives(self, through: str | None, tmp_path: Path) -> None:
        """
        Every value of COCO's own JSON comes back, also through frames.
        """
        original = json.loads(
            (SHARED / "coco_panoptic/val6/panoptic.json").read_bytes()
        )
        source = read(SHARED / "coco_panoptic/val6")
        if through is not None:
            write(source, tmp_path / "frames", through)
            source = read(tmp_path / "frames")

        write(source, tmp_path / "out", "coco-panoptic")

        found = json.loads((tmp_path / "out" / "panoptic.json").read_bytes())
        assert by_id(found["images"]) == by_id(original["images"])
        assert found["categories"] == original["categories"]
        assert (found["info"], found["licenses"]) == (
            original["info"],
            original["licenses"],
        )
        mine = {one["image_id"]: one for one in found["annotations"]}
        for one in original["annotations"]:
            assert by_id(mine[one["image_id"]]["segments_info"]) == by_id(
                one["segments_info"]
            )

    @needs_shared
    def test_pixels_survive(self, tmp_path: Path) -> None:
        """
        The PNG files hold the same ids, R + 256 G + 65536 B.
        """
        folder = SHARED / "coco_panoptic/val6"

        write(read(folder), tmp_path / "out", "coco-panoptic")

        for file in folder.glob("*.png"):
            found = read_values(tmp_path / "out/panoptic" / file.name)
            assert np.array_equal(found, read_values(file))

    def test_ids_are_never_black(self, tmp_path: Path) -> None:
        """
        A class that is black, and has no id of its own, gets one that is not 0.
        """
        classes = Palette([PaletteEntry(id=1, color=(0, 0, 0), labels="night")])
        labels = np.ones((4, 4), np.int32)
        labels[0] = -1

        one = Item(name="x", shape=(4, 4), labels=labels)
        document = written(tmp_path / "out", one, classes=classes)

        (segment,) = document["annotations"][0]["segments_info"]
        assert segment["id"] != 0
        assert segment["area"] == 12
        values = read_values(tmp_path / "out/panoptic/x.png")
        assert values[0].tolist() == [0, 0, 0, 0]

    def test_ids_are_unique(self) -> None:
        """
        Segments without ids of their own get different ones, the same every time.
        """
        one = segmented(item(objects=None), CLASSES)
        colors = {entry.id: entry.color for entry in CLASSES}

        ids = segment_ids(one.segments, colors)  # type: ignore[arg-type]

        assert len(set(ids)) == len(ids)
        assert 0 not in ids
        assert ids == segment_ids(one.segments, colors)  # type: ignore[arg-type]

    def test_category_0_is_moved(self, tmp_path: Path) -> None:
        """
        Categories start from 1; areas, boxes and isthing are those of the pixels.
        """
        document = written(tmp_path / "out", item("x"))

        categories = [
            (c["id"], c["name"], c["isthing"]) for c in document["categories"]
        ]
        assert categories == [
            (1, "sky", 0),
            (2, "road", 0),
            (3, "car", 1),
            (4, "person", 1),
        ]
        segments = document["annotations"][0]["segments_info"]
        assert {
            key: segments[0][key] for key in ("id", "category_id", "area", "bbox")
        } == {"id": 7, "category_id": 3, "area": 16, "bbox": [1, 5, 4, 4]}

    def test_thing_without_object_is_a_crowd(self, tmp_path: Path) -> None:
        """
        Pixels of a thing's class that no object has are a crowd, and told so.
        """
        one = item("x")
        assert one.labels is not None
        one.labels[11, 13:16] = 2

        document = written(tmp_path / "out", one)

        crowds = [
            (s["category_id"], s["area"])
            for s in document["annotations"][0]["segments_info"]
            if s["iscrowd"]
        ]
        assert crowds == [(3, 3)]

    @pytest.mark.parametrize(
        ("change", "where"),
        [
            ({"category_id": 99}, "segments_info[0].category_id"),
            ({"id": 0}, "segments_info[0].id"),
            ({"id": "7"}, "segments_info[0].id"),
        ],
    )
    def test_bad_segment(
        self, change: dict[str, Any], where: str, tmp_path: Path
    ) -> None:
        """
        A segment that leads nowhere is a problem at its place; the others go on.
        """
        document = written(tmp_path / "out", item("x"), item("y"))
        document["annotations"][0]["segments_info"][0] |= change
        (tmp_path / "out/panoptic.json").write_text(json.dumps(document))

        found = list(read(tmp_path / "out"))

        assert codes(found) == ["not-converted"]
        assert where in getattr(found[0], "message", "")
        assert isinstance(found[1], Item)

    def test_pixels_without_segment(self, tmp_path: Path) -> None:
        """
        An id of the PNG that the JSON lacks is an error with its pixels.
        """
        document = written(tmp_path / "out", item("x"))
        gone = document["annotations"][0]["segments_info"].pop(0)
        (tmp_path / "out/panoptic.json").write_text(json.dumps(document))

        (one,) = read(tmp_path / "out")

        assert isinstance(one, Item)
        assert [(p.code, p.count) for p in one.problems] == [
            ("unknown-value", gone["area"])
        ]

    def test_masks_do_not_leave_the_folder(self, tmp_path: Path) -> None:
        """
        A file name that leads elsewhere is not followed.
        """
        document = written(tmp_path / "out", item("x"))
        secret = tmp_path / "secret.png"
        (tmp_path / "out/panoptic/x.png").rename(secret)
        document["annotations"][0]["file_name"] = "../../secret.png"
        (tmp_path / "out/panoptic.json").write_text(json.dumps(document))

        assert codes(read(tmp_path / "out")) == ["not-converted"]

    def test_no_annotation(self, tmp_path: Path) -> None:
        """
        An image without an annotation is told.
        """
        document = written(tmp_path / "out", item("x"), item("y"))
        document["annotations"].pop()
        (tmp_path / "out/panoptic.json").write_text(json.dumps(document))

        assert codes(read(tmp_path / "out").problems) == ["image-without-mask"]

    def test_broken_json(self, tmp_path: Path) -> None:
        """
        JSON that is none is an error that names the file.
        """
        file = tmp_path / "panoptic.json"
        file.write_text('{"annotations": [')

        with pytest.raises(DocumentError, match=r"panoptic\.json:"):
            read(tmp_path, "coco-panoptic")


class TestInstances:
    def test_ids_start_from_1(self, tmp_path: Path) -> None:
        """
        Ids of objects are unique in the file and not 0, which scores as no match.
        """
        write(collection(item("x"), item("y")), tmp_path / "out", "coco-instances")

        document = json.loads((tmp_path / "out/instances.json").read_bytes())
        assert [one["id"] for one in document["annotations"]] == [1, 2, 3, 4, 5, 6]
        assert document["annotations"][0]["bbox"] == [1, 5, 4, 4]

    @pytest.mark.parametrize("form", ["rle", "polygons"])
    def test_crowds_and_scores(self, form: str, tmp_path: Path) -> None:
        """
        Crowds are run lengths as numbers, as COCO has them; scores stay.
        """
        objects = (
            thing(1, 2, (1, 5, 5, 9), crowd=True),
            thing(2, 3, (6, 5, 9, 9), score=0.5),
        )
        drawn = collection(item("x", objects=objects))

        write(drawn, tmp_path / "out", "coco-instances", form=form)

        document = json.loads((tmp_path / "out/instances.json").read_bytes())
        crowd, person = document["annotations"]
        assert (crowd["iscrowd"], type(crowd["segmentation"]["counts"])) == (1, list)
        assert (person["iscrowd"], person["score"]) == (0, 0.5)
        if form == "polygons":
            assert person["segmentation"] == [[6, 5, 9, 5, 9, 9, 6, 9]]
        (found,) = read(tmp_path / "out")
        assert isinstance(found, Item)
        assert found.objects is not None
        assert [one.region for one in found.objects] == [one.region for one in objects]

    def test_holes_are_no_polygons(self, tmp_path: Path) -> None:
        """
        An object with a hole is run lengths among polygons, and told.
        """
        ring = thing(1, 2, (1, 1, 8, 8))
        mask = ring.full_mask()
        mask[3, 3] = False
        ring = evolve(ring, region=Region.of_mask(mask))

        done = write(
            collection(item("x", objects=(ring,))),
            tmp_path / "out",
            "coco-instances",
            form="polygons",
        )

        assert codes(done.problems) == ["rle-for-polygon"]
        (found,) = read(tmp_path / "out")
        assert isinstance(found, Item)
        assert found.objects is not None
        assert found.objects[0].region == ring.region

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"height": 10**9}, "the limit is"),
            ({"height": 0}, "from 1"),
            ({"file_name": "."}, "the name of a file"),
        ],
    )
    def test_bad_image(self, change: dict[str, Any], said: str, tmp_path: Path) -> None:
        """
        An image that cannot be is a problem, before memory is taken for it.
        """
        write(collection(item("x"), item("y")), tmp_path / "out", "coco-instances")
        file = tmp_path / "out/instances.json"
        document = json.loads(file.read_bytes())
        document["images"][0] |= change
        file.write_text(json.dumps(document))

        found = list(read(tmp_path / "out"))

        assert codes(found) == ["not-converted"]
        assert said in getattr(found[0], "message", "")

    @pytest.mark.parametrize("id", [[1], {}, 1.5, True])
    def test_bad_image_id(self, id: Any, tmp_path: Path) -> None:
        """
        An image id that names nothing is an error at its place.
        """
        write(collection(item("x")), tmp_path / "out", "coco-instances")
        file = tmp_path / "out/instances.json"
        document = json.loads(file.read_bytes())
        document["images"][0]["id"] = id
        file.write_text(json.dumps(document))

        with pytest.raises(DocumentError, match=r"\$\.images\[0\]\.id"):
            read(tmp_path / "out")

    def test_semantic_maps_give_components(self, tmp_path: Path) -> None:
        """
        Without objects, connected components of things are taken, and told.
        """
        done = write(
            collection(item("x", objects=None)), tmp_path / "out", "coco-instances"
        )

        assert codes(done.problems) == ["derived-instances"]

    def test_refused_form(self, tmp_path: Path) -> None:
        """
        Another form than the two is refused before anything is written.
        """
        with pytest.raises(ArgumentError, match="'rle' or 'polygons'"):
            write(collection(), tmp_path / "out", "coco-instances", form="boxes")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestReferenceReader:
    def test_polygons(self) -> None:
        """
        Polygons become the pixels that COCO's own code gives, each of them.
        """
        reference = pytest.importorskip("pycocotools.mask")
        random = np.random.default_rng(7)
        for turn in range(500):
            height, width = random.integers(1, 40, 2).tolist()
            size = 2 * int(random.integers(3, 9))
            corners = random.uniform(-10, 50, size)
            polygon = (np.rint(corners) if turn % 3 == 0 else corners).tolist()
            wanted = reference.decode(
                reference.merge(reference.frPyObjects([polygon], height, width))
            )

            found = coco_mask([polygon], (height, width))

            assert np.array_equal(found, wanted.astype(bool))

    @pytest.mark.parametrize("form", ["rle", "polygons"])
    def test_files(self, form: str, tmp_path: Path) -> None:
        """
        COCO's own reader finds the pixels of every object, crowds included.
        """
        reference = pytest.importorskip("pycocotools.coco")
        objects = (
            thing(1, 2, (1, 5, 5, 9)),
            thing(2, 3, (4, 4, 12, 12), z=1),
            thing(3, 2, (0, 0, 16, 2), crowd=True),
        )
        drawn = collection(item("x", objects=objects))

        write(drawn, tmp_path / "out", "coco-instances", form=form)

        found = reference.COCO(str(tmp_path / "out/instances.json"))
        masks = [found.annToMask(found.anns[id]) for id in sorted(found.anns)]
        assert [mask.tolist() for mask in masks] == [
            one.full_mask().astype(int).tolist() for one in objects
        ]
