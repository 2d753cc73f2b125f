"""
How a stored picture has to be turned to be seen as meant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

__all__ = ["Orientation", "orientation_of"]


def orientation_of(matrix: bytes | None) -> Orientation:
    """
    Read a display matrix; angles that are no multiple of 90 leave pixels in place.
    """
    if matrix is None or len(matrix) < 36:
        return Orientation()
    a, b, _, c, d = (int(n) for n in np.frombuffer(matrix, np.int32)[:5])
    if a and d and not (b or c):
        return Orientation(flip_rows=d < 0, flip_columns=a < 0)
    if b and c and not (a or d):
        return Orientation(transposed=True, flip_rows=b < 0, flip_columns=c < 0)
    return Orientation()


@frozen
class Orientation:
    """
    How a picture has to be turned to be seen as meant.
    """

    #: Rows and columns are exchanged before anything is flipped.
    transposed: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """
        Turn *array*, whose first two axes are rows and columns; a view.
        """
        if self.transposed:
            array = array.swapaxes(0, 1)
        if self.flip_rows:
            array = array[::-1]
        return array[:, ::-1] if self.flip_columns else array

    @property
    def degrees(self) -> int:
        """
        Clockwise, as players turn it; a flip on top of that is not told.
        """
        if not self.transposed:
            return 180 if self.flip_rows and self.flip_columns else 0
        return 90 if self.flip_columns else 270
