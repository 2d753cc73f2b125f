"""
The color lint: mask images whose colors are not all of the palette, and their repair.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Final, get_args

import numpy as np
from attrs import evolve

from framekit.decoding.image.scheme import PalettePng
from framekit.decoding.image.source import (
    DEFAULT_LIMITS,
    Limits,
    load_image,
)
from framekit.errors import (
    ArgumentError,
    FramekitError,
    UnreadableMaskError,
)
from framekit.palette import VOID, Palette
from framekit.shards import map_in_order
from framekit.storage import Storage
from framekit.validation.lint_fix import Destination, Options, write_fix
from framekit.validation.lint_result import Fix, LintResult, StrayColor
from framekit.validation.mask_file import Alpha, MaskFile, read_mask
from framekit.validation.stray import points_of, survey
from framekit.validation.stray_bands import nearest
from framekit.validation.stray_causes import MISREAD, verdict_on

__all__ = ["Destination", "fix_mask", "lint_mask", "lint_masks"]

#: Colors that a result lists.
_TOP: Final = 16

#: How far, in RGB, a color may be from the palette's to pass for it.
_WITHIN: Final = 8.0


def lint_masks(
    paths: Iterable[str | os.PathLike[str]],
    palette: Palette,
    *,
    alpha: Alpha = "ignore",
    palette_png: PalettePng = "auto",
    within: float | None = None,
    destinations: Mapping[str, Destination] | None = None,
    executor: Executor | None = None,
    storage: Storage | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[LintResult]:
    """
    Find the stray colors of mask images, one result for each of *paths*, in order.

    What cannot be read is a result with an error; the rest goes on.

    Args:
        alpha: ``"void"``: transparent pixels are void, whatever their color.
        palette_png: Whether palette images mean their colors or their indices;
            ``"auto"``: indices iff *palette* is indexed.
        within: How far a color may be from one of the palette's to pass for it where
            no other is less than twice as far: by default 8 in RGB, but 0 for pixel
            values, since the next value is another label.
        destinations: Fix the masks named here, by path as text, see `fix_mask`.
        executor: Where to work; threads do, since most of it runs in C.

    Raises:
        ArgumentError: If an option is refused.
    """
    options = _checked(
        palette, Options(alpha, palette_png, within, storage or Storage(), limits)
    )
    work = partial(
        _lint, palette=palette, options=options, destinations=destinations or {}
    )
    return map_in_order(work, (os.fspath(path) for path in paths), executor=executor)


def lint_mask(
    path: str | os.PathLike[str],
    palette: Palette,
    *,
    alpha: Alpha = "ignore",
    palette_png: PalettePng = "auto",
    within: float | None = None,
    storage: Storage | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> LintResult:
    """
    Find the stray colors of one mask image, see `lint_masks`.

    Raises:
        ArgumentError: If an option is refused.
        StorageError: If the file cannot be opened.
        UnreadableMaskError: If it is damaged, or of a kind labels are not read from.
        PaletteError: If *palette* has nothing that its pixels could be.
    """
    options = _checked(
        palette, Options(alpha, palette_png, within, storage or Storage(), limits)
    )
    return _linted(os.fspath(path), palette, options, None)


def fix_mask(
    path: str | os.PathLike[str],
    palette: Palette,
    destination: Destination | str | os.PathLike[str],
    *,
    alpha: Alpha = "ignore",
    palette_png: PalettePng = "auto",
    within: float | None = None,
    storage: Storage | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> LintResult:
    """
    Write a mask anew as PNG, its stray pixels with the colors they stand for.

    A mixture of two labels beside a pixel becomes the nearer of the two, never a
    third; areas and pixels *within* a small distance of one color become it. What is
    far from every color is left, and counted; so is everything in a mask that is read
    the wrong way, as with red and blue exchanged. Of pixel values only mixtures
    are fixed, in masks that look anti-aliased or resampled, unless *within* is given.

    Pixels that match, alpha, the kind and the depth of the image stay; metadata does
    not. The file is read back and compared before it appears; nothing is written if
    nothing can be fixed.

    Args:
        destination: Another path, or with a backup that of the mask itself.

    Raises:
        ArgumentError: If an option is refused, or the mask would be overwritten
            without a backup.
        StorageError: If a file cannot be opened or written.
        UnreadableMaskError: If the mask is damaged, or PNG cannot hold its pixels.
        PaletteError: If *palette* has nothing that its pixels could be.
    """
    options = _checked(
        palette, Options(alpha, palette_png, within, storage or Storage(), limits)
    )
    if not isinstance(destination, Destination):
        destination = Destination(Path(destination))
    return _linted(os.fspath(path), palette, options, destination)


def _checked(palette: Palette, options: Options) -> Options:
    if not isinstance(palette, Palette):
        reason = f"expected a Palette, got {type(palette).__name__}"
        raise ArgumentError("palette", reason)
    for name, allowed in (("alpha", Alpha), ("palette_png", PalettePng)):
        value = getattr(options, name)
        if value not in get_args(allowed):
            reason = f"expected one of {list(get_args(allowed))}, got {value!r}"
            raise ArgumentError(name, reason)
    within = options.within
    if within is None:
        return options
    if not isinstance(within, (int, float)) or not 0 <= within <= 255:
        raise ArgumentError("within", f"expected 0 to 255, got {within!r}")
    return options


def _lint(
    path: str,
    *,
    palette: Palette,
    options: Options,
    destinations: Mapping[str, Destination],
) -> LintResult:
    try:
        return _linted(path, palette, options, destinations.get(path))
    except FramekitError as error:
        return LintResult(path=path, error=error)


def _linted(
    path: str, palette: Palette, options: Options, destination: Destination | None
) -> LintResult:
    file = load_image(path, options.storage, None, options.limits)
    mask = read_mask(
        file,
        palette,
        alpha=options.alpha,
        palette_png=options.palette_png,
        limits=options.limits,
    )
    if not mask.unknown.pixels:
        return LintResult(path=path, size=mask.size)
    try:
        fix = destination is not None
        within = options.within
        if within is None:
            within = _WITHIN if mask.scheme.by_color else 0.0
        found = survey(mask, within=within, fix=fix)
        result = LintResult(
            path=path,
            size=mask.size,
            stray_pixels=found.stray,
            stray_colors=mask.unknown.distinct,
            colors=_colors(mask),
            suspect_pixels=found.suspects,
            histogram=tuple(found.histogram.tolist()),
            verdict=verdict_on(mask, found),
        )
        if destination is None:
            return result
        if not _fixable(result, mask, options):
            left = Fix(path=None, backup=None, changed=0, left=found.stray)
            return evolve(result, fix=left)
        return evolve(result, fix=write_fix(file, mask, found, destination, options))
    except MemoryError:
        raise UnreadableMaskError(path, "not enough memory") from None


def _fixable(result: LintResult, mask: MaskFile, options: Options) -> bool:
    """
    Whether the cause is one that says what pixels were.
    """
    cause = result.verdict.cause if result.verdict is not None else ""
    if mask.scheme.by_color or options.within is not None:
        return cause not in MISREAD
    # A value that is between two others need not be a mixture of them.
    return cause in ("anti-aliased", "resampled")


def _colors(mask: MaskFile) -> tuple[StrayColor, ...]:
    scheme, listed = mask.scheme, mask.unknown.values[:_TOP]
    keys = np.array([each.value for each in listed], np.uint32)
    near = nearest(points_of(keys, scheme), points_of(scheme.lookup.keys, scheme))
    found = []
    for each, position, distance in zip(
        listed, near.position.tolist(), near.distance.tolist(), strict=True
    ):
        id = int(scheme.lookup.ids[position])
        found.append(
            StrayColor(
                color=scheme.color_of(each.value),
                count=each.count,
                box=each.box,
                nearest=scheme.color_of(int(scheme.lookup.keys[position])),
                label="void" if id == VOID else mask.palette[id].name,
                distance=distance,
            )
        )
    return tuple(found)
