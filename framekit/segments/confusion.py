"""
Which pixels of a class were called what, and the scores that follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from attrs import cmp_using, field, frozen
from numpy.typing import NDArray

from framekit.errors import ArgumentError

__all__ = ["Confusion", "Score"]

#: A class's name, or its value where arrays were compared.
Key = str | int

#: A score of each class; None where the class does not occur at all.
Score = dict[Key, float | None]


def _as_counts(value: Any) -> NDArray[np.int64]:
    counts = np.asarray(value, np.int64)
    counts.flags.writeable = False
    return counts


@frozen
class Confusion:
    """
    Counts of pixels by what they are and what they were called.

    Those of several images are added with ``+``, in any order and in other
    processes; the scores of the sum are those of all pixels together. Pixels whose
    target is void count in no score; void in the prediction is a miss.
    """

    #: Names of classes, or values.
    classes: tuple[Key, ...]

    #: (n + 1, n + 1) int64: rows are targets, columns predictions; the last is void.
    counts: NDArray[np.int64] = field(
        converter=_as_counts,
        eq=cmp_using(eq=np.array_equal),
        hash=False,
        repr=lambda a: f"<{a.shape}>",
    )

    def __attrs_post_init__(self) -> None:
        side = len(self.classes) + 1
        if self.counts.shape != (side, side):
            reason = f"expected {(side, side)} counts, got {self.counts.shape}"
            raise ArgumentError("counts", reason)

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, Confusion):
            return NotImplemented
        if other.classes != self.classes:
            reason = (
                f"has the classes {list(other.classes)[:10]}, "
                f"this {list(self.classes)[:10]}"
            )
            raise ArgumentError("other", reason)
        return type(self)(self.classes, self.counts + other.counts)

    def __radd__(self, other: object) -> Self:
        # sum() starts from 0.
        return self if other == 0 else NotImplemented

    @property
    def pixels(self) -> int:
        """
        Pixels that count: whose target is not void.
        """
        return int(self.counts[:-1].sum())

    @property
    def ignored(self) -> int:
        """
        Pixels whose target is void.
        """
        return int(self.counts[-1].sum())

    @property
    def iou(self) -> Score:
        """
        Shared pixels divided by the pixels of either, for each class.
        """
        hits, targets, calls = self._sums
        return self._shares(hits, targets + calls - hits)

    @property
    def dice(self) -> Score:
        """
        Twice the shared pixels divided by the pixels of both; also called F1.
        """
        hits, targets, calls = self._sums
        return self._shares(2 * hits, targets + calls)

    @property
    def precision(self) -> Score:
        """
        Share of what was called the class that is; None if nothing was.
        """
        hits, _, calls = self._sums
        return self._shares(hits, calls)

    @property
    def recall(self) -> Score:
        """
        Share of what is the class that was called so; None if nothing is.
        """
        hits, targets, _ = self._sums
        return self._shares(hits, targets)

    @property
    def miou(self) -> float | None:
        """
        Mean IoU of the classes that occur.
        """
        return _mean(self.iou)

    @property
    def mean_dice(self) -> float | None:
        """
        Mean Dice of the classes that occur.
        """
        return _mean(self.dice)

    @property
    def mean_accuracy(self) -> float | None:
        """
        Mean recall of the classes that the targets have.
        """
        return _mean(self.recall)

    @property
    def accuracy(self) -> float | None:
        """
        Share of pixels that were called what they are.
        """
        hits, targets, _ = self._sums
        total = int(targets.sum())
        return int(hits.sum()) / total if total else None

    @property
    def fwavacc(self) -> float | None:
        """
        IoU of the classes, weighted by their share of the targets' pixels.
        """
        _, targets, _ = self._sums
        total = int(targets.sum())
        if not total:
            return None
        pairs = zip(targets.tolist(), self.iou.values(), strict=True)
        weighted: float = sum(count * (share or 0.0) for count, share in pairs)
        return weighted / total

    def to_dict(self) -> dict[str, Any]:
        """
        Return all scores as JSON values.
        """
        means = ("miou", "mean_dice", "mean_accuracy", "accuracy", "fwavacc")
        each = ("iou", "dice", "precision", "recall")
        scores: dict[str, Mapping[Key, Any]] = {
            name: getattr(self, name) for name in each
        }
        return {
            "pixels": self.pixels,
            "ignored": self.ignored,
            **{name: getattr(self, name) for name in means},
            "per_class": {
                str(key): {name: scores[name][key] for name in each}
                for key in self.classes
            },
        }

    @property
    def _sums(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """
        For each class: pixels that are and were called so; that are; that were.
        """
        counted = self.counts[:-1]
        hits = np.diagonal(counted).copy()
        return hits, counted.sum(axis=1), counted.sum(axis=0)[:-1]

    def _shares(self, parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> Score:
        return {
            key: part / whole if whole else None
            for key, part, whole in zip(
                self.classes, parts.tolist(), wholes.tolist(), strict=True
            )
        }


def _mean(scores: Score) -> float | None:
    known = [score for score in scores.values() if score is not None]
    return sum(known) / len(known) if known else None
