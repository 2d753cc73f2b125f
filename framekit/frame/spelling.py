"""
The other spellings that frames come in, made canonical.

ClearML's pages and clients disagree with each other in a few places. Such a
document is read, and every place that was changed is told, so that validation
can report it where it stands in the document as written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen

__all__ = ["Respelling", "canonical", "written_path"]


@frozen
class Respelling:
    """
    One place that was not spelled canonically.
    """

    #: JSON path in the document as written.
    at: str

    #: JSON path of the same value in the canonical document.
    canonical_at: str

    #: What it was and what it should be.
    message: str


def canonical(frame: Any) -> tuple[Any, list[Respelling]]:
    """
    Return *frame*, parsed JSON, in canonical spelling, and what was respelled.

    *frame* itself is not changed; without respellings it is what is returned.
    """
    if not isinstance(frame, Mapping):
        return frame, []
    found: list[Respelling] = []
    sources = _each(frame.get("sources"), "$.sources", _source, found)
    rois = _each(frame.get("rois"), "$.rois", _roi, found)
    if not found:
        return frame, found
    changed = dict(frame)
    if "sources" in frame:
        changed["sources"] = sources
    if "rois" in frame:
        changed["rois"] = rois
    return changed, found


def written_path(at: str, respellings: Iterable[Respelling]) -> str:
    """
    Turn a JSON path of the canonical document into one of the written document.
    """
    for respelling in respellings:
        head = respelling.canonical_at
        if at == head or at.startswith((f"{head}.", f"{head}[")):
            return respelling.at + at[len(head) :]
    return at


def _each(
    items: Any,
    at: str,
    change: Callable[[Mapping[str, Any], str, list[Respelling]], Any],
    found: list[Respelling],
) -> Any:
    if not isinstance(items, list):
        return items
    return [
        change(item, f"{at}[{n}]", found) if isinstance(item, Mapping) else item
        for n, item in enumerate(items)
    ]


def _source(
    source: Mapping[str, Any], at: str, found: list[Respelling]
) -> Mapping[str, Any]:
    changes: dict[str, Any] = {}
    preview = source.get("preview")
    if isinstance(preview, str):
        message = "'preview' is an object with a 'uri', not a string"
        here = f"{at}.preview"
        found.append(Respelling(here, f"{here}.uri", message))
        changes["preview"] = {"uri": preview}
    if "mask" in source and source.get("masks") is None:
        mask, here = source["mask"], f"{at}.mask"
        message = "the key is spelled 'masks'"
        if isinstance(mask, Mapping):
            found.append(Respelling(here, f"{at}.masks[0]", message))
            changes["masks"] = _each([mask], here, _mask_alone(here), found)
        elif isinstance(mask, list):
            found.append(Respelling(here, f"{at}.masks", message))
            changes["masks"] = _each(mask, here, _mask, found)
    else:
        masks = source.get("masks")
        respelled = _each(masks, f"{at}.masks", _mask, found)
        if isinstance(masks, list):
            changes["masks"] = respelled
    if not changes:
        return source
    dropped = "mask" if "masks" in changes and source.get("masks") is None else None
    return {k: v for k, v in source.items() if k != dropped} | changes


def _mask_alone(
    here: str,
) -> Callable[[Mapping[str, Any], str, list[Respelling]], Any]:
    def change(mask: Mapping[str, Any], _: str, found: list[Respelling]) -> Any:
        return _mask(mask, here, found)

    return change


def _mask(
    mask: Mapping[str, Any], at: str, found: list[Respelling]
) -> Mapping[str, Any]:
    value = mask.get("id")
    if not isinstance(value, int) or isinstance(value, bool):
        return mask
    here = f"{at}.id"
    message = f"a mask id is text: {str(value)!r} instead of {value}"
    found.append(Respelling(here, here, message))
    return {**mask, "id": str(value)}


def _roi(roi: Mapping[str, Any], at: str, found: list[Respelling]) -> Mapping[str, Any]:
    changes: dict[str, Any] = {}
    mask = roi.get("mask")
    if isinstance(mask, Mapping):
        respelled = _mask(mask, f"{at}.mask", found)
        if respelled is not mask:
            changes["mask"] = respelled
    if "labels" in roi:
        here = f"{at}.labels"
        if roi.get("label") is None:
            found.append(Respelling(here, f"{at}.label", "the key is spelled 'label'"))
            kept = {k: v for k, v in roi.items() if k != "labels"}
            return {**kept, "label": roi["labels"], **changes}
        if roi["labels"] != roi["label"]:
            message = "'labels' beside 'label' is not read; 'label' counts"
            found.append(Respelling(here, here, message))
    return {**roi, **changes} if changes else roi
