"""
Text tables of labels and colors.

VOC's and CVAT's ``labelmap.txt``, and CamVid's ``label_colors.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from framekit.color import RGB, in_range
from framekit.errors import DocumentError, PaletteError
from framekit.palette.entry import PaletteEntry

__all__ = ["read_camvid", "read_labelmap", "write_camvid", "write_labelmap"]

_RGB: Final = r"(?P<r>\d{1,9})[ \t]*%s[ \t]*(?P<g>\d{1,9})[ \t]*%s[ \t]*(?P<b>\d{1,9})"
_IN_LABELMAP: Final = re.compile(r":[ \t]*" + _RGB % (",", ","), re.ASCII)
_IN_CAMVID: Final = re.compile(
    r"\s*" + _RGB % ("[, \t]", "[, \t]") + r"(?=[ \t])", re.ASCII
)

#: A comment behind the color: at the start, or after a colon or a space.
_COMMENT: Final = re.compile(r"(?:^|(?<=[:\s]))#.*")


def read_labelmap(text: str) -> list[tuple[int, PaletteEntry]]:
    """
    Read lines of ``label:r,g,b:parts:actions`` with their line numbers.

    Lines that begin with ``#``, and what follows `` #`` behind the color, are
    comments. Parts and actions go to the metadata, where there are any.

    Raises:
        DocumentError: If a line is none; ``at`` is the line.
    """
    found = []
    for number, line in _lines(text):
        match = _IN_LABELMAP.search(line)
        name = line[: match.start()].strip() if match else ""
        rest = _COMMENT.sub("", line[match.end() :]).strip() if match else ""
        if not match or not name or (rest and rest[0] != ":"):
            reason = f"expected 'label:r,g,b:parts:actions', got {line[:80]!r}"
            raise DocumentError(f"line {number}", reason)
        parts, _, actions = rest[1:].partition(":")
        metadata = {
            key: [word.strip() for word in words.split(",")]
            for key, words in (("parts", parts), ("actions", actions))
            if words.strip()
        }
        entry = PaletteEntry(
            color=_color(match, number), labels=name, metadata=metadata
        )
        found.append((number, entry))
    return found


def write_labelmap(entries: Iterable[PaletteEntry]) -> str:
    """
    Write ``label:r,g,b:parts:actions`` lines.

    Raises:
        PaletteError: If an entry has several labels, or no color.
    """
    lines = ["# label:color_rgb:parts:actions"]
    for entry in entries:
        name, (red, green, blue) = _writable(entry, "labelmap")
        parts = _names(entry, "parts")
        actions = _names(entry, "actions")
        lines.append(f"{name}:{red},{green},{blue}:{parts}:{actions}")
    return "\n".join(lines) + "\n"


def read_camvid(text: str) -> list[tuple[int, PaletteEntry]]:
    """
    Read lines of ``r g b name`` with their line numbers; names may have spaces.

    Raises:
        DocumentError: If a line is none; ``at`` is the line.
    """
    found = []
    for number, line in _lines(text):
        match = _IN_CAMVID.match(line)
        name = line[match.end() :].strip() if match else ""
        if not match or not name:
            reason = f"expected 'r g b name', got {line[:80]!r}"
            raise DocumentError(f"line {number}", reason)
        entry = PaletteEntry(color=_color(match, number), labels=name)
        found.append((number, entry))
    return found


def write_camvid(entries: Iterable[PaletteEntry]) -> str:
    """
    Write ``r g b<tab>name`` lines.

    Raises:
        PaletteError: If an entry has several labels, or no color.
    """
    lines = []
    for entry in entries:
        name, (red, green, blue) = _writable(entry, "camvid")
        lines.append(f"{red} {green} {blue}\t{name}\n")
    return "".join(lines)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """
    The lines that are not empty and no comments, counted from 1.
    """
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _color(match: re.Match[str], number: int) -> RGB:
    values = [int(match[key]) for key in "rgb"]
    if not in_range(values):
        reason = f"expected a color of 0 to 255, got {values}"
        raise DocumentError(f"line {number}", reason, "color-out-of-range")
    return values[0], values[1], values[2]


def _writable(entry: PaletteEntry, format: str) -> tuple[str, RGB]:
    if len(entry.labels) > 1:
        reason = f"{format} cannot hold several labels on a color: {entry.name!r}"
        raise PaletteError(reason)
    if entry.color is None or not in_range(entry.color):
        raise PaletteError(f"{format} needs a color of 0 to 255 for {entry.name!r}")
    return entry.name, entry.color


def _names(entry: PaletteEntry, key: str) -> str:
    value = entry.metadata.get(key) or []
    if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
        raise PaletteError(f"labelmap cannot hold the {key} of {entry.name!r}")
    return ",".join(value)
