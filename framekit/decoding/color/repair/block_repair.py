"""
Undo what 4:2:0 and lossy coding do to label borders: the NumPy form of the kernel.

A decoded block of 2 x 2 pixels has four lumas and one chroma sample. Where they
name one label beyond doubt, that label stands. For the other blocks the labels of
all four pixels are chosen together: the labeling of least energy under luma noise,
the chroma that the labels would have been averaged to, and smoothness.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.color.repair.blocks import COLUMNS, LINES, Blocks
from framekit.decoding.color.repair.codebook import LARGEST, Codebook
from framekit.decoding.color.repair.confidence import count_foreign
from framekit.decoding.color.repair.energy import (
    ABSENT,
    CANDIDATES,
    DIAGONAL,
    EDGE,
    MARGIN,
    NEVER,
    PLAIN_CHROMA,
    PLAIN_LUMA,
    SWEEPS,
    UNREST,
    Energies,
    chroma_energy,
    make_energies,
    noise_of,
)

# Offsets of each pixel's neighbors outside its block, beside it and diagonally.
_SIDES = np.array(
    [
        [(-1, 0), (0, -1)],
        [(-1, 0), (0, 1)],
        [(1, 0), (0, -1)],
        [(1, 0), (0, 1)],
    ]
)
_CORNERS = np.array(
    [
        [(-1, -1), (-1, 1), (1, -1)],
        [(-1, -1), (-1, 1), (1, 1)],
        [(-1, -1), (1, -1), (1, 1)],
        [(-1, 1), (1, -1), (1, 1)],
    ]
)


def repair_yuv420(
    y: NDArray[np.uint8],
    u: NDArray[np.uint8],
    v: NDArray[np.uint8],
    codebook: Codebook,
    *,
    sweeps: int = SWEEPS,
) -> tuple[NDArray[np.int32], NDArray[np.uint32], dict[str, Any]]:
    """
    Labels of a 4:2:0 picture, chroma rounded up; without *sweeps* pixel by pixel.

    Returns:
        Labels (H, W) int32; places ``y * W + x`` of uncertain pixels, block by block;
        and ``ambiguous`` (share of blocks), ``foreign`` and ``noise`` (1/256 code).
    """
    picture = y
    height, width = y.shape
    y = np.pad(y, ((0, height & 1), (0, width & 1)), "edge")
    blocks = Blocks.of(y, u, v, codebook)
    places = np.empty(0, np.uint32)
    stats: dict[str, Any] = {
        "ambiguous": len(blocks) / u.size,
        "foreign": count_foreign((picture, u, v), codebook, (blocks.by, blocks.bx)),
        "noise": 0,
    }
    if len(blocks):
        present, residuals = _present(blocks, codebook)
        energies = make_energies(codebook, noise_of(residuals))
        candidates, chosen, penalties = _start(blocks, present, codebook, energies)
        first = np.take_along_axis(candidates, chosen, 1)
        blocks.store(first)
        residual = np.abs(blocks.lumas8 - codebook.centroids[first, 0])
        histogram = np.bincount(residual.ravel(), minlength=LARGEST + 1)
        stats["noise"] = noise_of(histogram)
        if sweeps:
            energies = make_energies(codebook, stats["noise"])
            unary = _unary(blocks, candidates, penalties, codebook, energies)
            doubt = np.zeros((len(blocks), 4), bool)
            for which in _rounds(blocks, sweeps, stats["noise"]):
                labels, doubt[which] = _sweep(
                    blocks, which, candidates, unary, energies
                )
                blocks.store(labels, which)
            inside = doubt & (blocks.lines < height) & (blocks.columns < width)
            places = (blocks.lines * width + blocks.columns)[inside].astype(np.uint32)
    return blocks.framed[1 : height + 1, 1 : width + 1], places, stats


def _present(
    blocks: Blocks, codebook: Codebook
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """
    Labels (M, K) that two pixels of one block within the 5 x 5 blocks around agree on.

    A block with none around has all. The second result counts by luma residual
    (1/8 code) how well the best of them explains each pixel.
    """
    present = np.zeros((len(blocks), len(codebook)), bool)
    histogram = np.zeros(LARGEST + 1, np.int64)
    around = np.arange(5)
    for part in _parts(len(blocks), 256):
        rows = blocks.by[part, None, None] + around[:, None]
        columns = blocks.bx[part, None, None] + around
        window = blocks.confident[rows, columns].reshape(-1, 25, 4)
        here = present[part]
        for a, b in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
            which, place = np.nonzero(
                (window[..., a] == window[..., b]) & (window[..., a] >= 0)
            )
            here[which, window[which, place, a]] = True
        here[~here.any(1)] = True
    for part in _parts(len(blocks), 4 * len(codebook)):
        residual = np.abs(blocks.lumas8[part, :, None] - codebook.centroids[:, 0])
        residual[~np.broadcast_to(present[part, None], residual.shape)] = LARGEST
        histogram += np.bincount(residual.min(2).ravel(), minlength=LARGEST + 1)
    return present, histogram


def _start(
    blocks: Blocks,
    present: NDArray[np.bool_],
    codebook: Codebook,
    energies: Energies,
) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.int32]]:
    """
    The labels worth trying in each block, best first, and each pixel's first choice.

    Labels are ranked by their best pixel's luma, a little of their chroma misfit and
    a penalty if not present; equals by number. Labels that are not present are out of
    the question where those that are explain the block (measured on CamVid masks,
    shapes and Voronoi cells: two thirds of the blocks, and 2 % fewer wrong pixels).

    Returns:
        Labels (M, candidates) int32; indices into them (M, 4); and a penalty for each
        label (M, candidates) int32, `NEVER` for those out of the question.
    """
    kept = min(CANDIDATES, len(codebook))
    candidates = np.empty((len(blocks), kept), np.int32)
    chosen = np.empty((len(blocks), 4), np.intp)
    penalties = np.empty((len(blocks), kept), np.int32)
    numbers = np.arange(len(codebook))
    for part in _parts(len(blocks), 8 * len(codebook)):
        luma = energies.luma[
            np.abs(blocks.lumas8[part, :, None] - codebook.centroids[:, 0])
        ]
        chroma = chroma_energy(
            energies.seen[blocks.u[part], None] - energies.whole[:, 0],
            energies.seen[blocks.v[part], None] - energies.whole[:, 1],
        )
        tint = chroma * 102 >> 10
        cost = luma + np.where(present[part], tint, NEVER)[:, None]
        plain = _explained(blocks, part, luma, cost.argmin(2), energies)
        penalty = np.where(present[part], 0, np.where(plain[:, None], NEVER, ABSENT))
        score = luma.min(1) + (chroma * 41 >> 10) + penalty
        order = np.argsort(score.astype(np.int64) << 16 | numbers, axis=1)[:, :kept]
        candidates[part] = order
        penalties[part] = np.take_along_axis(penalty, order, 1)
        cost = np.take_along_axis(luma, order[:, None], 2)
        cost += (np.take_along_axis(tint, order, 1) + penalties[part])[:, None]
        chosen[part] = cost.argmin(2)
    return candidates, chosen, penalties


def _explained(
    blocks: Blocks,
    part: slice,
    luma: NDArray[np.int32],
    labels: NDArray[np.intp],
    energies: Energies,
) -> NDArray[np.bool_]:
    """
    Whether *labels* (m, 4), the best present ones, account for luma and mean chroma.
    """
    worst = np.take_along_axis(luma, labels[..., None], 2).max((1, 2))
    mean = energies.whole[labels].sum(1) >> 2
    misfit = chroma_energy(
        energies.seen[blocks.u[part]] - mean[:, 0],
        energies.seen[blocks.v[part]] - mean[:, 1],
    )
    explained: NDArray[np.bool_] = (worst < PLAIN_LUMA) & (misfit < PLAIN_CHROMA)
    return explained


def _unary(
    blocks: Blocks,
    candidates: NDArray[np.int32],
    penalties: NDArray[np.int32],
    codebook: Codebook,
    energies: Energies,
) -> NDArray[np.int32]:
    """
    Energy (M, 4, candidates) of each pixel's label on its own.
    """
    luma = blocks.lumas8[:, :, None] - codebook.centroids[candidates, 0][:, None]
    energy: NDArray[np.int32] = energies.luma[np.abs(luma)] + penalties[:, None]
    return energy


def _rounds(blocks: Blocks, sweeps: int, noise: int) -> Iterator[NDArray[np.intp]]:
    """
    The blocks that are decided at once, round by round.

    After *sweeps* of all blocks come, under *noise*, those of even places and those of
    odd ones, so that neighbors that take turns, each following the other, come to rest.
    """
    for _ in range(sweeps):
        yield np.arange(len(blocks))
    if noise < UNREST:
        return
    odd = (blocks.by + blocks.bx) & 1
    yield np.flatnonzero(odd == 0)
    yield np.flatnonzero(odd)


def _sweep(
    blocks: Blocks,
    which: NDArray[np.intp],
    candidates: NDArray[np.int32],
    unary: NDArray[np.int32],
    energies: Energies,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """
    Choose the labels of the blocks *which* anew, all others as they are.

    Returns:
        Their labels (m, 4), and whether another label costs little more.
    """
    labels = np.empty((len(which), 4), np.int32)
    doubt = np.empty((len(which), 4), bool)
    kept = candidates.shape[1]
    choices = np.indices((kept,) * 4).reshape(4, -1)
    for part in _parts(len(which), 8 * kept**4):
        some = which[part]
        total = _energy(blocks, some, candidates[some], unary[some], energies)
        flat = total.reshape(len(total), -1)
        best = flat.argmin(1)
        least = flat[np.arange(len(flat)), best]
        for pixel in range(4):
            index = choices[pixel, best]
            labels[part, pixel] = candidates[some, index]
            others = tuple(axis + 1 for axis in range(4) if axis != pixel)
            cost = total.min(axis=others)
            cost[np.arange(len(index)), index] = np.iinfo(np.int32).max
            doubt[part, pixel] = cost.min(1) - least < MARGIN
    return labels, doubt


def _energy(
    blocks: Blocks,
    part: NDArray[np.intp],
    candidates: NDArray[np.int32],
    unary: NDArray[np.int32],
    energies: Energies,
) -> NDArray[np.int32]:
    """
    Energy of every labeling of the blocks in *part*: (m, c, c, c, c) int32.
    """
    framed, by, bx = blocks.framed, blocks.by[part], blocks.bx[part]
    last = blocks.height // 2 - 1
    line, column = 2 * by + 1, 2 * bx + 1
    pixel = unary.copy()
    for offsets, weight in ((_SIDES, EDGE), (_CORNERS, DIAGONAL)):
        rows = (line[:, None] + LINES)[..., None] + offsets[..., 0]
        columns = (column[:, None] + COLUMNS)[..., None] + offsets[..., 1]
        ring = framed[rows, columns][..., None]
        pixel += weight * (ring != candidates[:, None, None]).sum(2, dtype=np.int32)

    def pair(table: NDArray[np.int32], rows: NDArray[np.intp]) -> NDArray[np.int32]:
        both: NDArray[np.int32] = table[framed[rows, column]]
        return both + table[framed[rows, column + 1]]

    def seen(rows: NDArray[np.intp]) -> NDArray[np.int32]:
        codes = np.stack([blocks.all_u[rows, bx], blocks.all_v[rows, bx]], 1)
        scaled: NDArray[np.int32] = energies.seen[codes]
        return scaled

    top, bottom = by == 0, by == last
    inner = (~top)[:, None], (~bottom)[:, None]
    around = -seen(by)
    around += np.where(inner[0], pair(energies.near, np.maximum(line - 1, 1)), 0)
    around += np.where(inner[1], pair(energies.near, line + 1 + inner[1][:, 0]), 0)
    own, near = energies.own[candidates], energies.near[candidates]
    upper = _sums(own + np.where(top[:, None, None], near, 0))
    lower = _sums(own + np.where(bottom[:, None, None], near, 0))
    upper += around[:, None, None]
    mixed = upper[:, :, :, None, None] + lower[:, None, None]
    total = chroma_energy(mixed[..., 0], mixed[..., 1])

    pairs = _sums(near)
    for side, next_rows, next_beyond in (
        (0, line - 2, np.maximum(line - 3, 1)),
        (1, line + 2, np.minimum(line + 4, blocks.height)),
    ):
        has = inner[side]
        rows = np.where(has[:, 0], next_rows, line)
        beyond = np.where(has[:, 0], next_beyond, line)
        base = pair(energies.own, rows) + pair(energies.own, rows + 1)
        base += pair(energies.near, beyond) - seen(rows // 2)
        mixed = base[:, None, None] + pairs
        cost = np.where(has[..., None], chroma_energy(mixed[..., 0], mixed[..., 1]), 0)
        total += cost[:, None, None] if side else cost[:, :, :, None, None]

    kept = candidates.shape[1]
    differ = 1 - np.eye(kept, dtype=np.int32)
    beside, across = EDGE * differ, DIAGONAL * differ
    total += (pixel[:, 0, :, None] + pixel[:, 1, None] + beside)[..., None, None]
    total += (pixel[:, 2, :, None] + pixel[:, 3, None] + beside)[:, None, None]
    total += (beside[:, None, :, None] + beside[None, :, None, :])[None]
    total += (across[:, None, None, :] + across[None, :, :, None])[None]
    return total


def _sums(table: NDArray[np.int32]) -> NDArray[np.int32]:
    """
    Sums of all pairs: (m, c, 2) to (m, c, c, 2).
    """
    return table[:, :, None] + table[:, None]


def _parts(count: int, width: int) -> Iterator[slice]:
    """
    Slices of 0..*count* that keep (slice, *width*) arrays small.
    """
    step = max(1, (1 << 21) // width)
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
