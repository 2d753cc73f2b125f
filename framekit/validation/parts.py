"""
The well-formed parts of a frame, which is parsed JSON in canonical spelling.

Rules look at a frame through this, so that one malformed part, which the schema
reports, keeps no rule from seeing the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple, cast

from framekit.palette import Linking, MaskRoi, link

__all__ = [
    "Object",
    "Part",
    "Parts",
    "color_of",
    "integer",
    "listed",
    "number",
    "text",
]

Object = Mapping[str, Any]


class Part(NamedTuple):
    """
    An object within a frame.
    """

    #: Its JSON path.
    at: str

    value: Object


class Parts:
    """
    A frame, taken apart once for all rules.
    """

    def __init__(self, frame: Any) -> None:
        #: The frame; empty if it is no object.
        self.frame: Object = frame if isinstance(frame, dict) else {}

    @property
    def id(self) -> str | None:
        """
        The frame's id, where it is text.
        """
        return text(self.frame, "id")

    @cached_property
    def has_sources(self) -> bool:
        """
        Whether the frame says what its sources are, be it that it has none.
        """
        return isinstance(self.frame.get("sources"), list)

    @cached_property
    def sources(self) -> tuple[Part, ...]:
        """
        The sources that are objects.
        """
        return tuple(_parts(self.frame, "$", "sources"))

    @cached_property
    def masks(self) -> tuple[tuple[Part, Part], ...]:
        """
        Each mask that is an object, with its source.
        """
        return tuple(
            (source, mask)
            for source in self.sources
            for mask in _parts(source.value, source.at, "masks")
        )

    @cached_property
    def rois(self) -> tuple[Part, ...]:
        """
        The ROIs that are objects.
        """
        return tuple(_parts(self.frame, "$", "rois"))

    @cached_property
    def mask_ids(self) -> Mapping[str, tuple[str, ...]]:
        """
        The ids of the masks of each source, by its id.
        """
        found: dict[str, list[str]] = {}
        for source in self.sources:
            if (id := text(source.value, "id")) is not None:
                found.setdefault(id, [])
        for source, mask in self.masks:
            id, mask_id = text(source.value, "id"), text(mask.value, "id")
            if id is not None and mask_id is not None:
                found[id].append(mask_id)
        return {id: tuple(mask_ids) for id, mask_ids in found.items()}

    @cached_property
    def mask_rois(self) -> tuple[MaskRoi, ...]:
        """
        What linking needs of the ROIs that name a mask.

        Their index is that in :attr:`rois`; a color that is not three integers
        is empty.
        """
        found = []
        for n, roi in enumerate(self.rois):
            mask = roi.value.get("mask")
            if isinstance(mask, dict) and (id := text(mask, "id")):
                labels = tuple(listed(roi.value, "label"))
                sources = tuple(listed(roi.value, "sources"))
                found.append(MaskRoi(n, labels, sources, id, color_of(mask)))
        return tuple(found)

    @cached_property
    def linking(self) -> Linking:
        """
        Which masks the ROIs mean.
        """
        return link(self.mask_ids, self.mask_rois)


def color_of(value: Object) -> tuple[int, int, int]:
    """
    The three integers at ``value``; an empty tuple if they are not.
    """
    found = value.get("value")
    if isinstance(found, list) and len(found) == 3:
        channels = [integer({"": item}, "") for item in found]
        if None not in channels:
            return cast(tuple[int, int, int], tuple(channels))
    return cast(tuple[int, int, int], ())


def text(value: Object, key: str) -> str | None:
    """
    The text at *key*, None if there is none.
    """
    found = value.get(key)
    return found if isinstance(found, str) and found else None


def integer(value: Object, key: str) -> int | None:
    """
    The integer at *key*, 33.0 included; None if there is none.
    """
    found = number(value, key)
    return int(found) if found is not None and found == found // 1 else None


def number(value: Object, key: str) -> int | float | None:
    """
    The number at *key*, None if there is none.
    """
    found = value.get(key)
    return found if type(found) is int or type(found) is float else None


def listed(value: Object, key: str) -> Iterator[str]:
    """
    The text items of the array at *key*.
    """
    found = value.get(key)
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, str))


def _parts(value: Object, at: str, key: str) -> Iterator[Part]:
    found = value.get(key)
    if isinstance(found, list):
        for n, item in enumerate(found):
            if isinstance(item, dict):
                yield Part(f"{at}.{key}[{n}]", item)
