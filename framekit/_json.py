"""
JSON bytes to values, and values to attrs objects, both ways and exactly once.

The attrs field is the only declaration of a JSON key: ``nested`` and
``spelled`` put what the walk needs into its metadata.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Final, NamedTuple, TypeVar

import attrs
import orjson

from framekit.errors import ArgumentError, DocumentError

__all__ = [
    "dumps",
    "fingerprint",
    "from_json",
    "join",
    "key_ends",
    "kind",
    "loads",
    "loads_written",
    "nested",
    "parse",
    "plain",
    "spelled",
    "to_json",
]

T = TypeVar("T")

#: How deep documents may nest; recursion over parsed JSON relies on it.
MAX_DEPTH: Final = 100

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_CONTAINERS: Final = frozenset({dict, list})
_HOLDERS: Final = (list, tuple, Mapping)
_KEY: Final = "framekit.key"
_NESTED: Final = "framekit.nested"
_MANY: Final = "framekit.many"

_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    ((list, tuple), "an array"),
    (Mapping, "an object"),
)


def spelled(key: str) -> dict[str, Any]:
    """
    Field metadata: the JSON key, where it is not the field's name.
    """
    return {_KEY: key}


def nested(cls: type, *, many: bool = False) -> dict[str, Any]:
    """
    Field metadata: the value is a *cls*, or with *many* an array of them.
    """
    return {_NESTED: cls, _MANY: many}


def kind(value: Any) -> str:
    """
    Name the JSON type of *value* as a message would: ``"a string"``.
    """
    if value is None:
        return "null"
    return next((name for types, name in _KINDS if isinstance(value, types)), "?")


def from_json(cls: type[T], data: Any, at: str = "$") -> T:
    """
    Build a *cls* from parsed JSON.

    ``null`` is the same as absent; undeclared keys go to ``extra``; keys that
    are present but empty are remembered, so that writing gives them back.

    Raises:
        DocumentError: If a key is missing or a value is refused; ``at`` is its
            JSON path.
    """
    if not isinstance(data, Mapping):
        raise DocumentError(at, f"expected an object, got {kind(data)}", "wrong-type")
    plan = _plan(cls)
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    empty: list[str] = []
    for key, value in data.items():
        step = plan.by_key.get(key)
        if step is None:
            extra[key] = plain(value, join(at, key))
        elif value is not None:
            values[step.argument] = _read(step, value, join(at, key))
            if not step.required and _is_empty(value):
                empty.append(key)
    for step in plan.steps:
        if step.required and step.argument not in values:
            reason = f"the key {step.key!r} is missing"
            raise DocumentError(at, reason, "missing-key")
    if extra:
        values["extra"] = extra
    if empty:
        values["kept_empty"] = tuple(empty)
    build = getattr(cls, "__attrs_init__", None)
    try:
        if build is None:
            return cls(**values)
        obj = cls.__new__(cls)
        build(obj, **values)
        return obj
    except ArgumentError as error:
        key = plan.keys.get(error.argument, error.argument)
        raise DocumentError(join(at, key), error.reason, "wrong-value") from None


def to_json(obj: Any) -> dict[str, Any]:
    """
    Return *obj* as parsed JSON: declared keys in order, ``extra`` last.

    Optional values that are empty are left out, unless they were read so.
    """
    written: dict[str, Any] = {}
    kept = obj._kept_empty  # noqa: SLF001 - the walk's own bookkeeping
    for step in _plan(type(obj)).steps:
        value = getattr(obj, step.name)
        if value is None:
            continue
        if not (step.required or step.key in kept) and _is_empty(value):
            continue
        if step.nested is None:
            written[step.key] = plain(value)
        elif step.many:
            written[step.key] = [to_json(item) for item in value]
        else:
            written[step.key] = to_json(value)
    for key, value in obj.extra.items():
        written[key] = plain(value)
    return written


def plain(value: Any, at: str = "$") -> Any:
    """
    Copy *value* into plain JSON types; NumPy scalars and arrays become numbers.

    Raises:
        DocumentError: If it has no JSON form, like NaN or a set.
    """
    cls = type(value)
    if cls is str or cls is int or cls is bool or value is None:
        return value
    if cls is float:
        if not math.isfinite(value):
            raise DocumentError(at, f"expected a finite number, got {value}")
        return value
    if cls is tuple or cls is list:
        return [plain(item, f"{at}[{n}]") for n, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(key, at): plain(v, join(at, key)) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{at}[{n}]") for n, item in enumerate(value)]
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return plain(float(value), at)
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy arrays and booleans
        return plain(value.tolist(), at)
    raise DocumentError(at, f"expected a JSON value, got {cls.__name__}")


def _key(key: Any, at: str) -> str:
    if not isinstance(key, str):
        raise DocumentError(at, f"expected string keys, got {key!r}")
    return key


def join(at: str, key: str) -> str:
    """
    The JSON path of *key* in the object at *at*: ``$.a.b``, ``$["a b"]``.
    """
    return f"{at}.{key}" if _PLAIN_KEY.match(key) else f"{at}[{json.dumps(key)}]"


def dumps(value: Any, *, indent: bool = False) -> bytes:
    """
    Write parsed JSON as UTF-8 bytes.

    Raises:
        DocumentError: If an integer does not fit 64 bits or text is no Unicode.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    except orjson.JSONEncodeError as error:
        code = "integer-too-large" if "64-bit" in str(error) else "invalid-json"
        raise DocumentError("$", str(error), code) from None


def fingerprint(value: Any) -> bytes:
    """
    Bytes that only the same parsed JSON has, with its keys in the same order.

    Raises:
        DocumentError: If an integer does not fit 64 bits or text is no Unicode.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise DocumentError("$", str(error)) from None


def loads(data: bytes | str) -> Any:
    """
    Parse JSON, refusing what a parser would lose silently.

    Raises:
        DocumentError: If it is no JSON, repeats a key within one object, or has
            an integer beyond 64 bits.
    """
    value, losses = parse(data)
    if losses:
        raise losses[0]
    return value


def loads_written(data: bytes) -> Any:
    """
    Parse what :func:`dumps` wrote; nothing that it cannot write is looked for.

    Raises:
        DocumentError: If it is no JSON at all.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DocumentError("$", _sentence(error)) from None


def key_ends(raw: bytes) -> int:
    """
    A number that is at least that of the keys written in *raw*.

    It is the same unless text looks like the end of a key. A parsed document with
    fewer keys has therefore lost some that were repeated.
    """
    # Every key ends in a quote and a colon, with nothing but white space between.
    ends = raw.count(b'":')
    for space in _SPACES:
        if space in raw:
            ends += raw.count(space + b":")
    return ends


def parse(data: bytes | str) -> tuple[Any, list[DocumentError]]:
    """
    Parse JSON and list what was lost on the way: repeated keys, huge integers.

    Returns:
        The value, in which the last of repeated keys wins, and one error each.

    Raises:
        DocumentError: If it is no JSON at all.
    """
    try:
        raw = data.encode() if isinstance(data, str) else bytes(data)
        value = orjson.loads(raw)
    except UnicodeEncodeError as error:
        raise DocumentError("$", f"no Unicode text: {error.reason}") from None
    except orjson.JSONDecodeError as error:
        code = "bad-utf8" if _is_bad_utf8(raw) else "invalid-json"
        raise DocumentError("$", _sentence(error), code) from None
    if not _suspect(raw, value):
        return value, []
    return _parse_slowly(raw)


class _Step(NamedTuple):
    name: str
    argument: str
    key: str
    nested: type | None
    many: bool
    required: bool


class _Plan(NamedTuple):
    steps: tuple[_Step, ...]
    by_key: dict[str, _Step]
    keys: dict[str, str]


_PLANS: Final[dict[type, _Plan]] = {}


def _plan(cls: type) -> _Plan:
    if cls not in _PLANS:
        _PLANS[cls] = _made_plan(cls)
    return _PLANS[cls]


def _made_plan(cls: type) -> _Plan:
    steps = tuple(
        _Step(
            name=a.name,
            argument=a.alias or a.name,
            key=a.metadata.get(_KEY, a.name),
            nested=a.metadata.get(_NESTED),
            many=a.metadata.get(_MANY, False),
            required=a.default is attrs.NOTHING,
        )
        for a in attrs.fields(cls)
        if a.name not in ("extra", "_kept_empty")
    )
    return _Plan(
        steps=steps,
        by_key={step.key: step for step in steps},
        keys={step.argument: step.key for step in steps},
    )


def _read(step: _Step, value: Any, at: str) -> Any:
    if step.nested is None:
        return value
    if not step.many:
        return from_json(step.nested, value, at)
    if not isinstance(value, list):
        raise DocumentError(at, f"expected an array, got {kind(value)}", "wrong-type")
    return tuple(
        from_json(step.nested, item, f"{at}[{n}]") for n, item in enumerate(value)
    )


def _is_empty(value: Any) -> bool:
    return not value and isinstance(value, _HOLDERS)


def _sentence(error: orjson.JSONDecodeError) -> str:
    return f"no JSON: {error.msg} (line {error.lineno}, column {error.colno})"


def _is_bad_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False


# orjson keeps the last of repeated keys and turns integers beyond 64 bits into
# floats, both without a word. Two counts that cost little clear nearly every
# document; what they do not clear goes through the standard parser.

_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_SPACES: Final = (b" ", b"\t", b"\n", b"\r")
_KEY_END = re.compile(rb'"[ \t\r\n]*:')


def _suspect(raw: bytes, value: Any) -> bool:
    keys = _count_keys(value)
    if b"0" * 19 in raw.translate(_DIGITS_TO_ZERO):
        return True
    return key_ends(raw) > keys and len(_KEY_END.findall(raw)) > keys


def _count_keys(value: Any) -> int:
    count = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if type(item) is dict:
                count += len(item)
                inner.extend(v for v in item.values() if type(v) in _CONTAINERS)
            elif type(item) is list:
                inner.extend(v for v in item if type(v) in _CONTAINERS)
        if not inner:
            return count
        level = inner
    reason = f"nested more than {MAX_DEPTH} levels deep"
    raise DocumentError("$", reason, "invalid-json")


class _Repeated(dict[str, Any]):
    """
    An object that repeated some of its keys.
    """

    def __init__(self, pairs: list[tuple[str, Any]], repeated: list[str]) -> None:
        super().__init__(pairs)
        self.repeated = repeated


def _parse_slowly(raw: bytes) -> tuple[Any, list[DocumentError]]:
    try:
        marked = json.loads(raw, object_pairs_hook=_mark)
    except (ValueError, RecursionError) as error:
        raise DocumentError("$", f"no JSON: {error}") from None
    losses: list[DocumentError] = []
    return _unmark(marked, "$", losses), losses


def _mark(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    return _Repeated(pairs, [key for key in found if keys.count(key) > 1])


def _unmark(value: Any, at: str, losses: list[DocumentError]) -> Any:
    if isinstance(value, _Repeated):
        for key in value.repeated:
            reason = f"the key {key!r} occurs more than once; the last one counts"
            losses.append(DocumentError(join(at, key), reason, "duplicate-key"))
    if isinstance(value, dict):
        return {
            key: _unmark(item, join(at, key), losses) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_unmark(item, f"{at}[{n}]", losses) for n, item in enumerate(value)]
    if type(value) is int and not -(2**63) <= value < 2**64:
        reason = f"expected an integer of at most 64 bits, got {str(value)[:40]}"
        losses.append(DocumentError(at, reason, "integer-too-large"))
    return value
