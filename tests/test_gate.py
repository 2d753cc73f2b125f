from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framekit._json import key_ends
from framekit.dataset import Record, open_target
from framekit.dataset.lines import Line
from framekit.dataset.records import record_of
from framekit.frame import canonical
from framekit.schema import check, schema
from framekit.validation import validate
from framekit.validation.checker import Checker
from framekit.validation.doubts import FACTS, rules_in
from framekit.validation.frames import check_frame
from framekit.validation.gate import Gate, Unclear
from framekit.validation.outcome import Outcome
from framekit.validation.parts import Parts
from framekit.validation.rules import RULES
from framekit.validation.version_rules import VersionLabels
from framekit.validation.whole import Whole

SAMPLES = Path(__file__).parents[1] / "samples"

BASES: list[dict[str, Any]] = [
    json.loads((SAMPLES / "valid" / name).read_text())
    for name in (
        "single-frame.json",
        "page-example-1.json",
        "page-example-2.json",
        "frame-group.json",
        "geometry.json",
    )
]

#: One of everything that the schema has.
FULL: dict[str, Any] = {
    "id": "one",
    "timestamp": 33,
    "context_id": "car_1",
    "meta": {"velocity": "60", "tags": ["a", "b"], "car": {"doors": 4}},
    "meta_blob": {"a": {"b": [1.5]}},
    "blob": "x",
    "saved": {"by": 1},
    "custom": [{"k": 1}],
    "sources": [
        {
            "id": "front",
            "uri": "front.mp4",
            "content_type": "video/mp4",
            "width": 800,
            "height": 600,
            "timestamp": 33,
            "meta": {"angle": 45},
            "preview": {
                "uri": "front.jpg",
                "content_type": "image/jpeg",
                "timestamp": 0,
                "width": 80,
                "height": 60,
            },
            "masks": [
                {
                    "id": "seg",
                    "uri": "seg.mp4",
                    "content_type": "video/mp4",
                    "timestamp": 33,
                    "width": 800,
                    "height": 600,
                }
            ],
        }
    ],
    "rois": [
        {
            "id": "roi",
            "label": ["car", "red"],
            "sources": ["front"],
            "mask": {"id": "seg", "value": [1, 2, 3]},
            "confidence": 0.5,
            "meta": {"_type": "p2d"},
            "label_num": 3,
        },
        {"label": ["dog"], "poly": [0, 0, 1, 0, 1.5, 1], "meta": {"_type": "p2d"}},
    ],
}

#: What a value may be mistaken for; most are wrong nearly everywhere.
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 256, 0.0, 1.0, 33.0, -0.5, 2**63, 2**64 - 1, 1e20,
    -1e300, "", " ", "\n", "a", "a\n", "front", "front\n", "seg", "seg\n", "car\n",
    "video/mp4\n", "p2d\n", [], [None], [1], ["front"], ["front\n"], [1, 2, 3],
    [1, 2, 3, 4], [1, 2, True], [1, 2, 3.0], ["a", 1], [[]], [{}], {}, {"a": 1},
    {"id": "seg", "value": [1, 2, 3]}, {"uri": "x"}, {"id": "x", "uri": "y"},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """
    The way to each value within *value*.
    """
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        yield (*path, step)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*path, step))


def changed(frame: Any, path: tuple[Any, ...], value: Any) -> Any:
    """
    A copy of *frame* with another value at *path*.
    """
    made = copy.deepcopy(frame)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = copy.deepcopy(value)
    return made


def without(frame: Any, path: tuple[Any, ...]) -> Any:
    """
    A copy of *frame* with nothing at *path*.
    """
    made = copy.deepcopy(frame)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return made


def assert_never_lax(frame: Any, gate: Gate) -> int | None:
    """
    Compare what the gate says of *frame* with the schema and all rules.
    """
    try:
        doubts = gate.examine(frame)
    except Unclear:
        return None
    read, respellings = canonical(frame)
    assert (read is frame, respellings) == (True, [])
    assert list(check(frame, "frame")) == []
    parts = Parts(frame)
    broken = {rule for rule in RULES if list(rule(parts))}
    assert broken <= set(rules_in(doubts))
    return doubts


def fully(records: list[Record], labels: VersionLabels) -> Any:
    """
    All that is found without the gate.
    """
    outcome = Outcome()
    for record in records:
        check_frame(record, outcome, labels, references=True)
    return found_in([outcome], labels)


def found_in(outcomes: list[Outcome], labels: VersionLabels) -> Any:
    """
    The problems of *outcomes*, and the number of frames.
    """
    whole = Whole()
    problems = [found for outcome in outcomes for found in whole.add(outcome)]
    problems += whole.finish(labels, "version.json")
    return whole.frames, problems


class TestOneChange:
    def test_full(self) -> None:
        """
        A frame that has everything is cleared once what is told once is known.
        """
        gate = Gate(VersionLabels(None))

        assert gate.examine(FULL) == FACTS
        gate.learn()
        assert gate.examine(FULL) == 0

    @pytest.mark.parametrize("odd", ODD, ids=lambda value: json.dumps(value)[:30])
    def test_never_lax(self, odd: Any) -> None:
        """
        Whatever value takes the place of whatever other, no problem gets by.
        """
        gate = Gate(VersionLabels(None))
        for path in places(FULL):
            assert_never_lax(changed(FULL, path, odd), gate)
            if isinstance(path[-1], str):
                beside = (*path[:-1], f"{path[-1]}s")
                assert_never_lax(changed(FULL, beside, odd), gate)

    def test_keys(self) -> None:
        """
        Nor when a key is missing.
        """
        gate = Gate(VersionLabels(None))

        for path in places(FULL):
            assert_never_lax(without(FULL, path), gate)

    def test_types_of_equal_numbers(self) -> None:
        """
        True and 1.0 are not taken for a 1 that was cleared before.
        """
        gate = Gate(VersionLabels(None))
        one = changed(FULL, ("rois", 0, "mask", "value"), [1, 1, 1])
        gate.examine(one)
        gate.learn()

        assert gate.examine(one) == 0
        for odd in (True, 1.0):
            with pytest.raises(Unclear):
                gate.examine(changed(one, ("rois", 0, "mask", "value", 0), odd))

    def test_newlines(self) -> None:
        """
        An id is another one with a line end behind it.
        """
        gate = Gate(VersionLabels(None))
        path = ("rois", 0, "mask", "id")

        doubts = assert_never_lax(changed(FULL, path, "seg\n"), gate)

        assert doubts is not None
        names = {rule.__name__ for rule in rules_in(doubts)}
        assert "dangling_mask_id" in names

    def test_schema_words(self) -> None:
        """
        The gate knows the words that the schema is written in.

        Others it would have to learn, like ``pattern``, whose $ lets a line end by.
        """
        known = {
            "$defs", "$id", "$ref", "$schema", "default", "description", "items",
            "maxItems", "minItems", "minLength", "properties", "readOnly", "required",
            "title", "type",
        }  # fmt: skip

        def words(rule: Any) -> set[str]:
            if not isinstance(rule, dict):
                return set()
            found = set(rule)
            for key, inner in rule.items():
                if key in ("properties", "$defs"):
                    found.update(*map(words, inner.values()))
                elif key == "items":
                    found |= words(inner)
            return found

        assert words(schema("frame")) == known


Json = st.recursive(
    st.sampled_from(ODD) | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "uri", "value", "label", "labels", "mask", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """
    A good frame with up to three changes.
    """
    made = copy.deepcopy(draw(st.sampled_from([*BASES, FULL])))
    for _ in range(draw(st.integers(0, 3))):
        ways = list(places(made))
        if not ways:
            break
        path = draw(st.sampled_from(ways))
        act = draw(st.sampled_from(["change", "change", "drop", "add", "swap"]))
        if act == "drop":
            made = without(made, path)
        elif act == "swap":
            inner = draw(st.sampled_from(ways))
            made = changed(made, path, _at(made, inner))
        elif act == "add" and isinstance(path[-1], str):
            key = draw(st.sampled_from(["id", "color", "annotations", "Label", "mask"]))
            made = changed(made, (*path[:-1], key), draw(Json))
        else:
            made = changed(made, path, draw(Json))
    return made


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


LABELS = [
    VersionLabels(None),
    VersionLabels({"mask_labels": {"seg": [{"value": [1, 2, 3], "labels": ["car"]}]}}),
    VersionLabels({"mask_labels": [{"value": [210, 210, 120], "labels": ["car"]}]}),
]


class TestMutated:
    @settings(
        max_examples=300,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(mutated(), min_size=1, max_size=4), st.sampled_from(LABELS))
    def test_same(self, frames: list[Any], labels: VersionLabels) -> None:
        """
        With the gate the report is the one without it, in order and whole.
        """
        gate = Gate(labels)
        frames = [*frames, frames[0]]
        for frame in frames:
            if (doubts := assert_never_lax(frame, gate)) is not None:
                gate.learn() if doubts & FACTS else gate.count()
        records = [Record(f"f:{n}", n, frame) for n, frame in enumerate(frames)]
        checker = Checker(labels, references=True)
        outcomes = []
        for record in records:
            outcome = Outcome()
            checker.check_record(record, outcome)
            checker.finish(outcome)
            outcomes.append(outcome)

        assert found_in(outcomes, labels) == fully(records, labels)

    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.data())
    def test_lines(self, data: st.DataObject) -> None:
        """
        The same holds for lines, of which some repeat keys or have huge integers.
        """
        text = json.dumps(
            data.draw(mutated()),
            separators=data.draw(st.sampled_from([(",", ":"), (", ", " : ")])),
        )
        cut = data.draw(st.integers(0, len(text)))
        more = data.draw(
            st.sampled_from(
                ["", '"id":"a",', '"id"\t:"a",', '"x":18446744073709551616,', "0", "{"]
            )
        )
        text = text[:cut] + more + text[cut:]
        line = Line(1, text.encode(), len(text) + 1, ended=True)
        checker = Checker(LABELS[0], references=True)
        outcomes = [Outcome(), Outcome()]
        for outcome in outcomes:
            checker._check_line(line, key_ends(line.data or b""), "f", outcome)
            checker.finish(outcome)
        record = record_of(line, "f")
        assert record is not None or not text.strip()

        records = [] if record is None else [record, record]
        assert found_in(outcomes, LABELS[0]) == fully(records, LABELS[0])


class TestLosses:
    @pytest.mark.parametrize(
        "text",
        [
            '{"sources":[],"sources":[]}',
            '{"sources" : [],"sources":[]}',
            '{"sources"\t:[], "meta":{"a":1,"a" :2}}',
            '{"sources":[],"meta":{"a":18446744073709551616}}',
            '{"sources":[],"x":[[-9223372036854775809]]}',
        ],
    )
    def test_unclear(self, text: str) -> None:
        """
        What a parser loses silently is not cleared.
        """
        gate = Gate(VersionLabels(None))

        with pytest.raises(Unclear):
            gate.examine(json.loads(text, parse_int=_lost), key_ends(text.encode()))

    def test_depth(self) -> None:
        """
        Nor is what nests deeper than the gate looks.
        """
        deep: Any = 1
        for _ in range(70):
            deep = [deep]

        with pytest.raises(Unclear):
            Gate(VersionLabels(None)).examine(FULL | {"custom": deep})


class TestValidate:
    def test_duplicates(self, tmp_path: Path) -> None:
        """
        Frames with one id are told with both places, however far apart they are.
        """
        path = tmp_path / "frames.jsonl"
        ids = [*map(str, range(300)), "7", *map(str, range(300, 400)), "7", "399"]
        lines = [json.dumps(FULL | {"id": id}) for id in ids]
        path.write_text("\n".join(lines), encoding="utf-8")

        report = validate(path)

        assert [(p.document, p.message) for p in report.problems][:3] == [
            (
                f"frames.jsonl:{line}",
                f"'{id}' is also the id of frames.jsonl:{first} $.id",
            )
            for line, id, first in ((301, 7, 8), (402, 7, 8), (403, 399, 401))
        ]

    def test_equal_hashes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Ids whose hashes are equal by chance are no duplicates.
        """
        monkeypatch.setattr(
            "framekit.validation.frame_ids.hash", lambda _: 7, raising=False
        )

        report = validate([FULL | {"id": id} for id in ("a", "b", "c", "b", "a")])

        assert [(p.document, p.frame) for p in report.problems] == [
            ("frames[3]", "b"),
            ("frames[4]", "a"),
        ]

    def test_samples(self) -> None:
        """
        Good samples need the slow way only until it is known what they share.
        """
        gate = Gate(VersionLabels(None))
        for name in ("single-frame", "frame-group", "geometry", "instances"):
            for record in open_target(SAMPLES / f"valid/{name}.json").records():
                gate.examine(record.value)
                gate.learn()
                assert gate.examine(record.value) == 0


def _lost(text: str) -> int | float:
    value = int(text)
    return value if -(2**63) <= value < 2**64 else float(value)
