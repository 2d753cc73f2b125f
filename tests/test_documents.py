from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framekit.dataset import Record, open_target
from framekit.dataset.lines import Line, read_lines
from framekit.errors import ArgumentError, MissingFileError
from framekit.frame import FrameGroup, SingleFrame
from framekit.problem import Problem, Severity

FRAME: dict[str, Any] = {"id": "a", "sources": [{"id": "front", "uri": "a.png"}]}
LINE = json.dumps(FRAME).encode()


def error(code: str, message: str, at: str = "$", document: str = "") -> Problem:
    """
    An error as reading a document gives it.
    """
    return Problem(code, Severity.ERROR, message, at, document)


def written(folder: Path, name: str, data: bytes) -> Path:
    """
    A file in *folder*.
    """
    path = folder / name
    path.write_bytes(data)
    return path


def found(target: Any) -> list[Record]:
    """
    All records of *target*.
    """
    return list(open_target(target).records())


def codes(target: Any) -> list[tuple[str, list[str]]]:
    """
    Where each record was read, and the codes of its problems.
    """
    return [
        (record.document, [problem.code for problem in record.problems])
        for record in found(target)
    ]


class TestValues:
    def test_frame(self) -> None:
        """
        A frame is one record without a document, and no relative URI has a root.
        """
        target = open_target(SingleFrame.from_dict(FRAME))

        assert target.root is None
        assert list(target.records()) == [Record("", value=FRAME)]

    def test_mapping(self) -> None:
        """
        The parsed JSON of a frame is one record.
        """
        assert found(FRAME) == [Record("", value=FRAME)]

    def test_python_values(self) -> None:
        """
        Tuples and NumPy values become what they would be as JSON.
        """
        mask = {"id": "seg", "value": (np.uint8(1), 2, 3)}

        (record,) = found({"rois": ({"mask": mask},)})

        assert record.value == {
            "rois": [{"mask": {"id": "seg", "value": [1, 2, 3]}}],
        }

    def test_group(self) -> None:
        """
        A FrameGroup is read as the one frame that it is on the wire.
        """
        group = FrameGroup({"front": SingleFrame(source="a.png")}, id="a")

        assert [frame.id for frame in open_target(group).frames()] == ["a"]  # type: ignore[union-attr]

    def test_iterable(self) -> None:
        """
        The records of an iterable are numbered, and read as they are asked for.
        """

        def frames() -> Iterator[Any]:
            yield FRAME
            raise KeyError("not asked for")

        assert next(open_target(frames()).records()) == Record("frames[0]", value=FRAME)

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ({"meta": {"x": float("nan")}}, "invalid-json"),
            ({"meta": {"x": {1}}}, "invalid-json"),
            ({"meta": {"x": 2**70}}, "integer-too-large"),
            ({"meta": {1: 2}}, "invalid-json"),
        ],
    )
    def test_no_json(self, value: Any, code: str) -> None:
        """
        What has no JSON form is a problem, and what comes after it is read.
        """
        assert codes([value, FRAME]) == [("frames[0]", [code]), ("frames[1]", [])]

    def test_endless(self) -> None:
        """
        A value that holds itself is a problem.
        """
        value: dict[str, Any] = {}
        value["meta"] = value

        assert codes([value]) == [("frames[0]", ["invalid-json"])]

    def test_nothing(self) -> None:
        """
        No frames at all are a warning, since nothing was looked at.
        """
        assert codes([]) == [("", ["no-frames"])]

    @pytest.mark.parametrize("target", [None, 1, b"{}", 2.5])
    def test_no_target(self, target: Any) -> None:
        """
        What holds no frames is refused.
        """
        with pytest.raises(ArgumentError, match=r"target: expected a frame, frames"):
            open_target(target)


class TestJson:
    def test_frame(self, tmp_path: Path) -> None:
        """
        A file with one frame is one record; URIs start from its folder.
        """
        target = open_target(written(tmp_path, "a.json", LINE))

        assert target.root == tmp_path
        assert list(target.records()) == [Record("a.json", value=FRAME)]

    @pytest.mark.parametrize(
        ("document", "at"),
        [([FRAME, 1], "$[{}]"), ({"frames": [FRAME, 1]}, "$.frames[{}]")],
    )
    def test_list(self, tmp_path: Path, document: Any, at: str) -> None:
        """
        A list of frames has a record for each item, with its path.
        """
        path = written(tmp_path, "a.json", json.dumps(document).encode())

        assert found(path) == [
            Record("a.json", value=FRAME, at=at.format(0)),
            Record("a.json", value=1, at=at.format(1)),
        ]

    def test_labels_beside_frames(self, tmp_path: Path) -> None:
        """
        A document of frames may say what their colors mean.
        """
        document = {"frames": [FRAME], "mask_labels": []}
        path = written(tmp_path, "a.json", json.dumps(document).encode())

        target = open_target(path)

        assert target.version == {"mask_labels": []}
        assert target.version_document == "a.json"

    def test_losses(self, tmp_path: Path) -> None:
        """
        A repeated key and a huge integer go to the frames that they are in.
        """
        data = b'[{"id": "a", "id": "b"}, {"timestamp": 99999999999999999999999}]'

        assert found(written(tmp_path, "a.json", data)) == [
            Record(
                "a.json",
                value={"id": "b"},
                at="$[0]",
                problems=(
                    error(
                        "duplicate-key",
                        "the key 'id' occurs more than once; the last one counts",
                        "$[0].id",
                        "a.json",
                    ),
                ),
            ),
            Record(
                "a.json",
                value={"timestamp": 99999999999999999999999},
                at="$[1]",
                problems=(
                    error(
                        "integer-too-large",
                        "expected an integer of at most 64 bits, "
                        "got 99999999999999999999999",
                        "$[1].timestamp",
                        "a.json",
                    ),
                ),
            ),
        ]

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"", ["empty-document"]),
            (b" \n ", ["empty-document"]),
            (b"\xef\xbb\xbf", ["empty-document"]),
            (b"[]", ["no-frames"]),
            (b'{"frames": []}', ["no-frames"]),
            (b'{"frames": 1}', ["wrong-type"]),
            (LINE[:-1], ["invalid-json"]),
            (LINE + LINE, ["invalid-json"]),
            (LINE.replace(b"front", b"fr\xff"), ["bad-utf8"]),
            (b"null", []),
            (b"\xef\xbb\xbf" + LINE, []),
            (b"[" * 10_000 + b"]" * 10_000, ["invalid-json"]),
        ],
    )
    def test_broken(self, tmp_path: Path, data: bytes, expected: list[str]) -> None:
        """
        What is no frame is a record that says why.
        """
        path = written(tmp_path, "a.json", data)

        assert codes(path) == [("a.json", expected)]


class TestJsonLines:
    def test_lines(self, tmp_path: Path) -> None:
        """
        Each line that is not blank is a record; a byte order mark is passed over.
        """
        data = b"\xef\xbb\xbf" + LINE + b"\r\n\n  \n" + LINE

        assert found(written(tmp_path, "a.jsonl", data)) == [
            Record("a.jsonl:1", 1, FRAME),
            Record("a.jsonl:4", 4, FRAME),
        ]

    def test_broken_lines(self, tmp_path: Path) -> None:
        """
        A broken line does not keep the others from being read.
        """
        lines = [b"{", LINE, b'{"id": "\xff"}', b'{"a":1,"a":2}', LINE, LINE[:30]]

        assert codes(written(tmp_path, "a.jsonl", b"\n".join(lines))) == [
            ("a.jsonl:1", ["invalid-json"]),
            ("a.jsonl:2", []),
            ("a.jsonl:3", ["bad-utf8"]),
            ("a.jsonl:4", ["duplicate-key"]),
            ("a.jsonl:5", []),
            ("a.jsonl:6", ["torn-line"]),
        ]

    def test_torn_within_a_letter(self, tmp_path: Path) -> None:
        """
        A file that ends within a letter of two bytes is torn, not badly encoded.
        """
        path = written(tmp_path, "a.jsonl", '{"id": "ä'.encode()[:-1])

        assert codes(path) == [("a.jsonl:1", ["torn-line"])]

    @pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf\n"])
    def test_empty(self, tmp_path: Path, data: bytes) -> None:
        """
        A file without lines is a problem of the file.
        """
        path = written(tmp_path, "a.jsonl", data)

        assert codes(path) == [("a.jsonl", ["empty-document"])]

    def test_twice(self, tmp_path: Path) -> None:
        """
        A file can be read again.
        """
        target = open_target(written(tmp_path, "a.jsonl", LINE))

        assert list(target.records()) == list(target.records())

    @pytest.mark.parametrize(
        ("data", "documents"),
        [
            (LINE + b"\n" + LINE, ["a.frames:1", "a.frames:2"]),
            (LINE, ["a.frames"]),
            (json.dumps(FRAME, indent=1).encode(), ["a.frames"]),
        ],
    )
    def test_other_name(
        self, tmp_path: Path, data: bytes, documents: list[str]
    ) -> None:
        """
        Without a known suffix the first two lines tell lines from a document.
        """
        path = written(tmp_path, "a.frames", data)

        assert [record.document for record in found(path)] == documents


class TestLines:
    def test_long_line(self, tmp_path: Path) -> None:
        """
        A line over the limit is passed over, the next one is read.
        """
        path = written(tmp_path, "a", b"x" * 3_000_000 + b"\nabc\n")

        with path.open("rb") as file:
            assert list(read_lines(file, limit=2_000_000)) == [
                Line(1, None, 3_000_001, ended=True),
                Line(2, b"abc", 4, ended=True),
            ]

    def test_long_line_that_is_allowed(self, tmp_path: Path) -> None:
        """
        A line that takes several reads is whole.
        """
        data = bytes(range(32, 127)) * 30_000
        path = written(tmp_path, "a", data)

        with path.open("rb") as file:
            assert list(read_lines(file)) == [Line(1, data, len(data), ended=False)]

    def test_too_long(self, tmp_path: Path) -> None:
        """
        A line over 64 MiB is a problem at its place, and the rest is read.
        """
        path = tmp_path / "a.jsonl"
        with path.open("wb") as file:
            file.write(LINE + b"\n")
            file.seek(70 * 1024 * 1024)
            file.write(b"\n" + LINE)

        assert codes(path) == [
            ("a.jsonl:1", []),
            ("a.jsonl:2", ["line-too-long"]),
            ("a.jsonl:3", []),
        ]


class TestFolder:
    def test_folder(self, tmp_path: Path) -> None:
        """
        A frames folder has frames, and a version that is found with its file, too.
        """
        path = written(tmp_path, "frames.jsonl", LINE)
        written(tmp_path, "version.json", b'{"name": "v1"}')

        for target in (open_target(tmp_path), open_target(str(path))):
            assert target.root == tmp_path
            assert target.version == {"name": "v1"}
            assert target.version_document == "version.json"
            assert list(target.records()) == [Record("frames.jsonl:1", 1, FRAME)]

    def test_json(self, tmp_path: Path) -> None:
        """
        The frames may be one document.
        """
        written(tmp_path, "frames.json", b"[" + LINE + b"]")

        assert found(tmp_path) == [Record("frames.json", value=FRAME, at="$[0]")]

    def test_both(self, tmp_path: Path) -> None:
        """
        With both files the lines count, and that is told.
        """
        written(tmp_path, "frames.jsonl", LINE)
        written(tmp_path, "frames.json", b"[]")

        target = open_target(tmp_path)

        assert [problem.code for problem in target.problems] == ["two-frame-files"]
        assert [record.document for record in target.records()] == ["frames.jsonl:1"]

    def test_null_version(self, tmp_path: Path) -> None:
        """
        A version that is null is not the same as none.
        """
        written(tmp_path, "frames.jsonl", LINE)
        written(tmp_path, "version.json", b"null")

        assert open_target(tmp_path).problems == (
            error("wrong-type", "expected an object, got null", "$", "version.json"),
        )

    def test_broken_version(self, tmp_path: Path) -> None:
        """
        A version that cannot be read keeps no frame from being read.
        """
        written(tmp_path, "frames.jsonl", LINE)
        written(tmp_path, "version.json", b"{")

        target = open_target(tmp_path)

        assert [(p.document, p.code) for p in target.problems] == [
            ("version.json", "invalid-json")
        ]
        assert target.version is None
        assert codes(target) == [("frames.jsonl:1", [])]

    @pytest.mark.parametrize("name", ["", "nothing.json", "no/folder"])
    def test_missing(self, tmp_path: Path, name: str) -> None:
        """
        A folder without frames and a file that is not there raise.
        """
        with pytest.raises(MissingFileError):
            open_target(tmp_path / name)


class TestFrames:
    def test_frames(self, tmp_path: Path) -> None:
        """
        What is no frame comes as a problem with its place, in its turn.
        """
        lines = [LINE, b'{"sources": [{}]}', b"{", LINE]
        path = written(tmp_path, "a.jsonl", b"\n".join(lines))

        first, second, third, last = open_target(path).frames()

        assert first == last == SingleFrame.from_dict(FRAME)
        assert second == error(
            "missing-key", "the key 'id' is missing", "$.sources[0]", "a.jsonl:2"
        )
        assert isinstance(third, Problem)
        assert (third.code, third.document) == ("invalid-json", "a.jsonl:3")

    def test_losses(self, tmp_path: Path) -> None:
        """
        A frame that lost a value when it was read does not come as a frame.
        """
        path = written(tmp_path, "a.json", b'[{"id":"a","id":"b","sources":[]}]')

        assert list(open_target(path).frames()) == [
            error(
                "duplicate-key",
                "the key 'id' occurs more than once; the last one counts",
                "$[0].id",
                "a.json",
            )
        ]
