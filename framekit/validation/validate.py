"""
Validating frames: from a target to a report.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from os import cpu_count
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import evolve

from framekit.dataset import Record, Target, open_target
from framekit.errors import ArgumentError, DocumentError, FramekitWarning
from framekit.frame import SingleFrame
from framekit.problem import Problem
from framekit.shards import map_in_order
from framekit.storage import Storage
from framekit.validation.checker import Checker
from framekit.validation.codes import LEVELS, stamped
from framekit.validation.frames import Place, check_frame
from framekit.validation.outcome import Outcome
from framekit.validation.parts import Parts
from framekit.validation.problems import Problems
from framekit.validation.report import Report
from framekit.validation.version_rules import (
    VersionLabels,
    as_version_document,
    check_version,
)
from framekit.validation.whole import Whole

if TYPE_CHECKING:
    from framekit.validation.media import Files
    from framekit.validation.pixels import Frame

__all__ = ["Level", "Progress", "validate"]

Level = Literal["schema", "references", "media", "pixels"]

#: Is told how many frames were done since it was told before.
Progress = Callable[[int], object]


def validate(
    target: Any,
    *,
    level: Level = "references",
    version: Any = None,
    storage: Storage | None = None,
    executor: Executor | Callable[[], Executor] | None = None,
    shard: int = 64,
    progress: Progress | None = None,
) -> Report:
    """
    Find all that is wrong with frames.

    Nothing is changed, and bad data raises nothing.

    Args:
        target: A frame, an iterable of frames, or the path of a JSON file, a
            JSON Lines file or a frames folder; or what :func:`open_target` has
            made of it.
        level: ``"schema"``, ``"references"``, ``"media"`` (files are opened) or
            ``"pixels"`` (masks are decoded); each includes those before it.
        version: The version's ``mask_labels``, or a document that has them, in
            place of the target's own.
        storage: Where URIs lead; by default relative ones into the target's
            folder, and none out of it.
        executor: What opens and decodes files, or a function that makes it; by
            default threads.
        shard: How many frames are looked at together.
        progress: Is called with the number of frames just done, shard by shard.

    Raises:
        ArgumentError: If *target* is nothing that holds frames, or an option has
            a value it cannot have.
        StorageError: If the target itself cannot be read.
    """
    if level not in LEVELS:
        expected = ", ".join(map(repr, LEVELS))
        raise ArgumentError("level", f"expected one of {expected}, got {level!r}")
    if shard < 1:
        raise ArgumentError("shard", f"expected 1 or more, got {shard}")
    opened = open_target(target)
    if version is not None:
        document = as_version_document(version)
        opened = evolve(opened, version=document, version_document="")
    problems, whole = Problems(), Whole()
    with _running(executor, level) as running:
        run = _Run(
            opened, LEVELS.index(level), storage or Storage(opened.root), running
        )
        for found in run.problems(whole, shard, progress):
            problems.append(found)
    return Report(
        target=opened.name, level=level, frames=whole.frames, problems=problems
    )


class _Run:
    """
    One validation under way.
    """

    def __init__(
        self, target: Target, level: int, storage: Storage, executor: Executor | None
    ) -> None:
        self._target = target
        self._level = level
        self._storage = storage
        self._executor = executor
        self._labels = VersionLabels(target.version)

    def problems(
        self, whole: Whole, shard: int, progress: Progress | None
    ) -> Iterator[Problem]:
        """
        Yield what is wrong, with the target itself first.
        """
        target = self._target
        references = self._level >= _REFERENCES
        for found in target.problems:
            yield stamped(found, found.document, found.at, None)
        if target.version is not None:
            for found in check_version(target.version, references=references):
                yield stamped(found, target.version_document, found.at, None)
        for outcome in self._outcomes(shard):
            yield from whole.add(outcome)
            if progress is not None and outcome.records:
                progress(outcome.records)
        if references:
            yield from whole.finish(self._labels, target.version_document)

    def _outcomes(self, shard: int) -> Iterator[Outcome]:
        if self._level < _MEDIA:
            checker = Checker(self._labels, references=self._level >= _REFERENCES)
            by_line = self._target.lines is not None
            for portion in self._target.portions(shard * (64 if by_line else 1)):
                yield checker.check(portion)
            return
        shards = self._shards(shard)
        # This loads the decoders, which the first two levels do without.
        from framekit.validation.media import Files
        from framekit.validation.pixels import Work, check_pixels

        files = Files(self._storage, self._executor)
        begun: deque[Outcome] = deque()

        def work() -> Iterator[Work]:
            for records in shards:
                outcome, frames = self._check(records)
                decodable = self._look_at_files(files, frames, outcome)
                begun.append(outcome)
                yield Work(decodable, self._labels, self._storage)

        ahead = 2 * (cpu_count() or 1)
        done = map_in_order(check_pixels, work(), executor=self._executor, ahead=ahead)
        for pixels in done:
            yield begun.popleft()
            yield pixels

    def _shards(self, size: int) -> Iterator[list[Record]]:
        """
        The records in lists of *size*; of a small target each worker gets some.
        """
        waiting = iter(self._target.records())
        first = list(islice(waiting, size))
        if self._executor is not None and len(first) < size:
            size = max(-(-len(first) // (cpu_count() or 1)), _SMALL)
        waiting = chain(first, waiting)
        while records := list(islice(waiting, size)):
            yield records

    def _check(
        self, records: Sequence[Record]
    ) -> tuple[Outcome, list[tuple[Parts, Place]]]:
        outcome = Outcome(records=len(records))
        references = self._level >= _REFERENCES
        frames = []
        for record in records:
            found = check_frame(record, outcome, self._labels, references=references)
            if record.is_read:
                frames.append(found)
        return outcome, frames

    def _look_at_files(
        self,
        files: Files,
        frames: Sequence[tuple[Parts, Place]],
        outcome: Outcome,
    ) -> list[Frame]:
        from framekit.validation.media import check_media
        from framekit.validation.pixels import Frame

        known = files.look_at(parts for parts, _ in frames)
        decodable = []
        for parts, place in frames:
            broken = check_media(parts, place, outcome, known)
            if self._level >= _PIXELS and (frame := _as_frame(parts)) is not None:
                decodable.append(Frame(frame, parts, place, broken))
        return decodable


#: Fewer frames than these are not worth opening their videos once more.
_SMALL: Final = 8

_REFERENCES, _MEDIA, _PIXELS = (
    LEVELS.index(level) for level in ("references", "media", "pixels")
)


def _as_frame(parts: Parts) -> SingleFrame | None:
    """
    The frame as an object; None if its schema, as was told, does not allow it.
    """
    try:
        return SingleFrame.from_dict(parts.frame)
    except DocumentError:
        return None


@contextmanager
def _running(
    executor: Executor | Callable[[], Executor] | None, level: str
) -> Iterator[Executor | None]:
    """
    The executor to use; what is made here is shut down here.
    """
    if LEVELS.index(level) < _MEDIA:
        yield None
        return
    with warnings.catch_warnings():
        # What decoders warn of is in the reports of label maps, or told already.
        warnings.simplefilter("ignore", FramekitWarning)
        if isinstance(executor, Executor):
            yield executor
            return
        with executor() if executor else ThreadPoolExecutor(cpu_count()) as made:
            yield made
