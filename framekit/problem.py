"""
What validation finds: values, never exceptions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import field, fields, frozen

__all__ = ["Box", "Problem", "Severity"]

#: A bounding box in pixels: left, top, right, bottom; right and bottom exclusive.
Box = tuple[int, int, int, int]


class Severity(StrEnum):
    """
    How bad a problem is: an error would mislead a decoder or a training run.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@frozen
class Problem:
    """
    One thing that is wrong, where it is, and what to do about it.
    """

    #: What kind of problem, in kebab-case; listed in the README, never reused.
    code: str

    severity: Severity = field(converter=Severity)

    #: One sentence for a person, with the values that matter.
    message: str

    #: JSON path in the document as it was written.
    at: str = "$"

    #: The document: a file, with the line for JSON Lines, or a frame's place.
    document: str = ""

    #: What to do about it.
    hint: str = ""

    #: The id of the frame, where it has one.
    frame: str | None = None

    #: The id of the source, for problems of media and pixels.
    source: str | None = None

    #: The id of the mask, for problems of media and pixels.
    mask: str | None = None

    #: The color in question, for problems of pixels.
    color: tuple[int, int, int] | None = None

    #: How many pixels, lines or frames this one problem stands for.
    count: int | None = None

    #: The pixels it covers: left, top, right, bottom (exclusive).
    box: Box | None = None

    def to_dict(self) -> dict[str, Any]:
        """
        Return the problem as JSON values; what is not known is left out.
        """
        pairs = ((name, getattr(self, name)) for name in _NAMES)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in pairs
            if value is not None and value != ""
        }


_NAMES = tuple(attribute.name for attribute in fields(Problem))
