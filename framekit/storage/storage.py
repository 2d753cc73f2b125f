"""
Opening the files that frames name, within the bounds that the user set.

Frames are other people's data: a document must not make framekit read a file
outside its own folder or call a server that nobody agreed to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, cast

from attrs import field, frozen
from attrs.validators import ge, gt

from framekit.errors import (
    FramekitError,
    MissingFileError,
    RefusedUriError,
    StorageError,
)
from framekit.storage.cache import BlockCache, CachedContent
from framekit.storage.content import Content
from framekit.storage.local import local_name, open_local
from framekit.storage.remote_file import RemoteFile
from framekit.storage.web import WebContent
from framekit.uri import scheme_of, shown_text

__all__ = ["Opener", "Storage"]

#: Opens a URI that is not a local path, for reading in binary mode.
Opener = Callable[[str], BinaryIO]


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

    Raises nothing on its own: nothing is opened until :meth:`open`. It holds no
    connections, so it travels to worker processes, which open their own.
    """

    #: The folder of the document: relative URIs resolve against it, and local
    #: URIs must not lead out of it. Without a root any local path is opened.
    root: Path | None = field(default=None, converter=_resolved)

    #: Remote schemes that may be opened, like ``("https", "s3")``.
    allow: frozenset[str] = field(default=(), converter=_as_schemes, kw_only=True)

    #: Further local folders that URIs may lead into.
    folders: tuple[Path, ...] = field(default=(), converter=_all_resolved, kw_only=True)

    #: Opens remote URIs in place of framekit; it gets only allowed schemes.
    opener: Opener | None = field(default=None, kw_only=True)

    #: A folder that keeps what was read of remote files; it is checked with the
    #: server, whenever a file is opened, that they are still the same.
    cache: Path | None = field(default=None, converter=_resolved, kw_only=True)

    #: How much is kept there, in bytes; what was not used for longest goes first.
    cache_limit: int = field(default=10 << 30, validator=ge(0), kw_only=True)

    #: The largest file, in bytes, that is fetched whole from a server that cannot
    #: send parts. Elsewhere only the parts that are read are fetched.
    download_limit: int = field(default=512 << 20, validator=ge(0), kw_only=True)

    #: How long to wait for an answer, in seconds.
    timeout: float = field(default=30.0, validator=gt(0), kw_only=True)

    def open(self, uri: str) -> BinaryIO:
        """
        Open *uri* for reading, as a seekable binary file.

        Reading may raise the same errors as opening.

        Raises:
            MissingFileError: If nothing is there.
            RefusedUriError: If it may not be followed.
            AccessDeniedError: If its server wants other credentials.
            UnreachableError: If its server cannot be reached.
            StorageTimeoutError: If its server takes too long.
            TooLargeError: If its server sends no parts, and it is too large.
            StorageError: If it cannot be read for another reason.
        """
        scheme = scheme_of(uri)
        if scheme:
            return self._open_remote(uri, scheme)
        return open_local(uri, self.path_of(uri))

    def path_of(self, uri: str) -> Path:
        """
        The local path that *uri* names, symbolic links resolved.

        Raises:
            RefusedUriError: If *uri* is remote or leads out of the root.
        """
        if scheme_of(uri):
            raise RefusedUriError(uri, "not a local file")
        path = Path(local_name(uri))
        try:
            path = ((self.root or Path()) / path).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise RefusedUriError(uri, str(error)) from None
        allowed = (self.root, *self.folders)
        if self.root is not None and not any(
            path.is_relative_to(folder) for folder in allowed if folder is not None
        ):
            reason = (
                f"leads outside {self.root}; to allow it name its folder "
                f"(--folder, or folders= in Python)"
            )
            raise RefusedUriError(uri, reason)
        return path

    def _open_remote(self, uri: str, scheme: str) -> BinaryIO:
        if scheme not in self.allow:
            reason = (
                f"{scheme}: URIs are not opened unless allowed "
                f"(--allow {scheme}, or allow=[{scheme!r}] in Python)"
            )
            raise RefusedUriError(uri, reason)
        if self.opener is not None:
            return _opened(self.opener, uri)
        # With a cache little is asked for at first: the rest may be there.
        first = None if self.cache is None else 1
        content: Content
        if scheme in ("http", "https"):
            content = WebContent(
                uri,
                allow=self.allow & {"http", "https"},
                timeout=self.timeout,
                download_limit=self.download_limit,
                first=first,
            )
        else:
            from framekit.storage._fsspec import FsspecContent

            content = FsspecContent(uri, scheme, timeout=self.timeout)
        if self.cache is not None and content.version is not None:
            cache = BlockCache(self.cache, self.cache_limit)
            content = CachedContent(uri, content, cache)
        return cast(BinaryIO, RemoteFile(content))


def _opened(opener: Opener, uri: str) -> BinaryIO:
    try:
        file: Any = opener(uri)
    except (FramekitError, MemoryError):
        raise
    except FileNotFoundError:
        raise MissingFileError(uri, "nothing is there") from None
    except Exception as error:  # noqa: BLE001 - a user's function raises anything
        reason = shown_text(f"{type(error).__name__}: {error}".splitlines()[0])[:200]
        raise StorageError(uri, reason) from None
    return cast(BinaryIO, file)
