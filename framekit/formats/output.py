"""
The folder that a format is written to: empty before, each name in it once.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any, Final

from framekit import _json
from framekit.errors import ArgumentError, StorageError
from framekit.formats.item import Item
from framekit.formats.mask_files import write_bytes

__all__ = ["OutputFolder", "safe_name"]

_UNSAFE: Final = re.compile(r"[^\w.+=@,() -]")

#: Longer names of files are cut.
_LONGEST: Final = 160


def safe_name(name: str) -> str:
    """
    *name* as a relative path that leads nowhere else; folders in it are kept.
    """
    parts = [_UNSAFE.sub("_", part).strip(" .") for part in name.split("/")]
    kept = [part[-_LONGEST:] for part in parts if part]
    return "/".join(kept) or "_"


class OutputFolder:
    """
    A folder that several threads write files to, no two under one name.
    """

    def __init__(self, path: Path, *, may_exist: bool = False) -> None:
        """
        Make the folder.

        Raises:
            ArgumentError: If there is something in it already.
            StorageError: If it cannot be made.
        """
        #: Where it is.
        self.path = path
        self._names: set[str] = set()
        self._lock = threading.Lock()
        try:
            if not may_exist and path.exists() and any(path.iterdir()):
                reason = f"{path} is not empty; name a folder that is new"
                raise ArgumentError("dest", reason)
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(str(path), error.strerror or str(error)) from None

    def claim(self, item: Item) -> str:
        """
        The path of *item* in the folder, without suffix, which nobody else gets.

        Raises:
            ArgumentError: If another item has it.
        """
        name = safe_name(item.name)
        with self._lock:
            if name.lower() in self._names:
                raise ArgumentError("name", f"another item is called {name!r}, too")
            self._names.add(name.lower())
        return name

    def write_json(self, name: str, document: Any) -> None:
        """
        Write *document*, parsed JSON, as the file *name*.

        Raises:
            StorageError: If it cannot be written.
            DocumentError: If it has no JSON form.
        """
        write_bytes(self.path / name, _json.dumps(document) + b"\n")

    def write_text(self, name: str, text: str) -> None:
        """
        Write the file *name*.

        Raises:
            StorageError: If it cannot be written.
        """
        write_bytes(self.path / name, text.encode())
