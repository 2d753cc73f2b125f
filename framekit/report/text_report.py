"""
The report as text for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from framekit._markup import printable
from framekit.problem import Problem
from framekit.report.wording import SEVERITIES, frames_of, noun_of
from framekit.validation import CODES, Report

__all__ = ["write"]

#: How many problems of one code are shown when nothing else is said.
SHOWN: Final = 20


def write(report: Report, file: TextIO, *, shown: int = SHOWN) -> None:
    """
    Write the problems by code, the worst first, then the verdict.

    The last line names the levels that were not run.

    Args:
        shown: How many problems of each code are shown.
    """
    file.writelines(f"{line}\n" for line in _lines(report, shown))


def _lines(report: Report, shown: int) -> Iterator[str]:
    for code, found in _by_code(report, shown):
        row = CODES[code]
        total = report.counts[code]
        count = f" ({total:,})" if total > 1 else ""
        yield f"{row.severity.upper()} {code}{count}: {row.meaning}"
        for problem in found:
            yield from _shown(problem)
        if row.hint:
            yield f"  -> {row.hint}"
        if total > len(found):
            yield f"  ... {total - len(found):,} more; --format json has them all"
        yield ""
    if report.interrupted:
        yield "INTERRUPTED: this is what was found up to then"
    yield _verdict(report)
    missing = report.levels_not_run
    yield f"Levels not run: {', '.join(missing) or 'none'}"


def _by_code(report: Report, most: int) -> list[tuple[str, list[Problem]]]:
    """
    The problems that are shown, by code.
    """
    kept: dict[str, list[Problem]] = {code: [] for code in report.counts}
    missing = sum(min(most, count) for count in report.counts.values())
    for problem in report.problems:
        if not missing:
            break
        shown = kept[problem.code]
        if len(shown) < most:
            shown.append(problem)
            missing -= 1
    return sorted(
        kept.items(), key=lambda item: SEVERITIES.index(CODES[item[0]].severity)
    )


def _shown(problem: Problem) -> Iterator[str]:
    place = " ".join(filter(None, (problem.document, problem.at)))
    frame = [f"frame {problem.frame}"] if problem.frame else []
    yield f"  {', '.join([printable(place), *map(printable, frame)])}"
    frames = frames_of(problem)
    message = problem.message + (f" ({frames})" if frames else "")
    yield f"      {printable(message)}"
    if problem.hint and problem.hint != CODES[problem.code].hint:
        yield f"      -> {printable(problem.hint)}"


def _verdict(report: Report) -> str:
    found = report.problems.by_severity
    counts = [
        f"{found[severity]:,} {noun_of(severity, found[severity])}"
        for severity in SEVERITIES
        if found[severity]
    ]
    frames = f"{report.frames:,} frame{'' if report.frames == 1 else 's'}"
    name = f"{report.target}: " if report.target else ""
    verdict = "OK" if report.ok else "FAILED"
    what = ", ".join(counts) or "no problems"
    return f"{verdict}  {name}{what} in {frames}, up to level {report.level}"
