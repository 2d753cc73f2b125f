"""
Image files: opened, recognized by content, held against limits.
"""

from __future__ import annotations

from os import PathLike, fspath
from typing import BinaryIO, Final

from attrs import field, frozen

from framekit.decoding.image.sniffing import HEAD_SIZE, sniff
from framekit.decoding.image.walk import ImageError
from framekit.errors import (
    ArgumentError,
    StorageError,
    UnreadableMaskError,
)
from framekit.storage import Storage
from framekit.uri import shown_uri

__all__ = [
    "DEFAULT_LIMITS",
    "ImageSource",
    "Limits",
    "LoadedImage",
    "content_type_of",
    "load_image",
    "open_source",
    "read_bytes",
]

#: A path, a URI, or a binary file, which is read from where it stands.
ImageSource = str | PathLike[str] | BinaryIO


@frozen
class Limits:
    """
    How large an image may be; checked before any pixel is decoded.
    """

    #: Width and height, in pixels.
    max_side: int = 16384

    #: The decoded pixels, and the file itself, in bytes.
    max_bytes: int = 512 << 20

    def check(self, width: int, height: int, pixel_bytes: int) -> None:
        """
        Refuse an image that is too large.

        Raises:
            ImageError: If it is.
        """
        if max(width, height) > self.max_side:
            message = f"{width}x{height} pixels, the limit is {self.max_side} a side"
            raise ImageError(message)
        if width * height * pixel_bytes > self.max_bytes:
            message = (
                f"{width}x{height} pixels take {width * height * pixel_bytes} bytes, "
                f"the limit is {self.max_bytes}"
            )
            raise ImageError(message)


DEFAULT_LIMITS: Final = Limits()


@frozen(eq=False)
class LoadedImage:
    """
    An image file in memory.
    """

    #: What it is called in errors, without credentials.
    uri: str = field(converter=shown_uri)

    data: bytes

    content_type: str


def load_image(
    source: ImageSource, storage: Storage | None, uri: str | None, limits: Limits
) -> LoadedImage:
    """
    Read an image file into memory.

    Raises:
        UnreadableMaskError: If it is no image, or too large.
        StorageError: If it cannot be opened or read.
    """
    file, name, ours = open_source(source, storage, uri)
    try:
        head = read_bytes(file, HEAD_SIZE, name)
        content_type = content_type_of(head, name)
        rest = read_bytes(file, limits.max_bytes, name)
        if len(rest) == limits.max_bytes and read_bytes(file, 1, name):
            reason = f"a file of more than {limits.max_bytes} bytes"
            raise UnreadableMaskError(name, reason)
    finally:
        if ours:
            file.close()
    return LoadedImage(name, head + rest, content_type)


def open_source(
    source: ImageSource, storage: Storage | None, uri: str | None
) -> tuple[BinaryIO, str, bool]:
    """
    The file, what it is called, and whether closing it is up to us.
    """
    if isinstance(source, (str, PathLike)):
        path = fspath(source)
        if isinstance(path, bytes):
            raise ArgumentError("path_or_file", "expected a path that is text")
        return (storage or Storage()).open(path), uri or path, True
    if not hasattr(source, "read"):
        reason = f"expected a path or a binary file, got {type(source).__name__}"
        raise ArgumentError("path_or_file", reason)
    name = uri if uri is not None else getattr(source, "name", None)
    return source, str(name) if name is not None else "<file>", False


def read_bytes(file: BinaryIO, size: int, name: str) -> bytes:
    """
    Up to *size* bytes, fewer only at the end of the file.
    """
    parts = []
    try:
        while size and (part := file.read(size)):
            parts.append(part)
            size -= len(part)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - a caller's file raises anything
        raise StorageError(name, f"{type(error).__name__}: {error}"[:200]) from None
    if any(isinstance(part, str) for part in parts):
        raise ArgumentError("path_or_file", "expected a file in binary mode")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def content_type_of(head: bytes, name: str) -> str:
    """
    The content type of the image that starts with *head*.

    Raises:
        UnreadableMaskError: If it is none; *name* is what it is called there.
    """
    content_type = sniff(head)
    if content_type is None:
        reason = "an empty file" if not head else "no image of a known kind"
        raise UnreadableMaskError(name, reason)
    return content_type
