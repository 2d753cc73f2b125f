"""
Every document in samples/valid passes, every one in samples/invalid yields its code.

A bug report becomes a file: no Python needs to be written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framekit.dataset import open_target
from framekit.frame import SingleFrame
from framekit.storage import Storage
from framekit.validation import CODES, LEVELS, validate

SAMPLES = Path(__file__).parents[1] / "samples"
PAGE = Path(__file__).parents[2] / "shared/sources/002_5be2e2eceb412f58.txt"

VALID = sorted((SAMPLES / "valid").glob("*.*"))
INVALID = sorted(p for p in (SAMPLES / "invalid").iterdir() if p.name != "media")

#: What is no error in the examples of ClearML's page, but not as it should be.
REMARKS = {
    "page-example-1": {
        "mask-id-is-label": 1,
        "mask-without-labels": 1,
        "timestamp-mismatch": 2,
    },
    "page-example-2": {"timestamp-mismatch": 2},
}

#: A sample would have more than 64 MiB, which test_documents.py makes, would kill
#: whoever looks at it, like those of test_worker_died.py, or would need a server,
#: like those of test_remote_masks.py.
NO_SAMPLE = {"line-too-long", "unreachable-media", "worker-died"}


def code_of(path: Path) -> str:
    """
    The code that the name of *path* starts with.
    """
    return path.name.partition(".")[0]


def examples(text: str) -> list[Any]:
    """
    The JSON of both examples on ClearML's page; the second one lacks its braces.
    """
    first = text.index('{\n"timestamp"')
    second = text.index('"sources": [', text.index("Example 2: View"))
    parts = [text[start : text.index("\n\n", start)] for start in (first, second)]
    return [json.loads(parts[0]), json.loads("{" + parts[1] + "]}")]


class TestValid:
    @pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
    def test_passes(self, path: Path) -> None:
        """
        There is nothing wrong with it.
        """
        report = validate(path)

        assert report.ok
        assert report.counts == REMARKS.get(path.stem, {})

    @pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
    def test_round_trip(self, path: Path) -> None:
        """
        Each of its frames survives reading and writing unchanged.
        """
        for record in open_target(path).records():
            frame = SingleFrame.from_dict(record.value)

            assert frame.to_dict() == record.value
            assert SingleFrame.from_json(frame.to_json()) == frame

    @pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
    def test_media(self, path: Path) -> None:
        """
        Its files are there and are what it says; those of the page are elsewhere.
        """
        report = validate(path, level="media")

        if path.stem in REMARKS:
            assert report.counts["refused-uri"] == 3
        else:
            assert report.counts == {}

    @pytest.mark.skipif(not PAGE.exists(), reason="the page is not here")
    def test_page(self) -> None:
        """
        The examples are those of the page, to the letter.
        """
        assert examples(PAGE.read_text(encoding="utf-8")) == [
            json.loads((SAMPLES / "valid" / f"page-example-{n}.json").read_text())
            for n in (1, 2)
        ]


class TestInvalid:
    @pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
    def test_code(self, path: Path) -> None:
        """
        It yields the code in its name, and nothing else.
        """
        code = code_of(path)

        report = validate(path, level=CODES[code].level)  # type: ignore[arg-type]

        assert set(report.counts) == {code}
        assert {problem.severity for problem in report.problems} == {
            CODES[code].severity
        }
        assert all(problem.hint == CODES[code].hint for problem in report.problems) or (
            code == "invalid-json"
        )

    @pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
    def test_levels_before(self, path: Path) -> None:
        """
        It takes the level of its code to find it.
        """
        level = LEVELS.index(CODES[code_of(path)].level)

        for earlier in LEVELS[:level]:
            assert validate(path, level=earlier).counts == {}  # type: ignore[arg-type]

    def test_every_code(self) -> None:
        """
        There is a sample for each code, except for those that cannot have one.
        """
        assert {code_of(path) for path in INVALID} == set(CODES) - NO_SAMPLE

    def test_storage(self) -> None:
        """
        What is refused can be allowed.
        """
        path = SAMPLES / "invalid" / "refused-uri.json"
        storage = Storage(path.parent, folders=[SAMPLES / "valid"])

        assert validate(path, level="media", storage=storage).counts == {}
