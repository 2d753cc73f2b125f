"""
Palettes as CSV with a header line, as spreadsheets and other tools write them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from framekit import _json
from framekit.color import as_rgb, in_range
from framekit.errors import ArgumentError, DocumentError, PaletteError
from framekit.palette.entry import PaletteEntry

__all__ = ["read_csv", "write_csv"]

#: Column names, in any case, and the field that each means.
_COLUMNS: Final[Mapping[str, str]] = {
    "name": "name",
    "label": "name",
    "class": "name",
    "class_name": "name",
    "labels": "labels",
    "r": "r",
    "g": "g",
    "b": "b",
    "red": "r",
    "green": "g",
    "blue": "b",
    "color": "color",
    "colour": "color",
    "hex": "color",
    "rgb": "color",
    "index": "index",
    "value": "index",
    "pixel_value": "index",
    "id": "id",
    "thing": "thing",
    "isthing": "thing",
    "void": "void",
    "metadata": "metadata",
}

_TRUTH: Final = {
    "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False
}  # fmt: skip


def read_csv(text: str) -> list[tuple[int, PaletteEntry]]:
    """
    Read a table with a header line, fields separated by commas, semicolons or tabs.

    Columns are ``name`` (one label) or ``labels`` (several, separated by ``|``),
    ``r g b`` or ``color`` (``#rrggbb``, or three numbers), ``index``, ``id``,
    ``thing``, ``void`` and ``metadata`` (JSON); others go to the metadata as text.

    Returns:
        Entries with the numbers of their lines.

    Raises:
        DocumentError: If it is no such table; ``at`` is the line.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    fields: list[tuple[str, str]] | None = None
    found = []
    line = 1
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                if fields is None:
                    fields = _header(row, line)
                else:
                    found.append((line, _entry(row, fields, line)))
            line = rows.line_num + 1
    except csv.Error as error:
        raise DocumentError(f"line {line}", f"no CSV: {error}") from None
    if fields is None:
        raise DocumentError("line 1", "no header line like 'name,r,g,b'")
    return found


def write_csv(entries: Iterable[PaletteEntry]) -> str:
    """
    Write a table with the columns that *entries* need.
    """
    entries = list(entries)
    several = any(len(entry.labels) > 1 for entry in entries)
    several |= any(not entry.labels for entry in entries)
    columns = ["id", "labels" if several else "name", "r", "g", "b"]
    columns += [
        name
        for name, used in (
            ("index", any(e.index is not None for e in entries)),
            ("thing", any(e.thing is not None for e in entries)),
            ("void", any(e.void for e in entries)),
            ("metadata", any(e.metadata for e in entries)),
        )
        if used
    ]
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(_row(entry, several=several) for entry in entries)
    return file.getvalue()


def _delimiter(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=header.count)


def _header(row: Sequence[str], line: int) -> list[tuple[str, str]]:
    fields = []
    for cell in row:
        name = cell.strip()
        fields.append((_COLUMNS.get(name.lower(), "more"), name))
    names = [field for field, _ in fields if field != "more"]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        reason = f"more than one column for {', '.join(twice)}: {list(row)[:16]}"
        raise DocumentError(f"line {line}", reason)
    if not {"name", "labels"} & set(names):
        reason = f"expected a header line like 'name,r,g,b', got {list(row)[:16]}"
        raise DocumentError(f"line {line}", reason, "missing-key")
    return fields


def _entry(
    row: Sequence[str], fields: Sequence[tuple[str, str]], line: int
) -> PaletteEntry:
    if len(row) > len(fields):
        reason = f"expected {len(fields)} fields, got {len(row)}"
        raise DocumentError(f"line {line}", reason)
    cells: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    for (field, name), cell in zip(fields, row, strict=False):
        if field == "more":
            metadata |= {name: cell} if cell.strip() else {}
        elif field in ("name", "labels") or cell.strip():
            cells[field] = cell if field in ("name", "labels") else cell.strip()
    try:
        if "metadata" in cells:
            metadata |= _json.loads(cells["metadata"])
        entry = PaletteEntry(
            id=_whole(cells, "id"),
            color=_color(cells),
            index=_whole(cells, "index"),
            labels=_labels(cells),
            thing=_truth(cells, "thing"),
            void=bool(_truth(cells, "void")) if "void" in cells else not _labels(cells),
            metadata=metadata,
        )
    except ArgumentError as error:
        reason = f"{error.argument}: {error.reason}"
        raise DocumentError(f"line {line}", reason, "wrong-value") from None
    except (DocumentError, TypeError, ValueError):
        reason = f"metadata: expected a JSON object, got {cells['metadata'][:80]!r}"
        raise DocumentError(f"line {line}", reason, "wrong-value") from None
    if not entry.labels and "void" not in cells:
        reason = "name: expected a label, or true under 'void'"
        raise DocumentError(f"line {line}", reason, "wrong-value")
    return entry


def _labels(cells: Mapping[str, str]) -> list[str]:
    if "labels" in cells:
        return [name.strip() for name in cells["labels"].split("|") if name.strip()]
    name = cells.get("name", "").strip()
    return [name] if name else []


def _whole(cells: Mapping[str, str], key: str) -> int | None:
    if key not in cells:
        return None
    if not re.fullmatch(r"\d{1,10}", cells[key], re.ASCII):
        reason = f"expected a whole number, got {cells[key][:40]!r}"
        raise ArgumentError(key, reason)
    return int(cells[key])


def _truth(cells: Mapping[str, str], key: str) -> bool | None:
    if key not in cells:
        return None
    if cells[key].lower() not in _TRUTH:
        reason = f"expected true or false, got {cells[key][:40]!r}"
        raise ArgumentError(key, reason)
    return _TRUTH[cells[key].lower()]


def _color(cells: Mapping[str, str]) -> Any:
    if "color" in cells:
        text = cells["color"]
        if re.fullmatch(r"#?[0-9a-fA-F]{6}", text, re.ASCII):
            return as_rgb("#" + text.removeprefix("#"))
        return as_rgb([_number(part) for part in re.findall(r"[^\s,;()\[\]]+", text)])
    if not {"r", "g", "b"} & set(cells):
        return None
    return as_rgb([_number(cells.get(key, "")) for key in "rgb"])


def _number(text: str) -> Any:
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else text


def _row(entry: PaletteEntry, *, several: bool) -> dict[str, Any]:
    if several and any("|" in label for label in entry.labels):
        raise PaletteError(f"csv cannot hold {entry.name!r} among several labels")
    if entry.color is not None and not in_range(entry.color):
        raise PaletteError(f"csv needs a color of 0 to 255 for {entry.name!r}")
    row: dict[str, Any] = {
        "id": entry.id,
        "labels": "|".join(entry.labels),
        "name": entry.name,
        "index": entry.index,
        "thing": None if entry.thing is None else str(entry.thing).lower(),
        "void": "true" if entry.void else None,
        "metadata": _json.dumps(dict(entry.metadata)).decode()
        if entry.metadata
        else None,
    }
    return row | dict(zip("rgb", entry.color or (None, None, None), strict=True))
