"""
What a frame looks at: a source with its preview and its masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from framekit._json import nested, spelled
from framekit.errors import ArgumentError
from framekit.frame.values import (
    as_count,
    as_id,
    as_mapping,
    as_milliseconds,
    as_text,
    as_tuple,
)

__all__ = ["Mask", "Preview", "Source"]


def _as_uri(value: Any) -> str:
    return as_id(value, argument="uri")


def _as_content_type(value: Any) -> str | None:
    return as_text(value, argument="content_type")


def _as_width(value: Any) -> int | None:
    return as_count(value, argument="width")


def _as_height(value: Any) -> int | None:
    return as_count(value, argument="height")


@frozen(kw_only=True)
class Preview:
    """
    A smaller or clearer picture of a source, for people.
    """

    uri: str = field(converter=_as_uri)
    content_type: str | None = field(default=None, converter=_as_content_type)

    #: Width and height in pixels.
    width: int | None = field(default=None, converter=_as_width)
    height: int | None = field(default=None, converter=_as_height)

    #: Position in the preview's own stream, in ms.
    timestamp: int | None = field(default=None, converter=as_milliseconds)

    #: JSON keys that framekit has no field for.
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False)


@frozen(kw_only=True)
class Mask:
    """
    An image or a video whose colors mark the objects of a source.
    """

    #: What ROIs refer to; unique within the frame's source.
    id: str = field(converter=as_id)

    uri: str = field(converter=_as_uri)
    content_type: str | None = field(default=None, converter=_as_content_type)

    #: Position in the mask's own stream, in ms; 0 for still images.
    timestamp: int | None = field(default=None, converter=as_milliseconds)

    #: Width and height in pixels.
    width: int | None = field(default=None, converter=_as_width)
    height: int | None = field(default=None, converter=_as_height)

    #: JSON keys that framekit has no field for.
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False)


def _as_preview(value: Any) -> Preview | None:
    if value is None or isinstance(value, Preview):
        return value
    raise ArgumentError("preview", f"expected a Preview, got {value!r}")


def _as_masks(value: Any) -> tuple[Mask, ...]:
    masks = as_tuple(value) if value is not None else ()
    for mask in masks:
        if not isinstance(mask, Mask):
            raise ArgumentError("masks", f"expected Mask objects, got {mask!r}")
    return masks


@frozen(kw_only=True)
class Source:
    """
    A camera image, or a moment of a camera's video, with the masks drawn over it.
    """

    #: What ROIs refer to; unique within the frame.
    id: str = field(converter=as_id)

    uri: str = field(converter=_as_uri)
    content_type: str | None = field(default=None, converter=_as_content_type)

    #: Width and height in pixels.
    width: int | None = field(default=None, converter=_as_width)
    height: int | None = field(default=None, converter=_as_height)

    #: Position in the source's stream, in ms; 0 for still images.
    timestamp: int | None = field(default=None, converter=as_milliseconds)

    metadata: Mapping[str, Any] = field(
        factory=dict, converter=as_mapping, hash=False, metadata=spelled("meta")
    )
    preview: Preview | None = field(
        default=None, converter=_as_preview, metadata=nested(Preview)
    )
    masks: tuple[Mask, ...] = field(
        default=(), converter=_as_masks, metadata=nested(Mask, many=True)
    )

    #: JSON keys that framekit has no field for.
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False)

    @property
    def mask_ids(self) -> tuple[str, ...]:
        """
        The ids of the masks, in order.
        """
        return tuple(mask.id for mask in self.masks)
