"""
What a frame is called and where it stands among others.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from framekit import _json

__all__ = ["derived_id", "sort_key"]


def derived_id(frame: Mapping[str, Any]) -> str | None:
    """
    The id of a frame that has none: made from what its sources show, and when.

    Annotations do not change it, so that a frame that is added again with
    others is the same frame. None if the frame has no sources.
    """
    shown = [
        [source.get("id"), source.get("uri"), source.get("timestamp") or 0]
        for source in frame.get("sources") or ()
    ]
    if not shown:
        return None
    when = [frame.get("context_id"), frame.get("timestamp")]
    return blake2b(_json.dumps([*shown, when]), digest_size=16).hexdigest()


def sort_key(frame: Mapping[str, Any]) -> tuple[str, float]:
    """
    Context and timestamp, those of the first source where the frame has none.
    """
    context = frame.get("context_id")
    timestamp = frame.get("timestamp")
    if not isinstance(context, str) or not _is_number(timestamp):
        source = _first_source(frame)
        if not isinstance(context, str):
            context = source.get("uri")
        if not _is_number(timestamp):
            timestamp = source.get("timestamp")
    return (
        context if isinstance(context, str) else "",
        timestamp if isinstance(timestamp, (int, float)) else 0,
    )


def _first_source(frame: Mapping[str, Any]) -> Mapping[str, Any]:
    sources = frame.get("sources")
    if isinstance(sources, list) and sources and isinstance(sources[0], Mapping):
        return sources[0]
    return {}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
