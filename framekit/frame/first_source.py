"""
A frame's first source, in ClearML's words: many frames have only that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve

from framekit.errors import ArgumentError
from framekit.frame.source import Mask, Preview, Source
from framekit.frame.values import as_count, as_tuple

__all__ = ["FIRST_MASK_ID", "FirstSource", "source_from_arguments"]

#: The id that ClearML gives the first mask of a source that names none.
FIRST_MASK_ID = "00"


class FirstSource:
    """
    What :class:`SingleFrame` says about the first of its sources.
    """

    __slots__ = ()

    sources: tuple[Source, ...]

    @property
    def source(self) -> str | None:
        """
        URI of the first source.
        """
        return self.sources[0].uri if self.sources else None

    @source.setter
    def source(self, uri: str) -> None:
        if self.sources:
            self._replace_first(uri=uri)
        else:
            self._set((Source(id="default", uri=uri),))

    @property
    def width(self) -> int | None:
        """
        Width of the first source, in pixels.
        """
        return self.sources[0].width if self.sources else None

    @property
    def height(self) -> int | None:
        """
        Height of the first source, in pixels.
        """
        return self.sources[0].height if self.sources else None

    @property
    def size(self) -> tuple[int | None, int | None]:
        """
        Width and height of the first source, in pixels.
        """
        return self.width, self.height

    @property
    def preview_uri(self) -> str | None:
        """
        URI of the first source's preview.
        """
        preview = self.sources[0].preview if self.sources else None
        return preview.uri if preview else None

    @preview_uri.setter
    def preview_uri(self, uri: str) -> None:
        self._replace_first(preview=Preview(uri=uri))

    @property
    def mask_source(self) -> str | None:
        """
        URI of the first source's first mask.
        """
        masks = self.sources[0].masks if self.sources else ()
        return masks[0].uri if masks else None

    @mask_source.setter
    def mask_source(self, uri: str) -> None:
        masks = self._first().masks
        first = evolve(masks[0], uri=uri) if masks else Mask(id=FIRST_MASK_ID, uri=uri)
        self._replace_first(masks=(first, *masks[1:]))

    @property
    def masks_source(self) -> dict[str, str]:
        """
        ``{id: URI}`` of the first source's masks.
        """
        masks = self.sources[0].masks if self.sources else ()
        return {mask.id: mask.uri for mask in masks}

    @masks_source.setter
    def masks_source(self, value: Mapping[str, str] | Iterable[str]) -> None:
        self._replace_first(masks=_masks_from_argument(value))

    def _first(self) -> Source:
        if not self.sources:
            raise ArgumentError("source", "the frame has no source yet; set it first")
        return self.sources[0]

    def _replace_first(self, **changes: Any) -> None:
        self._set((evolve(self._first(), **changes), *self.sources[1:]))

    def _set(self, sources: tuple[Source, ...]) -> None:
        # The slot is SingleFrame's.
        self.sources = sources  # type: ignore[misc]


def source_from_arguments(
    uri: str,
    *,
    timestamp: int | None,
    width: Any,
    height: Any,
    size: Any,
    hash: Any,
    preview_uri: Any,
    preview_uri_timestamp: Any,
    mask_source: Any,
    masks_source: Any,
) -> Source:
    """
    Build the source that ClearML's arguments describe.

    Raises:
        ArgumentError: If a value is refused, or arguments exclude each other.
    """
    if size is not None:
        if width is not None or height is not None:
            raise ArgumentError("size", "excludes width= and height=")
        pair = as_tuple(size)
        if len(pair) != 2:
            reason = f"expected width and height, got {len(pair)} values"
            raise ArgumentError("size", reason)
        width, height = (as_count(part, argument="size") for part in pair)
    if preview_uri_timestamp is not None and preview_uri is None:
        reason = "goes with preview_uri, which is missing"
        raise ArgumentError("preview_uri_timestamp", reason)
    if mask_source is not None and masks_source is not None:
        raise ArgumentError("masks_source", "excludes mask_source=; use one of the two")
    if mask_source is not None:
        masks_source = (mask_source,)
    preview = preview_uri and Preview(uri=preview_uri, timestamp=preview_uri_timestamp)
    return Source(
        id="default",
        uri=uri,
        width=width,
        height=height,
        timestamp=timestamp,
        metadata={"hash": {"source": hash}} if hash is not None else {},
        preview=preview or None,
        masks=_masks_from_argument(masks_source) if masks_source else (),
    )


def _masks_from_argument(value: Any) -> tuple[Mask, ...]:
    if isinstance(value, str):
        raise ArgumentError("masks_source", f"expected {{id: URI}}; got {value!r}")
    if isinstance(value, Mapping):
        return tuple(Mask(id=id, uri=uri) for id, uri in value.items())
    return tuple(Mask(id=f"{n:02}", uri=uri) for n, uri in enumerate(value))
