"""
Which masks the lint looks at, and where their fixed copies go.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from framekit.errors import ArgumentError

if TYPE_CHECKING:
    from framekit.validation.lint_fix import Destination

__all__ = ["FoundMasks", "found_images", "found_masks", "planned"]

#: What is taken from folders.
_SUFFIXES: Final = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)

#: What the lint itself has written; of folders these are passed over.
_OURS: Final = re.compile(r"(.+)\.(?:fixed|orig(?:\.\d+)?)\.png")


@frozen
class FoundMasks:
    """
    The masks that arguments name.
    """

    #: For each file, as it was named, the part of it below what was named.
    masks: dict[str, str]

    #: Backups and fixed masks of a former run, found in folders.
    passed_over: int = 0


def found_masks(arguments: Sequence[str]) -> FoundMasks:
    """
    Expand folders and patterns; each file once, in order.

    Raises:
        ArgumentError: If a folder or a pattern has no image.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    passed_over = 0
    for argument in arguments:
        for path, below in found_images(argument):
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
            if Path(argument).is_dir() and _is_ours(Path(path)):
                passed_over += 1
                continue
            found[path] = below
    return FoundMasks(found, passed_over)


def _is_ours(path: Path) -> bool:
    """
    Whether *path* is called like what a former run wrote beside a mask that is there.
    """
    ours = _OURS.fullmatch(path.name)
    return ours is not None and any(
        path.with_name(ours[1] + suffix).exists() for suffix in _SUFFIXES
    )


def found_images(argument: str) -> Iterator[tuple[str, str]]:
    """
    The files that *argument* names, each with the part of it below a folder.

    Raises:
        ArgumentError: If it is a folder or a pattern without any image.
    """
    if os.path.isdir(argument):  # noqa: PTH112 - any text may be given
        count = 0
        for path in sorted(Path(argument).rglob("*")):
            if path.suffix.lower() in _SUFFIXES and path.is_file():
                count += 1
                yield str(path), str(path.relative_to(argument))
        if not count:
            raise ArgumentError("MASKS", f"{argument} has no images")
        return
    if os.path.lexists(argument) or not glob.has_magic(argument):
        yield argument, Path(argument).name
        return
    matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - as typed
    files = [match for match in matches if Path(match).is_file()]
    if not files:
        raise ArgumentError("MASKS", f"nothing matches {argument}")
    for match in files:
        yield match, Path(match).name


def planned(
    masks: dict[str, str], *, in_place: bool, out: Path | None
) -> dict[str, Destination]:
    """
    Where the fixed copy of each mask goes.

    Raises:
        ArgumentError: If two would be one file, or one would replace a mask.
    """
    from framekit.validation.lint_fix import Destination

    found: dict[str, Destination] = {}
    taken: dict[str, str] = {}
    sources = {os.path.realpath(mask): mask for mask in masks}
    for mask, below in masks.items():
        path = Path(mask)
        if in_place:
            found[mask] = Destination(path, backup=_backup(path.resolve()))
            continue
        target = (
            path.with_name(f"{path.stem}.fixed.png")
            if out is None
            else (out / below).with_suffix(".png")
        )
        real = os.path.realpath(target)
        if real in sources:
            reason = f"{target} is one of the masks; choose another folder"
            raise ArgumentError("--out", reason)
        other = taken.setdefault(real, mask)
        if other != mask:
            reason = f"{other} and {mask} would both be written to {target}"
            raise ArgumentError("--fix", reason)
        found[mask] = Destination(target)
    return found


def _backup(path: Path) -> Path:
    """
    The first name for a backup that no file has.
    """
    number = 0
    while True:
        middle = f".{number}" if number else ""
        backup = path.with_name(f"{path.stem}.orig{middle}.png")
        if not os.path.lexists(backup):
            return backup
        number += 1
