"""
Files of object stores, through fsspec.

The only module that imports it, and keeps its errors in. Its HTTP is not used: it
follows redirects anywhere, and calls a host that cannot be reached a file that is
not there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any, Final

from framekit.errors import (
    AccessDeniedError,
    MissingExtraError,
    MissingFileError,
    RefusedUriError,
    StorageError,
    StorageTimeoutError,
    UnreachableError,
)
from framekit.storage.hosts import known_hosts
from framekit.uri import shown_text

__all__ = ["FsspecContent"]


class FsspecContent:
    """
    The bytes behind a URI that fsspec has a file system for.
    """

    def __init__(self, uri: str, scheme: str, *, timeout: float) -> None:
        """
        Ask for size and version.

        Args:
            timeout: How long to wait for an answer, in seconds.

        Raises:
            MissingExtraError: If the packages for *scheme* are not installed.
            StorageError: If it cannot be had.
        """
        self._uri = uri
        self._scheme = scheme
        self._timeout = timeout
        # Any file of a bucket comes from the same hosts.
        self._host = scheme, uri.partition("://")[2].partition("/")[0]
        self._lock = threading.Lock()
        known_hosts.check(self._host, uri)
        self._open()

    def fetch(self, start: int, stop: int) -> bytes:
        """
        All bytes from *start* up to *stop*.

        Raises:
            StorageError: If they cannot be had, or the file has changed.
        """
        if stop <= start:
            return b""
        known_hosts.check(self._host, self._uri)
        with self._lock:
            if self._process != os.getpid():  # Connections do not survive a fork.
                before = self.size, self.version
                self._open()
                if (self.size, self.version) != before:
                    raise StorageError(self._uri, "it has changed while it was read")
            try:
                self._file.seek(start)
                data = bytes(self._file.read(stop - start))
            except Exception as error:  # noqa: BLE001 - its backends raise anything
                raise self._translated(error) from None
        if len(data) != stop - start:
            raise StorageError(self._uri, "it has changed while it was read")
        return data

    def close(self) -> None:
        """
        Let go of what is held.
        """
        if self._process == os.getpid():
            self._file.close()

    def _open(self) -> None:
        system = self._file_system()
        try:
            path = system._strip_protocol(self._uri)  # noqa: SLF001 - what open does
            self._file: Any = system.open(path, "rb", cache_type="none")
            self.size, self.version = self._state()
        except Exception as error:  # noqa: BLE001 - its backends raise anything
            raise self._translated(error) from None
        self._process = os.getpid()
        known_hosts.has_answered(self._host)

    def _file_system(self) -> Any:
        extra = _EXTRAS.get(self._scheme, "remote")
        try:
            import fsspec  # type: ignore[import-untyped,unused-ignore]

            kind = fsspec.get_filesystem_class(self._scheme)
        except ImportError:
            feature = f"opening {self._scheme}: URIs"
            raise MissingExtraError(feature, extra) from None
        except ValueError:
            reason = f"there is nothing that opens {self._scheme}: URIs"
            raise StorageError(self._uri, reason) from None
        names = kind.protocol
        if _LOCAL & {names} if isinstance(names, str) else _LOCAL & {*names}:
            reason = f"{self._scheme}: leads to files of this machine; name their path"
            raise RefusedUriError(self._uri, reason)
        try:
            return kind(**self._options(fsspec.config.conf))
        except Exception as error:  # noqa: BLE001 - its backends raise anything
            raise self._translated(error) from None

    def _options(self, configured: Any) -> dict[str, Any]:
        """
        How long to wait and how often to try, unless the user has said so.
        """
        if self._scheme in ("s3", "s3a"):
            config = {
                "connect_timeout": min(self._timeout, 10),
                "read_timeout": self._timeout,
                "retries": {"mode": "standard", "total_max_attempts": 2},
            }
            options: dict[str, Any] = {"config_kwargs": config}
        elif self._scheme in ("gs", "gcs"):
            options = {"requests_timeout": self._timeout}
        else:
            options = {}
        known = configured.get(self._scheme, {})
        return {name: value for name, value in options.items() if name not in known}

    def _state(self) -> tuple[int, str | None]:
        size = getattr(self._file, "size", None)
        if size is None:
            size = self._file.seek(0, 2)
        details = getattr(self._file, "details", None)
        facts = details if isinstance(details, dict) else {}
        found = (facts.get(name) for name in _VERSIONS)
        version = next((str(fact) for fact in found if fact), None)
        return int(size), version

    def _translated(self, error: Exception) -> StorageError:
        """
        What an error of a backend means; its causes know more than it does.
        """
        if isinstance(error, StorageError):
            return error
        names = {kind.__name__ for one in _causes(error) for kind in type(one).__mro__}
        where = "its server"
        if names & _TIMEOUTS:
            found: StorageError = StorageTimeoutError(
                self._uri, f"{where} takes too long"
            )
        elif names & _UNREACHABLE:
            found = UnreachableError(self._uri, f"{where} cannot be reached")
        elif names & _NO_CREDENTIALS:
            reason = (
                f"there are no credentials for {self._scheme}: URIs; where none "
                f"are needed, set FSSPEC_{self._scheme.upper()}_ANON=true"
            )
            return AccessDeniedError(self._uri, reason)
        elif isinstance(error, FileNotFoundError):
            return MissingFileError(self._uri, "nothing is there")
        elif isinstance(error, PermissionError):
            return AccessDeniedError(self._uri, f"{where} refuses access")
        else:
            text = f"{type(error).__name__}: {error}"
            return StorageError(self._uri, shown_text(text.splitlines()[0])[:200])
        known_hosts.is_down(self._host, found)
        return found


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    for _ in range(10):
        if found is None:
            return
        yield found
        found = found.__cause__ or found.__context__


# What they log of an error is in ours; without a handler it would go to stderr, with
# URIs in full.
for _name in ("fsspec", "gcsfs", "s3fs"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

_EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}

#: File systems that read this machine, or lead on to others.
_LOCAL: Final = frozenset({"file", "local", "dir", "generic", "reference"})

#: What changes with a file, by the names that backends have for it.
_VERSIONS: Final = ("ETag", "etag", "generation", "md5Hash", "LastModified", "mtime")

_TIMEOUTS: Final = frozenset(
    {
        *(kind.__name__ for kind in (TimeoutError, asyncio.TimeoutError)),
        *("ConnectTimeoutError", "ReadTimeoutError", "FSTimeoutError"),
    }
)
_UNREACHABLE: Final = frozenset(
    {
        *("ConnectionError", "gaierror", "ClientConnectionError", "SSLError"),
        *("EndpointConnectionError", "HTTPClientError"),
    }
)
_NO_CREDENTIALS: Final = frozenset(
    {
        *("NoCredentialsError", "PartialCredentialsError"),
        *("DefaultCredentialsError", "RefreshError", "NoAuthTokenError"),
    }
)
