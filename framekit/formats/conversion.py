"""
From a collection to files: in parallel, with a problem for each item that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any

from attrs import frozen

from framekit.errors import FramekitError
from framekit.formats.collection import Batch, Collection, failure
from framekit.formats.item import Item
from framekit.formats.writer import Added, Writer
from framekit.problem import Problem, Severity
from framekit.shards import map_in_order

__all__ = ["Conversion", "convert"]


@frozen
class Conversion:
    """
    What came of a conversion.
    """

    #: How many items were written.
    written: int

    #: How many were not; each has a problem ``not-converted``.
    failed: int

    #: Everything that deserves a look.
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """
        Whether nothing went wrong.
        """
        return not any(p.severity is Severity.ERROR for p in self.problems)


def convert(
    collection: Collection,
    writer: Writer,
    *,
    executor: Executor | None = None,
    progress: Callable[[int], object] | None = None,
) -> Conversion:
    """
    Write all items of *collection* with *writer*.

    Args:
        executor: Threads that read and write; without it this one does.
        progress: Called with the number of items that are done, again and again.

    Raises:
        FramekitError: If what is about all items cannot be written.
    """
    records: list[Any] = []
    problems = list(collection.problems)
    failed = 0
    work = partial(_done, writer)
    for outcomes in map_in_order(work, collection.batches, executor=executor):
        for outcome in outcomes:
            if isinstance(outcome, Problem):
                failed += 1
                problems.append(outcome)
            else:
                records.append(outcome.record)
                problems += outcome.problems
        if progress is not None:
            progress(len(outcomes))
    problems += writer.finish(records)
    return Conversion(len(records), failed, tuple(problems))


def _done(writer: Writer, batch: Batch) -> list[Added | Problem]:
    found: list[Added | Problem] = []
    for item in batch():
        if isinstance(item, Item):
            try:
                found.append(writer.add(item))
            except FramekitError as error:
                found.append(failure(item.name, error))
        else:
            found.append(item)
    return found
