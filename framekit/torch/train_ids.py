"""
The numbers that a network knows labels by.

Ids of a label map count the entries of its own palette: what is 3 in one frame may
be 5 in the next. Training needs one number for each label in all frames.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import numpy as np
import torch
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.decoding.label_map import VOID_INT32, VOID_UINT8, LabelMap
from framekit.errors import ArgumentError, PaletteWarning
from framekit.palette import Palette, PaletteEntry

__all__ = ["TrainIds", "to_target"]

#: In enumerations: a label that is ignored, like one that is not listed.
_UNLISTED: Final = -1

#: Ids up to which a table is quicker than a search.
_LARGEST_TABLE: Final = 1 << 20


def to_target(
    label_map: LabelMap,
    labels: Any = None,
    *,
    ignore_index: int | None = None,
) -> torch.Tensor:
    """
    *label_map* as what ``CrossEntropyLoss`` takes, (H, W) int64.

    Args:
        labels: ``{label: number}``, or what else :meth:`TrainIds.of` takes. By
            default the ids stay what they are.
        ignore_index: What pixels without a label have; by default 255 if all
            numbers are below, else -1.

    Raises:
        ArgumentError: If *labels* are none of these.
    """
    if labels is not None:
        return TrainIds.of(labels, ignore_index=ignore_index).target(label_map)
    if ignore_index is None:
        ignore_index = label_map.void
    ids = label_map.ids.astype(np.int64)
    if ignore_index != label_map.void:
        if ignore_index in label_map.counts:
            reason = f"{ignore_index} is the id of a label that occurs; choose another"
            raise ArgumentError("ignore_index", reason)
        ids[ids == label_map.void] = ignore_index
    return torch.from_numpy(ids)


@frozen(eq=False)
class TrainIds:
    """
    A number for each label; all else is ignored in training.

    A palette's entry has the number of its name (its labels, joined by ``", "``) if
    that is listed, else of the first of its labels that is.
    """

    #: By label, or by the joined labels of an entry.
    numbers: Mapping[str, int]

    #: What pixels have that have no label, or one that is not listed.
    ignore_index: int

    _tables: dict[Palette, NDArray[np.int64]] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, labels: Any, *, ignore_index: int | None = None) -> Self:
        """
        Read numbers.

        Args:
            labels: ``{label: number}``, where -1 is ignored; a list of labels, whose
                places are the numbers; or a Palette, whose ids are.
            ignore_index: By default 255 if all numbers are below, else -1.

        Raises:
            ArgumentError: If *labels* are none of these.
        """
        numbers = _numbers_of(labels)
        if ignore_index is None:
            most = max(numbers.values(), default=0)
            ignore_index = VOID_UINT8 if most < VOID_UINT8 else VOID_INT32
        if isinstance(ignore_index, bool) or not isinstance(ignore_index, int):
            reason = f"expected an integer, got {ignore_index!r}"
            raise ArgumentError("ignore_index", reason)
        return cls(numbers, ignore_index)

    @classmethod
    def found_in(
        cls, palettes: Iterable[Palette], *, ignore_index: int | None = None
    ) -> Self:
        """
        Number the entries of *palettes* from 0, in the order they are met.

        Entries with the same labels have the same number.
        """
        names = (e.name for p in palettes for e in p if e.id is not None)
        return cls.of(list(dict.fromkeys(names)), ignore_index=ignore_index)

    @property
    def classes(self) -> int:
        """
        How many channels a network needs: the largest number and one.
        """
        listed = (n for n in self.numbers.values() if n != self.ignore_index)
        return max(listed, default=-1) + 1

    def check(self, palettes: Iterable[Palette]) -> None:
        """
        Warn (``PaletteWarning``) of labels that none of *palettes* has.
        """
        known: set[str] = set()
        for palette in palettes:
            known.update(palette.labels)
            known.update(entry.name for entry in palette)
        absent = [label for label in self.numbers if label not in known]
        if absent:
            message = (
                f"no frame has the labels {absent[:10]}; there are {sorted(known)[:20]}"
            )
            warnings.warn(message, PaletteWarning, stacklevel=2)

    def number_of(self, entry: PaletteEntry) -> int:
        """
        The number of *entry*, or ``ignore_index``.
        """
        for label in (entry.name, *entry.labels):
            if label in self.numbers:
                number = self.numbers[label]
                return self.ignore_index if number == _UNLISTED else number
        return self.ignore_index

    def target(self, label_map: LabelMap) -> torch.Tensor:
        """
        The numbers of the pixels, (H, W) int64.
        """
        palette = label_map.palette
        ids: NDArray[Any] = label_map.ids
        largest = max((entry.id or 0 for entry in palette), default=0)
        if largest > _LARGEST_TABLE:
            return torch.from_numpy(self._searched(ids, palette))
        table = self._tables.get(palette)
        if table is None:
            # Both values of void are covered: 255, and -1, which is the last place.
            size = max(largest + 2, VOID_UINT8 + 1)
            table = np.full(size, self.ignore_index, np.int64)
            for entry in palette:
                if entry.id is not None:
                    table[entry.id] = self.number_of(entry)
            self._tables[palette] = table
        return torch.from_numpy(table[ids])

    def _searched(self, ids: NDArray[Any], palette: Palette) -> NDArray[np.int64]:
        numbers = {e.id: self.number_of(e) for e in palette if e.id is not None}
        numbers[VOID_INT32] = self.ignore_index
        known = np.array(sorted(numbers), np.int64)
        table = np.array([numbers[int(id)] for id in known], np.int64)
        return table[np.searchsorted(known, ids)]


def _numbers_of(labels: Any) -> dict[str, int]:
    if isinstance(labels, Palette):
        found: dict[str, int] = {}
        for entry in labels:
            for label in (entry.name, *entry.labels) if entry.id is not None else ():
                found.setdefault(label, entry.id_or_void)
        return found
    if isinstance(labels, Mapping):
        for label, number in labels.items():
            whole = isinstance(number, int) and not isinstance(number, bool)
            if not isinstance(label, str) or not whole or number < _UNLISTED:
                reason = (
                    "expected {label: number}, numbers from 0, or -1 for what is "
                    f"ignored; got {label!r}: {number!r}"
                )
                raise ArgumentError("labels", reason)
        return dict(labels)
    if isinstance(labels, (list, tuple)) and all(isinstance(n, str) for n in labels):
        if len(set(labels)) == len(labels):
            return {label: number for number, label in enumerate(labels)}
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ArgumentError("labels", f"{twice!r} is listed twice")
    expected = "expected {label: number}, a list of labels or a Palette"
    raise ArgumentError("labels", f"{expected}, got {labels!r}")
