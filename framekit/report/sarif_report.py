"""
The report in SARIF 2.1.0, which code hosts and editors show beside the lines.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, TextIO
from urllib.parse import quote

from framekit.problem import Problem, Severity
from framekit.validation import CODES, Report

__all__ = ["write"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}

_LINE: Final = re.compile(r"(.+):([1-9][0-9]*)\Z", re.DOTALL)

#: What a problem is told with that has no place in the format.
_FACTS: Final = ("frame", "source", "mask", "color", "count", "box")


def write(report: Report, file: TextIO) -> None:
    """
    Write one run, one result a line.
    """
    rules = {code: n for n, code in enumerate(CODES)}
    file.write(f'{{\n  "$schema": {_text(_SCHEMA)},\n  "version": "2.1.0",\n')
    file.write('  "runs": [{\n')
    file.write(f'    "tool": {_text({"driver": _driver()})},\n')
    invocation = {"executionSuccessful": not report.interrupted}
    file.write(f'    "invocations": {_text([invocation])},\n')
    properties = {"level": report.level, "frames": report.frames}
    file.write(f'    "properties": {_text(properties)},\n')
    file.write('    "columnKind": "unicodeCodePoints",\n    "results": [')
    for n, found in enumerate(report.problems):
        file.write(",\n      " if n else "\n      ")
        file.write(_text(_result(found, rules[found.code])))
    file.write("\n    ]\n  }]\n}\n" if len(report.problems) else "]\n  }]\n}\n")


def _driver() -> dict[str, Any]:
    rules = []
    for code in CODES.values():
        rule: dict[str, Any] = {
            "id": code.code,
            "shortDescription": {"text": code.meaning},
            "defaultConfiguration": {"level": _LEVELS[code.severity]},
            "properties": {"level": code.level},
        }
        if code.hint:
            rule["help"] = {"text": code.hint}
        rules.append(rule)
    return {"name": "framekit", "rules": rules}


def _result(found: Problem, rule: int) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": found.at, "kind": "value"}]
    }
    if found.document:
        location["physicalLocation"] = _place(found.document)
    facts = found.to_dict()
    result = {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": found.message or CODES[found.code].meaning},
        "locations": [location],
    }
    if properties := {name: facts[name] for name in _FACTS if name in facts}:
        result["properties"] = properties
    return result


def _place(document: str) -> dict[str, Any]:
    line = _LINE.match(document)
    name, number = line.groups() if line else (document, None)
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(name, safe="/", errors="replace")}
    }
    if number is not None:
        place["region"] = {"startLine": int(number)}
    return place


def _text(value: Any) -> str:
    # ASCII, so that it survives every terminal and every encoding of a file.
    return json.dumps(value)
