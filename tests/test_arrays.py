from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from framekit.decoding.image.arrays import ensure_label_array
from framekit.errors import ArgumentError


class TestAccepted:
    @pytest.mark.parametrize(
        "dtype", [np.uint8, np.uint16, np.int16, np.int32, np.int64, np.uint64]
    )
    def test_integers(self, dtype: Any) -> None:
        """
        Integers are returned as they are, of the same type.
        """
        array = np.array([[0, 3], [2, 1]], dtype)

        assert ensure_label_array(array) is array

    def test_bools(self) -> None:
        """
        True is 1.
        """
        found = ensure_label_array(np.array([[True, False]]))

        assert found.tolist() == [[1, 0]]
        assert found.dtype == np.uint8

    def test_whole_floats(self) -> None:
        """
        Floats that are whole numbers beyond 1 become integers.
        """
        found = ensure_label_array(np.array([[0.0, 7.0, -1.0]], np.float32))

        assert found.tolist() == [[0, 7, -1]]
        assert found.dtype == np.int64

    def test_zeros(self) -> None:
        """
        All zeros are zeros, divided or not.
        """
        assert ensure_label_array(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]

    @pytest.mark.parametrize("shape", [(1, 2, 3), (2, 3, 1)])
    def test_one_channel(self, shape: tuple[int, ...]) -> None:
        """
        An axis of one channel, first or last, is dropped.
        """
        array = np.arange(6, dtype=np.uint8).reshape(shape)

        assert ensure_label_array(array).tolist() == [[0, 1, 2], [3, 4, 5]]

    def test_lists(self) -> None:
        """
        What NumPy takes for an array is one.
        """
        assert ensure_label_array([[1, 2]]).tolist() == [[1, 2]]


class TestRefused:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("ids", [[1, 2, 3], [0, 255], [0, 1, 254]])
    def test_divided_by_255(self, ids: list[int], dtype: Any) -> None:
        """
        Ids over 255 are refused with the reason and the fix, or multiplied back.
        """
        array = np.array([ids], dtype) / dtype(255)

        with pytest.raises(ArgumentError) as caught:
            ensure_label_array(array)
        found = ensure_label_array(array, denormalize=True)

        assert caught.value.argument == "array"
        assert "divided by 255" in caught.value.reason
        assert "denormalize=True" in caught.value.reason
        assert found.tolist() == [ids]
        assert found.dtype == np.uint8

    @pytest.mark.parametrize(
        ("array", "reason"),
        [
            (np.array([[0.5, 2.0]]), "like 0.5"),
            (np.array([[0.1234]]), "like 0.1234"),
            (np.array([[np.nan]]), "not finite"),
            (np.array([[np.inf]]), "not finite"),
            (np.array([[1e17]]), "too large"),
            (np.array([["car"]]), "whole numbers"),
            (np.array([[1 + 2j]]), "whole numbers"),
            (np.array([[{}]], object), "whole numbers"),
            (np.zeros(3, np.uint8), "(3,)"),
            (np.zeros((2, 2, 3), np.uint8), "a palette"),
        ],
    )
    @pytest.mark.parametrize("denormalize", [False, True])
    def test_refused(self, array: Any, reason: str, denormalize: Any) -> None:
        """
        What are no labels is refused, and the reason says why.
        """
        with pytest.raises(ArgumentError) as caught:
            ensure_label_array(array, denormalize=denormalize)

        assert caught.value.argument == "array"
        assert reason in caught.value.reason
