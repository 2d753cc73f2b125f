"""
Looking at some frames, on whatever level, wherever that is done.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from framekit.dataset.portions import Portion
from framekit.errors import DocumentError
from framekit.frame import SingleFrame
from framekit.storage import Storage
from framekit.validation.checker import Checker
from framekit.validation.codes import LEVELS, problem
from framekit.validation.frames import Place
from framekit.validation.outcome import Outcome
from framekit.validation.parts import Parts
from framekit.validation.version_rules import VersionLabels

if TYPE_CHECKING:
    from framekit.validation.media import Files
    from framekit.validation.pixels import Frame

__all__ = ["MEDIA", "PIXELS", "REFERENCES", "Job", "keyframes_in"]

REFERENCES, MEDIA, PIXELS = (
    LEVELS.index(level) for level in ("references", "media", "pixels")
)

_Checked = tuple[Parts, Place]


@frozen
class Job:
    """
    What is to be done with each portion of a target; it can be sent anywhere.
    """

    #: The last level to look at, as its place among the levels.
    level: int
    labels: VersionLabels = field(eq=False)
    storage: Storage

    #: Names the validation, so that a process remembers files as long as it lasts.
    run: str

    def __call__(self, portion: Portion) -> Outcome:
        """
        Find what is wrong with the frames of *portion*.

        Raises:
            StorageError: If its file cannot be read any more.
        """
        checker = Checker(self.labels, references=self.level >= REFERENCES)
        if self.level < MEDIA:
            return checker.check(portion)
        outcome = Outcome()
        records = portion.records()
        found = [checker.check_record(record, outcome) for record in records]
        checker.finish(outcome)
        self._look_at_files([checked for checked in found if checked], outcome)
        return outcome

    def lost(self, portion: Portion) -> Outcome:
        """
        What stands in for a portion of one frame that killed its worker.

        Raises:
            StorageError: If its file cannot be read any more.
        """
        checker = Checker(self.labels, references=True)
        outcome = Outcome()
        for record in portion.records():
            checked = checker.check_record(record, outcome)
            found = problem("worker-died", "whatever looked at its files died")
            place = Place(record) if checked is None else checked[1]
            outcome.problems.append(place.put(found))
        checker.finish(outcome)
        return outcome

    def _look_at_files(self, frames: Sequence[_Checked], outcome: Outcome) -> None:
        # This loads the decoders, which the first two levels do without.
        from framekit.validation.media import check_media
        from framekit.validation.pixels import Frame, Work, check_pixels

        known = _files(self).look_at(parts for parts, _ in frames)
        decodable: list[Frame] = []
        for parts, place in frames:
            broken = check_media(parts, place, outcome, known)
            frame = _as_frame(parts) if self.level >= PIXELS else None
            if frame is not None:
                decodable.append(Frame(frame, parts, place, broken))
        check_pixels(Work(decodable, self.labels, self.storage), outcome)


def keyframes_in(job_and_uri: tuple[Job, str]) -> tuple[float, ...]:
    """
    The times of the keyframes of a video in ms; none if it is no video.
    """
    from framekit.validation.probe import Found

    job, uri = job_and_uri
    found = _files(job).look_up(uri)
    index = found.index if isinstance(found, Found) else None
    if index is None:
        return ()
    return tuple(float((key - index.origin) * index.tick * 1000) for key in index.keys)


def _as_frame(parts: Parts) -> SingleFrame | None:
    """
    The frame as an object; None if its schema, as was told, does not allow it.
    """
    try:
        return SingleFrame.from_dict(parts.frame)
    except DocumentError:
        return None


#: What each of the last validations knows about files, in this process.
_KNOWN: Final[OrderedDict[str, Files]] = OrderedDict()
_LOCK: Final = threading.Lock()
_RUNS: Final = 4


def _files(job: Job) -> Files:
    from framekit.validation.media import Files

    with _LOCK:
        found = _KNOWN.get(job.run)
        if found is None:
            found = _KNOWN[job.run] = Files(job.storage)
            while len(_KNOWN) > _RUNS:
                _KNOWN.popitem(last=False)
    return found
