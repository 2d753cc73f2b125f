"""
Files of this machine.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from framekit.errors import MissingFileError, RefusedUriError, StorageError

__all__ = ["local_name", "open_local"]


def local_name(uri: str) -> str:
    """
    The path that a local *uri* spells, which may be relative.

    Raises:
        RefusedUriError: If it spells none, or one of another host.
    """
    if not uri or "\0" in uri:
        raise RefusedUriError(uri, "expected a path or a URI")
    if uri[:5].lower() != "file:":
        return uri
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise RefusedUriError(uri, f"no file URI: {error}") from None
    if parts.netloc not in ("", "localhost"):
        raise RefusedUriError(uri, f"a file on another host: {parts.netloc}")
    name = unquote(parts.path)
    if not name or "\0" in name:
        raise RefusedUriError(uri, "expected a path or a URI")
    return name


def open_local(uri: str, path: Path) -> BinaryIO:
    """
    Open the regular file at *path*, which *uri* names.

    Raises:
        MissingFileError: If nothing is there.
        StorageError: If it is no regular file, or cannot be opened.
    """
    # O_NONBLOCK: opening a named pipe must not wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(uri, f"no such file ({path})") from None
    except OSError as error:
        raise StorageError(uri, error.strerror or str(error)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise StorageError(uri, "not a regular file")
    return os.fdopen(descriptor, "rb")
