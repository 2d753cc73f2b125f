"""
The stray pixels of a mask: what each may have been, and what speaks for which cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from framekit.decoding.image.pixels import TRANSPARENT
from framekit.decoding.image.scheme import Scheme
from framekit.validation.lint_result import DISTANCES
from framekit.validation.mask_file import MaskFile
from framekit.validation.stray_bands import (
    REACH,
    Near,
    beside,
    in_blocks,
    mixtures,
    nearest,
)

__all__ = ["Survey", "points_of", "survey"]

#: Pixels that are looked at together.
_BAND: Final = 1 << 20

#: Rows of the neighboring bands that decide about pixels of this one.
_HALO: Final = REACH + 2

#: Colors that are told apart.
_MANY: Final = 1 << 16

#: The blocks of JPEG and most video codecs, in pixels.
_STEP: Final = 8

_STRAY: Final = -1
_HIDDEN: Final = -2


@define(eq=False)
class Survey:
    """
    Numbers of pixels, over all bands of a mask.
    """

    pixels: int = 0
    stray: int = 0

    #: In areas that are all close to one color of the palette.
    shifted: int = 0

    #: Mixtures of two labels around them. Of these, the exact ones, those in edges of
    #: two pixels or more, and those that lie beyond one of the two.
    mixed: int = 0
    strict: int = 0
    thick: int = 0
    beyond: int = 0

    #: In areas of one color that is close to none.
    areas: int = 0

    #: By themselves, close to one color, or closest to that of a label beside them.
    single: int = 0

    #: None of these.
    other: int = 0

    #: Not stray, but beside strays and a mixture of two other labels around them.
    suspects: int = 0

    #: Borders between two labels, across and down: without, and with strays between.
    crisp: NDArray[np.int64] = field(factory=lambda: np.zeros(2, np.int64))
    blurred: NDArray[np.int64] = field(factory=lambda: np.zeros(2, np.int64))

    #: The same of borders that go straight on from one row, or column, to the next.
    straight_crisp: int = 0
    straight_blurred: int = 0

    #: Where runs of strays begin and end, by the place in blocks of 8.
    phases: NDArray[np.int64] = field(factory=lambda: np.zeros(_STEP, np.int64))

    #: The largest distance of an area to its color.
    farthest: float = 0.0

    #: The keys of areas that are close to a color, and the positions of these.
    shifted_keys: set[int] = field(factory=set)
    shifted_to: set[int] = field(factory=set)

    #: Positions that pixels have exactly.
    present: set[int] = field(factory=set)

    #: Pixels of each key in areas that are close to none.
    area_keys: dict[int, int] = field(factory=dict)

    #: Stray pixels by the distance to the nearest color, see ``DISTANCES``.
    histogram: NDArray[np.int64] = field(
        factory=lambda: np.zeros(len(DISTANCES) + 1, np.int64)
    )

    _places: list[NDArray[np.intp]] = field(factory=list)
    _positions: list[NDArray[np.intp]] = field(factory=list)

    def add(self, places: NDArray[np.intp], positions: NDArray[np.intp]) -> None:
        """
        Keep what pixels get; each call is about pixels after those of the last.
        """
        self._places.append(places)
        self._positions.append(positions)

    @property
    def places(self) -> NDArray[np.intp]:
        """
        The pixels that can be fixed, by position in reading order.
        """
        return np.concatenate([np.empty(0, np.intp), *self._places])

    @property
    def positions(self) -> NDArray[np.intp]:
        """
        Which color of the palette each of them gets.
        """
        return np.concatenate([np.empty(0, np.intp), *self._positions])


def survey(mask: MaskFile, *, within: float, fix: bool) -> Survey:
    """
    Look at all stray pixels of *mask*.

    Args:
        within: How far a color may be from the palette's to pass for it.
        fix: Whether to keep what each pixel gets.
    """
    found = Survey()
    for band in _bands(mask):
        _look(band, found, within=within, fix=fix)
    return found


def points_of(keys: NDArray[Any], scheme: Scheme) -> NDArray[np.float64]:
    """
    *keys* as points: of three channels, or of one value.
    """
    if not scheme.by_color and not scheme.packed:
        return keys.astype(np.float64)[:, None]
    wide = keys.astype(np.int64)
    return np.stack([wide >> 16, wide >> 8 & 255, wide & 255], axis=1).astype(float)


@frozen(eq=False)
class _Band:
    """
    Some rows of a mask, with those around them.
    """

    keys: NDArray[np.uint32]

    #: The first of the rows in the mask, and the rows that count.
    top: int
    core: slice

    scheme: Scheme


def _bands(mask: MaskFile) -> Iterator[_Band]:
    width, height = mask.size
    rows = max(8 * _STEP, _BAND // width)
    for start in range(0, height, rows):
        stop = min(height, start + rows)
        top, bottom = max(0, start - _HALO), min(height, stop + _HALO)
        core = slice(start - top, stop - top)
        yield _Band(mask.keys(top, bottom), top, core, mask.scheme)


def _look(band: _Band, found: Survey, *, within: float, fix: bool) -> None:
    exact = _positions(band.keys, band.scheme.lookup.keys)
    found.pixels += exact[band.core].size
    present = np.bincount(exact[band.core][exact[band.core] >= 0])
    found.present.update(np.flatnonzero(present).tolist())
    stray = exact == _STRAY
    if stray[band.core].any():
        _explain(_Strays.of(band, exact, stray, within), found, fix=fix)


@frozen(eq=False)
class _Strays:
    """
    The stray pixels of a band, in reading order.
    """

    band: _Band

    #: (H, W): where they are, and what the other pixels are.
    there: NDArray[np.bool_]
    exact: NDArray[np.int32]

    #: Their keys, each once, what is nearest to it, and whether it is close.
    keys: NDArray[np.uint32]
    near: Near
    close: NDArray[np.bool_]

    #: For each pixel its key, and whether the band counts it.
    inverse: NDArray[np.intp]
    in_core: NDArray[np.bool_]

    #: Whether a small distance means anything.
    by_distance: bool

    @classmethod
    def of(
        cls,
        band: _Band,
        exact: NDArray[np.int32],
        stray: NDArray[np.bool_],
        within: float,
    ) -> _Strays:
        keys, inverse = np.unique(band.keys[stray], return_inverse=True)
        colors = points_of(band.scheme.lookup.keys, band.scheme)
        near = nearest(points_of(keys, band.scheme), colors)
        close = near.clear & (near.distance <= within)
        core = np.zeros(exact.shape, bool)
        core[band.core] = True
        in_core = core[stray]
        return cls(
            band=band,
            there=stray,
            exact=exact,
            keys=keys,
            near=near,
            close=close,
            inverse=inverse.reshape(-1),
            in_core=in_core,
            by_distance=within > 0,
        )


def _explain(strays: _Strays, found: Survey, *, fix: bool) -> None:
    band, exact, inverse = strays.band, strays.exact, strays.inverse
    near, in_core = strays.near, strays.in_core
    # What each pixel is, if it is close to one color only.
    labels = exact.copy()
    labels[strays.there] = np.where(strays.close, near.position, _STRAY)[inverse]
    solid = in_blocks(labels, labels >= 0)
    shifted = solid[strays.there]
    areas = ~shifted & in_blocks(band.keys, strays.there)[strays.there]
    settled = labels
    settled[strays.there] = np.where(shifted, labels[strays.there], _STRAY)
    suspects = _suspects(strays, settled, solid)
    settled[suspects] = _STRAY
    found.suspects += int(suspects[band.core].sum())
    rows, columns = np.nonzero(strays.there)
    looked = np.flatnonzero(~shifted & ~areas & in_core)
    sought = inverse[looked]
    mixed = mixtures(
        settled,
        (rows[looked], columns[looked]),
        points_of(strays.keys, band.scheme)[sought],
        points_of(band.scheme.lookup.keys, band.scheme),
    )
    own = near.position[sought]
    single = ~mixed.strict & strays.close[sought]
    if strays.by_distance:
        there = (mixed.around == own).any(axis=0)
        single |= (mixed.position < 0) & there & near.clear[sought]
    is_mixed = ~single & (mixed.position >= 0)
    found.mixed += int(is_mixed.sum())
    found.strict += int((is_mixed & mixed.strict).sum())
    found.thick += int((is_mixed & (mixed.thickness >= 2)).sum())
    found.beyond += int((is_mixed & mixed.beyond).sum())
    found.single += int(single.sum())
    found.other += int((~single & ~is_mixed).sum())
    _count_distances(found, strays)
    _count_shifted(found, strays, shifted & in_core)
    _count_areas(found, strays, areas & in_core)
    _count_borders(found, settled, band.core)
    _count_phases(found, strays.there, band)
    if fix:
        target = np.full(len(rows), -1, np.intp)
        target[shifted] = near.position[inverse[shifted]]
        target[looked] = np.where(single, own, mixed.position)
        chosen = (target >= 0) & in_core
        place = (rows[chosen] + band.top) * exact.shape[1] + columns[chosen]
        found.add(place, target[chosen])


def _suspects(
    strays: _Strays, settled: NDArray[np.int32], solid: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """
    Pixels beside strays whose color of the palette is a mixture of two others there.
    """
    thin = ~solid & (strays.exact >= 0)
    found = thin & beside(strays.there)
    # Such mixtures come in runs, as long as an edge is straight.
    for _ in range(REACH):
        grown = found | (thin & beside(found))
        if np.array_equal(grown, found):
            break
        found = grown
    own = strays.exact[found]
    if not len(own):
        return found
    trusted = np.where(found, np.int32(_STRAY), settled)
    colors = points_of(strays.band.scheme.lookup.keys, strays.band.scheme)
    rows, columns = np.nonzero(found)
    mixed = mixtures(trusted, (rows, columns), colors[own], colors)
    by_chance = mixed.strict & (mixed.position != own) & ~mixed.beyond
    found[rows[~by_chance], columns[~by_chance]] = False
    return found


def _positions(
    keys: NDArray[np.uint32], known: NDArray[np.uint32]
) -> NDArray[np.int32]:
    place = np.searchsorted(known, keys).astype(np.int32)
    place[place == len(known)] = 0
    place[known[place] != keys] = _STRAY
    place[keys == TRANSPARENT] = _HIDDEN
    return place


def _count_distances(found: Survey, strays: _Strays) -> None:
    counts = np.bincount(strays.inverse[strays.in_core], minlength=len(strays.keys))
    classes = np.searchsorted(DISTANCES, strays.near.distance.round(6))
    size = len(DISTANCES) + 1
    found.histogram += np.bincount(classes, counts, minlength=size).astype(np.int64)
    found.stray += int(counts.sum())


def _count_shifted(found: Survey, strays: _Strays, shifted: NDArray[np.bool_]) -> None:
    counts = np.bincount(strays.inverse[shifted], minlength=len(strays.keys))
    there = counts > 0
    found.shifted += int(counts.sum())
    if not there.any():
        return
    found.farthest = max(found.farthest, float(strays.near.distance[there].max()))
    found.shifted_to.update(strays.near.position[there].tolist())
    if len(found.shifted_keys) < _MANY:
        found.shifted_keys.update(strays.keys[there].tolist())


def _count_areas(found: Survey, strays: _Strays, areas: NDArray[np.bool_]) -> None:
    counts = np.bincount(strays.inverse[areas], minlength=len(strays.keys))
    found.areas += int(counts.sum())
    for n in np.flatnonzero(counts).tolist():
        key = int(strays.keys[n])
        if key in found.area_keys or len(found.area_keys) < _MANY:
            found.area_keys[key] = found.area_keys.get(key, 0) + int(counts[n])


def _count_borders(found: Survey, labels: NDArray[np.int32], core: slice) -> None:
    """
    Count the changes from one label to the next, along rows and along columns.
    """
    for n, lines in enumerate((labels, labels.T)):
        if lines.shape[1] < 2:
            continue
        gap = _gaps(lines)
        counted = gap[core] if n == 0 else gap[:, core.start : core.stop]
        found.crisp[n] += int((counted == 0).sum())
        found.blurred[n] += int((counted > 0).sum())
        straight = gap[1:] == gap[:-1]
        straight = straight[core] if n == 0 else straight[:, core.start : core.stop]
        after = gap[1:][core] if n == 0 else gap[1:, core.start : core.stop]
        found.straight_crisp += int((straight & (after == 0)).sum())
        found.straight_blurred += int((straight & (after > 0)).sum())


def _gaps(lines: NDArray[np.int32]) -> NDArray[np.int32]:
    """
    The pixels between two labels, at the first pixel of the second; -1 elsewhere.
    """
    width = lines.shape[1]
    place = np.where(lines >= 0, np.arange(width, dtype=np.int32), np.int32(-1))
    last = np.maximum.accumulate(place, axis=1)
    before = np.full_like(last, -1)
    before[:, 1:] = last[:, :-1]
    rows = np.arange(len(lines))[:, None]
    changes = (lines >= 0) & (before >= 0) & (lines[rows, before] != lines)
    gap = np.arange(width, dtype=np.int32) - before - 1
    found: NDArray[np.int32] = np.where(changes & (gap <= REACH), gap, np.int32(-1))
    return found


def _count_phases(found: Survey, stray: NDArray[np.bool_], band: _Band) -> None:
    across = stray[band.core, 1:] != stray[band.core, :-1]
    columns = np.arange(1, stray.shape[1]) % _STEP
    found.phases += _summed(columns, across.sum(axis=0))
    start = max(1, band.core.start)
    down = stray[start : band.core.stop] != stray[start - 1 : band.core.stop - 1]
    rows = (np.arange(start, band.core.stop) + band.top) % _STEP
    found.phases += _summed(rows, down.sum(axis=1))


def _summed(phases: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.int64]:
    return np.bincount(phases, counts, minlength=_STEP).astype(np.int64)
