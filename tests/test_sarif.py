from __future__ import annotations

import io
import json
from typing import Any

from framekit import report as reports
from framekit.problem import Problem
from framekit.validation import CODES, Problems, Report
from framekit.validation.codes import problem


def sarif_of(*problems: Problem, interrupted: bool = False) -> Any:
    """
    What is written of a report with just these problems.
    """
    found = Problems()
    for one in problems:
        found.append(one)
    report = Report(
        target="cars",
        level="pixels",
        frames=12,
        problems=found,
        interrupted=interrupted,
    )
    file = io.StringIO()
    reports.write(report, "sarif", file)
    return json.loads(file.getvalue())


def check(log: Any) -> None:
    """
    Compare *log* with what sections 3.13 to 3.49 of SARIF 2.1.0 ask of such a file.
    """
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"] == "framekit"
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(set(ids)) == len(ids)
        for rule in driver["rules"]:
            level = rule["defaultConfiguration"]["level"]
            assert level in {"error", "warning", "note"}
            assert rule["shortDescription"]["text"]
            assert rule.get("help", {"text": "x"})["text"]
        for invocation in run["invocations"]:
            assert isinstance(invocation["executionSuccessful"], bool)
        for result in run["results"]:
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in {"error", "warning", "note"}
            assert isinstance(result["message"]["text"], str)
            for location in result["locations"]:
                for logical in location["logicalLocations"]:
                    assert logical["fullyQualifiedName"]
                place = location.get("physicalLocation")
                if place is not None:
                    uri = place["artifactLocation"]["uri"]
                    assert uri.isascii()
                    assert not set(uri) & set(' "<>\\^`{|}')
                    if "region" in place:
                        assert place["region"]["startLine"] >= 1


class TestSarif:
    def test_nothing(self) -> None:
        """
        Without problems there are the rules and no results.
        """
        log = sarif_of()

        check(log)
        (run,) = log["runs"]
        assert run["results"] == []
        assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(CODES)
        assert run["properties"] == {"level": "pixels", "frames": 12}

    def test_results(self) -> None:
        """
        A result has the line, the JSON path, and what else is known.
        """
        log = sarif_of(
            problem(
                "unknown-color",
                "m",
                "$.sources[0]",
                document="a b/frames.jsonl:17",
                frame="one",
                color=(1, 2, 3),
                count=4,
            ),
            problem("mask-without-labels", "n", document="frames[3]"),
            problem("timestamp-mismatch", "o"),
        )

        check(log)
        first, second, third = log["runs"][0]["results"]
        assert first == {
            "ruleId": "unknown-color",
            "ruleIndex": list(CODES).index("unknown-color"),
            "level": "error",
            "message": {"text": "m"},
            "locations": [
                {
                    "logicalLocations": [
                        {"fullyQualifiedName": "$.sources[0]", "kind": "value"}
                    ],
                    "physicalLocation": {
                        "artifactLocation": {"uri": "a%20b/frames.jsonl"},
                        "region": {"startLine": 17},
                    },
                }
            ],
            "properties": {"frame": "one", "color": [1, 2, 3], "count": 4},
        }
        assert second["level"] == "note"
        assert second["locations"][0]["physicalLocation"] == {
            "artifactLocation": {"uri": "frames%5B3%5D"}
        }
        assert third["level"] == "warning"
        assert "physicalLocation" not in third["locations"][0]

    def test_odd_names(self) -> None:
        """
        Names of files may be anything that a document says.
        """
        names = ["a\n:0", "ü:3", "x:y", "\udc80:1", "", "c:\\d:2"]

        check(sarif_of(*(problem("no-frames", "\udc80", document=n) for n in names)))

    def test_interrupted(self) -> None:
        """
        A run that was interrupted was not successful.
        """
        log = sarif_of(interrupted=True)

        check(log)
        assert log["runs"][0]["invocations"] == [{"executionSuccessful": False}]
