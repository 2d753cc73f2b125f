"""
What the data sets have in common: frames, and the numbers of their labels.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any

from framekit.errors import ArgumentError
from framekit.palette import Palette
from framekit.storage import Storage
from framekit.torch.batches import collate
from framekit.torch.items import Item, items_of, opened_frames
from framekit.torch.reader import Reader
from framekit.torch.sample import Sample, Transform, image_of
from framekit.torch.train_ids import TrainIds

__all__ = ["TrainingFrames"]


class TrainingFrames:
    """
    A sample for each mask of a target's frames.

    Workers share nothing, and may be forked or spawned; each decodes in its one
    thread.
    """

    def __init__(
        self,
        target: Any,
        *,
        mask: str | None = None,
        source: str | None = None,
        labels: Any = None,
        ignore_index: int | None = None,
        transform: Transform | None = None,
        pictures: bool = True,
        palette: Palette | None = None,
        version: Any = None,
        storage: Storage | None = None,
        **options: Any,
    ) -> None:
        """
        Read the frames, and no media yet.

        Args:
            target: A frames folder or file, a dataset or its path, a version, a query
                of one, or frames.
            mask: The id of the masks to learn; may be left out if there is one.
            source: Only masks of this source.
            labels: ``{label: number}``, a list of labels, or a Palette whose ids are
                the numbers; by default the enumeration of a query, else labels are
                numbered as they are met: give other sets the ``labels`` of this one.
            ignore_index: What pixels have that have no label, or one without a
                number; by default 255 if all numbers are below, else -1.
            transform: Takes an image and its target, and returns them changed.
            pictures: Whether pictures are read; else images are None.
            palette: What colors mean, in place of what frames and version say.
            version: The name of a dataset's version; or ``mask_labels``, or a
                document or version that has them. Needed for a query.
            storage: Where URIs lead; by default into the folder of the target.
            options: Those of ``decode_image`` and ``MaskVideo``.

        Raises:
            ArgumentError: If an argument is refused, or no frame has such a mask.
            DocumentError: If a frame cannot be read.
            DecodeError: If it is not known what the colors of a mask mean.
            StorageError: If the frames' file cannot be read.
        """
        opened = opened_frames(target, version, storage)
        self._set(
            items_of(opened, source=source, mask=mask, palette=palette),
            labels=opened.enumeration if labels is None else labels,
            ignore_index=ignore_index,
            transform=transform,
            pictures=pictures,
            storage=opened.storage,
            options=options,
        )

    def _set(
        self,
        items: Sequence[Item],
        *,
        labels: Any,
        ignore_index: int | None,
        transform: Transform | None,
        pictures: bool,
        storage: Storage,
        options: Mapping[str, Any],
    ) -> None:
        if transform is not None and not callable(transform):
            raise ArgumentError("transform", f"expected a function, got {transform!r}")
        self._items = tuple(items)
        self._transform = transform
        self._reader = Reader(storage, options, pictures=pictures)
        palettes = list(dict.fromkeys(item.mask.palette for item in items))
        if labels is None:
            self._ids = TrainIds.found_in(palettes, ignore_index=ignore_index)
        else:
            self._ids = TrainIds.of(labels, ignore_index=ignore_index)
            self._ids.check(palettes)

    @property
    def labels(self) -> dict[str, int]:
        """
        The number of each label; other data sets take it as ``labels=``.
        """
        return dict(self._ids.numbers)

    @property
    def classes(self) -> int:
        """
        How many channels a network needs: the largest number and one.
        """
        return self._ids.classes

    @property
    def ignore_index(self) -> int:
        """
        What ``CrossEntropyLoss`` is to ignore.
        """
        return self._ids.ignore_index

    @property
    def names(self) -> tuple[str, ...]:
        """
        The names of all samples, ``"frame/source.mask"``.
        """
        return tuple(item.name for item in self._items)

    @property
    def collate(self) -> Callable[[Sequence[Sample]], Sample]:
        """
        A ``collate_fn`` that pads targets with ``ignore_index``.
        """
        return partial(collate, ignore_index=self.ignore_index)

    def _read(self, items: Sequence[Item]) -> Generator[tuple[int, Sample], None, None]:
        """
        The samples of *items* with their places, file by file.
        """
        for place, picture, label_map in self._reader.read(items):
            image = None if picture is None else image_of(picture)
            target = self._ids.target(label_map)
            if self._transform is not None:
                image, target = self._transform(image, target)
            yield place, Sample(image, target, items[place].name)
