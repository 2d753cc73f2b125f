"""
Where frames are kept, and how they are read.
"""

from framekit.dataset.documents import Target, open_target
from framekit.dataset.records import Record

__all__ = ["Record", "Target", "open_target"]
