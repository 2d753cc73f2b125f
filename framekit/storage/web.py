"""
Files of web servers, read by ranges.

With the standard library alone, because nothing else lets us decide, request by
request, where a redirect may lead and which address a name may have, and tell a
missing file from a missing host.
"""

from __future__ import annotations

import http.client
import os
import re
import tempfile
import threading
import time
from typing import IO, Final

from framekit.errors import StorageError, TooLargeError, UnreachableError
from framekit.storage.connections import Connection, Response
from framekit.storage.remote_file import LEAST
from framekit.storage.web_request import (
    SLOWEST,
    TransientError,
    WebRequests,
    finish,
    retried,
)

__all__ = ["WebContent"]


class WebContent:
    """
    The bytes behind an http or https URI.

    Between calls it holds no connection, so that it can be used after a fork.
    """

    def __init__(
        self,
        uri: str,
        *,
        allow: frozenset[str],
        timeout: float,
        download_limit: int,
        first: int | None = None,
    ) -> None:
        """
        Ask for the beginning.

        Args:
            allow: The schemes that redirects may lead to.
            timeout: How long to wait for an answer, in seconds.
            download_limit: The largest file, in bytes, of a server without ranges.
            first: How many bytes to ask for; with some only those, even if the
                server would send the whole file.

        Raises:
            StorageError: If it cannot be had.
        """
        self.size = 0
        self.version: str | None = None
        self._uri = uri
        self._requests = WebRequests(uri, allow, timeout)
        self._timeout = timeout
        self._limit = download_limit
        self._is_lazy = first is not None
        self._known = False
        self._whole: _Whole | None = None
        self._has_ranges = True
        self._lock = threading.Lock()
        self._head = bytearray()
        self._collect(0, first or LEAST, self._head)

    def fetch(self, start: int, stop: int) -> bytes:
        """
        All bytes from *start* up to *stop*.

        Raises:
            StorageError: If they cannot be had, or the file has changed.
        """
        if not self._has_ranges:
            with self._lock:
                if self._whole is None:
                    self._is_lazy = False
                    retried(lambda: self._receive(0, None, bytearray()), lambda: 0)
            if self._whole is None:  # pragma: no cover - received above
                raise StorageError(self._uri, "nothing came")
            return self._whole.read(start, stop)
        found = bytearray(self._head[start:stop])
        self._collect(start + len(found), stop, found)
        return bytes(found)

    def close(self) -> None:
        """
        Let go of what is held.
        """
        if self._whole is not None:
            self._whole.close()
        self._head.clear()

    def _collect(self, start: int, stop: int, into: bytearray) -> None:
        before = len(into)

        def attempt() -> None:
            got = len(into) - before
            if not self._known or start + got < stop:
                self._receive(start + got, stop, into)

        retried(attempt, lambda: len(into))

    def _receive(self, start: int, stop: int | None, into: bytearray) -> None:
        """
        Ask once, and add to *into* what comes.
        """
        connection, response = self._requests.ask(start, stop)
        is_done = False
        try:
            coding = response.getheader("Content-Encoding", "identity").lower()
            if coding != "identity" and response.status != 416:
                raise StorageError(self._uri, f"it is sent compressed ({coding[:20]})")
            if response.status == 206 and stop is not None:
                self._read_part(response, start, stop, into)
            elif response.status == 200 and not (self._known and self._has_ranges):
                self._read_whole(response)
            else:
                self._read_nothing(response)
            is_done = True
        except (OSError, ValueError, http.client.HTTPException) as error:
            if isinstance(error, StorageError):
                raise
            origin = connection.origin
            raise self._requests.trouble(error, origin, connection) from None
        except _CutError:
            raise self._cut(connection) from None
        finally:
            if is_done:
                finish(connection, response)
            else:
                response.close()
                connection.close()

    def _read_part(
        self, response: Response, start: int, stop: int, into: bytearray
    ) -> None:
        match = _RANGE.fullmatch(response.getheader("Content-Range", "").strip())
        if match is None:
            raise StorageError(self._uri, "its server does not say which part it sends")
        first, last, size = map(int, match.groups())
        self._check(size, response)
        if first != start or last + 1 != min(stop, size):
            raise StorageError(self._uri, "its server sends other bytes than asked for")
        left = last + 1 - first
        while left:
            data = response.read(min(left, _PIECE))
            if not data:
                raise _CutError
            into += data
            left -= len(data)

    def _read_whole(self, response: Response) -> None:
        length = response.length
        if length is None and not response.chunked:
            reason = "its server does not say how long it is, so a cut would not show"
            raise StorageError(self._uri, reason)
        self._has_ranges = False
        if length is not None:
            self._check(length, response)
            self._check_limit(length)
            if self._is_lazy and length > _PIECE:
                return
        size = self._limit if length is None else length
        response.extend(time.monotonic() + self._timeout + size / SLOWEST)
        whole = _Whole()
        try:
            while data := response.read(_PIECE):
                whole.add(data)
                self._check_limit(whole.size)
            self._check_end(whole.size, length, response)
        except BaseException:
            whole.close()
            raise
        self._whole = whole

    def _read_nothing(self, response: Response) -> None:
        match = _NO_RANGE.fullmatch(response.getheader("Content-Range", "").strip())
        if self._known:
            raise StorageError(self._uri, "it has changed while it was read")
        if match is None or int(match[1]) != 0:
            raise StorageError(self._uri, f"its server answers {response.status}")
        self._check(0, response)

    def _check(self, size: int, response: Response) -> None:
        """
        Note size and version from the first answer; later ones must agree.
        """
        version = response.getheader("ETag") or response.getheader("Last-Modified")
        if not self._known:
            self.size, self.version, self._known = size, version, True
        elif (size, version) != (self.size, self.version):
            raise StorageError(self._uri, "it has changed while it was read")

    def _check_end(self, size: int, length: int | None, response: Response) -> None:
        if length is not None and size != length:
            raise _CutError
        self._check(size, response)

    def _check_limit(self, size: int) -> None:
        if size > self._limit:
            reason = (
                f"its server sends it only whole, and it has more than "
                f"{self._limit} bytes (download_limit= in Python)"
            )
            raise TooLargeError(self._uri, reason)

    def _cut(self, connection: Connection) -> TransientError:
        reason = f"{connection.origin.shown} breaks the connection off"
        return TransientError(UnreachableError(self._uri, reason), connection.origin)


class _CutError(Exception):
    """
    An answer that ends too early.
    """


class _Whole:
    """
    A file that came whole: in memory, or if it is large on disk.
    """

    def __init__(self) -> None:
        self.size = 0
        self._memory = bytearray()
        self._disk: IO[bytes] | None = None
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        if self._disk is None and self.size + len(data) > _IN_MEMORY:
            self._disk = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - kept
            self._disk.write(self._memory)
            self._memory.clear()
        if self._disk is None:
            self._memory += data
        else:
            self._disk.write(data)
        self.size += len(data)

    def read(self, start: int, stop: int) -> bytes:
        if self._disk is None:
            return bytes(self._memory[start:stop])
        if hasattr(os, "pread"):  # A position would be shared after a fork.
            return os.pread(self._disk.fileno(), stop - start, start)
        with self._lock:
            self._disk.seek(start)
            return self._disk.read(stop - start)

    def close(self) -> None:
        self._memory.clear()
        if self._disk is not None:
            self._disk.close()


_PIECE: Final = 64 << 10
_IN_MEMORY: Final = 16 << 20
_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_NO_RANGE: Final = re.compile(r"bytes \*/([0-9]{1,18})")
