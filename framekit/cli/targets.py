"""
What the files named on a command line are.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_document"]

_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})


def is_document(path: str) -> bool:
    """
    Whether *path* is a frames folder or a file of frames, judged by its name.
    """
    return Path(path).is_dir() or Path(path).suffix.lower() in _SUFFIXES
