"""
Frames as they are handed over, made into lines of a shard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from framekit import _json
from framekit.dataset.identity import derived_id, sort_key
from framekit.dataset.lines import MAX_LINE
from framekit.errors import ArgumentError, DocumentError
from framekit.frame import FrameGroup, SingleFrame
from framekit.frame.spelling import canonical

__all__ = ["Incoming", "as_document", "as_incoming", "as_line"]


class Incoming(NamedTuple):
    """
    A frame that can be stored.
    """

    id: str
    key: tuple[str, float]
    line: bytes


def as_incoming(frame: Any) -> Incoming:
    """
    Make *frame*, an object or parsed JSON, what can be stored.

    Raises:
        DocumentError: If it is no frame, or has neither an id nor sources.
    """
    if isinstance(frame, (SingleFrame, FrameGroup)):
        return as_line(as_document(frame))
    if isinstance(frame, dict):
        try:
            document = canonical(frame)[0]
            SingleFrame.from_dict(document)
            return as_line(document)
        except (DocumentError, RecursionError):
            # It is no frame, or has tuples or NumPy's numbers in it.
            pass
    document = as_document(frame)
    SingleFrame.from_dict(document)
    return as_line(document)


def as_document(frame: Any) -> dict[str, Any]:
    """
    *frame* as parsed JSON in canonical spelling.

    Raises:
        DocumentError: If it has no JSON form.
    """
    try:
        if isinstance(frame, FrameGroup):
            frame = frame.to_frame()
        if isinstance(frame, SingleFrame):
            return frame.to_dict()
    except DocumentError:
        raise
    except ArgumentError as error:
        raise DocumentError("$", str(error), "wrong-value") from None
    except (AttributeError, TypeError, ValueError) as error:
        # Its lists can be given anything behind its back.
        raise DocumentError("$", f"no frame: {error}", "wrong-type") from None
    if not isinstance(frame, Mapping):
        reason = f"expected a frame, got {_json.kind(frame)}"
        raise DocumentError("$", reason, "wrong-type")
    try:
        found: dict[str, Any] = canonical(_json.plain(frame))[0]
    except RecursionError:
        raise DocumentError("$", "nested too deeply") from None
    return found


def as_line(document: dict[str, Any]) -> Incoming:
    """
    Make a frame's JSON what can be stored.

    Raises:
        DocumentError: If it has neither an id nor sources, or is too large.
    """
    id = document.get("id")
    if id is None:
        id = derived_id(document)
        if id is None:
            reason = "a frame without sources needs an id"
            raise DocumentError("$.id", reason, "missing-key")
        document = {"id": id, **{k: v for k, v in document.items() if k != "id"}}
    if not isinstance(id, str) or not id:
        raise DocumentError("$.id", "expected text that is not empty", "wrong-value")
    line = _json.dumps(document)
    if len(line) > MAX_LINE:
        reason = f"a frame of {len(line):,} bytes is not stored"
        raise DocumentError("$", reason, "line-too-long")
    return Incoming(id, sort_key(document), line)
