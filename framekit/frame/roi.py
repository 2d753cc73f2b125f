"""
What is labeled: a region of interest, by a mask's color or by a shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from framekit._json import nested, spelled
from framekit.errors import ArgumentError
from framekit.frame.geometry import Geometry, geometry_of
from framekit.frame.values import (
    as_color_value,
    as_confidence,
    as_id,
    as_labels,
    as_mapping,
    as_names,
    as_numbers,
    as_text,
)

__all__ = ["Roi", "RoiMask"]


def _as_sources(value: Any) -> tuple[str, ...]:
    return as_names(value, argument="sources", what="source ids", example="front")


def _as_object_id(value: Any) -> str | None:
    return as_text(value, argument="id")


@frozen(kw_only=True)
class RoiMask:
    """
    A color in one of the frame's masks.
    """

    #: The id of the mask.
    id: str = field(converter=as_id)

    #: Red, green, blue as the document has them; beyond 0 to 255 never matches.
    value: tuple[int, int, int] = field(converter=as_color_value)

    #: JSON keys that framekit has no field for.
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False)


def _as_roi_mask(value: Any) -> RoiMask | None:
    if value is None or isinstance(value, RoiMask):
        return value
    raise ArgumentError("mask", f"expected a RoiMask, got {value!r}")


def _as_poly(value: Any) -> tuple[int | float, ...] | None:
    return None if value is None else as_numbers(value, argument="poly")


@frozen(kw_only=True)
class Roi:
    """
    A labeled region of interest.

    With a mask it is the pixels of one color, with a ``poly`` a shape, with
    neither a label of the whole frame.
    """

    labels: tuple[str, ...] = field(converter=as_labels, metadata=spelled("label"))

    #: The ids of the sources it lies in; empty means each that has its mask.
    sources: tuple[str, ...] = field(default=(), converter=_as_sources)

    #: The color that marks the region in one of the frame's masks.
    mask: RoiMask | None = field(
        default=None, converter=_as_roi_mask, metadata=nested(RoiMask)
    )

    #: Flat coordinates as ClearML writes them; :attr:`geometry` reads them.
    poly: tuple[int | float, ...] | None = field(default=None, converter=_as_poly)

    confidence: int | float | None = field(default=None, converter=as_confidence)

    #: The same id on several ROIs says they are one object.
    id: str | None = field(default=None, converter=_as_object_id)

    metadata: Mapping[str, Any] = field(
        factory=dict, converter=as_mapping, hash=False, metadata=spelled("meta")
    )

    #: JSON keys that framekit has no field for.
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False)

    @property
    def geometry(self) -> Geometry | None:
        """
        The shape that ``poly`` describes, None without one.
        """
        if not self.poly:
            return None
        return geometry_of(self.poly, self.metadata.get("_type"))

    @property
    def object_id(self) -> str | None:
        """
        :attr:`id`, or ``_id`` of the metadata where ClearML's SDK puts it.
        """
        found = self.id if self.id is not None else self.metadata.get("_id")
        return found if isinstance(found, str) else None
