"""
One entry of a palette.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any, Final

from attrs import Factory, field, frozen

from framekit.color import as_rgb, in_range, to_hex
from framekit.errors import ArgumentError
from framekit.frame.values import as_color_value, as_labels, as_mapping

__all__ = ["MAX_ID", "VOID", "PaletteEntry", "entries_from"]

#: Ids are 31-bit, so that label maps hold them as int32 beside a void of -1.
MAX_ID: Final = 2**31 - 1

#: What stands for void entries, which have no id, where ids are looked up.
#: Label maps hold it as it is in int32, and as 255 in uint8.
VOID: Final = -1


def _as_labels(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    names = (value,) if isinstance(value, str) else as_labels(value)
    return tuple(dict.fromkeys(names))


def _as_color(value: Any) -> tuple[int, int, int] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return as_rgb(value)
    return as_color_value(value, argument="color")


def _as_whole(value: Any, *, argument: str) -> int | None:
    if value is None:
        return None
    whole = isinstance(value, Integral) or (
        isinstance(value, Real) and float(value).is_integer()
    )
    if isinstance(value, bool) or not whole or not 0 <= int(value) <= MAX_ID:
        reason = f"expected a whole number from 0 to {MAX_ID}, got {value!r}"
        raise ArgumentError(argument, reason)
    return int(value)


def _as_truth(value: Any, *, argument: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if type(value).__name__ in ("bool", "bool_"):  # NumPy's
        return bool(value)
    raise ArgumentError(argument, f"expected true, false or nothing, got {value!r}")


def _as_id(value: Any) -> int | None:
    return _as_whole(value, argument="id")


def _as_index(value: Any) -> int | None:
    return _as_whole(value, argument="index")


def _as_thing(value: Any) -> bool | None:
    return _as_truth(value, argument="thing")


def _as_void(value: Any) -> bool:
    return bool(_as_truth(value, argument="void"))


@frozen(kw_only=True)
class PaletteEntry:
    """
    One color or pixel value, and what it stands for.

    A color out of range is kept as the data had it; it never matches a pixel.
    Without labels, or with ``void=True``, it marks pixels that have no label:
    known, not counted as unknown, and void in label maps. Such an entry has no
    id; labels it has are only its name.
    """

    #: What label maps hold for it; None until a palette gives it its position,
    #: and for void entries.
    id: int | None = field(default=None, converter=_as_id)

    color: tuple[int, int, int] | None = field(default=None, converter=_as_color)

    #: The pixel value in single-channel images, or R + 256 G + 65536 B.
    index: int | None = field(default=None, converter=_as_index)

    #: Each once; a single text is taken for one label.
    labels: tuple[str, ...] = field(default=(), converter=_as_labels)

    #: Whether it is a countable thing (True) or stuff (False); None if unknown.
    thing: bool | None = field(default=None, converter=_as_thing)

    #: Whether its pixels have no label; by default if there are no labels.
    void: bool = field(
        default=Factory(lambda self: not self.labels, takes_self=True),
        converter=_as_void,
    )

    metadata: Mapping[str, Any] = field(
        factory=dict, converter=as_mapping, hash=False, repr=False
    )

    #: JSON keys that framekit has no field for.
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)
    _kept_empty: tuple[str, ...] = field(default=(), eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.void and not self.labels:
            reason = "expected at least one; an entry without labels is void"
            raise ArgumentError("labels", reason)
        if self.void and self.id is not None:
            reason = f"expected none for a void entry, got {self.id}"
            raise ArgumentError("id", reason)

    @property
    def id_or_void(self) -> int:
        """
        The id, or ``VOID``: what lookups give for the color and the index.
        """
        return VOID if self.id is None else self.id

    @property
    def name(self) -> str:
        """
        The labels as one text; ``"void"`` if there are none.
        """
        return ", ".join(self.labels) if self.labels else "void"

    @property
    def marker(self) -> str:
        """
        The color as ``"#rrggbb"``, else the index, as one text.
        """
        if self.color is None:
            return str(self.index)
        return to_hex(self.color) if in_range(self.color) else str(self.color)


def entries_from(key: str, items: Any) -> Iterator[PaletteEntry]:
    """
    Read ``{value: labels}``, pairs of them, or entries.

    Args:
        key: What the values are: ``"color"`` or ``"index"``.

    Raises:
        ArgumentError: If *items* are none of these, or a value is refused.
    """
    expected = f"expected {{{key}: labels}}, pairs of them, or entries"
    if isinstance(items, (str, bytes)) or not isinstance(items, Iterable):
        raise ArgumentError("entries", f"{expected}; got {items!r}")
    for item in items.items() if isinstance(items, Mapping) else items:
        if isinstance(item, PaletteEntry):
            yield item
            continue
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise ArgumentError("entries", f"{expected}; one is {item!r}")
        value, labels = item
        if key == "color":
            yield PaletteEntry(color=as_rgb(value), labels=labels)
        else:
            yield PaletteEntry(index=value, labels=labels)
