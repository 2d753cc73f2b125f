"""
One writer at a time.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from framekit import _json
from framekit.errors import DocumentError, StorageError

__all__ = ["LOCK_FILE", "writing"]

#: The file that a writer holds. It stays when the writer has left.
LOCK_FILE: Final = "writer.lock"

# The system's record locks belong to a process and end with it, however it
# ends, so that no lock is ever stale. Among the threads of one process they
# mean nothing; those are told apart here, by the process that took the lock,
# which a forked child is not.
_HELD: Final[dict[str, int]] = {}
_TAKEN: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_GUARD: Final = threading.Lock()


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """
    Be the only writer of the dataset in *root*.

    Raises:
        StorageError: If there is one already; the message says which.
    """
    path = root / LOCK_FILE
    key = str(path.resolve())
    with _GUARD:
        if _HELD.get(key) == os.getpid():
            reason = "this process is writing already, in another call"
            raise StorageError(str(root), reason)
        descriptor = _opened(path, root)
        _HELD[key] = os.getpid()
    try:
        yield
    finally:
        with _GUARD:
            del _HELD[key]
            os.close(descriptor)


def _opened(path: Path, root: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        reason = f"cannot be written to: {error.strerror or error}"
        raise StorageError(str(root), reason) from None
    try:
        _take(descriptor)
    except OSError as error:
        holder = _holder(descriptor)
        os.close(descriptor)
        if error.errno not in _TAKEN:
            reason = f"cannot be locked: {error.strerror or error}"
            raise StorageError(str(root), reason) from None
        reason = f"{holder} is writing to it; there can be one writer at a time"
        raise StorageError(str(root), reason) from None
    _sign(descriptor)
    return descriptor


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        # Far behind the text, which others must be able to read.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sign(descriptor: int) -> None:
    signature = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.truncate(descriptor, 0)
        os.write(descriptor, _json.dumps(signature) + b"\n")
    except OSError:
        # The signature is a courtesy; a full disk speaks up when it matters.
        return


def _holder(descriptor: int) -> str:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        found = _json.loads(os.read(descriptor, 4096))
        return f"process {found['process']} on {found['host']} ({found['since']})"
    except (OSError, DocumentError, KeyError, TypeError):
        return "another process"
