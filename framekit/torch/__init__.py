"""
Label maps as training data for PyTorch, which must be installed beside framekit.

``FrameDataset`` gives the frames of a version by number, ``FrameStream`` file by
file; both go into a ``DataLoader`` with any number of workers.
"""

from __future__ import annotations

from framekit.errors import MissingPackageError

try:
    import torch as _torch  # noqa: F401 - asked for first, so that it says so itself
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise MissingPackageError("framekit.torch", "torch") from None

from framekit.torch.batches import collate
from framekit.torch.frame_dataset import FrameDataset
from framekit.torch.frame_stream import FrameStream
from framekit.torch.sample import Sample
from framekit.torch.train_ids import TrainIds, to_target

__all__ = [
    "FrameDataset",
    "FrameStream",
    "Sample",
    "TrainIds",
    "collate",
    "to_target",
]
