"""
Images to label maps: every pixel right, or void and counted, or the file refused.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.decoding.image.header import ImageHeader, read_image_header
from framekit.decoding.image.pixels import TRANSPARENT, Pixels, bytes_of
from framekit.decoding.image.reading import open_other, png_pixels
from framekit.decoding.image.scheme import PalettePng, PixelKind, Scheme, scheme_of
from framekit.decoding.image.snap import closest_pair, snap
from framekit.decoding.image.sniffing import sniff
from framekit.decoding.image.source import (
    DEFAULT_LIMITS,
    ImageSource,
    Limits,
    LoadedImage,
    load_image,
)
from framekit.decoding.image.walk import ImageError
from framekit.decoding.image.writing import write_label_map
from framekit.decoding.label_map import LabelMap, id_dtype, void_of
from framekit.decoding.lookup.tables import array_to_ids
from framekit.decoding.lookup.unknown import Unknown
from framekit.decoding.png.chunks import Png, PngError, open_png
from framekit.decoding.png.reading import read_labels
from framekit.decoding.report import DecodeReport
from framekit.errors import (
    ArgumentError,
    DecodeWarning,
    PaletteError,
    UnknownColorError,
    UnreadableMaskError,
)
from framekit.palette import Palette
from framekit.storage import Storage

__all__ = [
    "ImageHeader",
    "Limits",
    "decode_image",
    "fitted",
    "is_image",
    "read_image_header",
    "sniff",
    "write_label_map",
]

#: The content type of an image by its first bytes, None for what is no image.
is_image = sniff

#: The largest distance at which colors of a lossy file run into each other.
_TOO_CLOSE = 8

#: The distance under which they are one.
_SAME = 2

Unknowns = Literal["void", "error", "nearest"]
Alpha = Literal["ignore", "void", "opacity"]
Size = Literal["error", "nearest"]


@frozen
class _Options:
    """
    What was asked for, checked.
    """

    unknown: str = field()
    alpha: str = field()
    palette_png: PalettePng = field()
    size: str = field()
    expect: tuple[int, int] | None = field()

    def __attrs_post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                reason = f"expected one of {list(allowed)}, got {getattr(self, name)!r}"
                raise ArgumentError(name, reason)
        if self.expect is not None and not (
            len(self.expect) == 2 and all(side >= 1 for side in self.expect)
        ):
            reason = f"expected (width, height) in pixels, got {self.expect!r}"
            raise ArgumentError("expect", reason)


@frozen(eq=False)
class _Labels:
    """
    What came out of an image.
    """

    ids: NDArray[Any]
    unknown: Unknown
    scheme: Scheme
    lossless: bool = True
    snapped: int = 0
    notes: tuple[str, ...] = ()


def decode_image(
    path_or_file: ImageSource,
    palette: Palette,
    *,
    unknown: Unknowns = "void",
    alpha: Alpha = "ignore",
    palette_png: PalettePng = "auto",
    size: Size = "error",
    expect: tuple[int, int] | None = None,
    storage: Storage | None = None,
    uri: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> LabelMap:
    """
    Decode a mask image.

    PNG of every kind; BMP, GIF (the first picture), TIFF and lossless WebP; content
    decides, not the name. JPEG and other lossy files give the nearest color and a
    `DecodeWarning`. Three channels are looked up by color or, if the palette has
    none, as R + 256 G + 65536 B; a single channel by its value if the palette is
    indexed, else as the color (v, v, v).

    Args:
        path_or_file: A path, a URI that *storage* opens, or a binary file, which is
            read from where it stands.
        unknown: What happens to colors that the palette does not have: they become
            void, are an error, or take the nearest color. They are counted anyway.
        alpha: Whether alpha is ignored, makes pixels void where it is 0, or is
            itself what is looked up, as a value from 0 to 255: *palette* is indexed
            by opacity then.
        palette_png: Whether palette images are looked up by their colors or their
            indices (of entries without an index, the id); ``"auto"``: by indices
            iff the palette is indexed.
        size: What happens if the image is not of the size *expect*: an error, or
            the labels are resized to the nearest pixel.
        expect: Width and height in pixels.
        uri: What a binary file is called in errors.
        limits: How large an image may be.

    Raises:
        ArgumentError: If an option is not one of those above.
        PaletteError: If *palette* does not go with the image.
        StorageError: If the file cannot be opened.
        UnreadableMaskError: If it is damaged, breaks off, is too large, of another
            size, or of a kind that labels are not read from.
        UnknownColorError: If ``unknown="error"`` and there are such colors.
    """
    options = _Options(unknown, alpha, palette_png, size, expect)
    if not isinstance(palette, Palette):
        reason = f"expected a Palette, got {type(palette).__name__}"
        raise ArgumentError("palette", reason)
    file = load_image(path_or_file, storage, uri, limits)
    try:
        if file.content_type == "image/png":
            found = _from_png(file, palette, options, limits)
        else:
            found = _from_other(file, palette, options, limits)
    except (ImageError, PngError) as error:
        raise UnreadableMaskError(file.uri, error.reason) from None
    except MemoryError:
        raise UnreadableMaskError(file.uri, "not enough memory") from None
    if not found.lossless:
        message = (
            f"{file.uri}: a lossy file; pixels have the label of the nearest color"
        )
        warnings.warn(message, DecodeWarning, stacklevel=2)
    label_map = _label_map(found, palette, file.uri, options)
    return fitted(label_map, expect, size, uri=file.uri)


def fitted(
    label_map: LabelMap,
    expect: tuple[int, int] | None,
    size: Size,
    *,
    uri: str,
) -> LabelMap:
    """
    *label_map* at the size that was wanted, (width, height); None takes any.

    Raises:
        UnreadableMaskError: If ``size="error"`` and it has another size.
    """
    height, width = label_map.shape
    if expect is None or expect == (width, height):
        return label_map
    _check_size(width, height, expect, size, uri)
    # The source pixel that the middle of each new pixel falls in.
    rows = (2 * np.arange(expect[1]) + 1) * height // (2 * expect[1])
    columns = (2 * np.arange(expect[0]) + 1) * width // (2 * expect[0])
    place = np.ix_(rows, columns)
    uncertain = label_map.uncertain
    report = label_map.report
    note = f"resized from {width}x{height} to the nearest pixel"
    return evolve(
        label_map,
        ids=label_map.ids[place],
        uncertain=None if uncertain is None else uncertain[place],
        report=evolve(report, exact=False, notes=(*report.notes, note)),
    )


def _from_png(
    file: LoadedImage, palette: Palette, options: _Options, limits: Limits
) -> _Labels:
    png = open_png(file.data, max_side=limits.max_side, max_bytes=limits.max_bytes)
    header = png.header
    if options.expect is not None:
        _check_size(header.width, header.height, options.expect, options.size, file.uri)
    scheme = scheme_of(palette, _kind_of(png, options), options.palette_png)
    notes = header.notes
    if header.kind != "other" and options.alpha != "opacity":
        ids, unknown = read_labels(
            png,
            scheme.lookup,
            alpha="void" if options.alpha == "void" else "ignore",
            palette_png="index" if scheme.by_index else "color",
        )
        if not unknown.pixels or options.unknown != "nearest":
            return _Labels(ids, unknown, scheme, notes=notes)
    pixels = png_pixels(png, alpha=options.alpha != "ignore", limits=limits)
    found = _looked_up(pixels, scheme, options)
    return evolve(found, notes=notes)


def _from_other(
    file: LoadedImage, palette: Palette, options: _Options, limits: Limits
) -> _Labels:
    image = open_other(file, limits)
    header = image.header
    if options.expect is not None:
        _check_size(header.width, header.height, options.expect, options.size, file.uri)
    pixels = image.pixels()
    kind: PixelKind = "alpha"
    if options.alpha != "opacity":
        kind = "rgb" if pixels.samples.ndim == 3 else "gray"
        kind = "wide gray" if kind == "gray" and pixels.depth > 8 else kind
        kind = "palette" if pixels.palette is not None else kind
    scheme = scheme_of(palette, kind, options.palette_png)
    notes = (*image.walk.notes, *pixels.notes)
    if header.frames != 1:
        notes = (*notes, "several pictures: only the first is read")
    if image.walk.lossless:
        return evolve(_looked_up(pixels, scheme, options), notes=notes)
    notes = (*notes, *_check_lossy(scheme))
    if options.unknown != "error":
        options = evolve(options, unknown="nearest")
    found = _looked_up(pixels, scheme, options)
    return evolve(found, lossless=False, notes=notes)


def _looked_up(pixels: Pixels, scheme: Scheme, options: _Options) -> _Labels:
    """
    Look the pixels of an array up.
    """
    if options.alpha == "opacity":
        if pixels.alpha is None:
            raise ImageError("no alpha, which alpha='opacity' reads")
        keys = bytes_of(pixels.alpha, "opacities").astype(np.uint32)
    else:
        keys = pixels.keys(color=scheme.by_color, index=scheme.by_index)
        if options.alpha == "void" and pixels.alpha is not None:
            keys[pixels.alpha == 0] = TRANSPARENT
    ids, unknown = array_to_ids(keys, scheme.lookup, transparent=TRANSPARENT)
    if not unknown.pixels or options.unknown != "nearest":
        return _Labels(ids, unknown, scheme)
    if scheme.packed:
        raise PaletteError("numbers of 24 bits have no nearest one: unknown='nearest'")
    known_void = scheme.lookup.keys[scheme.lookup.ids < 0]
    missing = (ids == scheme.lookup.void) & (keys != TRANSPARENT)
    missing &= ~np.isin(keys, known_void)
    snap(ids, keys, missing, scheme.lookup)
    return _Labels(ids, unknown, scheme, snapped=unknown.pixels)


def _label_map(
    found: _Labels, palette: Palette, uri: str, options: _Options
) -> LabelMap:
    unknown = found.unknown
    colors = tuple(
        (found.scheme.color_of(each.value), each.count, each.box)
        for each in unknown.values
    )
    if unknown.pixels and options.unknown == "error":
        raise UnknownColorError(uri, tuple(color for color, _, _ in colors))
    notes = found.notes
    if found.snapped:
        more = "" if unknown.complete else "more than "
        note = (
            f"{found.snapped} pixels of {more}{unknown.distinct} unknown colors "
            f"took the nearest one"
        )
        notes = (*notes, note)
    ids = found.ids
    if options.alpha == "void":
        clear = np.count_nonzero(ids == found.scheme.lookup.void)
        clear -= 0 if found.snapped else unknown.pixels
        of_void = " or of a void color" if (found.scheme.lookup.ids < 0).any() else ""
        if clear:
            notes = (*notes, f"{clear} void pixels are transparent{of_void}")
    if ids.dtype != id_dtype(palette):
        # Some id of the palette, but none of those that pixels can have, is large.
        wide = ids.astype(np.int32)
        wide[ids == found.scheme.lookup.void] = void_of(palette)
        ids = wide
    report = DecodeReport(
        exact=found.lossless and not found.snapped,
        lossless=found.lossless,
        unknown_pixels=unknown.pixels,
        unknown_colors=colors,
        notes=notes,
    )
    return LabelMap(ids=ids, palette=palette, report=report)


def _kind_of(png: Png, options: _Options) -> PixelKind:
    if options.alpha == "opacity":
        return "alpha"
    header = png.header
    if header.color_type == 3:
        return "palette"
    if header.color_type in (2, 6):
        return "rgb"
    return "wide gray" if header.bit_depth == 16 else "gray"


def _check_lossy(scheme: Scheme) -> tuple[str, ...]:
    """
    What to say of a lossy file, which is refused if it cannot tell labels apart.

    Raises:
        PaletteError: If so.
    """
    if scheme.packed:
        raise PaletteError("a lossy file, which cannot hold numbers of 24 bits")
    closest = closest_pair(scheme.lookup)
    if closest < _SAME or (closest < _TOO_CLOSE and not scheme.by_color):
        reason = (
            f"a lossy file, which cannot tell labels apart that are {closest:.1f} "
            f"from each other; save masks as PNG"
        )
        raise PaletteError(reason)
    if closest < _TOO_CLOSE:
        return (f"palette-too-close: two colors are {closest:.1f} from each other",)
    return ()


def _check_size(
    width: int, height: int, expect: tuple[int, int], size: str, uri: str
) -> None:
    if size == "error" and (width, height) != tuple(expect):
        reason = (
            f"{width}x{height} pixels, expected {expect[0]}x{expect[1]}; "
            f"size='nearest' resizes"
        )
        raise UnreadableMaskError(uri, reason)


_ALLOWED = {
    "unknown": ("void", "error", "nearest"),
    "alpha": ("ignore", "void", "opacity"),
    "palette_png": ("auto", "colors", "indices"),
    "size": ("error", "nearest"),
}
