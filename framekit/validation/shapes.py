"""
Which keys an object of a frame has, judged once for all objects that have them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

from framekit.schema import schema
from framekit.validation.keys import known_keys, meant_key

__all__ = ["Shape", "Shapes"]

#: How many shapes are remembered; versions have a few.
_REMEMBERED: Final = 4096

#: Keys of other spellings, by the kind of object that has them.
_RESPELLED: Final = {"source": frozenset({"mask"}), "roi": frozenset({"labels"})}


#: The optional keys that most ROIs have.
_USUAL: Final = frozenset({"mask", "sources"})


class Shape(NamedTuple):
    """
    What the keys of an object alone say about it.
    """

    #: Whether all is there that has to be, in canonical spelling.
    is_possible: bool

    #: Keys whose values may be anything.
    loose: tuple[str, ...]

    #: Whether a key is much like one that is known.
    is_misspelled: bool

    #: Keys that are neither loose nor in all objects of the kind.
    optional: frozenset[str]

    #: Whether some of these are of the less usual ones.
    is_rare: bool


class Shapes(dict[tuple[str, ...], Shape]):
    """
    The shapes of one kind of object, by their keys; what is missing is judged.
    """

    def __init__(self, kind: str) -> None:
        """
        Judge objects of the *kind* that the schema of frames defines.

        Args:
            kind: ``""`` for the frame itself.
        """
        super().__init__()
        self._kind = kind

    def __missing__(self, keys: tuple[str, ...]) -> Shape:
        if len(self) >= _REMEMBERED:
            self.clear()
        shape = _shape_of(self._kind, frozenset(keys), keys)
        self[keys] = shape
        return shape


def _shape_of(kind: str, keys: frozenset[str], ordered: tuple[str, ...]) -> Shape:
    rule = _definition(kind)
    known, required = known_keys(kind), frozenset(rule["required"])
    typed = {
        key
        for key, value in rule["properties"].items()
        if {"type", "$ref"} & set(value)
    }
    unknown = keys - known
    optional = (keys & typed) - required
    return Shape(
        is_possible=required <= keys and not keys & _RESPELLED.get(kind, frozenset()),
        loose=tuple(key for key in ordered if key not in typed),
        is_misspelled=any(meant_key(kind, key) is not None for key in unknown),
        optional=optional,
        is_rare=bool(optional - _USUAL),
    )


@cache
def _definition(kind: str) -> Any:
    whole = schema("frame")
    return whole["$defs"][kind] if kind else whole
