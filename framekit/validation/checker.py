"""
The first two levels over many frames: most are cleared by the gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from framekit._json import key_ends, loads_written
from framekit.dataset import Record
from framekit.dataset.blocks import Block
from framekit.dataset.lines import Line
from framekit.dataset.portions import LinePortion, Portion
from framekit.dataset.records import record_of
from framekit.errors import DocumentError
from framekit.problem import Problem
from framekit.validation.doubts import FACTS, ROI_RULES, rules_in
from framekit.validation.frames import (
    Place,
    add_facts,
    check_frame,
    check_references,
)
from framekit.validation.gate import Gate, Unclear
from framekit.validation.outcome import Outcome
from framekit.validation.parts import Parts
from framekit.validation.version_rules import VersionLabels

__all__ = ["Checker"]

#: How many lists of ROIs are remembered with what is wrong with them.
_REMEMBERED: Final = 512


class Checker:
    """
    Looks at frames one after the other.

    The reason for this being a class is what was told before, see :class:`Gate`.
    What two checkers find adds up to what one would have found.
    """

    def __init__(self, labels: VersionLabels, *, references: bool) -> None:
        """
        Check frames of a version that has *labels*.

        Args:
            references: Whether to run the second level, too.
        """
        self._labels = labels
        self._references = references
        self._gate = Gate(labels)
        self._found: dict[bytes, tuple[Problem, ...]] = {}

    def check(self, portion: Portion) -> Outcome:
        """
        Find what is wrong with the frames of *portion*.

        Raises:
            StorageError: If its file cannot be read any more.
        """
        outcome = Outcome()
        if isinstance(portion, LinePortion):
            for block in portion.blocks():
                if isinstance(block, Line):
                    ends = None if block.data is None else key_ends(block.data)
                    self._check_line(block, ends, portion.name, outcome)
                else:
                    self._check_block(block, portion.name, outcome)
        else:
            for record in portion.records():
                self.check_record(record, outcome)
        self.finish(outcome)
        return outcome

    def check_record(
        self, record: Record, outcome: Outcome
    ) -> tuple[Parts, Place] | None:
        """
        Add to *outcome* what is wrong with one frame.

        Returns:
            The frame and its place; None if it could not be read.
        """
        outcome.records += 1
        if not record.problems and record.is_read:
            try:
                doubts = self._gate.examine(record.value)
            except Unclear:
                pass
            else:
                return self._check_doubts(record, doubts, outcome)
        found = check_frame(record, outcome, self._labels, references=self._references)
        return found if record.is_read else None

    def finish(self, outcome: Outcome) -> None:
        """
        Add what was only counted since this was done last.
        """
        self._gate.give_counts(outcome)

    def _check_block(self, block: Block, name: str, outcome: Outcome) -> None:
        examine, count = self._gate.examine, self._gate.count
        is_quick = self._references and not self._labels.mask_ids
        ids, number, quick = outcome.ids, block.before, 0
        for data, ends in zip(block.lines, block.ends, strict=True):
            number += 1
            try:
                value = loads_written(data)
                doubts = examine(value, ends)
            except (DocumentError, Unclear):
                self._check_slowly(_as_line(number, data), name, outcome)
                continue
            if doubts or not is_quick:
                self._add(value, doubts, name, number, outcome)
                continue
            # What _add() would do, without a call for each of millions.
            count()
            quick += 1
            if value.get("id") is not None:
                ids.append((value["id"], f"{name}:{number}", "$.id"))
        outcome.records += quick
        outcome.frames += quick

    def _check_line(
        self, line: Line, ends: int | None, name: str, outcome: Outcome
    ) -> None:
        if line.data:
            try:
                value = loads_written(line.data)
                doubts = self._gate.examine(value, ends)
            except (DocumentError, Unclear):
                pass
            else:
                self._add(value, doubts, name, line.number, outcome)
                return
        self._check_slowly(line, name, outcome)

    def _add(
        self, value: Any, doubts: int, name: str, number: int, outcome: Outcome
    ) -> None:
        document = f"{name}:{number}"
        outcome.records += 1
        if doubts and self._references:
            self._check_doubts(Record(document, number, value), doubts, outcome)
        else:
            outcome.frames += 1
            if self._references:
                self._count(value, document, "$.id", outcome)

    def _check_slowly(self, line: Line, name: str, outcome: Outcome) -> None:
        found = record_of(line, name)
        if found is not None:
            outcome.records += 1
            check_frame(found, outcome, self._labels, references=self._references)

    def _check_doubts(
        self, record: Record, doubts: int, outcome: Outcome
    ) -> tuple[Parts, Place]:
        """
        Add what is wrong with a frame that its schema allows.
        """
        parts = Parts(record.value)
        place = Place(record, parts.id)
        outcome.frames += 1
        if self._references:
            if doubts:
                self._check_rules(parts, place, doubts, outcome)
            if doubts & FACTS:
                add_facts(parts, place, outcome, self._labels)
                self._gate.learn()
            else:
                at = f"{record.at}.id"
                self._count(record.value, record.document, at, outcome)
        return parts, place

    def _check_rules(
        self, parts: Parts, place: Place, doubts: int, outcome: Outcome
    ) -> None:
        """
        Run the rules that may find something.

        What they found in the same ROIs before they need not find again.
        """
        key, here = self._gate.rois_key, doubts & ROI_RULES
        if key is None or not here:
            check_references(parts, place, outcome, rules_in(doubts))
            return
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[key] = tuple(
                found for rule in rules_in(here) for found in rule(parts)
            )
        # Bits are in the order of the rules, of which these stand together.
        first = here & -here
        check_references(parts, place, outcome, rules_in(doubts & (first - 1)))
        outcome.problems += map(place.put, self._found[key])
        later = doubts & ~here & ~(first - 1)
        check_references(parts, place, outcome, rules_in(later))

    def _count(
        self, frame: Mapping[str, Any], document: str, at: str, outcome: Outcome
    ) -> None:
        """
        Add what the frame that the gate has just seen shares with others.
        """
        gate = self._gate
        gate.count()
        id = frame.get("id")
        if id is not None:
            outcome.ids.append((id, document, at))
        if self._labels.mask_ids:
            outcome.mask_ids.update(*gate.mask_ids)


def _as_line(number: int, data: bytes) -> Line:
    return Line(number, data.rstrip(b"\r"), len(data) + 1, ended=True)
