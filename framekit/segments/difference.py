"""
What two annotations of one image disagree about.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from attrs import field, frozen

from framekit.problem import Severity
from framekit.segments.bounding_box import BoundingBox

__all__ = ["ARTIFACTS", "Action", "Difference", "Kind"]

#: CVAT's names of conflicts, and three kinds of artifacts.
Kind = Literal[
    "missing_annotation",
    "extra_annotation",
    "mismatching_label",
    "low_overlap",
    "covered_annotation",
    "tiny_component",
    "hole",
    "spike",
]

#: Take it over from the first, drop it from the second, or look at it.
Action = Literal["accept", "reject", "edit"]

#: The kinds that are found within an object that both have.
ARTIFACTS: Final = ("tiny_component", "hole", "spike")

_ERRORS: Final = ("missing_annotation", "extra_annotation", "mismatching_label")


@frozen(kw_only=True)
class Difference:
    """
    One disagreement: what the second has otherwise than the first.
    """

    kind: Kind

    #: The class: the first's, or the second's where the first has none.
    label: str

    #: What the second calls it, where it disagrees.
    other_label: str | None = None

    #: Where it is; of artifacts the artifact's own box.
    box: BoundingBox

    #: Pixels of the object, or of the artifact.
    area: int

    #: How grave it is, 0 to 1: the confidence of what is missing or extra, if it
    #: has one, else what is lacking of the IoU; the share of the object's pixels
    #: that are hidden, or that the artifact has.
    score: float

    #: IoU with what it was compared with, or with what comes closest.
    iou: float = 0.0

    #: What to do about the second.
    action: Action

    #: Ids of the instances.
    first: int | None = None
    second: int | None = None

    #: Errors are what the two disagree about, warnings how well they agree.
    severity: Severity = field(init=False)

    @severity.default
    def _severity(self) -> Severity:
        return Severity.ERROR if self.kind in _ERRORS else Severity.WARNING

    def to_dict(self) -> dict[str, Any]:
        """
        Return the difference as JSON values; the box is COCO's ``xywh``.
        """
        found = {
            "kind": self.kind,
            "severity": str(self.severity),
            "label": self.label,
            "other_label": self.other_label,
            "box_xywh": list(self.box.xywh),
            "area": self.area,
            "score": self.score,
            "iou": self.iou,
            "action": self.action,
            "first": self.first,
            "second": self.second,
        }
        return {key: value for key, value in found.items() if value is not None}
