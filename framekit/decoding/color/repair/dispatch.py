"""
From 8-bit planes to labels, by the compiled kernels or their NumPy twins.

Both give the same labels, uncertain pixels and counts, bit for bit.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.decoding import kernels
from framekit.decoding.color.repair import block_repair, pixel_snap
from framekit.decoding.color.repair.codebook import MOST_LABELS, Codebook
from framekit.decoding.color.repair.confidence import NONE
from framekit.decoding.color.repair.energy import SWEEPS

__all__ = ["Classified", "LookedUp", "Mode", "classify_yuv", "look_up"]

#: How borders in 4:2:0 are treated: repaired, repaired quickly, or not at all.
Mode = Literal["full", "fast", "nearest"]

Plane = NDArray[np.uint8]
Three = tuple[Plane, Plane, Plane]


def classify_yuv(planes: Three, codebook: Codebook, *, mode: Mode) -> Classified:
    """
    Label Y, U and V, chroma subsampled by 1, 2 or 4 in either direction, rounded up.

    In 4:2:0 ``full`` repairs borders block by block and ``fast`` pixel by pixel. With
    other subsampling these two are one: pixels beyond doubt keep their label, others
    take the most similar one of those within 3 pixels. ``nearest`` takes the nearest
    centroid under the nearest chroma sample.

    Args:
        planes: uint8; lines may lie any distance apart.

    Raises:
        ValueError: If the planes do not fit together.
    """
    y, u, v = _with_dense_lines(planes)
    half = ((y.shape[0] + 1) // 2, (y.shape[1] + 1) // 2)
    if u.shape != v.shape:
        raise ValueError(f"chroma planes of {u.shape} and {v.shape}")
    if mode != "nearest" and u.shape == half != y.shape:
        return _repair_blocks((y, u, v), codebook, full=mode == "full")
    if kernels.NATIVE is None:
        snap = pixel_snap.nearest_yuv if mode == "nearest" else pixel_snap.snap_yuv
        wide, places, stats = snap(y, u, v, codebook)
        weighed = None if mode == "nearest" else places
        return Classified(wide.astype(codebook.dtype), weighed, **stats)
    labels = np.empty(y.shape, codebook.dtype)
    how = 2 if mode == "nearest" else 0
    seen, ambiguous, foreign = kernels.NATIVE.snap_yuv(
        y, u, v, *_tables(codebook), labels, how
    )
    if mode == "nearest":
        return Classified(labels, None, ambiguous=0, foreign=foreign)
    places = np.frombuffer(seen, np.uint32)
    return Classified(labels, places, ambiguous=ambiguous / y.size, foreign=foreign)


def _repair_blocks(planes: Three, codebook: Codebook, *, full: bool) -> Classified:
    """
    Label a 4:2:0 picture.
    """
    y, u, v = planes
    height, width = y.shape
    if kernels.NATIVE is None:
        wide, places, stats = block_repair.repair_yuv420(
            y, u, v, codebook, sweeps=SWEEPS if full else 0
        )
        labels = wide.astype(codebook.dtype)
        return Classified(labels, places if full else None, **stats)
    even = np.empty((2 * u.shape[0], 2 * u.shape[1]), codebook.dtype)
    seen, ambiguous, foreign, noise = kernels.NATIVE.repair_yuv420(
        y, u, v, *_tables(codebook), even, int(not full)
    )
    return Classified(
        even if even.shape == y.shape else even[:height, :width].copy(),
        np.frombuffer(seen, np.uint32) if full else None,
        ambiguous=ambiguous / u.size,
        foreign=foreign,
        noise=noise,
    )


def look_up(
    planes: Three, centroids: NDArray[np.int32], *, within: float | None
) -> LookedUp:
    """
    The nearest centroid of each pixel of three planes of one size (R, G, B, say).

    The planes may be views of one packed array. Pixels farther away than *within*
    codes get the largest number that labels can be; None sets no limit.

    Args:
        planes: uint8.
        centroids: (K, 3) int32 in eighths of a code.

    Raises:
        ValueError: If the planes do not have one size.
    """
    if not planes[0].shape == planes[1].shape == planes[2].shape:
        raise ValueError("the planes must have one size")
    limit = -1 if within is None else int((within * 8) ** 2)
    dtype = _label_dtype(len(centroids))
    none = np.iinfo(dtype).max
    if not len(centroids):
        return LookedUp(np.full(planes[0].shape, none, dtype), planes[0].size)
    if kernels.NATIVE is None or len(centroids) > MOST_LABELS:
        wide = pixel_snap.look_up(planes, centroids, limit)
        far = wide == NONE
        wide[far] = none
        return LookedUp(wide.astype(dtype), int(np.count_nonzero(far)))
    steps = {plane.strides[1] for plane in planes}
    if len(steps) > 1 or min(steps) < 1:
        planes = _with_dense_lines(planes)
        steps = {1}
    labels = np.empty(planes[0].shape, dtype)
    step = steps.pop() if labels.shape[1] > 1 else 1
    _, unknown = kernels.NATIVE.look_up(*planes, step, centroids, labels, limit)
    return LookedUp(labels, unknown)


def _label_dtype(count: int) -> np.dtype[Any]:
    """
    The smallest type of *count* labels and one that says "none".
    """
    if count > MOST_LABELS:
        return np.dtype(np.int32)
    return np.dtype(np.uint8 if count <= 254 else np.uint16)


def _with_dense_lines(planes: Three) -> Three:
    """
    The planes, copied where pixels are not side by side.
    """
    y, u, v = (p if p.strides[1] == 1 else np.ascontiguousarray(p) for p in planes)
    return y, u, v


def _tables(codebook: Codebook) -> tuple[NDArray[Any], ...]:
    """
    A codebook as the kernels take it.
    """
    return (
        codebook.centroids,
        codebook.tight,
        codebook.wide,
        codebook.grid,
        codebook.starts,
        codebook.items,
    )


@frozen(eq=False)
class Classified:
    """
    Labels of a picture and how they came about.
    """

    #: (H, W), uint8 up to 254 labels, else uint16.
    labels: NDArray[Any] = field(repr=lambda a: f"<{a.shape}>")

    #: Places ``y * W + x`` of uncertain pixels, uint32, in 4:2:0 in the reading order
    #: of blocks; None if nothing was weighed.
    doubtful: NDArray[np.uint32] | None = field(repr=False)

    #: Share of blocks (4:2:0) or pixels that did not show their label beyond doubt.
    ambiguous: float

    #: Of them, flat chroma samples far from every centroid: below 12, no color is
    #: missing from the codebook.
    foreign: int

    #: Luma noise at borders in 1/256 code, 0 if not measured.
    noise: int = 0


@frozen(eq=False)
class LookedUp:
    """
    Labels of colors looked up.
    """

    #: (H, W), uint8 up to 254 labels, else uint16 or int32; the largest number: none.
    labels: NDArray[Any] = field(repr=lambda a: f"<{a.shape}>")

    #: Pixels beyond the limit.
    unknown: int
