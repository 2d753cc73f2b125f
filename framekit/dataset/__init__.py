"""
Where frames are kept, and how they are read.
"""

from framekit.dataset.dataset import Dataset
from framekit.dataset.documents import Target
from framekit.dataset.opening import open_target
from framekit.dataset.query import Filter, LabelRule, MappingRule
from framekit.dataset.records import Record
from framekit.dataset.version import DatasetVersion
from framekit.dataset.version_diff import Diff, diff

__all__ = [
    "Dataset",
    "DatasetVersion",
    "Diff",
    "Filter",
    "LabelRule",
    "MappingRule",
    "Record",
    "Target",
    "diff",
    "open_target",
]
