"""
The findings of a report as the compact JSON that the HTML page reads.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import define, field

from framekit._markup import printable
from framekit.problem import Problem
from framekit.report.illustration import Illustrate, Illustration
from framekit.report.wording import SEVERITIES, frames_of
from framekit.validation import CODES, Report

__all__ = ["HELD", "codes_of", "data_of", "shares_of"]

#: How many findings a page holds when nothing else is said.
HELD: Final = 100_000

#: How many findings are thought of when those with pictures are chosen.
_CANDIDATES: Final = 5_000


def codes_of(report: Report) -> list[str]:
    """
    The codes of *report*, the worst first.
    """
    return sorted(
        report.counts, key=lambda code: SEVERITIES.index(CODES[code].severity)
    )


def shares_of(counts: Mapping[str, int], held: int) -> dict[str, int]:
    """
    How many findings of each code a page of *held* has room for.

    Rare codes keep all of theirs; the frequent ones share what is left evenly.
    """
    shares: dict[str, int] = {}
    left = held
    for place, (code, count) in enumerate(sorted(counts.items(), key=lambda c: c[1])):
        shares[code] = min(count, left // (len(counts) - place))
        left -= shares[code]
    return shares


def data_of(
    report: Report,
    *,
    held: int = HELD,
    illustrate: Illustrate | None = None,
    pictures: int = 60,
) -> Iterator[str]:
    """
    Yield the JSON document piece by piece, in ASCII, harmless within a script.

    Args:
        held: How many findings it may have.
        illustrate: Gives findings their pictures.
        pictures: How many findings get them at most.
    """
    codes = codes_of(report)
    numbers = {code: number for number, code in enumerate(codes)}
    shares = shares_of(report.counts, held)
    table, candidates = _Strings(), _Candidates()
    yield f'{{"codes":{_text([_code(code, report.counts[code]) for code in codes])}'
    yield ',"rows":['
    row = 0
    for problem in report.problems:
        if not shares[problem.code]:
            continue
        shares[problem.code] -= 1
        yield (",\n" if row else "\n") + _text(
            _row(problem, numbers[problem.code], table)
        )
        candidates.add(row, problem)
        row += 1
        if row == min(held, len(report.problems)):
            break
    yield f'\n],"strings":{_text(table.strings)}'
    found = _pictures(candidates.chosen(pictures), illustrate)
    yield f',"pictures":{_text(found)}}}'


@define
class _Strings:
    """
    Texts by number, each once: findings repeat most of theirs.
    """

    strings: list[str] = field(factory=list)
    _numbers: dict[str, int] = field(factory=dict)

    def number(self, text: str | None) -> int | None:
        if not text:
            return None
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.strings)
            self.strings.append(printable(text))
        return number


@define
class _Candidates:
    """
    Findings that have a place in a picture.
    """

    _found: list[tuple[int, Problem]] = field(factory=list)

    def add(self, row: int, problem: Problem) -> None:
        if problem.box is not None and len(self._found) < _CANDIDATES:
            self._found.append((row, problem))

    def chosen(self, most: int) -> list[tuple[int, Problem]]:
        """
        *most* of them, the first ones of each mask before any second one.
        """
        seen: Counter[tuple[str | None, ...]] = Counter()
        ranked = []
        for row, problem in self._found:
            mask = (problem.document, problem.source, problem.mask)
            ranked.append((seen[mask], row, problem))
            seen[mask] += 1
        ranked.sort(key=lambda item: item[:2])
        return [(row, problem) for _, row, problem in ranked[:most]]


def _code(code: str, count: int) -> dict[str, Any]:
    row = CODES[code]
    return {
        "code": code,
        "severity": row.severity.value,
        "level": row.level,
        "meaning": row.meaning,
        "hint": row.hint,
        "count": count,
    }


def _row(problem: Problem, code: int, table: _Strings) -> list[Any]:
    """
    One finding; the page's script names the columns.
    """
    frames = frames_of(problem)
    hint = problem.hint if problem.hint != CODES[problem.code].hint else ""
    row = [
        code,
        table.number(problem.frame),
        table.number(problem.source),
        table.number(problem.mask),
        table.number(problem.document),
        table.number(problem.at),
        table.number(problem.message + (f" ({frames})" if frames else "")),
        table.number(hint),
        _integers(problem.color),
    ]
    while row[-1] is None:
        row.pop()
    return row


def _integers(values: tuple[int, ...] | None) -> list[int] | None:
    return None if values is None else [int(value) for value in values]


def _pictures(
    chosen: list[tuple[int, Problem]], illustrate: Illustrate | None
) -> dict[str, Any]:
    if illustrate is None or not chosen:
        return {}
    illustrations = illustrate([problem for _, problem in chosen])
    return {
        str(row): _illustration(found)
        for (row, _), found in zip(chosen, illustrations, strict=True)
        if found is not None
    }


def _illustration(found: Illustration) -> dict[str, Any]:
    return {
        "note": printable(found.note),
        "shots": [
            {
                "caption": printable(shot.caption),
                "src": f"data:{shot.content_type};base64,"
                + b64encode(shot.data).decode("ascii"),
                "width": shot.size[0],
                "height": shot.size[1],
            }
            for shot in found.shots
        ],
    }


def _text(value: Any) -> str:
    # ASCII, so that no encoding of the file changes it; without "<" nothing in it
    # ends the script, or begins a comment in it.
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
