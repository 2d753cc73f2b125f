"""
The outcome of a validation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Literal

from attrs import field, frozen

from framekit.errors import ArgumentError, ValidationError
from framekit.problem import Severity
from framekit.validation.codes import CODES, LEVELS
from framekit.validation.problems import Problems

__all__ = ["Report"]

_FAIL_ON: Final = ("error", "warning")


@frozen(kw_only=True)
class Report:
    """
    All that was found, up to one level.
    """

    #: What was validated, as a person would call it.
    target: str = ""

    #: The last level that was run.
    level: str

    #: How many frames could be read.
    frames: int

    #: Whether the frames are only those up to an interruption.
    interrupted: bool = False

    #: Every problem, those of single frames in their order, then those that are
    #: told once for all frames.
    problems: Problems = field(repr=lambda found: f"<{len(found)}>")

    @property
    def ok(self) -> bool:
        """
        Whether there are no errors.
        """
        return not self.problems.by_severity[Severity.ERROR]

    @property
    def counts(self) -> Mapping[str, int]:
        """
        How many problems there are of each code, in the order of the codes.
        """
        found = self.problems.by_code
        return {code: found[code] for code in CODES if found[code]}

    @property
    def levels_not_run(self) -> tuple[str, ...]:
        """
        The levels beyond :attr:`level`.
        """
        return LEVELS[LEVELS.index(self.level) + 1 :]

    def exit_code(self, *, fail_on: Literal["error", "warning"] = "error") -> int:
        """
        What a command returns: 1 if there is something to fail on, else 0.

        Raises:
            ArgumentError: If *fail_on* is another word.
        """
        if fail_on not in _FAIL_ON:
            reason = f"expected 'error' or 'warning', got {fail_on!r}"
            raise ArgumentError("fail_on", reason)
        found = self.problems.by_severity
        failing = found[Severity.ERROR]
        if fail_on == "warning":
            failing += found[Severity.WARNING]
        return 1 if failing else 0

    def only(
        self, *, select: Iterable[str] | None = None, ignore: Iterable[str] = ()
    ) -> Report:
        """
        The report as if there were only some codes.

        Args:
            select: The codes to keep, None for all.
            ignore: The codes to drop from these.

        Raises:
            ArgumentError: If one of them is no code.
        """
        kept = set(CODES) if select is None else _codes(select, "select")
        kept -= _codes(ignore, "ignore")
        problems = Problems()
        for found in self.problems:
            if found.code in kept:
                problems.append(found)
        return Report(
            target=self.target,
            level=self.level,
            frames=self.frames,
            problems=problems,
            interrupted=self.interrupted,
        )

    def raise_for_problems(self) -> None:
        """
        Do nothing if all is well.

        Raises:
            ValidationError: With the errors, if there are any.
        """
        if not self.ok:
            errors = (p for p in self.problems if p.severity is Severity.ERROR)
            raise ValidationError(tuple(errors))

    def to_dict(self) -> dict[str, Any]:
        """
        Return the report as JSON values, all problems in memory.
        """
        return {
            **({"interrupted": True} if self.interrupted else {}),
            "ok": self.ok,
            "level": self.level,
            "frames": self.frames,
            "counts": dict(self.counts),
            "problems": [found.to_dict() for found in self.problems],
        }

    def _repr_html_(self) -> str:
        from framekit.validation.notebook import report_html

        return report_html(self)


def _codes(names: Iterable[str], argument: str) -> set[str]:
    found: Collection[str] = [names] if isinstance(names, str) else list(names)
    for name in found:
        if name not in CODES:
            reason = f"{name!r} is no code; the codes are {', '.join(CODES)}"
            raise ArgumentError(argument, reason)
    return set(found)
