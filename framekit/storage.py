"""
Opening the files that frames name, within the bounds that the user set.

Frames are other people's data: a document must not make framekit read a file
outside its own folder or call a server that nobody agreed to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from framekit.errors import MissingExtraError, MissingFileError, StorageError

__all__ = ["Opener", "Storage", "scheme_of"]

#: Opens a URI that is not a local path, for reading in binary mode.
Opener = Callable[[str], BinaryIO]


def scheme_of(uri: str) -> str:
    """
    The scheme of *uri* in lower case, ``""`` for a local path or ``file:``.

    A single letter before the colon is a Windows drive, not a scheme.
    """
    head, colon, _ = uri.partition(":")
    if not colon or len(head) < 2 or not head.replace("+", "").isalnum():
        return ""
    scheme = head.lower()
    return "" if scheme == "file" else scheme


def _resolved(folder: str | os.PathLike[str] | None) -> Path | None:
    return None if folder is None else Path(folder).resolve()


def _all_resolved(folders: Iterable[str | os.PathLike[str]]) -> tuple[Path, ...]:
    return tuple(Path(folder).resolve() for folder in folders)


def _as_schemes(allow: str | Iterable[str]) -> frozenset[str]:
    names = allow.split(",") if isinstance(allow, str) else allow
    return frozenset(name.strip().lower() for name in names if name.strip())


@frozen
class Storage:
    """
    Where URIs lead, and which of them may be followed.

    Raises nothing on its own: nothing is opened until :meth:`open`.
    """

    #: The folder of the document: relative URIs resolve against it, and local
    #: URIs must not lead out of it. Without a root any local path is opened.
    root: Path | None = field(default=None, converter=_resolved)

    #: Remote schemes that may be opened, like ``("https", "s3")``.
    allow: frozenset[str] = field(default=(), converter=_as_schemes, kw_only=True)

    #: Further local folders that URIs may lead into.
    folders: tuple[Path, ...] = field(default=(), converter=_all_resolved, kw_only=True)

    #: Opens remote URIs in place of fsspec; it gets only allowed schemes.
    opener: Opener | None = field(default=None, kw_only=True)

    def open(self, uri: str) -> BinaryIO:
        """
        Open *uri* for reading, as a seekable binary file.

        Raises:
            MissingFileError: If nothing is there.
            StorageError: If it may not be followed, or cannot be read.
        """
        scheme = scheme_of(uri)
        if scheme:
            return self._open_remote(uri, scheme)
        return _open_local(uri, self.path_of(uri))

    def path_of(self, uri: str) -> Path:
        """
        The local path that *uri* names, symbolic links resolved.

        Raises:
            StorageError: If *uri* is remote or leads out of the root.
        """
        if scheme_of(uri):
            raise StorageError(uri, "not a local file")
        if not uri or "\0" in uri:
            raise StorageError(uri, "expected a path or a URI")
        path = Path(_file_path(uri) if uri[:5].lower() == "file:" else uri)
        try:
            path = ((self.root or Path()) / path).resolve()
        except (OSError, RuntimeError) as error:
            raise StorageError(uri, str(error)) from None
        allowed = (self.root, *self.folders)
        if self.root is not None and not any(
            path.is_relative_to(folder) for folder in allowed if folder is not None
        ):
            reason = (
                f"leads outside {self.root}; to allow it name its folder "
                f"(--folder, or folders= in Python)"
            )
            raise StorageError(uri, reason)
        return path

    def _open_remote(self, uri: str, scheme: str) -> BinaryIO:
        if scheme not in self.allow:
            reason = (
                f"{scheme}: URIs are not opened unless allowed "
                f"(--allow {scheme}, or allow=[{scheme!r}] in Python)"
            )
            raise StorageError(_shortened(uri), reason)
        if self.opener is not None:
            return self.opener(uri)
        return _open_with_fsspec(uri, scheme)


def _file_path(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost"):
        raise StorageError(uri, f"a file on another host: {parts.netloc}")
    return unquote(parts.path)


def _open_local(uri: str, path: Path) -> BinaryIO:
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


def _open_with_fsspec(uri: str, scheme: str) -> BinaryIO:
    try:
        import fsspec  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise MissingExtraError(f"opening {scheme}: URIs", "remote") from None
    try:
        opened: Any = fsspec.open(uri, "rb").open()
    except FileNotFoundError:
        raise MissingFileError(_shortened(uri), "nothing is there") from None
    except ImportError as error:
        raise StorageError(_shortened(uri), str(error)) from None
    except Exception as error:  # noqa: BLE001 - its backends raise anything
        raise StorageError(_shortened(uri), _reason(error)) from None
    return cast(BinaryIO, opened)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _shortened(uri: str) -> str:
    """
    A URI without its query, which may carry a signature.
    """
    return uri.partition("?")[0]
