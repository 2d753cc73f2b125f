"""
What files say of themselves at first sight, to tell formats apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from framekit.formats.picture import SUFFIXES

__all__ = ["json_keys", "mask_stems", "some_files"]

#: How much of a JSON file is looked at, at its start and at its end.
_HEAD: Final = 1 << 20

_KEY: Final = re.compile(rb'"([A-Za-z_]{1,40})"\s*:')

#: How many files are looked at.
_MANY: Final = 2000


def json_keys(path: Path) -> list[frozenset[str]]:
    """
    The keys of the JSON files that *path*, a file or a folder, holds.

    Only the first and the last MiB of each is looked at.
    """
    if path.is_file():
        files = [path] if path.suffix.lower() == ".json" else []
    else:
        files = [*path.glob("*.json"), *path.glob("annotations/*.json")]
    return [_keys_in(file) for file in sorted(files)[:20]]


def some_files(path: Path, pattern: str) -> list[Path]:
    """
    Files below the folder *path* whose names match, as many as are needed to judge.
    """
    if not path.is_dir():
        return []
    return list(islice(path.rglob(pattern), _MANY))


def mask_stems(folder: Path) -> Iterator[str]:
    """
    The names, without suffix, of image files in *folder*.
    """
    for path in islice(folder.iterdir(), _MANY):
        if path.suffix.lower() in SUFFIXES:
            yield path.stem


def _keys_in(path: Path) -> frozenset[str]:
    try:
        with path.open("rb") as file:
            data = file.read(_HEAD)
            size = path.stat().st_size
            if size > 2 * _HEAD:
                file.seek(size - _HEAD)
            data += file.read(_HEAD)
    except OSError:
        return frozenset()
    return frozenset(key.decode() for key in set(_KEY.findall(data)))
