"""
Well-known palettes, built from the tables of their data sets.

Their ids are the data sets' own pixel values, which are the indices, too. Where
labels share a color, the color stands for the first, in the table's order; by
index each is itself. So it is in

- Cityscapes: black is "unlabeled" (label id 0), not "ego vehicle", "rectification
  border", "out of roi" or "static"; (153, 153, 153) is "pole", not "polegroup";
  (0, 0, 142) is "car", not "license plate", whose label id is -1: it has no pixel
  value, is never drawn, and stands last, under the id 34;
- ADE20K: (140, 140, 140) is "road", not "skyscraper".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from framekit.color import RGB, as_rgb
from framekit.errors import ArgumentError
from framekit.palette.entry import PaletteEntry
from framekit.palette.table_ade20k import ADE20K
from framekit.palette.table_camvid import CAMVID
from framekit.palette.table_cityscapes import CITYSCAPES

__all__ = ["NAMES", "known_entries"]

#: The classes of PASCAL VOC by number, as its development kit lists them.
_VOC: Final = """
background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog
horse motorbike person pottedplant sheep sofa train tvmonitor
"""

#: Train ids of Cityscapes that stand for "ignored".
_IGNORED: Final = (255, -1)


def known_entries(name: str) -> tuple[PaletteEntry, ...]:
    """
    The entries of the palette called *name*; some share colors.

    Raises:
        ArgumentError: If there is none of that name.
    """
    if name not in _TABLES:
        reason = f"expected one of {', '.join(NAMES)}, got {name!r}"
        raise ArgumentError("name", reason)
    return tuple(_TABLES[name]())


def _ade20k() -> Iterator[PaletteEntry]:
    """
    150 classes, ids and indices 1 to 150; 0, painted black, is void.
    """
    yield PaletteEntry(color=(0, 0, 0), index=0, void=True)
    for number, line in enumerate(ADE20K.split("\n")[1:-1], 1):
        color, kind, name = line.split(" ", 2)
        yield PaletteEntry(
            id=number,
            color=as_rgb(color),
            index=number,
            labels=name,
            thing=kind == "thing",
        )


def _camvid() -> Iterator[PaletteEntry]:
    """
    32 classes by color, ids from 0 in alphabetical order; Void is void.
    """
    for line in CAMVID.split("\n")[1:-1]:
        color, name = line.split(" ", 1)
        yield PaletteEntry(color=as_rgb(color), labels=name, void=name == "Void")


def _cityscapes() -> Iterator[PaletteEntry]:
    """
    35 labels by color and by label id.
    """
    for label, train, color, category, thing, name in _cityscapes_rows():
        yield PaletteEntry(
            id=label if label >= 0 else 34,
            color=color,
            index=label if label >= 0 else None,
            labels=name,
            thing=thing,
            metadata={"category": category, "train_id": train},
        )


def _cityscapes_train() -> Iterator[PaletteEntry]:
    """
    The 19 classes of evaluation by color and by label id; ids are train ids.

    What evaluation ignores is void.
    """
    for label, train, color, category, thing, name in _cityscapes_rows():
        ignored = train in _IGNORED
        yield PaletteEntry(
            id=None if ignored else train,
            color=color,
            index=label if label >= 0 else None,
            labels=name,
            thing=thing,
            void=ignored,
            metadata={"category": category},
        )


def _cityscapes_rows() -> Iterator[tuple[int, int, RGB, str, bool, str]]:
    for line in CITYSCAPES.split("\n")[1:-1]:
        label, train, color, category, kind, name = line.split(" ", 5)
        yield int(label), int(train), as_rgb(color), category, kind == "thing", name


def _voc() -> Iterator[PaletteEntry]:
    """
    21 classes, ids and indices 0 to 20; 255, the border, is void.
    """
    for number, name in enumerate(_VOC.split()):
        yield PaletteEntry(
            id=number,
            color=_voc_color(number),
            index=number,
            labels=name,
            thing=number > 0,
        )
    yield PaletteEntry(color=_voc_color(255), index=255, labels="void", void=True)


def _voc_color(number: int) -> RGB:
    """
    VOC's color map: bit 3k + c of a number is bit 7 - k of channel c.
    """
    red, green, blue = (
        sum((number >> 3 * k + channel & 1) << 7 - k for k in range(3))
        for channel in range(3)
    )
    return red, green, blue


_TABLES: Final[Mapping[str, Callable[[], Iterator[PaletteEntry]]]] = {
    "ade20k": _ade20k,
    "camvid": _camvid,
    "cityscapes": _cityscapes,
    "cityscapes-train": _cityscapes_train,
    "voc": _voc,
}

NAMES: Final = tuple(_TABLES)
