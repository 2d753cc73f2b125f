"""
Which hosts are down.

It is remembered for a while, so that each is tried once, not once for each of a
million files.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Hashable
from typing import Final

from framekit.errors import StorageError

__all__ = ["LIFETIME", "Hosts", "known_hosts"]

#: How long a host counts as down, in seconds.
LIFETIME: Final = 60.0

#: After how many files in a row that it failed to deliver a host counts as down.
_PATIENCE: Final = 8

_MOST: Final = 10_000


class Hosts:
    """
    The hosts that are down, as far as this process knows.
    """

    def __init__(self) -> None:
        self._down: dict[Hashable, tuple[float, type[StorageError], str]] = {}
        self._failures: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def check(self, host: Hashable, uri: str) -> None:
        """
        Do nothing if *host* may be asked for *uri*.

        Raises:
            StorageError: The one it failed with, if it is down.
        """
        with self._lock:
            until, kind, reason = self._down.get(host, (0.0, StorageError, ""))
            if time.monotonic() < until:
                raise kind(uri, reason)
            self._down.pop(host, None)

    def is_down(self, host: Hashable, error: StorageError) -> None:
        """
        Remember that *host* cannot be reached.
        """
        with self._lock:
            if len(self._down) >= _MOST:
                self._down.clear()
            until = time.monotonic() + LIFETIME
            self._down[host] = until, type(error), error.reason

    def has_failed(self, host: Hashable, error: StorageError) -> None:
        """
        Remember that *host* could not deliver a file for reasons of its own.
        """
        with self._lock:
            if len(self._failures) >= _MOST:
                self._failures.clear()
            failures = self._failures.get(host, 0) + 1
            self._failures[host] = failures
        if failures >= _PATIENCE:
            self.is_down(host, error)

    def has_answered(self, host: Hashable) -> None:
        """
        Forget the failures of *host*.
        """
        with self._lock:
            self._failures.pop(host, None)

    def forget(self) -> None:
        """
        Forget everything.
        """
        with self._lock:
            self._down.clear()
            self._failures.clear()

    def after_fork(self) -> None:
        """
        Make a lock of one's own: another thread may have held this one.
        """
        self._lock = threading.Lock()


#: The hosts that this process knows.
known_hosts: Final = Hosts()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=known_hosts.after_fork)
