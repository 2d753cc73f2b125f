from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from framekit import segments as sg
from framekit.errors import ArgumentError
from framekit.segments.components import Connectivity

MAPS = npst.arrays(
    np.uint8,
    npst.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.integers(0, 2),
)


def flooded(array: NDArray[np.uint8], connectivity: int) -> NDArray[np.int32]:
    """
    Components by walking from pixel to pixel, in reading order.
    """
    height, width = array.shape
    reach = [
        (dy, dx)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if abs(dy) + abs(dx) == 1 or (connectivity == 8 and dy and dx)
    ]
    found = np.zeros(array.shape, np.int32)
    number = 0
    for y in range(height):
        for x in range(width):
            if found[y, x] or not array[y, x]:
                continue
            number += 1
            found[y, x] = number
            waiting = [(y, x)]
            while waiting:
                j, i = waiting.pop()
                for dy, dx in reach:
                    at = (j + dy, i + dx)
                    inside = 0 <= at[0] < height and 0 <= at[1] < width
                    if inside and not found[at] and array[at] == array[y, x]:
                        found[at] = number
                        waiting.append(at)
    return found


class TestComponents:
    @given(MAPS, st.sampled_from([4, 8]))
    def test_flood_fill(
        self, array: NDArray[np.uint8], connectivity: Connectivity
    ) -> None:
        """
        Numbers are those of a flood fill in reading order.
        """
        found, count = sg.components(array, connectivity=connectivity)

        expected = flooded(array, connectivity)
        assert found.tolist() == expected.tolist()
        assert count == expected.max(initial=0)

    def test_spiral(self) -> None:
        """
        A long winding line is one component, in two colors two.
        """
        side = 101
        array = np.zeros((side, side), np.uint8)
        low, high = 0, side - 1
        while low < high:
            array[low, max(low - 2, 0) : high + 1] = 1
            array[low : high + 1, high] = 1
            array[high, low : high + 1] = 1
            array[low + 2 : high + 1, low] = 1
            low, high = low + 2, high - 2

        assert sg.components(array, connectivity=4)[1] == 1
        assert sg.components(1 - array, connectivity=4)[1] == 1

    def test_comb(self) -> None:
        """
        Teeth that meet in the last row only are one component.
        """
        array = np.zeros((50, 199), np.uint8)
        array[:, ::2] = 1
        array[-1] = 1

        found, count = sg.components(array)

        assert count == 1
        assert int(found.sum()) == int(array.sum())

    def test_without_background(self) -> None:
        """
        Without a background each region of one value is a component.
        """
        found, count = sg.components([[0, 0], [0, 5]], background=None)

        assert found.tolist() == [[1, 1], [1, 2]]
        assert count == 2

    @pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
    def test_empty(self, shape: tuple[int, int]) -> None:
        """
        No pixels have no components.
        """
        found, count = sg.components(np.zeros(shape, np.uint8))

        assert found.shape == shape
        assert count == 0

    def test_connectivity(self) -> None:
        """
        Only 4 and 8 are connectivities.
        """
        with pytest.raises(ArgumentError) as e:
            sg.components([[1]], connectivity=6)  # type: ignore[arg-type]

        assert e.value == ArgumentError("connectivity", "expected 4 or 8, got 6")
