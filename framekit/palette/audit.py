"""
What may go wrong with the colors and values of a palette.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from framekit.color import RGB, Matrix, in_range, unpack_rgb, yuv_code, yuv_transform
from framekit.palette.closeness import close_pairs
from framekit.palette.entry import PaletteEntry
from framekit.palette.sharing import shares
from framekit.problem import Problem, Severity

if TYPE_CHECKING:
    from framekit.palette.palette import Palette

__all__ = ["CLOSE", "INSEPARABLE", "audit"]

#: Nearer than this in YUV, lossy video mixes colors up here and there.
CLOSE: Final = 8.0

#: Nearer than this, it does so everywhere.
INSEPARABLE: Final = 2.0

#: How many pairs are reported one by one.
_MOST: Final = 1000

_NAMES: Final = {"bt601": "BT.601", "bt709": "BT.709", "bt2020": "BT.2020"}

_HINT: Final = "generate other colors, or write the masks as lossless RGB"


def audit(
    palette: Palette, *, lossy: bool, matrix: Matrix, full_range: bool
) -> list[Problem]:
    """
    List the problems of *palette*; see :meth:`Palette.audit`.
    """
    yuv_transform(matrix, full_range=full_range)
    found = [*_shared(palette), *_out_of_range(palette)]
    if lossy:
        found += _gray_ids_merge(palette, matrix, full_range=full_range)
        found += _too_close(palette, matrix, full_range=full_range)
    return found


def _shared(palette: Palette) -> Iterator[Problem]:
    groups: dict[tuple[str, str], list[tuple[int, PaletteEntry]]] = {}
    for n, entry in enumerate(palette):
        if entry.color is not None:
            mark = str(list(entry.color))
            groups.setdefault(("color", mark), []).append((n, entry))
        if entry.index is not None:
            mark = str(entry.index)
            groups.setdefault(("index", mark), []).append((n, entry))
    for (what, mark), group in groups.items():
        same = [
            PaletteEntry(index=0, labels=entry.labels, void=entry.void)
            for _, entry in group
        ]
        if not shares(same):
            continue
        n, entry = group[1]
        named = ", ".join(repr(other.name) for _, other in group[1:6])
        more = f" and {len(group) - 6} more" if len(group) > 6 else ""
        yield Problem(
            code=f"palette-shared-{what}",
            severity=Severity.WARNING,
            message=(
                f"{what} {mark} stands for {group[0][1].name!r} and for "
                f"{named}{more}; the first counts"
            ),
            at=f"$.entries[{n}]",
            color=entry.color if what == "color" else None,
            count=len(group),
            hint=f"give each its own {what}, or merge them (shared='merge')",
        )


def _out_of_range(palette: Palette) -> Iterator[Problem]:
    for n, entry in enumerate(palette):
        if entry.color is not None and not in_range(entry.color):
            yield Problem(
                code="color-out-of-range",
                severity=Severity.WARNING,
                message=f"{list(entry.color)} of {entry.name!r} never matches a pixel",
                at=f"$.entries[{n}].color",
                color=entry.color,
                hint="write values from 0 to 255",
            )
        if entry.index is not None and entry.index >= 1 << 24:
            yield Problem(
                code="index-out-of-range",
                severity=Severity.WARNING,
                message=f"{entry.index} of {entry.name!r} does not fit 24 bits",
                at=f"$.entries[{n}].index",
                hint="write values from 0 to 16777215",
            )


class _Painted(NamedTuple):
    """
    An entry as video shows it.
    """

    position: int
    entry: PaletteEntry
    color: RGB


def _painted(palette: Palette) -> list[_Painted]:
    """
    The entries that a color leads to; values count as gray, or as 24-bit colors.
    """
    found: dict[RGB, _Painted] = {}
    by_color = bool(palette.ids_by_color)
    gray = all(value <= 255 for value in palette.ids_by_index)
    for n, entry in enumerate(palette):
        color = entry.color
        if not by_color and entry.index is not None and entry.index < 1 << 24:
            value = entry.index
            color = (value, value, value) if gray else unpack_rgb(value)
        if color is not None and in_range(color):
            found.setdefault(color, _Painted(n, entry, color))
    return list(found.values())


def _gray_ids_merge(
    palette: Palette, matrix: Matrix, *, full_range: bool
) -> Iterator[Problem]:
    by_luma: dict[int, list[_Painted]] = {}
    for item in sorted(_painted(palette), key=lambda item: item.color):
        if item.color[0] == item.color[1] == item.color[2]:
            luma = yuv_code(item.color, matrix, full_range=full_range)[0]
            by_luma.setdefault(luma, []).append(item)
    merged = [
        group
        for group in by_luma.values()
        if len(group) > 1 and not all(item.entry.void for item in group)
    ]
    if not merged:
        return
    (a, b), more = merged[0][:2], sum(len(group) - 1 for group in merged) - 1
    yield Problem(
        code="palette-gray-ids-merge",
        severity=Severity.ERROR,
        message=(
            f"{_range(matrix, full_range=full_range)} video cannot tell gray "
            f"{a.color[0]} {a.entry.name!r} and {b.color[0]} {b.entry.name!r} apart"
            + (f", nor {more} more" if more else "")
        ),
        at=f"$.entries[{b.position}]",
        color=b.color,
        count=more + 1,
        hint="write gray or full-range video, or lossless RGB",
    )


def _too_close(
    palette: Palette, matrix: Matrix, *, full_range: bool
) -> Iterator[Problem]:
    items = _painted(palette)
    if not items:
        return
    void = np.array([item.entry.void for item in items], bool)
    i, j, distance, total = _closest(
        _points([item.color for item in items], matrix, full_range=full_range), void
    )
    where = _range(matrix, full_range=full_range)
    for a, b, apart in zip(i.tolist(), j.tolist(), distance.tolist(), strict=True):
        one, other = items[a], items[b]
        yield Problem(
            code="palette-too-close",
            severity=_severity(apart),
            message=(
                f"{list(one.color)} {one.entry.name!r} and {list(other.color)} "
                f"{other.entry.name!r} are {apart:.1f} apart in {where}; lossy video "
                f"needs {CLOSE:.0f}"
            ),
            at=f"$.entries[{other.position}]",
            color=other.color,
            hint=_HINT,
        )
    if total > len(i):
        yield Problem(
            code="palette-too-close",
            severity=_severity(float(distance[-1])),
            message=f"{total - len(i)} more pairs are less than {CLOSE:.0f} apart",
            at="$.entries",
            count=total - len(i),
            hint=_HINT,
        )


def _closest(
    points: NDArray[np.float64], void: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int]:
    """
    The closest pairs, nearest first, and how many are too close; void is one label.
    """
    best = np.zeros((3, 0))
    total = 0
    for i, j, distance in close_pairs(points, CLOSE):
        differ = ~(void[i] & void[j])
        total += int(differ.sum())
        found = np.stack([distance, i, j])[:, differ]
        best = np.concatenate([best, found], axis=1)
        order = np.lexsort((best[2], best[1], best[0].round(6)))
        best = best[:, order[:_MOST]]
    return best[1].astype(np.int64), best[2].astype(np.int64), best[0], total


def _points(
    colors: list[RGB], matrix: Matrix, *, full_range: bool
) -> NDArray[np.float64]:
    rows, offset = yuv_transform(matrix, full_range=full_range)
    found: NDArray[np.float64] = np.array(colors) @ np.array(rows).T + np.array(offset)
    return found


def _severity(apart: float) -> Severity:
    return Severity.ERROR if apart < INSEPARABLE else Severity.WARNING


def _range(matrix: Matrix, *, full_range: bool) -> str:
    return f"{_NAMES[matrix]} {'full' if full_range else 'limited'} range"
