"""
How sure a label map is, and how it came about.
"""

from __future__ import annotations

from typing import Any

from attrs import asdict, frozen

from framekit.color import RGB
from framekit.problem import Box

__all__ = ["DecodeReport", "UnknownColor"]

#: A color that the palette does not have, its pixels, and their bounding box.
UnknownColor = tuple[RGB, int, Box]


@frozen(kw_only=True)
class DecodeReport:
    """
    What is known about one label map.
    """

    #: Every pixel's value was looked up as it is, nothing was interpreted.
    exact: bool

    #: The file holds the values that were written; None if that is not known.
    lossless: bool | None = None

    #: Pixels whose value the palette does not have.
    unknown_pixels: int = 0

    #: The most frequent of these values. Of single-channel images the value v
    #: stands as (v, v, v), or (v & 255, v >> 8, 0) beyond 255.
    unknown_colors: tuple[UnknownColor, ...] = ()

    #: Share of pixels that no single label explained, 0 to 1.
    ambiguous_share: float = 0.0

    #: Share of pixels decided by a small margin, 0 to 1.
    uncertain_share: float = 0.0

    #: Standard deviation of luma at borders, in 8-bit codes; None if not measured.
    noise: float | None = None

    #: YUV matrix, like ``"bt709"``, and range; None for RGB and images.
    matrix: str | None = None
    full_range: bool | None = None

    #: Why these: ``"tag"``, ``"default"``, ``"palette"`` or ``"given"``.
    colorspace_reason: str | None = None

    #: Mean distance of flat regions to the palette's colors, in code values.
    residual: float | None = None

    #: Something before it in the video was damaged.
    tainted: bool = False

    #: The moment asked for, less the frame's own, in ms.
    delta_ms: float | None = None

    #: Further remarks for a person.
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """
        Return the report as JSON values; what is not known is left out.
        """
        found = asdict(self)
        found["unknown_colors"] = [
            {"color": list(color), "count": count, "box": list(box)}
            for color, count, box in self.unknown_colors
        ]
        return {k: v for k, v in found.items() if v is not None and v not in ((), [])}
