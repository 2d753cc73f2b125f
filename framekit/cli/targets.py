"""
What the files named on a command line are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_version_option", "is_document"]

_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})


def add_version_option(parser: argparse.ArgumentParser) -> None:
    """
    Add ``--version``, which goes with the folder of a dataset.
    """
    parser.add_argument(
        "--version",
        metavar="NAME",
        help="which version of a dataset (default: the newest published, or newest)",
    )


def is_document(path: str) -> bool:
    """
    Whether *path* is a frames folder or a file of frames, judged by its name.
    """
    return Path(path).is_dir() or Path(path).suffix.lower() in _SUFFIXES
