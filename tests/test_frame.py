from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framekit.errors import ArgumentError, DocumentError
from framekit.frame import (
    Box2D,
    Box3D,
    Ellipse2D,
    Geometry,
    KeyPoints2D,
    KeyPoints3D,
    Mask,
    Polygon2D,
    Polygon3D,
    Preview,
    Roi,
    RoiMask,
    SingleFrame,
    Source,
)

TWO_MASKS = (Mask(id="seg", uri="seg.png"), Mask(id="ids", uri="ids.png"))


def frame_with_masks(*masks: Mask) -> SingleFrame:
    """
    A frame of one source "front" with these masks.
    """
    return SingleFrame(sources=[Source(id="front", uri="front.jpg", masks=masks)])


class TestConstructor:
    def test_clearml_spelling(self) -> None:
        """
        ClearML's keywords make one source with its preview and its first mask.
        """
        frame = SingleFrame(
            source="a.jpg",
            width=8,
            height=6,
            timestamp=33,
            preview_uri="p.jpg",
            preview_uri_timestamp=1,
            mask_source="m.png",
            metadata={"velocity": "60"},
            context_id="car_1",
        )

        assert frame.to_dict() == {
            "timestamp": 33,
            "context_id": "car_1",
            "meta": {"velocity": "60"},
            "sources": [
                {
                    "id": "default",
                    "uri": "a.jpg",
                    "width": 8,
                    "height": 6,
                    "timestamp": 33,
                    "preview": {"uri": "p.jpg", "timestamp": 1},
                    "masks": [{"id": "00", "uri": "m.png"}],
                }
            ],
        }

    def test_masks_source(self) -> None:
        """
        Masks are given by id, or in a list whose ids are counted.
        """
        by_id = SingleFrame(source="a", masks_source={"seg": "s.png", "x": "x.png"})
        listed = SingleFrame(source="a", masks_source=["s.png", "x.png"])

        assert by_id.masks_source == {"seg": "s.png", "x": "x.png"}
        assert listed.masks_source == {"00": "s.png", "01": "x.png"}

    def test_empty_frame(self) -> None:
        """
        A frame without sources can be filled in later.
        """
        frame = SingleFrame(id="a")
        frame.source = "a.jpg"
        frame.mask_source = "m.png"
        frame.preview_uri = "p.jpg"

        assert frame.sources == (
            Source(
                id="default",
                uri="a.jpg",
                preview=Preview(uri="p.jpg"),
                masks=[Mask(id="00", uri="m.png")],
            ),
        )

    @pytest.mark.parametrize(
        ("arguments", "argument"),
        [
            ({"width": 8}, "width"),
            ({"mask_source": "m.png"}, "mask_source"),
            ({"source": "a", "sources": []}, "sources"),
            ({"source": "a", "size": (1, 2), "width": 1}, "size"),
            ({"source": "a", "size": (1,)}, "size"),
            ({"source": "a", "preview_uri_timestamp": 1}, "preview_uri_timestamp"),
            ({"source": "a", "mask_source": "m", "masks_source": {}}, "masks_source"),
            ({"source": "a", "masks_source": "m.png"}, "masks_source"),
            ({"source": 3}, "uri"),
            ({"sources": ["a.jpg"]}, "sources"),
            ({"rois": [], "annotations": []}, "rois"),
            ({"rois": "car"}, "items"),
            ({"timestamp": True}, "timestamp"),
            ({"timestamp": math.nan}, "timestamp"),
            ({"timestamp": 33.3}, "timestamp"),
            ({"timestamp": "33"}, "timestamp"),
            ({"metadata": {"a": math.nan}}, "metadata"),
            ({"metadata": ["a"]}, "metadata"),
            ({"context_id": 3}, "context_id"),
        ],
    )
    def test_refused(self, arguments: dict[str, Any], argument: str) -> None:
        """
        A bad value raises at once, naming the argument.
        """
        with pytest.raises(ArgumentError) as e:
            SingleFrame(**arguments)

        assert e.value.argument == argument

    def test_numpy(self) -> None:
        """
        NumPy numbers are numbers.
        """
        arguments: dict[str, Any] = {
            "size": np.array([8, 6]),
            "timestamp": np.int64(33),
            "metadata": {"speed": np.float32(1.5), "path": np.arange(2)},
        }
        frame = SingleFrame(source="a", **arguments)

        assert frame.size == (8, 6)
        assert frame.timestamp == 33
        assert frame.metadata == {"speed": 1.5, "path": [0, 1]}


class TestAddAnnotation:
    def test_page_snippet(self) -> None:
        """
        The snippet of ClearML's page: no mask yet, so the ROI gets the id "00".
        """
        frame = SingleFrame(source="woof_meow.jpg", preview_uri="https://x/p.jpg")

        assert frame.add_annotation(mask_rgb=[0, 0, 0], labels=["cat"]) == [0]
        assert frame.rois == [
            Roi(
                labels=["cat"],
                sources=["default"],
                mask=RoiMask(id="00", value=(0, 0, 0)),
            )
        ]

    def test_later_mask(self) -> None:
        """
        The mask that is set afterwards is the one the ROI means.
        """
        frame = SingleFrame(source="a.jpg")
        frame.add_annotation(mask_rgb=[0, 0, 0], labels=["cat"])
        frame.mask_source = "m.png"

        assert frame.sources[0].mask_ids == ("00",)

    def test_only_mask(self) -> None:
        """
        With one mask its id may be left out.
        """
        frame = frame_with_masks(TWO_MASKS[0])
        frame.add_annotation(mask_rgb="#d2d278", labels=["car"])

        assert frame.rois[0].mask == RoiMask(id="seg", value=(210, 210, 120))

    def test_several_masks(self) -> None:
        """
        With several it must be given.
        """
        frame = frame_with_masks(*TWO_MASKS)

        with pytest.raises(ArgumentError, match=r"\['seg', 'ids'\]"):
            frame.add_annotation(mask_rgb=[1, 2, 3], labels=["car"])

    def test_unknown_mask(self) -> None:
        """
        An id that no addressed source has is refused, naming the known ones.
        """
        frame = frame_with_masks(*TWO_MASKS)

        with pytest.raises(ArgumentError, match=r"'sge'.*\['seg', 'ids'\]"):
            frame.add_annotation(mask_rgb=[1, 2, 3], mask_id="sge", labels=["car"])

    def test_sources(self) -> None:
        """
        With several sources they must be named, and must exist.
        """
        frame = SingleFrame(
            sources=[Source(id="front", uri="f"), Source(id="rear", uri="r")]
        )

        with pytest.raises(ArgumentError, match=r"\['front', 'rear'\]"):
            frame.add_annotation(labels=["day"])
        with pytest.raises(ArgumentError, match="'left' is no source"):
            frame.add_annotation(labels=["day"], sources=["left"])
        frame.add_annotation(labels=["day"], sources=["front", "rear"])

        assert frame.rois == [Roi(labels=["day"], sources=["front", "rear"])]

    def test_several_shapes(self) -> None:
        """
        Several shapes are several ROIs with one id.
        """
        frame = SingleFrame(source="a.jpg")
        added = frame.add_annotation(
            box2d_xywh=(1, 2, 3, 4), mask_rgb=[1, 2, 3], labels=["car"], confidence=0.5
        )

        assert added == [0, 1]
        assert frame.rois[0].id == frame.rois[1].id is not None
        assert [roi.confidence for roi in frame.rois] == [0.5, 0.5]

    def test_frame_class(self) -> None:
        """
        The class of a frame is an ROI with labels and nothing else.
        """
        frame = SingleFrame(source="a.jpg")
        frame.add_annotation(frame_class=["train"])

        assert frame.rois == [Roi(labels=["train"], sources=["default"])]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"mask_rgb": (300, -4, 1.9)}, r"mask_rgb: .*\[300, -4, 1.9\]"),
            ({"mask_rgb": (1, 2)}, "mask_rgb: .*2 values"),
            ({"mask_rgb": "#ff"}, "mask_rgb: .*'#ff'"),
            ({"mask_rgb": 7}, "mask_rgb: .*7"),
            ({"mask_rgb": (True, 0, 0)}, "mask_rgb"),
            ({"labels": "car"}, r"labels: .*write \['car'\]"),
            ({"labels": []}, "labels: expected a list"),
            ({"labels": [1]}, "labels: .*1 is no text"),
            ({"labels": ["a"], "confidence": 1.5}, "confidence: expected 0 to 1"),
            ({"labels": ["a"], "confidence": math.nan}, "confidence: .*finite"),
            ({"labels": ["a"], "mask_id": "00"}, "mask_id: goes with mask_rgb"),
            ({"labels": ["a"], "id": 7}, "id: .*write '7'"),
            ({"labels": ["a"], "box2d_xywh": ("a", 1, 2, 3)}, "box2d_xywh: .*'a'"),
            ({"labels": ["a"], "box2d_xywh": (1, 2, 3)}, "box2d_xywh: .*3 numbers"),
            ({"labels": ["a"], "box2d_xywh": (1, 2, -3, 4)}, "0 or more"),
            ({"labels": ["a"], "poly2d_xy": [1, 2, 3]}, "poly2d_xy: .*3 numbers"),
            ({"labels": ["a"], "poly2d_xy": [(1, 2), (3, 4)]}, "at least 3"),
            ({"labels": ["a"], "poly2d_xy": []}, "poly2d_xy: .*empty"),
            ({"labels": ["a"], "poly2d_xy": "1,2"}, "poly2d_xy"),
            ({"labels": ["a"], "points2d_xy": [math.inf, 1]}, "points2d_xy: .*finite"),
            ({"labels": ["a"], "ellipse2d_xyrrt": [1, 2, 3, 4]}, "4 numbers"),
            ({"labels": ["a"], "box3d_xyzwhxyzwh": range(9)}, "ten numbers"),
            ({"labels": ["a"], "poly3d_xyz": [(1, 2), (3, 4)]}, "poly3d_xyz"),
        ],
    )
    def test_refused(self, arguments: dict[str, Any], message: str) -> None:
        """
        A bad value raises, naming the argument, and nothing is added.
        """
        frame = SingleFrame(source="a.jpg")
        arguments = {"labels": ["cat"], **arguments}

        with pytest.raises(ArgumentError, match=message):
            frame.add_annotation(**arguments)

        assert frame.rois == []


class TestGeometry:
    @pytest.mark.parametrize(
        ("argument", "value", "shape"),
        [
            ("poly2d_xy", [1, 2, 3, 4, 5, 6], Polygon2D([(1, 2, 3, 4, 5, 6)])),
            ("poly2d_xy", [(1, 2), (3, 4), (5, 6)], Polygon2D([(1, 2, 3, 4, 5, 6)])),
            (
                "poly2d_xy",
                [[(1, 2), (3, 4), (5, 6)], [(7, 8), (9, 10), (11, 12)]],
                Polygon2D([(1, 2, 3, 4, 5, 6), (7, 8, 9, 10, 11, 12)]),
            ),
            (
                "poly2d_xy",
                [1, 2, 3, 4, 5, 6, -999999999, 7, 8, 9, 10, 11, 12],
                Polygon2D([(1, 2, 3, 4, 5, 6), (7, 8, 9, 10, 11, 12)]),
            ),
            (
                "poly2d_xy",
                np.array([[1, 2], [3, 4], [5, 6.5]]),
                Polygon2D([(1, 2, 3, 4, 5, 6.5)]),
            ),
            (
                "poly3d_xyz",
                [(1, 2, 3), (4, 5, 6), (7, 8, 9)],
                Polygon3D([(1, 2, 3, 4, 5, 6, 7, 8, 9)]),
            ),
            ("points2d_xy", [(1, 2)], KeyPoints2D([(1, 2)])),
            ("points3d_xyz", [1, 2, 3, 4, 5, 6], KeyPoints3D([(1, 2, 3, 4, 5, 6)])),
            ("box2d_xywh", (1, 2, 30, 40), Box2D(1, 2, 30, 40)),
            ("box2d_xywh", (1, 2, 30, 40, 0.5), Box2D(1, 2, 30, 40, 0.5)),
            ("box2d_xywh", (1, 2, 0, 0), Box2D(1, 2, 0, 0)),
            ("ellipse2d_xyrrt", (1, 2, 3, 4, 0.5), Ellipse2D(1, 2, 3, 4, 0.5)),
            (
                "box3d_xyzwhxyzwh",
                range(10),
                Box3D((0, 1, 2, 3, 4), (5, 6, 7, 8, 9)),
            ),
        ],
    )
    def test_round_trip(self, argument: str, value: Any, shape: Geometry) -> None:
        """
        Every shape comes back from JSON as it was given.
        """
        frame = SingleFrame(source="a.jpg")
        frame.add_annotation(**{argument: value}, labels=["x"])
        read = SingleFrame.from_json(frame.to_json())

        assert read == frame
        assert read.rois[0].geometry == shape

    @given(
        st.tuples(
            st.floats(-1e4, 1e4),
            st.floats(-1e4, 1e4),
            st.floats(1, 1e4),
            st.floats(1, 1e4),
            st.floats(-3, 3),
        )
    )
    def test_turned_box(self, numbers: tuple[float, ...]) -> None:
        """
        A turned box is written as its corners and read back from them.
        """
        box = Box2D.of(numbers)
        read = Box2D.from_poly(box.poly)

        found = (read.x, read.y, read.width, read.height, read.angle)
        assert found == pytest.approx(numbers, abs=1e-6)

    def test_rings_on_the_wire(self) -> None:
        """
        Rings are separated by ClearML's number.
        """
        shape = Polygon2D.of([[(0, 0), (4, 0), (4, 4)], [(1, 1), (2, 1), (2, 2)]])

        assert shape.poly == (0, 0, 4, 0, 4, 4, -999999999, 1, 1, 2, 1, 2, 2)

    def test_unknown_kind(self) -> None:
        """
        A shape of a kind we do not know is kept and has no geometry.
        """
        roi = Roi(labels=["x"], poly=[1, 2], metadata={"_type": "spline"})

        assert roi.geometry is None
        assert roi.poly == (1, 2)

    def test_without_kind(self) -> None:
        """
        Without a mark a ``poly`` is a polygon.
        """
        roi = Roi(labels=["x"], poly=[0, 0, 4, 0, 4, 4])

        assert roi.geometry == Polygon2D([(0, 0, 4, 0, 4, 4)])


class TestAnnotations:
    def frame(self) -> SingleFrame:
        """
        Four ROIs: two of object "a", two label sets.
        """
        return SingleFrame(
            source="a.jpg",
            rois=[
                Roi(labels=["car", "red"], id="a"),
                Roi(labels=["car"], id="a"),
                Roi(labels=["car"], metadata={"_id": "b"}),
                Roi(labels=["road"]),
            ],
        )

    def test_get(self) -> None:
        """
        Annotations are found by object id, wherever it stands, or by index.
        """
        frame = self.frame()

        assert frame.get_annotations() == frame.rois
        assert frame.get_annotations(id="a") == frame.rois[:2]
        assert frame.get_annotations(id="b") == [frame.rois[2]]
        assert frame.get_annotations(index=3) == [frame.rois[3]]

    @pytest.mark.parametrize(
        ("arguments", "left"),
        [
            ({}, 0),
            ({"id": "a"}, 2),
            ({"label": "car"}, 1),
            ({"labels": ["car"]}, 2),
            ({"labels": ["red", "car"]}, 3),
            ({"id": "a", "labels": ["car"]}, 3),
        ],
    )
    def test_remove(self, arguments: dict[str, Any], left: int) -> None:
        """
        ``label`` means contains, ``labels`` exactly these, nothing means all.
        """
        frame = self.frame()
        removed = frame.remove_annotations(**arguments)

        assert len(frame.rois) == left
        assert len(removed) == 4 - left

    def test_remove_keeps_equal_ones(self) -> None:
        """
        Only what was asked for goes, also among equal ROIs.
        """
        frame = SingleFrame(source="a", rois=[Roi(labels=["x"])] * 2)
        frame.remove_annotation(0)

        assert frame.rois == [Roi(labels=["x"])]

    def test_no_such_index(self) -> None:
        """
        An index beyond the end is a clear error.
        """
        with pytest.raises(ArgumentError, match="has 4 annotations"):
            self.frame().remove_annotation(4)


class TestCopy:
    def test_independent(self) -> None:
        """
        A copy has a new id and shares nothing that can change.
        """
        frame = SingleFrame(id="a", source="a.jpg", metadata={"x": [1]})
        copied = frame.copy()
        copied.metadata["x"].append(2)
        copied.add_annotation(labels=["car"])

        assert copied.id not in (None, "a")
        assert frame.metadata == {"x": [1]}
        assert frame.rois == []

    def test_to_dict_shares_nothing(self) -> None:
        """
        Changing what ``to_dict`` returned changes no frame.
        """
        frame = SingleFrame(source="a.jpg", metadata={"x": [1]})
        frame.to_dict()["meta"]["x"].append(2)

        assert frame.metadata == {"x": [1]}


class TestFromDict:
    @pytest.mark.parametrize(
        ("document", "at", "code"),
        [
            ([], "$", "wrong-type"),
            ({}, "$", "missing-key"),
            ({"sources": {}}, "$.sources", "wrong-type"),
            ({"sources": [3]}, "$.sources[0]", "wrong-type"),
            ({"sources": [{"id": "a"}]}, "$.sources[0]", "missing-key"),
            ({"sources": [{"id": "", "uri": "a"}]}, "$.sources[0].id", "wrong-value"),
            (
                {"sources": [{"id": "a", "uri": "a", "timestamp": "0"}]},
                "$.sources[0].timestamp",
                "wrong-value",
            ),
            ({"sources": [], "rois": [{}]}, "$.rois[0]", "missing-key"),
            (
                {"sources": [], "rois": [{"label": "car"}]},
                "$.rois[0].label",
                "wrong-value",
            ),
            (
                {"sources": [], "rois": [{"label": [], "mask": {"id": "a"}}]},
                "$.rois[0].mask",
                "missing-key",
            ),
            (
                {
                    "sources": [],
                    "rois": [{"label": [], "mask": {"id": "a", "value": [1, 2]}}],
                },
                "$.rois[0].mask.value",
                "wrong-value",
            ),
        ],
    )
    def test_refused(self, document: Any, at: str, code: str) -> None:
        """
        A document that is no frame is refused with the JSON path.
        """
        with pytest.raises(DocumentError) as e:
            SingleFrame.from_dict(document)

        assert (e.value.at, e.value.code) == (at, code)

    def test_lossless(self) -> None:
        """
        Unknown keys at every level, empty lists and odd values survive.
        """
        document: dict[str, Any] = {
            "id": "a",
            "key_frame": True,
            "saved": 1598982880693,
            "dataset": {"id": "d", "version": "v"},
            "meta": {},
            "sources": [
                {
                    "id": "front",
                    "uri": "front.mp4",
                    "content_type": "image / png",
                    "gain": None,
                    "preview": {"uri": "p", "alt": "x"},
                    "masks": [{"id": "seg", "uri": "s", "layer": 3, "timestamp": 33.0}],
                },
                {"id": "rear", "uri": "rear.jpg", "masks": [], "meta": {}},
            ],
            "rois": [
                {
                    "label": [],
                    "sources": [],
                    "mask": {"id": "seg", "value": [-1, 1, 255], "alpha": 1},
                    "confidence": 1.5,
                    "area": 4,
                },
                {"label": ["x"], "poly": []},
            ],
        }

        assert SingleFrame.from_dict(document).to_dict() == {
            **document,
            "sources": [
                {k: v for k, v in s.items() if v is not None or k == "gain"}
                for s in document["sources"]
            ],
        }

    def test_null_is_absent(self) -> None:
        """
        A known key that is null is as good as absent.
        """
        document: dict[str, Any] = {"sources": [], "rois": None, "id": None}

        assert SingleFrame.from_dict(document).to_dict() == {"sources": []}

    def test_invents_nothing(self) -> None:
        """
        The smallest frame stays the smallest frame.
        """
        document: dict[str, Any] = {"sources": [{"id": "a", "uri": "a.jpg"}]}

        assert SingleFrame.from_dict(document).to_dict() == document
