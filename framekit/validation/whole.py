"""
What can only be judged when all frames are known.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Final

from attrs import define, evolve, field

from framekit.palette import ALL_MASKS
from framekit.problem import Problem
from framekit.validation.codes import counted, problem
from framekit.validation.frame_ids import FrameIds, where
from framekit.validation.outcome import Outcome
from framekit.validation.tally import Tally
from framekit.validation.version_rules import VersionLabels

__all__ = ["Whole"]

#: How many unknown colors of one file are told one by one.
COLORS_TOLD: Final = 10


@define
class Whole:
    """
    The outcomes of all frames, put together.
    """

    frames: int = 0
    _once: Tally = field(factory=Tally)
    _types: Tally = field(factory=Tally)
    _declared: Tally = field(factory=Tally)
    _shown: set[tuple[str, tuple[int, int, int]]] = field(factory=set)
    _mask_ids: set[str] = field(factory=set)
    _ids: FrameIds = field(factory=FrameIds)

    def add(self, outcome: Outcome) -> Iterator[Problem]:
        """
        Add an outcome, and yield what is wrong with its frames.
        """
        yield from outcome.problems
        self._ids.add(outcome.ids)
        self.frames += outcome.frames
        self._once.update(outcome.once)
        self._types.update(outcome.types)
        self._declared.update(outcome.declared)
        self._shown |= outcome.shown
        self._mask_ids |= outcome.mask_ids

    def finish(
        self, labels: VersionLabels, version_document: str, *, is_done: bool = True
    ) -> Iterator[Problem]:
        """
        Yield what is told once.

        Args:
            labels: What the version says about colors.
            version_document: What the version's document is called.
            is_done: Whether these are all frames; of some nobody can say what is
                missing in them.
        """
        yield from self._ids.problems()
        for id, at, _ in labels.lists:
            if is_done and self.frames and id != ALL_MASKS and id not in self._mask_ids:
                message = f"no frame has a mask {id!r}"
                found = problem("unused-mask-labels", message, at, mask=id)
                yield evolve(found, document=version_document)
        yield from _type_conflicts(self._types)
        yield from _with_few_colors(self._once)
        for key, found in self._declared:
            if is_done and key not in self._shown:
                frames = counted(found.count, "frame")
                message = f"{found.message} has a label in {frames}, pixels in none"
                yield evolve(found, message=message)


def _type_conflicts(types: Tally) -> Iterator[Problem]:
    by_path: dict[str, list[tuple[str, Problem]]] = {}
    for key, found in types:
        path, kind = _pair(key)
        by_path.setdefault(path, []).append((kind, found))
    for path, kinds in by_path.items():
        if len(kinds) > 1:
            usual, first = max(kinds, key=lambda item: item[1].count or 0)
            for kind, found in kinds:
                if kind != usual:
                    message = (
                        f"{path.removeprefix('$.')} is {_noun(kind)} in "
                        f"{counted(found.count, 'frame')} and {_noun(usual)} in "
                        f"{counted(first.count, 'frame')}, first in "
                        f"{where(first.document, first.at)}"
                    )
                    yield evolve(found, message=message)


def _with_few_colors(once: Tally) -> Iterator[Problem]:
    """
    Leave out all but the most frequent unknown colors of a file.
    """
    colors: dict[Hashable, list[Problem]] = {}
    for key, found in once:
        if found.code == "unknown-color":
            colors.setdefault(_pair(key)[0], []).append(found)
        else:
            yield found
    for found_here in colors.values():
        named = [found for found in found_here if found.color is not None]
        named.sort(key=lambda found: -(found.count or 0))
        for found in named[:COLORS_TOLD]:
            pixels = counted(found.count, "pixel")
            message = f"{found.message}: {pixels} of {list(found.color or ())}"
            if found.box is not None:
                left, top, right, bottom = found.box
                message += f", within x {left} to {right - 1}, y {top} to {bottom - 1}"
            yield evolve(found, message=message)
        rest = [found for found in found_here if found.color is None]
        rest += named[COLORS_TOLD:]
        if rest:
            total = sum(found.count or 0 for found in rest)
            message = f"{rest[0].message}: {counted(total, 'pixel')} of further colors"
            yield evolve(rest[0], message=message, color=None, count=total, box=None)


def _pair(key: Hashable) -> Any:
    return key


def _noun(kind: str) -> str:
    if kind == "text":
        return kind
    return f"an {kind}" if kind == "object" else f"a {kind}"
