"""
Converters for the fields of frame values.

They take what users have at hand, NumPy included, and refuse what would be
misread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from framekit import _json
from framekit.errors import ArgumentError, DocumentError

__all__ = [
    "as_color_value",
    "as_confidence",
    "as_count",
    "as_id",
    "as_labels",
    "as_mapping",
    "as_milliseconds",
    "as_names",
    "as_number",
    "as_numbers",
    "as_text",
    "as_tuple",
]


def as_tuple(items: Iterable[Any]) -> tuple[Any, ...]:
    """
    Make a tuple, but never of the letters of a string.
    """
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise ArgumentError("items", f"expected a list, got {items!r}")
    return tuple(items)


def as_id(value: Any, *, argument: str = "id") -> str:
    """
    A name that others refer to: text, not empty.
    """
    if not isinstance(value, str) or not value:
        found = _json.kind(value) if not isinstance(value, str) else "''"
        hint = f"; write {str(value)!r}" if _is_integer(value) else ""
        raise ArgumentError(argument, f"expected text, got {found}{hint}")
    return str(value)


def as_text(value: Any, *, argument: str) -> str | None:
    """
    Text, or nothing.
    """
    if value is None or isinstance(value, str):
        return value
    raise ArgumentError(argument, f"expected text, got {_json.kind(value)}")


def as_labels(value: Any, *, argument: str = "labels") -> tuple[str, ...]:
    """
    A list of label names.
    """
    return as_names(value, argument=argument, what="labels", example="car")


def as_names(value: Any, *, argument: str, what: str, example: str) -> tuple[str, ...]:
    """
    A list of text; a bare string is refused, it would be a list of letters.
    """
    if type(value) is tuple and all(type(name) is str for name in value):
        return value
    expected = f"expected a list of {what} like [{example!r}]"
    if isinstance(value, str):
        raise ArgumentError(argument, f"{expected}; write [{value!r}]")
    if isinstance(value, (bytes, Mapping)) or not isinstance(value, Iterable):
        raise ArgumentError(argument, f"{expected}, got {_json.kind(value)}")
    names = tuple(value)
    for name in names:
        if not isinstance(name, str):
            raise ArgumentError(argument, f"{expected}; {name!r} is no text")
    return tuple(str(name) for name in names)


def as_milliseconds(value: Any, *, argument: str = "timestamp") -> int | None:
    """
    A moment in whole milliseconds, or nothing.
    """
    if value is None or type(value) is int:
        return value
    if isinstance(value, Real) and not isinstance(value, (bool, Integral)):
        number = float(value)
        if not math.isfinite(number):
            reason = f"expected whole milliseconds like 33, got {number}"
            raise ArgumentError(argument, reason)
        if not number.is_integer():
            reason = f"expected whole milliseconds, got {number}; write {round(number)}"
            raise ArgumentError(argument, reason)
        return int(number)
    if not _is_integer(value):
        reason = f"expected whole milliseconds like 33, got {_shown(value)}"
        raise ArgumentError(argument, reason)
    return int(value)


def as_count(value: Any, *, argument: str) -> int | None:
    """
    A whole number of pixels, or nothing.
    """
    if value is None:
        return None
    whole = _is_integer(value) or (
        isinstance(value, Real)
        and not isinstance(value, bool)
        and float(value).is_integer()
    )
    if not whole:
        raise ArgumentError(argument, f"expected whole pixels, got {_shown(value)}")
    return int(value)


def as_number(value: Any, *, argument: str) -> int | float:
    """
    A finite number; integers stay integers.
    """
    if type(value) is int:
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ArgumentError(argument, f"expected a number, got {_shown(value)}")
    if isinstance(value, Integral):
        return int(value)
    number = float(value)
    if not math.isfinite(number):
        raise ArgumentError(argument, f"expected a finite number, got {number}")
    return number


def as_confidence(value: Any, *, argument: str = "confidence") -> int | float | None:
    """
    A finite number, or nothing. Documents hold values beyond 0 to 1.
    """
    return None if value is None else as_number(value, argument=argument)


def as_numbers(value: Any, *, argument: str) -> tuple[int | float, ...]:
    """
    A flat list of finite numbers.
    """
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        reason = f"expected a list of numbers, got {_shown(value)}"
        raise ArgumentError(argument, reason)
    return tuple(as_number(item, argument=argument) for item in value)


def as_color_value(value: Any, *, argument: str = "value") -> tuple[int, int, int]:
    """
    Three integers as a document has them, also beyond 0 to 255.

    ClearML's own pages have -1 in them. Such a value is kept, never matches a
    pixel, and is reported by validation.
    """
    numbers = as_numbers(value, argument=argument)
    if len(numbers) != 3 or any(n != int(n) for n in numbers):
        reason = f"expected three integers (red, green, blue), got {list(numbers)}"
        raise ArgumentError(argument, reason)
    return int(numbers[0]), int(numbers[1]), int(numbers[2])


def as_mapping(value: Any, *, argument: str = "metadata") -> dict[str, Any]:
    """
    A copy of a mapping as plain JSON values; None is an empty one.
    """
    if not value and (value is None or type(value) is dict):
        return {}
    if not isinstance(value, Mapping):
        raise ArgumentError(argument, f"expected a mapping, got {_json.kind(value)}")
    try:
        copied: dict[str, Any] = _json.plain(value)
    except DocumentError as error:
        at = error.at.removeprefix("$").removeprefix(".")
        raise ArgumentError(argument, f"{at}: {error.reason}") from None
    return copied


def _is_integer(value: Any) -> bool:
    return type(value) is int or (
        isinstance(value, Integral) and not isinstance(value, bool)
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 64 else text[:63] + "…"
