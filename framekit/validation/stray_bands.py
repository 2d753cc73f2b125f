"""
The neighborhood of stray pixels: what surrounds them, and what that makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

__all__ = ["REACH", "Mixtures", "Near", "beside", "in_blocks", "mixtures", "nearest"]

#: How far away, in pixels, the labels may lie that a stray pixel is a mixture of.
REACH: Final = 8

#: How far a mixture may lie off the line between two colors: rounding, mostly.
_STRICT: Final = 3.0

#: The same as a share of the line's length, for mixing in linear light and the like.
_LOOSE: Final = 0.25

#: How far beyond its ends a mixture may lie: kernels with negative lobes do that.
_BEYOND: Final = 0.2

#: What a step further away counts, as a distance off the line.
_PER_STEP: Final = 0.25

#: Distances that are computed at once.
_BLOCK: Final = 1 << 20

#: More steps than there are.
_FAR: Final = 1 << 20

#: Left, right, up and down; and the four diagonals.
_STRAIGHT: Final = ((0, -1), (0, 1), (-1, 0), (1, 0))
_DIAGONAL: Final = ((-1, -1), (-1, 1), (1, -1), (1, 1))


@frozen(eq=False)
class Near:
    """
    The nearest color of the palette, for some colors.
    """

    #: Its position, (N,).
    position: NDArray[np.intp]

    #: How far it is, and the one after it; infinite if there is only one.
    distance: NDArray[np.float64]
    second: NDArray[np.float64]

    @property
    def clear(self) -> NDArray[np.bool_]:
        """
        Where no other color is less than twice as far.
        """
        return 2 * self.distance < self.second


@frozen(eq=False)
class Mixtures:
    """
    How some pixels follow from the labels around them.
    """

    #: The position of the nearer of the two colors that explain it best, else of the
    #: nearest of several, -1 without.
    position: NDArray[np.intp]

    #: Whether it lies on the line between them, as far as rounding allows.
    strict: NDArray[np.bool_]

    #: Whether it lies beyond one of them.
    beyond: NDArray[np.bool_]

    #: Labels that lie around it, (4, N), -1 without.
    around: NDArray[np.intp]

    #: The stray pixels in a row between labels, across or down, whichever are fewer.
    thickness: NDArray[np.intp]


def nearest(points: NDArray[Any], known: NDArray[Any]) -> Near:
    """
    Find the nearest of *known*, (M, D), for each of *points*, (N, D).
    """
    count = len(points)
    position = np.empty(count, np.intp)
    distance = np.empty(count)
    second = np.full(count, np.inf)
    squares = (known * known).sum(axis=1)
    size = max(1, _BLOCK // len(known))
    for start in range(0, count, size):
        part = points[start : start + size]
        away = squares - 2 * (part @ known.T) + (part * part).sum(axis=1)[:, None]
        rows = np.arange(len(part))
        best = away.argmin(axis=1)
        position[start : start + size] = best
        distance[start : start + size] = away[rows, best]
        if len(known) > 1:
            away[rows, best] = np.inf
            second[start : start + size] = away.min(axis=1)
    return Near(position, np.sqrt(np.maximum(distance, 0)), np.sqrt(second))


def in_blocks(values: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    Which pixels lie in a square of 3 x 3 pixels of one value that is valid.
    """
    found = np.zeros(values.shape, bool)
    if min(values.shape) < 3:
        return found
    across = (values[:, 1:] == values[:, :-1]) & valid[:, 1:] & valid[:, :-1]
    across = across[:, 1:] & across[:, :-1]
    down = values[1:] == values[:-1]
    down = down[1:, 1:-1] & down[:-1, 1:-1]
    middle = across[:-2] & across[1:-1] & across[2:] & down
    height, width = middle.shape
    for y in range(3):
        for x in range(3):
            found[y : y + height, x : x + width] |= middle
    return found


def beside(there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    Which pixels have one that is *there* above, below, to the left or the right.
    """
    found = np.zeros(there.shape, bool)
    found[1:] |= there[:-1]
    found[:-1] |= there[1:]
    found[:, 1:] |= there[:, :-1]
    found[:, :-1] |= there[:, 1:]
    return found


def mixtures(
    labels: NDArray[np.int32],
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
    points: NDArray[np.float64],
    known: NDArray[np.float64],
) -> Mixtures:
    """
    Explain the pixels *at* rows and columns as mixtures of labels around them.

    Args:
        labels: (H, W) positions in *known*, -1 where there is no label.
        at: (N,) rows, (N,) columns.
        points: Their colors, (N, D).
        known: (M, D).
    """
    around, reach = _around(labels, *at, _STRAIGHT)
    position, strict, beyond = _of_two(around, reach, points, known)
    # Corners show two labels only along diagonals.
    left = np.flatnonzero(position < 0)
    corners, far = _around(labels, at[0][left], at[1][left], _DIAGONAL)
    every = np.concatenate([around[:, left], corners])
    steps = np.concatenate([reach[:, left], far])
    explained = _of_two(every, steps, points[left], known)
    position[left], strict[left], beyond[left] = explained
    rest = position[left] < 0
    position[left[rest]] = _of_several(every[:, rest], points[left[rest]], known)
    seen = around.copy()
    seen[:, left] = np.where(seen[:, left] < 0, corners, seen[:, left])
    return Mixtures(
        position=position,
        strict=strict,
        beyond=beyond,
        around=seen,
        thickness=np.minimum(reach[0] + reach[1], reach[2] + reach[3]) - 1,
    )


def _of_two(
    candidates: NDArray[np.intp],
    steps: NDArray[np.intp],
    points: NDArray[np.float64],
    known: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    """
    Explain points by two of their candidates, (C, N), some *steps* away, (C, N).

    Those that explain a point best are taken, of equally good ones the nearest.

    Returns:
        The nearer of the two, -1 if there are none; whether the mixture is exact;
        whether it lies beyond one of them.
    """
    count = len(points)
    best = np.full(count, np.inf)
    position = np.full(count, -1, np.intp)
    strict = np.zeros(count, bool)
    beyond = np.zeros(count, bool)
    for i, j in combinations(range(len(candidates)), 2):
        one, other = candidates[i], candidates[j]
        rows = np.flatnonzero((one >= 0) & (other >= 0) & (one != other))
        if not len(rows):
            continue
        t, off, fits, exact = _on_line(
            points[rows], known[one[rows]], known[other[rows]]
        )
        cost = np.where(exact, off, 1000 + off)
        cost += _PER_STEP * (steps[i, rows] + steps[j, rows])
        better = fits & (cost < best[rows])
        chosen = rows[better]
        best[chosen] = cost[better]
        position[chosen] = np.where(t <= 0.5, one[rows], other[rows])[better]
        strict[chosen] = exact[better]
        beyond[chosen] = ((t < 0) | (t > 1))[better]
    return position, strict, beyond


def _of_several(
    candidates: NDArray[np.intp],
    points: NDArray[np.float64],
    known: NDArray[np.float64],
) -> NDArray[np.intp]:
    """
    The nearest of the candidates, (C, N), of points that lie amid them, else -1.
    """
    there = (candidates >= 0)[:, :, None]
    colors = known[candidates]
    low = np.where(there, colors, np.inf).min(axis=0) - 2
    high = np.where(there, colors, -np.inf).max(axis=0) + 2
    amid = ((points >= low) & (points <= high)).all(axis=1)
    some = candidates.max(axis=0)
    amid &= ((candidates >= 0) & (candidates != some)).any(axis=0)
    away = np.where(there, (colors - points) ** 2, np.inf).sum(axis=2)
    nearer = candidates[away.argmin(axis=0), np.arange(len(points))]
    return np.where(amid, nearer, -1)


def _on_line(
    points: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]
]:
    """
    How points lie to the line from a to b.

    Returns:
        The place along it, the distance from it, whether the point is a mixture of
        the two at all, and whether it is an exact one.
    """
    along = b - a
    square = (along * along).sum(axis=1)
    t = ((points - a) * along).sum(axis=1) / square
    t = t.clip(-_BEYOND, 1 + _BEYOND)
    off = np.sqrt(((points - a - t[:, None] * along) ** 2).sum(axis=1))
    inside = (points >= np.minimum(a, b) - 2) & (points <= np.maximum(a, b) + 2)
    exact = off <= _STRICT
    loose = inside.all(axis=1) & (off <= _LOOSE * np.sqrt(square))
    return t, off, exact | loose, exact


def _around(
    labels: NDArray[np.int32],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    ways: Sequence[tuple[int, int]],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """
    The first label from some pixels on, in each of *ways*: steps down and across.

    Returns:
        (ways, N) labels, -1 where there is none within reach; (ways, N) steps.
    """
    height, width = labels.shape
    found = np.full((len(ways), len(rows)), -1, np.intp)
    away = np.full((len(ways), len(rows)), _FAR, np.intp)
    for n, (down, across) in enumerate(ways):
        going = np.arange(len(rows))
        for step in range(1, REACH + 1):
            y, x = rows[going] + step * down, columns[going] + step * across
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            going, y, x = going[inside], y[inside], x[inside]
            label = labels[y, x]
            there = label >= 0
            found[n, going[there]] = label[there]
            away[n, going[there]] = step
            going = going[~there]
            if not len(going):
                break
    return found, away
