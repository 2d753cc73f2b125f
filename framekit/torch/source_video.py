"""
The pictures of a video, for a network to look at.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.source_picture import picture_of
from framekit.decoding.video.index import FrameIndex, index_video
from framekit.decoding.video.media import media_of
from framekit.decoding.video.seeking import decode_some
from framekit.errors import FramekitError, UnreadableMaskError
from framekit.storage import Storage

__all__ = ["SourceVideo"]


class SourceVideo:
    """
    A video of pictures; like a MaskVideo it holds nothing open between calls.
    """

    def __init__(self, uri: str, storage: Storage, *, trusts_damage: bool) -> None:
        """
        Open nothing yet.

        Args:
            trusts_damage: Whether frames that damage may have changed are given.
        """
        self._media = media_of(uri, storage=storage)
        self._trusts_damage = trusts_damage

    @cached_property
    def index(self) -> FrameIndex:
        """
        The times of all frames, read when first asked for.

        Raises:
            StorageError: If the file cannot be opened.
            UnreadableMaskError: If it is no video, or has no frames.
        """
        return index_video(self._media)

    def at_each(
        self, timestamps: Sequence[float]
    ) -> Generator[tuple[int, NDArray[np.uint8] | FramekitError], None, None]:
        """
        The pictures at *timestamps*, in ms, as they are decoded: in order of time.

        Returns:
            Pairs: a place among the timestamps, and its picture, (H, W, 3) RGB, or
            why there is none.

        Raises:
            StorageError: If the file cannot be opened.
            UnreadableMaskError: If it is no video, or has no frames.
        """
        places: dict[int, list[int]] = {}
        uri = self._media.uri
        for place, timestamp in enumerate(timestamps):
            try:
                position = self.index.find(timestamp, uri=uri)
            except FramekitError as error:
                yield place, error
            else:
                places.setdefault(position, []).append(place)
        with closing(decode_some(self._media, self.index, places)) as items:
            for item in items:
                found: NDArray[np.uint8] | FramekitError
                damaged = item.tainted is not None and not self._trusts_damage
                if item.frame is None or damaged:
                    reason = item.tainted or "no frame came out"
                    found = UnreadableMaskError(uri, reason)
                else:
                    found = picture_of(item.frame, uri)
                for place in places[item.position]:
                    yield place, found
