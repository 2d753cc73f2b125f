"""
Telling formats apart, and reading them.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from framekit.errors import ArgumentError, MissingFileError
from framekit.formats.collection import Collection
from framekit.formats.registry import FORMATS, Format, format_of

__all__ = ["SURE", "as_path", "checked", "detect", "read"]

#: Formats are read without being named if they are at least this likely.
SURE: Final = 0.5


def detect(path: str | os.PathLike[str]) -> list[tuple[str, float]]:
    """
    In which formats *path*, a file or a folder, may be, and how sure that is.

    Returns:
        Names with confidence, 0 to 1, the likeliest first; impossible ones not.

    Raises:
        MissingFileError: If there is no such path.
    """
    place = as_path(path)
    found = [(one.name, one.detect(place)) for one in FORMATS.values()]
    likely = [(name, sure) for name, sure in found if sure > 0]
    return sorted(likely, key=lambda pair: -pair[1])


def read(
    path: str | os.PathLike[str], format: str | None = None, **options: Any
) -> Collection:
    """
    Read the data set in *path*; label maps are read when they are asked for.

    Args:
        format: One of :data:`FORMATS`; by default what :func:`detect` is surest of.
        options: Those of the format.

    Raises:
        ArgumentError: If the format is unknown, or none is likely.
        StorageError: If a file cannot be read.
        DocumentError: If one is not what it should be.
    """
    place = as_path(path)
    if format is None:
        found = detect(place)
        if not found or found[0][1] < SURE:
            shown = ", ".join(f"{name} ({sure:.0%})" for name, sure in found)
            reason = (
                f"cannot tell that of {place}{f': {shown}' if shown else ''}; name one "
                f"of {', '.join(FORMATS)}"
            )
            raise ArgumentError("format", reason)
        format = found[0][0]
    chosen = format_of(format)
    return chosen.read(place, **checked(chosen, chosen.read, options))


def checked(
    format: Format, function: Callable[..., Any], options: dict[str, Any]
) -> dict[str, Any]:
    """
    The *options* that *function* of a format takes.

    Raises:
        ArgumentError: If it does not take one of them.
    """
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return options
    for name in options:
        if name not in known:
            listed = ", ".join(known) or "none"
            reason = f"no option of the format {format.name!r}, which has: {listed}"
            raise ArgumentError(name, reason)
    return options


def as_path(path: str | os.PathLike[str]) -> Path:
    """
    *path*, which is there.

    Raises:
        MissingFileError: If not.
    """
    place = Path(path)
    if not place.exists():
        raise MissingFileError(str(place), "no such file or folder")
    return place
