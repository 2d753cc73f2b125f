"""
Random planes and codebooks, on which compiled kernels and NumPy twins are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from attrs import fields
from numpy.typing import NDArray

from framekit.decoding import kernels
from framekit.decoding.color.repair.codebook import make_codebook
from framekit.decoding.color.repair.dispatch import Mode, Three, classify_yuv, look_up

Plane = NDArray[np.uint8]

#: Chroma subsampling, vertical and horizontal.
STEPS = ((2, 2), (1, 1), (1, 2), (2, 1), (4, 4))

#: What a plane is stored as: dense, with padded lines, upside down, every other byte.
_FORMS = 4


def random_case(
    seed: int,
    *,
    height: int,
    width: int,
    labels: int,
    noise: float,
    steps: tuple[int, int] = (2, 2),
) -> tuple[Three, NDArray[np.int32]]:
    """
    Noisy planes of a random label map, and their centroids in eighths of a code.
    """
    rng = np.random.default_rng(seed)
    centroids = rng.integers(0, 2041, (labels, 3)).astype(np.int32)
    if seed % 3 == 0:  # crowded: many balls in a cell, duplicates too
        centroids = (centroids // 24 + 900).astype(np.int32)
        centroids[labels // 2 :] = centroids[: labels - labels // 2]
    down, across = steps
    size = int(rng.integers(1, 9))
    coarse = rng.integers(0, labels, (height // size + 1, width // size + 1))
    ids = coarse.repeat(size, 0).repeat(size, 1)[:height, :width]
    colors = centroids[ids] / 8 + rng.normal(0, noise, (height, width, 3))
    codes = np.clip(np.rint(colors), 0, 255).astype(np.uint8)
    y = _stored(codes[..., 0], rng)
    u = _stored(codes[::down, ::across, 1], rng)
    v = _stored(codes[::down, ::across, 2], rng)
    return (y, u, v), centroids


def _stored(plane: Plane, rng: np.random.Generator) -> Plane:
    height, width = plane.shape
    form = int(rng.integers(0, _FORMS))
    if form == 0:
        return np.ascontiguousarray(plane)
    room = rng.integers(0, 256, (height, 2 * width + 40), np.uint8)
    if form == 3:
        room[:, : 2 * width : 2] = plane
        return room[:, : 2 * width : 2]
    room[:, :width] = plane if form == 1 else plane[::-1]
    return room[:, :width] if form == 1 else room[:, :width][::-1]


def twin(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """
    What *function* returns without the compiled kernels.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NATIVE", None)
        return function(*arguments, **options)


def compare_case(
    seed: int,
    *,
    height: int,
    width: int,
    labels: int,
    noise: float,
    steps: tuple[int, int],
) -> list[str]:
    """
    What differs between the kernels and their twins in a random case, all modes.
    """
    planes, centroids = random_case(
        seed, height=height, width=width, labels=labels, noise=noise, steps=steps
    )
    codebook = make_codebook(centroids)
    different = []
    for mode in get_args(Mode):
        native = classify_yuv(planes, codebook, mode=mode)
        if not same(native, twin(classify_yuv, planes, codebook, mode=mode)):
            different.append(str(mode))
    if steps == (1, 1):
        y, u, v = planes
        packed = np.stack(planes, -1)
        four = np.stack([v, u, y, y], -1)
        for form, views in (
            ("planar", planes),
            ("rgb", (packed[..., 0], packed[..., 1], packed[..., 2])),
            ("bgr", (packed[..., 2], packed[..., 1], packed[..., 0])),
            ("four", (four[..., 2], four[..., 1], four[..., 0])),
        ):
            for within in (None, 24.0, 2.0, 0.0):
                found = look_up(views, centroids, within=within)
                if not same(found, twin(look_up, views, centroids, within=within)):
                    different.append(f"{form} {within}")
    return different


def same(first: Any, second: Any) -> bool:
    """
    Whether two results are equal to the bit.
    """
    for field in fields(type(first)):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(one, np.ndarray):
            if one.dtype != other.dtype or not np.array_equal(one, other):
                return False
        elif one != other:
            return False
    return True
