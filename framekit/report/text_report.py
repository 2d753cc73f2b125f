"""
The report as text for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from framekit.problem import Problem, Severity
from framekit.validation import CODES, Report

__all__ = ["write"]

#: How many problems of one code are shown.
SHOWN: Final = 20

#: Codes whose messages have the count.
_COUNT_THEMSELVES: Final = frozenset(
    {"declared-color-absent", "meta-type-conflict", "unknown-color"}
)

_ORDER: Final = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def write(report: Report, file: TextIO) -> None:
    """
    Write the problems by code, the worst first, then the verdict.

    Of each code the first 20 are shown. The last line names the levels that were
    not run.
    """
    file.writelines(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    for code, found in _by_code(report):
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
    yield _verdict(report)
    missing = report.levels_not_run
    yield f"Levels not run: {', '.join(missing) or 'none'}"


def _by_code(report: Report) -> list[tuple[str, list[Problem]]]:
    """
    The problems that are shown, by code.
    """
    kept: dict[str, list[Problem]] = {code: [] for code in report.counts}
    missing = sum(min(SHOWN, count) for count in report.counts.values())
    for problem in report.problems:
        if not missing:
            break
        shown = kept[problem.code]
        if len(shown) < SHOWN:
            shown.append(problem)
            missing -= 1
    return sorted(kept.items(), key=lambda item: _ORDER.index(CODES[item[0]].severity))


def _shown(problem: Problem) -> Iterator[str]:
    place = " ".join(filter(None, (problem.document, problem.at)))
    frame = [f"frame {problem.frame}"] if problem.frame else []
    yield f"  {', '.join([_printable(place), *map(_printable, frame)])}"
    message = problem.message + _frames(problem)
    yield f"      {_printable(message)}"
    if problem.hint and problem.hint != CODES[problem.code].hint:
        yield f"      -> {_printable(problem.hint)}"


def _frames(problem: Problem) -> str:
    if problem.count is None or problem.count < 2 or problem.code in _COUNT_THEMSELVES:
        return ""
    return f" (in {problem.count:,} frames)"


def _verdict(report: Report) -> str:
    found = report.problems.by_severity
    counts = [
        f"{found[severity]:,} {_noun(severity, found[severity])}"
        for severity in _ORDER
        if found[severity]
    ]
    frames = f"{report.frames:,} frame{'' if report.frames == 1 else 's'}"
    name = f"{report.target}: " if report.target else ""
    verdict = "OK" if report.ok else "FAILED"
    what = ", ".join(counts) or "no problems"
    return f"{verdict}  {name}{what} in {frames}, up to level {report.level}"


def _noun(severity: Severity, count: int) -> str:
    if severity is Severity.INFO:
        return "remark" if count == 1 else "remarks"
    return severity.value if count == 1 else f"{severity.value}s"


def _printable(text: str) -> str:
    """
    *text* on one line; a document must not move the reader's terminal cursor.
    """
    return "".join(
        letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text
    )
