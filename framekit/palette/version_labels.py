"""
The labels that a dataset version gives to colors, for all of its frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from framekit import _json
from framekit.errors import ArgumentError, PaletteError
from framekit.frame.values import as_color_value, as_labels
from framekit.palette.sharing import Shared

__all__ = ["ALL_MASKS", "Level", "levels_of"]

#: The key of ``mask_labels`` that holds for every mask.
ALL_MASKS = "_all_"

#: Where the labels stand (``mask_labels[…]``), and labels by color.
Level = tuple[str, dict[tuple[int, int, int], tuple[str, ...]]]


def levels_of(version: Any, mask_id: str, *, shared: Shared = "error") -> list[Level]:
    """
    The levels of *version* that speak about a mask, the most specific first.

    Args:
        version: ``mask_labels`` in any of its forms (an object of lists by mask
            id or ``_all_``, a bare list, ``{(r, g, b): labels}``), a version
            document that holds it, or an object with such an attribute.
        shared: What to do when one level gives a color two label sets: refuse,
            let the first win, or take the labels of all.

    Raises:
        ArgumentError: If it is none of these.
        PaletteError: If one level gives a color two label sets.
    """
    mask_labels = _mask_labels(version)
    if mask_labels is None:
        return []
    if isinstance(mask_labels, (list, tuple)):
        mask_labels = {ALL_MASKS: mask_labels}
    if not isinstance(mask_labels, Mapping):
        found = _json.kind(mask_labels).replace("?", type(mask_labels).__name__)
        reason = f"expected mask_labels, an object or a list, got {found}"
        raise ArgumentError("version", reason)
    if any(isinstance(key, tuple) for key in mask_labels):
        lists = {ALL_MASKS: list(mask_labels.items())}
    else:
        keys = dict.fromkeys((mask_id, ALL_MASKS))
        lists = {
            key: _pairs(mask_labels[key])
            for key in keys
            if mask_labels.get(key) is not None
        }
    named = ((f"mask_labels[{key!r}]", pairs) for key, pairs in lists.items())
    return [(name, _by_color(pairs, name, shared)) for name, pairs in named if pairs]


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
    expected = "expected a list of objects with 'value' and 'labels'"
    if not isinstance(items, (list, tuple)):
        raise ArgumentError("mask_labels", f"{expected}, got {_json.kind(items)}")
    pairs = []
    for item in items:
        if not isinstance(item, Mapping) or not {"value", "labels"} <= set(item):
            raise ArgumentError("mask_labels", f"{expected}; one is {item!r}")
        pairs.append((item["value"], item["labels"]))
    return pairs


def _by_color(
    pairs: Iterable[tuple[Any, Any]], level: str, shared: Shared
) -> dict[tuple[int, int, int], tuple[str, ...]]:
    found: dict[tuple[int, int, int], tuple[str, ...]] = {}
    for value, names in pairs:
        color = as_color_value(value, argument="mask_labels")
        labels = tuple(dict.fromkeys(as_labels(names, argument="mask_labels")))
        before = found.setdefault(color, labels)
        if set(before) == set(labels):
            continue
        if shared == "error":
            reason = (
                f"{list(color)} stands for {list(before)} and for {list(labels)} in "
                f"{level}; choose with shared='first' or 'merge'"
            )
            raise PaletteError(reason)
        if shared == "merge":
            found[color] = tuple(dict.fromkeys(before + labels))
    return found
