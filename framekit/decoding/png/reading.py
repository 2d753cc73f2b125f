"""
The pixels of a checked PNG file: to label ids in one pass, or as they are.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from framekit.decoding import kernels
from framekit.decoding.lookup import twin as lookup_numpy
from framekit.decoding.lookup import unknown
from framekit.decoding.lookup.tables import (
    SEED,
    Alpha,
    Labels,
    Lookup,
    Samples,
    gray_samples,
    palette_samples,
    report,
)
from framekit.decoding.lookup.twin import NO_KEY
from framekit.decoding.png.chunks import Png, PngError, PngHeader
from framekit.decoding.png.inflate import InflateError, inflate

PalettePng = Literal["auto", "index", "color"]

#: What the compiled kernel says of rows it refuses.
REASONS = {
    1: "an unknown filter type",
    2: lookup_numpy.BAD_SAMPLE,
    3: "more rows than the image has",
}


def read_labels(
    png: Png,
    lookup: Lookup,
    *,
    alpha: Alpha = "ignore",
    palette_png: PalettePng = "auto",
    top: int | None = unknown.TOP,
) -> tuple[Labels, unknown.Unknown]:
    """
    Return the ids of the pixels of *png*, (H, W), and what had none.

    Args:
        lookup: By color, it takes a palette entry as its color and gray as the gray
            color it shows.  By index, it takes samples as they are, and pixels of
            three channels as R + 256 G + 65536 B.
        alpha: What alpha, stored with the pixels or by tRNS, is for: "ignore", or
            "void" where it is 0.
        palette_png: Whether palette images are read by "index" or by "color";
            "auto": what *lookup* is by.
        top: How many unknown values to list, None for all.

    Returns:
        (H, W) uint8 with void 255 or int32 with void -1, see `Lookup.dtype`.

    Raises:
        PngError: If the pixels are damaged.
        ValueError: If `PngHeader.kind` is "other"; or *lookup* is by color and the
            image is 16-bit gray, or *palette_png* is "index".
    """
    header = png.header
    kind = header.kind
    if kind == "other":
        raise ValueError(_OTHER)
    if kind == "gray16" and lookup.kind == "color":
        message = "16-bit gray has no 8-bit colors; a palette by index is needed"
        raise ValueError(message)
    clear = header.transparency if alpha == "void" else None
    samples = _samples(header, lookup, clear, palette_png)
    if kernels.NATIVE is None:
        return _read_numpy(png, lookup, samples, alpha=alpha, clear=clear, top=top)
    rgb = kind in ("rgb", "rgba")
    table = lookup.rgb if rgb else lookup
    out = np.empty((header.height, header.width), lookup.dtype)
    found = _rows(
        png,
        out,
        out.itemsize,
        table.native if samples is None else samples.codes,
        alpha_void=alpha == "void" and kind == "rgba",
        void_key=_clear_key(header, clear),
    )
    values = samples.keys if samples is not None else None
    return out, report(lookup, rgb, found, values=values, top=top)


def read_pixels(png: Png) -> NDArray[Any]:
    """
    Return the samples of *png* as stored, nothing scaled.

    Palette indices and gray are (H, W), RGB and RGBA (H, W, 3 | 4); uint8, or uint16
    for 16-bit gray.

    Raises:
        PngError: If the pixels are damaged.
        ValueError: If `PngHeader.kind` is "other".
    """
    header = png.header
    if header.kind == "other":
        raise ValueError(_OTHER)
    if kernels.NATIVE is None:
        pixels = _pillow(png)
    else:
        shape = (header.height, header.width, header.channels)
        dtype = np.uint16 if header.kind == "gray16" else np.uint8
        pixels = np.empty(shape if header.channels > 1 else shape[:2], dtype)
        _rows(png, pixels, 0, None)
    if header.color_type == 3:
        entries = len(header.palette or b"") // 3
        if entries < 1 << header.bit_depth and pixels.max() >= entries:
            raise PngError(lookup_numpy.BAD_SAMPLE)
    return pixels


def check_pixels(png: Png) -> None:
    """
    Check the pixel data of *png*, of any kind: checksum, length and filter types.

    It is inflated, and nothing is kept.

    Raises:
        PngError: If the pixel data is damaged.
    """
    begins, at = [], 0
    for rows, pitch in png.header.passes:
        begins.append((at, at + rows * pitch, pitch))
        at += rows * pitch
    position = 0
    try:
        for piece in inflate(png.idat, at):
            for begin, end, pitch in begins:
                first = max(begin - position, (begin - position) % pitch)
                filters = piece[first : max(end - position, 0) : pitch]
                if filters and max(filters) > 4:
                    raise PngError(REASONS[1])
            position += len(piece)
    except InflateError as error:
        raise PngError(str(error)) from None


def _rows(
    png: Png,
    out: NDArray[Any],
    label_bytes: int,
    table: object,
    *,
    alpha_void: bool = False,
    void_key: int = NO_KEY,
) -> tuple[int, bool, unknown.Records]:
    """
    Feed the rows of *png* to the compiled kernel, which fills *out*.
    """
    header = png.header
    rows = kernels.NATIVE.rows_new(
        header.width,
        header.height,
        header.bit_depth,
        header.channels,
        out,
        label_bytes,
        table,
        alpha_void,
        void_key,
        SEED,
        unknown.LIMIT,
    )
    feed = kernels.NATIVE.rows_feed
    try:
        for piece in inflate(png.idat, header.stream_size):
            status = feed(rows, piece)
            if status:
                if status not in REASONS:
                    raise MemoryError
                raise PngError(REASONS[status])
    except InflateError as error:
        raise PngError(str(error)) from None
    done, (pixels, complete, records) = kernels.NATIVE.rows_finish(rows)
    if done != header.height:
        raise PngError(f"{done} of {header.height} rows")
    return pixels, complete, np.frombuffer(records, unknown.RECORD)


def _read_numpy(
    png: Png,
    lookup: Lookup,
    samples: Samples | None,
    *,
    alpha: Alpha,
    clear: bytes | None,
    top: int | None,
) -> tuple[Labels, unknown.Unknown]:
    pixels = _pillow(png)
    out = np.empty(pixels.shape[:2], lookup.dtype)
    rgb = pixels.ndim == 3
    try:
        found = lookup_numpy.array_to_ids(
            pixels,
            out,
            lookup.rgb if rgb else lookup,
            samples,
            alpha_void=alpha == "void",
            void_key=_clear_key(png.header, clear),
        )
    except ValueError as error:
        raise PngError(str(error)) from None
    values = samples.keys if samples is not None else None
    return out, report(lookup, rgb, found, values=values, top=top)


def _pillow(png: Png) -> NDArray[Any]:
    from framekit.decoding.image._pillow import pillow_pixels

    check_pixels(png)
    return pillow_pixels(png)


def _samples(
    header: PngHeader, lookup: Lookup, clear: bytes | None, palette_png: PalettePng
) -> Samples | None:
    """
    Return what the samples of up to 8 bits stand for; None: there are none.
    """
    if header.kind == "palette":
        palette = np.frombuffer(header.palette or b"", np.uint8).reshape(-1, 3)
        none = [i for i, opacity in enumerate(clear or b"") if opacity == 0]
        return palette_samples(lookup, palette, by=palette_png, transparent=none)
    if header.kind == "gray":
        last = (1 << header.bit_depth) - 1
        none_gray = int.from_bytes(clear, "big") & last if clear else -1
        return gray_samples(lookup, header.bit_depth, transparent=none_gray)
    return None


def _clear_key(header: PngHeader, clear: bytes | None) -> int:
    """
    Return the kernel's key of the color tRNS calls transparent, `NO_KEY` if none.
    """
    if clear is None:
        return NO_KEY
    if header.kind == "gray16":
        return int.from_bytes(clear, "big")
    if header.kind == "rgb":
        return clear[1] << 16 | clear[3] << 8 | clear[5]
    return NO_KEY


_OTHER = "not of a kind this reads: interlaced, gray with alpha, or 16-bit color"
