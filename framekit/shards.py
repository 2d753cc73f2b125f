"""
Running a function over many items, here or on an executor, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from attrs import define, field

__all__ = ["Workers", "map_in_order", "map_surviving"]

Item = TypeVar("Item")
Result = TypeVar("Result")

#: What other executors raise for a call that kills each worker it is given to.
_KILLED: Final = frozenset({"KilledWorker"})


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    executor: Executor | None = None,
    ahead: int = 8,
) -> Iterator[Result]:
    """
    Yield ``function(item)`` for each of *items*, in their order.

    Args:
        executor: Where to run; None runs each call when its result is asked for.
        ahead: How many calls may be under way at once, so that lazy *items* of
            any number need little memory.
    """
    if executor is None:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


class Workers:
    """
    An executor that is made again when it breaks.
    """

    def __init__(
        self,
        executor: Executor | Callable[[], Executor],
        *,
        again: Callable[[], Executor],
    ) -> None:
        """
        Work on an executor, or on what a function makes.

        Args:
            executor: If it is a function, what it makes is shut down at the end.
            again: Makes what takes the place of an executor that has broken, and
                that no function made.
        """
        made = isinstance(executor, Executor)
        self._given = executor if isinstance(executor, Executor) else None
        self._make: Any = again if made else executor
        self._made: Executor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._made is not None:
            if error is not None:
                _stop(self._made)
            self._made.shutdown(wait=error is None, cancel_futures=True)
            self._made = None

    def submit(self, function: Callable[[Item], Result], item: Item) -> Future[Result]:
        """
        Have *function* called with *item*.
        """
        if self._given is not None:
            try:
                return self._given.submit(function, item)
            except BrokenExecutor:
                self._given = None
        if self._made is None:
            self._made = self._make()
        try:
            return self._made.submit(function, item)
        except BrokenExecutor:
            self._made.shutdown(wait=False)
            self._made = self._make()
            return self._made.submit(function, item)


def map_surviving(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: Workers,
    *,
    halves: Callable[[Item], Sequence[Item]],
    lost: Callable[[Item], Result],
    ahead: int = 8,
) -> Iterator[tuple[Item, list[Result]]]:
    """
    Yield what ``function`` makes of each of *items*, in their order.

    An item whose worker dies is done again apart from the others, then in halves,
    until it is known what kills workers.

    Args:
        halves: An item in parts, none if there are no smaller ones.
        lost: What stands in for the result of an item that kills its worker.
        ahead: How many calls may be under way at once.

    Yields:
        Each item, and one result, or one of each of its parts.
    """
    waiting = _Waiting(function, workers, halves, lost)
    try:
        for item in items:
            waiting.begin(item)
            if len(waiting.line) >= ahead:
                yield waiting.first()
        while waiting.line:
            yield waiting.first()
    finally:
        for _, begun in waiting.line:
            if isinstance(begun, Future):
                begun.cancel()


@define
class _Waiting(Generic[Item, Result]):
    """
    The calls that are under way.
    """

    function: Callable[[Item], Result]
    workers: Workers
    halves: Callable[[Item], Sequence[Item]]
    lost: Callable[[Item], Result]
    line: deque[tuple[Item, Future[Result] | list[Result]]] = field(factory=deque)

    def begin(self, item: Item) -> None:
        self.line.append((item, self.workers.submit(self.function, item)))

    def first(self) -> tuple[Item, list[Result]]:
        """
        Wait for the one that is first in line.
        """
        item, begun = self.line.popleft()
        if isinstance(begun, list):
            return item, begun
        try:
            return item, [begun.result()]
        except Exception as error:
            if not _is_death(error):
                raise
        # Any of those under way may have done it; each is tried on its own.
        found = self.apart(item)
        for n, (other, running) in enumerate(self.line):
            if isinstance(running, Future) and _has_died(running):
                self.line[n] = other, self.apart(other)
        return item, found

    def apart(self, item: Item) -> list[Result]:
        """
        Work on nothing but *item*, and if that kills its worker on its parts.
        """
        try:
            return [self.workers.submit(self.function, item).result()]
        except Exception as error:
            if not _is_death(error):
                raise
        parts = self.halves(item)
        if not parts:
            return [self.lost(item)]
        return [result for part in parts for result in self.apart(part)]


def _is_death(error: BaseException) -> bool:
    """
    Whether a worker died, or had to give up for want of memory.
    """
    return (
        isinstance(error, (BrokenExecutor, MemoryError))
        or type(error).__name__ in _KILLED
    )


def _has_died(future: Future[Any]) -> bool:
    if not future.done() or future.cancelled():
        return False
    error = future.exception()
    return error is not None and _is_death(error)


def _stop(executor: Executor) -> None:
    """
    End the processes of *executor*, so that nobody waits for what they do.
    """
    processes = getattr(executor, "_processes", None)
    for process in list((processes or {}).values()):
        process.terminate()
