"""
The report as one JSON document.
"""

from __future__ import annotations

import json
from typing import Any, TextIO

from framekit.validation import Report

__all__ = ["write"]


def write(report: Report, file: TextIO) -> None:
    """
    Write ``{ok, level, frames, counts, problems}``, one problem a line.
    """
    head: dict[str, Any] = {"interrupted": True} if report.interrupted else {}
    head |= {
        "ok": report.ok,
        "level": report.level,
        "frames": report.frames,
        "counts": dict(report.counts),
    }
    file.write("{\n")
    file.writelines(f"  {_text(k)}: {_text(value)},\n" for k, value in head.items())
    file.write('  "problems": [')
    for n, found in enumerate(report.problems):
        file.write(",\n    " if n else "\n    ")
        file.write(_text(found.to_dict()))
    file.write("\n  ]\n}\n" if report.problems else "]\n}\n")


def _text(value: Any) -> str:
    # ASCII, so that it survives every terminal and every encoding of a file.
    return json.dumps(value)
