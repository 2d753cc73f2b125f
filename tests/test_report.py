from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from framekit import report as reports
from framekit.errors import ArgumentError
from framekit.problem import Problem
from framekit.validation import CODES, Problems, Report, validate
from framekit.validation.codes import problem

README = Path(__file__).parents[1] / "README.md"


def report_of(*problems: Problem, level: str = "references") -> Report:
    """
    A report with just these problems.
    """
    found = Problems()
    for one in problems:
        found.append(one)
    return Report(target="cars", level=level, frames=1200, problems=found)


def text_of(report: Report, format: str = "text") -> str:
    """
    What is written of *report*.
    """
    file = io.StringIO()
    reports.write(report, format, file)
    return file.getvalue()


class TestText:
    def test_nothing(self) -> None:
        """
        Without problems there is the verdict, and what was not looked at.
        """
        assert text_of(report_of()) == (
            "OK  cars: no problems in 1,200 frames, up to level references\n"
            "Levels not run: media, pixels\n"
        )

    def test_groups(self) -> None:
        """
        Problems stand below their code, the worst codes first.
        """
        report = report_of(
            problem("mask-without-labels", "m", "$.a", document="f:1", count=12),
            problem("roi-without-label", "w", "$.b", document="f:2", frame="two"),
            problem("dangling-mask-id", "e", "$.c", document="f:3", frame="three"),
            problem("dangling-mask-id", "d", "$.d", document="f:4"),
            level="pixels",
        )

        assert text_of(report) == (
            "ERROR dangling-mask-id (2): An ROI names a mask that none of its sources "
            "has.\n"
            "  f:3 $.c, frame three\n"
            "      e\n"
            "  f:4 $.d\n"
            "      d\n"
            "\n"
            "WARNING roi-without-label: An ROI has no label, or an empty one.\n"
            "  f:2 $.b, frame two\n"
            "      w\n"
            "\n"
            "INFO mask-without-labels: No ROI and no mask_labels say what a mask's "
            "colors mean; told once a mask.\n"
            "  f:1 $.a\n"
            "      m (in 12 frames)\n"
            "\n"
            "FAILED  cars: 2 errors, 1 warning, 1 remark in 1,200 frames, "
            "up to level pixels\n"
            "Levels not run: none\n"
        )

    def test_many(self) -> None:
        """
        Of many problems of one code the first are shown.
        """
        found = [problem("wrong-type", f"<{n}>", f"$[{n}]") for n in range(1500)]

        lines = text_of(report_of(*found)).splitlines()

        assert lines[0].startswith("ERROR wrong-type (1,500): ")
        assert lines[39:42] == [
            "  $[19]",
            "      <19>",
            "  ... 1,480 more; --format json has them all",
        ]

    def test_no_controls(self) -> None:
        """
        What a document says cannot move the cursor or forge a line.
        """
        found = problem("wrong-type", "a\n\x1b[2Jb\u202e", "$", document="x\ry")

        text = text_of(report_of(found))

        assert "  x\\ry $\n      a\\n\\x1b[2Jb\\u202e\n" in text


class TestJson:
    @pytest.mark.parametrize("value", [[], [1], [1, 2, {"id": "\u202e\n'\""}]])
    def test_document(self, value: list[object]) -> None:
        """
        The JSON form is the report, whole.
        """
        report = validate(value)

        assert json.loads(text_of(report, "json")) == report.to_dict()

    def test_lines(self) -> None:
        """
        It has a line for each problem.
        """
        text = text_of(report_of(problem("wrong-type", "m")), "json")

        assert text == (
            "{\n"
            '  "ok": false,\n'
            '  "level": "references",\n'
            '  "frames": 1200,\n'
            '  "counts": {"wrong-type": 1},\n'
            '  "problems": [\n'
            '    {"code": "wrong-type", "severity": "error", "message": "m", '
            '"at": "$"}\n'
            "  ]\n"
            "}\n"
        )


class TestFormats:
    def test_unknown(self) -> None:
        """
        Another format is refused, naming those that there are.
        """
        with pytest.raises(
            ArgumentError, match="expected one of 'html', 'json', 'sarif', 'text'"
        ):
            text_of(report_of(), "xml")


class TestReadme:
    def test_table(self) -> None:
        """
        The README lists every code with its severity and its meaning.
        """
        text = README.read_text(encoding="utf-8")
        if "| code |" not in text.lower():
            pytest.skip("the README has no table of codes yet")

        rows = [
            [cell.strip(" `") for cell in line.strip("| ").split(" | ")]
            for line in text.splitlines()
            if line.startswith("| `")
        ]
        told = {row[0]: row[1:] for row in rows if row[0] in CODES}

        assert told == {
            code: [row.severity.value, row.level, row.meaning]
            for code, row in CODES.items()
        }


class TestShown:
    def test_fewer(self) -> None:
        """
        How many problems of a code the text shows can be said.
        """
        found = [problem("wrong-type", f"<{n}>", f"$[{n}]") for n in range(5)]
        file = io.StringIO()

        reports.write(report_of(*found), "text", file, max_problems=1)

        assert file.getvalue().splitlines()[1:4] == [
            "  $[0]",
            "      <0>",
            "  ... 4 more; --format json has them all",
        ]

    def test_negative(self) -> None:
        """
        Fewer than none are refused.
        """
        with pytest.raises(ArgumentError, match="max_problems"):
            reports.write(report_of(), "text", io.StringIO(), max_problems=-1)
