"""
Frames as their files give them: each video once, from its beginning to its end.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, Self

import torch
from torch.utils.data import IterableDataset

from framekit.decoding.requests import Request
from framekit.decoding.video.mask_video import MaskVideo
from framekit.errors import ArgumentError
from framekit.palette import Palette
from framekit.storage import Storage
from framekit.torch.items import Item, Picture
from framekit.torch.reader import in_order_of_files
from framekit.torch.sample import Sample, Transform
from framekit.torch.shares import (
    mixed,
    place_in_epoch,
    rank_of,
    rank_words,
    share_of,
    worker_of,
)
from framekit.torch.training_frames import TrainingFrames

__all__ = ["FrameStream"]


class FrameStream(TrainingFrames, IterableDataset[Sample]):
    """
    The samples of a target file by file, each video decoded once a pass.

    Every sample is given to one worker of one process. Each of them reads a stretch
    of the files, so that a video is opened by as few as possible; stretches differ by
    one sample at most. It has no length, since torch would not count the batches of
    several workers as they are: ``size`` says how many samples there are.
    """

    def __init__(
        self,
        target: Any,
        *,
        shuffle: bool = False,
        seed: int = 0,
        buffer: int = 64,
        rank: int | None = None,
        world_size: int | None = None,
        even: bool = False,
        **arguments: Any,
    ) -> None:
        """
        Read the frames, and no media yet.

        Args:
            target: As for :class:`FrameDataset`.
            shuffle: Whether the order of files is another in each epoch, and samples
                leave a worker by way of a *buffer*.
            seed: With the epoch decides about the order.
            buffer: How many samples each worker holds for shuffling.
            rank: Which of *world_size* processes this is; by default what
                torch.distributed says when this is made, or the only one.
            even: Whether to leave out up to ``world_size - 1`` samples, so that all
                processes have the same number.
            arguments: The others of :class:`FrameDataset`.

        Raises:
            FramekitError: As :class:`FrameDataset` does.
        """
        super().__init__(target, **arguments)
        self._arrange(
            shuffle=shuffle,
            seed=seed,
            buffer=buffer,
            ranks=rank_words(rank, world_size),
            even=even,
        )

    @classmethod
    def of_videos(
        cls,
        masks: Iterable[str | os.PathLike[str]],
        palette: Palette,
        *,
        sources: Iterable[str | os.PathLike[str]] | None = None,
        shuffle: bool = False,
        seed: int = 0,
        buffer: int = 64,
        rank: int | None = None,
        world_size: int | None = None,
        even: bool = False,
        labels: Any = None,
        ignore_index: int | None = None,
        transform: Transform | None = None,
        storage: Storage | None = None,
        **options: Any,
    ) -> Self:
        """
        Stream every frame of mask videos that no frames speak about.

        Args:
            masks: Their paths or URIs; the times of their frames are read now.
            palette: What their colors mean.
            sources: The videos they are drawn over, one for each, whose pictures
                are looked for at the times of the masks; without them images are
                None.

        Raises:
            ArgumentError: If an argument is refused.
            StorageError: If a video cannot be opened.
            UnreadableMaskError: If it is none, or has no frames.
        """
        uris = _uris("masks", masks)
        pictures = _uris("sources", sources) if sources is not None else None
        if pictures is not None and len(pictures) != len(uris):
            reason = f"expected {len(uris)}, one for each mask, got {len(pictures)}"
            raise ArgumentError("sources", reason)
        storage = storage or Storage()
        origin = {key: options[key] for key in ("origin",) if key in options}
        items: list[Item] = []
        for number, uri in enumerate(uris):
            index = MaskVideo(uri, palette, storage=storage, **origin).index
            source = None if pictures is None else pictures[number]
            for position in range(len(index)):
                moment = index.timestamp(position)
                items.append(_item(uri, source, position, moment, palette))
        if not items:
            raise ArgumentError("masks", "expected at least one video")
        stream = cls.__new__(cls)
        stream._set(  # noqa: SLF001 - it is one of ours
            items,
            labels=labels,
            ignore_index=ignore_index,
            transform=transform,
            pictures=pictures is not None,
            storage=storage,
            options=options,
        )
        stream._arrange(  # noqa: SLF001
            shuffle=shuffle,
            seed=seed,
            buffer=buffer,
            ranks=rank_words(rank, world_size),
            even=even,
        )
        return stream

    def _arrange(
        self,
        *,
        shuffle: bool,
        seed: int,
        buffer: int,
        ranks: tuple[int, int] | None,
        even: bool,
    ) -> None:
        for name, value, least in (("seed", seed, None), ("buffer", buffer, 1)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise ArgumentError(name, f"expected an integer, got {value!r}")
            if least is not None and value < least:
                raise ArgumentError(name, f"expected {least} or more, got {value}")
        self._shuffle = shuffle
        self._seed = seed
        self._buffer = buffer
        self._was_told = ranks is not None
        self._rank, self._world_size = ranks or rank_of() or (0, 1)
        self._even = even
        # In shared memory: workers that persist see the epoch change.
        epoch: Any = torch.zeros(1, dtype=torch.int64)
        self._epoch: torch.Tensor = epoch.share_memory_()
        self._groups = in_order_of_files(
            self._items, pictures=self._reader.with_pictures
        )

    def __getstate__(self) -> dict[str, Any]:
        self._check_rank()
        return dict(self.__dict__)

    @property
    def size(self) -> int:
        """
        How many samples this process gets in an epoch, from all its workers.
        """
        return len(self._places_of_rank())

    @property
    def epoch(self) -> int:
        """
        The number of the epoch, from 0.
        """
        return int(self._epoch.item())

    def set_epoch(self, epoch: int) -> None:
        """
        Say which epoch is next, also to workers that persist from epoch to epoch.

        Without it, each pass has the order of the first.

        Raises:
            ArgumentError: If it is no number of an epoch.
        """
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 0:
            raise ArgumentError("epoch", f"expected 0, 1, 2, …, got {epoch!r}")
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[Sample]:
        """
        Yield the samples of this worker.

        Raises:
            DecodeError: If one cannot be read.
        """
        self._check_rank()
        places = share_of(self._places_of_rank(), *worker_of())
        order = self._order()
        items = [self._items[order[place]] for place in places]
        with closing(self._read(items)) as found:
            samples: Iterator[Sample] = (sample for _, sample in found)
            if self._shuffle:
                # Of another share, another order of leaving the buffer.
                seed = f"{self._seed}:{self.epoch}:{places.start}"
                samples = mixed(samples, self._buffer, seed)
            yield from samples

    def _places_of_rank(self) -> range:
        total = len(self._items)
        if self._even:
            total -= total % self._world_size
        return share_of(range(total), self._rank, self._world_size)

    def _order(self) -> list[int]:
        groups = self._groups
        if self._shuffle:
            epoch = self.epoch
            names = [self._items[places[0]].name for places in groups]
            ranks = [place_in_epoch(name, self._seed, epoch) for name in names]
            order = sorted(range(len(groups)), key=ranks.__getitem__)
            groups = [groups[number] for number in order]
        return [place for places in groups for place in places]

    def _check_rank(self) -> None:
        """
        Refuse to give every process everything.

        Raises:
            ArgumentError: If torch.distributed now says something else.
        """
        found = rank_of()
        known = self._rank, self._world_size
        if not self._was_told and found is not None and found != known:
            reason = (
                f"torch.distributed says {found}, but it did not when this was made; "
                "make it later, or give rank and world_size"
            )
            raise ArgumentError("rank", reason)


def _uris(argument: str, videos: Any) -> list[str]:
    if isinstance(videos, (str, os.PathLike)):
        raise ArgumentError(argument, f"expected a list of paths, got {videos!r}")
    return [os.fspath(video) for video in videos]


def _item(
    uri: str, source: str | None, position: int, moment: Any, palette: Palette
) -> Item:
    picture = None
    if source is not None:
        picture = Picture(uri=source, as_video=True, timestamp=moment)
    request = Request(
        frame=position,
        source="",
        mask="",
        uri=uri,
        as_video=True,
        timestamp=moment,
        palette=palette,
        expect=None,
    )
    return Item(name=f"{uri}#{position}", mask=request, picture=picture)
