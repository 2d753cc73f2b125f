"""
Which masks the ROIs of a frame speak about, as far as the gate needs to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from framekit.palette import link
from framekit.validation.outcome import Outcome
from framekit.validation.parts import Parts
from framekit.validation.version_rules import VersionLabels

__all__ = ["Linked"]

_Pair = tuple[str, str]
_Color = tuple[str, int, int, int]

#: How much is remembered of the frames before.
_REMEMBERED: Final = 4096


class Found(NamedTuple):
    """
    What the ROIs of one frame leave to be told once.
    """

    #: Whether it is certain that no label contradicts the version's.
    is_clear: bool = True

    #: The masks whose colors have no labels.
    bare: tuple[_Pair, ...] = ()


class Linked:
    """
    The masks and colors of one frame after the other.
    """

    def __init__(self, labels: VersionLabels) -> None:
        """
        Watch frames of a version that has *labels*.
        """
        self._labels = labels
        self._agreed: set[tuple[_Color, tuple[str, ...]]] = set()

        #: How many frames were counted that have the same masks without labels.
        self.counted: dict[tuple[_Pair, ...], int] = {(): 0}

        #: What was found when all ROIs of the frame were seen.
        self.found = Found()

        #: The ids of the masks of each source of the frame.
        self.masks: dict[str, list[str]] = {}
        self._linked: set[_Pair] = set()
        self._colors: dict[_Color, list[str]] = {}
        self._is_clear = True
        self._dangles = False

    def start(self) -> None:
        """
        Begin with the ROIs of another frame.
        """
        self._linked = set()
        self._colors = {}
        self._is_clear = True
        self._dangles = False

    def link(self, id: str, sources: list[str] | None) -> bool:
        """
        Whether a mask called *id* is there in one of *sources*, or of all.
        """
        found = False
        for source in sources or self.masks:
            if id in self.masks.get(source, ()):
                self._linked.add((source, id))
                found = True
        self._dangles = self._dangles or not found
        return found

    def agree(self, color: _Color, labels: list[str]) -> bool:
        """
        Whether the ROIs up to here give *color* just *labels*.
        """
        before = self._colors.setdefault(color, labels)
        if self._labels.lists and self._is_clear:
            self._is_clear = self._agrees(color, tuple(labels))
        return before is labels or before == labels

    def finish(self, rois: Sequence[Any]) -> None:
        """
        Take *rois*, which were seen up to here, as all of the frame.
        """
        if self._dangles:
            linking = link(self.masks, Parts({"rois": rois}).mask_rois)
            self._linked = {(found.source, found.mask) for found in linking.links}
            self._is_clear = not self._labels.lists
            if linking.dangling:  # What the masks were meant for nobody knows.
                self.found = Found(self._is_clear)
                return
        bare = tuple(
            (source, id)
            for source, ids in self.masks.items()
            for id in ids
            if (source, id) not in self._linked and not self._labels.levels(id)
        )
        self.found = Found(self._is_clear, bare)

    def is_known(self) -> bool:
        """
        Whether all there is to tell once about the frame was told before.
        """
        is_clear, bare = self.found
        return is_clear and bare in self.counted

    def learn(self) -> None:
        """
        Take what there is to tell once as told.
        """
        if self.found.is_clear and len(self.counted) < _REMEMBERED:
            self.counted.setdefault(self.found.bare, 0)

    def give_counts(self, outcome: Outcome) -> None:
        """
        Add what was counted to *outcome*, and start again.
        """
        for bare, number in self.counted.items():
            self.counted[bare] = 0
            for pair in bare if number else ():
                key: tuple[Any, ...] = ("mask-without-labels", *pair)
                outcome.once.count(key, number)

    def _agrees(self, color: _Color, labels: tuple[str, ...]) -> bool:
        if (color, labels) in self._agreed:
            return True
        for _, by_color in self._labels.levels(color[0]):
            others = by_color.get(color[1:])
            if others is not None and sorted(others) != sorted(labels):
                return False
        if len(self._agreed) < _REMEMBERED:
            self._agreed.add((color, labels))
        return True
