"""
What the color lint says of a mask file.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from attrs import field, frozen

from framekit.color import RGB
from framekit.errors import FramekitError
from framekit.problem import Box

__all__ = [
    "CAUSES",
    "DISTANCES",
    "Change",
    "Fix",
    "LintResult",
    "StrayColor",
    "Verdict",
]

#: The upper ends of the classes of the histogram of distances; the last has none.
DISTANCES: Final = (1, 2, 4, 8, 16, 32, 64)

#: What may have made stray colors, and what to do about it.
CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "anti-aliased": "edges drawn with anti-aliasing; draw masks without it",
        "resampled": "resized with interpolation; resize masks to the nearest pixel",
        "shifted-colors": (
            "areas slightly off their color: color management, or a way through YUV"
        ),
        "lossy-compression": "compressed with loss on the way; keep masks as PNG",
        "lossy-file": "a lossy file; keep masks as PNG",
        "missing-entry": "areas of a color that the palette does not have; add it",
        "wrong-palette": "the colors of another palette",
        "channels-swapped": "red and blue exchanged (BGR written as RGB)",
        "palette-indices": (
            "a palette image that means its indices: palette_png='indices'"
        ),
        "palette-colors": "a palette image that means its colors: palette_png='colors'",
        "gray-ids": "gray ids; read them with an indexed palette",
        "gray-as-rgb": "gray ids saved as three equal channels; save one",
        "picture": "a picture, no mask",
        "unclear": "no cause stands out",
    }
)


@frozen
class StrayColor:
    """
    A color, or value, that the palette does not have.
    """

    #: Of single-channel images the value v stands as (v, v, v), or
    #: (v & 255, v >> 8, 0) beyond 255.
    color: RGB

    #: Pixels.
    count: int

    box: Box

    #: The nearest color of the palette, what it stands for, and how far it is: in
    #: RGB, or the difference of single-channel values.
    nearest: RGB
    label: str
    distance: float

    def to_dict(self) -> dict[str, Any]:
        """
        Return it as JSON values.
        """
        return {
            "color": list(self.color),
            "count": self.count,
            "box": list(self.box),
            "nearest": list(self.nearest),
            "label": self.label,
            "distance": round(self.distance, 2),
        }


@frozen
class Verdict:
    """
    A guess at what made the stray colors, with what speaks for it.
    """

    #: One of :data:`CAUSES`.
    cause: str

    #: What was measured.
    evidence: str

    def __str__(self) -> str:
        return f"probably {self.cause}: {self.evidence}"


@frozen
class Change:
    """
    Pixels of one color that got another.
    """

    color: RGB
    to: RGB
    count: int


@frozen
class Fix:
    """
    What was changed in a mask, and what could not be.
    """

    #: The file that was written; None if nothing could be changed.
    path: str | None

    #: The original, if the mask was fixed in place.
    backup: str | None

    #: Pixels that got a color of the palette.
    changed: int

    #: Stray pixels that were left as they are.
    left: int

    #: The most frequent changes.
    changes: tuple[Change, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """
        Return it as JSON values.
        """
        return {
            "path": self.path,
            "backup": self.backup,
            "changed": self.changed,
            "left": self.left,
            "changes": [
                {"color": list(c.color), "to": list(c.to), "count": c.count}
                for c in self.changes
            ],
        }


@frozen
class LintResult:
    """
    What was found in one mask file.
    """

    #: The file, as it was named.
    path: str

    #: Width and height; None if it could not be read.
    size: tuple[int, int] | None = None

    #: Pixels whose color the palette does not have.
    stray_pixels: int = 0

    #: How many colors these are; a lower bound beyond 65,536.
    stray_colors: int = 0

    #: The most frequent of them.
    colors: tuple[StrayColor, ...] = field(default=(), repr=False)

    #: Pixels of the palette's colors that look like mixtures, too: beside strays, or
    #: a few pixels on, and between two other colors. They are never fixed.
    suspect_pixels: int = 0

    #: Stray pixels by distance to the nearest color: up to each of ``DISTANCES``,
    #: and beyond the last.
    histogram: tuple[int, ...] = (0,) * (len(DISTANCES) + 1)

    #: What may have made them; None without any.
    verdict: Verdict | None = None

    #: What ``fix`` did; None if it was not asked for or there was nothing to do.
    fix: Fix | None = None

    #: Why it could not be read or written.
    error: FramekitError | None = None

    @property
    def ok(self) -> bool:
        """
        Whether no stray color is left, in the mask or in its fixed copy.
        """
        if self.error is not None:
            return False
        left = self.stray_pixels if self.fix is None else self.fix.left
        return not left

    def to_dict(self) -> dict[str, Any]:
        """
        Return it as JSON values; what is not known is left out.
        """
        found: dict[str, Any] = {"file": self.path, "ok": self.ok}
        if self.error is not None:
            found["error"] = str(self.error)
        if self.size is not None:
            found |= {
                "size": list(self.size),
                "stray_pixels": self.stray_pixels,
                "stray_colors": self.stray_colors,
                "suspect_pixels": self.suspect_pixels,
                "colors": [color.to_dict() for color in self.colors],
                "histogram": list(self.histogram),
            }
        if self.verdict is not None:
            found["verdict"] = {
                "cause": self.verdict.cause,
                "evidence": self.verdict.evidence,
                "advice": CAUSES[self.verdict.cause],
            }
        if self.fix is not None:
            found["fix"] = self.fix.to_dict()
        return found
