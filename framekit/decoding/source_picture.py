"""
The picture that a source shows, for people: of an image, or a moment of a video.
"""

from __future__ import annotations

from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.image.pictures import load_picture
from framekit.decoding.image.sniffing import sniff
from framekit.decoding.video._av import Frame, convert
from framekit.decoding.video.index import index_video
from framekit.decoding.video.media import media_of
from framekit.decoding.video.planes import planes_of
from framekit.decoding.video.seeking import decode_some
from framekit.errors import UnreadableMaskError
from framekit.storage import Storage

__all__ = ["picture_of", "read_picture"]


def read_picture(
    uri: str, *, timestamp: float = 0, storage: Storage | None = None
) -> NDArray[np.uint8]:
    """
    The picture of an image file, or of a video at *timestamp* ms: (H, W, 3) RGB.

    Raises:
        StorageError: If the file cannot be opened.
        UnreadableMaskError: If it cannot be decoded.
        TimestampError: If the video has no such moment.
    """
    storage = storage or Storage()
    with storage.open(uri) as file:
        as_image = sniff(file.read(64)) is not None
    if as_image:
        return load_picture(uri, storage=storage)
    media = media_of(uri, storage=storage)
    index = index_video(media)
    position = index.find(timestamp, uri=uri)
    with closing(decode_some(media, index, [position])) as decoded:
        for item in decoded:
            if item.frame is None:
                raise UnreadableMaskError(uri, item.tainted or "no frame came out")
            return picture_of(item.frame, uri)
    raise UnreadableMaskError(uri, "no frame came out")


def picture_of(frame: Frame, uri: str) -> NDArray[np.uint8]:
    """
    A decoded frame as (H, W, 3) RGB, turned as the file asks for.

    Raises:
        UnreadableMaskError: If its pixel format cannot be converted.
    """
    turned = planes_of(frame, uri=uri).orientation
    planes = planes_of(convert(frame, "gbrp", uri), uri=uri)
    return np.ascontiguousarray(turned.apply(np.stack(planes.channels, axis=-1)))
