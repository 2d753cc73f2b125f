"""
How far two annotations agree, by class and in total.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from attrs import field, frozen

from framekit.segments.difference import Difference
from framekit.segments.instance import Instance

__all__ = ["Agreement", "ClassAgreement", "agreement_of"]


@frozen
class ClassAgreement:
    """
    Counts of one class, or of all.
    """

    #: Objects that the first has, that the second has, and that match.
    first: int = 0
    second: int = 0
    matched: int = 0

    #: The sum of the matches' IoU.
    iou_sum: float = 0.0

    #: How many differences of each kind there are.
    differences: Mapping[str, int] = field(factory=dict, hash=False)

    @property
    def f1(self) -> float | None:
        """
        Twice the matches divided by the objects of both; None without any.
        """
        both = self.first + self.second
        return 2 * self.matched / both if both else None

    @property
    def mean_iou(self) -> float | None:
        """
        Mean IoU of the matches; None without any.
        """
        return self.iou_sum / self.matched if self.matched else None

    def __add__(self, other: Self) -> Self:
        counts = Counter(self.differences) + Counter(other.differences)
        return type(self)(
            self.first + other.first,
            self.second + other.second,
            self.matched + other.matched,
            self.iou_sum + other.iou_sum,
            dict(counts),
        )

    def to_dict(self) -> dict[str, Any]:
        """
        Return counts and scores as JSON values.
        """
        return {
            "first": self.first,
            "second": self.second,
            "matched": self.matched,
            "f1": self.f1,
            "mean_iou": self.mean_iou,
            "differences": dict(self.differences),
        }


@frozen
class Agreement:
    """
    What two annotations agree and disagree about; those of images add up with ``+``.
    """

    #: Errors first, then by how grave they are; by image where several were added.
    differences: tuple[Difference, ...] = ()

    #: Counts by the first's label; of extra objects by the second's.
    per_class: Mapping[str, ClassAgreement] = field(factory=dict, hash=False)

    @property
    def total(self) -> ClassAgreement:
        """
        Counts of all classes together.
        """
        return sum(self.per_class.values(), ClassAgreement())

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, Agreement):
            return NotImplemented
        none = ClassAgreement()
        labels = dict.fromkeys([*self.per_class, *other.per_class])
        return type(self)(
            self.differences + other.differences,
            {
                label: self.per_class.get(label, none)
                + other.per_class.get(label, none)
                for label in labels
            },
        )

    def __radd__(self, other: object) -> Self:
        # sum() starts from 0.
        return self if other == 0 else NotImplemented

    def to_dict(self) -> dict[str, Any]:
        """
        Return all as JSON values.
        """
        return {
            "total": self.total.to_dict(),
            "per_class": {
                label: one.to_dict() for label, one in self.per_class.items()
            },
            "differences": [one.to_dict() for one in self.differences],
        }


def agreement_of(
    first: Sequence[Instance],
    second: Sequence[Instance],
    matches: Iterable[tuple[str, float]],
    differences: Sequence[Difference],
) -> Agreement:
    """
    Count the objects of both, their matches (label and IoU), and what differs.
    """
    pairs = list(matches)
    ones = Counter(item.label for item in first)
    others = Counter(item.label for item in second)
    matched = Counter(label for label, _ in pairs)
    kinds: dict[str, Counter[str]] = {}
    for one in differences:
        kinds.setdefault(one.label, Counter())[one.kind] += 1
    labels = dict.fromkeys([*ones, *others, *kinds])
    per_class = {
        label: ClassAgreement(
            ones[label],
            others[label],
            matched[label],
            sum(overlap for name, overlap in pairs if name == label),
            dict(kinds.get(label, {})),
        )
        for label in labels
    }
    return Agreement(tuple(differences), per_class)
