"""
What a file is, looked at once and without decoding pixels.
"""

from __future__ import annotations

import io
from typing import BinaryIO, Final

from attrs import frozen

from framekit.decoding.image.header import read_image_header
from framekit.decoding.image.sniffing import HEAD_SIZE, sniff
from framekit.decoding.image.source import DEFAULT_LIMITS, load_image
from framekit.decoding.image.walk import ImageError, walk
from framekit.decoding.png.chunks import PngError, open_png
from framekit.decoding.video.index import FrameIndex, index_video
from framekit.decoding.video.media import Media
from framekit.errors import (
    FramekitError,
    MissingFileError,
    RefusedUriError,
    StorageError,
    StorageTimeoutError,
    UnreachableError,
    UnreadableMaskError,
)
from framekit.storage import Storage

__all__ = ["Fault", "Found", "is_type", "probe"]


@frozen
class Fault:
    """
    Why a file cannot be used.
    """

    #: The code of the problem.
    code: str
    reason: str


@frozen
class Found:
    """
    What a file is.
    """

    #: The content type; of videos those that its container has, the usual first.
    content_types: tuple[str, ...]

    #: Width and height in pixels, as stored.
    size: tuple[int, int]

    #: The times of a video's frames, None for images.
    index: FrameIndex | None = None

    #: What is wrong with it all the same.
    fault: Fault | None = None

    def has_size(self, size: tuple[int, int]) -> bool:
        """
        Whether it is shown at *size*; cameras and videos may say "turn by 90°".
        """
        turned = self.size[::-1]
        return size == self.size or (size == turned and self._may_be_turned)

    @property
    def _may_be_turned(self) -> bool:
        return self.index is not None or self.content_types[0] in _WITH_ORIENTATION


_WITH_ORIENTATION: Final = frozenset({"image/jpeg", "image/tiff", "image/webp"})


def probe(uri: str, storage: Storage) -> Found | Fault:
    """
    Open the file at *uri*, read its header, and go through it to its end.
    """
    try:
        with storage.open(uri) as file:
            head = file.read(HEAD_SIZE)
        if not head:
            return Fault("unreadable-media", "the file is empty")
        if sniff(head) is not None:
            return _probe_image(uri, storage)
        return _probe_video(uri, storage)
    except MissingFileError as error:
        return Fault("missing-media", error.reason)
    except RefusedUriError as error:
        return Fault("refused-uri", error.reason)
    except (UnreachableError, StorageTimeoutError) as error:
        return Fault("unreachable-media", error.reason)
    except (StorageError, UnreadableMaskError) as error:
        return _fault(error.reason)
    except FramekitError as error:
        return Fault("unreadable-media", str(error))
    except OSError as error:  # a read that fails half way
        return Fault("unreadable-media", error.strerror or str(error))


def is_type(declared: str, found: Found) -> bool:
    """
    Whether the *declared* content type is what was found, however it is spelled.
    """
    name = "".join(declared.lower().partition(";")[0].split())
    if name in _GENERIC:
        return True
    if "/" in name:
        name = _ALIASES.get(name, name)
        return name in found.content_types
    return any(name in {kind, *kind.split("/")} for kind in found.content_types) or (
        f"image/{name}" in _ALIASES and _ALIASES[f"image/{name}"] in found.content_types
    )


def _probe_image(uri: str, storage: Storage) -> Found | Fault:
    loaded = load_image(uri, storage, None, DEFAULT_LIMITS)
    fault = None
    try:
        if loaded.content_type == "image/png":
            open_png(loaded.data)
        else:
            walk(loaded.data, loaded.content_type)
    except (PngError, ImageError) as error:
        fault = _fault(error.reason)
    try:
        header = read_image_header(io.BytesIO(loaded.data), uri=uri)
    except UnreadableMaskError:
        if fault is None:
            raise
        return fault
    return Found((header.content_type,), (header.width, header.height), fault=fault)


def _probe_video(uri: str, storage: Storage) -> Found | Fault:
    media = Media(uri=uri, path=uri, storage=storage)
    try:
        with media.open_video() as video:
            size, format = video.size, video.format
        index = index_video(media)
    except UnreadableMaskError:
        # An MP4 file has its index at its end, and FFmpeg does not tell why it
        # is of no use without.
        with storage.open(uri) as file:
            if (reason := _break_in_boxes(file)) is not None:
                return Fault("truncated-media", reason)
        raise
    fault = None if index.broken is None else _fault(index.broken)
    names = format.split(",")
    types = next((_TYPES[name] for name in names if name in _TYPES), ())
    return Found((*types, f"video/{names[0]}"), size, index, fault)


def _break_in_boxes(file: BinaryIO) -> str | None:
    """
    Where a file of the MP4 family breaks off; None if it does not, or is none.
    """
    end = file.seek(0, io.SEEK_END)
    position = 0
    while position < end:
        file.seek(position)
        head = file.read(16)
        name = head[4:8]
        if position == 0 and name != b"ftyp":
            return None
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if length == 0:
            return None  # It goes on to the end, wherever that is.
        if length < 8 or position + length > end:
            return f"breaks off inside {name.decode('latin-1')!r}, after {end} bytes"
        position += length
    return None


def _fault(reason: str) -> Fault:
    broken = any(word in reason for word in _BREAKS_OFF)
    return Fault("truncated-media" if broken else "unreadable-media", reason)


#: How the decoders say that a file ends too early.
_BREAKS_OFF: Final = ("breaks off", "reaches past the end")

#: What says nothing, and so is never wrong.
_GENERIC: Final = frozenset(
    {"", "*/*", "application/octet-stream", "binary/octet-stream"}
)

_ALIASES: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/tif": "image/tiff",
    "image/x-bmp": "image/bmp",
    "image/x-ms-bmp": "image/bmp",
    "image/x-png": "image/png",
    "video/avi": "video/x-msvideo",
    "video/matroska": "video/x-matroska",
    "video/mkv": "video/x-matroska",
    "video/mpg": "video/mpeg",
    "video/msvideo": "video/x-msvideo",
    "video/vnd.avi": "video/x-msvideo",
}

#: The content types of FFmpeg's containers.
_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "apng": ("image/apng", "image/png"),
    "avi": ("video/x-msvideo",),
    "flv": ("video/x-flv",),
    "gif": ("image/gif",),
    "ivf": ("video/x-ivf",),
    "matroska": ("video/x-matroska", "video/webm"),
    "mov": (
        "video/mp4",
        "video/quicktime",
        "video/x-m4v",
        "video/3gpp",
        "application/mp4",
    ),
    "mpeg": ("video/mpeg",),
    "mpegts": ("video/mp2t", "video/mpeg"),
    "nut": ("video/x-nut",),
    "ogg": ("video/ogg",),
}
