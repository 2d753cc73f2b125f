"""
The words that reports for people share.
"""

from __future__ import annotations

from typing import Final

from framekit.problem import Problem, Severity

__all__ = ["SEVERITIES", "frames_of", "noun_of"]

#: The worst first.
SEVERITIES: Final = (Severity.ERROR, Severity.WARNING, Severity.INFO)

#: Codes whose messages have the count.
_COUNT_THEMSELVES: Final = frozenset(
    {"declared-color-absent", "meta-type-conflict", "unknown-color"}
)


def frames_of(problem: Problem) -> str:
    """
    In how many frames a problem is, like ``"in 12 frames"``; empty for one frame.
    """
    if problem.count is None or problem.count < 2 or problem.code in _COUNT_THEMSELVES:
        return ""
    return f"in {problem.count:,} frames"


def noun_of(severity: Severity, count: int) -> str:
    """
    What *count* problems of *severity* are called, like ``"warnings"``.
    """
    if severity is Severity.INFO:
        return "remark" if count == 1 else "remarks"
    return severity.value if count == 1 else f"{severity.value}s"
