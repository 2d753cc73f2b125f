"""
Data sets of other tools: read into one form in between, and written from it.
"""

from framekit.formats.collection import Collection
from framekit.formats.conversion import Conversion, convert
from framekit.formats.item import Item, Said
from framekit.formats.nucleus_payload import (
    AnnotateResult,
    NucleusItems,
    Segment,
    SegmentationPrediction,
    check_for_duplicate_ids,
    payload_of,
    read_payload,
)
from framekit.formats.picture import Picture
from framekit.formats.reading import detect, read
from framekit.formats.registry import FORMATS, Format
from framekit.formats.writing import write

__all__ = [
    "FORMATS",
    "AnnotateResult",
    "Collection",
    "Conversion",
    "Format",
    "Item",
    "NucleusItems",
    "Picture",
    "Said",
    "Segment",
    "SegmentationPrediction",
    "check_for_duplicate_ids",
    "convert",
    "detect",
    "payload_of",
    "read",
    "read_payload",
    "write",
]
