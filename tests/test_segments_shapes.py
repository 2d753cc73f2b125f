from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from framekit import segments as sg
from framekit.errors import ArgumentError
from framekit.segments.rle import counts_to_text, text_to_counts

MASKS = npst.arrays(
    np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=12)
).filter(lambda mask: bool(mask.any()))

RING = np.ones((3, 3), np.bool_)
RING[1, 1] = False


class TestBoundingBox:
    def test_p3_center(self) -> None:
        """
        P3: the article's [130, 285, 100, 185] is a center and a size.
        """
        box = sg.BoundingBox.from_cxcywh([130, 285, 100, 185])

        assert box.xyxy == (80, 192.5, 180, 377.5)
        assert box.xywh == (80, 192.5, 100, 185)
        assert box.cxcywh == (130, 285, 100, 185)
        assert box.normalized((400, 200)) == (0.4, 0.48125, 0.9, 0.94375)
        assert box.normalized((400, 200), "cxcywh") == (0.65, 0.7125, 0.5, 0.4625)

    def test_p3_inclusive(self) -> None:
        """
        P3: a box is half open unless its name says inclusive.
        """
        box = sg.Region.of_mask([[0, 0, 0], [0, 1, 1]]).box

        assert box == sg.BoundingBox(1, 1, 3, 2)
        assert box.xyxy == (1, 1, 3, 2)
        assert box.xyxy_inclusive == (1, 1, 2, 1)
        assert box.area == 2
        assert sg.BoundingBox.from_xyxy((1, 1, 2, 1), inclusive=True) == box

    @pytest.mark.parametrize(
        "values", [(1, 2, 3), "1234", (3, 0, 1, 1), (0, 0, float("nan"), 1), 7]
    )
    def test_refused(self, values: Any) -> None:
        """
        What is no box is refused.
        """
        with pytest.raises(ArgumentError):
            sg.BoundingBox.from_xyxy(values)


class TestRegion:
    @given(MASKS)
    def test_round_trip(self, mask: NDArray[np.bool_]) -> None:
        """
        A region has the pixels of its mask, and its box fits.
        """
        region = sg.Region.of_mask(mask)

        assert region.full_mask().tolist() == mask.tolist()
        assert region.area == np.count_nonzero(mask)
        assert region.mask[0].any()
        assert region.mask[-1].any()
        assert region.mask[:, 0].any()
        assert region.mask[:, -1].any()

    @given(MASKS, st.data())
    def test_iou(self, mask: NDArray[np.bool_], data: st.DataObject) -> None:
        """
        The IoU of regions is that of their masks.
        """
        other = data.draw(npst.arrays(np.bool_, mask.shape).filter(np.any))

        found = sg.Region.of_mask(mask).iou(sg.Region.of_mask(other))

        shared, either = np.sum(mask & other), np.sum(mask | other)
        assert found == shared / either

    def test_opacity(self) -> None:
        """
        A mask of 0 and 255 is not taken for one of 0 and 1.
        """
        with pytest.raises(ArgumentError) as e:
            sg.Region.of_mask(np.array([[0, 255]], np.uint8))

        reason = "expected a mask of 0 and 1, or bools; has [0, 255]"
        assert e.value == ArgumentError("mask", reason)


class TestRle:
    @given(MASKS)
    def test_round_trip(self, mask: NDArray[np.bool_]) -> None:
        """
        Both forms give the mask back.
        """
        region = sg.Region.of_mask(mask)

        text, numbers = sg.to_rle(region), sg.to_rle(region, counts="numbers")
        assert sg.from_rle(text).tolist() == mask.tolist()
        assert sg.from_rle(numbers).tolist() == mask.tolist()
        text["counts"] = text["counts"].encode()
        assert sg.from_rle(text).tolist() == mask.tolist()

    def test_columns(self) -> None:
        """
        Counts go down the columns, pixels outside first.
        """
        region = sg.Region.of_mask([[0, 1, 1], [0, 0, 1]])

        assert sg.to_rle(region, counts="numbers") == {
            "size": [2, 3],
            "counts": [2, 1, 1, 2],
        }

    def test_coco(self) -> None:
        """
        The text is what pycocotools 2.0.11 writes.
        """
        mask = np.zeros((20, 30), np.uint8)
        mask[3:17, 5:25] = 1
        mask[8:11, 10:20] = 0
        mask[19, 29] = 1

        found = sg.to_rle(sg.Region.of_mask(mask))

        assert found == {"size": [20, 30], "counts": COCO_TEXT}

    @given(st.lists(st.integers(0, 2**40), max_size=9))
    def test_text(self, counts: list[int]) -> None:
        """
        All counts survive being text.
        """
        assert text_to_counts(counts_to_text(np.array(counts, np.int64))).tolist() == (
            counts
        )

    @pytest.mark.parametrize(
        "rle",
        [
            {"size": [2, 2], "counts": [1, 2]},
            {"size": [2, 2], "counts": [-1, 5]},
            {"size": [2], "counts": [4]},
            {"size": [2, 2], "counts": "P"},
            {"size": [2, 2], "counts": " "},
            {"size": [2, 2], "counts": "ooooooooooooooo0"},
            {"size": [2, 2], "counts": [1.5, 2.5]},
            {"size": [2, 2]},
            {"size": ["2", "2"], "counts": [4]},
            "2211",
            None,
        ],
    )
    def test_refused(self, rle: Any) -> None:
        """
        What is no RLE, or does not fill its image, is refused.
        """
        with pytest.raises(ArgumentError):
            sg.from_rle(rle)

    @given(MASKS)
    def test_h7_hasty(self, mask: NDArray[np.bool_]) -> None:
        """
        H7: Hasty's runs go along rows, within the box.
        """
        region = sg.Region.of_mask(mask)

        found = sg.from_hasty(sg.to_hasty(region), region.bounds, region.shape)

        assert found.tolist() == mask.tolist()

    def test_h7_hasty_numbers(self) -> None:
        """
        H7: starts count from 1 at the box's corner.
        """
        region = sg.Region.of_mask([[0, 0, 0], [0, 1, 1], [0, 0, 1]])

        assert sg.to_hasty(region) == [1, 2, 4, 1]

    @pytest.mark.parametrize("values", [[0, 1], [1, 5], [1, 0], [1], [2, 2, 3, 1]])
    def test_h7_hasty_refused(self, values: list[int]) -> None:
        """
        H7: runs that overlap or leave the box are refused.
        """
        with pytest.raises(ArgumentError):
            sg.from_hasty(values, (0, 0, 2, 2), (3, 3))


#: Of a 20 x 30 mask with a hole and a single pixel.
COCO_TEXT = "W3>600000000GM13OM13OM13OM13OM13OM13OM13OM13OM13OM13800000000P3C"


class TestPolygons:
    @given(MASKS)
    def test_round_trip(self, mask: NDArray[np.bool_]) -> None:
        """
        The pixels within the polygons are those that they outline.
        """
        polygons = sg.polygons_of(sg.Region.of_mask(mask))

        rings = [ring for polygon in polygons for ring in polygon.rings]
        assert sg.rasterized(rings, mask.shape).tolist() == mask.tolist()

    @given(MASKS)
    def test_pieces(self, mask: NDArray[np.bool_]) -> None:
        """
        There is one polygon for each part whose pixels share edges.
        """
        polygons = sg.polygons_of(sg.Region.of_mask(mask))

        assert len(polygons) == sg.components(mask, connectivity=4)[1]
        for polygon in polygons:
            assert area(polygon.exterior) > 0
            assert all(area(hole) < 0 for hole in polygon.holes)
        total = sum(area(ring) for polygon in polygons for ring in polygon.rings)
        assert total == np.count_nonzero(mask)

    def test_hole(self) -> None:
        """
        A ring of pixels is a polygon with a hole.
        """
        (polygon,) = sg.polygons_of(sg.Region.of_mask(np.pad(RING, 1)))

        assert polygon == sg.Polygon(
            np.array([[1, 1], [4, 1], [4, 4], [1, 4]]),
            (np.array([[2, 2], [2, 3], [3, 3], [3, 2]]),),
        )

    def test_single_pixel(self) -> None:
        """
        A pixel is a square, not a point.
        """
        one = sg.Instance(id=1, labels=("a",), region=sg.Region.of_mask([[0, 1]]))

        assert one.coco_polygons() == [[1, 0, 2, 0, 2, 1, 1, 1]]

    def test_hole_in_coco(self) -> None:
        """
        COCO's polygons cannot say a hole, so none is written as if there were none.
        """
        one = sg.Instance(id=1, labels=("a",), region=sg.Region.of_mask(RING))

        with pytest.raises(ArgumentError, match="1 hole"):
            one.coco_polygons()

    def test_slanted(self) -> None:
        """
        A pixel belongs to a polygon if its center does; what is outside is cut off.
        """
        found = sg.rasterized([[-2, -2, 4, 4, -2, 4]], (3, 3))

        assert found.tolist() == [
            [False, False, False],
            [True, False, False],
            [True, True, False],
        ]

    @pytest.mark.parametrize(
        "ring",
        [
            [0, 0, 1, 1],
            [0, 0, 1],
            [[0, 0, 0]] * 3,
            "abc",
            [0, 0, 1, 1, 2, "x"],
            [0, 0, 1, 1, float("inf"), 2],
        ],
    )
    def test_refused(self, ring: Any) -> None:
        """
        A ring has three corners or more, all finite.
        """
        with pytest.raises(ArgumentError):
            sg.rasterized([ring], (3, 3))


def area(ring: NDArray[np.int64]) -> float:
    """
    The area within a ring, negative if it is counterclockwise on screen.
    """
    x, y = ring.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2


class TestOracle:
    def test_pycocotools(self) -> None:
        """
        Text and box are those of pycocotools.
        """
        coco = pytest.importorskip("pycocotools.mask")
        random = np.random.default_rng(0)
        for _ in range(50):
            mask = random.random(tuple(random.integers(1, 70, 2))) < random.random()
            if not mask.any():
                continue
            region = sg.Region.of_mask(mask)
            rle = sg.to_rle(region)

            expected = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
            assert rle["counts"] == expected["counts"].decode()
            assert coco.toBbox(expected).tolist() == list(region.box.xywh)
