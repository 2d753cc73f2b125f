"""
Label maps to PNG files that decode to the same labels, or to an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from framekit.color import RGB, in_range, to_hex
from framekit.decoding.image.png_write import depth_for, encode_png
from framekit.decoding.label_map import LabelMap
from framekit.errors import ArgumentError, PaletteError, StorageError
from framekit.palette import VOID, Palette, PaletteEntry

__all__ = ["encode_label_map", "write_label_map"]

Values = Literal["color", "index", "id"]


def write_label_map(
    label_map: LabelMap, path: str | PathLike[str], *, values: Values = "color"
) -> None:
    """
    Write *label_map* as a PNG file, see :meth:`LabelMap.save`.

    Void pixels, where there are any, get a color, index or id that the palette does
    not have, marked transparent where PNG can say so.

    Raises:
        PaletteError: If the file would not give the same labels back.
        ArgumentError: If there are no pixels.
        StorageError: If the file cannot be written.
    """
    data = encode_label_map(label_map, values=values)
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise StorageError(fspath(path), error.strerror or str(error)) from None


def encode_label_map(label_map: LabelMap, *, values: Values = "color") -> bytes:
    """
    The PNG file that `write_label_map` writes.

    Raises:
        PaletteError: If the file would not give the same labels back.
        ArgumentError: If there are no pixels.
    """
    if not label_map.ids.size:
        raise ArgumentError("label_map", "there are no pixels")
    present = _present(label_map)
    if values == "color":
        return _as_colors(label_map, present)
    return (_as_indices if values == "index" else _as_ids)(label_map, present)


def _present(label_map: LabelMap) -> list[PaletteEntry]:
    """
    The entries whose ids occur.

    Raises:
        PaletteError: If an id occurs that the palette does not have.
    """
    found = []
    for id in np.unique(label_map.ids).tolist():
        if id == label_map.void:
            continue
        try:
            found.append(label_map.palette[id])
        except IndexError:
            raise PaletteError(f"the palette has no id {id}") from None
    return found


def _as_colors(label_map: LabelMap, present: list[PaletteEntry]) -> bytes:
    colors = {entry.id: _color(entry, label_map.palette, "id") for entry in present}
    clear = None
    if _has_void(label_map):
        palette = label_map.palette
        void = palette.void_color or _free_color(palette.ids_by_color)
        colors[label_map.void] = void
        clear = b"".join(bytes([0, channel]) for channel in void)
    table = np.array(list(colors.values()), np.uint8)
    rgb = table[_positions(label_map.ids, list(colors))]
    return encode_png(rgb, transparency=clear)


def _as_indices(label_map: LabelMap, present: list[PaletteEntry]) -> bytes:
    palette = label_map.palette
    values = {entry.id: _value(entry) for entry in present}
    if max(values.values(), default=0) > 255:
        reason = (
            f"pixel value {max(values.values())} does not fit a palette image; "
            f"save with values='id' or 'color'"
        )
        raise PaletteError(reason)
    if palette.is_indexed:
        colors = {
            values[entry.id]: entry.color
            if entry.color is not None and in_range(entry.color)
            else _spread_color(values[entry.id])
            for entry in present
        }
        for entry in present:
            _check_value(entry, palette)
    else:
        colors = {values[x.id]: _color(x, palette, "id") for x in present}
    clear = None
    if _has_void(label_map):
        void = _void_value(palette, max(colors, default=0))
        values[label_map.void] = void
        colors[void] = palette.void_color or _free_color(
            {*palette.ids_by_color, *colors.values()}
        )
        clear = b"\xff" * void + b"\0"
    table = np.zeros((max(colors) + 1, 3), np.uint8)
    table[list(colors)] = list(colors.values())
    indices = np.array(list(values.values()), np.uint8)
    samples = indices[_positions(label_map.ids, list(values))]
    depth = depth_for(max(colors))
    return encode_png(samples, depth=depth, palette=table, transparency=clear)


def _as_ids(label_map: LabelMap, present: list[PaletteEntry]) -> bytes:
    ids = label_map.ids
    if ids.dtype == np.uint8:
        return encode_png(ids)
    largest = max((entry.id or 0 for entry in present), default=0)
    if largest > 65535:
        reason = f"id {largest} does not fit 16 bits; save with values='color'"
        raise PaletteError(reason)
    if _has_void(label_map) and any(entry.id == 65535 for entry in label_map.palette):
        reason = "65535 is an id, so it cannot be void; save with values='color'"
        raise PaletteError(reason)
    return encode_png(np.where(ids < 0, 65535, ids).astype(np.uint16), depth=16)


def _has_void(label_map: LabelMap) -> bool:
    return bool((label_map.ids == label_map.void).any())


def _positions(ids: NDArray[Any], known: list[Any]) -> NDArray[np.intp]:
    """
    Where each of *ids*, all of them known, stands in *known*.
    """
    order = np.argsort(known)
    sorted_ids = np.array(known, np.int64)[order]
    if ids.dtype == np.uint8:
        table = np.zeros(256, np.intp)
        table[sorted_ids] = order
        return np.asarray(table[ids])
    return np.asarray(order[np.searchsorted(sorted_ids, ids)])


def _color(entry: PaletteEntry, palette: Palette, instead: str) -> RGB:
    """
    The color that decodes to the id of *entry*.
    """
    color = entry.color
    if color is None or not in_range(color):
        what = "no color" if color is None else f"no color that pixels have: {color}"
        raise PaletteError(f"{entry.name!r} has {what}; save with values='{instead}'")
    if palette.ids_by_color[color] != entry.id:
        reason = (
            f"{to_hex(color)} stands for the ids {palette.ids_by_color[color]} and "
            f"{entry.id}; save with values='{instead}'"
        )
        raise PaletteError(reason)
    return color


def _value(entry: PaletteEntry) -> int:
    value = entry.id if entry.index is None else entry.index
    assert value is not None  # noqa: S101 - every entry of a palette has an id
    return value


def _check_value(entry: PaletteEntry, palette: Palette) -> None:
    value = _value(entry)
    first = palette.ids_by_index.get(value)
    if first != entry.id:
        reason = (
            f"pixel value {value} stands for the id {first} and for {entry.id}; "
            f"save with values='id'"
        )
        raise PaletteError(reason)


def _void_value(palette: Palette, largest: int) -> int:
    """
    The index of the palette's void entry, else one that no entry has.
    """
    if palette.is_indexed:
        own = [v for v, id in palette.ids_by_index.items() if id == VOID and v < 256]
        if own:
            return own[0]
        taken = set(palette.ids_by_index)
    else:
        taken = {_value(entry) for entry in palette if not entry.void}
    last = (1 << depth_for(largest)) - 1
    places = [*range(largest + 1, last + 1), *range(256)]
    free: int | None = next((v for v in places if v not in taken), None)
    if free is None:
        reason = "no pixel value is left for void; save with values='id' or 'color'"
        raise PaletteError(reason)
    return free


def _free_color(taken: Iterable[RGB] | Mapping[RGB, Any]) -> RGB:
    used = set(taken)
    first: list[RGB] = [(0, 0, 0), (255, 255, 255), (255, 0, 255)]
    levels = range(256)
    for color in first:
        if color not in used:
            return color
    for color in product(levels, levels, levels):
        if color not in used:
            return color
    raise PaletteError("no color is left for void; save with values='id'")


def _spread_color(value: int) -> RGB:
    """
    A color for a pixel value that has none, so that people see something.
    """
    bits = [value >> place & 1 for place in range(8)]
    red, green, blue = (
        sum(bits[channel + 3 * k] << (7 - k) for k in range(3) if channel + 3 * k < 8)
        for channel in range(3)
    )
    return red, green, blue
