"""
Writing files that are either there as a whole or not at all.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from framekit import _json
from framekit.errors import DocumentError, StorageError

__all__ = ["TEMPORARY", "remove_leftovers", "write_document", "write_file"]

#: What the names of files begin with that are not finished.
TEMPORARY: Final = ".unfinished-"


def write_file(path: Path, chunks: Iterable[bytes], *, durable: bool = True) -> None:
    """
    Write *chunks* to *path*, in place of what is there.

    Whoever reads meanwhile, or after a crash, finds the old file or the new one.

    Args:
        durable: Return only when the file would survive a loss of power.

    Raises:
        StorageError: If it cannot be written, as when the disk is full; then
            nothing has changed. Or if the system does not promise that what is
            written lasts; then it has.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}")
    try:
        with temporary.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = f"cannot be written: {error.strerror or error}"
        raise StorageError(str(path), reason) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def write_document(path: Path, document: Any) -> None:
    """
    Write *document*, parsed JSON, to *path*.

    Raises:
        StorageError: If it cannot be written; then nothing has changed.
    """
    try:
        data = _json.dumps(document, indent=True)
    except DocumentError as error:
        raise StorageError(str(path), f"cannot be written: {error}") from None
    write_file(path, (data, b"\n"))


def remove_leftovers(folder: Path) -> None:
    """
    Remove what writers that died have left unfinished in *folder*.
    """
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # where folders cannot be opened
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = f"may not outlast a loss of power: {error.strerror or error}"
        raise StorageError(str(folder), reason) from None
