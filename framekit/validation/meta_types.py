"""
The types of the keys of ``meta``, which one version must not mix.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from framekit._json import join
from framekit.validation.parts import Object

__all__ = ["KINDS", "types_of"]

#: What an index of documents calls the types of values.
KINDS: Final[dict[type, str]] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "text",
    dict: "object",
}


def types_of(value: Object, at: str) -> Iterator[tuple[str, str]]:
    """
    The path and the type of each key in *value*, which is at the path *at*.
    """
    for key, item in value.items():
        here = join(at, key)
        for inner in item if isinstance(item, list) else (item,):
            kind = KINDS.get(type(inner))
            if kind is not None:
                yield here, kind
            if isinstance(inner, dict):
                yield from types_of(inner, here)
