"""
Connections to web servers, kept for the next request.

They lead to addresses that were checked, and are never slower than they may be.
Each process has its own: after a fork the child starts without any.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import threading
import time
from functools import lru_cache, partial
from typing import Any, Final, cast

from attrs import frozen

from framekit.storage.address import Address, Reach, addresses_of

__all__ = ["Connection", "Origin", "Pool", "Response", "connections"]


@frozen
class Origin:
    """
    A web server.
    """

    #: ``http`` or ``https``.
    scheme: str

    #: A name or an address, without brackets.
    host: str

    port: int

    @property
    def shown(self) -> str:
        """
        How messages and the Host header call it.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


class Connection(http.client.HTTPConnection):
    """
    A connection to one of the addresses of a server.
    """

    def __init__(
        self, origin: Origin, addresses: list[Address], reach: Reach, timeout: float
    ) -> None:
        super().__init__(origin.host, origin.port, timeout=timeout)
        self.origin = origin
        self.reach = reach
        self.is_made = False
        self.is_used = False
        self.idle_since = 0.0
        self._addresses = addresses
        self._patience = timeout

    def connect(self) -> None:
        """
        Connect to the first of the addresses that answers.

        Raises:
            OSError: If none does.
        """
        failure: OSError = OSError("it has no address")
        for family, address in self._addresses:
            try:
                self.sock = _connected(family, address, self._patience)
            except OSError as error:
                failure = error
                continue
            if self.origin.scheme == "https":
                self._encrypt()
            self.is_made = True
            return
        raise failure

    def ask(self, path: str, headers: dict[str, str], deadline: float) -> Response:
        """
        Send a GET request and read the head of the answer.

        Args:
            deadline: When, on the monotonic clock, all of the answer must be there.

        Raises:
            OSError: If the connection breaks, or the deadline passes.
            http.client.HTTPException: If what comes is no HTTP.
        """
        made: Any = partial(Response, patience=self._patience, deadline=deadline)
        self.response_class = made
        self.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            self.putheader(name, value)
        self.endheaders()
        return cast(Response, self.getresponse())

    def _encrypt(self) -> None:
        try:
            self.sock = _tls().wrap_socket(self.sock, server_hostname=self.origin.host)
        except BaseException:
            self.sock.close()
            raise


class Response(http.client.HTTPResponse):
    """
    An answer that must be there in time.
    """

    def __init__(
        self,
        sock: socket.socket,
        *args: Any,
        patience: float,
        deadline: float,
        **options: Any,
    ) -> None:
        super().__init__(sock, *args, **options)
        raw = sock.makefile("rb", buffering=0)
        self.fp.close()
        self._watched = _Watched(raw, sock, patience, deadline)
        self.fp = io.BufferedReader(self._watched, 64 << 10)

    def extend(self, deadline: float) -> None:
        """
        Set another deadline.
        """
        self._watched.deadline = deadline


class _Watched(io.RawIOBase):
    """
    What a socket receives, up to a deadline.

    The timeout of a socket starts again with each byte.
    """

    def __init__(
        self, raw: Any, sock: socket.socket, patience: float, deadline: float
    ) -> None:
        self._raw = raw
        self._sock = sock
        self._patience = patience
        self.deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("too slow")
        self._sock.settimeout(min(left, self._patience))
        return int(self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class Pool:
    """
    Connections that wait for their next request.
    """

    def __init__(self) -> None:
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def take(
        self, uri: str, origin: Origin, *, within: Reach, timeout: float
    ) -> Connection:
        """
        A connection to *origin*, which may be open already.

        Raises:
            RefusedUriError: If it is nearer than *within*.
            OSError: If there is no such host.
        """
        now = time.monotonic()
        with self._lock:
            for found in reversed(self._idle):
                if (
                    found.origin == origin
                    and found.reach <= within
                    and now - found.idle_since < _IDLE
                ):
                    self._idle.remove(found)
                    return found
        reach, addresses = addresses_of(uri, origin.host, origin.port, within=within)
        return Connection(origin, addresses, reach, timeout)

    def put_back(self, connection: Connection) -> None:
        """
        Keep a *connection* whose answer was read to its end.
        """
        connection.is_used = True
        connection.idle_since = now = time.monotonic()
        with self._lock:
            self._idle.append(connection)
            late = [c for c in self._idle if now - c.idle_since >= _IDLE]
            dropped = late or self._idle[: max(len(self._idle) - _MOST_IDLE, 0)]
            self._idle = [c for c in self._idle if c not in dropped]
        for one in dropped:
            one.close()

    def clear(self) -> None:
        """
        Close all that wait.
        """
        with self._lock:
            dropped, self._idle = self._idle, []
        for one in dropped:
            one.close()

    def after_fork(self) -> None:
        """
        Leave the parent's connections to the parent.
        """
        self._lock = threading.Lock()
        self.clear()


#: How long a connection waits for its next request, in seconds, and how many do.
_IDLE: Final = 15.0
_MOST_IDLE: Final = 32

#: How long a connection may take to be made, in seconds.
_CONNECTING: Final = 10.0

#: The connections of this process.
connections: Final = Pool()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=connections.after_fork)


def _connected(family: int, address: tuple[Any, ...], timeout: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(min(timeout, _CONNECTING))
        sock.connect(address)
        sock.settimeout(timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
