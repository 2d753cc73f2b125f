"""
What documents may look like: the packaged JSON Schemas, and all that breaks them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from framekit.errors import SchemaVersionError
from framekit.problem import Problem, Severity

__all__ = ["check", "schema"]

_SUFFIX: Final = ".schema.json"

_CODES: Final[Mapping[str, str]] = {
    "required": "missing-key",
    "type": "wrong-type",
    "minItems": "wrong-length",
    "maxItems": "wrong-length",
}

#: How many items and how many characters of a value a message shows.
_ITEMS: Final = 16
_CHARACTERS: Final = 64


def schema(name: str, version: str = "1.0") -> Mapping[str, Any]:
    """
    Read the JSON Schema of the documents called *name*.

    Raises:
        SchemaVersionError: If there is none of that name and *version*.
    """
    files = {
        file.name.removesuffix(_SUFFIX): file
        for file in _folder().iterdir()
        if file.name.endswith(_SUFFIX)
    }
    file = files.get(f"{name}-{version}")
    if file is None:
        reason = f"no schema {name}-{version}, only {', '.join(sorted(files))}"
        raise SchemaVersionError("$", reason, "unknown-version")
    read: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def check(document: Any, name: str, version: str = "1.0") -> Iterator[Problem]:
    """
    Compare *document* with the schema called *name* and yield every difference.

    The document is parsed JSON: a tuple, for one, is no array.

    Raises:
        SchemaVersionError: If there is no schema of that name and *version*.
    """
    validator = _validator(name, version)
    return (_problem(error) for error in validator.iter_errors(document))


def _folder() -> Traversable:
    try:
        return resources.files("framekit.schemas")
    except ModuleNotFoundError:  # a checkout that is not installed
        return Path(__file__).parents[1] / "schemas"


@cache
def _validator(name: str, version: str) -> Validator:
    validator: Validator = _WordedValidator(schema(name, version))
    return validator


def _problem(error: ValidationError) -> Problem:
    return Problem(
        code=_CODES.get(str(error.validator), "wrong-value"),
        severity=Severity.ERROR,
        message=error.message,
        at=_json_path(error.absolute_path),
    )


_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def _json_path(steps: Iterable[str | int]) -> str:
    path = "$"
    for step in steps:
        if isinstance(step, str) and _PLAIN_KEY.fullmatch(step):
            path += f".{step}"
        else:
            path += f"[{json.dumps(step)}]"
    return path


# jsonschema puts the whole value into its messages, at any size and depth. These
# keywords mean the same as its own and say it for people, in bounded space.
# Schemas use no keyword that can fail and is not here.


def _required(
    validator: Validator, keys: list[str], value: Any, _: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        for key in keys:
            if key not in value:
                yield ValidationError(f"the key {key!r} is missing")


def _type(
    validator: Validator, types: str | list[str], value: Any, rule: Mapping[str, Any]
) -> Iterator[ValidationError]:
    names = [types] if isinstance(types, str) else types
    if not any(validator.is_type(value, name) for name in names):
        # null is the same as an absent key, so nobody is told to write it.
        expected = " or ".join(_noun(n, rule) for n in names if n != "null")
        yield ValidationError(f"expected {expected}, got {_described(value)}")


def _min_items(
    validator: Validator, least: int, value: Any, rule: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if validator.is_type(value, "array") and len(value) < least:
        yield _wrong_length(value, rule)


def _max_items(
    validator: Validator, most: int, value: Any, rule: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if validator.is_type(value, "array") and len(value) > most:
        yield _wrong_length(value, rule)


def _min_length(
    validator: Validator, least: int, value: Any, _: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and len(value) < least:
        yield ValidationError(f"expected text, got {_described(value)}")


def _minimum(
    validator: Validator, least: int, value: Any, _: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if validator.is_type(value, "number") and value < least:
        yield ValidationError(f"expected at least {least}, got {_shown(value)}")


def _pattern(
    validator: Validator, pattern: str, value: Any, _: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not re.search(pattern, value):
        reason = f"expected text that matches {pattern}, got {_shown(value)}"
        yield ValidationError(reason)


def _enum(
    _: Validator, words: list[str | None], value: Any, __: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if value not in words:
        known = ", ".join(word for word in words if word is not None)
        yield ValidationError(f"expected one of {known}, got {_described(value)}")


def _property_names(
    validator: Validator, rule: Mapping[str, Any], value: Any, _: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not validator.is_type(value, "object"):
        return
    names = validator.evolve(schema=rule)
    for key in value:
        if not names.is_valid(key):
            reason = f"expected {rule['description']}, got {_shown(key)}"
            yield ValidationError(reason, path=[key])


_WordedValidator: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "enum": _enum,
        "maxItems": _max_items,
        "minItems": _min_items,
        "minLength": _min_length,
        "minimum": _minimum,
        "pattern": _pattern,
        "propertyNames": _property_names,
        "required": _required,
        "type": _type,
    },
)

_NOUNS: Final[Mapping[str, str]] = {
    "array": "an array",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def _noun(name: str, rule: Mapping[str, Any]) -> str:
    return f"an array of {_items(rule)}" if name == "array" else _NOUNS[name]


def _items(rule: Mapping[str, Any]) -> str:
    # What is spelled out elsewhere in the schema is always an object.
    return f"{rule['items'].get('type', 'object')}s"


def _wrong_length(value: list[Any], rule: Mapping[str, Any]) -> ValidationError:
    bounds = sorted({rule[k] for k in ("minItems", "maxItems") if k in rule})
    expected = " to ".join(map(str, bounds))
    got = f"{len(value)}: {_shown(value)}"
    return ValidationError(f"expected {expected} {_items(rule)}, got {got}")


def _described(value: Any) -> str:
    """
    A value with its type, where the value alone does not show it.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return _shown(value)
    if isinstance(value, str):
        return f"a string {_shown(value)}"
    if isinstance(value, list):
        return f"an array {_shown(value)}"
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"


def _shown(value: Any) -> str:
    """
    A value as JSON, cut where it is long; what is nested in an array is left out.
    """
    if isinstance(value, list):
        items = [_scalar(item) for item in value[:_ITEMS]]
        text = f"[{', '.join(items + ['…'] * (len(value) > _ITEMS))}]"
    else:
        text = _scalar(value)
    return text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 1]}…"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return repr(value[:_CHARACTERS])
    if isinstance(value, list):
        return "[…]"
    return "{…}" if isinstance(value, dict) else json.dumps(value, default=repr)
