"""
Palettes: which color, or which pixel value, stands for which labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Final, Literal, Self, overload

from attrs import evolve, field, frozen

from framekit.color import RGB, as_rgb, in_range, to_hex
from framekit.errors import ArgumentError, LinkWarning, PaletteError, PaletteWarning
from framekit.frame import SingleFrame
from framekit.frame.values import as_color_value, as_labels, as_mapping
from framekit.palette.linking import link_frame
from framekit.palette.version_labels import levels_of

__all__ = ["MAX_ID", "Palette", "PaletteEntry", "Shared"]

#: Ids are 31-bit, so that label maps hold them as int32 beside a void of -1.
MAX_ID: Final = 2**31 - 1

#: What happens when one color has two label sets.
Shared = Literal["error", "first", "merge"]


def _as_entry_labels(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else as_labels(value)


def _as_color(value: Any) -> tuple[int, int, int] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return as_rgb(value)
    return as_color_value(value, argument="color")


def _as_whole(value: Any, *, argument: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or int(value) != value or not 0 <= value <= MAX_ID:
        reason = f"expected a whole number from 0 to {MAX_ID}, got {value!r}"
        raise ArgumentError(argument, reason)
    return int(value)


@frozen(kw_only=True)
class PaletteEntry:
    """
    One color or pixel value, and what it stands for.

    A color out of range is kept as the data had it; it never matches a pixel.
    """

    #: What label maps hold for it; None until a palette gives it its position.
    id: int | None = field(default=None, converter=partial(_as_whole, argument="id"))

    color: tuple[int, int, int] | None = field(default=None, converter=_as_color)

    #: The pixel value in single-channel images, or R + 256 G + 65536 B.
    index: int | None = field(
        default=None, converter=partial(_as_whole, argument="index")
    )

    labels: tuple[str, ...] = field(converter=_as_entry_labels)

    #: Whether it is a countable thing (True) or stuff (False); None if unknown.
    thing: bool | None = None

    metadata: Mapping[str, Any] = field(
        factory=dict, converter=as_mapping, hash=False, repr=False
    )

    @property
    def name(self) -> str:
        """
        The labels as one text.
        """
        return ", ".join(self.labels)


class Palette(Sequence[PaletteEntry]):
    """
    An immutable sequence of entries; equal palettes decode alike.

    ``palette[id]`` gives the entry of an id, not of a position.
    """

    def __init__(
        self,
        entries: Mapping[Any, Any] | Iterable[PaletteEntry | tuple[Any, Any]] = (),
        *,
        shared: Shared = "error",
    ) -> None:
        """
        Collect *entries*: ``{color: labels}``, pairs of them, or entries.

        Args:
            entries: Colors are three integers or ``"#rrggbb"``, labels one text
                or several.
            shared: What to do when one color has two label sets: refuse, let
                the first entry win, or give the first the labels of all.

        Raises:
            PaletteError: If a color has two label sets, or an id is used twice.
            ArgumentError: If a value is refused.
        """
        if shared not in ("error", "first", "merge"):
            reason = f"expected 'error', 'first' or 'merge', got {shared!r}"
            raise ArgumentError("shared", reason)
        items = entries.items() if isinstance(entries, Mapping) else entries
        found = [_as_entry(item) for item in items]
        self._entries = _numbered(_resolved(found, shared))
        self._by_id = {entry.id: entry for entry in self._entries}

    @classmethod
    def indexed(
        cls,
        values: Mapping[int, Any] | Iterable[PaletteEntry],
        *,
        shared: Shared = "error",
    ) -> Self:
        """
        A palette of pixel values: ``{value: labels}``.

        For single-channel images of 8 or 16 bits, and for RGB images whose
        colors are numbers, R + 256 G + 65536 B.

        Raises:
            PaletteError: If a value has two label sets, or an id is used twice.
            ArgumentError: If a value is refused.
        """
        if isinstance(values, Mapping):
            values = [PaletteEntry(index=v, labels=k) for v, k in values.items()]
        entries = list(values)
        for entry in entries:
            if entry.index is None:
                raise ArgumentError("values", f"{entry!r} has no index")
        return cls(entries, shared=shared)

    @classmethod
    def from_frame(
        cls,
        frame: SingleFrame,
        source: str | None = None,
        mask: str | None = None,
        *,
        version: Any = None,
        restrict: bool = False,
        shared: Shared = "error",
    ) -> Self:
        """
        The palette of one mask of *frame*.

        The frame's ROIs come first, then the version's ``mask_labels`` of the
        mask, then those of all masks, for colors that nothing before named.

        Args:
            source: May be left out when the frame has one.
            mask: May be left out when the source has one.
            version: The version's ``mask_labels``, or a document that has them.
            restrict: Keep only the colors that ROIs name.

        Raises:
            ArgumentError: If there is no such source or mask, or several and
                none is named.
            PaletteError: If a ROI's mask id leads nowhere, or two ROIs give one
                color different labels.
        """
        source, mask = mask_of(frame, source, mask)
        linking = link_frame(frame)
        if linking.swapped:
            message = "mask ids and labels of the frame's ROIs are exchanged; read so"
            warnings.warn(message, LinkWarning, stacklevel=2)
        for index, mask_id, known in linking.dangling:
            reason = f"$.rois[{index}].mask.id: {mask_id!r} is none of {list(known)}"
            raise PaletteError(reason)
        entries = [
            PaletteEntry(color=found.color, labels=found.labels)
            for found in linking.links
            if found.source == source and found.mask == mask
        ]
        by_color = {entry.color: ("rois", entry.labels) for entry in entries}
        for level, labels_by_color in levels_of(version, mask):
            for color, labels in labels_by_color.items():
                if color not in by_color:
                    by_color[color] = (level, labels)
                    if not restrict:
                        entries.append(PaletteEntry(color=color, labels=labels))
                elif sorted(by_color[color][1]) != sorted(labels):
                    _warn_of_disagreement(color, by_color[color], (level, labels))
        return cls(entries, shared=shared)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[PaletteEntry]:
        return iter(self._entries)

    @overload
    def __getitem__(self, id: int) -> PaletteEntry: ...
    @overload
    def __getitem__(self, id: slice) -> tuple[PaletteEntry, ...]: ...
    def __getitem__(
        self, id: int | slice
    ) -> PaletteEntry | tuple[PaletteEntry, ...]:
        if isinstance(id, slice):
            return self._entries[id]
        try:
            return self._by_id[int(id)]
        except KeyError:
            raise IndexError(f"the palette has no id {id}") from None

    def __contains__(self, entry: object) -> bool:
        return entry in self._entries

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Palette):
            return NotImplemented
        return self._entries == other._entries

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{_marker(entry)}: {entry.name!r}" for entry in self._entries[:6]
        )
        more = f", … {len(self) - 6} more" if len(self) > 6 else ""
        return f"Palette({{{shown}{more}}})"

    @cached_property
    def _hash(self) -> int:
        return hash(self._entries)

    @property
    def is_indexed(self) -> bool:
        """
        Whether every entry is a pixel value.
        """
        return bool(self) and all(entry.index is not None for entry in self)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """
        Every label once, in the order of the entries.
        """
        return tuple(dict.fromkeys(x for entry in self for x in entry.labels))

    @cached_property
    def ids_by_color(self) -> Mapping[RGB, int]:
        """
        Ids of the colors that pixels can have; of shared colors the first.
        """
        found: dict[RGB, int] = {}
        for entry in self._entries:
            if entry.color is not None and in_range(entry.color):
                found.setdefault(entry.color, _id(entry))
        return found

    @cached_property
    def ids_by_index(self) -> Mapping[int, int]:
        """
        Ids of the pixel values; of shared values the first.
        """
        found: dict[int, int] = {}
        for entry in self._entries:
            if entry.index is not None:
                found.setdefault(entry.index, _id(entry))
        return found

    def ids_of(self, label: str) -> tuple[int, ...]:
        """
        The ids of all entries that have *label*.

        Raises:
            ArgumentError: If none has; the message names the known labels.
        """
        ids = tuple(_id(entry) for entry in self if label in entry.labels)
        if not ids:
            reason = f"{label!r} is no label of the palette: {list(self.labels)[:20]}"
            raise ArgumentError("label", reason)
        return ids


def mask_of(
    frame: SingleFrame, source: str | None, mask: str | None
) -> tuple[str, str]:
    """
    Name the source and the mask that are meant when one or both are left out.

    Raises:
        ArgumentError: If there is no such source or mask, or several.
    """
    with_masks = [s for s in frame.sources if s.masks]
    if source is None:
        candidates = [
            s for s in with_masks if mask is None or mask in s.mask_ids
        ] or with_masks
        if len(candidates) != 1:
            known = [s.id for s in candidates]
            reason = f"the frame has {known or 'no sources with masks'}; name one"
            raise ArgumentError("source", reason)
        source = candidates[0].id
    known_masks = [id for s in frame.sources if s.id == source for id in s.mask_ids]
    if not any(s.id == source for s in frame.sources):
        known = [s.id for s in frame.sources]
        raise ArgumentError("source", f"{source!r} is none of {known}")
    if mask is None:
        if len(known_masks) != 1:
            reason = f"source {source!r} has {known_masks or 'no masks'}; name one"
            raise ArgumentError("mask", reason)
        return source, known_masks[0]
    if mask not in known_masks:
        reason = f"{mask!r} is no mask of source {source!r}: {known_masks}"
        raise ArgumentError("mask", reason)
    return source, mask


def _id(entry: PaletteEntry) -> int:
    assert entry.id is not None  # noqa: S101 - every entry of a palette has one
    return entry.id


def _marker(entry: PaletteEntry) -> str:
    if entry.color is None:
        return str(entry.index)
    return to_hex(entry.color) if in_range(entry.color) else str(entry.color)


def _as_entry(item: Any) -> PaletteEntry:
    if isinstance(item, PaletteEntry):
        return item
    color, labels = item
    return PaletteEntry(color=as_rgb(color), labels=labels)


def _resolved(entries: list[PaletteEntry], shared: Shared) -> list[PaletteEntry]:
    """
    Settle entries that share a color or a value, and drop mere repetitions.
    """
    kept: list[PaletteEntry] = []
    first: dict[Any, int] = {}
    for entry in entries:
        keys = [
            (what, value)
            for what, value in (("color", entry.color), ("index", entry.index))
            if value is not None
        ]
        if not keys:
            raise PaletteError(f"{entry.name!r} has neither a color nor an index")
        taken = [first[key] for key in keys if key in first]
        if entry in kept:
            continue
        if taken and sorted(kept[taken[0]].labels) != sorted(entry.labels):
            other = kept[taken[0]]
            if shared == "error":
                reason = (
                    f"{_marker(entry)} stands for {list(other.labels)} and for "
                    f"{list(entry.labels)}; choose with shared='first' or 'merge'"
                )
                raise PaletteError(reason)
            if shared == "merge":
                merged = tuple(dict.fromkeys(other.labels + entry.labels))
                kept[taken[0]] = evolve(other, labels=merged)
                continue
        elif taken and evolve(entry, id=None) == evolve(kept[taken[0]], id=None):
            continue
        for key in keys:
            first.setdefault(key, len(kept))
        kept.append(entry)
    return kept


def _numbered(entries: list[PaletteEntry]) -> tuple[PaletteEntry, ...]:
    numbered = tuple(
        entry if entry.id is not None else evolve(entry, id=position)
        for position, entry in enumerate(entries)
    )
    seen: dict[int, PaletteEntry] = {}
    for entry in numbered:
        if _id(entry) in seen:
            reason = (
                f"id {entry.id} stands for {seen[_id(entry)].name!r} and for "
                f"{entry.name!r}"
            )
            raise PaletteError(reason)
        seen[_id(entry)] = entry
    return numbered


def _warn_of_disagreement(
    color: tuple[int, int, int],
    first: tuple[str, tuple[str, ...]],
    second: tuple[str, tuple[str, ...]],
) -> None:
    message = (
        f"{list(color)} is {list(first[1])} in {first[0]} and {list(second[1])} in "
        f"{second[0]}; the former counts"
    )
    warnings.warn(message, PaletteWarning, stacklevel=3)
