"""
Keys that were meant to be others.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, Final

from framekit._json import join
from framekit.problem import Problem
from framekit.schema import schema
from framekit.validation.codes import problem
from framekit.validation.parts import Object, Part, Parts

__all__ = ["keys_spelled", "known_keys", "meant_key"]

#: What the attributes of ClearML's classes are called on the wire.
_OTHER_NAMES: Final = {"annotations": "rois", "metadata": "meta", "color": "value"}


def keys_spelled(frame: Parts) -> Iterator[Problem]:
    """
    A key that is not known is not one that was misspelled.
    """
    for kind, part in _objects(frame):
        if part.value.keys() <= known_keys(kind):
            continue
        for key in part.value:
            if key in known_keys(kind):
                continue
            meant = meant_key(kind, key)
            if meant is not None and part.value.get(meant) is None:
                message = f"{key!r} is no key of the format, {meant!r} is"
                yield problem("misspelled-key", message, join(part.at, key))


def _objects(frame: Parts) -> Iterator[tuple[str, Part]]:
    yield "", Part("$", frame.frame)
    for source in frame.sources:
        yield "source", source
        yield from _inner("preview", source, "preview")
    for _, mask in frame.masks:
        yield "mask", mask
    for roi in frame.rois:
        yield "roi", roi
        yield from _inner("roi_mask", roi, "mask")


def _inner(kind: str, part: Part, key: str) -> Iterator[tuple[str, Part]]:
    value = part.value.get(key)
    if isinstance(value, dict):
        yield kind, Part(f"{part.at}.{key}", value)


@cache
def known_keys(kind: str) -> frozenset[str]:
    """
    The keys that the schema has for an object of *kind*, ``""`` for the frame.
    """
    whole: Object = schema("frame")
    definition: Any = whole["$defs"][kind] if kind else whole
    return frozenset(definition["properties"])


@lru_cache(maxsize=4096)
def meant_key(kind: str, key: str) -> str | None:
    """
    The key that an unknown *key* was probably meant to be; None if there is none.
    """
    known = known_keys(kind)
    if _OTHER_NAMES.get(key) in known:
        return _OTHER_NAMES[key]
    by_letters = {_letters(name): name for name in known}
    if _letters(key) in by_letters:
        return by_letters[_letters(key)]
    close = get_close_matches(key, known, n=1, cutoff=0.85)
    return close[0] if close else None


def _letters(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()
