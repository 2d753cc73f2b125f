"""
Reports for people and for machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TextIO

from framekit.errors import ArgumentError
from framekit.report import json_report, text_report
from framekit.validation import Report

__all__ = ["FORMATS", "write"]

#: What writes a report in each format.
FORMATS: Final[Mapping[str, Callable[[Report, TextIO], None]]] = MappingProxyType(
    {"json": json_report.write, "text": text_report.write}
)


def write(report: Report, format: str, file: TextIO) -> None:
    """
    Write *report* to *file*, problem by problem.

    Args:
        format: ``"text"`` or ``"json"``.

    Raises:
        ArgumentError: If there is no such format.
    """
    if format not in FORMATS:
        expected = ", ".join(map(repr, FORMATS))
        raise ArgumentError("format", f"expected one of {expected}, got {format!r}")
    FORMATS[format](report, file)
