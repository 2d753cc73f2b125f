"""
The color lint's findings as text for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from framekit.color import to_hex

if TYPE_CHECKING:
    from framekit.validation.lint_result import LintResult, StrayColor
    from framekit.validation.lint_summary import LintSummary

__all__ = ["result_lines", "summary_lines"]

#: Colors that are shown of each file, and changes.
_SHOWN: Final = 8

_BAR: Final = 40


def result_lines(result: LintResult) -> Iterator[str]:
    """
    What is told of one file that has stray colors, or could not be read.
    """
    from framekit.validation.lint_result import CAUSES

    name = _printable(result.path)
    if result.size is not None:
        width, height = result.size
        share = result.stray_pixels / (width * height)
        yield (
            f"{name}: {_count(result.stray_pixels, 'stray pixel')} ({share:.2%}) in "
            f"{_count(result.stray_colors, 'color')}"
        )
    if result.error is not None:
        yield f"{name}: ERROR {_printable(str(result.error).removeprefix(name + ': '))}"
    for color in result.colors[:_SHOWN]:
        left, top, right, bottom = color.box
        place = f"columns {left}-{right - 1}, rows {top}-{bottom - 1}"
        yield f"  {_color(color)}; {place}"
    if result.stray_colors > _SHOWN:
        yield f"  and {result.stray_colors - _SHOWN:,} more colors"
    if result.suspect_pixels:
        what = _count(result.suspect_pixels, "pixel")
        yield (
            f"  {what} of the palette's colors, beside stray ones, may be mixtures, "
            f"too; they are not changed"
        )
    if result.verdict is not None:
        yield f"  guess: {result.verdict.cause}: {result.verdict.evidence}"
        yield f"  -> {CAUSES[result.verdict.cause]}"
    yield from _fix_lines(result)
    yield ""


def summary_lines(
    summary: LintSummary, passed_over: int, *, fix: bool
) -> Iterator[str]:
    """
    What is told of all files.
    """
    if summary.stray_pixels:
        yield "Stray pixels by distance to the nearest color of the palette:"
        yield from _histogram(summary)
        yield ""
    if summary.stray_files > 1:
        yield "The most frequent stray colors, as far as files list them:"
        for color, files in summary.colors[:_SHOWN]:
            yield f"  {_color(color)}; in {_count(files, 'file')}"
        yield ""
    if summary.verdict is not None:
        verdict = summary.verdict
        yield f"Guess over all: {verdict.cause}, {verdict.evidence}"
    if passed_over:
        yield f"{_count(passed_over, 'file')} of a former --fix passed over"
    parts = [
        _count(summary.files, "mask"),
        f"{summary.stray_files:,} with stray colors",
    ]
    if summary.failed_files:
        parts.append(f"{summary.failed_files:,} failed")
    if fix:
        parts.append(
            f"{summary.fixed_files:,} fixed ({_count(summary.changed_pixels, 'pixel')} "
            f"changed, {summary.left_pixels:,} left)"
        )
    yield f"{'OK' if summary.ok else 'FAILED'}  {', '.join(parts)}"


def _fix_lines(result: LintResult) -> Iterator[str]:
    fix = result.fix
    if fix is None:
        return
    if fix.path is None:
        yield f"  not fixed: {_count(fix.left, 'stray pixel')} left as they are"
        return
    yield (
        f"  fixed: {_printable(fix.path)}: {_count(fix.changed, 'pixel')} changed, "
        f"{fix.left:,} left"
    )
    if fix.backup is not None:
        yield f"  original: {_printable(fix.backup)}"
    for change in fix.changes[:_SHOWN]:
        yield f"    {to_hex(change.color)} -> {to_hex(change.to)} {change.count:,}"


def _color(color: StrayColor) -> str:
    return (
        f"{to_hex(color.color)} {list(color.color)} {_count(color.count, 'pixel')}, "
        f"{color.distance:.1f} from {to_hex(color.nearest)} {_printable(color.label)}"
    )


def _histogram(summary: LintSummary) -> Iterator[str]:
    from framekit.validation.lint_result import DISTANCES

    largest = max(1, *summary.histogram)
    names = [f"to {end}" for end in DISTANCES] + [f"over {DISTANCES[-1]}"]
    for name, count in zip(names, summary.histogram, strict=True):
        bar = "#" * -(-count * _BAR // largest)
        yield f"  {name:>8} {count:>12,} {bar}".rstrip()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _printable(text: str) -> str:
    """
    *text* on one line; a file's name must not move the reader's terminal cursor.
    """
    return "".join(
        letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text
    )
