"""
Label maps as the field sees them: semantic, instance, panoptic; scored and compared.
"""

from framekit.segments.agreement import Agreement, ClassAgreement
from framekit.segments.average_precision import (
    AveragePrecision,
    Detections,
    average_precision,
    detections,
)
from framekit.segments.binary import VOID_BINARY, binary_mask, cut_out
from framekit.segments.boundary import boundary_band
from framekit.segments.bounding_box import BoundingBox
from framekit.segments.comparison import agreement, compare
from framekit.segments.components import components
from framekit.segments.confusion import Confusion
from framekit.segments.consolidation import (
    Group,
    consolidate,
    display_names,
    groups,
    semantic,
)
from framekit.segments.difference import ARTIFACTS, Difference
from framekit.segments.instance import Instance, counts, numbered
from framekit.segments.instances import instances
from framekit.segments.pairing import paired
from framekit.segments.panoptic import NO_INSTANCE, VOID, Panoptic, panoptic
from framekit.segments.panoptic_matching import panoptic_quality
from framekit.segments.panoptic_quality import PanopticQuality, Quality
from framekit.segments.pixel_scores import confusion, dice, iou
from framekit.segments.polygons import Polygon, polygons_of, rasterized
from framekit.segments.region import Region
from framekit.segments.rle import from_hasty, from_rle, to_hasty, to_rle
from framekit.segments.segment_class import SegmentClass, classes_of
from framekit.segments.stacking import Overlap, flattened, overlaps, stacked, visible

__all__ = [
    "ARTIFACTS",
    "NO_INSTANCE",
    "VOID",
    "VOID_BINARY",
    "Agreement",
    "AveragePrecision",
    "BoundingBox",
    "ClassAgreement",
    "Confusion",
    "Detections",
    "Difference",
    "Group",
    "Instance",
    "Overlap",
    "Panoptic",
    "PanopticQuality",
    "Polygon",
    "Quality",
    "Region",
    "SegmentClass",
    "agreement",
    "average_precision",
    "binary_mask",
    "boundary_band",
    "classes_of",
    "compare",
    "components",
    "confusion",
    "consolidate",
    "counts",
    "cut_out",
    "detections",
    "dice",
    "display_names",
    "flattened",
    "from_hasty",
    "from_rle",
    "groups",
    "instances",
    "iou",
    "numbered",
    "overlaps",
    "paired",
    "panoptic",
    "panoptic_quality",
    "polygons_of",
    "rasterized",
    "semantic",
    "stacked",
    "to_hasty",
    "to_rle",
    "visible",
]
