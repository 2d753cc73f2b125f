"""
What a remote file must offer so that parts of it can be read.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Content"]


class Content(Protocol):
    """
    The bytes of one state of a remote file.
    """

    @property
    def size(self) -> int:
        """
        The number of bytes.
        """
        ...

    @property
    def version(self) -> str | None:
        """
        What changes when the file does; None if the server does not say.
        """
        ...

    def fetch(self, start: int, stop: int) -> bytes:
        """
        All bytes from *start* up to *stop*, which lies within the file.

        Raises:
            StorageError: If they cannot be had, or the file has changed.
        """
        ...

    def close(self) -> None:
        """
        Let go of what is held.
        """
        ...
