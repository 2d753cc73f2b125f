from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from framekit import _json
from framekit.errors import SchemaVersionError
from framekit.frame import Mask, Preview, Roi, RoiMask, SingleFrame, Source
from framekit.problem import Problem
from framekit.schema import check, schema

HERE = Path(__file__).parent
FILES = sorted((HERE.parent / "schemas").glob("*.schema.json"))
NAMES = ("dataset", "dataset-version", "frame", "frame-list", "palette")
PAGE = HERE.parents[1] / "shared/sources/002_5be2e2eceb412f58.txt"

#: Keywords that framekit.schema has words for, and those that cannot fail.
WORDED = {
    "enum",
    "maxItems",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "propertyNames",
    "required",
    "type",
}
UNFAILING = {
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "additionalProperties",
    "default",
    "description",
    "items",
    "properties",
    "readOnly",
    "title",
}

Change = Callable[[dict[str, Any]], object]
Part = Callable[[dict[str, Any]], dict[str, Any]]


def subschemas(node: Any) -> Iterator[dict[str, Any]]:
    """
    Every schema within the schema *node*, itself included.
    """
    yield node
    for key in ("properties", "$defs"):
        for inner in node.get(key, {}).values():
            yield from subschemas(inner)
    for key in ("items", "additionalProperties", "propertyNames"):
        if key in node:
            yield from subschemas(node[key])


def a_frame() -> dict[str, Any]:
    """
    A small frame with one of each part.
    """
    return {
        "id": "f1",
        "timestamp": 33,
        "sources": [
            {
                "id": "front",
                "uri": "front.mp4",
                "content_type": "video/mp4",
                "timestamp": 33,
                "preview": {"uri": "front.jpg"},
                "masks": [
                    {
                        "id": "seg",
                        "uri": "seg.mp4",
                        "content_type": "video/mp4",
                        "timestamp": 33,
                    }
                ],
            }
        ],
        "rois": [
            {
                "sources": ["front"],
                "label": ["car"],
                "mask": {"id": "seg", "value": [210, 210, 120]},
            }
        ],
    }


def source(frame: dict[str, Any]) -> dict[str, Any]:
    """
    The source of :func:`a_frame`.
    """
    found: dict[str, Any] = frame["sources"][0]
    return found


def mask(frame: dict[str, Any]) -> dict[str, Any]:
    """
    The mask of :func:`a_frame`.
    """
    found: dict[str, Any] = source(frame)["masks"][0]
    return found


def roi(frame: dict[str, Any]) -> dict[str, Any]:
    """
    The ROI of :func:`a_frame`.
    """
    found: dict[str, Any] = frame["rois"][0]
    return found


def found_in(document: Any, name: str = "frame") -> list[tuple[str, str]]:
    """
    Code and place of all that is wrong with *document*.
    """
    return [(problem.code, problem.at) for problem in check(document, name)]


def examples_of_the_page() -> list[dict[str, Any]]:
    """
    ClearML's Example 1 and 2; the second is a fragment without its brackets.
    """
    text = PAGE.read_text(encoding="utf-8")
    first, _ = json.JSONDecoder().raw_decode(text, text.index('{\n"timestamp"'))
    start = text.index('"sources": [', text.index("Example 2#"))
    fragment = text[start : text.index("\n\n", start)]
    return [first, json.loads(f"{{{fragment}]}}")]


class TestFiles:
    def test_names(self) -> None:
        """
        There is one schema for each kind of document.
        """
        assert [file.name for file in FILES] == [
            f"{name}-1.0.schema.json" for name in NAMES
        ]

    @pytest.mark.parametrize("name", NAMES)
    def test_metaschema(self, name: str) -> None:
        """
        Each is a JSON Schema of draft 2020-12 that says who it is.
        """
        document = schema(name)

        Draft202012Validator.check_schema(document)
        assert document["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
        assert document["$id"] == f"urn:framekit:schemas:{name}-1.0"

    @pytest.mark.skipif(
        find_spec("check_jsonschema") is None, reason="needs check-jsonschema"
    )
    def test_check_jsonschema(self, tmp_path: Path) -> None:
        """
        Another implementation takes them for schemas, and validates by them.
        """
        document = tmp_path / "frames.json"
        document.write_text(json.dumps([a_frame()]))
        tool = [sys.executable, "-m", "check_jsonschema"]
        by = str(next(file for file in FILES if "frame-list" in file.name))

        for arguments in (
            ["--check-metaschema", *map(str, FILES)],
            ["--schemafile", by, str(document)],
        ):
            done = subprocess.run(
                [*tool, *arguments], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr

    @pytest.mark.parametrize("name", NAMES)
    def test_documented(self, name: str) -> None:
        """
        Every property says what it is.
        """
        undocumented = [
            key
            for node in subschemas(schema(name))
            for key, inner in node.get("properties", {}).items()
            if not {"title", "description"} <= inner.keys()
        ]

        assert undocumented == []

    @pytest.mark.parametrize("name", NAMES)
    def test_self_contained(self, name: str) -> None:
        """
        References stay within the file.
        """
        document = schema(name)
        targets = {node["$ref"] for node in subschemas(document) if "$ref" in node}

        assert targets == {f"#/$defs/{key}" for key in document.get("$defs", ())}

    @pytest.mark.parametrize("name", NAMES)
    def test_keywords(self, name: str) -> None:
        """
        Every keyword that can fail is one that framekit.schema has words for.
        """
        used = {key for node in subschemas(schema(name)) for key in node}

        assert used <= WORDED | UNFAILING

    def test_frame_in_frame_list(self) -> None:
        """
        A frame of a list is what a frame is on its own.
        """
        alone, listed = dict(schema("frame")), dict(schema("frame-list")["$defs"])
        parts = alone.pop("$defs")
        del alone["$schema"], alone["$id"]

        assert listed.pop("frame") == alone
        assert listed == parts


class TestSchema:
    def test_unknown_version(self) -> None:
        """
        A version that there is no schema for is an error that names those there are.
        """
        with pytest.raises(SchemaVersionError, match=r"no schema frame-9\.0, only .*1"):
            schema("frame", "9.0")

    def test_no_path(self) -> None:
        """
        A version is looked up, never made into a path.
        """
        with pytest.raises(SchemaVersionError):
            schema("frame", "1.0/../frame-1.0")

    def test_unknown_name_in_check(self) -> None:
        """
        What cannot be checked fails at once, not when the problems are asked for.
        """
        with pytest.raises(SchemaVersionError):
            check({}, "picture")

    def test_own_copy(self) -> None:
        """
        Nobody can change what documents are checked against.
        """
        dict(schema("frame")["properties"]).clear()
        schema("frame")["required"].clear()

        assert found_in({}) == [("missing-key", "$")]


class TestCheck:
    def test_problem(self) -> None:
        """
        A problem says what was expected, what was found, and where.
        """
        frame = a_frame()
        roi(frame)["label"] = "car"

        assert list(check(frame, "frame")) == [
            Problem(
                code="wrong-type",
                severity="error",
                message="expected an array of strings, got a string 'car'",
                at="$.rois[0].label",
            )
        ]

    def test_all_problems(self) -> None:
        """
        All problems are found, not only the first of each part.
        """
        document = {
            "sources": [{"id": 1}, {"uri": ""}],
            "rois": [{"mask": {"value": [1, 2]}}],
        }

        assert sorted(found_in(document)) == [
            ("missing-key", "$.rois[0]"),
            ("missing-key", "$.rois[0].mask"),
            ("missing-key", "$.sources[0]"),
            ("missing-key", "$.sources[1]"),
            ("wrong-length", "$.rois[0].mask.value"),
            ("wrong-type", "$.sources[0].id"),
            ("wrong-value", "$.sources[1].uri"),
        ]

    def test_lazy(self) -> None:
        """
        Whoever wants to know only whether there is a problem pays for one.
        """
        problems = check([{}] * 3, "frame-list")

        assert next(problems).at == "$[0]"

    def test_odd_key(self) -> None:
        """
        A key that is no identifier is quoted in the path.
        """
        document = {"mask_labels": {"a b": [{"value": [1, 2, 3]}]}}

        assert found_in(document, "dataset-version") == [
            ("missing-key", '$.mask_labels["a b"][0]')
        ]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (33.5, "expected an integer, got 33.5"),
            (True, "expected an integer, got true"),
            ("33", "expected an integer, got a string '33'"),
            ({"ms": 33}, "expected an integer, got an object"),
            ((33,), "expected an integer, got a tuple"),
            ([[1], {}], "expected an integer, got an array [[…], {…}]"),
            (
                [0] * 10**6,
                f"expected an integer, got an array [{'0, ' * 16}…]",
            ),
            (
                "x" * 10**7,
                f"expected an integer, got a string '{'x' * 62}…",
            ),
        ],
    )
    def test_message(self, value: Any, message: str) -> None:
        """
        Messages are short, whatever the document holds.
        """
        (problem,) = check({"sources": [], "timestamp": value}, "frame")

        assert problem.message == message

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ({"shards": [{}]}, "the key 'file' is missing"),
            ({"status": "final"}, "expected one of draft, committing, committed,"),
            ({"metadata": {"a.b": 1}}, "expected a key without $ and period, got"),
            ({"name": ""}, "expected text, got a string ''"),
            (
                {"mask_labels": [{"value": [1, 2], "labels": []}]},
                "expected 3 integers, got 2: [1, 2]",
            ),
        ],
    )
    def test_message_by_keyword(self, document: Any, message: str) -> None:
        """
        Every keyword has words of its own.
        """
        problem = next(check(document, "dataset-version"))

        assert problem.message.startswith(message)

    def test_deep(self) -> None:
        """
        A value that is nested deeper than Python calls is a problem like others.
        """
        deep: list[Any] = []
        for _ in range(10_000):
            deep = [deep]

        assert found_in({"sources": [], "id": deep}) == [("wrong-type", "$.id")]


class TestFrame:
    @pytest.mark.parametrize(
        ("cls", "name"),
        [
            (SingleFrame, ""),
            (Source, "source"),
            (Mask, "mask"),
            (Preview, "preview"),
            (Roi, "roi"),
            (RoiMask, "roi_mask"),
        ],
    )
    def test_keys(self, cls: type, name: str) -> None:
        """
        The classes have a field for every key that is not the server's to set.
        """
        whole = schema("frame")
        rule = whole["$defs"].get(name, whole)
        keys = {k for k, inner in rule["properties"].items() if "readOnly" not in inner}

        assert keys == set(_json._plan(cls).by_key)

    @pytest.mark.parametrize("number", [0, 1])
    @pytest.mark.skipif(not PAGE.exists(), reason="needs ClearML's page")
    def test_page(self, number: int) -> None:
        """
        Both examples of ClearML's page are frames.
        """
        assert found_in(examples_of_the_page()[number]) == []

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda f: f, id="as it is"),
            pytest.param(lambda f: f.update(sources=[]), id="no sources"),
            pytest.param(lambda f: f.update(timestamp=33.0), id="integral float"),
            pytest.param(lambda f: mask(f).pop("timestamp"), id="no timestamp"),
            pytest.param(lambda f: mask(f).pop("content_type"), id="no type"),
            pytest.param(lambda f: source(f).update(width=0), id="no width"),
            pytest.param(lambda f: roi(f).update(label=[]), id="no labels"),
            pytest.param(lambda f: roi(f).update(confidence=1.5), id="confidence"),
            pytest.param(lambda f: roi(f).update(sources=["rear"]), id="no source"),
            pytest.param(lambda f: roi(f).update(sources=[]), id="sources empty"),
            pytest.param(
                lambda f: roi(f)["mask"].update(value=[-1, 1, 999]), id="odd color"
            ),
            pytest.param(
                lambda f: roi(f).update(poly=[1, 2.5, -999999999, 3, 4]), id="poly"
            ),
            pytest.param(
                lambda f: source(f)["masks"].append(dict(mask(f))), id="same id"
            ),
            pytest.param(
                lambda f: f.update(saved=1598982880693, video_gop=0.5, key_frame="x"),
                id="set by the server",
            ),
            pytest.param(
                lambda f: [p.update(mine=[1]) for p in (f, source(f), mask(f), roi(f))],
                id="unknown keys",
            ),
        ],
    )
    def test_accepted(self, change: Change) -> None:
        """
        What ClearML's server takes and no decoder stumbles over is no error.
        """
        frame = a_frame()

        change(frame)

        assert found_in(frame) == []
        assert found_in([frame], "frame-list") == []

    @pytest.mark.parametrize(
        ("name", "part"),
        [
            ("", lambda f: f),
            ("source", source),
            ("preview", lambda f: source(f)["preview"]),
            ("mask", mask),
            ("roi", roi),
        ],
    )
    def test_null(self, name: str, part: Part) -> None:
        """
        A key that may be absent may be null.
        """
        frame = a_frame()
        whole = schema("frame")
        rule = whole["$defs"].get(name, whole)
        optional = rule["properties"].keys() - set(rule["required"])

        part(frame).update(dict.fromkeys(optional))

        assert found_in(frame) == []

    @pytest.mark.parametrize(
        ("change", "code", "at"),
        [
            # What the client refuses as well.
            (lambda f: mask(f).update(id=1), "wrong-type", ".sources[0].masks[0].id"),
            (lambda f: mask(f).pop("id"), "missing-key", ".sources[0].masks[0]"),
            (lambda f: mask(f).pop("uri"), "missing-key", ".sources[0].masks[0]"),
            (
                lambda f: roi(f).update(labels=roi(f).pop("label")),
                "missing-key",
                ".rois[0]",
            ),
            (lambda f: roi(f).update(label="car"), "wrong-type", ".rois[0].label"),
            (lambda f: roi(f).update(label=None), "wrong-type", ".rois[0].label"),
            (
                lambda f: roi(f)["mask"].update(value="#d2d278"),
                "wrong-type",
                ".rois[0].mask.value",
            ),
            (lambda f: roi(f)["mask"].pop("id"), "missing-key", ".rois[0].mask"),
            (lambda f: roi(f)["mask"].pop("value"), "missing-key", ".rois[0].mask"),
            (
                lambda f: source(f).update(preview="a.jpg"),
                "wrong-type",
                ".sources[0].preview",
            ),
            (lambda f: f.update(timestamp=33.3), "wrong-type", ".timestamp"),
            (lambda f: f.update(timestamp="0"), "wrong-type", ".timestamp"),
            (lambda f: f.update(timestamp=True), "wrong-type", ".timestamp"),
            (
                lambda f: mask(f).update(timestamp=33.3),
                "wrong-type",
                ".sources[0].masks[0].timestamp",
            ),
            (lambda f: f.pop("sources"), "missing-key", ""),
            (lambda f: f.update(sources=None), "wrong-type", ".sources"),
            (lambda f: f.update(rois={}), "wrong-type", ".rois"),
            (lambda f: source(f).update(meta=[1]), "wrong-type", ".sources[0].meta"),
            (lambda f: roi(f).update(poly=["1"]), "wrong-type", ".rois[0].poly[0]"),
            (
                lambda f: roi(f).update(poly=[[1, 2]]),
                "wrong-type",
                ".rois[0].poly[0]",
            ),
            # What the client lets through, and a decoder would be misled by.
            (lambda f: f.update(id=""), "wrong-value", ".id"),
            (lambda f: source(f).update(id=""), "wrong-value", ".sources[0].id"),
            (lambda f: source(f).update(uri=""), "wrong-value", ".sources[0].uri"),
            (
                lambda f: mask(f).update(uri=""),
                "wrong-value",
                ".sources[0].masks[0].uri",
            ),
            (
                lambda f: roi(f)["mask"].update(id=""),
                "wrong-value",
                ".rois[0].mask.id",
            ),
            (
                lambda f: roi(f)["mask"].update(value=[1, 2]),
                "wrong-length",
                ".rois[0].mask.value",
            ),
            (
                lambda f: roi(f)["mask"].update(value=[1, 2, 3, 255]),
                "wrong-length",
                ".rois[0].mask.value",
            ),
            (
                lambda f: roi(f)["mask"].update(value=[]),
                "wrong-length",
                ".rois[0].mask.value",
            ),
            (
                lambda f: roi(f)["mask"].update(value=[1, 2.5, 3]),
                "wrong-type",
                ".rois[0].mask.value[1]",
            ),
            (
                lambda f: roi(f)["mask"].update(value=[1, True, 3]),
                "wrong-type",
                ".rois[0].mask.value[1]",
            ),
        ],
    )
    def test_refused(self, change: Change, code: str, at: str) -> None:
        """
        What would mislead a decoder is an error at its place.
        """
        frame = a_frame()

        change(frame)

        assert found_in(frame) == [(code, f"${at}")]
        assert found_in([frame], "frame-list") == [(code, f"$[0]{at}")]

    @pytest.mark.parametrize("document", [None, 1, "frame", [], True])
    def test_no_object(self, document: Any) -> None:
        """
        A frame is an object.
        """
        assert found_in(document) == [("wrong-type", "$")]


class TestDatasetVersion:
    @pytest.mark.parametrize(
        "document",
        [
            {},
            {
                "name": "crossing",
                "mask_labels": {
                    "_all_": [{"value": [0, 0, 0], "labels": ["background"]}],
                    "seg": [{"value": [1, 1, 1], "labels": ["person", "sitting"]}],
                },
                "metadata": {"city": "x", "nested": {"a.b": 1}},
            },
            {"mask_labels": [{"value": [300, -1, 0], "labels": []}]},
            {"metadata": {"mask_labels": {"_all_": []}}},
            {"metadata": {"mask_labels": []}},
            {
                "name": "v2",
                "parent": "v1",
                "status": "published",
                "comment": "",
                "tags": ["night"],
                "mask_labels": None,
                "metadata": None,
                "shards": [
                    {"file": "shards/ab.jsonl.gz", "frames": 0, "blake2b": "ab" * 32}
                ],
                "deleted": ["f1"],
                "created": "2020-09-01T20:01:20.880693",
                "published": None,
            },
        ],
    )
    def test_accepted(self, document: Any) -> None:
        """
        A manifest, a frames folder's light form and the server's own all pass.
        """
        assert found_in(document, "dataset-version") == []

    @pytest.mark.parametrize(
        ("document", "code", "at"),
        [
            ([], "wrong-type", "$"),
            ({"status": "final"}, "wrong-value", "$.status"),
            ({"metadata": {"a$": 1}}, "wrong-value", '$.metadata["a$"]'),
            ({"metadata": {"a.b": 1}}, "wrong-value", '$.metadata["a.b"]'),
            ({"mask_labels": "car"}, "wrong-type", "$.mask_labels"),
            ({"mask_labels": {"": []}}, "wrong-value", '$.mask_labels[""]'),
            ({"mask_labels": {"seg": {}}}, "wrong-type", "$.mask_labels.seg"),
            (
                {"mask_labels": [{"value": [1, 2, 3]}]},
                "missing-key",
                "$.mask_labels[0]",
            ),
            (
                {"metadata": {"mask_labels": [{"value": [1], "labels": []}]}},
                "wrong-length",
                "$.metadata.mask_labels[0].value",
            ),
            (
                {"mask_labels": {"_all_": [{"value": [1, 2, 3], "labels": "car"}]}},
                "wrong-type",
                "$.mask_labels._all_[0].labels",
            ),
            (
                {"shards": [{"file": "a.jsonl", "frames": 1}]},
                "missing-key",
                "$.shards[0]",
            ),
            (
                {"shards": [{"file": "a", "frames": -1, "blake2b": "ab" * 32}]},
                "wrong-value",
                "$.shards[0].frames",
            ),
            (
                {"shards": [{"file": "a", "frames": 1, "blake2b": "../secret"}]},
                "wrong-value",
                "$.shards[0].blake2b",
            ),
        ],
    )
    def test_refused(self, document: Any, code: str, at: str) -> None:
        """
        What would mislead whoever reads the version is an error at its place.
        """
        assert found_in(document, "dataset-version") == [(code, at)]


class TestDataset:
    @pytest.mark.parametrize(
        "document",
        [
            {"name": "cars"},
            {"name": "cars", "tags": None, "metadata": {"x": 1}, "paradigm": "general"},
        ],
    )
    def test_accepted(self, document: Any) -> None:
        """
        A dataset needs a name and nothing else.
        """
        assert found_in(document, "dataset") == []

    @pytest.mark.parametrize(
        ("document", "code", "at"),
        [
            ({}, "missing-key", "$"),
            ({"name": ""}, "wrong-value", "$.name"),
            ({"name": "cars", "tags": "night"}, "wrong-type", "$.tags"),
            ({"name": "cars", "metadata": {".": 1}}, "wrong-value", '$.metadata["."]'),
        ],
    )
    def test_refused(self, document: Any, code: str, at: str) -> None:
        """
        What is wrong with a dataset is an error at its place.
        """
        assert found_in(document, "dataset") == [(code, at)]
