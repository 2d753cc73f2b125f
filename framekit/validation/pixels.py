"""
The fourth level: masks are decoded, and their colors compared with the labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from multiprocessing import parent_process

import numpy as np
from attrs import evolve, frozen

from framekit.color import RGB, in_range
from framekit.decoding.decode import Decoded, decode_frames
from framekit.decoding.label_map import LabelMap
from framekit.errors import FramekitWarning, PaletteError, TimestampError
from framekit.frame import SingleFrame
from framekit.problem import Problem
from framekit.storage import Storage
from framekit.uri import shown_uri
from framekit.validation.codes import problem
from framekit.validation.frames import Place
from framekit.validation.outcome import Outcome
from framekit.validation.parts import Parts, text
from framekit.validation.rules import one_label_set
from framekit.validation.version_rules import VersionLabels

__all__ = ["Frame", "Work", "check_pixels"]

_TOO_CLOSE = "palette-too-close: "


@frozen(eq=False)
class Frame:
    """
    A frame that has passed the levels before, or most of them.
    """

    frame: SingleFrame
    parts: Parts
    place: Place

    #: Masks that are not looked at, because something is wrong with their files:
    #: ids of source and mask.
    broken: set[tuple[str, str]]


@frozen(eq=False)
class Work:
    """
    Some frames to be decoded together, wherever that is done.
    """

    frames: Sequence[Frame]
    labels: VersionLabels
    storage: Storage


def check_pixels(work: Work, outcome: Outcome) -> None:
    """
    Add what is wrong with the pixels of masks; one label map is held at a time.
    """
    if not work.frames:
        return
    if parent_process() is not None:  # Validation itself has done it in its own.
        warnings.simplefilter("ignore", FramekitWarning)
    checkers = {
        id(frame.frame): _Checker(frame, outcome, work.labels) for frame in work.frames
    }
    items = decode_frames(
        (frame.frame for frame in work.frames),
        window=len(work.frames),
        version=work.labels.value,
        storage=work.storage,
    )
    for item in items:
        checkers[id(item.frame)].check(item)


class _Checker:
    """
    What is wrong with the masks of one frame.
    """

    def __init__(self, frame: Frame, outcome: Outcome, labels: VersionLabels) -> None:
        self._frame = frame
        self._outcome = outcome
        self._labels = labels
        self._masks = {
            (text(source.value, "id"), text(mask.value, "id")): mask
            for source, mask in frame.parts.masks
        }

    def check(self, item: Decoded) -> None:
        """
        Add what is wrong with one mask.
        """
        if (item.source, item.mask) in self._frame.broken:
            return
        mask = self._masks[item.source, item.mask]
        uri = text(mask.value, "uri") or ""
        if item.error is not None:
            if not self._is_told(item.error):
                found = self._problem(item, "undecodable-mask", str(item.error))
                self._outcome.once.add(("undecodable-mask", str(item.error)), found)
            return
        if item.label_map is None or not len(item.label_map.palette):
            return  # Without any labels no color is unknown.
        for key, found in self._findings(item, item.label_map, uri):
            self._outcome.once.add(key, found)
        self._add_declared(item, item.label_map)

    def _is_told(self, error: Exception) -> bool:
        if isinstance(error, TimestampError):
            return True  # By the level of media.
        if not isinstance(error, PaletteError):
            return False
        parts = self._frame.parts
        return bool(parts.linking.dangling) or any(one_label_set(parts))

    def _findings(
        self, item: Decoded, label_map: LabelMap, uri: str
    ) -> Iterator[tuple[tuple[object, ...], Problem]]:
        report = label_map.report
        listed = 0
        for color, count, box in report.unknown_colors:
            listed += count
            found = self._problem(item, "unknown-color", shown_uri(uri))
            found = evolve(found, color=color, count=count, box=box)
            yield ((uri, item.mask), color), found
        if report.unknown_pixels > listed:
            found = self._problem(item, "unknown-color", shown_uri(uri))
            rest = report.unknown_pixels - listed
            yield ((uri, item.mask), None), evolve(found, count=rest)
        for note in report.notes:
            if note.startswith(_TOO_CLOSE):
                message = f"{shown_uri(uri)}: {note.removeprefix(_TOO_CLOSE)}"
                found = self._problem(item, "palette-too-close", message)
                yield ("palette-too-close", uri), found

    def _add_declared(self, item: Decoded, label_map: LabelMap) -> None:
        present = _present(label_map)
        for entry in label_map.palette:
            if entry.void or entry.color is None or not in_range(entry.color):
                continue
            key = (item.mask, entry.color)
            if entry.id in present:
                self._outcome.shown.add(key)
            elif self._outcome.declared.get(key) is None:
                self._outcome.declared.add(key, self._declared(item, entry.color))
            else:
                counted = self._problem(item, "declared-color-absent", "")
                self._outcome.declared.add(key, counted)

    def _declared(self, item: Decoded, color: RGB) -> Problem:
        parts = self._frame.parts
        for link in parts.linking.links:
            if link.mask == item.mask and link.color == color:
                what, at = link.labels, f"{parts.rois[link.roi].at}.mask.value"
                break
        else:
            names = (found for _, found in self._labels.levels(item.mask))
            what = next((found[color] for found in names if color in found), ())
            at = self._masks[item.source, item.mask].at
        message = f"{list(color)} ({', '.join(what)}) of mask {item.mask!r}"
        found = self._problem(item, "declared-color-absent", message, at)
        return evolve(found, source=None, color=color)

    def _problem(self, item: Decoded, code: str, message: str, at: str = "") -> Problem:
        mask = self._masks[item.source, item.mask]
        found = problem(
            code, message, at or mask.at, source=item.source, mask=item.mask, count=1
        )
        return self._frame.place.put(found)


def _present(label_map: LabelMap) -> set[int]:
    """
    The ids that occur.
    """
    flat = label_map.ids.reshape(-1)
    # One pixel of each run of equal ones, which are far fewer.
    ends = flat[:-1][flat[1:] != flat[:-1]]
    return {int(id) for id in np.unique(ends)} | {int(id) for id in flat[-1:]}
