"""
What may have made the stray colors of a mask: a guess, with what speaks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from framekit.color import to_hex
from framekit.decoding.image.pixels import Pixels
from framekit.decoding.image.scheme import scheme_of
from framekit.decoding.lookup.tables import Lookup, swapped
from framekit.errors import PaletteError
from framekit.validation.lint_result import Verdict
from framekit.validation.mask_file import MaskFile
from framekit.validation.stray import Survey

__all__ = ["MISREAD", "verdict_on"]

#: Causes that make even matching pixels wrong: nothing is to be fixed pixel by pixel.
MISREAD: Final = frozenset(
    {
        "channels-swapped",
        "gray-as-rgb",
        "gray-ids",
        "palette-colors",
        "palette-indices",
        "picture",
        "wrong-palette",
    }
)

#: The share of stray pixels that another reading must explain, to be believed.
_NEARLY_ALL: Final = 0.9

#: Different colors an area of one label must have to count as noisy.
_NOISY: Final = 6

#: Different stray colors from which on what is no mask counts as a picture.
_PICTURE: Final = 2048

#: Pixels that are looked at together.
_BAND: Final = 1 << 20


def verdict_on(mask: MaskFile, found: Survey) -> Verdict:
    """
    Name the likeliest cause of the stray pixels of *mask*.
    """
    share, colors = found.stray / found.pixels, mask.unknown.distinct
    if share > 0.5 and colors >= _PICTURE and found.shifted < 0.5 * found.stray:
        evidence = f"{_percent(share)} of the pixels are stray, in {colors} colors"
        return Verdict("picture", evidence)
    if not mask.lossless:
        kind = mask.content_type.removeprefix("image/").upper()
        return Verdict("lossy-file", f"{kind} changes the colors of nearly every edge")
    for cause, known in _other_readings(mask, share):
        if _explains(found, share - (1 - known), share):
            evidence = (
                f"{_percent(share)} of the pixels are stray, read that other way "
                f"{_percent(1 - known)}"
            )
            return Verdict(cause, evidence)
    return _by_areas(mask, found, share) or _by_borders(mask, found)


def _explains(found: Survey, explained: float, share: float) -> bool:
    """
    Whether a reading explains nearly all stray pixels, or all areas of them.
    """
    areas = (found.areas + found.shifted) / found.pixels
    enough = areas if areas >= 0.25 * share else share
    return explained >= _NEARLY_ALL * enough


def _by_areas(mask: MaskFile, found: Survey, share: float) -> Verdict | None:
    areas = found.areas / found.stray
    largest = sorted(found.area_keys.items(), key=lambda item: (-item[1], item[0]))
    if share > 0.5 and areas >= 0.5:
        main = [key for key, count in largest if count >= 0.01 * found.areas]
        if len(main) > max(2, len(found.present)):
            evidence = (
                f"{_percent(share)} of the pixels are stray, in areas of {len(main)} "
                f"colors; {len(found.present)} colors of the palette occur"
            )
            return Verdict("wrong-palette", evidence)
    if areas >= 0.5 or found.areas >= max(64, 0.002 * found.pixels):
        named = ", ".join(
            f"{to_hex(mask.scheme.color_of(key))} ({count} pixels)"
            for key, count in largest[:3]
        )
        more = f" and {len(largest) - 3} more" if len(largest) > 3 else ""
        return Verdict("missing-entry", f"areas far from every color: {named}{more}")
    return None


def _noise(found: Survey, colors: int, ratio: float) -> str:
    evidence = f"{colors} stray colors"
    if found.shifted:
        around = len(found.shifted_to)
        evidence += (
            f", {len(found.shifted_keys)} of them in areas around {around} of the "
            f"palette's"
        )
    if ratio >= 2:
        evidence += (
            f"; they begin and end {ratio:.1f} times as often at blocks of 8 pixels"
        )
    return evidence


def _by_borders(mask: MaskFile, found: Survey) -> Verdict:
    # What lies neither in an area of its own nor in one close to a color.
    loose = found.stray - found.shifted - found.areas
    if loose >= 0.25 * found.stray and found.mixed >= 0.6 * loose:
        return _mixed(found, loose)
    colors, ratio = mask.unknown.distinct, _blockiness(found)
    noisy = len(found.shifted_keys) >= _NOISY * max(1, len(found.shifted_to))
    if (noisy or ratio >= 2) and colors >= 32:
        return Verdict("lossy-compression", _noise(found, colors, ratio))
    if found.shifted >= 0.5 * found.stray:
        evidence = (
            f"{_percent(found.shifted / found.stray)} of the stray pixels lie in areas "
            f"at most {found.farthest:.1f} from a color of the palette"
        )
        return Verdict("shifted-colors", evidence)
    kinds = {
        "mixtures of the labels beside them": found.mixed,
        "single pixels close to a color": found.single,
        "in areas close to a color": found.shifted,
        "in areas of another": found.areas,
        "unlike what is around them": found.other,
    }
    told = ", ".join(f"{n} {what}" for what, n in kinds.items() if n)
    return Verdict("unclear", f"of {found.stray} stray pixels {told}")


def _mixed(found: Survey, loose: int) -> Verdict:
    """
    Tell edges that were drawn with mixtures from masks that were resized.
    """
    borders = found.crisp + found.blurred
    shares = found.blurred / np.maximum(1, borders)
    across, down = (float(share) for share in shares)
    thick = found.thick / max(1, found.mixed)
    straight = found.straight_crisp + found.straight_blurred
    aligned = straight >= 16 and found.straight_blurred >= 0.9 * straight
    aligned &= bool(straight >= 0.5 * borders.sum())
    beyond = found.beyond > 0.05 * found.mixed
    evidence = (
        f"{_percent(found.mixed / loose)} of the stray pixels at borders are mixtures "
        f"of two labels beside them; {_percent(across)} of the borders across and "
        f"{_percent(down)} of those down have some"
    )
    if thick >= 0.5:
        evidence += f"; {_percent(thick)} lie in edges of 2 pixels or more"
    if beyond:
        evidence += "; some lie beyond both colors"
    everywhere = min(across, down) >= 0.9 and int(borders.min()) >= 8
    wide = min(across, down) >= 0.7 and thick >= 0.5
    resized = wide or (everywhere and (aligned or beyond))
    return Verdict("resampled" if resized else "anti-aliased", evidence)


def _blockiness(found: Survey) -> float:
    """
    How much more often strays begin and end at blocks than elsewhere.
    """
    total = int(found.phases.sum())
    if total < 64:
        return 0.0
    at, elsewhere = int(found.phases[0]), (total - int(found.phases[0])) / 7
    return at / max(1.0, elsewhere)


def _other_readings(mask: MaskFile, share: float) -> Iterator[tuple[str, float]]:
    """
    Ways to misread a mask, and the share of pixels that are known without the mistake.
    """
    pixels, scheme = mask.pixels, mask.scheme
    assert pixels is not None  # noqa: S101 - there are strays
    three = pixels.samples.ndim == 3
    if (three or pixels.palette is not None) and not scheme.by_index:
        yield "channels-swapped", _known(mask, scheme.lookup, _exchanged)
    if share < 0.2 or mask.unknown.distinct < 2:
        return
    if pixels.palette is not None:
        for cause, by in (("palette-indices", True), ("palette-colors", False)):
            if scheme.by_index == by:
                continue
            lookup = _lookup_of(mask, "indices" if by else "colors")
            if lookup is not None:
                read = _as_indices if by else _as_colors
                yield cause, _known(mask, lookup, read)
    elif not three and scheme.by_color:
        lookup = _lookup_of(mask, "indices")
        if lookup is not None:
            yield "gray-ids", _known(mask, lookup, _as_indices)
    elif three:
        lookup = _lookup_of(mask, "indices")
        if lookup is not None and _is_gray(mask):
            yield "gray-as-rgb", _known(mask, lookup, _first_channel)


def _lookup_of(mask: MaskFile, by: str) -> Lookup | None:
    try:
        found = scheme_of(
            mask.palette, "palette", "indices" if by == "indices" else "colors"
        ).lookup
    except PaletteError:
        return None
    return found if len(found.keys) > 1 else None


def _known(
    mask: MaskFile,
    lookup: Lookup,
    read: Callable[[Pixels, MaskFile], NDArray[np.uint32]],
) -> float:
    width, height = mask.size
    rows = max(1, _BAND // width)
    count = 0
    for start in range(0, height, rows):
        part = mask.rows(start, start + rows)
        keys = read(part, mask)
        count += int((lookup.codes(keys.reshape(-1)) != -2).sum())
    return count / (width * height)


def _exchanged(part: Pixels, mask: MaskFile) -> NDArray[np.uint32]:
    return swapped(part.keys(color=mask.scheme.by_color))


def _as_indices(part: Pixels, _: MaskFile) -> NDArray[np.uint32]:
    return part.samples.astype(np.uint32)


def _as_colors(part: Pixels, _: MaskFile) -> NDArray[np.uint32]:
    return part.keys(color=True)


def _first_channel(part: Pixels, _: MaskFile) -> NDArray[np.uint32]:
    return part.samples[:, :, 0].astype(np.uint32)


def _is_gray(mask: MaskFile) -> bool:
    assert mask.pixels is not None  # noqa: S101 - there are strays
    rgb = mask.pixels.samples
    return bool((rgb[:, :, 1:] == rgb[:, :, :1]).all())


def _percent(share: float) -> str:
    shown = f"{share:.0%}"
    if shown == "100%" and share < 1:
        return "almost all" if share > 0.999 else f"{share:.1%}"
    return shown if shown != "0%" or not share else "less than 1%"
