"""
What writes items in one format, one after the other or several at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from framekit.formats.item import Item
from framekit.problem import Problem

__all__ = ["Added", "Writer"]


class Added(NamedTuple):
    """
    What came of writing an item.
    """

    #: What the writer wants to know of it when all are written.
    record: Any

    #: What was lost, or deserves a look, those of the item included.
    problems: tuple[Problem, ...] = ()


class Writer(Protocol):
    """
    Writes one format into one folder.
    """

    def add(self, item: Item) -> Added:
        """
        Write the files of *item*; called by several threads.

        Raises:
            FramekitError: If the format cannot hold it.
        """

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        """
        Write what is about all items, whose *records* are in their order.

        Raises:
            FramekitError: If that fails.
        """
