"""
Run-length encodings: COCO's, by columns, as numbers and as text; and Hasty's, by rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from framekit.errors import ArgumentError
from framekit.segments.region import Region
from framekit.segments.runs import runs_of

__all__ = [
    "counts_of",
    "counts_to_text",
    "from_hasty",
    "from_rle",
    "text_to_counts",
    "to_hasty",
    "to_rle",
]


def to_rle(
    region: Region, *, counts: Literal["text", "numbers"] = "text"
) -> dict[str, Any]:
    """
    Encode a region as COCO does: ``{"size": [height, width], "counts": …}``.

    Counts go down the columns, pixels outside and inside in turn, outside first.

    Args:
        counts: ``"text"`` gives COCO's compressed text, ``"numbers"`` a list.

    Raises:
        ArgumentError: If *counts* is neither.
    """
    if counts not in ("text", "numbers"):
        raise ArgumentError("counts", f"expected 'text' or 'numbers', got {counts!r}")
    numbers = counts_of(region)
    found = counts_to_text(numbers) if counts == "text" else numbers.tolist()
    return {"size": list(region.shape), "counts": found}


def from_rle(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """
    Decode what :func:`to_rle` gives, or COCO's own; text may be bytes.

    Returns:
        The mask, (H, W).

    Raises:
        ArgumentError: If it is no RLE, or its counts do not fill its size.
    """
    height, width = _size(rle)
    counts = rle.get("counts")
    if isinstance(counts, bytes):
        counts = counts.decode("ascii", "replace")
    if isinstance(counts, str):
        numbers = text_to_counts(counts)
    else:
        numbers = _whole_numbers(counts)
    if (numbers < 0).any() or int(numbers.sum()) != height * width:
        reason = (
            f"counts fill {int(numbers.sum())} pixels, {height} x {width} has "
            f"{height * width}"
        )
        raise ArgumentError("rle", reason)
    inside = np.arange(len(numbers)) % 2 == 1
    return np.repeat(inside, numbers).reshape(width, height).T


def counts_of(region: Region) -> NDArray[np.int64]:
    """
    COCO's counts of a region, by columns.
    """
    left, top, _, _ = region.bounds
    height, width = region.shape
    runs = runs_of(region.mask.T)
    inside = runs.values
    column, row = np.divmod(runs.starts[inside], runs.shape[1])
    starts = (column + left) * height + row + top
    stops = starts + runs.lengths[inside]
    # Runs that reach the bottom go on at the top of the next column.
    apart = starts[1:] != stops[:-1]
    starts = starts[np.append(np.True_, apart)]
    stops = stops[np.append(apart, np.True_)]
    edges = np.stack([starts, stops], axis=1).reshape(-1)
    counts = np.diff(edges, prepend=0)
    rest = height * width - int(edges[-1])
    return np.append(counts, rest) if rest else counts


def counts_to_text(counts: NDArray[np.int64]) -> str:
    """
    Compress counts: differences to the last but one, six bits a character.
    """
    values = counts.astype(np.int64)
    values[3:] -= counts[1:-2]
    # A character holds five bits; the last one's highest bit is the sign.
    sizes = np.ones(len(values), np.int64)
    limit = 16
    while True:
        larger = (values >= limit) | (values < -limit)
        if not larger.any():
            break
        sizes += larger
        limit *= 32
    longest = int(sizes.max(initial=0))
    place = np.arange(longest)
    codes = (values[:, None] >> (5 * place)) & 31
    codes |= np.where(place < sizes[:, None] - 1, 32, 0)
    used = place < sizes[:, None]
    return (codes[used] + 48).astype(np.uint8).tobytes().decode("ascii")


def text_to_counts(text: str) -> NDArray[np.int64]:
    """
    Undo :func:`counts_to_text`.

    Raises:
        ArgumentError: If *text* has other characters, or breaks off.
    """
    codes = np.frombuffer(text.encode("utf-8"), np.uint8).astype(np.int64) - 48
    if ((codes < 0) | (codes > 63)).any():
        raise ArgumentError("rle", "counts have characters that COCO's text has not")
    if not len(codes):
        return codes
    ends = np.flatnonzero((codes & 32) == 0)
    if not len(ends) or ends[-1] != len(codes) - 1:
        raise ArgumentError("rle", "counts break off within a number")
    starts = np.append(0, ends[:-1] + 1)
    sizes = ends - starts + 1
    if sizes.max() > 12:
        raise ArgumentError("rle", "counts have a number of more than 60 bits")
    place = np.arange(len(codes)) - np.repeat(starts, sizes)
    values = np.add.reduceat((codes & 31) << (5 * place), starts)
    negative = (codes[ends] & 16) != 0
    values = np.where(negative, values - (1 << (5 * sizes)), values)
    # Odd and even positions are two running sums; the first number stands alone.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def to_hasty(region: Region) -> list[int]:
    """
    Encode a region as Hasty does: ``[start, length, …]``, by rows, within its box.

    Starts count from 1 at the box's top left corner.
    """
    runs = runs_of(region.mask)
    inside = runs.values
    # Runs that reach the right edge go on at the left of the next row.
    starts, stops = runs.starts[inside], runs.stops[inside]
    apart = starts[1:] != stops[:-1]
    starts = starts[np.append(np.True_, apart)]
    stops = stops[np.append(apart, np.True_)]
    found: list[int] = np.stack([starts + 1, stops - starts], axis=1).ravel().tolist()
    return found


def from_hasty(
    values: Sequence[int], box: tuple[int, int, int, int], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """
    Decode what :func:`to_hasty` gives.

    Args:
        values: Start, from 1, and length in turn.
        box: The box: left, top, right, bottom; half open.
        shape: Height and width of the image.

    Returns:
        The mask, (H, W).

    Raises:
        ArgumentError: If the runs do not fit the box, or the box the image.
    """
    left, top, right, bottom = box
    if not (0 <= left < right <= shape[1] and 0 <= top < bottom <= shape[0]):
        raise ArgumentError("box", f"{box} is not within an image of {shape}")
    pairs = _whole_numbers(values)
    if len(pairs) % 2:
        raise ArgumentError("values", "expected start and length in turn")
    starts, lengths = pairs[0::2] - 1, pairs[1::2]
    size = (right - left) * (bottom - top)
    stops = starts + lengths
    if (
        (starts < 0).any()
        or (lengths < 1).any()
        or (stops > size).any()
        or (starts[1:] < stops[:-1]).any()
    ):
        reason = f"runs overlap, or lie outside of the box's {size} pixels"
        raise ArgumentError("values", reason)
    edges = np.zeros(size + 1, np.int8)
    edges[starts] += 1
    edges[stops] -= 1
    found = np.zeros(shape, np.bool_)
    inside = np.cumsum(edges[:-1], dtype=np.int8).view(np.bool_)
    found[top:bottom, left:right] = inside.reshape(bottom - top, right - left)
    return found


def _size(rle: Mapping[str, Any]) -> tuple[int, int]:
    size = rle.get("size") if isinstance(rle, Mapping) else None
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        reason = f"expected {{'size': [height, width], 'counts': …}}, got {rle!r:.80}"
        raise ArgumentError("rle", reason)
    height, width = (int(side) for side in _whole_numbers(size))
    if height < 0 or width < 0:
        raise ArgumentError("rle", f"size is negative: {size}")
    return height, width


def _whole_numbers(values: Any) -> NDArray[np.int64]:
    try:
        found = np.asarray(values)
    except (TypeError, ValueError):
        found = np.empty(0, object)
    if found.ndim != 1 or not (found.dtype.kind in "iu" or not found.size):
        raise ArgumentError("rle", f"expected whole numbers, got {values!r:.80}")
    return found.astype(np.int64)
