"""
Colors that survive lossy video, the same everywhere: integers decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from framekit.color import (
    MATRICES,
    RGB,
    as_rgb,
    in_range,
    pack_rgb,
    unpack_rgb,
    yuv_transform,
)
from framekit.errors import ArgumentError, PaletteError
from framekit.palette.entry import PaletteEntry

__all__ = ["LEAST_DISTANCE", "generated_entries"]

#: Colors this far apart in limited-range YUV keep all but 0.01 % of their pixels
#: at CRF 28, measured on flat regions of H.264 4:2:0.
LEAST_DISTANCE: Final = 13.7

#: One YUV code value, as integers count here.
_UNIT: Final = 1 << 16

#: A little more than asked for, since integers round.
_LEAST: Final = int((LEAST_DISTANCE + 0.01) * _UNIT) ** 2

#: The channel values to choose from: every 17th, 4,096 colors.
_LEVELS: Final = range(0, 256, 17)

_BLACK: Final = (0, 0, 0)


def generated_entries(
    labels: Iterable[Any],
    *,
    lossy: bool,
    seed: int,
    avoid: Iterable[Any],
    black: str | None,
) -> list[PaletteEntry]:
    """
    Give each of *labels* a color; see :meth:`Palette.generate`.

    Raises:
        PaletteError: If there is no room for so many.
        ArgumentError: If a value is refused.
    """
    if isinstance(labels, str) or not isinstance(labels, Iterable):
        reason = f"expected a list of labels like ['car', 'road'], got {labels!r}"
        raise ArgumentError("labels", reason)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ArgumentError("seed", f"expected an integer, got {seed!r}")
    entries = [
        item if isinstance(item, PaletteEntry) else PaletteEntry(labels=item)
        for item in labels
    ]
    kept = list(dict.fromkeys([_BLACK, *_colors(avoid)]))
    count = len(entries) - (black is not None)
    choose = _far_apart if lossy else _distinct
    chosen = choose(count, kept, seed)
    if black is not None:
        at = next((n for n, e in enumerate(entries) if black in e.labels), None)
        if at is None:
            raise ArgumentError("black", f"{black!r} is none of the labels")
        chosen.insert(at, _BLACK)
    return [
        evolve(entry, color=color) for entry, color in zip(entries, chosen, strict=True)
    ]


def _colors(avoid: Iterable[Any]) -> Iterator[RGB]:
    if isinstance(avoid, str) or not isinstance(avoid, Iterable):
        raise ArgumentError("avoid", f"expected a list of colors, got {avoid!r}")
    for item in avoid:
        if not isinstance(item, PaletteEntry):
            yield as_rgb(item, argument="avoid")
        elif item.color is not None and in_range(item.color):
            yield item.color


def _far_apart(count: int, avoid: list[RGB], seed: int) -> list[RGB]:
    """
    Choose, again and again, the color farthest from all that are taken.
    """
    levels = np.array(_LEVELS, np.int64)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    candidates = grid.reshape(-1, 3)
    points = _points(candidates)
    nearest = np.full(len(candidates), np.iinfo(np.int64).max)
    for taken in _points(np.array(avoid, np.int64)):
        _approach(nearest, points, taken)
    chosen: list[RGB] = []
    while len(chosen) < count:
        best = int(nearest.argmax())
        if seed and not chosen:
            # Any color that is far enough from the rest may be the first.
            free = np.flatnonzero(nearest >= min(int(nearest[best]) // 4, 16 * _LEAST))
            best = int(free[next(_random(seed)) % len(free)])
        if nearest[best] < _LEAST:
            reason = (
                f"no room for {count} colors that survive lossy video, only for "
                f"{len(chosen)}; use lossless video and lossy=False"
            )
            raise PaletteError(reason)
        red, green, blue = candidates[best].tolist()
        chosen.append((red, green, blue))
        _approach(nearest, points, points[best])
    return chosen


def _points(colors: NDArray[np.int64]) -> NDArray[np.int64]:
    """
    Limited-range YUV of (N, 3) colors in each matrix, (N, matrices, 3).
    """
    rows = np.array([yuv_transform(matrix)[0] for matrix in MATRICES])
    whole = np.rint(rows * _UNIT).astype(np.int64)
    found: NDArray[np.int64] = np.einsum("nc,mkc->nmk", colors, whole)
    return found


def _approach(
    nearest: NDArray[np.int64], points: NDArray[np.int64], taken: NDArray[np.int64]
) -> None:
    """
    Lower *nearest*, squared distances, to those from *taken* where it is nearer.
    """
    squares = ((points - taken) ** 2).sum(axis=2).min(axis=1)
    np.minimum(nearest, squares, out=nearest)


def _distinct(count: int, avoid: list[RGB], seed: int) -> list[RGB]:
    """
    Draw from the coarsest grid of colors that has enough.
    """
    taken = {pack_rgb(color) for color in avoid}
    levels = next((n for n in range(2, 257) if n**3 >= count + len(taken)), None)
    if levels is None:
        raise PaletteError(f"no room for {count} colors, only for {2**24 - len(taken)}")
    size = levels**3
    random = _random(seed)
    moved: dict[int, int] = {}
    chosen: list[RGB] = []
    for position in range(size):
        if len(chosen) == count:
            break
        # A shuffle that keeps only what it has moved.
        other = position + next(random) % (size - position)
        drawn = moved.get(other, other)
        moved[other] = moved.get(position, position)
        color = tuple(
            (2 * 255 * (drawn // levels**k % levels) + levels - 1) // (2 * levels - 2)
            for k in range(3)
        )
        packed = color[0] | color[1] << 8 | color[2] << 16
        if packed not in taken:
            chosen.append(unpack_rgb(packed))
    return chosen


def _random(seed: int) -> Iterator[int]:
    """
    SplitMix64: 64-bit numbers that depend on nothing but *seed*.
    """
    mask = 2**64 - 1
    state = seed & mask
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        mixed = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & mask
        yield mixed ^ mixed >> 31
