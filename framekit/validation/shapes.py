"""
Which keys an object of a frame has, judged once for all objects that have them.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    What the keys of an object and the types of their values alone say about it.
    """

    #: Whether all is there that has to be, of the right types and in canonical
    #: spelling.
    is_possible: bool

    #: Keys whose values may be anything.
    loose: tuple[str, ...]

    #: Whether a key is much like one that is known.
    is_misspelled: bool

    #: Optional keys that have values; those of :attr:`loose` left out.
    optional: frozenset[str]

    #: Whether some of these are of the less usual ones.
    is_rare: bool

    #: Whether there is more to say than that it is possible.
    is_odd: bool


#: The keys of an object and the types of their values.
Signature = tuple[tuple[str, ...], tuple[type, ...]]


class Shapes(dict[Signature, Shape]):
    """
    The shapes of one kind of object; what is missing is judged.
    """

    def __init__(self, kind: str) -> None:
        """
        Judge objects of the *kind* that the schema of frames defines.

        Args:
            kind: ``""`` for the frame itself.
        """
        super().__init__()
        self._kind = kind

    def __missing__(self, signature: Signature) -> Shape:
        if len(self) >= _REMEMBERED:
            self.clear()
        shape = _shape_of(self._kind, signature)
        self[signature] = shape
        return shape


def _shape_of(kind: str, signature: Signature) -> Shape:
    keys, known = frozenset(signature[0]), known_keys(kind)
    types = dict(zip(*signature, strict=True))
    rule = definition(kind)
    required = frozenset(rule["required"])
    allowed = {key: _types_of(rule["properties"][key]) for key in keys & known}
    typed = {key for key, names in allowed.items() if names is not None}
    optional = frozenset(
        key for key in typed - required if types[key] is not type(None)
    )
    loose = tuple(key for key in signature[0] if key not in typed)
    misspelled = any(meant_key(kind, key) is not None for key in keys - known)
    return Shape(
        is_possible=required <= keys
        and not keys & _RESPELLED.get(kind, frozenset())
        and all(types[key] in (allowed[key] or ()) for key in typed),
        loose=loose,
        is_misspelled=misspelled,
        optional=optional,
        is_rare=bool(optional - _USUAL),
        is_odd=misspelled or bool(loose),
    )


def _types_of(rule: Mapping[str, Any]) -> frozenset[type] | None:
    """
    The types that a value certainly may have; None if it may be anything.
    """
    if "$ref" in rule:
        rule = definition(rule["$ref"].rpartition("/")[2])
    names = rule.get("type")
    if names is None:
        return None
    names = [names] if isinstance(names, str) else names
    return frozenset(cls for name in names for cls in _TYPES[name])


#: The types of parsed JSON; 33.0 may be an integer, too, but that takes a look.
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "array": (list,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


@cache
def definition(kind: str) -> Any:
    """
    What the schema says about objects of *kind*, ``""`` for the frame.
    """
    whole = schema("frame")
    return whole["$defs"][kind] if kind else whole
