"""
What the color lint says of a set of mask files.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, evolve, field

from framekit.color import RGB
from framekit.validation.lint_result import (
    CAUSES,
    DISTANCES,
    LintResult,
    StrayColor,
    Verdict,
)

__all__ = ["LintSummary"]

#: Colors that are listed.
_TOP: Final = 16

#: Colors that are remembered.
_MANY: Final = 1 << 16


@define
class LintSummary:
    """
    Counts over the results that were added.
    """

    files: int = 0

    #: Files with stray colors, with errors, and those where something was fixed.
    stray_files: int = 0
    failed_files: int = 0
    fixed_files: int = 0

    stray_pixels: int = 0
    changed_pixels: int = 0

    #: Stray pixels that are left, where fixes were asked for.
    left_pixels: int = 0

    #: Stray pixels by distance to the nearest color, see ``DISTANCES``.
    histogram: list[int] = field(factory=lambda: [0] * (len(DISTANCES) + 1))

    #: Files, and stray pixels, by cause.
    causes: dict[str, tuple[int, int]] = field(factory=dict)

    _colors: dict[RGB, tuple[StrayColor, int]] = field(factory=dict)

    ok: bool = True

    def add(self, result: LintResult) -> None:
        """
        Count one more.
        """
        self.files += 1
        self.ok &= result.ok
        if result.error is not None:
            self.failed_files += 1
        if not result.stray_pixels:
            return
        self.stray_files += 1
        self.stray_pixels += result.stray_pixels
        for n, count in enumerate(result.histogram):
            self.histogram[n] += count
        if result.verdict is not None:
            files, pixels = self.causes.get(result.verdict.cause, (0, 0))
            pixels += result.stray_pixels
            self.causes[result.verdict.cause] = (files + 1, pixels)
        if result.fix is not None:
            self.fixed_files += bool(result.fix.changed)
            self.changed_pixels += result.fix.changed
            self.left_pixels += result.fix.left
        for color in result.colors:
            self._add_color(color)

    def _add_color(self, color: StrayColor) -> None:
        known = self._colors.get(color.color)
        if known is not None:
            before, files = known
            total = evolve(before, count=before.count + color.count)
            self._colors[color.color] = (total, files + 1)
        elif len(self._colors) < _MANY:
            self._colors[color.color] = (color, 1)

    @property
    def colors(self) -> list[tuple[StrayColor, int]]:
        """
        The most frequent colors, as far as files list them, with their files.

        Pixels are counted over all of these; the box is that of the first.
        """
        order = sorted(
            self._colors.values(), key=lambda item: (-item[0].count, item[0].color)
        )
        return order[:_TOP]

    @property
    def verdict(self) -> Verdict | None:
        """
        The cause of most files, a guess like theirs; None without stray colors.
        """
        if not self.causes:
            return None
        cause, (files, _) = max(
            self.causes.items(), key=lambda item: (item[1], item[0])
        )
        others = ", ".join(
            f"{name} in {n}" for name, (n, _) in self.causes.items() if name != cause
        )
        more = f"; {others}" if others else ""
        return Verdict(cause, f"in {files} of {self.stray_files} files{more}")

    def to_dict(self) -> dict[str, Any]:
        """
        Return the counts as JSON values.
        """
        found: dict[str, Any] = {
            "ok": self.ok,
            "files": self.files,
            "stray_files": self.stray_files,
            "failed_files": self.failed_files,
            "fixed_files": self.fixed_files,
            "stray_pixels": self.stray_pixels,
            "changed_pixels": self.changed_pixels,
            "left_pixels": self.left_pixels,
            "distances": list(DISTANCES),
            "histogram": list(self.histogram),
            "causes": {
                cause: {"files": files, "pixels": pixels, "meaning": CAUSES[cause]}
                for cause, (files, pixels) in self.causes.items()
            },
            "colors": [_listed(color, files) for color, files in self.colors],
        }
        if self.verdict is not None:
            found["verdict"] = {
                "cause": self.verdict.cause,
                "evidence": self.verdict.evidence,
                "advice": CAUSES[self.verdict.cause],
            }
        return found


def _listed(color: StrayColor, files: int) -> dict[str, Any]:
    found = color.to_dict()
    del found["box"]
    return {**found, "files": files}
