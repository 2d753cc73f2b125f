"""
The labels that a version gives to colors, as Python has them and as JSON has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from framekit.color import as_rgb
from framekit.errors import ArgumentError
from framekit.frame.values import as_labels
from framekit.palette.version_labels import ALL_MASKS, levels_of

__all__ = ["colors_of", "mask_ids_of", "mask_labels_in", "with_colors"]

RGB = tuple[int, int, int]


def colors_of(document: Mapping[str, Any], mask: str) -> dict[RGB, list[str]]:
    """
    The labels of colors that *document*, a version's, states for *mask* itself.

    Raises:
        ArgumentError: If the document's ``mask_labels`` are none.
        PaletteError: If a color has two label sets.
    """
    for name, colors in levels_of(document, mask):
        if name == f"mask_labels[{mask!r}]":
            return {color: list(labels) for color, labels in colors.items()}
    return {}


def mask_ids_of(document: Mapping[str, Any]) -> list[str]:
    """
    The ids of the masks that *document* states labels for, ``_all_`` included.
    """
    written = mask_labels_in(document)
    if isinstance(written, Mapping):
        return sorted(written)
    return [ALL_MASKS] if written else []


def with_colors(
    document: Mapping[str, Any],
    mask: str,
    colors: Mapping[Any, Iterable[str]],
) -> dict[str, list[dict[str, Any]]] | None:
    """
    Return ``mask_labels`` in which *mask* has *colors*, in place of those it had.

    Raises:
        ArgumentError: If a color or a label is none.
    """
    if not isinstance(colors, Mapping):
        raise ArgumentError("mask_labels", "expected {(r, g, b): [labels]}")
    items: dict[RGB, tuple[str, ...]] = {}
    for color, names in colors.items():
        rgb = as_rgb(color, argument="mask_labels")
        labels = as_labels(names, argument="mask_labels")
        if items.setdefault(rgb, labels) != labels:
            reason = f"{list(rgb)} stands for {list(items[rgb])} and for {list(labels)}"
            raise ArgumentError("mask_labels", reason)
    written = {
        id: [
            {"value": list(color), "labels": labels}
            for color, labels in colors_of(document, id).items()
        ]
        for id in mask_ids_of(document)
    }
    written[mask] = [
        {"value": list(color), "labels": list(labels)}
        for color, labels in items.items()
    ]
    return {id: entries for id, entries in written.items() if entries} or None


def mask_labels_in(document: Mapping[str, Any]) -> Any:
    """
    The ``mask_labels`` of *document* as they stand there, or in its metadata.
    """
    if document.get("mask_labels") is not None:
        return document["mask_labels"]
    metadata = document.get("metadata")
    return metadata.get("mask_labels") if isinstance(metadata, Mapping) else None
