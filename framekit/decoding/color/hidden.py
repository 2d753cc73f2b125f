"""
Colors that a lossy video shows and its palette does not have.

A threshold on distance would call every mixture at a border unknown. Instead, flat
regions far from every color of the palette count as colors of their own, and compete
with the others for pixels.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.color.colorspace import SCALE, FlatColors, nearest_distance

__all__ = ["FEWEST", "hidden_centroids"]

#: Nearer to a color of the palette than this, in codes, a region is that color.
_FAR: Final = 24.0

#: Nearer to each other than this, two regions have the same color.
_SAME: Final = 14.0

#: Fewer chroma samples than this are no color.
FEWEST: Final = 12


def hidden_centroids(
    flat: FlatColors, centroids: NDArray[np.int32]
) -> NDArray[np.int32]:
    """
    Colors of flat regions that are far from all (K, 3) *centroids*.

    Returns:
        (N, 3) in eighths of a code, the most frequent first.
    """
    if not len(flat.counts) or not len(centroids):
        return np.empty((0, 3), np.int32)
    far = nearest_distance(flat.colors, centroids) > _FAR
    colors, counts = flat.colors[far], flat.counts[far]
    found = []
    while len(colors):
        top = colors[counts.argmax()]
        near = np.sqrt(((colors - top) ** 2).sum(1)) < _SAME
        if counts[near].sum() >= FEWEST:
            found.append(np.average(colors[near], axis=0, weights=counts[near]))
        colors, counts = colors[~near], counts[~near]
    return np.asarray(np.rint(np.array(found).reshape(-1, 3) * SCALE), np.int32)
