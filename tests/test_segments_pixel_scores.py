from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from framekit import segments as sg
from framekit.decoding.label_map import LabelMap, id_dtype
from framekit.decoding.report import DecodeReport
from framekit.errors import ArgumentError
from framekit.palette import Palette

PAIRS = npst.arrays(
    np.int32,
    st.tuples(st.just(2), st.integers(1, 9), st.integers(1, 9)),
    elements=st.integers(-1, 3),
)


def label_map(ids: Any, palette: Palette) -> LabelMap:
    """
    A label map of *ids*; -1 is void.
    """
    array: Any = np.array(ids, np.int32).astype(id_dtype(palette))
    return LabelMap(array, palette, DecodeReport(exact=True))


class TestConfusion:
    def test_n9_by_hand(self) -> None:
        """
        N9: IoU, precision, recall and the weighted IoU, as counted by hand.
        """
        target = [[0, 0, 0, 0], [1, 1, 1, -1], [2, 2, -1, -1]]
        prediction = [[0, 0, 1, -1], [1, 1, 1, 0], [1, 1, 2, 2]]

        found = sg.confusion(np.array(target), np.array(prediction), classes=range(4))

        assert found.counts.tolist() == [
            [2, 1, 0, 0, 1],
            [0, 3, 0, 0, 0],
            [0, 2, 0, 0, 0],
            [0, 0, 0, 0, 0],
            [1, 0, 2, 0, 0],
        ]
        assert found.to_dict() == {
            "pixels": 9,
            "ignored": 3,
            "miou": (2 / 4 + 3 / 6 + 0) / 3,
            "mean_dice": (4 / 6 + 6 / 9 + 0) / 3,
            "mean_accuracy": (2 / 4 + 1 + 0) / 3,
            "accuracy": 5 / 9,
            "fwavacc": (4 * 2 / 4 + 3 * 3 / 6) / 9,
            "per_class": {
                "0": {"iou": 2 / 4, "dice": 4 / 6, "precision": 1.0, "recall": 2 / 4},
                "1": {"iou": 3 / 6, "dice": 6 / 9, "precision": 3 / 6, "recall": 1.0},
                "2": {"iou": 0.0, "dice": 0.0, "precision": None, "recall": 0.0},
                "3": {"iou": None, "dice": None, "precision": None, "recall": None},
            },
        }

    @given(PAIRS)
    def test_dice_and_iou(self, pair: NDArray[np.int32]) -> None:
        """
        Dice is 2 IoU / (1 + IoU), and not accuracy.
        """
        found = sg.confusion(*pair, classes=range(4))

        for key, iou in found.iou.items():
            dice = found.dice[key]
            if iou is None:
                assert dice is None
            else:
                assert dice == pytest.approx(2 * iou / (1 + iou), abs=1e-12)

    @given(st.lists(PAIRS, min_size=1, max_size=4))
    def test_merged(self, pairs: list[NDArray[np.int32]]) -> None:
        """
        The sum of images is what one pass over all pixels gives.
        """
        parts = [sg.confusion(*pair, classes=range(4)) for pair in pairs]

        flat = np.concatenate([pair.reshape(2, 1, -1) for pair in pairs], axis=2)
        whole = sg.confusion(*flat, classes=range(4))
        assert sum(parts[1:], parts[0]) == sum(parts) == whole
        assert pickle.loads(pickle.dumps(whole)) == whole  # noqa: S301

    def test_labels_decide(self) -> None:
        """
        Two palettes agree on classes by labels, not by ids.
        """
        one = label_map([[0, 1]], Palette.indexed({0: "wall", 1: "fence"}))
        other = label_map([[1, 0]], Palette.indexed({0: "fence", 1: "wall"}))

        assert sg.iou(one, other) == {"wall": 1.0, "fence": 1.0}

    def test_extra_class(self) -> None:
        """
        A class that only the prediction has counts against what it covers.
        """
        one = label_map([[0, 0]], Palette.indexed({0: "road"}))
        other = label_map([[0, 1]], Palette.indexed({0: "road", 1: "sky"}))

        assert sg.iou(one, other) == {"road": 0.5, "sky": 0.0}
        assert sg.dice(one, other) == {"road": 2 / 3, "sky": 0.0}

    def test_instances_of_a_class(self) -> None:
        """
        Entries with the same labels are one class.
        """
        palette = Palette.indexed({0: "bird", 1: "bird"})

        assert sg.iou(label_map([[0, 1]], palette), label_map([[1, 1]], palette)) == {
            "bird": 1.0
        }

    def test_array_of_ids(self) -> None:
        """
        An array beside a label map holds its ids.
        """
        one = label_map([[0, 1]], Palette.indexed({0: "road", 1: "sky"}))

        assert sg.iou(one, np.array([[0, 0]])) == {"road": 0.5, "sky": 0.0}

    def test_predicted_void(self) -> None:
        """
        A prediction that says nothing is wrong, and does not drop out.
        """
        found = sg.confusion(
            np.zeros((1, 4), np.uint8),
            np.array([[0, 0, 255, 255]], np.uint8),
            classes=[0, 1],
        )

        assert found.accuracy == 0.5
        assert found.iou == {0: 0.5, 1: None}

    def test_class_255(self) -> None:
        """
        255 is no void where it is a class.
        """
        array = np.array([[0, 255]], np.uint8)

        assert sg.iou(array, array, classes=[0, 255]) == {0: 1.0, 255: 1.0}

    def test_nothing(self) -> None:
        """
        Nothing to score is None, without a division by zero.
        """
        found = sg.confusion(np.full((1, 2), -1), np.zeros((1, 2), int), classes=[0])

        assert (found.miou, found.accuracy, found.fwavacc) == (None, None, None)
        assert (found.pixels, found.ignored) == (0, 2)

    @pytest.mark.parametrize(
        ("target", "prediction", "options"),
        [
            ([[0, 1]], [[0], [1]], {"classes": [0, 1]}),
            ([[0, 1]], [[0, 1]], {}),
            ([[0, 1]], [[0, 2]], {"classes": [0, 1]}),
            ([[0, -2]], [[0, 1]], {"classes": [0, 1]}),
            ([[0, 1]], [[0, 1]], {"classes": [0, 0, 1]}),
            ([[0, 1]], [[0, 1]], {"classes": [0, 1], "band": 0}),
            ([[0, 1 / 255]], [[0, 1]], {"classes": [0, 1]}),
            ([[0.5, 1]], [[0, 1]], {"classes": [0, 1]}),
        ],
    )
    def test_refused(
        self, target: Any, prediction: Any, options: dict[str, Any]
    ) -> None:
        """
        Other sizes, values without a class and divided values are refused.
        """
        with pytest.raises(ArgumentError):
            sg.confusion(np.array(target), np.array(prediction), **options)

    def test_other_classes(self) -> None:
        """
        Counts of other classes are not added.
        """
        array = np.zeros((1, 1), int)

        with pytest.raises(ArgumentError):
            sg.confusion(array, array, classes=[0]) + sg.confusion(
                array, array, classes=[0, 1]
            )


class TestBand:
    @given(
        npst.arrays(
            np.uint8,
            npst.array_shapes(min_dims=2, max_dims=2, max_side=9),
            elements=st.integers(0, 2),
        ),
        st.integers(1, 4),
    )
    def test_naive(self, array: NDArray[np.uint8], width: int) -> None:
        """
        The band is the border's pixels, and those around them.
        """
        height, length = array.shape
        border = np.zeros(array.shape, np.bool_)
        for y in range(height):
            for x in range(length):
                for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                    inside = 0 <= y + dy < height and 0 <= x + dx < length
                    if inside and array[y + dy, x + dx] != array[y, x]:
                        border[y, x] = True
        expected = [
            [
                bool(
                    border[
                        max(y - width + 1, 0) : y + width,
                        max(x - width + 1, 0) : x + width,
                    ].any()
                )
                for x in range(length)
            ]
            for y in range(height)
        ]

        assert sg.boundary_band(array, width).tolist() == expected

    def test_scores(self) -> None:
        """
        In the band only pixels near the target's borders count.
        """
        target = np.zeros((1, 8), np.uint8)
        target[0, 4:] = 1
        prediction = target.copy()
        prediction[0, 0] = 1

        assert sg.iou(target, prediction, classes=[0, 1], band=2) == {0: 1.0, 1: 1.0}
        assert sg.confusion(target, prediction, classes=[0, 1], band=2).pixels == 4
        assert sg.iou(target, prediction, classes=[0, 1]) == {0: 0.75, 1: 0.8}
