"""
Frames by number, for a DataLoader that chooses.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence

from torch.utils.data import Dataset

from framekit.torch.sample import Sample
from framekit.torch.training_frames import TrainingFrames

__all__ = ["FrameDataset"]


class FrameDataset(TrainingFrames, Dataset[Sample]):
    """
    A sample for each mask of a target's frames, by number, in the frames' order.

    The numbers of a batch are read together: of each video in one pass, whatever
    their order. ``FrameStream`` is for videos that are long.
    """

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Sample]:
        # Without it, Python would look for an end by numbers.
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Sample:
        """
        The sample of that number.

        Raises:
            DecodeError: If it cannot be read.
        """
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: Sequence[int]) -> list[Sample]:
        """
        The samples of *numbers*, in their order; a DataLoader asks for its batches so.

        Raises:
            DecodeError: If one cannot be read.
        """
        items = [self._items[operator.index(number)] for number in numbers]
        found = dict(self._read(items))
        return [found[place] for place in range(len(items))]
