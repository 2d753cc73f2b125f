"""
What differs between the labels that two versions give to colors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from framekit.dataset.mask_labels import colors_of, mask_ids_of

__all__ = ["MaskLabelChange", "mask_label_changes"]


def _as_labels(labels: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if labels is None else tuple(labels)


@frozen
class MaskLabelChange:
    """
    A color whose labels differ.
    """

    #: The id of the mask that it is stated for; "_all_" is all masks.
    mask: str

    color: tuple[int, int, int]

    #: The labels before and after; None where the color has none.
    before: tuple[str, ...] | None = field(converter=_as_labels)
    after: tuple[str, ...] | None = field(converter=_as_labels)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the change as JSON values.
        """
        return {
            "mask": self.mask,
            "color": list(self.color),
            "before": None if self.before is None else list(self.before),
            "after": None if self.after is None else list(self.after),
        }


def mask_label_changes(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[MaskLabelChange, ...]:
    """
    Compare two version documents.

    Raises:
        ArgumentError: If the ``mask_labels`` of one are none.
        PaletteError: If one gives a color two label sets.
    """
    changes = []
    for mask in sorted({*mask_ids_of(before), *mask_ids_of(after)}):
        old, new = colors_of(before, mask), colors_of(after, mask)
        for color in sorted({*old, *new}):
            if old.get(color) != new.get(color):
                change = MaskLabelChange(mask, color, old.get(color), new.get(color))
                changes.append(change)
    return tuple(changes)
