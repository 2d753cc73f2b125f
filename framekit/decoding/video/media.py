"""
The file behind a video: where it is, and opening it as often as needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from attrs import field, frozen

from framekit.decoding.video._av import VideoFile, open_video
from framekit.errors import ArgumentError
from framekit.storage import Storage
from framekit.uri import shown_uri

__all__ = ["Media", "media_of"]


@frozen(kw_only=True)
class Media:
    """
    A path or URI within a storage, or a binary file that the caller owns.
    """

    #: How messages call it, without credentials.
    uri: str = field(converter=shown_uri)

    #: The path or URI to open; None if there is a file.
    path: str | None

    #: The caller's file, which is never closed here.
    file: BinaryIO | None = field(default=None, repr=False)

    storage: Storage = field(factory=Storage, repr=False)

    @contextmanager
    def open_video(self, *, threads: int = 1) -> Iterator[VideoFile]:
        """
        Open the file and the video in it; both are closed afterwards.

        Raises:
            MissingFileError: If nothing is there.
            StorageError: If it may not be opened, or cannot be read.
            UnreadableMaskError: If it is no video.
        """
        if self.file is not None:
            with open_video(self.file, self.uri, threads=threads) as video:
                yield video
            return
        with (
            self.storage.open(self.path or "") as file,
            open_video(file, self.uri, threads=threads) as video,
        ):
            yield video

    def __getstate__(self) -> tuple[Any, ...]:
        if self.file is not None:
            reason = "a video from an open file cannot be pickled; give its path"
            raise ArgumentError("path_or_file", reason)
        return self.uri, self.path, self.file, self.storage

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(("uri", "path", "file", "storage"), state, strict=True):
            object.__setattr__(self, name, value)


def media_of(
    path_or_file: Any, *, storage: Storage | None = None, uri: str | None = None
) -> Media:
    """
    Read the first argument of a decoder.

    Raises:
        ArgumentError: If it is neither a path nor a binary file that can seek.
    """
    storage = storage or Storage()
    if isinstance(path_or_file, (str, os.PathLike)):
        path = os.fspath(path_or_file)
        if isinstance(path, str):
            return Media(uri=uri or path, path=path, storage=storage)
    if all(hasattr(path_or_file, name) for name in ("read", "seek", "tell")):
        name = getattr(path_or_file, "name", None)
        known = name if isinstance(name, str) else "<file>"
        return Media(uri=uri or known, path=None, file=path_or_file, storage=storage)
    reason = (
        "expected a path, a URI or a binary file that can seek, "
        f"got {type(path_or_file).__name__}"
    )
    raise ArgumentError("path_or_file", reason)
