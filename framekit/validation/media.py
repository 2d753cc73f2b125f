"""
The third level: the files that frames name, each looked at once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from attrs import frozen

from framekit.errors import FramekitError
from framekit.problem import Problem
from framekit.storage import Storage
from framekit.uri import shown_uri
from framekit.validation.codes import problem
from framekit.validation.frames import Place
from framekit.validation.outcome import Outcome
from framekit.validation.parts import Object, Part, Parts, integer, text
from framekit.validation.probe import Fault, Found, is_type, probe

__all__ = ["Files", "check_media"]

#: How many files are remembered, so that a video is looked at once.
_REMEMBERED: Final = 1024


class Files:
    """
    What is known about files, looked at once and remembered for a while.

    Threads may share one.
    """

    def __init__(self, storage: Storage) -> None:
        """
        Look at files in *storage*.
        """
        self._storage = storage
        self._known: OrderedDict[str, Found | Fault] = OrderedDict()
        self._lock = threading.Lock()

    def look_at(self, frames: Iterable[Parts]) -> dict[str, Found | Fault]:
        """
        What all files of *frames* are, by URI.
        """
        uris = dict.fromkeys(
            uri
            for frame in frames
            for part in _all_media(frame)
            if (uri := text(part.value, "uri")) is not None
        )
        return {uri: self.look_up(uri) for uri in uris}

    def look_up(self, uri: str) -> Found | Fault:
        """
        What the file at *uri* is.
        """
        with self._lock:
            found = self._known.get(uri)
            if found is not None:
                self._known.move_to_end(uri)
                return found
        found = probe(uri, self._storage)
        with self._lock:
            self._known[uri] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found


def check_media(
    frame: Parts, place: Place, outcome: Outcome, files: dict[str, Found | Fault]
) -> set[tuple[str, str]]:
    """
    Add to *outcome* what is wrong with the files of a frame.

    Returns:
        The masks, by the ids of source and mask, that have an error already, so
        that their pixels are not worth a look.
    """
    broken: set[tuple[str, str]] = set()
    told: set[tuple[str, str]] = set()
    for checked in _checks(frame):
        for once, found in _check(checked, files):
            if found.severity == "error" and checked.mask is not None:
                broken.add((checked.source, checked.mask))
            located = place.put(found)
            if not once:
                outcome.problems.append(located)
            elif (found.code, once) not in told:
                told.add((found.code, once))
                outcome.once.add((found.code, once), located)
    return broken


@frozen
class _Checked:
    """
    One file that a frame names, and in what role.
    """

    part: Part
    uri: str
    source: str
    mask: str | None = None

    #: What a mask has to fit onto.
    onto: Part | None = None
    is_preview: bool = False

    @property
    def shown(self) -> str:
        return shown_uri(self.uri)

    def problem(self, code: str, message: str, at: str = "") -> Problem:
        return problem(
            code,
            message,
            f"{self.part.at}{at}",
            source=self.source or None,
            mask=self.mask,
            count=1,
        )


def _checks(frame: Parts) -> Iterator[_Checked]:
    for source in frame.sources:
        id, uri = text(source.value, "id") or "", text(source.value, "uri")
        if uri is not None:
            yield _Checked(source, uri, id)
        preview = source.value.get("preview")
        if isinstance(preview, dict) and (uri := text(preview, "uri")):
            part = Part(f"{source.at}.preview", preview)
            yield _Checked(part, uri, id, is_preview=True)
    for source, mask in frame.masks:
        id, uri = text(source.value, "id") or "", text(mask.value, "uri")
        if uri is not None:
            yield _Checked(mask, uri, id, text(mask.value, "id") or "", onto=source)


def _all_media(frame: Parts) -> Iterator[Part]:
    return (checked.part for checked in _checks(frame))


#: What is told once has a key that says which of them are the same.
_Finding = tuple[str, Problem]


def _check(checked: _Checked, files: dict[str, Found | Fault]) -> Iterator[_Finding]:
    found = files[checked.uri]
    value, uri = checked.part.value, checked.uri
    if isinstance(found, Fault):
        if not _is_other_kind(checked, found):
            yield uri, _faulty(checked, found)
        return
    if found.fault is not None:
        yield uri, _faulty(checked, found.fault)
    declared = text(value, "content_type")
    if declared is not None and not is_type(declared, found):
        message = f"{checked.shown} is {found.content_types[0]}, not {declared!r}"
        here = checked.problem("content-type-mismatch", message, ".content_type")
        yield f"{uri} {declared}", here
    size = _declared_size(value)
    if size is not None and not found.has_size(size):
        message = f"{checked.shown} has {_shown(found.size)} pixels, not {_shown(size)}"
        yield f"{uri} {size}", checked.problem("declared-size-mismatch", message)
    if checked.onto is not None:
        yield from _check_fit(checked, found, checked.onto.value, files)
    if found.index is not None and found.fault is None and not checked.is_preview:
        yield from _check_moment(checked, found)


def _check_fit(
    checked: _Checked, found: Found, source: Object, files: dict[str, Found | Fault]
) -> Iterator[_Finding]:
    uri = text(source, "uri") or ""
    onto = files.get(uri)
    size = _declared_size(source)
    fits = (
        onto.has_size(found.size) or found.has_size(onto.size)
        if isinstance(onto, Found)
        else size is None or found.has_size(size)
    )
    if not fits:
        size = onto.size if isinstance(onto, Found) else size
        message = (
            f"{checked.shown} has {_shown(found.size)} pixels, "
            f"its source {_shown(size)}"
        )
        yield f"{checked.uri} {uri}", checked.problem("mask-size-mismatch", message)


def _check_moment(checked: _Checked, found: Found) -> Iterator[_Finding]:
    value = checked.part.value
    moment = integer(value, "timestamp")
    if value.get("timestamp") is None:
        moment = 0
    if moment is None or moment < 0 or found.index is None:
        return  # The first two levels have told it.
    try:
        found.index.find(moment, uri=checked.uri)
    except FramekitError as error:
        at = ".timestamp" if "timestamp" in value else ""
        yield "", checked.problem("timestamp-beyond-video", str(error), at)


def _faulty(checked: _Checked, fault: Fault) -> Problem:
    code = "unreadable-preview" if checked.is_preview else fault.code
    return checked.problem(code, f"{checked.shown}: {fault.reason}", ".uri")


def _is_other_kind(checked: _Checked, fault: Fault) -> bool:
    """
    Whether a source is of a kind that nobody here can judge, like a point cloud.
    """
    declared = text(checked.part.value, "content_type")
    return (
        checked.mask is None
        and not checked.is_preview
        and fault.code == "unreadable-media"
        and declared is not None
        and "/" in declared
        and declared.strip().lower().partition("/")[0] not in {"image", "video"}
    )


def _declared_size(value: Object) -> tuple[int, int] | None:
    width, height = integer(value, "width"), integer(value, "height")
    if width is None or height is None or width <= 0 or height <= 0:
        return None
    return width, height


def _shown(size: tuple[int, int] | None) -> str:
    return "?" if size is None else f"{size[0]}x{size[1]}"
