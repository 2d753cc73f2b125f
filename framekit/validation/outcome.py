"""
What is found in some of the frames; the outcomes of all make the report.
"""

from __future__ import annotations

from attrs import define, field

from framekit.problem import Problem
from framekit.validation.tally import Tally

__all__ = ["Outcome"]


@define
class Outcome:
    """
    The findings of one shard of frames, small enough to be sent home.
    """

    #: How many records there were, with those that could not be read.
    records: int = 0

    #: How many frames could be read.
    frames: int = 0

    #: What is told where it is, in order.
    problems: list[Problem] = field(factory=list)

    #: What is told once.
    once: Tally = field(factory=Tally)

    #: The types of the keys of ``meta``, by path and type.
    types: Tally = field(factory=Tally)

    #: Each frame's id, with its document and JSON path.
    ids: list[tuple[str, str, str]] = field(factory=list)

    #: The ids of all masks.
    mask_ids: set[str] = field(factory=set)

    #: The colors that have labels, by mask id and color.
    declared: Tally = field(factory=Tally)

    #: The colors that were seen, by mask id and color.
    shown: set[tuple[str, tuple[int, int, int]]] = field(factory=set)

    def add(self, other: Outcome) -> None:
        """
        Add what was found in the frames that follow.
        """
        self.records += other.records
        self.frames += other.frames
        self.problems += other.problems
        self.once.update(other.once)
        self.types.update(other.types)
        self.ids += other.ids
        self.mask_ids |= other.mask_ids
        self.declared.update(other.declared)
        self.shown |= other.shown
