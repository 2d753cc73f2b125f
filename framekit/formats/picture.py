"""
The image that masks are drawn over: a file, or a moment of a video.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import Any, Final

from attrs import field, frozen

from framekit.decoding.image.header import read_image_header
from framekit.decoding.image.sniffing import sniff
from framekit.errors import DecodeError, StorageError
from framekit.storage import Storage, scheme_of

__all__ = ["SUFFIXES", "Picture", "pictures_in"]

#: The names of image files end in one of these.
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")

_SUFFIX_OF: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/gif": ".gif",
}


@frozen
class Picture:
    """
    Where an image is; nothing is opened until it is asked for.
    """

    uri: str

    #: What follows the URI.
    storage: Storage = field(factory=Storage, repr=False)

    #: Where in a video, in ms; 0 for still images.
    timestamp: float = 0

    #: Whether anything is there; a name that a format states need not be.
    exists: bool = True

    #: What the format says beside, such as where it was published.
    content_type: str | None = None

    @classmethod
    def of_file(cls, path: Path) -> Picture:
        """
        The picture in the file *path*.
        """
        return cls(str(path.absolute()))

    @property
    def file_name(self) -> str:
        """
        The last part of the URI.
        """
        return PurePosixPath(self.uri.partition("?")[0].replace("\\", "/")).name

    def size(self) -> tuple[int, int] | None:
        """
        Width and height in pixels; None for what is no still image, or not there.

        Raises:
            StorageError: If it cannot be opened.
        """
        if not self.exists:
            return None
        try:
            header = read_image_header(self.uri, storage=self.storage)
        except DecodeError:
            return None
        return header.width, header.height

    def kind(self) -> str | None:
        """
        The content type by the first bytes; None if it is no still image.

        Raises:
            StorageError: If it cannot be opened.
        """
        with self.storage.open(self.uri) as file:
            return sniff(file.read(64))

    def save(self, path: Path) -> Path:
        """
        Put the image at *path* plus the suffix of its kind.

        Still images are copied as they are; a moment of a video becomes a PNG.

        Returns:
            Where it is now.

        Raises:
            StorageError: If it cannot be read or written.
            DecodeError: If it is a video that cannot be decoded.
        """
        kind = self.kind()
        if kind is None:
            return self._save_moment(path)
        suffix = PurePosixPath(self.file_name).suffix.lower()
        if suffix not in SUFFIXES:
            suffix = _SUFFIX_OF.get(kind, ".png")
        target = path.with_name(path.name + suffix)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if scheme_of(self.uri):
                with self.storage.open(self.uri) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
            else:
                shutil.copyfile(self.storage.path_of(self.uri), target)
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(str(target), error.strerror or str(error)) from None
        return target

    def _save_moment(self, path: Path) -> Path:
        from framekit.decoding.image.pictures import save_picture
        from framekit.decoding.source_picture import read_picture

        rgb = read_picture(self.uri, timestamp=self.timestamp, storage=self.storage)
        target = path.with_name(path.name + ".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        save_picture(rgb, target)
        return target


def pictures_in(folder: Path) -> dict[str, Path]:
    """
    The image files in *folder* and below by their path in it without suffix, sorted.

    Of two that differ by their suffix only, the first in the order of
    :data:`SUFFIXES` counts.
    """
    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    files = sorted(
        (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES),
        key=_order,
    )
    for path in files:
        inner = path.relative_to(folder).with_suffix("")
        found.setdefault(inner.as_posix(), path)
    return dict(sorted(found.items()))


def _order(path: Path) -> Any:
    return SUFFIXES.index(path.suffix.lower()), path
