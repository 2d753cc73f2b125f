"""
Panoptic quality: how many segments were found, and how well those that were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Self

from attrs import evolve, field, frozen

from framekit.errors import ArgumentError

__all__ = ["PanopticQuality", "Quality", "Tally", "VoidRule", "as_void_rule"]

#: Where void is forgiven: in the target only, as panopticapi does, or also in the
#: prediction, as torchmetrics does.
VoidRule = Literal["target", "both"]

#: Sums of IoU are whole multiples of 2 ** -60, so that they do not depend on the
#: order in which they are added.
_ONE: Final = 1 << 60


@frozen(kw_only=True)
class Quality:
    """
    The scores of one class, or the means of several; None if none occurs.
    """

    #: Panoptic quality: sum of IoU / (TP + FP / 2 + FN / 2), 0 to 1.
    pq: float | None

    #: Segmentation quality: the mean IoU of the segments that were found.
    sq: float | None

    #: Recognition quality: TP / (TP + FP / 2 + FN / 2).
    rq: float | None

    #: How many classes occur, over which the means are taken.
    n: int

    #: Segments that were found, that were imagined, and that were missed.
    tp: int = 0
    fp: int = 0
    fn: int = 0


@frozen
class Tally:
    """
    What there is to know of one class.
    """

    #: Sum of the IoU of matched segments, in units of 2 ** -60.
    iou: int = 0

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def with_match(self, intersection: int, union: int) -> Self:
        """
        Count a matched pair of segments.
        """
        share = (intersection * _ONE + union // 2) // union
        return evolve(self, iou=self.iou + share, tp=self.tp + 1)

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.iou + other.iou,
            self.tp + other.tp,
            self.fp + other.fp,
            self.fn + other.fn,
        )

    @property
    def quality(self) -> Quality:
        """
        The scores; all 0 if segments occur but none was found.
        """
        tp, fp, fn = self.tp, self.fp, self.fn
        if not tp + fp + fn:
            return Quality(pq=None, sq=None, rq=None, n=0)
        total = self.iou / _ONE
        weight = tp + fp / 2 + fn / 2
        sq = total / tp if tp else 0.0
        return Quality(
            pq=total / weight, sq=sq, rq=tp / weight, n=1, tp=tp, fp=fp, fn=fn
        )


def as_void_rule(value: Any) -> VoidRule:
    """
    Return *value* if it is a rule.

    Raises:
        ArgumentError: If it is none.
    """
    if value in ("target", "both"):
        rule: VoidRule = value
        return rule
    raise ArgumentError("void", f"expected 'target' or 'both', got {value!r}")


def _as_ids(value: Iterable[int]) -> tuple[int, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ArgumentError("things, stuff", f"expected ids of classes, got {value!r}")
    try:
        return tuple(sorted({int(id) for id in value}))
    except (TypeError, ValueError):
        reason = "expected ids of classes, whole numbers"
        raise ArgumentError("things, stuff", reason) from None


@frozen
class PanopticQuality:
    """
    The panoptic quality of one image, or of many: add those of several with ``+``.

    The sum is the same in any order, and what one pass over all images gives.
    """

    #: Ids of the classes.
    things_ids: tuple[int, ...] = field(converter=_as_ids)
    stuff_ids: tuple[int, ...] = field(converter=_as_ids)

    #: Where void is forgiven.
    void: VoidRule = field(default="target", converter=as_void_rule)

    #: What was counted, by class; those that do not occur may be missing.
    tallies: Mapping[int, Tally] = field(factory=dict, hash=False, repr=False)

    def __attrs_post_init__(self) -> None:
        both = set(self.things_ids) & set(self.stuff_ids)
        if both:
            reason = f"{sorted(both)} are named as things, too"
            raise ArgumentError("stuff", reason)
        if not self.things_ids and not self.stuff_ids:
            raise ArgumentError("things, stuff", "expected at least one class")
        if min(self.things_ids + self.stuff_ids) < 0:
            raise ArgumentError("things, stuff", "negative ids are void")

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, PanopticQuality):
            return NotImplemented
        mine = (self.things_ids, self.stuff_ids, self.void)
        theirs = (other.things_ids, other.stuff_ids, other.void)
        if mine != theirs:
            reason = f"was made with {theirs}, this with {mine}"
            raise ArgumentError("other", reason)
        none = Tally()
        return evolve(
            self,
            tallies={
                id: self.tallies.get(id, none) + other.tallies.get(id, none)
                for id in sorted({*self.tallies, *other.tallies})
            },
        )

    def __radd__(self, other: object) -> Self:
        # sum() starts from 0.
        return self if other == 0 else NotImplemented

    @property
    def per_class(self) -> dict[int, Quality]:
        """
        The scores of each class, things first; None for those that do not occur.
        """
        none = Tally()
        return {
            id: self.tallies.get(id, none).quality
            for id in self.things_ids + self.stuff_ids
        }

    @property
    def all(self) -> Quality:
        """
        The means over all classes that occur.
        """
        return self._mean(self.things_ids + self.stuff_ids)

    @property
    def things(self) -> Quality:
        """
        The means over the things that occur.
        """
        return self._mean(self.things_ids)

    @property
    def stuff(self) -> Quality:
        """
        The means over the stuff that occurs.
        """
        return self._mean(self.stuff_ids)

    def to_dict(self) -> dict[str, Any]:
        """
        Return all scores as JSON values.
        """

        def values(part: Quality) -> dict[str, Any]:
            names = ("pq", "sq", "rq", "n", "tp", "fp", "fn")
            return {name: getattr(part, name) for name in names}

        return {
            "void": self.void,
            "all": values(self.all),
            "things": values(self.things),
            "stuff": values(self.stuff),
            "per_class": {str(id): values(one) for id, one in self.per_class.items()},
        }

    def _mean(self, ids: Iterable[int]) -> Quality:
        found = [
            tally.quality
            for id in ids
            if (tally := self.tallies.get(id, Tally())).quality.n
        ]
        if not found:
            return Quality(pq=None, sq=None, rq=None, n=0)
        return Quality(
            pq=sum(one.pq or 0.0 for one in found) / len(found),
            sq=sum(one.sq or 0.0 for one in found) / len(found),
            rq=sum(one.rq or 0.0 for one in found) / len(found),
            n=len(found),
            tp=sum(one.tp for one in found),
            fp=sum(one.fp for one in found),
            fn=sum(one.fn for one in found),
        )
