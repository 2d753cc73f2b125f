"""
Slips of the brush: specks, holes and spikes that the other annotation does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.segments.bounding_box import BoundingBox
from framekit.segments.components import Connectivity, components_of_runs
from framekit.segments.difference import Kind
from framekit.segments.region import Region
from framekit.segments.runs import runs_of
from framekit.segments.segmenting import regions_of

__all__ = ["Artifact", "artifacts_of"]

_Mask = NDArray[np.bool_]

#: Rows and columns around what is looked at.
_MARGIN: Final = 2


@frozen
class Artifact:
    """
    One slip.
    """

    kind: Kind
    box: BoundingBox
    area: int


def artifacts_of(
    one: Region, other: Region, *, tiny: float, spike: int
) -> Iterator[Artifact]:
    """
    Find slips in *other*, an outline of what *one* outlines.

    Args:
        tiny: A component of less than this share of all pixels is a speck, unless
            *one* covers half of it.
        spike: A part at most two pixels wide, this long and outside of *one*, is a
            spike.
    """
    if one == other:
        return
    bounds = np.array([one.bounds, other.bounds])
    left, top = bounds[:, :2].min(axis=0) - _MARGIN
    right, bottom = bounds[:, 2:].max(axis=0) + _MARGIN
    window = (int(left), int(top), int(right), int(bottom))
    here, there = _placed(one, window), _placed(other, window)
    specks = list(_specks(here, there, tiny))
    holes = [
        (part, box)
        for part, box in _parts(~there, 4)
        if 0 not in box[:2]
        and 2 * np.count_nonzero(part & here[_slices(box)]) >= (np.count_nonzero(part))
    ]
    thin = there & ~_opened(there) & ~here
    for part, box in specks:
        thin[_slices(box)] &= ~part
    spikes = [
        (part, box)
        for part, box in _parts(thin, 8)
        if max(box[2] - box[0], box[3] - box[1]) >= spike
    ]
    kinds: tuple[tuple[Kind, list[tuple[_Mask, _Box]]], ...] = (
        ("tiny_component", specks),
        ("hole", holes),
        ("spike", spikes),
    )
    for kind, found in kinds:
        for part, (x0, y0, x1, y1) in found:
            x, y = window[:2]
            place = BoundingBox(x0 + x, y0 + y, x1 + x, y1 + y)
            yield Artifact(kind, place, int(np.count_nonzero(part)))


#: Left, top, right, bottom within the window; half open.
_Box = tuple[int, int, int, int]


def _slices(box: _Box) -> tuple[slice, slice]:
    return slice(box[1], box[3]), slice(box[0], box[2])


def _specks(here: _Mask, there: _Mask, tiny: float) -> Iterator[tuple[_Mask, _Box]]:
    parts = list(_parts(there, 8))
    if len(parts) < 2:
        return
    areas = [int(np.count_nonzero(part)) for part, _ in parts]
    for (part, box), area in zip(parts, areas, strict=True):
        shared = np.count_nonzero(part & here[_slices(box)])
        if area < max(areas) and area < tiny * sum(areas) and 2 * shared < area:
            yield part, box


def _placed(region: Region, window: _Box) -> _Mask:
    left, top, right, bottom = window
    found = np.zeros((bottom - top, right - left), np.bool_)
    x0, y0, x1, y1 = region.bounds
    found[y0 - top : y1 - top, x0 - left : x1 - left] = region.mask
    return found


def _parts(mask: _Mask, connectivity: Connectivity) -> Iterator[tuple[_Mask, _Box]]:
    """
    The components of a mask, each within its box.
    """
    runs = runs_of(mask)
    found, count = components_of_runs(runs, runs.values, connectivity)
    for region in regions_of(runs, found, count):
        if region is not None:
            yield region.mask, region.bounds


def _opened(mask: _Mask) -> _Mask:
    """
    What squares of 3 x 3 pixels within *mask*, whose margin is empty, can reach.
    """
    core = np.zeros_like(mask)
    core[1:-1, 1:-1] = _all_around(mask)
    grown = np.zeros_like(mask)
    grown[1:-1, 1:-1] = ~_all_around(~core)
    return grown


def _all_around(mask: _Mask) -> _Mask:
    beside = mask[:, :-2] & mask[:, 1:-1] & mask[:, 2:]
    return np.asarray(beside[:-2] & beside[1:-1] & beside[2:])
