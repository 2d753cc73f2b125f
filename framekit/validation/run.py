"""
One validation under way.
"""

from __future__ import annotations

import pickle
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from os import cpu_count
from typing import Any, Final

from attrs import define, field

from framekit.dataset import Target
from framekit.dataset.portions import LinePortion, Portion, halves
from framekit.errors import ArgumentError, FramekitWarning
from framekit.problem import Problem
from framekit.shards import Workers, map_surviving
from framekit.validation.checker import Checker
from framekit.validation.codes import stamped
from framekit.validation.engines import processes, threads
from framekit.validation.gops import Pictures, cut_by_pictures
from framekit.validation.job import MEDIA, PIXELS, REFERENCES, Job, keyframes_in
from framekit.validation.ledger import Ledger
from framekit.validation.outcome import Outcome
from framekit.validation.version_rules import check_version
from framekit.validation.whole import Whole

__all__ = ["Progress", "Run"]

#: Is told how many frames were done since it was told before. If it has a method
#: ``reached``, that is told the share of the target that is done, where it is known.
Progress = Callable[[int], object]

#: How many times more frames the first two levels take together.
_MORE: Final = 64

#: Fewer frames than these are not worth opening their videos once more.
_SMALL: Final = 8


@define
class Run:
    """
    A validation that can be stopped at any time; what was found is kept.
    """

    target: Target
    job: Job
    shard: int
    executor: Executor | Callable[[], Executor] | None = None
    ledger: Ledger | None = None
    progress: Progress | None = None
    whole: Whole = field(factory=Whole, init=False)

    def problems(self) -> Iterator[Problem]:
        """
        Yield what is wrong, with the target itself first.

        Raises:
            StorageError: If the target cannot be read any more.
            ArgumentError: If the storage cannot be sent to other processes.
        """
        target = self.target
        for found in target.problems:
            yield stamped(found, found.document, found.at, None)
        references = self.job.level >= REFERENCES
        if target.version is not None:
            for found in check_version(target.version, references=references):
                yield stamped(found, target.version_document, found.at, None)
        for portion, outcome in self._outcomes():
            yield from self.whole.add(outcome)
            self._tell(portion, outcome)
        yield from self.told_once(is_done=True)

    def told_once(self, *, is_done: bool) -> Iterator[Problem]:
        """
        Yield what is told once about the frames that were looked at.

        Args:
            is_done: Whether these are all frames.
        """
        if self.job.level >= REFERENCES:
            document = self.target.version_document
            yield from self.whole.finish(self.job.labels, document, is_done=is_done)

    def _tell(self, portion: Portion, outcome: Outcome) -> None:
        if self.progress is None or not outcome.records:
            return
        self.progress(outcome.records)
        reached = getattr(self.progress, "reached", None)
        if reached is not None and isinstance(portion, LinePortion):
            reached(portion.end / max(self.target.size or 0, portion.end))

    def _outcomes(self) -> Iterator[tuple[Portion, Outcome]]:
        """
        What was found in each portion, in their order.
        """
        order: deque[Portion] = deque()
        ledger = self.ledger

        def todo(portions: Iterable[Portion]) -> Iterator[Portion]:
            for portion in portions:
                order.append(portion)
                if ledger is None or portion.key not in ledger:
                    yield portion

        def known() -> Iterator[tuple[Portion, Outcome]]:
            while ledger is not None and order and order[0].key in ledger:
                yield order[0], ledger.outcome(order.popleft().key)

        with ExitStack() as stack:
            for portion, outcome in self._done(todo, stack):
                yield from known()
                order.popleft()
                if ledger is not None:
                    ledger.append(portion.key, outcome)
                yield portion, outcome
            yield from known()

    def _done(
        self,
        todo: Callable[[Iterable[Portion]], Iterable[Portion]],
        stack: ExitStack,
    ) -> Iterator[tuple[Portion, Outcome]]:
        """
        The outcomes of what is to be done.
        """
        if self.job.level < MEDIA and self.executor is None:
            check: Callable[[Portion], Outcome] = self.job
            if self.ledger is None:
                references = self.job.level >= REFERENCES
                check = Checker(self.job.labels, references=references).check
            for portion in todo(self.target.portions(self._size())):
                yield portion, check(portion)
            return
        with warnings.catch_warnings():
            # What decoders warn of is in the reports of label maps, or told already.
            warnings.simplefilter("ignore", FramekitWarning)
            executor = self.executor or threads
            self._check_sendable(executor)
            workers = stack.enter_context(Workers(executor, again=processes))
            for portion, found in map_surviving(
                self.job,
                todo(self._portions(workers)),
                workers,
                halves=halves,
                lost=self.job.lost,
                ahead=2 * (cpu_count() or 1),
            ):
                first, *others = found
                for other in others:
                    first.add(other)
                yield portion, first

    def _size(self) -> int:
        many = self.job.level < MEDIA and self.target.lines is not None
        return self.shard * (_MORE if many else 1)

    def _portions(self, workers: Workers) -> Iterable[Portion]:
        """
        The portions to send out; of a small target each worker gets some.
        """
        portions: Iterator[Portion] = self.target.portions(self._size())
        if self.job.level < MEDIA:
            return portions
        start = list(islice(portions, 2))
        size = self._size()
        if len(start) == 1:
            size = max(-(-len(start[0]) // (cpu_count() or 1)), _SMALL)
            return _in_parts(start[0], size)
        portions = chain(start, portions)
        if self.job.level < PIXELS:
            return portions
        pictures = Pictures(partial(self._keyframes, workers))
        return cut_by_pictures(portions, pictures, size)

    def _keyframes(self, workers: Workers, uri: str) -> tuple[float, ...]:
        try:
            return workers.submit(keyframes_in, (self.job, uri)).result()
        except Exception:  # noqa: BLE001 - who decodes it will tell what is wrong
            return ()

    def _check_sendable(self, executor: Executor | Callable[[], Executor]) -> None:
        is_process = isinstance(executor, ProcessPoolExecutor)
        if is_process or getattr(executor, "func", executor) is processes:
            try:
                pickle.dumps(self.job)
            except Exception as error:  # noqa: BLE001 - pickling raises anything
                reason = f"cannot be sent to other processes: {error}"
                raise ArgumentError("storage", reason) from None


def run_name() -> str:
    """
    A name that no other run has.
    """
    return uuid.uuid4().hex


def _in_parts(portion: Portion, size: int) -> Iterator[Portion]:
    rest: Any = portion
    while len(rest) > size:
        head, rest = rest.split(size)
        yield head
    yield rest
