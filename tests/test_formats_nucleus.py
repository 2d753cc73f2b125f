from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framekit.errors import ArgumentError, DocumentError, FramekitWarning
from framekit.formats import (
    AnnotateResult,
    Item,
    NucleusItems,
    Segment,
    SegmentationPrediction,
    check_for_duplicate_ids,
    payload_of,
    read,
    read_payload,
    write,
)
from framekit.formats.mask_files import read_values, write_png
from framekit.formats.segments_of_item import as_label_map
from framekit.segments import consolidate
from tests.formats_cases import collection, item, names_of, thing

#: The page's eleven segments.
PAGE = [
    Segment("background", 0),
    Segment("building", 1, {"confidence": 0.1}),
    Segment("tree", 2, {"confidence": 0.3}),
    Segment("wall", 3, {"confidence": 0.3}),
    Segment("fence", 4, {"confidence": 0.7}),
    Segment("pavement", 5, {"confidence": 0.42}),
    Segment("person", 6, {"pose": "sitting", "confidence": 0.6}),
    Segment("handbag", 7, {"confidence": 0.9}),
    Segment("bird", 8, {"confidence": 0.8}),
    Segment("bird", 9, {"confidence": 0.8}),
    Segment("bird", 10, {"confidence": 0.8}),
]


def prediction(**options: Any) -> SegmentationPrediction:
    """
    The page's segmentation.
    """
    values = {
        "mask_url": "s3://your-bucket-name/segmentation-masks/image_2_mask_1.png",
        "annotations": PAGE,
        "reference_id": "image_2",
        "annotation_id": "image_2_mask_1",
        **options,
    }
    return SegmentationPrediction(**values)


def page_folder(folder: Path) -> Path:
    """
    The page's segmentation with a mask of eleven stripes, beside it.
    """
    values = np.repeat(np.arange(11, dtype=np.uint8), 2)[None, :].repeat(5, 0)
    write_png(folder / "mask.png", values)
    payload = payload_of([prediction(mask_url="mask.png")])
    (folder / "payload.json").write_text(json.dumps(payload))
    return folder


class TestPayload:
    def test_n1_both_spellings(self) -> None:
        """
        N1: segments are called annotations or predictions, and written annotations.
        """
        mine = prediction()
        theirs = prediction(annotations=None, predictions=PAGE)

        assert mine == theirs
        document = mine.to_dict()
        assert sorted(document) == [
            "annotation_id",
            "annotations",
            "mask_url",
            "reference_id",
            "type",
        ]
        assert document["type"] == "mask"
        as_page = {**document, "predictions": document["annotations"]}
        del as_page["annotations"]
        assert SegmentationPrediction.from_dict(as_page) == mine

    def test_n1_batch(self) -> None:
        """
        N1: a batch has segmentations and update, and can be read again.
        """
        batch = payload_of([prediction()], update=True)

        assert batch["update"] is True
        assert read_payload(batch) == [prediction()]

    def test_both_at_once(self) -> None:
        """
        Segments under both names, or under none, are refused.
        """
        with pytest.raises(ArgumentError, match="once"):
            prediction(predictions=PAGE)
        with pytest.raises(ArgumentError, match="once"):
            prediction(annotations=None)

    def test_n3_index_is_coerced(self) -> None:
        """
        N3: an index in text is read as a number, with a warning.
        """
        with pytest.warns(FramekitWarning, match="index '1' is read as 1"):
            segment = Segment("tree", "1")

        assert segment == Segment("tree", 1)

    @pytest.mark.parametrize("index", [-1, 256, 1.5, True, None, "x", "-1", "²"])
    def test_n3_bad_index(self, index: Any) -> None:
        """
        N3: an index that is no pixel value is refused.
        """
        with pytest.raises(ArgumentError, match="0 to 255"):
            Segment("tree", index)

    def test_n3_index_twice(self) -> None:
        """
        N3: two segments for one pixel value are refused.
        """
        with pytest.raises(ArgumentError, match=r"\[1\] stand for several"):
            prediction(annotations=[Segment("a", 1), Segment("b", 1)])

    def test_n6_confidence(self) -> None:
        """
        N6: confidence and class probabilities are typed, and kept in the metadata.
        """
        one = Segment("cat", 1, {"confidence": 0.8, "pdf": {"cat": 0.8, "dog": 0.2}})

        assert (one.confidence, one.pdf) == (0.8, {"cat": 0.8, "dog": 0.2})
        assert one.to_dict()["metadata"]["confidence"] == 0.8
        assert Segment("cat", 1).confidence is None

    def test_n7_same_labels_are_instances(self) -> None:
        """
        N7: segments that share a label are objects.
        """
        assert prediction().is_instance_segmentation
        assert not prediction(annotations=PAGE[:9]).is_instance_segmentation

    @pytest.mark.parametrize(
        ("change", "at"),
        [
            ({"annotations": 3}, "$.annotations"),
            ({"annotations": [3]}, "$.annotations[0]"),
            ({"annotations": [{"label": "a", "index": 300}]}, "$.annotations[0].index"),
            ({"annotations": [{"index": 3}]}, "$.annotations[0].label"),
            ({"mask_url": None}, "$.mask_url"),
            ({"reference_id": 4}, "$.reference_id"),
        ],
    )
    def test_bad_payload(self, change: dict[str, Any], at: str) -> None:
        """
        What is no payload is an error at its place.
        """
        with pytest.raises(DocumentError) as caught:
            SegmentationPrediction.from_dict({**prediction().to_dict(), **change})

        assert caught.value.at == at


class TestAnnotate:
    def test_n5_update(self) -> None:
        """
        N5: a second mask is ignored, whatever its annotation id, unless it updates.
        """
        items = NucleusItems(["image_1", "image_2"])
        second = prediction(annotation_id="other")

        assert items.annotate([prediction()]) == AnnotateResult(processed=1)
        assert items.annotate([second]) == AnnotateResult(ignored=1)
        assert items.masks["image_2"] == prediction()
        assert items.annotate([second], update=True) == AnnotateResult(processed=1)
        assert items.masks == {"image_1": None, "image_2": second}

    def test_n5_errors_are_counted(self) -> None:
        """
        N5: an unknown reference id is an error of its own; the others go through.
        """
        items = NucleusItems(["image_2"])

        done = items.annotate([prediction(reference_id="nobody"), prediction()])

        assert (done.processed, done.ignored, done.errors) == (1, 0, 1)
        assert list(done.reasons) == ["nobody"]

    def test_n5_duplicates(self) -> None:
        """
        N5: the same ids twice are refused before anything is stored.
        """
        items = NucleusItems(["image_2"])

        with pytest.raises(DocumentError, match=r"\('image_2', 'image_2_mask_1'\)"):
            items.annotate([prediction(), prediction()])
        assert items.masks == {"image_2": None}
        check_for_duplicate_ids([prediction(), prediction(annotation_id=None)])


class TestRead:
    def test_page(self, tmp_path: Path) -> None:
        """
        The page's segments: birds are objects, all else is not, nothing is lost.
        """
        source = read(page_folder(tmp_path))
        (one,) = source

        assert isinstance(one, Item)
        assert (source.format, one.problems) == ("nucleus", ())
        assert one.objects is not None
        assert [(o.id, o.label, o.score) for o in one.objects] == [
            (8, "bird", 0.8),
            (9, "bird", 0.8),
            (10, "bird", 0.8),
        ]
        person = source.classes.ids_of("person")[0]
        assert (one.said[person].score, one.said[person].metadata) == (
            0.6,
            {"pose": "sitting"},
        )
        assert names_of(one, source.classes)[0][::2] == [s.label for s in PAGE]

    @pytest.mark.parametrize("through", [None, "frames"])
    def test_page_survives(self, through: str | None, tmp_path: Path) -> None:
        """
        Written again, the page's payload has the same segments and pixels.
        """
        (tmp_path / "in").mkdir()
        source = read(page_folder(tmp_path / "in"))
        if through is not None:
            write(source, tmp_path / "frames", through)
            source = read(tmp_path / "frames")

        write(source, tmp_path / "out", "nucleus")

        document = json.loads((tmp_path / "out/segmentations.json").read_bytes())
        (found,) = read_payload(document)
        assert found == prediction(mask_url="masks/image_2.png")
        assert np.array_equal(
            read_values(tmp_path / "out/masks/image_2.png"),
            read_values(tmp_path / "in/mask.png"),
        )

    def test_things(self, tmp_path: Path) -> None:
        """
        N7: a label that things names is an object, also if it is the only one.
        """
        (one,) = read(page_folder(tmp_path), things=["person"])

        assert isinstance(one, Item)
        assert one.objects is not None
        assert [o.label for o in one.objects] == ["person", "bird", "bird", "bird"]

    def test_n7_consolidated(self, tmp_path: Path) -> None:
        """
        N7: the semantic view has the three birds as one class.
        """
        source = read(page_folder(tmp_path))
        (one,) = source
        assert isinstance(one, Item)
        assert one.labels is not None

        found = consolidate(as_label_map(one.labels, source.classes), "semantic")

        assert len(found.areas) == 9

    def test_n3_missing_and_unused(self, tmp_path: Path) -> None:
        """
        N3: a value without a segment is an error, a segment without pixels a warning.
        """
        write_png(tmp_path / "m.png", np.array([[0, 0, 5]], np.uint8))
        one = prediction(
            mask_url="m.png", annotations=[Segment("a", 0), Segment("b", 1)]
        )
        (tmp_path / "p.json").write_text(json.dumps(payload_of([one])))

        (found,) = read(tmp_path)

        assert isinstance(found, Item)
        assert [(p.code, str(p.severity), p.count) for p in found.problems] == [
            ("missing-segment", "error", 1),
            ("unused-segment", "warning", None),
        ]

    def test_n4_remote_masks_are_not_opened(self, tmp_path: Path) -> None:
        """
        N4: a URL is opened only if that is allowed; the item is a problem.
        """
        (tmp_path / "p.json").write_text(json.dumps(payload_of([prediction()])))

        (found,) = read(tmp_path)

        assert getattr(found, "code", "") == "not-converted"

    def test_n4_masks_outside(self, tmp_path: Path) -> None:
        """
        N4: a local path must not lead out of the folder.
        """
        write_png(tmp_path / "secret.png", np.zeros((2, 2), np.uint8))
        inner = tmp_path / "in"
        inner.mkdir()
        one = prediction(mask_url="../secret.png")
        (inner / "p.json").write_text(json.dumps(payload_of([one])))

        (found,) = read(inner)

        assert getattr(found, "code", "") == "not-converted"

    def test_n2_wide_values(self, tmp_path: Path) -> None:
        """
        N2: a mask of more than 8 bits is refused, not wrapped around.
        """
        wide = np.array([[300, 1]], np.uint16)
        write_png(tmp_path / "m.png", wide, depth=16)
        one = prediction(mask_url="m.png")
        (tmp_path / "p.json").write_text(json.dumps(payload_of([one])))

        (found,) = read(tmp_path)

        assert "beyond 255" in getattr(found, "message", "")

    def test_coercion_is_told(self, tmp_path: Path) -> None:
        """
        N3: indices in text in a file are read, and a warning says so.
        """
        document = payload_of([prediction(mask_url="mask.png")])
        page_folder(tmp_path)
        document["segmentations"][0]["annotations"][1]["index"] = "1"
        (tmp_path / "payload.json").write_text(json.dumps(document))

        source = read(tmp_path)

        assert [(p.code, str(p.severity)) for p in source.problems] == [
            ("index-not-integer", "warning")
        ]

    def test_too_many_segments(self, tmp_path: Path) -> None:
        """
        An image with more segments than a byte has values is refused.
        """
        objects = tuple(
            thing(n + 1, 2, (x, y, x + 1, y + 1), (24, 16))
            for n, (y, x) in enumerate(np.ndindex(24, 16))
        )
        labels = np.zeros((24, 16), np.int32)
        one = Item(name="x", shape=(24, 16), labels=labels, objects=objects)

        done = write(collection(one), tmp_path / "out", "nucleus")

        assert (done.written, done.failed) == (0, 1)

    def test_url_base(self, tmp_path: Path) -> None:
        """
        URLs can be those of a bucket that the masks are copied to.
        """
        write(collection(item("x")), tmp_path / "out", "nucleus", base="s3://b/m/")

        document = json.loads((tmp_path / "out/segmentations.json").read_bytes())
        assert document["segmentations"][0]["mask_url"] == "s3://b/m/x.png"
