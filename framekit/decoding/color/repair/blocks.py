"""
The 2 x 2 blocks of a 4:2:0 picture that need repair, and the labels around them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.decoding.color.repair.codebook import SCALE, Codebook
from framekit.decoding.color.repair.confidence import (
    NONE,
    confident_labels,
    sure_blocks,
)

#: Lines and columns of a block's four pixels.
LINES = np.array([0, 0, 1, 1])
COLUMNS = np.array([0, 1, 0, 1])


@frozen(eq=False)
class Blocks:
    """
    The ambiguous blocks of a picture, in reading order.
    """

    #: Height of the picture, even.
    height: int

    #: (H + 2, W + 2) int32 labels, -2 around the picture.
    framed: NDArray[np.int32] = field(repr=False)

    #: (blocks high + 4, blocks wide + 4, 4) int32, confident labels or `NONE`.
    confident: NDArray[np.int32] = field(repr=False)

    #: The chroma planes.
    all_u: NDArray[np.uint8] = field(repr=False)
    all_v: NDArray[np.uint8] = field(repr=False)

    #: (M,) where the blocks are, in blocks.
    by: NDArray[np.intp] = field(repr=False)
    bx: NDArray[np.intp] = field(repr=False)

    #: (M, 4) where their pixels are.
    lines: NDArray[np.intp] = field(repr=False)
    columns: NDArray[np.intp] = field(repr=False)

    #: (M, 4) uint8, and the same in eighths, int32.
    lumas: NDArray[np.uint8] = field(repr=False)
    lumas8: NDArray[np.int32] = field(repr=False)

    #: (M,) uint8.
    u: NDArray[np.uint8] = field(repr=False)
    v: NDArray[np.uint8] = field(repr=False)

    @classmethod
    def of(
        cls,
        y: NDArray[np.uint8],
        u: NDArray[np.uint8],
        v: NDArray[np.uint8],
        codebook: Codebook,
    ) -> Blocks:
        """
        Classify a picture of even size and gather its ambiguous blocks.
        """
        high, across = u.shape
        lumas = y.reshape(high, 2, across, 2).swapaxes(1, 2).reshape(high, across, 4)
        wide_u, wide_v = (np.broadcast_to(p[..., None], lumas.shape) for p in (u, v))
        labels, tight = confident_labels(lumas, wide_u, wide_v, codebook)
        same = tight.all(2) & (labels == labels[..., :1]).all(2)
        sure = sure_blocks(labels, tight)
        labels[same & (sure == NONE)] = NONE
        framed = np.full((2 * high + 2, 2 * across + 2), NONE - 1, np.int32)
        pixels = labels.reshape(high, across, 2, 2).swapaxes(1, 2)
        framed[1:-1, 1:-1] = pixels.reshape(y.shape)
        by, bx = np.nonzero(sure == NONE)
        lines, columns = 2 * by[:, None] + LINES, 2 * bx[:, None] + COLUMNS
        return cls(
            height=2 * high,
            framed=framed,
            confident=np.pad(labels, ((2, 2), (2, 2), (0, 0)), constant_values=NONE),
            all_u=u,
            all_v=v,
            by=by,
            bx=bx,
            lines=lines,
            columns=columns,
            lumas=lumas[by, bx],
            lumas8=lumas[by, bx].astype(np.int32) * SCALE,
            u=u[by, bx],
            v=v[by, bx],
        )

    def __len__(self) -> int:
        return len(self.by)

    def store(
        self, labels: NDArray[Any], which: NDArray[np.intp] | slice = slice(None)
    ) -> None:
        """
        Set the *labels* (m, 4) of the pixels of some blocks, or of all.
        """
        self.framed[self.lines[which] + 1, self.columns[which] + 1] = labels
