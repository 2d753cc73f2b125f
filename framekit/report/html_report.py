"""
The report as one HTML page, which opens from disk and loads nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, TextIO

from framekit._markup import Markup, markup, printable
from framekit.problem import Severity
from framekit.report.html_data import HELD, codes_of, data_of, shares_of
from framekit.report.html_page import page
from framekit.report.illustration import Illustrate
from framekit.report.wording import SEVERITIES, noun_of
from framekit.validation import CODES, LEVELS, Report

__all__ = ["write"]

#: How many findings get pictures when nothing else is said.
PICTURES: Final = 60

_TILE = '<li class="tile {{kind}}"><b>{{count}}</b> {{noun}}</li>\n'

_LEVEL = '<li class="{{state}}">{{level}} <span>{{word}}</span></li>\n'

_ROW = """\
<tr>
<th scope="row"><a href="#code={{code}}" data-code="{{code}}">{{code}}</a></th>
<td><span class="badge {{severity}}">{{noun}}</span></td>
<td class="number">{{count}}<svg viewBox="0 0 100 3" preserveAspectRatio="none"\
 aria-hidden="true"><rect width="{{share}}" height="3" /></svg></td>
<td>{{meaning}}</td>
</tr>
"""

_TABLE = """\
<table>
<caption class="hidden">How often each kind of finding occurs</caption>
<thead><tr><th scope="col">Code</th><th scope="col">Severity</th>\
<th scope="col" class="number">Count</th><th scope="col">Meaning</th></tr></thead>
<tbody>
{{rows}}</tbody>
</table>
"""

_NOTE = '<p class="note">{{text}}</p>\n'


def write(
    report: Report,
    file: TextIO,
    *,
    illustrate: Illustrate | None = None,
    pictures: int = PICTURES,
    held: int = HELD,
    created: datetime | None = None,
) -> None:
    """
    Write the page: the verdict, the codes, and the findings with their filters.

    What documents say comes as text only. The page holds the first findings of each
    code when there are too many of them, and says so; its counts are always exact.

    Args:
        illustrate: Gives findings of pixels their pictures, see
            :class:`framekit.report.thumbnails.Illustrator`.
        pictures: How many findings get them at most.
        held: How many findings the page holds at most.
        created: The time that the page tells; by default now.
    """
    created = created or datetime.now().astimezone()
    found = report.problems.by_severity
    frames = "frame" if report.frames == 1 else "frames"
    values = {
        "target": printable(report.target) or "frames",
        "created": created.strftime("%Y-%m-%d %H:%M"),
        "verdict": "Passed" if report.ok else "Failed",
        "state": "passed" if report.ok else "failed",
        "sentence": _sentence(report),
        "frames": markup(_TILE, kind="frames", count=f"{report.frames:,}", noun=frames),
        "tiles": Markup("".join(_tile(each, found[each]) for each in SEVERITIES)),
        "levels": Markup("".join(_levels(report))),
        "summary": _summary(report),
        "notes": Markup("".join(_notes(report, held, pictures, illustrate))),
    }
    data = data_of(report, held=held, illustrate=illustrate, pictures=pictures)
    file.writelines(page(values, data))


def _sentence(report: Report) -> str:
    found = report.problems.by_severity
    counts = [
        f"{found[severity]:,} {noun_of(severity, found[severity])}"
        for severity in SEVERITIES
        if found[severity]
    ]
    frames = f"{report.frames:,} frame{'' if report.frames == 1 else 's'}"
    return f"{', '.join(counts) or 'Nothing found'} in {frames}."


def _tile(severity: Severity, count: int) -> Markup:
    kind = severity.value if count else f"{severity.value} none"
    return markup(_TILE, kind=kind, count=f"{count:,}", noun=noun_of(severity, count))


def _levels(report: Report) -> list[Markup]:
    missing = report.levels_not_run
    return [
        markup(
            _LEVEL,
            level=level,
            state="skipped" if level in missing else "done",
            word="not run" if level in missing else "checked",
        )
        for level in LEVELS
    ]


def _summary(report: Report) -> Markup:
    counts = report.counts
    if not counts:
        return Markup("")
    most = max(counts.values())
    rows = [
        markup(
            _ROW,
            code=code,
            severity=CODES[code].severity.value,
            noun=noun_of(CODES[code].severity, 1),
            count=f"{counts[code]:,}",
            share=f"{100 * counts[code] / most:.1f}",
            meaning=CODES[code].meaning,
        )
        for code in codes_of(report)
    ]
    return markup(_TABLE, rows=Markup("".join(rows)))


def _notes(
    report: Report, held: int, pictures: int, illustrate: Illustrate | None
) -> list[Markup]:
    notes = []
    if report.interrupted:
        notes.append("The validation was interrupted: this is what was found by then.")
    total = len(report.problems)
    if total > held:
        shares = shares_of(report.counts, held)
        cut = [
            f"{code} ({shares[code]:,} of {report.counts[code]:,})"
            for code in codes_of(report)
            if shares[code] < report.counts[code]
        ]
        notes.append(
            f"This page lists {sum(shares.values()):,} of {total:,} findings. Of some "
            f"codes only the first are listed: {', '.join(cut)}. All counts above are "
            f"exact; --format json has every finding."
        )
    if illustrate is not None:
        placed = sum(problem.box is not None for problem in report.problems)
        if placed > pictures:
            notes.append(
                f"Of {placed:,} findings with a place in a picture {pictures} show "
                f"it, the first ones of each mask."
            )
    return [markup(_NOTE, text=text) for text in notes]
