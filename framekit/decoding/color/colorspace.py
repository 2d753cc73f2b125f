"""
Where colors land in YUV planes, and which matrix and range a video really uses.

Files say it wrongly or not at all: what swscale writes without tags is BT.601 of
limited range, whatever players assume. The palette tells: in flat regions the right
matrix leaves each color within a unit or two of where it should be.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.color import RGB
from framekit.decoding.color.repair.codebook import SCALE
from framekit.decoding.video.planes import Planes

__all__ = [
    "MATRICES",
    "RANGES",
    "SCALE",
    "Colorspace",
    "FlatColors",
    "centroids_of",
    "closest_pair",
    "codes_of",
    "detect_colorspace",
    "flat_colors",
    "residual_of",
    "rgb_of",
]

#: Weights of red and blue in luma.
MATRICES: Final = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}

#: Whether codes use all values.
RANGES: Final = {"limited": False, "full": True}

#: Above this, the palette and the assumed matrix do not fit each other.
POOR_FIT: Final = 3.0

#: How much codes of a flat region vary at most.
_FLAT: Final = 2

_FAR: Final = 30.0
_CLEARLY_BETTER: Final = 0.6
_MOST_SAMPLES: Final = 4096

Reason = Literal["tag", "default", "palette", "given"]


@frozen
class Colorspace:
    """
    The matrix and range of a video, and how they are known.
    """

    #: None for gray.
    matrix: str | None
    full_range: bool
    reason: Reason

    #: How far flat regions are from the palette, in codes; None without any.
    residual: float | None = None

    def __str__(self) -> str:
        return f"{self.matrix or 'gray'} {'full' if self.full_range else 'limited'}"


@frozen(eq=False)
class FlatColors:
    """
    The distinct colors of locally flat regions of one frame.
    """

    #: (N, 3) float64, 8-bit codes.
    colors: NDArray[np.float64] = field(repr=lambda a: f"<{a.shape}>")

    #: (N,) how many chroma samples have each.
    counts: NDArray[np.int64] = field(repr=False)


def centroids_of(
    colors: NDArray[np.float64], matrix: str | None, *, full_range: bool
) -> NDArray[np.int32]:
    """
    Where (K, 3) RGB *colors* land, (K, 3) in eighths of an 8-bit code.

    Without a matrix they stay RGB.
    """
    codes = codes_of(colors, matrix, full_range=full_range)
    return np.rint(codes * SCALE).astype(np.int32)


def codes_of(
    colors: NDArray[np.float64], matrix: str | None, *, full_range: bool
) -> NDArray[np.float64]:
    """
    Where (K, 3) RGB *colors* land, (K, 3) in 8-bit codes, not rounded.

    Without a matrix they stay RGB.
    """
    if matrix is None:
        return colors
    red_weight, blue_weight = MATRICES[matrix]
    red, green, blue = (colors[:, channel] / 255 for channel in range(3))
    green_weight = 1 - red_weight - blue_weight
    luma = red_weight * red + green_weight * green + blue_weight * blue
    u = (blue - luma) / (2 * (1 - blue_weight))
    v = (red - luma) / (2 * (1 - red_weight))
    if full_range:
        codes = (255 * luma, 255 * u + 128, 255 * v + 128)
    else:
        codes = (16 + 219 * luma, 128 + 224 * u, 128 + 224 * v)
    return np.clip(np.stack(codes, -1), 0, 255)


def rgb_of(yuv: NDArray[np.float64], matrix: str, *, full_range: bool) -> RGB:
    """
    The color of one (3,) *yuv* value in 8-bit codes, clipped and rounded.
    """
    red_weight, blue_weight = MATRICES[matrix]
    y, u, v = (float(value) for value in yuv)
    if full_range:
        luma, u, v = y / 255, (u - 128) / 255, (v - 128) / 255
    else:
        luma, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    red = luma + 2 * (1 - red_weight) * v
    blue = luma + 2 * (1 - blue_weight) * u
    green_weight = 1 - red_weight - blue_weight
    green = (luma - red_weight * red - blue_weight * blue) / green_weight
    r, g, b = (min(max(round(255 * value), 0), 255) for value in (red, green, blue))
    return r, g, b


def flat_colors(planes: Planes, *, wide: bool = False) -> FlatColors:
    """
    The colors of chroma samples that hardly vary from those around them.

    Args:
        planes: Of 8 bits, ``yuv`` or ``gray``.
        wide: Whether these are all eight, or only those left and above. A line of
            two pixels' width can be two mixed samples wide, but not three.
    """
    luma = planes.channels[0]
    across, down = planes.steps
    rows, columns = luma.shape[0] // down, luma.shape[1] // across
    parts = [
        luma[row : rows * down : down, column : columns * across : across]
        for row in range(down)
        for column in range(across)
    ]
    highest, lowest = parts[0].copy(), parts[0].copy()
    for part in parts[1:]:
        np.maximum(highest, part, out=highest)
        np.minimum(lowest, part, out=lowest)
    flat = _spread(highest, lowest, wide=wide) <= _FLAT
    chroma = [plane[:rows, :columns] for plane in planes.channels[1:]]
    for plane in chroma:
        flat &= _spread(plane, plane, wide=wide) <= _FLAT
    places = np.flatnonzero(flat)
    middle = highest.take(places).astype(np.int32) + lowest.take(places)
    keys = middle // 2 << 16
    if chroma:
        keys |= chroma[0].take(places).astype(np.int32) << 8 | chroma[1].take(places)
    else:
        keys |= 128 << 8 | 128
    # Sorting is for few: masks are mostly runs of one color.
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    keys, inverse = np.unique(keys[starts], return_inverse=True)
    lengths = np.diff(starts, append=len(places))
    counts = np.bincount(inverse.reshape(-1), lengths, len(keys)).astype(np.int64)
    if len(keys) > _MOST_SAMPLES:
        order = np.argsort(-counts, kind="stable")[:_MOST_SAMPLES]
        keys, counts = keys[order], counts[order]
    colors = np.stack([keys >> 16, keys >> 8 & 255, keys & 255], -1)
    return FlatColors(colors.astype(np.float64), counts)


def _spread(highest: NDArray[Any], lowest: NDArray[Any], *, wide: bool) -> NDArray[Any]:
    """
    The range of values among each place and those left and above, or all around.
    """
    high, low = highest, lowest
    for axis in (0, 1):
        here, before = [slice(None)] * 2, [slice(None)] * 2
        here[axis], before[axis] = slice(1, None), slice(None, -1)
        near, far = tuple(here), tuple(before)
        most, least = high.copy(), low.copy()
        np.maximum(most[near], high[far], out=most[near])
        np.minimum(least[near], low[far], out=least[near])
        if wide:
            np.maximum(most[far], high[near], out=most[far])
            np.minimum(least[far], low[near], out=least[far])
        high, low = most, least
    return np.asarray(high - low)


def residual_of(flat: FlatColors, centroids: NDArray[np.int32]) -> float | None:
    """
    The mean distance of *flat* to the nearest centroid, in codes, at most 30.
    """
    if not len(flat.counts):
        return None
    distances = np.minimum(nearest_distance(flat.colors, centroids), _FAR)
    weights = np.sqrt(flat.counts)
    return float((distances * weights).sum() / weights.sum())


def nearest_distance(
    colors: NDArray[np.float64], centroids: NDArray[np.int32]
) -> NDArray[np.float64]:
    """
    The distance of each of (N, 3) *colors* to the nearest centroid, in codes.
    """
    targets = centroids / SCALE
    found = np.empty(len(colors))
    step = max((1 << 21) // max(len(targets), 1), 1)
    for start in range(0, len(colors), step):
        part = colors[start : start + step, None] - targets[None]
        found[start : start + step] = np.sqrt((part**2).sum(-1).min(1))
    return found


def detect_colorspace(
    flat: FlatColors, colors: NDArray[np.float64], planes: Planes
) -> Colorspace:
    """
    Keep what the stream says unless the palette fits another assumption far better.

    Args:
        flat: Of a fixed frame, the first one, for the result to be the file's.
        colors: The palette's, (K, 3) RGB.
        planes: Of the same frame, for its tags.
    """
    gray = planes.kind == "gray"
    said = tagged_colorspace(planes)
    assumed = ("bt601" if gray else str(said.matrix), said.full_range)
    matrices = ("bt601",) if gray else tuple(MATRICES)
    residuals: dict[tuple[str, bool], float] = {}
    for full_range in (False, True):
        for matrix in matrices:
            centroids = centroids_of(colors, matrix, full_range=full_range)
            residual = residual_of(flat, centroids)
            if residual is None:
                return said
            residuals[matrix, full_range] = residual
    best = min(residuals, key=lambda key: residuals[key])
    poor = residuals[assumed] > POOR_FIT
    if poor and residuals[best] < _CLEARLY_BETTER * residuals[assumed]:
        matrix, full_range = best
        found = None if gray else matrix
        return Colorspace(found, full_range, "palette", residuals[best])
    return Colorspace(said.matrix, said.full_range, said.reason, residuals[assumed])


def tagged_colorspace(planes: Planes) -> Colorspace:
    """
    What the stream says, or what swscale assumes where it does not.
    """
    if planes.kind == "gray":
        known = planes.full_range
        reason: Reason = "default" if known is None else "tag"
        return Colorspace(None, planes.assumed_full if known is None else known, reason)
    said = planes.matrix is not None or planes.full_range is not None
    return Colorspace(
        planes.matrix or "bt601",
        planes.full_range is True,
        "tag" if said else "default",
    )


def closest_pair(
    centroids: NDArray[np.int32], *, within: float
) -> tuple[float, int, int] | None:
    """
    The closest two of (K, 3) *centroids*, if closer than *within* codes.

    Returns:
        Their distance in codes, and their positions; None if there are none.
    """
    order = np.argsort(centroids[:, 0], kind="stable")
    points = centroids[order].astype(np.int64)
    limit = (within * SCALE) ** 2
    best: tuple[float, int, int] | None = None
    for offset in range(1, len(points)):
        difference = points[offset:] - points[:-offset]
        if (difference[:, 0] ** 2).min() >= limit:
            break
        square = (difference**2).sum(1)
        nearest = int(square.argmin())
        if square[nearest] < limit:
            limit = float(square[nearest])
            pair = sorted((int(order[nearest]), int(order[nearest + offset])))
            best = (float(np.sqrt(limit)) / SCALE, pair[0], pair[1])
    return best
