"""
What happens when one color, or one pixel value, has several entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from attrs import evolve

from framekit.errors import ArgumentError, PaletteError
from framekit.palette.entry import PaletteEntry

__all__ = ["Shared", "as_shared", "numbered", "settled", "shares"]

#: Refuse two label sets on one color, let the first entry win, or give the
#: first the labels of all.
Shared = Literal["error", "first", "merge"]

_Key = tuple[str, object]


def as_shared(value: object) -> Shared:
    """
    Check that *value* is one of the three policies.

    Raises:
        ArgumentError: If not.
    """
    for policy in get_args(Shared):
        if value == policy:
            return policy  # type: ignore[no-any-return]
    reason = f"expected 'error', 'first' or 'merge', got {value!r}"
    raise ArgumentError("shared", reason)


def settled(
    entries: Iterable[PaletteEntry], shared: Shared = "error"
) -> list[PaletteEntry]:
    """
    Apply *shared*, and drop entries that only repeat an earlier one.

    Raises:
        PaletteError: If an entry has neither color nor index, if two disagree
            about a color or an index under ``"error"``, or if two that
            ``"merge"`` would join have different indices, colors or ids.
    """
    kept: list[PaletteEntry] = []
    first: dict[_Key, int] = {}
    joined: dict[int, dict[str, None]] = {}
    for entry in entries:
        keys = _keys(entry)
        if not keys:
            raise PaletteError(f"{entry.name!r} has neither a color nor an index")
        taken = sorted({first[key] for key in keys if key in first})
        others = [kept[n] for n in taken]
        disputed = [other for other in others if not _agree(other, entry)]
        if disputed and shared == "error":
            raise PaletteError(_disagreement(disputed[0], entry))
        if disputed and shared == "merge":
            if len(others) > 1 or not _joinable(others[0], entry):
                raise PaletteError(_unjoinable(disputed[0], entry))
            labels = joined.setdefault(taken[0], dict.fromkeys(others[0].labels))
            labels.update(dict.fromkeys(entry.labels))
            continue
        if any(_repeats(other, entry) for other in others):
            continue
        for key in keys:
            first.setdefault(key, len(kept))
        kept.append(entry)
    for position, labels in joined.items():
        kept[position] = evolve(kept[position], labels=tuple(labels))
    return kept


def numbered(entries: Sequence[PaletteEntry]) -> tuple[PaletteEntry, ...]:
    """
    Give every entry that needs an id and has none its position as id.

    Raises:
        PaletteError: If an id is used twice.
    """
    found = tuple(
        entry if entry.void or entry.id is not None else evolve(entry, id=position)
        for position, entry in enumerate(entries)
    )
    seen: dict[int, PaletteEntry] = {}
    for entry in found:
        if entry.id is None:
            continue
        if (other := seen.get(entry.id)) is not None:
            reason = (
                f"id {entry.id} stands for {other.name!r} and for {entry.name!r}; "
                f"give every entry an id of its own, or none"
            )
            raise PaletteError(reason)
        seen[entry.id] = entry
    return found


def shares(entries: Iterable[PaletteEntry]) -> bool:
    """
    Whether two entries disagree about a color or an index.
    """
    first: dict[_Key, PaletteEntry] = {}
    return any(
        not _agree(first.setdefault(key, entry), entry)
        for entry in entries
        for key in _keys(entry)
    )


def _keys(entry: PaletteEntry) -> list[_Key]:
    pairs = (("color", entry.color), ("index", entry.index))
    return [(what, value) for what, value in pairs if value is not None]


def _agree(a: PaletteEntry, b: PaletteEntry) -> bool:
    """
    Whether it makes no difference which of the two a pixel stands for.
    """
    if a.void or b.void:
        return a.void == b.void
    same_marks = a.color == b.color and a.index == b.index
    if same_marks and b.id is not None and a.id != b.id:
        return False
    return set(a.labels) == set(b.labels)


def _repeats(a: PaletteEntry, b: PaletteEntry) -> bool:
    """
    Whether *b* says nothing that *a*, before it, has not said.
    """
    return (
        a.color == b.color
        and a.index == b.index
        and a.void == b.void
        and set(a.labels) == set(b.labels)
        and b.id in (None, a.id)
    )


def _joinable(a: PaletteEntry, b: PaletteEntry) -> bool:
    return (
        not a.void
        and not b.void
        and b.color in (None, a.color)
        and b.index in (None, a.index)
        and b.id in (None, a.id)
    )


def _disagreement(a: PaletteEntry, b: PaletteEntry) -> str:
    mark = b.marker if a.color == b.color else str(b.index)
    if not a.void and not b.void and set(a.labels) == set(b.labels):
        return f"{mark} stands for two ids of {a.name!r}"
    return (
        f"{mark} stands for {_meaning(a)} and for {_meaning(b)}; "
        f"choose with shared='first' or 'merge'"
    )


def _unjoinable(a: PaletteEntry, b: PaletteEntry) -> str:
    return (
        f"{_meaning(a)} and {_meaning(b)} share {b.marker}, but have indices, colors, "
        f"ids or void of their own and cannot be merged; choose shared='first'"
    )


def _meaning(entry: PaletteEntry) -> str:
    return f"void ({entry.name})" if entry.void else str(list(entry.labels))
