"""
One request to web servers, along its redirects, and what its failures mean.
"""

from __future__ import annotations

import http.client
import random
import socket
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NoReturn, TypeVar

from attrs import define, field

from framekit.errors import (
    AccessDeniedError,
    MissingFileError,
    StorageError,
    StorageTimeoutError,
    UnreachableError,
)
from framekit.storage.address import Reach
from framekit.storage.connections import Connection, Origin, Response, connections
from framekit.storage.hosts import known_hosts
from framekit.storage.web_address import WebAddress, redirected, web_address

__all__ = ["SLOWEST", "TransientError", "WebRequests", "finish", "retried"]

Result = TypeVar("Result")

#: Servers that send less than this for long are too slow, in bytes a second.
SLOWEST: Final = 32 << 10


class TransientError(Exception):
    """
    A failure that may be gone when tried again; it never leaves the storage.
    """

    def __init__(
        self,
        error: StorageError,
        origin: Origin,
        *,
        is_down: bool = False,
        attempts: int = 4,
        wait: float | None = None,
    ) -> None:
        """
        Describe a failure.

        Args:
            error: What it is if it stays.
            is_down: Whether no other file of *origin* can be had either.
            attempts: How often to try in all.
            wait: How long to wait, in seconds, if the server says so.
        """
        super().__init__(error)
        self.error = error
        self.origin = origin
        self.is_down = is_down
        self.attempts = attempts
        self.wait = wait

    def give_up(self) -> NoReturn:
        """
        Raise the error, after remembering what it says about the server.
        """
        if self.is_down:
            known_hosts.is_down(self.origin, self.error)
        else:
            known_hosts.has_failed(self.origin, self.error)
        raise self.error from None


def retried(attempt: Callable[[], Result], progress: Callable[[], int]) -> Result:
    """
    Do *attempt* until it succeeds, with longer and longer breaks.

    Args:
        progress: What has been achieved so far; attempts that got on do not count.

    Raises:
        StorageError: If it keeps failing.
    """
    failures = 0
    before = progress()
    while True:
        try:
            return attempt()
        except TransientError as trouble:
            after = progress()
            failures = 1 if after - before >= _PROGRESS else failures + 1
            before = after
            if failures >= trouble.attempts:
                trouble.give_up()
            pause = _FIRST_PAUSE * 2 ** (failures - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
            time.sleep(pause if trouble.wait is None else trouble.wait)


@define
class WebRequests:
    """
    The requests for one file, which go where earlier ones were led.
    """

    #: What is to be opened, for messages.
    uri: str

    #: The schemes that a redirect may lead to.
    allow: frozenset[str]

    #: How long to wait for an answer, in seconds.
    timeout: float

    _start: WebAddress = field(init=False)
    _address: WebAddress = field(init=False)
    _within: Reach = field(init=False, default=Reach.LOOPBACK)

    def __attrs_post_init__(self) -> None:
        self._start = self._address = web_address(self.uri, self.uri)

    def ask(self, start: int, stop: int | None) -> tuple[Connection, Response]:
        """
        Ask for the bytes from *start* up to *stop*, for all if that is None.

        Returns:
            An answer of status 200, 206 or 416, whose body is not read yet.

        Raises:
            TransientError: If trying again may help.
            StorageError: If not.
        """
        while True:
            connection, response, address, within = self._follow(start, stop)
            status = response.status
            if status in (200, 206, 416):
                known_hosts.has_answered(address.origin)
                self._address, self._within = address, within
                return connection, response
            finish(connection, response)
            if status in _REFUSALS and self._address is not self._start:
                # Where it was led to earlier may have been for a while only.
                self._address, self._within = self._start, Reach.LOOPBACK
                continue
            raise self._failure(status, response, address.origin)

    def _follow(
        self, start: int, stop: int | None
    ) -> tuple[Connection, Response, WebAddress, Reach]:
        address, within = self._address, self._within
        for _ in range(_MOST_REDIRECTS + 1):
            connection, response = self._send(address, within, start, stop)
            within = min(within, connection.reach)
            location = response.getheader("Location")
            if response.status not in _REDIRECTS or location is None:
                return connection, response, address, within
            finish(connection, response)
            address = redirected(self.uri, address, location, self.allow)
        reason = f"redirected more than {_MOST_REDIRECTS} times"
        raise StorageError(self.uri, reason)

    def _send(
        self, address: WebAddress, within: Reach, start: int, stop: int | None
    ) -> tuple[Connection, Response]:
        headers = {
            "Host": address.origin.shown,
            "User-Agent": "framekit",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }
        size = 0
        if stop is not None:
            headers["Range"] = f"bytes={start}-{stop - 1}"
            size = stop - start
        if address.authorization is not None:
            headers["Authorization"] = address.authorization
        while True:
            known_hosts.check(address.origin, self.uri)
            deadline = time.monotonic() + self.timeout + size / SLOWEST
            connection = None
            try:
                connection = connections.take(
                    self.uri, address.origin, within=within, timeout=self.timeout
                )
                return connection, connection.ask(address.path, headers, deadline)
            except (OSError, ValueError, http.client.HTTPException) as error:
                if isinstance(error, StorageError):
                    raise
                if connection is not None:
                    connection.close()
                    if connection.is_used and not isinstance(error, TimeoutError):
                        continue  # It was closed while it waited.
                raise self.trouble(error, address.origin, connection) from None

    def trouble(
        self, error: Exception, origin: Origin, connection: Connection | None
    ) -> TransientError:
        """
        What a failed *connection* means; None is one that was never made.
        """
        made = connection is not None and connection.is_made
        kind: type[StorageError] = UnreachableError
        attempts = 4
        if isinstance(error, (socket.gaierror, UnicodeError)):
            reason = f"the host {origin.host[:80]} is not known"
            is_passing = getattr(error, "errno", None) == socket.EAI_AGAIN
            attempts = 4 if is_passing else 1
        elif isinstance(error, ssl.SSLCertVerificationError):
            reason = f"the certificate of {origin.shown} is refused: "
            reason += error.verify_message
            attempts = 1
        elif isinstance(error, TimeoutError):
            kind = StorageTimeoutError
            answer = "takes too long" if made else "does not answer"
            reason = f"{origin.shown} {answer} ({self.timeout:g} s)"
            attempts = 2
        elif isinstance(error, ConnectionRefusedError):
            reason = f"{origin.shown} refuses connections"
        elif isinstance(error, ssl.SSLError):
            reason = f"{origin.shown} cannot be talked to in TLS: {error.reason}"
        elif isinstance(error, (ConnectionError, http.client.IncompleteRead)):
            reason = f"{origin.shown} breaks the connection off"
        elif isinstance(error, OSError):
            reason = f"{origin.shown} cannot be reached: {error.strerror or error}"
        else:
            kind, reason = StorageError, f"{origin.shown} answers what is no HTTP"
        found = kind(self.uri, reason)
        return TransientError(found, origin, is_down=not made, attempts=attempts)

    def _failure(self, status: int, response: Response, origin: Origin) -> Exception:
        shown = f"{origin.shown} answers {status}"
        if status in HTTPStatus.__members__.values():
            shown += f" {HTTPStatus(status).phrase}"
        if status in _TRANSIENT:
            error = UnreachableError(self.uri, shown)
            return TransientError(error, origin, wait=_retry_after(response))
        known_hosts.has_answered(origin)
        if status in (404, 410):
            return MissingFileError(self.uri, f"nothing is there: {shown}")
        if status in (401, 403, 407):
            return AccessDeniedError(self.uri, shown)
        return StorageError(self.uri, shown)


def finish(connection: Connection, response: Response) -> None:
    """
    Keep the connection for other requests if little of the answer is left.
    """
    try:
        if response.will_close or (response.length or 0) > _DRAINED:
            connection.close()
        elif response.read(_DRAINED) is not None and response.isclosed():
            connections.put_back(connection)
        else:
            connection.close()
    except (OSError, http.client.HTTPException):
        connection.close()
    finally:
        response.close()


def _retry_after(response: Response) -> float | None:
    text = response.getheader("Retry-After", "").strip()
    return min(float(text), _LONGEST_WAIT) if text.isdecimal() else None


_MOST_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSALS: Final = frozenset({401, 403, 404, 410})
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})

#: The bytes of an attempt that got on.
_PROGRESS: Final = 64 << 10

#: In seconds.
_FIRST_PAUSE: Final = 0.2
_LONGEST_WAIT: Final = 5.0

#: How much of an answer that nobody wants is read, rather than connecting again.
_DRAINED: Final = 64 << 10
