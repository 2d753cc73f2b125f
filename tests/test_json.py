from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from framekit import _json
from framekit.errors import DocumentError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('ab:" ,{}\n'), inner),
    max_leaves=12,
)


@frozen(kw_only=True)
class Leaf:
    name: str
    extra: dict[str, Any] = field(factory=dict)
    _kept_empty: tuple[str, ...] = ()


@frozen(kw_only=True)
class Tree:
    leaves: tuple[Leaf, ...] = field(default=(), metadata=_json.nested(Leaf, many=True))
    top: Leaf | None = field(default=None, metadata=_json.nested(Leaf))
    extra: dict[str, Any] = field(factory=dict)
    _kept_empty: tuple[str, ...] = ()


class TestParse:
    @given(VALUES, st.sampled_from([None, 1]))
    def test_like_the_standard_parser(self, value: Any, indent: int | None) -> None:
        """
        What the standard parser reads, we read, and nothing is called lost.
        """
        text = json.dumps(value, indent=indent)

        assert _json.parse(text) == (json.loads(text), [])

    @pytest.mark.parametrize(
        ("text", "at"),
        [
            ('{"a":1,"a":2}', "$.a"),
            ('{"a" :1,"a":2}', "$.a"),
            ('{"a"\n:1, "a"\t: 1}', "$.a"),
            ('{"x":[{"b c":1,"b c":1}]}', '$.x[0]["b c"]'),
            ('{"u":"s3://a","x":{"\\u0061":1,"a":2}}', "$.x.a"),
        ],
    )
    def test_duplicate_key(self, text: str, at: str) -> None:
        """
        A repeated key is found, wherever it is and however it is spaced.
        """
        _, losses = _json.parse(text)

        assert [(loss.at, loss.code) for loss in losses] == [(at, "duplicate-key")]

    @pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**40])
    def test_integer_too_large(self, number: int) -> None:
        """
        An integer that orjson would turn into a float is kept, and told.
        """
        value, losses = _json.parse(f'{{"a":[{number}]}}')

        assert value == {"a": [number]}
        assert [(loss.at, loss.code) for loss in losses] == [
            ("$.a[0]", "integer-too-large")
        ]

    def test_largest_integers(self) -> None:
        """
        64 bits are fine.
        """
        assert _json.parse(f"[{2**64 - 1},{-(2**63)}]") == ([2**64 - 1, -(2**63)], [])

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "invalid-json"),
            (b'{"a":', "invalid-json"),
            (b"NaN", "invalid-json"),
            (b'{"a":"\xff"}', "bad-utf8"),
            (b"[" * 101 + b"]" * 101, "invalid-json"),
            (b"[" * 100_000, "invalid-json"),
        ],
    )
    def test_no_json(self, data: bytes, code: str) -> None:
        """
        What is no JSON, or nested absurdly deep, is refused by code.
        """
        with pytest.raises(DocumentError) as e:
            _json.parse(data)

        assert e.value.code == code


class TestWalk:
    def test_round_trip(self) -> None:
        """
        Nested objects, unknown keys and empty lists come back as they were.
        """
        data = {"leaves": [], "top": {"name": "a", "?": {"deep": [1, None]}}, "x": 1}

        assert _json.to_json(_json.from_json(Tree, data)) == data

    def test_missing_key(self) -> None:
        """
        A missing key is named with the path of the object that lacks it.
        """
        with pytest.raises(DocumentError) as e:
            _json.from_json(Tree, {"leaves": [{"name": "a"}, {}]})

        assert e.value == DocumentError(
            "$.leaves[1]", "the key 'name' is missing", "missing-key"
        )

    def test_wrong_type(self) -> None:
        """
        A value where an object belongs says what it is.
        """
        with pytest.raises(DocumentError) as e:
            _json.from_json(Tree, {"top": ["a"]})

        assert str(e.value) == "$.top: expected an object, got an array"


class TestPlain:
    def test_numpy(self) -> None:
        """
        NumPy scalars and arrays become numbers and lists.
        """
        value = {"a": np.int64(3), "b": np.array([1.5, 2]), "c": np.bool_(1)}

        assert _json.plain(value) == {"a": 3, "b": [1.5, 2.0], "c": True}

    @pytest.mark.parametrize("value", [float("nan"), {1: 2}, {"a": {1, 2}}, object()])
    def test_refused(self, value: Any) -> None:
        """
        What has no JSON form is refused, not written as something else.
        """
        with pytest.raises(DocumentError):
            _json.plain(value)


def test_dumps_refuses_large_integers() -> None:
    """
    Writing an integer beyond 64 bits is refused by the same code as reading it.
    """
    with pytest.raises(DocumentError) as e:
        _json.dumps({"a": 2**64})

    assert e.value.code == "integer-too-large"
