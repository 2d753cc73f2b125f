"""
What the gate is not sure of: a bit for each rule that may find something.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from framekit.validation.rules import RULES, Rule

__all__ = [
    "COLOR",
    "CONFIDENCE",
    "FACTS",
    "GEOMETRY",
    "LABEL",
    "LABEL_SETS",
    "LINK",
    "NEGATIVE",
    "NO_SOURCES",
    "ROI_RULES",
    "SAME_FILE",
    "SAME_MASKS",
    "SAME_SOURCES",
    "SIZE",
    "SPELLED",
    "TIMESTAMPS",
    "UNKNOWN_SOURCE",
    "rules_in",
]

_BITS: Final = {rule.__name__: 1 << n for n, rule in enumerate(RULES)}

#: What is told once for all frames has to be found the slow way.
FACTS: Final = 1 << len(RULES)

SPELLED: Final = _BITS["keys_spelled"]
SAME_SOURCES: Final = _BITS["duplicate_source_id"] | FACTS
SAME_MASKS: Final = _BITS["duplicate_mask_id"] | FACTS
NO_SOURCES: Final = _BITS["frame_without_sources"]
UNKNOWN_SOURCE: Final = _BITS["unknown_source"]
COLOR: Final = _BITS["color_in_range"]
LABEL_SETS: Final = _BITS["one_label_set"]
LINK: Final = _BITS["dangling_mask_id"] | _BITS["mask_id_is_label"] | LABEL_SETS
LABEL: Final = _BITS["roi_with_label"]
CONFIDENCE: Final = _BITS["confidence_in_range"]
GEOMETRY: Final = _BITS["geometry_complete"]
SIZE: Final = _BITS["size_positive"]
NEGATIVE: Final = _BITS["timestamp_not_negative"]
TIMESTAMPS: Final = _BITS["timestamps_match"]
SAME_FILE: Final = _BITS["mask_is_not_source"]

#: The rules that only look at ROIs and at the ids of sources and masks.
ROI_RULES: Final = LINK | UNKNOWN_SOURCE | COLOR | LABEL | CONFIDENCE | GEOMETRY


@cache
def rules_in(doubts: int) -> tuple[Rule, ...]:
    """
    The rules that may find something, in their order.
    """
    return tuple(rule for n, rule in enumerate(RULES) if doubts >> n & 1)
