"""
What a labeling of a 2 x 2 block costs, in integers.

One unit of energy is a 64th of the textbook unit (twice a negative log likelihood).
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.decoding.color.repair.codebook import LARGEST, Codebook

#: Two neighbors beside or above each other with different labels.
EDGE = 224

#: Two diagonal neighbors with different labels.
DIAGONAL = 96

#: A pixel whose label is not present in the surrounding 5 x 5 blocks.
ABSENT = 1024

#: Present labels explain a block if each pixel's luma costs less than the first, and
#: the mean chroma less than the second.
PLAIN_LUMA = 512
PLAIN_CHROMA = 512

#: More than any labeling costs.
NEVER = 1 << 28

#: Labels of a block that are tried.
CANDIDATES = 4

#: Rounds in which all blocks are decided again.
SWEEPS = 3

#: Luma noise, in 1/256 code, from which two half rounds follow. They make 1 to 6 %
#: fewer wrong pixels; but where there is next to no noise, of fifty colors, more.
UNREST = 2 * 256

#: A pixel is uncertain if another label costs less than this more.
MARGIN = 24 * 64

_SMALLEST_NOISE = 128
_LARGEST_NOISE = 14 * 256


def noise_of(histogram: NDArray[np.int64]) -> int:
    """
    The luma noise of a frame, in 1/256 code.

    *histogram* counts the luma residuals (1/8 code) of the pixels in ambiguous
    blocks. The noise is 1.48 times their median, which for normal noise is its
    standard deviation, plus 0.3, within 0.5..14 codes.
    """
    total = int(histogram.sum())
    if not total:
        return _SMALLEST_NOISE
    cumulative = np.cumsum(histogram)
    low = int(np.searchsorted(cumulative, (total - 1) // 2, side="right"))
    high = int(np.searchsorted(cumulative, total // 2, side="right"))
    noise = (2368 * (low + high) + 7680 + 50) // 100
    return min(max(noise, _SMALLEST_NOISE), _LARGEST_NOISE)


def luma_energies(noise: int) -> NDArray[np.int32]:
    """
    Energy of each luma difference 0..2040 (1/8 code), under *noise* (1/256 code).

    Huber's function: square up to twice the noise, linear beyond, at most 80 units.
    The noise of coded masks is heavy-tailed: measured on CamVid masks, -2 log p
    grows linearly beyond 1.5 standard deviations.
    """
    difference = np.arange(LARGEST + 1, dtype=np.int64)
    square = (65536 * difference**2 + noise * noise // 2) // (noise * noise)
    linear = (8192 * difference + noise // 2) // noise - 256
    energy = np.where(32 * difference < 2 * noise, square, linear)
    return np.minimum(energy, 80 * 64).astype(np.int32)


def chroma_gain(noise: int) -> int:
    """
    Square root of the chroma weight 3 / (noise^2 + 49), times 8 and 4096.
    """
    return isqrt((192 << 40) // (noise * noise + (49 << 16)))


def make_energies(codebook: Codebook, noise: int) -> Energies:
    """
    All tables of a frame with *noise* (1/256 code).
    """
    gain = chroma_gain(noise)

    def scaled(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        return (numbers * gain + (1 << 13)) >> 14

    chroma = codebook.centroids[:, 1:]
    return Energies(
        luma=luma_energies(noise),
        whole=scaled(16 * chroma),
        own=scaled(3 * chroma),
        near=scaled(chroma),
        seen=scaled(128 * np.arange(256, dtype=np.int32)),
    )


@frozen(eq=False)
class Energies:
    """
    Energy tables of one frame.

    Chroma is stored multiplied by the square root of its weight, in 1/32: the energy
    of a difference (du, dv) is ``(du * du + dv * dv) >> 10``. An encoder averages
    chroma over 2 x 2 pixels and, vertically, mixes in the rows above and below:
    [1 3 3 1] / 8, fitted on CamVid masks. So a pixel of the block itself counts 3/16,
    one of the two nearest rows of the blocks above and below 1/16.
    """

    #: (2041,) int32 by luma difference in 1/8 code.
    luma: NDArray[np.int32] = field(repr=False)

    #: (K, 2) int32, chroma of each label.
    whole: NDArray[np.int32] = field(repr=False)

    #: (K, 2) int32, 3/16 of it.
    own: NDArray[np.int32] = field(repr=False)

    #: (K, 2) int32, 1/16 of it.
    near: NDArray[np.int32] = field(repr=False)

    #: (256,) int32, a chroma code as seen.
    seen: NDArray[np.int32] = field(repr=False)


def chroma_energy(du: NDArray[np.int32], dv: NDArray[np.int32]) -> NDArray[np.int32]:
    """
    Energy of scaled chroma differences.
    """
    return (du * du + dv * dv) >> 10
