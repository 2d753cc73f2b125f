from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from framekit import segments as sg
from framekit.decoding.label_map import LabelMap
from framekit.decoding.report import DecodeReport
from framekit.errors import ArgumentError
from framekit.palette import Palette, PaletteEntry
from framekit.problem import Severity
from framekit.segments.assignment import assigned

PALETTE = Palette.indexed(
    [
        PaletteEntry(index=0, labels=("road",), thing=False),
        PaletteEntry(index=1, labels=("person",), thing=True),
        PaletteEntry(index=2, labels=("car",), thing=True),
    ]
)


def drawn(*boxes: tuple[int, int, int, int, int]) -> LabelMap:
    """
    A map of 60 x 40 with boxes: id, left, top, right, bottom.
    """
    ids = np.zeros((40, 60), np.uint8)
    for id, left, top, right, bottom in boxes:
        ids[top:bottom, left:right] = id
    return LabelMap(ids, PALETTE, DecodeReport(exact=True))


def instance(box: tuple[int, int, int, int], **fields: Any) -> sg.Instance:
    """
    An instance that fills a box of an image of 60 x 40.
    """
    left, top, right, bottom = box
    mask = np.zeros((40, 60), np.bool_)
    mask[top:bottom, left:right] = True
    values: dict[str, Any] = {"id": 1, "labels": ("car",), **fields}
    return sg.Instance(region=sg.Region.of_mask(mask), **values)


def kinds(differences: list[sg.Difference]) -> list[str]:
    """
    The kinds of differences.
    """
    return [one.kind for one in differences]


class TestCompare:
    def test_h6_missing(self) -> None:
        """
        H6: what only the first has is missing.
        """
        found = sg.compare(drawn((2, 5, 5, 15, 15)), drawn())

        assert found == [
            sg.Difference(
                kind="missing_annotation",
                label="car",
                box=sg.BoundingBox(5, 5, 15, 15),
                area=100,
                score=1.0,
                action="accept",
                first=1,
            )
        ]
        assert found[0].severity is Severity.ERROR

    def test_h6_extra(self) -> None:
        """
        H6: what only the second has is extra.
        """
        found = sg.compare(drawn(), drawn((1, 5, 5, 15, 15)))

        assert found == [
            sg.Difference(
                kind="extra_annotation",
                label="person",
                box=sg.BoundingBox(5, 5, 15, 15),
                area=100,
                score=1.0,
                action="reject",
                second=1,
            )
        ]

    def test_h6_mismatching_label(self) -> None:
        """
        H6: one object under two names is one difference, not two.
        """
        found = sg.compare(drawn((2, 5, 5, 15, 15)), drawn((1, 5, 5, 15, 14)))

        assert [one.to_dict() for one in found] == [
            {
                "kind": "mismatching_label",
                "severity": "error",
                "label": "car",
                "other_label": "person",
                "box_xywh": [5, 5, 10, 9],
                "area": 90,
                "score": 0.9,
                "iou": 0.9,
                "action": "edit",
                "first": 1,
                "second": 1,
            }
        ]

    @pytest.mark.parametrize(
        ("height", "expected"),
        [
            (10, []),
            (8, []),
            (7, ["low_overlap"]),
            (4, ["low_overlap"]),
            (3, ["missing_annotation", "extra_annotation"]),
        ],
    )
    def test_h6_thresholds(self, height: int, expected: list[str]) -> None:
        """
        H6: below an IoU of 0.8 the overlap is low, below 0.4 nothing matches.
        """
        found = sg.compare(drawn((2, 5, 5, 15, 15)), drawn((2, 5, 5, 15, 5 + height)))

        assert sorted(kinds(found)) == sorted(expected)

    def test_h6_covered(self) -> None:
        """
        H6: what is hidden to more than 95 % is covered.
        """
        one = [instance((5, 5, 25, 25), id=1)]
        other = [
            instance((5, 5, 25, 6), id=7, z=0),
            instance((5, 5, 25, 25), id=8, z=1),
        ]

        found = sg.compare(one, other)

        assert found == [
            sg.Difference(
                kind="covered_annotation",
                label="car",
                box=sg.BoundingBox(5, 5, 25, 6),
                area=20,
                score=1.0,
                action="reject",
                second=7,
            )
        ]
        assert found[0].severity is Severity.WARNING

    def test_only_what_is_seen(self) -> None:
        """
        Of objects that overlap only what is seen is compared.
        """
        one = [instance((0, 0, 10, 10)), instance((10, 0, 30, 10))]
        other = [instance((0, 0, 30, 10), z=0), instance((10, 0, 30, 10), z=1)]

        assert sg.compare(one, other) == []

    def test_h6_tiny_component(self) -> None:
        """
        H6: a speck beside the object is an artifact.
        """
        second = drawn((2, 5, 5, 25, 25))
        region = sg.instances(second)[0].region
        speck = region.joined([sg.Region.of_mask(drawn((1, 40, 30, 42, 31)).ids)])

        found = sg.compare(
            sg.instances(second),
            [sg.Instance(id=1, labels=("car",), region=speck)],
        )

        assert [(one.kind, one.box.xyxy, one.area) for one in found] == [
            ("tiny_component", (40, 30, 42, 31), 2)
        ]
        assert found[0].kind in sg.ARTIFACTS
        assert found[0].action == "edit"

    def test_h6_hole(self) -> None:
        """
        H6: a hole that the other does not have is an artifact.
        """
        first = drawn((2, 5, 5, 25, 25))

        found = sg.compare(first, drawn((2, 5, 5, 25, 25), (0, 10, 12, 13, 14)))

        assert [(one.kind, one.box.xyxy, one.area) for one in found] == [
            ("hole", (10, 12, 13, 14), 6)
        ]

    def test_h6_hole_in_both(self) -> None:
        """
        H6: a hole that both have is none.
        """
        both = drawn((2, 5, 5, 25, 25), (0, 10, 12, 13, 14))
        first = drawn((2, 5, 5, 25, 26), (0, 10, 12, 13, 14))

        assert sg.compare(first, both) == []

    def test_h6_spike(self) -> None:
        """
        H6: a thin part that the other does not have is an artifact.
        """
        found = sg.compare(
            drawn((2, 5, 5, 25, 25)),
            drawn((2, 5, 5, 25, 25), (2, 25, 10, 45, 12)),
        )

        assert [(one.kind, one.box.xyxy, one.area) for one in found] == [
            ("spike", (25, 10, 45, 12), 40)
        ]

    def test_same_class_first(self) -> None:
        """
        Objects match within their class, even if another class overlaps more.
        """
        one = [instance((0, 0, 10, 10))]
        other = [
            instance((0, 0, 10, 5), id=1, z=1),
            instance((0, 0, 10, 10), id=2, labels=("truck",), z=0),
        ]

        found = sg.compare(one, other)

        assert [(each.kind, each.label) for each in found] == [
            ("extra_annotation", "truck"),
            ("low_overlap", "car"),
        ]

    def test_h6_confidence(self) -> None:
        """
        H6: what a model is not sure of is not missing.
        """
        model = [instance((0, 0, 10, 10), score=0.3)]

        assert kinds(sg.compare(model, [], min_score=0.5)) == []
        (found,) = sg.compare(model, [])
        assert found.score == 0.3

    def test_crowd(self) -> None:
        """
        A crowd is not missing, and what lies on it is not extra.
        """
        crowd = [instance((0, 0, 20, 20), crowd=True)]

        assert sg.compare(crowd, [instance((0, 0, 5, 5)), instance((6, 6, 9, 9))]) == []
        assert sg.compare(crowd, []) == []

    @given(
        npst.arrays(np.uint8, (6, 7), elements=st.integers(0, 2)),
    )
    def test_itself(self, ids: NDArray[np.uint8]) -> None:
        """
        A map agrees with itself, in all.
        """
        one = LabelMap(ids, PALETTE, DecodeReport(exact=True))

        found = sg.agreement(one, one)

        assert found.differences == ()
        assert found.total.f1 in (None, 1.0)
        assert found.total.mean_iou in (None, 1.0)

    def test_panoptic(self) -> None:
        """
        Panoptic views are compared, too.
        """
        one = sg.panoptic(drawn((2, 5, 5, 15, 15)))

        assert sg.compare(one, drawn((2, 5, 5, 15, 15))) == []

    @pytest.mark.parametrize(
        ("b", "options"),
        [
            ([sg.Instance(id=1, labels=("a",), region=sg.Region.of_mask([[1]]))], {}),
            (sg.Panoptic.from_channels([[[1, 1]]]), {}),
            (["car"], {}),
            (7, {}),
            (drawn(), {"iou": 1.5}),
            (drawn(), {"low_overlap": None}),
            (drawn(), {"spike": 0}),
            (drawn(), {"things": ["dog"]}),
        ],
    )
    def test_refused(self, b: Any, options: dict[str, Any]) -> None:
        """
        Other sizes, other things and limits out of range are refused.
        """
        with pytest.raises(ArgumentError):
            sg.compare(drawn((2, 5, 5, 15, 15)), b, **options)


class TestAgreement:
    def test_by_class(self) -> None:
        """
        Counts are by class and in total.
        """
        found = sg.agreement(
            drawn((2, 5, 5, 15, 15), (1, 30, 5, 40, 15)),
            drawn((2, 5, 5, 15, 10), (2, 30, 20, 40, 30)),
        )

        assert found.per_class == {
            "person": sg.ClassAgreement(1, 0, 0, 0, {"missing_annotation": 1}),
            "car": sg.ClassAgreement(
                1, 2, 1, 0.5, {"extra_annotation": 1, "low_overlap": 1}
            ),
        }
        assert found.total == sg.ClassAgreement(
            2,
            2,
            1,
            0.5,
            {"missing_annotation": 1, "extra_annotation": 1, "low_overlap": 1},
        )
        assert (found.total.f1, found.total.mean_iou) == (0.5, 0.5)

    def test_merged(self) -> None:
        """
        Images add up, also those that other processes compared.
        """
        parts = [
            sg.agreement(drawn((2, 5, 5, 15, 15)), drawn((2, 5, 5, 15, bottom)))
            for bottom in (15, 10, 6)
        ]

        found = sum(pickle.loads(pickle.dumps(parts)))  # noqa: S301

        assert found.total == sg.ClassAgreement(
            3,
            3,
            2,
            1.5,
            {"low_overlap": 1, "missing_annotation": 1, "extra_annotation": 1},
        )
        assert found.to_dict()["total"]["mean_iou"] == 0.75
        assert kinds(list(found.differences)) == [
            "low_overlap",
            "missing_annotation",
            "extra_annotation",
        ]


class TestAssigned:
    @given(
        npst.arrays(
            np.float64,
            st.tuples(st.integers(0, 5), st.integers(0, 5)),
            elements=st.sampled_from([0.0, 0.0, 0.25, 0.5, 0.5, 1.0, 3.0]),
        )
    )
    def test_all_ways(self, weights: NDArray[np.float64]) -> None:
        """
        No other way to pair them weighs more.
        """
        found = assigned(weights)

        rows, columns = weights.shape
        small = weights if rows <= columns else weights.T
        best = max(
            sum(small[row, column] for row, column in enumerate(chosen))
            for chosen in itertools.permutations(range(small.shape[1]), small.shape[0])
        )
        assert sum(weights[pair] for pair in found) == pytest.approx(best)
        assert len({row for row, _ in found}) == len(found)
        assert len({column for _, column in found}) == len(found)
        assert all(weights[pair] > 0 for pair in found)

    def test_greed(self) -> None:
        """
        The best pair is given up where two good ones weigh more.
        """
        assert assigned([[0.9, 0.8], [0.8, 0.0]]) == [(0, 1), (1, 0)]

    def test_scipy(self) -> None:
        """
        Large ones weigh what SciPy's weigh.
        """
        optimize = pytest.importorskip("scipy.optimize")
        random = np.random.default_rng(0)
        for shape in ((60, 60), (40, 70), (70, 40)):
            weights = random.random(shape)
            weights[random.random(shape) < 0.8] = 0

            found = sum(weights[pair] for pair in assigned(weights))

            rows, columns = optimize.linear_sum_assignment(weights, maximize=True)
            assert found == pytest.approx(weights[rows, columns].sum())

    @pytest.mark.parametrize("weights", [[1.0], [[-1.0]], [[float("nan")]]])
    def test_refused(self, weights: Any) -> None:
        """
        Weights are a table of numbers, 0 or more.
        """
        with pytest.raises(ArgumentError):
            assigned(weights)
