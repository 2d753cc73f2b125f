"""
Files that formats are read from: JSON documents, and images listed by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from framekit import _json
from framekit.errors import (
    DocumentError,
    FramekitError,
    MissingFileError,
    StorageError,
)
from framekit.formats.collection import Batch, failure
from framekit.formats.item import Item
from framekit.problem import Problem, Severity

__all__ = [
    "array_of",
    "dropped_values",
    "file_in",
    "first_folder",
    "one_by_one",
    "read_json",
    "unmatched",
]

Key = TypeVar("Key")


def read_json(path: Path) -> Any:
    """
    Parse the JSON file *path*.

    Raises:
        MissingFileError: If there is none.
        StorageError: If it cannot be read.
        DocumentError: If it is no JSON, or loses something in being read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise MissingFileError(str(path), "no such file") from None
    except OSError as error:
        raise StorageError(str(path), error.strerror or str(error)) from None
    try:
        return _json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except DocumentError as error:
        at = f"{path.name}:{error.at}"
        raise DocumentError(at, error.reason, error.code) from None


def array_of(
    document: Any, key: str, name: str, required: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """
    The objects listed under *key* of *document*, each with the keys *required*.

    Raises:
        DocumentError: If there is no such list; *name* is the file's.
    """
    if not isinstance(document, Mapping):
        reason = f"expected an object, got {_json.kind(document)}"
        raise DocumentError(f"{name}:$", reason, "wrong-type")
    if key not in document:
        raise DocumentError(f"{name}:$", f"the key {key!r} is missing", "missing-key")
    found = document[key]
    if not isinstance(found, list):
        reason = f"expected an array, got {_json.kind(found)}"
        raise DocumentError(f"{name}:$.{key}", reason, "wrong-type")
    for n, one in enumerate(found):
        at = f"{name}:$.{key}[{n}]"
        if not isinstance(one, dict):
            reason = f"expected an object, got {_json.kind(one)}"
            raise DocumentError(at, reason, "wrong-type")
        for inner in required:
            if one.get(inner) is None:
                reason = f"the key {inner!r} is missing"
                raise DocumentError(at, reason, "missing-key")
    return found


def first_folder(root: Path, names: Iterable[str]) -> Path | None:
    """
    The first of the folders *names* in *root* that is there.
    """
    return next((root / name for name in names if (root / name).is_dir()), None)


def file_in(folders: Iterable[Path], name: str) -> Path | None:
    """
    The file that a document calls *name* in the first of *folders* that has it.

    Names that lead out of a folder, or that no file can have, name nothing there.
    """
    for folder in folders:
        path = folder / name
        try:
            inside = path.resolve().is_relative_to(folder.resolve())
            if inside and path.is_file():
                return path
        except (OSError, ValueError):
            continue  # too long, or with a zero byte
    return None


def unmatched(code: str, names: Iterable[str], what: str) -> list[Problem]:
    """
    A problem for each of *names* that has no counterpart.
    """
    return [Problem(code, Severity.WARNING, what, document=name) for name in names]


def dropped_values(
    item_name: str,
    unknown: Mapping[Any, int],
    what: str,
    *,
    code: str = "unknown-value",
) -> Problem:
    """
    The problem of pixel values, or of colors, that no class stands for.
    """
    shown = sorted(unknown.items(), key=lambda pair: -pair[1])[:5]
    listed = ", ".join(f"{value} ({n} pixels)" for value, n in shown)
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    total = sum(unknown.values())
    return Problem(
        code,
        Severity.ERROR,
        f"{what}: {listed}{more}; these pixels are void",
        document=item_name,
        frame=item_name,
        count=total,
    )


def one_by_one(
    read: Callable[[Key], Item], keys: Iterable[tuple[str, Key]]
) -> list[Batch]:
    """
    A batch for each of *keys*, which come with the name of their item.

    What *read* raises of framekit's becomes a problem of that name.
    """
    return [partial(_read_one, read, name, key) for name, key in keys]


def _read_one(read: Callable[[Key], Item], name: str, key: Key) -> list[Item | Problem]:
    try:
        return [read(key)]
    except FramekitError as error:
        return [failure(name, error)]
