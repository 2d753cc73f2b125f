"""
Batches of samples, whose sizes may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch

from framekit.errors import ArgumentError
from framekit.torch.sample import Sample

__all__ = ["Sizes", "collate"]

#: What is done about samples of different sizes: pad them at the right and the
#: bottom, refuse them, or make no tensors but lists, also of those of one size.
Sizes = Literal["pad", "error", "list"]


def collate(
    samples: Sequence[Sample],
    *,
    sizes: Sizes = "pad",
    ignore_index: int = 255,
    fill: float = 0,
) -> Sample:
    """
    Put *samples* into a batch.

    Args:
        sizes: ``"pad"`` pads smaller samples at the right and the bottom,
            ``"error"`` refuses them, ``"list"`` leaves all as they are, in lists.
        ignore_index: What targets are padded with; a dataset's ``collate`` has it.
        fill: What images are padded with.

    Returns:
        The image (N, 3, H, W), or None if there are none, the target (N, H, W), and
        a list of names.

    Raises:
        ArgumentError: If sizes differ and ``sizes="error"``.
    """
    if sizes not in get_args(Sizes):
        reason = f"expected one of {', '.join(get_args(Sizes))}, got {sizes!r}"
        raise ArgumentError("sizes", reason)
    images = [sample.image for sample in samples]
    targets = [sample.target for sample in samples]
    names = [sample.name for sample in samples]
    pictured = any(image is not None for image in images)
    if sizes == "list":
        return Sample(images if pictured else None, targets, names)
    found = {tuple(target.shape[-2:]) for target in targets}
    if sizes == "error" and len(found) > 1:
        reason = f"samples of different sizes (height, width): {sorted(found)}"
        raise ArgumentError("sizes", reason)
    return Sample(
        _stacked(images, fill) if pictured else None,
        _stacked(targets, ignore_index),
        names,
    )


def _stacked(tensors: Sequence[Any], fill: float) -> torch.Tensor:
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if len(shapes) == 1:
        return torch.stack([torch.as_tensor(tensor) for tensor in tensors])
    height = max(shape[-2] for shape in shapes)
    width = max(shape[-1] for shape in shapes)
    first = tensors[0]
    size = (len(tensors), *first.shape[:-2], height, width)
    batch = torch.full(size, fill, dtype=first.dtype)
    for place, tensor in enumerate(tensors):
        batch[place, ..., : tensor.shape[-2], : tensor.shape[-1]] = tensor
    return batch
