"""
The labels that a dataset version gives to colors, for all of its frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framekit.errors import ArgumentError
from framekit.frame.values import as_color_value, as_labels

__all__ = ["ALL_MASKS", "Level", "levels_of"]

#: The key of ``mask_labels`` that holds for every mask.
ALL_MASKS = "_all_"

#: Where the labels stand (``mask_labels[…]``), and labels by color.
Level = tuple[str, dict[tuple[int, int, int], tuple[str, ...]]]


def levels_of(version: Any, mask_id: str) -> list[Level]:
    """
    The levels of *version* that speak about a mask, the most specific first.

    Args:
        version: ``mask_labels`` in any of its forms (an object of lists by mask
            id or ``_all_``, a bare list, ``{(r, g, b): labels}``), a version
            document that holds it, or an object with such an attribute.

    Raises:
        ArgumentError: If it is none of these.
    """
    mask_labels = _mask_labels(version)
    if mask_labels is None:
        return []
    if isinstance(mask_labels, (list, tuple)):
        mask_labels = {ALL_MASKS: mask_labels}
    if not isinstance(mask_labels, Mapping):
        raise ArgumentError("version", f"expected mask_labels, got {mask_labels!r}")
    if any(isinstance(key, tuple) for key in mask_labels):
        return [(f"mask_labels[{ALL_MASKS!r}]", _by_color(mask_labels.items()))]
    return [
        (f"mask_labels[{key!r}]", _by_color(_pairs(mask_labels[key])))
        for key in dict.fromkeys((mask_id, ALL_MASKS))
        if mask_labels.get(key)
    ]


def _mask_labels(version: Any) -> Any:
    if isinstance(version, Mapping):
        if "mask_labels" in version:
            return version["mask_labels"]
        metadata = version.get("metadata")
        if isinstance(metadata, Mapping) and "mask_labels" in metadata:
            return metadata["mask_labels"]
        if {"name", "metadata", "status"} & set(version):
            return None
        return version
    return getattr(version, "mask_labels", version)


def _pairs(items: Any) -> list[tuple[Any, Any]]:
    pairs = []
    for item in items:
        if not isinstance(item, Mapping) or not {"value", "labels"} <= set(item):
            reason = f"expected objects with 'value' and 'labels', got {item!r}"
            raise ArgumentError("mask_labels", reason)
        pairs.append((item["value"], item["labels"]))
    return pairs


def _by_color(pairs: Any) -> dict[tuple[int, int, int], tuple[str, ...]]:
    found: dict[tuple[int, int, int], tuple[str, ...]] = {}
    for value, labels in pairs:
        color = as_color_value(value, argument="mask_labels")
        found.setdefault(color, as_labels(labels, argument="mask_labels"))
    return found
