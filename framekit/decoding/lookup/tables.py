"""
Tables from colors or values to ids, and whole arrays mapped by them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from framekit.decoding import kernels
from framekit.decoding.lookup import twin as lookup_numpy
from framekit.decoding.lookup import unknown
from framekit.decoding.lookup.twin import CODE_BAD, CODE_VOID, NO_KEY

Kind = Literal["color", "index"]
Alpha = Literal["ignore", "void"]
Labels = NDArray[np.uint8] | NDArray[np.int32]

#: Where the hash tables put a key; unknown to whoever made the file.
SEED = int.from_bytes(os.urandom(8), "little") | 1

#: Larger ids do not fit labels.
MAX_ID = 2**31 - 1

#: The largest id that still leaves uint8 labels a void.
MAX_SMALL_ID = 254


@frozen(eq=False, repr=False)
class Lookup:
    """
    Ids by color or by value.

    The reason for this being a class is that the tables the kernels search in are
    made once.
    """

    #: "color": keys are R << 16 | G << 8 | B.  "index": keys are pixel values; a
    #: pixel of three channels has the value R + 256 G + 65536 B.
    kind: Kind

    #: Sorted, without duplicates.
    keys: NDArray[np.uint32]

    #: The id of each key; -1: known to be void.
    ids: NDArray[np.int32]

    _made: dict[str, Any] = field(factory=dict, init=False)

    @classmethod
    def of(cls, kind: Kind, keys: ArrayLike, ids: ArrayLike) -> Lookup:
        """
        Return the lookup that gives each of *keys* the id at its place in *ids*.

        Raises:
            ValueError: If a key occurs twice, or a key or an id is out of range.
        """
        wide_keys = np.asarray(keys, np.int64).reshape(-1)
        wide_ids = np.asarray(ids, np.int64).reshape(-1)
        if len(wide_keys) != len(wide_ids):
            message = f"{len(wide_keys)} keys, {len(wide_ids)} ids"
            raise ValueError(message)
        last_key = 0xFFFFFF if kind == "color" else 0xFFFFFFFF
        _check_range(wide_keys, 0, last_key, "key")
        _check_range(wide_ids, -1, MAX_ID, "id")
        order = np.argsort(wide_keys, kind="stable")
        wide_keys = wide_keys[order]
        twice = np.flatnonzero(wide_keys[1:] == wide_keys[:-1])
        if len(twice):
            message = f"key {wide_keys[twice[0]]} occurs twice"
            raise ValueError(message)
        return cls(kind, wide_keys.astype(np.uint32), wide_ids[order].astype(np.int32))

    @classmethod
    def by_color(cls, ids: Mapping[int, int]) -> Lookup:
        """
        Return the lookup of *ids* by color, R << 16 | G << 8 | B.

        Raises:
            ValueError: If a color or an id is out of range.
        """
        return cls.of("color", list(ids), list(ids.values()))

    @classmethod
    def by_index(cls, ids: Mapping[int, int]) -> Lookup:
        """
        Return the lookup of *ids* by pixel value.

        Raises:
            ValueError: If a value or an id is out of range.
        """
        return cls.of("index", list(ids), list(ids.values()))

    def __repr__(self) -> str:
        return f"<Lookup of {len(self.keys)} by {self.kind}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Lookup, (self.kind, self.keys, self.ids)

    @property
    def small(self) -> bool:
        """
        Whether every id is in 0..254, so that labels are uint8.
        """
        if "small" not in self._made:
            self._made["small"] = not len(self.ids) or self.ids.max() <= MAX_SMALL_ID
        return bool(self._made["small"])

    @property
    def dtype(self) -> np.dtype[Any]:
        """
        The type of the labels: uint8 or int32.
        """
        return _UINT8 if self.small else _INT32

    @property
    def void(self) -> int:
        """
        The label of pixels that are void or have no id: 255 or -1.
        """
        return 255 if self.small else -1

    @property
    def rgb(self) -> Lookup:
        """
        The lookup by R << 16 | G << 8 | B of pixels of three channels.

        It gives them the ids that this one gives them.
        """
        if self.kind == "color":
            return self
        if "rgb" not in self._made:
            low = self.keys <= 0xFFFFFF
            made = Lookup.of("color", swapped(self.keys[low]), self.ids[low])
            made._made["small"] = self.small  # noqa: SLF001 (its own class)
            self._made["rgb"] = made
        found: Lookup = self._made["rgb"]
        return found

    @property
    def native(self) -> object:
        """
        The table of the compiled kernels.
        """
        if "native" not in self._made:
            self._made["native"] = kernels.NATIVE.lookup_new(self.keys, self.ids, SEED)
        return self._made["native"]

    def codes(self, keys: NDArray[np.uint32]) -> NDArray[np.int32]:
        """
        Return the id of each of *keys*, -1 where it is void, -2 where there is none.
        """
        return lookup_numpy.codes_of(self.keys, self.ids, keys)


@frozen(eq=False)
class Samples:
    """
    What each value of a sample of up to 8 bits stands for.
    """

    #: 256 ids or codes, by sample.
    codes: NDArray[np.int32]

    #: The lookup's key of each sample.
    keys: NDArray[np.uint32]


def gray_samples(lookup: Lookup, depth: int = 8, *, transparent: int = -1) -> Samples:
    """
    Return what gray samples of *depth* bits stand for.

    That is themselves, or the gray color they show when *lookup* is by color; the
    sample *transparent* is void.
    """
    keys = np.arange(1 << depth, dtype=np.uint32)
    if lookup.kind == "color":
        keys *= np.uint32(255 // ((1 << depth) - 1) * 0x010101)
    return _samples(lookup, keys, [transparent] if transparent >= 0 else [])


def palette_samples(
    lookup: Lookup,
    palette: NDArray[np.uint8],
    *,
    by: Literal["auto", "index", "color"] = "auto",
    transparent: Iterable[int] = (),
) -> Samples:
    """
    Return what the indices of *palette*, (N, 3) uint8, stand for.

    Args:
        by: "index": the index itself; "color": its color, which a lookup by index
            takes as R + 256 G + 65536 B; "auto": what *lookup* is by.
        transparent: Indices that are void.

    Raises:
        ValueError: If *by* is "index" and *lookup* is by color.
    """
    if by == "index" and lookup.kind == "color":
        message = "a lookup by color has no ids for palette indices"
        raise ValueError(message)
    if by == "index" or (by == "auto" and lookup.kind == "index"):
        keys = np.arange(len(palette), dtype=np.uint32)
    else:
        keys = palette.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
        keys = keys if lookup.kind == "color" else swapped(keys)
    return _samples(lookup, keys[:256], list(transparent))


def array_to_ids(
    array: NDArray[Any],
    lookup: Lookup,
    *,
    alpha: Alpha = "ignore",
    samples: Samples | None = None,
    transparent: int | None = None,
    top: int | None = unknown.TOP,
) -> tuple[Labels, unknown.Unknown]:
    """
    Return the ids of the pixels of *array*, (H, W), and what had none.

    Args:
        array: (H, W, 3) or (H, W, 4) uint8; (H, W) bool, uint8 or uint16; or (H, W)
            int32 or uint32, where each element is a key of *lookup* (a negative
            one stands for itself + 2**32).
        alpha: What the fourth channel is for: "ignore", or "void" where it is 0.
        samples: What the values of an (H, W) uint8 array stand for, if not what
            `gray_samples` says.
        transparent: The key of pixels that are void, whatever *lookup* says, and
            whatever their alpha; where *samples* are given, they say so instead.
        top: How many unknown values to list, None for all.

    Returns:
        (H, W) uint8 with void 255 or int32 with void -1, see `Lookup.dtype`.

    Raises:
        TypeError: If *array* is of another shape or type.
        ValueError: If it has gray values of 16 bits and *lookup* is by color, or has
            a sample that *samples* calls damage.
    """
    array = _pixels(array, lookup)
    out = np.empty(array.shape[:2], lookup.dtype)
    table = lookup.rgb if array.ndim == 3 else lookup
    if array.ndim == 2 and array.itemsize == 1 and samples is None:
        samples = gray_samples(lookup)
        if transparent is not None:
            samples.codes[samples.keys == transparent] = CODE_VOID
    elif array.ndim == 3 or array.itemsize != 1:
        samples = None
    key = NO_KEY if transparent is None else transparent
    if key != NO_KEY and array.ndim == 3 and lookup.kind == "index":
        key = int(swapped(np.array([key], np.uint32))[0])
    opaque_only = alpha == "void"
    if kernels.NATIVE is None:
        found = lookup_numpy.array_to_ids(
            array, out, table, samples, alpha_void=opaque_only, void_key=key
        )
    else:
        pixels, complete, records = kernels.NATIVE.array_to_ids(
            array,
            out,
            table.native if samples is None else samples.codes,
            out.itemsize,
            opaque_only,
            key,
            SEED,
            unknown.LIMIT,
        )
        found = pixels, complete, np.frombuffer(records, unknown.RECORD)
    values = samples.keys if samples is not None else None
    return out, report(lookup, array.ndim == 3, found, values=values, top=top)


def report(
    lookup: Lookup,
    rgb: bool,  # noqa: FBT001 (internal)
    found: tuple[int, bool, unknown.Records],
    *,
    values: NDArray[np.uint32] | None,
    top: int | None,
) -> unknown.Unknown:
    """
    Return what a kernel *found* in the words of *lookup*.
    """
    pixels, complete, records = found
    if pixels and rgb and lookup.kind == "index":
        records = records.copy()
        records["key"] = swapped(records["key"])
    return unknown.summarize(pixels, complete, records, values=values, top=top)


def swapped(keys: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """
    Return 24-bit *keys* with their first and third byte exchanged.
    """
    low, middle, shift = np.uint32(0xFF), np.uint32(0xFF00), np.uint32(16)
    exchanged: NDArray[np.uint32] = (keys & low) << shift | (keys >> shift & low)
    return exchanged | (keys & middle)


def _samples(
    lookup: Lookup, keys: NDArray[np.uint32], transparent: list[int]
) -> Samples:
    codes = np.full(256, CODE_BAD, np.int32)
    codes[: len(keys)] = lookup.codes(keys)
    codes[transparent] = CODE_VOID
    return Samples(codes, keys)


def _pixels(array: NDArray[Any], lookup: Lookup) -> NDArray[Any]:
    """
    Return *array* in a layout the kernels take, without a copy where it has one.
    """
    if not isinstance(array, np.ndarray):
        message = f"an array, not {type(array).__name__}"
        raise TypeError(message)
    if array.dtype == bool:
        array = (array.view(np.uint8) != 0).view(np.uint8)  # Pillow's true is 255
    shape = array.shape
    if array.ndim == 3:
        fits = array.dtype == np.uint8 and shape[2] in (3, 4)
    else:
        fits = array.ndim == 2 and array.dtype.name in _SINGLE
    if not fits:
        message = f"{shape} {array.dtype}: masks are (H, W, 3 | 4) uint8 or (H, W) ints"
        raise TypeError(message)
    if array.dtype.name == "uint16" and lookup.kind == "color":
        message = "16-bit gray has no 8-bit colors; a palette by index is needed"
        raise ValueError(message)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    rows = array.strides[1:]
    fit = ((3, 1), (4, 1)) if array.ndim == 3 else ((array.itemsize,),)
    return array if rows in fit else np.ascontiguousarray(array)


def _check_range(values: NDArray[np.int64], low: int, high: int, name: str) -> None:
    if len(values) and (values.min() < low or values.max() > high):
        message = f"{name}s are {low}..{high}, not {values.min()}..{values.max()}"
        raise ValueError(message)


_UINT8: np.dtype[Any] = np.dtype(np.uint8)
_INT32: np.dtype[Any] = np.dtype(np.int32)
_SINGLE = ("uint8", "uint16", "int32", "uint32")
