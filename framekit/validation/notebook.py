"""
A report as notebooks show it; :mod:`framekit.report` writes the long form.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from framekit._markup import markup, printable, table
from framekit.validation.codes import CODES
from framekit.validation.report import Report

__all__ = ["report_html"]

_FIRST: Final = 10

_REPORT: Final = """\
<div><p><b>{{verdict}}</b> {{target}}{{count}} in {{frames}}, up to level {{level}}\
{{missing}}</p>{{codes}}{{first}}</div>"""


def report_html(report: Report) -> str:
    """
    The verdict, how often each code occurs, and the first findings.
    """
    total = len(report.problems)
    found = table(
        ("frame", "code", "message", "where"),
        (
            (each.frame, each.code, each.message, f"{each.document} {each.at}".strip())
            for each in islice(report.problems, _FIRST)
        ),
    )
    codes = table(
        ("code", "severity", "count", "meaning"),
        (
            (code, CODES[code].severity.value, f"{count:,}", CODES[code].meaning)
            for code, count in report.counts.items()
        ),
    )
    missing = ", ".join(report.levels_not_run)
    intro = f"<p>The first {_FIRST} of {total:,}:</p>" if total > _FIRST else ""
    return markup(
        _REPORT.replace("{{first}}", f"{intro}{{{{first}}}}"),
        verdict="OK" if report.ok else "FAILED",
        target=f"{printable(report.target)}: " if report.target else "",
        count=f"{total:,} finding{'' if total == 1 else 's'}"
        if total
        else "no problems",
        frames=f"{report.frames:,} frame{'' if report.frames == 1 else 's'}",
        level=report.level,
        missing=f" (not run: {missing})" if missing else "",
        codes=codes if total else "",
        first=found if total else "",
    )
