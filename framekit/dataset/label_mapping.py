"""
Other names, and numbers, for the labels of frames that were chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from framekit.dataset.label_rules import ANY
from framekit.errors import ArgumentError
from framekit.frame.values import as_id, as_labels

__all__ = ["MappingRule", "as_enumeration", "as_mapping_rules", "mapped", "number_of"]

#: The number of a label that an enumeration does not have.
UNLISTED = -1


def _as_sources(value: Any) -> tuple[str, ...]:
    labels = (value,) if isinstance(value, str) else as_labels(value)
    if not labels:
        raise ArgumentError("labels", f"expected labels; {ANY!r} is any")
    return labels


def _as_target(value: Any) -> str:
    return as_id(value, argument="target")


@frozen
class MappingRule:
    """
    An ROI that has all of *labels* gets *target* in their place.
    """

    #: "*" is any label, and stands for all that the ROI has.
    labels: tuple[str, ...] = field(converter=_as_sources)
    target: str = field(converter=_as_target)


def as_mapping_rules(value: Any) -> tuple[MappingRule, ...]:
    """
    Rules, also written ``{"truck": "vehicle", ("car", "parked"): "obstacle"}``.

    Raises:
        ArgumentError: If they are none.
    """
    if isinstance(value, Mapping):
        return tuple(MappingRule(labels, target) for labels, target in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        rules = tuple(value)
        if all(isinstance(rule, MappingRule) for rule in rules):
            return rules
    raise ArgumentError("mapping", f"expected {{label: label}}, got {value!r}")


def as_enumeration(value: Any) -> dict[str, int] | None:
    """
    Numbers of labels.

    Raises:
        ArgumentError: If it is no ``{label: integer}``.
    """
    if value is None:
        return None
    if isinstance(value, Mapping) and all(
        isinstance(label, str) and isinstance(number, int) and not _is_bool(number)
        for label, number in value.items()
    ):
        return dict(value)
    raise ArgumentError("enumeration", f"expected {{label: integer}}, got {value!r}")


def mapped(labels: Sequence[str], rules: Iterable[MappingRule]) -> list[str]:
    """
    *labels* of one ROI under their other names.

    A label that no rule names stays; one that a rule has used up is not seen by
    the rules behind it.
    """
    waiting = list(labels)
    found: dict[int, str] = {}
    used: set[int] = set()
    for rule in rules:
        open_ = [n for n in range(len(waiting)) if n not in used]
        if ANY in rule.labels:
            others = {label for label in rule.labels if label != ANY}
            met = bool(open_) and others <= {waiting[n] for n in open_}
            taken = open_
        else:
            met = set(rule.labels) <= {waiting[n] for n in open_}
            taken = [n for n in open_ if waiting[n] in rule.labels]
        if met:
            found[taken[0]] = rule.target
            used.update(taken)
    names = [
        found.get(n, label)
        for n, label in enumerate(waiting)
        if n in found or n not in used
    ]
    return list(dict.fromkeys(names))


def number_of(labels: Iterable[str], enumeration: Mapping[str, int]) -> int:
    """
    The number of the first of *labels* that is listed, -1 if none is.
    """
    for label in labels:
        if label in enumeration:
            return enumeration[label]
    return UNLISTED


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)
