"""
The pixels of a mask file as keys of a palette, and back into a file of that kind.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.decoding.image.pixels import TRANSPARENT, Pixels
from framekit.decoding.image.png_write import depth_for, encode_png
from framekit.decoding.image.reading import open_other, png_pixels
from framekit.decoding.image.scheme import PalettePng, PixelKind, Scheme, scheme_of
from framekit.decoding.image.source import Limits, LoadedImage
from framekit.decoding.image.walk import ImageError
from framekit.decoding.lookup.tables import array_to_ids
from framekit.decoding.lookup.unknown import Unknown
from framekit.decoding.png.chunks import Png, PngError, PngHeader, open_png
from framekit.decoding.png.reading import read_labels
from framekit.errors import PaletteError, UnreadableMaskError
from framekit.palette import Palette

__all__ = ["Alpha", "MaskFile", "read_mask", "repainted"]

Alpha = Literal["ignore", "void"]

#: The widest samples that PNG has, in bits.
_WIDEST: Final = 16


@frozen(eq=False)
class MaskFile:
    """
    One mask, read.
    """

    #: What it is called in errors.
    uri: str

    content_type: str

    #: Whether the file holds the values that were written.
    lossless: bool

    palette: Palette

    #: How its pixels find their labels.
    scheme: Scheme = field(repr=False)

    #: Width and height.
    size: tuple[int, int]

    #: The colors or values that the palette does not have, all of them.
    unknown: Unknown = field(repr=False)

    #: Whether transparent pixels are void, whatever their color.
    hides: bool

    #: None where nothing is unknown: then nobody needs them.
    pixels: Pixels | None = field(repr=False)

    #: The tRNS chunk, as stored.
    transparency: bytes | None = None

    def keys(self, start: int, stop: int) -> NDArray[np.uint32]:
        """
        What the pixels of some rows are looked up by, (rows, W).

        Raises:
            ImageError: If 16-bit colors are not the 8-bit ones, scaled.
        """
        part = self.rows(start, stop)
        scheme = self.scheme
        keys = part.keys(color=scheme.by_color, index=scheme.by_index)
        if self.hides and part.alpha is not None:
            keys[part.alpha == 0] = TRANSPARENT
        return keys

    def rows(self, start: int, stop: int) -> Pixels:
        """
        Some rows of it.
        """
        pixels = self.pixels
        assert pixels is not None  # noqa: S101 - asked for strays only
        alpha = None if pixels.alpha is None else pixels.alpha[start:stop]
        return evolve(pixels, samples=pixels.samples[start:stop], alpha=alpha)


def read_mask(
    file: LoadedImage,
    palette: Palette,
    *,
    alpha: Alpha,
    palette_png: PalettePng,
    limits: Limits,
    whole: bool = False,
) -> MaskFile:
    """
    Read a mask, its pixels only where some are unknown, or if *whole*.

    Raises:
        UnreadableMaskError: If the file is damaged, or of a kind that is not read.
        PaletteError: If *palette* has nothing that its pixels could be.
    """
    try:
        if file.content_type == "image/png":
            return _from_png(file, palette, alpha, palette_png, limits, whole=whole)
        return _from_other(file, palette, alpha, palette_png, limits)
    except (ImageError, PngError) as error:
        raise UnreadableMaskError(file.uri, error.reason) from None
    except MemoryError:
        raise UnreadableMaskError(file.uri, "not enough memory") from None


def _from_png(
    file: LoadedImage,
    palette: Palette,
    alpha: Alpha,
    palette_png: PalettePng,
    limits: Limits,
    *,
    whole: bool,
) -> MaskFile:
    png = open_png(file.data, max_side=limits.max_side, max_bytes=limits.max_bytes)
    header = png.header
    scheme = _scheme(palette, _kind_of(header), palette_png)
    mask = MaskFile(
        uri=file.uri,
        content_type=file.content_type,
        lossless=True,
        palette=palette,
        scheme=scheme,
        size=(header.width, header.height),
        unknown=Unknown(),
        hides=alpha == "void",
        pixels=None,
        transparency=header.transparency,
    )
    if header.kind == "other":
        return _counted(evolve(mask, pixels=_pixels(png, alpha, limits)))
    _, unknown = read_labels(
        png,
        scheme.lookup,
        alpha=alpha,
        palette_png="index" if scheme.by_index else "color",
        top=None,
    )
    mask = evolve(mask, unknown=unknown)
    if unknown.pixels or whole:
        mask = evolve(mask, pixels=_pixels(png, alpha, limits))
    return mask


def _pixels(png: Png, alpha: Alpha, limits: Limits) -> Pixels:
    stored = png.header.color_type in (4, 6)
    return png_pixels(png, alpha=stored or alpha == "void", limits=limits)


def _from_other(
    file: LoadedImage,
    palette: Palette,
    alpha: Alpha,
    palette_png: PalettePng,
    limits: Limits,
) -> MaskFile:
    image = open_other(file, limits)
    pixels = image.pixels()
    kind: PixelKind = "rgb" if pixels.samples.ndim == 3 else "gray"
    if pixels.palette is not None:
        kind = "palette"
    elif kind == "gray" and pixels.depth > 8:
        kind = "wide gray"
    mask = MaskFile(
        uri=file.uri,
        content_type=file.content_type,
        lossless=bool(image.walk.lossless),
        palette=palette,
        scheme=_scheme(palette, kind, palette_png),
        size=(image.header.width, image.header.height),
        unknown=Unknown(),
        hides=alpha == "void",
        pixels=pixels,
    )
    return _counted(mask)


def _counted(mask: MaskFile) -> MaskFile:
    assert mask.pixels is not None  # noqa: S101 - just read
    keys = mask.keys(0, len(mask.pixels.samples))
    _, unknown = array_to_ids(
        keys, mask.scheme.lookup, transparent=TRANSPARENT, top=None
    )
    return evolve(mask, unknown=unknown)


def _kind_of(header: PngHeader) -> PixelKind:
    if header.color_type == 3:
        return "palette"
    if header.color_type in (2, 6):
        return "rgb"
    return "wide gray" if header.bit_depth == 16 else "gray"


def _scheme(palette: Palette, kind: PixelKind, palette_png: PalettePng) -> Scheme:
    scheme = scheme_of(palette, kind, palette_png)
    if not len(scheme.lookup.keys):
        what = "gray value" if kind.endswith("gray") else "color or value"
        raise PaletteError(f"the palette has no {what} that these pixels could be")
    return scheme


def repainted(
    mask: MaskFile, places: NDArray[np.intp], keys: NDArray[np.uint32]
) -> tuple[bytes, NDArray[np.bool_]]:
    """
    The file as PNG with other *keys* at some *places*, and which of them it can hold.

    Everything else is stored as it was: the kind of pixels, the bits a sample, alpha,
    the color table, to which colors are added where there is room.

    Args:
        places: Positions in reading order.
        keys: Of the mask's lookup, one for each place.

    Raises:
        UnreadableMaskError: If PNG has no such pixels.
    """
    pixels = mask.pixels
    assert pixels is not None  # noqa: S101 - asked for strays only
    if pixels.depth > _WIDEST:
        reason = f"{pixels.depth} bits a pixel, which PNG cannot hold"
        raise UnreadableMaskError(mask.uri, reason)
    samples = pixels.samples.copy()
    table, depth = pixels.palette, pixels.depth
    flat = samples.reshape(-1, *samples.shape[2:])
    if table is not None:
        values, table = _table_values(mask, table, keys)
        depth = max(_depth(depth), depth_for(len(table) - 1))
    else:
        values = _sample_values(mask, pixels, keys)
    fits = values[..., 0] >= 0 if values.ndim == 2 else values >= 0
    flat[places[fits]] = values[fits].astype(samples.dtype)
    clear = mask.transparency
    if pixels.alpha is not None and clear is None:
        if table is None:
            alpha = pixels.alpha.astype(samples.dtype)
            samples = np.dstack([samples, alpha])
        else:
            hidden = np.unique(pixels.samples[pixels.alpha == 0])
            opacity = np.full(len(table), 255, np.uint8)
            opacity[hidden] = 0
            clear = opacity.tobytes()
    data = encode_png(samples, depth=_depth(depth), palette=table, transparency=clear)
    return data, fits


def _depth(depth: int) -> int:
    """
    The bits a sample that PNG has, for at least *depth*.
    """
    return next(bits for bits in (1, 2, 4, 8, 16) if bits >= depth)


def _table_values(
    mask: MaskFile, table: NDArray[np.uint8], keys: NDArray[np.uint32]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """
    The index of each of *keys*, -1 where there is no room, and the table then.
    """
    if mask.scheme.by_index:
        indices = keys.astype(np.int64)
        return np.where(indices < len(table), indices, -1), table
    known: dict[tuple[int, ...], int] = {}
    for index, color in enumerate(table.tolist()):
        known.setdefault(tuple(color), index)
    wanted, inverse = np.unique(keys, return_inverse=True)
    found = []
    for key in wanted.tolist():
        color = mask.scheme.color_of(key)
        if color not in known and len(table) < 256:
            known[color] = len(table)
            table = np.concatenate([table, np.array([color], np.uint8)])
        found.append(known.get(color, -1))
    return np.array(found, np.int64)[inverse.reshape(-1)], table


def _sample_values(
    mask: MaskFile, pixels: Pixels, keys: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """
    The samples that *keys* stand for, (N, 3) or (N,); -1 where there are none.
    """
    wide = keys.astype(np.int64)
    first, second, third = wide >> 16, wide >> 8 & 255, wide & 255
    if pixels.samples.ndim == 3:
        rgb = [first, second, third] if mask.scheme.by_color else [third, second, first]
        scale = 257 if pixels.samples.dtype == np.uint16 else 1
        found: NDArray[np.int64] = np.stack(rgb, axis=1) * scale
        return found
    largest = (1 << pixels.depth) - 1
    if not mask.scheme.by_color:
        return np.where(wide <= largest, wide, -1)
    scale = 255 // largest
    gray = (first == second) & (second == third) & (third % scale == 0)
    return np.where(gray, third // scale, -1)
