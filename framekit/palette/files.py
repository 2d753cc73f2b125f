"""
Palette files: which format, reading, writing, and what a format cannot hold.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from attrs import evolve

from framekit import _json
from framekit.errors import (
    ArgumentError,
    DocumentError,
    MissingFileError,
    PaletteError,
    PaletteWarning,
    StorageError,
)
from framekit.palette import csv_table, text_tables
from framekit.palette.document import palette_from_dict, palette_to_dict
from framekit.palette.entry import PaletteEntry
from framekit.palette.sharing import Shared, settled

if TYPE_CHECKING:
    from framekit.palette.palette import Palette

__all__ = ["FORMATS", "load", "save"]

P = TypeVar("P", bound="Palette")

#: A palette of 10,000 entries takes one.
_MAX_BYTES: Final = 64 * 2**20


class _Table(NamedTuple):
    read: Callable[[str], Sequence[tuple[int, PaletteEntry]]]
    write: Callable[[Iterable[PaletteEntry]], str]

    #: The fields, and the keys of metadata, that the format has a place for.
    keeps: frozenset[str]


_TABLES: Final = {
    "labelmap": _Table(
        text_tables.read_labelmap,
        text_tables.write_labelmap,
        frozenset({"color", "labels", "parts", "actions"}),
    ),
    "camvid": _Table(
        text_tables.read_camvid,
        text_tables.write_camvid,
        frozenset({"color", "labels"}),
    ),
    "csv": _Table(
        csv_table.read_csv,
        csv_table.write_csv,
        frozenset({"id", "color", "index", "labels", "thing", "void", "metadata"}),
    ),
}

FORMATS: Final = ("json", *_TABLES)


def load(
    cls: type[P],
    path: str | PathLike[str],
    *,
    format: str | None = None,
    shared: Shared | None = None,
) -> P:
    """
    Read a palette file; see :meth:`Palette.load`.
    """
    if format is not None:
        _check(format)
    raw = _read(path)
    found = format or _by_name(path)
    try:
        text = _decoded(raw)
        found = found or _by_content(text)
        if found == "json":
            return palette_from_dict(cls, _json.loads(text), shared=shared)
        lines = _TABLES[found].read(text)
        _refuse_shared(lines, shared)
        return cls((entry for _, entry in lines), shared=shared or "error")
    except DocumentError as error:
        place = f"{os.fspath(path)}:{error.at.removeprefix('line ')}"
        raise DocumentError(place, error.reason, error.code) from None
    except PaletteError as error:
        raise PaletteError(f"{os.fspath(path)}: {error.reason}") from None


def save(
    palette: Palette, path: str | PathLike[str], *, format: str | None = None
) -> None:
    """
    Write a palette file; see :meth:`Palette.save`.
    """
    found = _check(format) if format is not None else _to_write(path)
    if found is None:
        reason = f"{os.fspath(path)!r} does not say; name one of {', '.join(FORMATS)}"
        raise ArgumentError("format", reason)
    if found == "json":
        data = _json.dumps(palette_to_dict(palette), indent=True) + b"\n"
    else:
        data = _rendered(palette, found).encode()
    try:
        with open(path, "wb") as file:  # noqa: PTH123 - a path of any kind
            file.write(data)
    except (OSError, ValueError) as error:
        raise StorageError(os.fspath(path), _reason(error)) from None


def _check(format: str) -> str:
    if format not in FORMATS:
        reason = f"expected one of {', '.join(FORMATS)}, got {format!r}"
        raise ArgumentError("format", reason)
    return format


def _by_name(path: str | PathLike[str]) -> str | None:
    suffix = PurePath(path).suffix.lower()
    return {".json": "json", ".csv": "csv", ".tsv": "csv"}.get(suffix)


def _to_write(path: str | PathLike[str]) -> str | None:
    name = PurePath(path).name.lower()
    if name.endswith(".txt"):
        return "camvid" if "color" in name else "labelmap"
    return _by_name(path) if not name.endswith(".tsv") else None


def _by_content(text: str) -> str:
    if text.lstrip()[:1] in ("{", "["):
        return "json"
    for line in text.splitlines():
        if re.match(r"\s*#\s*label\s*:", line) or re.search(r":\s*\d+\s*,", line):
            return "labelmap"
        if re.match(r"\s*\d+[ \t,]+\d+[ \t,]+\d+[ \t]+\S", line):
            return "camvid"
        if line.strip() and not line.lstrip().startswith("#"):
            break
    reason = f"no palette format that is known; name one of {', '.join(FORMATS)}"
    raise DocumentError("1", reason, "unknown-format")


def _read(path: str | PathLike[str]) -> bytes:
    uri = os.fspath(path)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path of any kind
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise MissingFileError(uri, "there is no such file") from None
    except (OSError, ValueError) as error:
        raise StorageError(uri, _reason(error)) from None
    if len(raw) > _MAX_BYTES:
        raise StorageError(uri, f"larger than a palette gets, {_MAX_BYTES} bytes")
    return raw


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DocumentError(f"line {line}", "no UTF-8 text", "bad-utf8") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _refuse_shared(
    lines: Sequence[tuple[int, PaletteEntry]], shared: Shared | None
) -> None:
    """
    Say on which lines two label sets share a color, where that is refused.
    """
    if shared not in (None, "error"):
        return
    first: dict[object, tuple[int, PaletteEntry]] = {}
    for line, entry in lines:
        marks = (("color", entry.color), ("index", entry.index))
        for mark in (mark for mark in marks if mark[1] is not None):
            before, other = first.setdefault(mark, (line, entry))
            try:
                settled([other, entry])
            except PaletteError as error:
                reason = f"{error.reason} (line {before} and line {line})"
                raise PaletteError(reason) from None


def _rendered(palette: Palette, format: str) -> str:
    """
    Write a table, and read it back to see that it says the same.
    """
    table = _TABLES[format]
    text = table.write(palette)
    try:
        back = [entry for _, entry in table.read(text)]
    except DocumentError as error:
        raise PaletteError(f"{format} cannot hold {error.reason}") from None
    kept = [_only(entry, table.keeps) for entry in palette]
    found = [_only(entry, table.keeps) for entry in back]
    for wanted, got in zip(kept, found, strict=False):
        if wanted != got:
            raise PaletteError(f"{format} cannot hold {wanted.name!r} as it is")
    if len(kept) != len(found):
        raise PaletteError(f"{format} cannot hold all {len(kept)} entries")
    lost = _lost(palette, table.keeps)
    if lost:
        message = f"{format} has no place for {', '.join(lost)}; JSON has"
        warnings.warn(message, PaletteWarning, stacklevel=4)
    return text


def _only(entry: PaletteEntry, keeps: frozenset[str]) -> PaletteEntry:
    drop: dict[str, Any] = {
        name: None for name in ("id", "index", "thing") if name not in keeps
    }
    if "void" not in keeps:
        drop["id"] = None
    return evolve(
        entry,
        **drop,
        void=entry.void if "void" in keeps else False,
        labels=entry.labels or ((entry.name,) if "void" not in keeps else ()),
        metadata={key: x for key, x in entry.metadata.items() if _kept(key, x, keeps)},
        extra={},
    )


def _kept(key: str, value: object, keeps: frozenset[str]) -> bool:
    return "metadata" in keeps or (key in keeps and bool(value))


def _lost(palette: Palette, keeps: frozenset[str]) -> list[str]:
    lost = {
        "id": any(e.id not in (None, n) for n, e in enumerate(palette)),
        "index": any(e.index is not None for e in palette),
        "thing": any(e.thing is not None for e in palette),
        "void": any(e.void for e in palette),
        "metadata": any(
            not _kept(key, x, keeps) for e in palette for key, x in e.metadata.items()
        ),
    }
    names = [name for name, is_lost in lost.items() if is_lost and name not in keeps]
    return names + ["extra keys"] * any(e.extra for e in palette)
