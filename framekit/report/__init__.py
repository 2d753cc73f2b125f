"""
Reports for people and for machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TextIO

from framekit.errors import ArgumentError
from framekit.report import html_report, json_report, sarif_report, text_report
from framekit.report.illustration import Illustrate
from framekit.validation import Report

__all__ = ["FORMATS", "write"]

#: What writes a report in each format.
FORMATS: Final[Mapping[str, Callable[[Report, TextIO], None]]] = MappingProxyType(
    {
        "html": html_report.write,
        "json": json_report.write,
        "sarif": sarif_report.write,
        "text": text_report.write,
    }
)


def write(
    report: Report,
    format: str,
    file: TextIO,
    *,
    max_problems: int | None = None,
    illustrate: Illustrate | None = None,
) -> None:
    """
    Write *report* to *file*, problem by problem.

    Args:
        format: ``"text"``, ``"json"``, ``"sarif"`` or ``"html"``.
        max_problems: How many problems of each code are shown as text, 20 if
            nothing is said; JSON and SARIF have all of them.
        illustrate: Gives findings of pixels their pictures in HTML, such as
            ``framekit.report.thumbnails.Illustrator(target, storage)``.

    Raises:
        ArgumentError: If there is no such format, or the number is negative.
    """
    if format not in FORMATS:
        expected = ", ".join(map(repr, FORMATS))
        raise ArgumentError("format", f"expected one of {expected}, got {format!r}")
    if max_problems is not None and max_problems < 0:
        reason = f"expected 0 or more, got {max_problems}"
        raise ArgumentError("max_problems", reason)
    if format == "text" and max_problems is not None:
        text_report.write(report, file, shown=max_problems)
    elif format == "html":
        html_report.write(report, file, illustrate=illustrate)
    else:
        FORMATS[format](report, file)
