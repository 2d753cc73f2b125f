"""
Palettes as JSON: framekit's own form, and tables of classes as others write them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from framekit import _json
from framekit.color import as_rgb
from framekit.errors import ArgumentError, DocumentError
from framekit.palette.entry import PaletteEntry
from framekit.palette.sharing import Shared, as_shared, shares

if TYPE_CHECKING:
    from framekit.palette.palette import Palette

__all__ = ["palette_from_dict", "palette_to_dict", "table_entries"]

P = TypeVar("P", bound="Palette")

#: Keys under which a document may hold a table of classes.
_TABLES: Final = ("categories", "classes", "labels")

#: What other tables call an entry's fields; the first that is there counts.
_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "labels": ("labels", "label", "name"),
    "color": ("color", "colour", "rgb"),
    "index": ("index", "value", "pixel_value"),
    "thing": ("thing", "isthing", "hasInstances"),
    "void": ("void",),
    "id": ("id",),
    "metadata": ("metadata",),
}


def palette_to_dict(palette: Palette) -> dict[str, Any]:
    """
    Return *palette* as JSON values.
    """
    written = [_json.to_json(entry) for entry in palette]
    for entry in written:
        if not entry["void"]:
            del entry["void"]
    if shares(palette):
        return {"shared": "first", "entries": written}
    return {"entries": written}


def palette_from_dict(cls: type[P], data: Any, *, shared: Shared | None = None) -> P:
    """
    Build a *cls* from parsed JSON.

    Raises:
        DocumentError: If it is no palette and no table of classes.
        PaletteError: If its entries contradict each other.
    """
    if isinstance(data, Mapping) and "entries" in data:
        entries = [
            _json.from_json(PaletteEntry, item, at)
            for item, at in _items(data["entries"], "$.entries")
        ]
        said = data.get("shared")
        if shared is None and said is not None:
            try:
                shared = as_shared(said)
            except ArgumentError as error:
                raise DocumentError("$.shared", error.reason, "wrong-value") from None
        return cls(entries, shared=shared or "error")
    if isinstance(data, Mapping):
        key = next((key for key in _TABLES if key in data), None)
        if key is None:
            reason = "expected an object with 'entries', or an array of classes"
            raise DocumentError("$", reason, "missing-key")
        return cls(table_entries(data[key], f"$.{key}"), shared=shared or "error")
    return cls(table_entries(data, "$"), shared=shared or "error")


def table_entries(data: Any, at: str) -> list[PaletteEntry]:
    """
    Read an array of classes: objects with a name, a color, and the like.

    Raises:
        DocumentError: If it is none; ``at`` is the JSON path.
    """
    return [_table_entry(item, place) for item, place in _items(data, at)]


def _items(data: Any, at: str) -> Iterator[tuple[Any, str]]:
    if not isinstance(data, list):
        reason = f"expected an array, got {_json.kind(data)}"
        raise DocumentError(at, reason, "wrong-type")
    return ((item, f"{at}[{n}]") for n, item in enumerate(data))


def _table_entry(item: Any, at: str) -> PaletteEntry:
    if not isinstance(item, Mapping):
        reason = f"expected an object, got {_json.kind(item)}"
        raise DocumentError(at, reason, "wrong-type")
    keys = {
        name: next((key for key in spellings if item.get(key) is not None), None)
        for name, spellings in _SPELLINGS.items()
    }
    values = {name: item[key] for name, key in keys.items() if key is not None}
    if "labels" not in values and not values.get("void"):
        raise DocumentError(at, "the key 'name' is missing", "missing-key")
    used = {key for key in keys.values() if key is not None}
    more = {key: value for key, value in item.items() if key not in used}
    # Some call a thing by a number or by text that is no pixel value.
    if (id := values.get("id")) is not None and not _is_id(id):
        more["id"] = values.pop("id")
    if values.get("void"):
        values.pop("id", None)
    if values.get("thing") in (0, 1):
        values["thing"] = bool(values["thing"])
    _convert(values, "color", _any_color, keys, at)
    try:
        values["metadata"] = {**values.get("metadata", {}), **more}
        return PaletteEntry(**values)
    except (ArgumentError, TypeError) as error:
        name = getattr(error, "argument", "metadata")
        key = keys.get(name) or name
        reason = getattr(error, "reason", "expected an object")
        raise DocumentError(_json.join(at, key), reason, "wrong-value") from None


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _any_color(value: Any) -> Any:
    """
    Three integers, or ``"#rrggbb"`` with or without ``#`` and an opacity.
    """
    if not isinstance(value, str):
        return as_rgb(value)
    text = "#" + value.removeprefix("#")
    return as_rgb(text[:7] if len(text) == 9 else text)


def _convert(
    values: dict[str, Any],
    name: str,
    convert: Callable[[Any], Any],
    keys: Mapping[str, str | None],
    at: str,
) -> None:
    if name not in values:
        return
    try:
        values[name] = convert(values[name])
    except ArgumentError as error:
        place = _json.join(at, keys[name] or name)
        raise DocumentError(place, error.reason, "wrong-value") from None
