"""
Where palettes of several documents disagree about a color or a value.

Labels that were exchanged between two documents look fine in each of them; only
side by side does 3 = Fence here and 3 = Wall there show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from framekit.palette.entry import PaletteEntry
from framekit.palette.palette import Palette
from framekit.problem import Problem, Severity

__all__ = ["label_drift"]

#: What kind of mark it is, and the mark: a color, or a pixel value.
_Mark = tuple[str, tuple[int, ...]]


class _Meaning(NamedTuple):
    """
    What the first document that has a mark says it is.
    """

    document: str
    labels: tuple[str, ...]


def label_drift(palettes: Iterable[tuple[str, Palette]]) -> list[Problem]:
    """
    List the colors and pixel values that stand for different labels.

    Labels are compared without regard to case, order and white space around them.

    Args:
        palettes: The name of each document, and its palette.

    Returns:
        One warning, ``label-drift``, for each mark and document that says otherwise
        than the first document which has the mark; marks whose labels are exchanged
        between the two say so.
    """
    first: dict[_Mark, _Meaning] = {}
    found: list[Problem] = []
    for document, palette in palettes:
        own = {mark: entry.labels for entry in palette for mark in _marks(entry)}
        by_labels = {_same(labels): mark for mark, labels in own.items()}
        for mark, labels in own.items():
            known = first.setdefault(mark, _Meaning(document, labels))
            if _same(known.labels) == _same(labels):
                continue
            other = by_labels.get(_same(known.labels))
            exchanged = (
                other is not None
                and other in first
                and _same(first[other].labels) == _same(labels)
            )
            found.append(_problem(document, mark, labels, known, exchanged=exchanged))
    return found


def _marks(entry: PaletteEntry) -> Iterator[_Mark]:
    if entry.color is not None:
        yield "color", entry.color
    if entry.index is not None:
        yield "value", (entry.index,)


def _same(labels: tuple[str, ...]) -> frozenset[str]:
    return frozenset(label.strip().casefold() for label in labels)


def _problem(
    document: str,
    mark: _Mark,
    labels: tuple[str, ...],
    known: _Meaning,
    *,
    exchanged: bool,
) -> Problem:
    kind, values = mark
    shown = str(list(values)) if kind == "color" else str(values[0])
    also = "; the two are exchanged" if exchanged else ""
    return Problem(
        code="label-drift",
        severity=Severity.WARNING,
        message=(
            f"{kind} {shown} is {_text(labels)} here and {_text(known.labels)} in "
            f"{known.document}{also}"
        ),
        document=document,
        hint="one of the documents is wrong, or they need palettes of their own",
        color=(values[0], values[1], values[2]) if kind == "color" else None,
    )


def _text(labels: tuple[str, ...]) -> str:
    return " + ".join(map(repr, labels)) or "void"
