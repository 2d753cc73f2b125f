from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from PIL import Image

from framekit import segments as sg
from framekit.errors import ArgumentError

CASE = Path(__file__).parents[2] / "shared" / "data" / "pq_case.npz"

#: Two things and two kinds of stuff.
CLASSES: dict[str, Any] = {"things": (1, 2), "stuff": (3, 4)}

VIEWS = npst.arrays(
    np.int32,
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(2)),
    elements=st.integers(0, 4),
)


def row(*pairs: tuple[int, int, int]) -> NDArray[np.int64]:
    """
    One row of [L, Z]; each pair comes with a number of pixels.
    """
    return np.array([[[label, z] for label, z, count in pairs for _ in range(count)]])


def void_where_zero(view: NDArray[np.int32]) -> NDArray[np.int32]:
    """
    The same view with label 0 as void.
    """
    found = view.copy()
    found[view[..., 0] == 0] = -1
    return found


@pytest.mark.skipif(not CASE.exists(), reason="needs the shared data")
class TestOracle:
    @pytest.mark.parametrize("void", ["target", "both"])
    def test_p5_case(self, void: Any) -> None:
        """
        P5: the values that panopticapi and torchmetrics agree on.
        """
        case = np.load(CASE)

        found = sg.panoptic_quality(
            case["t"], case["p"], things=range(10, 20), stuff=range(10), void=void
        )

        assert found.all.pq == pytest.approx(0.7628679147158107, abs=1e-12)
        assert found.all.sq == pytest.approx(0.8272056426, abs=1e-10)
        assert found.all.rq == pytest.approx(0.9205758212, abs=1e-10)
        assert (found.all.n, found.things.n, found.stuff.n) == (20, 10, 10)
        # Our own, frozen.
        assert found.things.pq == pytest.approx(0.67051400413507, abs=1e-12)
        assert found.stuff.pq == pytest.approx(0.8552218252965513, abs=1e-12)
        assert (found.all.tp, found.all.fp, found.all.fn) == (88, 15, 15)

    def test_types(self) -> None:
        """
        Views and arrays of any type give the same.
        """
        case = np.load(CASE)
        classes: dict[str, Any] = {"things": range(10, 20), "stuff": range(10)}
        expected = sg.panoptic_quality(case["t"], case["p"], **classes)

        views = [sg.Panoptic.from_channels(case[name]) for name in "tp"]
        assert sg.panoptic_quality(*views, **classes) == expected
        wide = [case[name].astype(np.int64) for name in "tp"]
        assert sg.panoptic_quality(*wide, **classes) == expected
        far = [wide[0][0] + [0, 1 << 33], wide[1][0] + [0, 1 << 33]]
        assert sg.panoptic_quality(*far, **classes) == expected


COCO = CASE.parent / "coco_panoptic" / "val6"


@pytest.mark.skipif(not COCO.exists(), reason="needs the shared data")
class TestCoco:
    def test_p5_crowds(self) -> None:
        """
        P5: real images with crowds, moved by (5, 3) pixels, score as in panopticapi.
        """
        document = json.loads((COCO / "panoptic.json").read_text(encoding="utf-8"))
        classes: dict[bool, list[int]] = {True: [], False: []}
        for category in document["categories"]:
            classes[category["isthing"] == 1].append(category["id"])

        parts = []
        for image in document["annotations"]:
            with Image.open(COCO / image["file_name"]) as file:
                ids = np.asarray(file).astype(np.int64) @ [1, 256, 65536]
            target = np.full((*ids.shape, 2), -1)
            crowd = []
            for segment in image["segments_info"]:
                pair = (segment["category_id"], segment["id"])
                target[ids == segment["id"]] = pair
                crowd += [pair] if segment["iscrowd"] else []
            parts.append(
                sg.panoptic_quality(
                    target,
                    np.roll(target, (3, 5), (0, 1)),
                    things=classes[True],
                    stuff=classes[False],
                    crowd=crowd,
                )
            )
        found = sum(parts[1:], parts[0])

        # Made with pq_compute_single_core of panopticapi @7bb4655.
        expected = {
            "all": (0.5191997503947361, 0.5750606147679833, 0.6392146939747559, 38),
            "things": (0.315819023123414, 0.43374751457804694, 0.40500879839115134, 18),
            "stuff": (0.7022424049389262, 0.7022424049389262, 0.85, 20),
        }
        for name, values in expected.items():
            one = getattr(found, name)
            assert (one.pq, one.sq, one.rq, one.n) == pytest.approx(values, abs=1e-12)
        assert (found.all.tp, found.all.fp, found.all.fn) == (57, 47, 70)


class TestPanopticQuality:
    def test_p5_by_hand(self) -> None:
        """
        P5: PQ is the sum of IoU by TP + FP / 2 + FN / 2, for all, things and stuff.
        """
        target = row((1, 1, 4), (1, 2, 2), (3, 0, 4))
        prediction = row((1, 7, 3), (1, 8, 1), (3, 0, 2), (3, 0, 4))

        found = sg.panoptic_quality(target, prediction, **CLASSES)

        # 3 of 4 pixels match; 4 of 6; one thing is missed, one imagined.
        assert found.per_class[1] == sg.Quality(
            pq=0.75 / 2, sq=0.75, rq=0.5, n=1, tp=1, fp=1, fn=1
        )
        assert found.per_class[3] == sg.Quality(
            pq=4 / 6, sq=4 / 6, rq=1.0, n=1, tp=1, fp=0, fn=0
        )
        assert found.per_class[2] == sg.Quality(pq=None, sq=None, rq=None, n=0)
        assert found.things == found.per_class[1]
        assert found.stuff == found.per_class[3]
        assert found.all.pq == (0.75 / 2 + 4 / 6) / 2

    def test_p5_half_is_not_enough(self) -> None:
        """
        P5: segments match if their IoU is above 0.5, not at it.
        """
        found = sg.panoptic_quality(
            row((1, 1, 1), (3, 0, 1)), row((1, 1, 2)), **CLASSES
        )

        assert found.per_class[1] == sg.Quality(
            pq=0.0, sq=0.0, rq=0.0, n=1, tp=0, fp=1, fn=1
        )

    def test_o12_void_in_the_target(self) -> None:
        """
        P5: pixels whose target is void are left out of unions.
        """
        target = row((1, 1, 3), (-1, -1, 5))
        prediction = row((1, 9, 8))

        found = sg.panoptic_quality(target, prediction, **CLASSES)

        assert found.per_class[1].pq == 1.0

    def test_o12_void_in_the_prediction(self) -> None:
        """
        O12: a target of which 3/4 is predicted void is PQ 0 or 1, by the rule.
        """
        target = row((1, 1, 8))
        prediction = row((1, 1, 2), (-1, -1, 6))

        by_target = sg.panoptic_quality(target, prediction, **CLASSES)
        by_both = sg.panoptic_quality(target, prediction, **CLASSES, void="both")

        assert by_target.all == sg.Quality(pq=0.0, sq=0.0, rq=0.0, n=1, fp=1, fn=1)
        assert by_both.all == sg.Quality(pq=1.0, sq=1.0, rq=1.0, n=1, tp=1)

    def test_o12_forgiven_target(self) -> None:
        """
        O12: under "both", a target that is mostly predicted void is not missed.
        """
        target = row((1, 1, 4))
        prediction = row((2, 1, 1), (-1, -1, 3))

        by_target = sg.panoptic_quality(target, prediction, **CLASSES)
        by_both = sg.panoptic_quality(target, prediction, **CLASSES, void="both")

        assert (by_target.all.fn, by_both.all.fn) == (1, 0)
        assert (by_target.all.fp, by_both.all.fp) == (1, 1)

    def test_p5_mostly_void_prediction(self) -> None:
        """
        P5: a prediction of which more than half is void is forgiven; half is not.
        """
        target = row((3, 0, 2), (-1, -1, 3))

        forgiven = sg.panoptic_quality(target, row((1, 1, 5)), **CLASSES)
        half = sg.panoptic_quality(
            row((3, 0, 2), (-1, -1, 2)), row((1, 1, 4)), **CLASSES
        )

        assert (forgiven.things.fp, half.things.fp) == (0, 1)

    def test_several_crowds(self) -> None:
        """
        P5: all crowd regions of a class forgive, not only the last one.
        """
        target = row((1, 1, 4), (3, 0, 2), (1, 2, 4))
        prediction = row((1, 1, 4), (3, 0, 2), (1, 2, 4))

        found = sg.panoptic_quality(
            target, prediction, **CLASSES, crowd=[(1, 1), (1, 2)]
        )

        assert found.things == sg.Quality(pq=None, sq=None, rq=None, n=0)
        assert found.stuff.pq == 1.0

    def test_prediction_over_two_crowds(self) -> None:
        """
        P5: what lies on two crowds of its class lies on crowd with both parts.
        """
        target = row((1, 1, 2), (1, 2, 2), (3, 0, 3))
        prediction = row((1, 1, 7))
        view = sg.Panoptic.from_channels(target, crowd=[(1, 1), (1, 2)])

        found = sg.panoptic_quality(view, prediction, **CLASSES)

        assert (found.things.fp, found.things.fn, found.things.n) == (0, 0, 0)

    def test_crowd_of_another_class(self) -> None:
        """
        P5: a crowd forgives its own class only.
        """
        found = sg.panoptic_quality(
            row((1, 1, 4)), row((2, 1, 4)), **CLASSES, crowd=[(1, 1)]
        )

        assert (found.things.fp, found.things.fn) == (1, 0)

    def test_nothing_matches(self) -> None:
        """
        Without a match there is no division by zero.
        """
        found = sg.panoptic_quality(row((1, 1, 2)), row((2, 1, 2)), **CLASSES)

        assert found.all == sg.Quality(pq=0.0, sq=0.0, rq=0.0, n=2, fp=1, fn=1)

    def test_nothing_at_all(self) -> None:
        """
        Nothing to score is None.
        """
        found = sg.panoptic_quality(row((-1, -1, 2)), row((-1, -1, 2)), **CLASSES)

        assert found.all == sg.Quality(pq=None, sq=None, rq=None, n=0)

    def test_stuff_has_no_instances(self) -> None:
        """
        P1: whatever Z stuff has, it is one segment.
        """
        target = row((3, 0, 2), (3, 5, 2))
        prediction = row((3, 9, 4))

        assert sg.panoptic_quality(target, prediction, **CLASSES).all.pq == 1.0

    def test_p6(self) -> None:
        """
        P6: what is a thing is the caller's choice, and changes the score.
        """
        target, prediction = row((1, 1, 2), (1, 2, 2)), row((1, 1, 4))

        as_things = sg.panoptic_quality(target, prediction, things=[1], stuff=[])
        as_stuff = sg.panoptic_quality(target, prediction, things=[], stuff=[1])

        assert (as_things.all.pq, as_stuff.all.pq) == (0.0, 1.0)

    def test_class_that_is_none(self) -> None:
        """
        A target that is no class is void; a prediction that is none is refused.
        """
        found = sg.panoptic_quality(
            row((9, 0, 2), (3, 0, 2)), row((3, 0, 4)), **CLASSES
        )
        assert found.all.pq == 1.0

        with pytest.raises(ArgumentError) as e:
            sg.panoptic_quality(row((3, 0, 2)), row((9, 0, 2)), **CLASSES)
        reason = "has labels that are neither things nor stuff: [9]"
        assert e.value == ArgumentError("prediction", reason)

    @given(VIEWS)
    def test_itself(self, view: NDArray[np.int32]) -> None:
        """
        A map scores 1 against itself.
        """
        found = sg.panoptic_quality(
            void_where_zero(view), void_where_zero(view), **CLASSES
        )

        assert found.all.pq in (None, 1.0)

    @given(VIEWS, st.data())
    def test_symmetric(self, view: NDArray[np.int32], data: st.DataObject) -> None:
        """
        Without void, target and prediction may be exchanged.
        """
        full = st.integers(1, 4)
        one = data.draw(npst.arrays(np.int32, view.shape, elements=full))
        other = data.draw(npst.arrays(np.int32, view.shape, elements=full))

        forth = sg.panoptic_quality(one, other, **CLASSES)
        back = sg.panoptic_quality(other, one, **CLASSES)

        assert forth.all.pq == back.all.pq
        assert (forth.all.fp, forth.all.fn) == (back.all.fn, back.all.fp)

    @given(VIEWS, st.data())
    def test_symmetric_with_both(
        self, view: NDArray[np.int32], data: st.DataObject
    ) -> None:
        """
        Under "both" void on either side is treated alike.
        """
        one = void_where_zero(view)
        other = void_where_zero(
            data.draw(npst.arrays(np.int32, view.shape, elements=st.integers(0, 4)))
        )

        forth = sg.panoptic_quality(one, other, **CLASSES, void="both")
        back = sg.panoptic_quality(other, one, **CLASSES, void="both")

        assert forth.all.pq == back.all.pq

    @given(
        st.lists(
            st.tuples(VIEWS, st.randoms(use_true_random=False)), min_size=1, max_size=5
        )
    )
    def test_merged(self, cases: list[tuple[NDArray[np.int32], Any]]) -> None:
        """
        Images add up to the same in any order, to the last bit.
        """
        parts = []
        for view, random in cases:
            other = np.array(random.choices(range(1, 5), k=view.size), np.int32)
            parts.append(
                sg.panoptic_quality(
                    void_where_zero(view), other.reshape(view.shape), **CLASSES
                )
            )

        assert sum(parts) == sum(reversed(parts))
        half = len(parts) // 2
        if half:
            low, high = parts[:half], parts[half:]
            halves = sum(low[1:], low[0]), sum(high[1:], high[0])
            assert halves[0] + halves[1] == sum(parts)
        assert pickle.loads(pickle.dumps(parts[0])) == parts[0]  # noqa: S301

    @given(VIEWS, st.data())
    def test_naive(self, view: NDArray[np.int32], data: st.DataObject) -> None:
        """
        Every pair compared as masks gives the same.
        """
        target = void_where_zero(view)
        other = data.draw(npst.arrays(np.int32, view.shape, elements=st.integers(0, 4)))
        prediction = void_where_zero(other)

        found = sg.panoptic_quality(target, prediction, **CLASSES)

        for id, (total, tp, fp, fn) in naive(target, prediction).items():
            one = found.per_class[id]
            assert (one.tp, one.fp, one.fn) == (tp, fp, fn)
            if tp:
                assert one.sq == pytest.approx(total / tp, abs=1e-12)

    def test_batch(self) -> None:
        """
        Images of a batch are scored one by one, and added.
        """
        one, other = row((1, 1, 2), (3, 0, 2)), row((3, 0, 2), (1, 1, 2))

        found = sg.panoptic_quality(
            np.stack([one, other]), np.stack([one, one]), **CLASSES
        )

        parts = [sg.panoptic_quality(each, one, **CLASSES) for each in (one, other)]
        assert found == parts[0] + parts[1]

    @pytest.mark.parametrize(
        ("target", "prediction", "options"),
        [
            (row((1, 1, 2)), row((1, 1, 3)), CLASSES),
            (row((1, 1, 2)), row((1, 1, 2)), {"things": [1], "stuff": [1]}),
            (row((1, 1, 2)), row((1, 1, 2)), {"things": [], "stuff": []}),
            (row((1, 1, 2)), row((1, 1, 2)), {"things": [-1], "stuff": [1]}),
            (row((1, 1, 2)), row((1, 1, 2)), {"things": ["car"], "stuff": []}),
            (row((1, 1, 2)), row((1, 1, 2)), {**CLASSES, "void": "none"}),
            (row((1, 1, 2)), row((1, 1, 2)), {**CLASSES, "crowd": [(1,)]}),
            (row((1, 1, 2)) / 255, row((1, 1, 2)), CLASSES),
            (row((1, 1, 2))[..., 0], row((1, 1, 2)), CLASSES),
            (row((1, 1, 2))[None].repeat(2, 0), row((1, 1, 2)), CLASSES),
        ],
    )
    def test_refused(
        self, target: Any, prediction: Any, options: dict[str, Any]
    ) -> None:
        """
        Other sizes and types, and classes that are both, are refused.
        """
        with pytest.raises(ArgumentError):
            sg.panoptic_quality(target, prediction, **options)

    def test_other_rule(self) -> None:
        """
        Scores by different rules are not added.
        """
        view = row((1, 1, 2))

        with pytest.raises(ArgumentError):
            sg.panoptic_quality(view, view, **CLASSES) + sg.panoptic_quality(
                view, view, **CLASSES, void="both"
            )


def naive(
    target: NDArray[np.int32], prediction: NDArray[np.int32]
) -> dict[int, tuple[float, int, int, int]]:
    """
    Sum of IoU, TP, FP and FN by class, by the "target" rule, mask by mask.
    """

    def masks(view: NDArray[np.int32]) -> dict[tuple[int, int], NDArray[np.bool_]]:
        found = {}
        for label, z in {tuple(pair) for pair in view.reshape(-1, 2).tolist()}:
            here = view[..., 0] == label
            if label in (1, 2):
                found[label, z] = here & (view[..., 1] == z)
            elif label > 0:
                found[label, 0] = here
        return found

    void = target[..., 0] < 0
    ones, others = masks(target), masks(prediction)
    result = {}
    for id in (1, 2, 3, 4):
        total, matched = 0.0, []
        for one, a in ones.items():
            for other, b in others.items():
                union = np.sum((a | b) & ~(b & void))
                if one[0] == other[0] == id and np.sum(a & b) / union > 0.5:
                    total += float(np.sum(a & b) / union)
                    matched.append((one, other))
        fn = sum(one[0] == id for one in ones) - len(matched)
        found = {other for _, other in matched}
        fp = sum(
            other[0] == id
            and other not in found
            and np.sum(b & void) / np.sum(b) <= 0.5
            for other, b in others.items()
        )
        result[id] = (total, len(matched), int(fp), fn)
    return result
