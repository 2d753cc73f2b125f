"""
What must hold for the labels that a version gives to colors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from framekit import _json
from framekit._json import join
from framekit.errors import ArgumentError, DocumentError
from framekit.palette import ALL_MASKS, levels_of
from framekit.problem import Problem
from framekit.schema import check
from framekit.validation.codes import problem
from framekit.validation.parts import color_of, listed
from framekit.validation.rules import check_color

__all__ = ["VersionLabels", "as_version_document", "check_version"]

_Labels = dict[tuple[int, int, int], tuple[str, ...]]


class VersionLabels:
    """
    The well-formed ``mask_labels`` of a version document.
    """

    def __init__(self, version: Any) -> None:
        #: Each list of labels with its mask id and its JSON path.
        self.lists: tuple[tuple[str, str, list[Any]], ...] = tuple(_lists(version))

    @cached_property
    def value(self) -> Mapping[str, Any] | None:
        """
        ``{"mask_labels": …}`` for those who decode; None if there are none.
        """
        labels = {
            id: [
                {"value": list(c), "labels": list(names)} for c, names in found.items()
            ]
            for id, found in self._by_color.items()
        }
        return {"mask_labels": labels} if labels else None

    @cached_property
    def mask_ids(self) -> frozenset[str]:
        """
        The masks that are spoken about by id.
        """
        return frozenset(self._by_color) - {ALL_MASKS}

    def levels(self, mask_id: str) -> list[tuple[str, _Labels]]:
        """
        What is said about a mask, the most specific first.
        """
        if mask_id not in self._by_color:
            mask_id = ALL_MASKS  # One answer for all masks that are not named.
        if mask_id not in self._levels:
            self._levels[mask_id] = levels_of(self.value, mask_id)
        return self._levels[mask_id]

    @cached_property
    def _levels(self) -> dict[str, list[tuple[str, _Labels]]]:
        return {}

    @cached_property
    def _by_color(self) -> dict[str, _Labels]:
        found: dict[str, _Labels] = {}
        for id, _, items in self.lists:
            by_color = found.setdefault(id, {})
            for item in items:
                if isinstance(item, dict) and (color := color_of(item)):
                    by_color.setdefault(color, tuple(listed(item, "labels")))
        return found


def as_version_document(version: Any) -> Any:
    """
    What :func:`framekit.palette.levels_of` takes, as a version document.

    Raises:
        ArgumentError: If it is none of that.
    """
    if not isinstance(version, (Mapping, list)):
        labels = getattr(version, "mask_labels", None)
        if labels is None:
            reason = f"expected mask_labels, or a document that has them: {version!r}"
            raise ArgumentError("version", reason)
        version = {"mask_labels": labels}
    elif isinstance(version, list) or not _DOCUMENT_KEYS & set(version):
        version = {"mask_labels": version}
    labels = version.get("mask_labels")
    if isinstance(labels, Mapping) and any(isinstance(key, tuple) for key in labels):
        pairs = [{"value": key, "labels": names} for key, names in labels.items()]
        version = {**version, "mask_labels": pairs}
    try:
        return _json.plain(version)
    except DocumentError as error:
        raise ArgumentError("version", str(error)) from None


_DOCUMENT_KEYS: Final = frozenset({"mask_labels", "metadata", "name", "status"})


def check_version(version: Any, *, references: bool) -> Iterator[Problem]:
    """
    Yield all that is wrong with a version document, which is parsed JSON.

    Args:
        references: Whether to run the second level, too.
    """
    yield from check(version, "dataset-version")
    if not references:
        return
    labels = VersionLabels(version)
    for id, at, items in labels.lists:
        yield from _check_list(id, at, items)
    for id, at, _ in labels.lists:
        if id != ALL_MASKS:
            yield from _check_levels(labels, id, at)


def _check_list(id: str, at: str, items: list[Any]) -> Iterator[Problem]:
    first: dict[tuple[int, int, int], tuple[int, tuple[str, ...]]] = {}
    for n, item in enumerate(items):
        if not isinstance(item, dict) or not (color := color_of(item)):
            continue
        yield from check_color(color, f"{at}[{n}].value")
        labels = tuple(listed(item, "labels"))
        index, other = first.setdefault(color, (n, labels))
        if sorted(other) != sorted(labels):
            message = (
                f"{list(color)} of {id!r} is {list(labels)} here and {list(other)} "
                f"in {at}[{index}]"
            )
            yield problem("color-has-two-label-sets", message, f"{at}[{n}].value")


def _check_levels(labels: VersionLabels, id: str, at: str) -> Iterator[Problem]:
    own, *others = labels.levels(id) or [("", {})]
    for name, found in others:
        for color, names in own[1].items():
            if color in found and sorted(found[color]) != sorted(names):
                message = (
                    f"{list(color)} is {list(names)} in {own[0]} and "
                    f"{list(found[color])} in {name}"
                )
                yield problem("mask-labels-conflict", message, at)


def _lists(version: Any) -> Iterator[tuple[str, str, list[Any]]]:
    holder, at = version, "$"
    if isinstance(version, dict) and "mask_labels" not in version:
        holder, at = version.get("metadata"), "$.metadata"
    value = holder.get("mask_labels") if isinstance(holder, dict) else None
    at = f"{at}.mask_labels"
    if isinstance(value, list):
        yield ALL_MASKS, at, value
    elif isinstance(value, dict):
        for id, items in value.items():
            if isinstance(items, list):
                yield id, join(at, id), items
