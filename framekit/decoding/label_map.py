"""
The label map: an id for every pixel, and the palette that explains the ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from typing import Any, Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.color import RGB, as_rgb
from framekit.decoding.report import DecodeReport
from framekit.errors import ArgumentError, PaletteError
from framekit.palette import VOID, Palette

__all__ = ["VOID_INT32", "VOID_UINT8", "LabelMap", "Marks", "id_dtype", "void_of"]

#: What stands for "no label" in an array of ids.
VOID_UINT8 = 255
VOID_INT32 = -1

_Ids = NDArray[np.uint8] | NDArray[np.int32]


def id_dtype(palette: Palette) -> type[np.uint8 | np.int32]:
    """
    uint8 if every id is in 0..254, else int32.
    """
    largest = max((entry.id or 0 for entry in palette), default=0)
    return np.uint8 if largest < VOID_UINT8 else np.int32


def void_of(palette: Palette) -> int:
    """
    The value of pixels without a label: 255 in uint8, -1 in int32.
    """
    return VOID_UINT8 if id_dtype(palette) is np.uint8 else VOID_INT32


def _shape(array: Any) -> str:
    return "None" if array is None else f"<{array.shape} {array.dtype}>"


@frozen(eq=False)
class Marks:
    """
    Some pixels of a picture: a mask that is painted when it is first looked at.
    """

    #: (N,) places ``y * W + x``.
    places: NDArray[np.uint32] = field(repr=_shape)

    #: Height and width.
    shape: tuple[int, int]

    def to_mask(self) -> NDArray[np.bool_]:
        """
        Where they are, (H, W).
        """
        mask = np.zeros(self.shape, bool)
        mask.reshape(-1)[self.places] = True
        return mask


@frozen(eq=False)
class LabelMap:
    """
    One id for each pixel.
    """

    #: (H, W) uint8 with void 255 when every id is in 0..254, else int32 with
    #: void -1.
    ids: _Ids = field(repr=_shape)

    palette: Palette

    report: DecodeReport = field(repr=False)

    _uncertain: NDArray[np.bool_] | Marks | None = field(default=None, repr=False)

    @cached_property
    def uncertain(self) -> NDArray[np.bool_] | None:
        """
        (H, W) bool: pixels decided by a small margin; None when exact.
        """
        if isinstance(self._uncertain, Marks):
            return self._uncertain.to_mask()
        return self._uncertain

    @property
    def void(self) -> int:
        """
        The value of pixels that have no label.
        """
        return VOID_UINT8 if self.ids.dtype == np.uint8 else VOID_INT32

    @property
    def shape(self) -> tuple[int, int]:
        """
        Height and width in pixels.
        """
        height, width = self.ids.shape
        return height, width

    @cached_property
    def counts(self) -> Mapping[int, int]:
        """
        Pixels of each id that occurs, void among them.
        """
        if self.ids.dtype == np.uint8:
            counts = np.bincount(self.ids.reshape(-1), minlength=256)
            present = np.flatnonzero(counts)
            return {int(i): int(counts[i]) for i in present}
        values, counts = np.unique(self.ids, return_counts=True)
        return {int(v): int(n) for v, n in zip(values, counts, strict=True)}

    @property
    def areas(self) -> dict[str, int]:
        """
        Pixels of each label that occurs, in the palette's order.
        """
        found: dict[str, int] = {}
        for entry in self.palette:
            count = 0 if entry.id is None else self.counts.get(entry.id, 0)
            for label in entry.labels if count else ():
                found[label] = found.get(label, 0) + count
        return found

    @property
    def labels(self) -> tuple[str, ...]:
        """
        The labels that occur, in the palette's order.
        """
        return tuple(self.areas)

    def mask(self, label: str) -> NDArray[np.bool_]:
        """
        Where *label* is, (H, W).

        Raises:
            ArgumentError: If it is no label of the palette.
        """
        ids = self.palette.ids_of(label)
        if len(ids) == 1:
            return np.asarray(self.ids == ids[0])
        return np.isin(self.ids, ids)

    def to_rgb(self, *, void: Any = None) -> NDArray[np.uint8]:
        """
        Paint every pixel in its entry's color, (H, W, 3).

        Args:
            void: The color of pixels without a label; by default that of the
                palette's void entry, else black.

        Raises:
            PaletteError: If an entry that occurs has no color, or the color of
                void pixels is one of the palette's.
        """
        colors: dict[int, RGB] = {}
        for entry in self.palette:
            if entry.id in self.counts:
                if entry.color is None or entry.id is None:
                    raise PaletteError(f"{entry.name!r} has no color to paint")
                colors[entry.id] = as_rgb(entry.color)
        if self.void in self.counts:
            if void is None:
                void = self.palette.void_color or (0, 0, 0)
            background = as_rgb(void, argument="void")
            if self.palette.ids_by_color.get(background, VOID) != VOID:
                label = self.palette[self.palette.ids_by_color[background]].name
                reason = f"{background} is {label!r}; choose another color with void="
                raise PaletteError(reason)
            colors[self.void] = background
        return _painted(self.ids, colors)

    def save(
        self,
        path: str | PathLike[str],
        *,
        values: Literal["color", "index", "id"] = "color",
    ) -> None:
        """
        Write the map as a PNG file.

        Args:
            values: ``"color"`` writes RGB; ``"index"`` the smallest file, a
                palette image whose pixel values are the entries' indices (their
                ids where they have none); ``"id"`` 8 or 16-bit gray ids.

        Raises:
            PaletteError: If the values do not fit the kind of file.
        """
        from framekit.decoding.image import decode as image

        if values not in ("color", "index", "id"):
            reason = f"expected 'color', 'index' or 'id', got {values!r}"
            raise ArgumentError("values", reason)
        image.write_label_map(self, path, values=values)

    def _repr_html_(self) -> str:
        from framekit.decoding.notebook import label_map_html

        return label_map_html(self)

    def _repr_png_(self) -> bytes:
        from framekit.decoding.notebook import label_map_png

        return label_map_png(self)

    def __array__(
        self,
        dtype: Any = None,
        copy: bool | None = None,  # noqa: FBT001 - NumPy's protocol
    ) -> NDArray[Any]:
        return np.array(self.ids, dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        return self.ids.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        device: tuple[int, int] = self.ids.__dlpack_device__()
        return device


def _painted(ids: _Ids, colors: Mapping[int, RGB]) -> NDArray[np.uint8]:
    if ids.dtype == np.uint8:
        table = np.zeros((256, 3), np.uint8)
        for id, color in colors.items():
            table[id] = color
        return table[ids]
    known = np.array(sorted(colors), np.int64)
    table = np.array([colors[int(id)] for id in known], np.uint8).reshape(-1, 3)
    return table[np.searchsorted(known, ids)]
