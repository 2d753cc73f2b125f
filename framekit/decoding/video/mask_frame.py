"""
One frame of a mask video.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import field, frozen

from framekit.decoding.label_map import LabelMap

__all__ = ["MaskFrame"]


@frozen(eq=False, kw_only=True)
class MaskFrame:
    """
    One frame of a mask video as labels, and its time.
    """

    #: Its position among the displayed frames, from 0.
    index: int

    #: When it appears, in ms.
    timestamp: float

    #: The moment asked for, less its own; 0 if none was asked for.
    delta_ms: float

    #: Whether it, or something that it was decoded from, is damaged.
    tainted: bool

    label_map: LabelMap

    #: ``timestamp`` without rounding.
    exact_timestamp: Fraction = field(repr=False)
