"""
The formats by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from framekit.errors import ArgumentError
from framekit.formats import (
    camvid,
    cityscapes,
    coco_instances,
    coco_panoptic,
    cvat,
    dataset,
    folder,
    frames,
    nucleus,
    panoptic_npz,
    two_channel,
    voc,
)
from framekit.formats.collection import Collection
from framekit.formats.writer import Writer

__all__ = ["FORMATS", "Format", "format_of"]


class Format(NamedTuple):
    """
    One format.
    """

    name: str

    #: How sure it is that a path is in this format, 0 to 1.
    detect: Callable[[Path], float]

    #: Reads a path, with options of its own.
    read: Callable[..., Collection]

    #: Makes what writes a collection to a path, with options of its own.
    writer: Callable[..., Writer]

    #: What is lost when it is written and read again, a sentence each.
    losses: tuple[str, ...]


def _format(name: str, module: Any) -> Format:
    return Format(name, module.detect, module.read, module.writer, module.LOSSES)


#: By name; of formats that are equally likely the first is meant.
FORMATS: Final[Mapping[str, Format]] = {
    found.name: found
    for found in (
        _format("dataset", dataset),
        _format("frames", frames),
        _format("coco-panoptic", coco_panoptic),
        _format("coco-instances", coco_instances),
        _format("cityscapes", cityscapes),
        _format("cvat", cvat),
        _format("voc", voc),
        _format("camvid", camvid),
        _format("two-channel", two_channel),
        _format("panoptic-npz", panoptic_npz),
        _format("nucleus", nucleus),
        _format("folder", folder),
    )
}


def format_of(name: str, *, argument: str = "format") -> Format:
    """
    The format called *name*.

    Raises:
        ArgumentError: If there is none; the message names all.
    """
    found = FORMATS.get(name)
    if found is None:
        raise ArgumentError(argument, f"expected one of {', '.join(FORMATS)}: {name!r}")
    return found
