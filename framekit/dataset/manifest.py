"""
What a version consists of: its manifest, one JSON file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from attrs import field, frozen

from framekit import _json
from framekit._json import nested
from framekit.dataset.durable import TEMPORARY, write_document
from framekit.errors import (
    ArgumentError,
    DocumentError,
    MissingFileError,
    StorageError,
)
from framekit.frame.values import as_id, as_mapping, as_names, as_text, as_tuple

__all__ = [
    "STATUSES",
    "Level",
    "Manifest",
    "Shard",
    "as_version_metadata",
    "chain_of",
    "file_name",
    "now",
    "read_document",
    "read_manifest",
    "version_names",
    "write_manifest",
]

#: In the order in which a version passes through them.
STATUSES: Final = ("draft", "committing", "committed", "published")

_SHARD_FILE: Final = re.compile(r"shards/([0-9a-f]{16,128})\.jsonl(\.gz|\.zst)?\Z")
_UNSAFE: Final = re.compile(r'[%/\\:*?"<>|\x00-\x1f\x7f]|^\.|[ .]$')
_LONGEST_NAME: Final = 200


def now() -> str:
    """
    The present as manifests write it: ISO 8601, UTC, to the microsecond.
    """
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def as_version_metadata(value: Any) -> dict[str, Any]:
    """
    Metadata of a dataset or a version: a mapping whose keys have no ``$`` or ``.``.

    Raises:
        ArgumentError: If it is no mapping, or has such a key at any depth.
    """
    metadata = as_mapping(value)
    for key in _keys(metadata):
        if "$" in key or "." in key:
            reason = f"keys have no '$' and no '.', which {key!r} has"
            raise ArgumentError("metadata", reason)
    return metadata


def _keys(value: Any) -> Iterable[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            yield from item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _as_shard_file(value: Any) -> str:
    text = as_id(value, argument="file")
    if not _SHARD_FILE.match(text):
        reason = f"expected shards/<blake2b>.jsonl, .jsonl.gz or .jsonl.zst: {text!r}"
        raise ArgumentError("file", reason)
    return text


def _as_frames(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ArgumentError("frames", f"expected a number of frames, got {value!r}")
    return value


def _as_hash(value: Any) -> str:
    return as_id(value, argument="blake2b")


def _as_comment(value: Any) -> str:
    return as_text(value, argument="comment") or ""


def _as_parent(value: Any) -> str | None:
    return None if value is None else as_id(value, argument="parent")


def _as_time(value: Any) -> str | None:
    return as_text(value, argument="time")


def _as_tags(value: Any) -> tuple[str, ...]:
    return as_names(value, argument="tags", what="tags", example="night")


def _as_deleted(value: Any) -> tuple[str, ...]:
    return as_names(value, argument="deleted", what="frame ids", example="a")


def _as_status(value: Any) -> str:
    if value not in STATUSES:
        reason = f"expected one of {', '.join(STATUSES)}, got {value!r}"
        raise ArgumentError("status", reason)
    return str(value)


@frozen
class Shard:
    """
    A file of frames, one a line, that never changes; its name is its hash.
    """

    #: Relative to the dataset's folder.
    file: str = field(converter=_as_shard_file)

    #: How many frames it holds.
    frames: int = field(converter=_as_frames)

    #: Of the lines, before they are compressed.
    blake2b: str = field(converter=_as_hash)

    #: JSON keys that framekit has no field for.
    extra: Mapping[str, Any] = field(
        factory=dict, hash=False, eq=False, repr=False, kw_only=True
    )
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        named = _SHARD_FILE.match(self.file)
        if named is None or named[1] != self.blake2b:
            reason = f"expected the hash that {self.file} is named by"
            raise ArgumentError("blake2b", reason)


@frozen(kw_only=True)
class Manifest:
    """
    All that is known about a version but its frames, which are in the shards.
    """

    name: str = field(converter=as_id)
    parent: str | None = field(default=None, converter=_as_parent)
    status: str = field(default="draft", converter=_as_status)
    comment: str = field(default="", converter=_as_comment)
    tags: tuple[str, ...] = field(default=(), converter=_as_tags)

    #: As the document has it; ``framekit.palette`` reads all its forms.
    mask_labels: Any = None
    metadata: Mapping[str, Any] = field(factory=dict, converter=as_mapping, hash=False)

    #: The frames that are added to the parent's or replace some there; of
    #: frames with one id the last counts.
    shards: tuple[Shard, ...] = field(
        default=(), converter=as_tuple, metadata=nested(Shard, many=True)
    )

    #: Ids that the version does not have, sorted.
    deleted: tuple[str, ...] = field(default=(), converter=_as_deleted)

    created: str | None = field(default=None, converter=_as_time)
    committed: str | None = field(default=None, converter=_as_time)
    published: str | None = field(default=None, converter=_as_time)

    #: JSON keys that framekit has no field for.
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False)

    def document(self) -> dict[str, Any]:
        """
        The part of the manifest that says what holds for all frames, as JSON.
        """
        written = _json.to_json(self)
        written.pop("shards", None)
        written.pop("deleted", None)
        return {key: value for key, value in written.items() if value not in (None, "")}


def file_name(version: str) -> str:
    """
    The name of the file that the manifest of *version* is in.

    Raises:
        ArgumentError: If the name is empty or too long for a file's.
    """
    name = as_id(version, argument="name")
    safe = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)
    try:
        length = len(safe.encode())
    except UnicodeEncodeError:
        raise ArgumentError("name", f"no Unicode text: {name!r}") from None
    if length > _LONGEST_NAME:
        reason = f"expected at most {_LONGEST_NAME} bytes, got {length}"
        raise ArgumentError("name", reason)
    return f"{safe}.json"


def version_names(root: Path) -> list[str]:
    """
    The names of the versions of the dataset in *root*, sorted.
    """
    names = []
    for path in (root / "versions").glob("*.json"):
        if not path.name.startswith(TEMPORARY):
            stem = path.name.removesuffix(".json")
            names.append(
                re.sub(r"%([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), stem)
            )
    return sorted(names)


def read_manifest(root: Path, name: str) -> Manifest:
    """
    Read the manifest of the version called *name*.

    Raises:
        MissingFileError: If there is no such version.
        StorageError: If it cannot be read, or is none.
    """
    path = root / "versions" / file_name(name)
    document = read_document(path)
    try:
        if isinstance(document, dict):
            _check_keys(document)
            document = {
                "name": name,
                **{key: value for key, value in document.items() if value is not None},
            }
        manifest = _json.from_json(Manifest, document)
    except DocumentError as error:
        raise StorageError(str(path), f"no manifest: {error}") from None
    if manifest.name != name:
        reason = f"no manifest of {name!r}: $.name: it is called {manifest.name!r}"
        raise StorageError(str(path), reason)
    return manifest


def _check_keys(document: Mapping[str, Any]) -> None:
    # A misspelled one must not make an empty version, or a draft of a published one.
    for key in ("status", "shards"):
        if document.get(key) is None:
            raise DocumentError("$", f"the key {key!r} is missing", "missing-key")


def write_manifest(root: Path, manifest: Manifest) -> None:
    """
    Make *manifest* what its version consists of, at one stroke.

    Raises:
        StorageError: If it cannot be written; then the version is as before.
    """
    written = _json.to_json(manifest)
    document = {key: value for key, value in written.items() if value not in (None, "")}
    document.setdefault("shards", [])
    write_document(root / "versions" / file_name(manifest.name), document)


def read_document(path: Path) -> Any:
    """
    Read a JSON file.

    Raises:
        MissingFileError: If there is none.
        StorageError: If it cannot be read, or is no JSON.
    """
    try:
        return _json.loads(path.read_bytes())
    except FileNotFoundError:
        raise MissingFileError(str(path), "no such file") from None
    except OSError as error:
        raise StorageError(str(path), error.strerror or str(error)) from None
    except DocumentError as error:
        raise StorageError(str(path), str(error)) from None


class Level(NamedTuple):
    """
    What one version of a chain adds to its parent and takes away.
    """

    shards: tuple[Shard, ...]
    deleted: tuple[str, ...]


def chain_of(root: Path, manifest: Manifest) -> list[Level]:
    """
    What the version and its ancestors add and take away, the oldest first.

    Raises:
        StorageError: If a manifest cannot be read, or a version descends from
            itself.
    """
    levels = [Level(manifest.shards, manifest.deleted)]
    names = [manifest.name]
    while manifest.parent is not None:
        if manifest.parent in names:
            reason = f"version {manifest.parent!r} descends from itself"
            raise StorageError(str(root), reason)
        names.append(manifest.parent)
        manifest = read_manifest(root, manifest.parent)
        levels.append(Level(manifest.shards, manifest.deleted))
    return levels[::-1]
