"""
Optimal assignment: pairs of rows and columns whose total weight is the largest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.errors import ArgumentError

__all__ = ["assigned"]


def assigned(weights: Any) -> list[tuple[int, int]]:
    """
    Pair rows with columns, each at most once, for the largest sum of weights.

    Pairs of weight 0 are not made. Shortest augmenting paths, as Jonker and
    Volgenant have them: O(n² m) for n rows and m columns that can be paired at all.

    Args:
        weights: (n, m) finite numbers, 0 or more.

    Returns:
        Pairs (row, column), by ascending row.

    Raises:
        ArgumentError: If *weights* has another shape, or values that are refused.
    """
    matrix = np.asarray(weights, np.float64)
    if matrix.ndim != 2:
        raise ArgumentError("weights", f"expected (n, m), got {matrix.shape}")
    if matrix.size and not (np.isfinite(matrix).all() and matrix.min() >= 0):
        raise ArgumentError("weights", "expected finite numbers, 0 or more")
    rows = np.flatnonzero(matrix.any(axis=1))
    columns = np.flatnonzero(matrix.any(axis=0))
    if not len(rows):
        return []
    small = matrix[np.ix_(rows, columns)]
    turned = len(rows) > len(columns)
    chosen = _rows_of_columns(-(small.T if turned else small))
    pairs = [(row, column) for column, row in enumerate(chosen.tolist()) if row >= 0]
    if turned:
        pairs = [(column, row) for row, column in pairs]
    return sorted(
        (int(rows[row]), int(columns[column]))
        for row, column in pairs
        if small[row, column] > 0
    )


def _rows_of_columns(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    The row of each column, -1 for none, of the cheapest assignment of all rows.

    Args:
        costs: (n, m) with n not above m.
    """
    count, width = costs.shape
    # Prices make the reduced costs of all pairs 0 or more, of chosen pairs 0.
    row_price = np.zeros(count)
    column_price = np.zeros(width)
    row_of = np.full(width, -1, np.int64)
    for start in range(count):
        distance = np.full(width, np.inf)
        before = np.full(width, -1, np.int64)
        open_ = np.ones(width, np.bool_)
        row, reached, last = start, 0.0, -1
        visited: list[tuple[int, float]] = [(start, 0.0)]
        while True:
            reduced = reached + costs[row] - row_price[row] - column_price
            better = open_ & (reduced < distance)
            distance[better] = reduced[better]
            before[better] = last
            last = int(np.argmin(np.where(open_, distance, np.inf)))
            reached = float(distance[last])
            open_[last] = False
            row = int(row_of[last])
            if row < 0:
                break
            visited.append((row, reached))
        for row, cost in visited:
            row_price[row] += reached - cost
        closed = ~open_
        column_price[closed] -= reached - distance[closed]
        while last >= 0:
            previous = int(before[last])
            row_of[last] = start if previous < 0 else row_of[previous]
            last = previous
    return row_of
