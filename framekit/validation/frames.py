"""
The first two levels: a frame against its schema, the rules, and its version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import frozen

from framekit.dataset import Record
from framekit.frame import Respelling, canonical, written_path
from framekit.problem import Problem
from framekit.schema import check
from framekit.validation.codes import problem, stamped
from framekit.validation.meta_types import types_of
from framekit.validation.outcome import Outcome
from framekit.validation.parts import Parts, text
from framekit.validation.rules import RULES, Rule
from framekit.validation.version_rules import VersionLabels

__all__ = ["Place", "add_facts", "check_frame", "check_references"]


@frozen
class Place:
    """
    Where a frame stands, to put its problems there.
    """

    record: Record
    frame: str | None = None
    respellings: Sequence[Respelling] = ()

    def put(self, found: Problem) -> Problem:
        """
        *found*, whose path is that in the canonical frame, in its document.
        """
        record = self.record
        at = record.at + written_path(found.at, self.respellings)[1:]
        return stamped(found, record.document, at, self.frame)


def check_frame(
    record: Record, outcome: Outcome, labels: VersionLabels, *, references: bool
) -> tuple[Parts, Place]:
    """
    Add to *outcome* what is wrong with one frame.

    Args:
        labels: What the version says about colors.
        references: Whether to run the second level, too.

    Returns:
        The frame and its place, for the levels that follow.
    """
    frame, respellings = canonical(record.value)
    parts = Parts(frame)
    place = Place(record, parts.id, respellings)
    outcome.problems += (_as_read(found, place) for found in record.problems)
    if not record.is_read:
        return parts, place
    outcome.frames += 1
    for respelling in respellings:
        found = problem("non-canonical", respelling.message, respelling.at)
        outcome.problems.append(Place(record, parts.id).put(found))
    outcome.problems += map(place.put, check(frame, "frame"))
    if references:
        check_references(parts, place, outcome, RULES)
        add_facts(parts, place, outcome, labels)
    return parts, place


def check_references(
    parts: Parts, place: Place, outcome: Outcome, rules: Iterable[Rule]
) -> None:
    """
    Add what breaks *rules*.
    """
    for rule in rules:
        outcome.problems += map(place.put, rule(parts))


def _as_read(found: Problem, place: Place) -> Problem:
    return stamped(found, found.document, found.at, place.frame)


def add_facts(
    parts: Parts, place: Place, outcome: Outcome, labels: VersionLabels
) -> None:
    """
    Add what can only be judged when all frames are known.
    """
    if parts.id is not None:
        at = f"{place.record.at}.id"
        outcome.ids.append((parts.id, place.record.document, at))
    if labels.mask_ids:
        outcome.mask_ids.update(*parts.mask_ids.values())
    for key, found in _masks_without_labels(parts, labels):
        outcome.once.add(key, place.put(found))
    for key, found in _conflicts(parts, labels):
        outcome.once.add(key, place.put(found))
    meta = parts.frame.get("meta")
    if isinstance(meta, dict):
        for at, kind in dict.fromkeys(types_of(meta, "$.meta")):
            found = problem("meta-type-conflict", kind, at, count=1)
            if outcome.types.get((at, kind)) is None:
                found = place.put(found)
            outcome.types.add((at, kind), found)


_Finding = tuple[tuple[Any, ...], Problem]


def _masks_without_labels(parts: Parts, labels: VersionLabels) -> Iterator[_Finding]:
    if parts.linking.dangling:
        return  # What they were meant for nobody knows.
    linked = {(found.source, found.mask) for found in parts.linking.links}
    for source, mask in parts.masks:
        source_id, id = text(source.value, "id"), text(mask.value, "id")
        if source_id is None or id is None or (source_id, id) in linked:
            continue
        if not labels.levels(id):
            message = f"nothing says what the colors of mask {id!r} mean"
            found = problem(
                "mask-without-labels",
                message,
                mask.at,
                source=source_id,
                mask=id,
                count=1,
            )
            yield ("mask-without-labels", source_id, id), found


def _conflicts(parts: Parts, labels: VersionLabels) -> Iterator[_Finding]:
    told: set[tuple[Any, ...]] = set()
    for found in parts.linking.links:
        for name, by_color in labels.levels(found.mask):
            others = by_color.get(found.color)
            key = ("mask-labels-conflict", found.mask, found.color, found.labels, name)
            if others is None or key in told or sorted(others) == sorted(found.labels):
                continue
            told.add(key)
            message = (
                f"{list(found.color)} of mask {found.mask!r} is "
                f"{list(found.labels)} in rois and {list(others)} in {name}"
            )
            at = f"{parts.rois[found.roi].at}.mask.value"
            yield (
                key,
                problem(
                    "mask-labels-conflict",
                    message,
                    at,
                    mask=found.mask,
                    color=found.color,
                    count=1,
                ),
            )
