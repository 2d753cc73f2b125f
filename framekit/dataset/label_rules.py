"""
Which frames are meant: rules about the labels of their ROIs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, Self, get_args

from attrs import field, frozen

from framekit.dataset.labels import labels_of, rois_of, sources_of
from framekit.errors import ArgumentError
from framekit.frame.values import as_labels, as_number

__all__ = ["ANY", "ByRoi", "Filter", "LabelRule"]

#: The label that stands for any.
ANY: Final = "*"

#: What a filter asks of ROIs: that they meet its rules, that there are none, or
#: nothing.
ByRoi = Literal["label_rules", "no_rois", "disabled"]

_UNBOUNDED: Final = -1


def _as_rule_labels(value: Any) -> tuple[str, ...]:
    labels = (value,) if isinstance(value, str) else as_labels(value)
    if not labels:
        raise ArgumentError("labels", f"expected labels; {ANY!r} is any")
    return labels


def _as_range(value: Any, argument: str) -> tuple[float, float]:
    """
    One or two bounds, of which -1 is none.
    """
    given = isinstance(value, Sequence) and not isinstance(value, str)
    bounds = list(value) if given else [value]
    if not 1 <= len(bounds) <= 2:
        raise ArgumentError(argument, f"expected [least, most], got {value!r}")
    numbers = [as_number(bound, argument=argument) for bound in bounds]
    low = -math.inf if numbers[0] == _UNBOUNDED else numbers[0]
    high = math.inf if len(numbers) == 1 or numbers[1] == _UNBOUNDED else numbers[1]
    if low > high:
        raise ArgumentError(argument, f"expected least <= most, got {value!r}")
    return low, high


def _as_count_range(value: Any) -> tuple[float, float] | None:
    return None if value is None else _as_range(value, "count_range")


def _as_conf_range(value: Any) -> tuple[float, float] | None:
    return None if value is None else _as_range(value, "conf_range")


@frozen
class LabelRule:
    """
    A frame must have ROIs with certain labels, or must not.
    """

    #: One label or several, which one and the same ROI must have; "*" is any.
    labels: tuple[str, ...] = field(converter=_as_rule_labels)

    #: How many such ROIs: least and most, -1 or nothing for no bound. Without
    #: it, at least one.
    count_range: tuple[float, float] | None = field(
        default=None, converter=_as_count_range, kw_only=True
    )

    #: Only ROIs with a confidence of that range count; one without has none.
    conf_range: tuple[float, float] | None = field(
        default=None, converter=_as_conf_range, kw_only=True
    )

    #: Turns the rule into its opposite.
    must_not: bool = field(default=False, kw_only=True)

    @classmethod
    def from_dict(cls, rule: Mapping[str, Any]) -> Self:
        """
        Read a rule as ClearML's data views have them.

        Raises:
            ArgumentError: If it has no label, an unknown key or a bad value.
        """
        known = {"label", "count_range", "conf_range", "must_not"}
        if not isinstance(rule, Mapping) or "label" not in rule or set(rule) - known:
            reason = f"expected an object with some of {sorted(known)}: {rule!r}"
            raise ArgumentError("rule", reason)
        options = {key: value for key, value in rule.items() if key != "label"}
        return cls(rule["label"], **options)

    def matching(
        self, rois: Sequence[Mapping[str, Any]], labels: Sequence[tuple[str, ...]]
    ) -> list[int]:
        """
        The numbers of the ROIs that have the labels and the confidence.
        """
        return [
            number
            for number, names in enumerate(labels)
            if all((bool(names) if one == ANY else one in names) for one in self.labels)
            and self._is_confident(rois[number].get("confidence"))
        ]

    def is_met_by(self, number: int) -> bool:
        """
        Whether a frame with that *number* of matching ROIs is meant.
        """
        low, high = self.count_range or (1, math.inf)
        return (low <= number <= high) is not self.must_not

    def _is_confident(self, value: Any) -> bool:
        if self.conf_range is None:
            return True
        low, high = self.conf_range
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return low <= value <= high


def _as_rules(value: Iterable[Any]) -> tuple[LabelRule, ...]:
    if isinstance(value, (str, LabelRule)):
        value = (value,)
    return tuple(
        item if isinstance(item, LabelRule) else LabelRule(item) for item in value
    )


def _as_weight(value: Any) -> float | None:
    if value is None:
        return None
    weight = as_number(value, argument="weight")
    if weight <= 0:
        raise ArgumentError("weight", f"expected more than 0, got {weight}")
    return weight


def _as_by_roi(value: Any) -> Any:
    if value not in get_args(ByRoi):
        reason = f"expected one of {', '.join(get_args(ByRoi))}, got {value!r}"
        raise ArgumentError("filter_by_roi", reason)
    return value


@frozen
class Filter:
    """
    Frames that meet all rules.
    """

    rules: tuple[LabelRule, ...] = field(default=(), converter=_as_rules)

    #: How often its frames come compared with those of other filters; None
    #: unless frames may come more than once.
    weight: float | None = field(default=None, converter=_as_weight, kw_only=True)

    #: A wildcard for the URI of one of the frame's sources.
    source: str | None = field(default=None, kw_only=True)

    #: "no_rois" means frames without any, "disabled" frames with whatever ROIs.
    filter_by_roi: ByRoi = field(
        default="label_rules", converter=_as_by_roi, kw_only=True
    )

    def match(self, frame: Mapping[str, Any]) -> list[int] | None:
        """
        The numbers of the ROIs for which *frame*, parsed JSON, is meant.

        Without rules these are all; None if the frame is not meant.
        """
        if self.source is not None and not any(
            fnmatchcase(str(source.get("uri", "")), self.source)
            for source in sources_of(frame)
        ):
            return None
        rois = rois_of(frame)
        if self.filter_by_roi == "no_rois":
            return None if rois else []
        if self.filter_by_roi == "disabled" or not self.rules:
            return list(range(len(rois)))
        labels = labels_of(frame, rois)
        found: set[int] = set()
        for rule in self.rules:
            matching = rule.matching(rois, labels)
            if not rule.is_met_by(len(matching)):
                return None
            if not rule.must_not:
                found.update(matching)
        return sorted(found)
