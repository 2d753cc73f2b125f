"""
The commands stats, diff and query.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from framekit.cli import diff, query, stats
from framekit.dataset.dataset import Dataset
from framekit.errors import ArgumentError

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"


def frame(id: str, *labels: str) -> dict[str, Any]:
    """
    A frame with one ROI for each label.
    """
    return {
        "id": id,
        "context_id": "c",
        "timestamp": ord(id),
        "sources": [{"id": "s", "uri": f"{id}.png", "content_type": "image/png"}],
        "rois": [{"label": label.split("+")} for label in labels],
    }


def run(command: ModuleType, *argv: str) -> tuple[int, str, str]:
    """
    The exit code of a command, and what it wrote.
    """
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    out, err = io.StringIO(), io.StringIO()
    code: int = command.execute(parser.parse_args(argv), out, err)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def cars(tmp_path: Path) -> str:
    """
    A dataset of a published version v1 and its child v2.
    """
    dataset = Dataset.create(tmp_path / "cars")
    version = dataset.create_version("v1")
    version.add_frames([frame("a", "car", "car"), frame("b", "car+red", "road")])
    version.set_masks_labels({(1, 2, 3): ["car"]})
    version.publish()
    child = dataset.create_version("v2", "v1")
    child.add_frames([frame("b", "car+red"), frame("c", "sky")])
    child.delete_frames(["a"])
    child.set_masks_labels({(1, 2, 3): ["bus"]})
    return str(dataset.path)


class TestStats:
    def test_text(self, cars: str) -> None:
        """
        The text is a table for each kind of thing.
        """
        assert run(stats, cars) == (
            0,
            (
                "2 frames, 2 with annotations\n"
                "4 annotations\n"
                "\n"
                "label, annotations, frames\n"
                "  car              3             2\n"
                "  red              1             1\n"
                "  road             1             1\n"
                "\n"
                "source, frames\n"
                "  s             2\n"
                "\n"
                "content type, sources\n"
                "  image/png             2\n"
            ),
            "",
        )

    def test_json(self, cars: str) -> None:
        """
        The JSON is that of the statistics.
        """
        _, out, _ = run(stats, cars, "--version", "v2", "--format", "json")

        assert json.loads(out)["labels"] == {"car": 1, "red": 1, "sky": 1}

    def test_frames_folder(self) -> None:
        """
        A frames folder is counted too.
        """
        code, out, _ = run(stats, str(CROSSING))

        assert code == 0
        assert out.startswith("24 frames, 24 with annotations\n")

    def test_broken_line(self, tmp_path: Path) -> None:
        """
        A line that is no frame is told, and the exit code says so.
        """
        path = tmp_path / "f.jsonl"
        path.write_text(json.dumps(frame("a")) + "\n{}\n")

        code, out, err = run(stats, str(path))

        assert (code, out.splitlines()[0]) == (1, "1 frames, 0 with annotations")
        assert err == "framekit: f.jsonl:2: $: the key 'sources' is missing\n"


class TestDiff:
    def test_text(self, cars: str) -> None:
        """
        A version is compared with its parent unless others are named.
        """
        assert run(diff, cars, "--to", "v2") == (
            0,
            (
                "+ c\n"
                "- a\n"
                "~ b: $.rois\n"
                "label car: -2 +0\n"
                "label road: -1 +0\n"
                "label sky: -0 +1\n"
                "mask_labels['_all_'] #010203: car -> bus\n"
                "1 added, 1 removed, 1 changed, 0 the same\n"
            ),
            "",
        )

    def test_json(self, cars: str) -> None:
        """
        The JSON is that of the difference; the exit code can tell it.
        """
        code, out, _ = run(
            diff, cars, "--from", "v2", "--to", "v1", "--format", "json", "--exit-code"
        )

        assert code == 1
        assert json.loads(out)["added"] == ["a"]

    def test_two_targets(self, cars: str) -> None:
        """
        Two targets of any kind are compared.
        """
        code, out, _ = run(diff, cars, cars, "--exit-code")

        assert (code, out) == (0, "0 added, 0 removed, 0 changed, 2 the same\n")

    def test_no_parent(self, cars: str) -> None:
        """
        A version without a parent is compared with one that is named.
        """
        with pytest.raises(ArgumentError, match="has no parent"):
            run(diff, cars)


class TestQuery:
    @pytest.mark.parametrize(
        ("argv", "expected"),
        [
            ([], "a b"),
            (["--label", "car"], "a b"),
            (["--label", "car,red"], "b"),
            (["--label", "car", "--label", "road"], "b"),
            (["--label", "car", "--count", "2:"], "a"),
            (["--label", "car", "--count", ":1"], "b"),
            (["--label", "car", "--count", "2"], "a"),
            (["--label", "car", "--not", "road"], "a"),
            (["--label", "car", "--confidence", "0.5:"], ""),
            (["--rule", '{"label": "car", "count_range": [2, -1]}'], "a"),
            (["--source", "b*"], "b"),
            (["--limit", "1"], "a"),
            (["--version", "v2", "--label", "sky"], "c"),
        ],
    )
    def test_rules(self, cars: str, argv: list[str], expected: str) -> None:
        """
        The options are the parts of a query.
        """
        _, out, _ = run(query, cars, *argv, "--format", "jsonl")

        assert " ".join(json.loads(line)["id"] for line in out.splitlines()) == expected

    def test_text(self, cars: str) -> None:
        """
        The text is a line for each frame, and their number.
        """
        assert run(query, cars, "--map", "car,red=fire") == (
            0,
            "a  c  97  car\nb  c  98  fire, road\n2 frames\n",
            "",
        )

    def test_json_is_a_target(self, cars: str, tmp_path: Path) -> None:
        """
        The JSON is a document of frames, which can be read again.
        """
        path = tmp_path / "found.json"

        run(query, cars, "--label", "car", "--format", "json", "-o", str(path))

        assert run(diff, cars, str(path), "--exit-code")[1].endswith("2 the same\n")

    @pytest.mark.parametrize(
        "argv",
        [
            ["--count", "x", "--label", "a"],
            ["--count", "1:2"],
            ["--rule", "{"],
            ["--rule", "[]"],
            ["--map", "x"],
            ["--limit", "-1"],
            ["--version", "nope"],
        ],
    )
    def test_bad(self, cars: str, argv: list[str]) -> None:
        """
        What is no option is refused.
        """
        with pytest.raises(ArgumentError):
            run(query, cars, *argv)
