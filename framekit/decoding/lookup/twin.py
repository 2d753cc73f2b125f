"""
Arrays to ids in NumPy: the twin of the compiled kernel, to the same bits.

An image is taken in bands of rows.  In each, the places where a pixel differs from
the one before it cut the band into runs; only the first pixel of a run is looked up.
A band of mostly short runs (noise) goes through a table of all keys instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.lookup import unknown

CODE_VOID = -1
CODE_UNKNOWN = -2
CODE_BAD = -3

#: No pixel has this key.
NO_KEY = 2**64 - 1

BAD_SAMPLE = "a palette index past the end of the palette"

#: Pixels a band.
BAND = 1 << 19

#: Runs that are shorter than this on average go through the table of all keys.
SHORT = 6

Keys = NDArray[np.uint32]
Codes = NDArray[np.int32]


class Table(Protocol):
    """
    What is needed of a lookup.
    """

    @property
    def small(self) -> bool:
        """
        Whether every id is in 0..254.
        """

    @property
    def keys(self) -> Keys:
        """
        Sorted, without duplicates.
        """

    @property
    def ids(self) -> Codes:
        """
        The id of each key; -1: known to be void.
        """

    @property
    def _made(self) -> dict[str, Any]: ...


class SampleTable(Protocol):
    """
    What is needed of a table of samples.
    """

    @property
    def codes(self) -> Codes:
        """
        The id or code of each of 256 samples.
        """


def codes_of(known: Keys, ids: Codes, keys: Keys) -> Codes:
    """
    Return the ids of *keys*, -2 for those that are not among *known*, which is sorted.
    """
    if not len(known):
        return np.full(len(keys), CODE_UNKNOWN, np.int32)
    place = np.searchsorted(known, keys)
    place[place == len(known)] = 0
    return np.where(known[place] == keys, ids[place], np.int32(CODE_UNKNOWN))


def array_to_ids(
    array: NDArray[Any],
    out: NDArray[Any],
    table: Table,
    samples: SampleTable | None,
    *,
    alpha_void: bool,
    void_key: int = NO_KEY,
) -> tuple[int, bool, unknown.Records]:
    """
    Fill *out*, (H, W) uint8 or int32, with the ids of the pixels of *array*.

    Args:
        array: (H, W, 3 | 4) uint8, or (H, W) uint8, uint16, int32 or uint32.
        samples: For (H, W) uint8, which is then not looked up in *table*.

    Returns:
        Unknown pixels, whether all their values are in the records, and these.

    Raises:
        ValueError: If *array* has a sample that *samples* calls damage.
    """
    height, width = out.shape
    tally = unknown.Tally()
    if not height or not width:
        return 0, True, tally.records
    rows = max(1, BAND // width)
    for top in range(0, height, rows):
        band = array[top : top + rows]
        labels = out[top : top + rows].reshape(-1)
        for part in _parts(
            band, labels, table, samples, alpha_void=alpha_void, void_key=void_key
        ):
            keys, starts, lengths = part
            tally.add(keys, starts + top * width, lengths, width)
    records = tally.records
    return tally.pixels, tally.complete, records


def _parts(
    band: NDArray[Any],
    labels: NDArray[Any],
    table: Table,
    samples: SampleTable | None,
    *,
    alpha_void: bool,
    void_key: int,
) -> Iterator[tuple[Keys, NDArray[np.intp], NDArray[np.intp]]]:
    """
    Fill *labels* for one band and yield its unknown runs.
    """
    pixels, starts = _runs(band, keep_alpha=alpha_void)
    if len(starts) * SHORT > len(labels):
        codes_all = _dense(pixels, table, samples)
        if codes_all is not None:
            yield from _take(
                pixels, labels, codes_all, alpha_void=alpha_void, void_key=void_key
            )
            return
    keys = _keys(pixels, starts)
    if samples is not None:
        codes = samples.codes[keys]
        if len(codes) and codes.min() == CODE_BAD:
            raise ValueError(BAD_SAMPLE)
    else:
        codes = codes_of(table.keys, table.ids, keys)
        codes = _hide(
            codes, keys, pixels, starts, alpha_void=alpha_void, void_key=void_key
        )
    lengths = np.diff(starts, append=len(labels))
    labels[:] = np.repeat(_labels_of(codes, labels.dtype), lengths)
    found = np.flatnonzero(codes == CODE_UNKNOWN)
    if len(found):
        yield keys[found], starts[found], lengths[found]


def _take(
    pixels: NDArray[Any],
    labels: NDArray[Any],
    table: NDArray[Any],
    *,
    alpha_void: bool,
    void_key: int,
) -> Iterator[tuple[Keys, NDArray[np.intp], NDArray[np.intp]]]:
    """
    Fill *labels* from a table of all keys.
    """
    keys = _all_keys(pixels)
    codes = np.take(table, keys)
    codes = _hide(
        codes, keys, pixels, slice(None), alpha_void=alpha_void, void_key=void_key
    )
    if len(codes) and codes.min() == CODE_BAD:
        raise ValueError(BAD_SAMPLE)
    labels[:] = _labels_of(codes, labels.dtype)
    found = np.flatnonzero(codes == CODE_UNKNOWN)
    if len(found):
        yield keys[found], found, np.ones(len(found), np.intp)


def _runs(
    band: NDArray[Any], *, keep_alpha: bool
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """
    Return the pixels of *band*, flat, and the indices at which they change.
    """
    pixels: NDArray[Any]
    if band.ndim == 3 and band.shape[2] == 3:
        pixels = np.ascontiguousarray(band).reshape(-1, 3)
        flat = pixels.reshape(-1)
        changes = np.flatnonzero(flat[3:] != flat[:-3]) // 3 + 1
        changes = changes[np.flatnonzero(np.diff(changes, prepend=0))]
    else:
        flat = np.ascontiguousarray(band).reshape(-1)
        if band.ndim == 3:
            flat = flat.view(np.uint32)
            pixels = flat.view(np.uint8).reshape(-1, 4)
            flat = flat if keep_alpha else flat & _RGB
        else:
            pixels = flat
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return pixels, np.concatenate([_ZERO, changes])


def _keys(pixels: NDArray[Any], where: NDArray[np.intp]) -> Keys:
    if pixels.ndim == 1:
        values = pixels[where]
        if values.dtype == np.int32:
            return values.view(np.uint32)
        return values.astype(np.uint32)
    flat, first = pixels.reshape(-1), where * pixels.shape[1]
    red = flat[first].astype(np.uint32) << _PLACES[0]
    green = flat[first + 1].astype(np.uint32) << _PLACES[1]
    keys: Keys = red | green | flat[first + 2]
    return keys


def _all_keys(pixels: NDArray[Any]) -> Keys:
    if pixels.ndim == 1:
        return pixels.astype(np.uint32, copy=False)
    wide = np.zeros((len(pixels), 4), np.uint8)
    for channel in range(3):
        wide[:, _BYTES[channel]] = pixels[:, channel]
    keys: Keys = wide.view(np.uint32).reshape(-1)
    return keys


def _dense(
    pixels: NDArray[Any], table: Table, samples: SampleTable | None
) -> NDArray[Any] | None:
    """
    Return the code of every key there can be, None where they are too many.
    """
    if samples is not None:
        return samples.codes
    if pixels.dtype.itemsize == 4:
        return None
    size = 1 << (16 if pixels.dtype == np.uint16 else 24)
    made = table._made.get(f"dense{size}")  # noqa: SLF001 (its cache is for this)
    if made is None:
        made = np.full(size, CODE_UNKNOWN, np.int16 if table.small else np.int32)
        last = np.searchsorted(table.keys, size)
        made[table.keys[:last]] = table.ids[:last]
        table._made[f"dense{size}"] = made  # noqa: SLF001
    found: NDArray[Any] = made
    return found


def _hide(
    codes: Codes,
    keys: Keys,
    pixels: NDArray[Any],
    where: NDArray[np.intp] | slice,
    *,
    alpha_void: bool,
    void_key: int,
) -> Codes:
    """
    Return *codes* with void where pixels are transparent.
    """
    if alpha_void and pixels.ndim == 2 and pixels.shape[1] == 4:
        codes = np.where(pixels[where, 3] == 0, codes.dtype.type(CODE_VOID), codes)
    if void_key != NO_KEY:
        codes = np.where(keys == void_key, codes.dtype.type(CODE_VOID), codes)
    return codes


def _labels_of(codes: Codes, dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype == np.uint8:
        return np.where(codes < 0, 255, codes).astype(np.uint8)
    return np.maximum(codes, CODE_VOID).astype(np.int32, copy=False)


_ZERO = np.zeros(1, np.intp)
_PLACES = np.array([16, 8, 0], np.uint32)
_RGB = np.array([255, 255, 255, 0], np.uint8).view(np.uint32)

#: Where R, G and B go in a native 32-bit word.
_BYTES = [
    int(np.flatnonzero(np.array([1 << place], np.uint32).view(np.uint8))[0])
    for place in (16, 8, 0)
]
