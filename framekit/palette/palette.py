"""
Palettes: which color, or which pixel value, stands for which labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from os import PathLike
from typing import Any, Self, overload

from attrs import evolve

from framekit.color import RGB, Matrix, in_range
from framekit.errors import ArgumentError
from framekit.frame import SingleFrame
from framekit.palette.entry import VOID, PaletteEntry, entries_from
from framekit.palette.frame_entries import entries_of
from framekit.palette.linking import mask_of
from framekit.palette.sharing import Shared, as_shared, numbered, settled
from framekit.problem import Problem

__all__ = ["Palette"]


class Palette(Sequence[PaletteEntry]):
    """
    An immutable sequence of entries; equal palettes decode alike.

    ``palette[id]`` gives the entry of an id, not of a position; all else, like
    iteration, slices and :meth:`index`, is by position.
    """

    _entries: tuple[PaletteEntry, ...]

    def __init__(
        self,
        entries: Mapping[Any, Any] | Iterable[PaletteEntry | tuple[Any, Any]] = (),
        *,
        shared: Shared = "error",
    ) -> None:
        """
        Collect *entries*: ``{color: labels}``, pairs of them, or entries.

        Args:
            entries: Colors are three integers or ``"#rrggbb"``, labels one text
                or several; none, ``None`` or ``[]``, marks void pixels.
            shared: What to do when one color has two label sets: refuse, let
                the first entry win (all are kept, lookups give the first), or
                give the first the labels of all.

        Raises:
            PaletteError: If a color has two label sets, or an id is used twice.
            ArgumentError: If a value is refused.
        """
        found = settled(entries_from("color", entries), as_shared(shared))
        self._entries = numbered(found)

    @classmethod
    def indexed(
        cls,
        values: Mapping[int, Any] | Iterable[PaletteEntry | tuple[int, Any]],
        *,
        shared: Shared = "error",
    ) -> Self:
        """
        A palette of pixel values: ``{value: labels}``.

        For single-channel images, and for RGB images whose colors are numbers,
        R + 256 G + 65536 B.

        Raises:
            PaletteError: If a value has two label sets, or an id is used twice.
            ArgumentError: If a value is refused.
        """
        entries = list(entries_from("index", values))
        for entry in entries:
            if entry.index is None:
                raise ArgumentError("values", f"{entry!r} has no index")
        return cls(entries, shared=shared)

    @classmethod
    def from_frame(
        cls,
        frame: SingleFrame,
        source: str | None = None,
        mask: str | None = None,
        *,
        version: Any = None,
        restrict: bool = False,
        shared: Shared = "error",
    ) -> Self:
        """
        The palette of one mask of *frame*.

        The frame's ROIs come first, then the version's ``mask_labels`` of the
        mask, then those of all masks. Where they disagree the former counts, with
        a ``PaletteWarning``.

        Args:
            source: May be left out when the frame has one.
            mask: May be left out when the source has one.
            version: The version's ``mask_labels``, or a document that has them.
            restrict: Keep only the colors that ROIs name.
            shared: What to do when ROIs, or one level of the version, give one
                color two label sets.

        Raises:
            ArgumentError: If there is no such source or mask, or several and
                none is named.
            PaletteError: If the mask id of a ROI of *source* leads nowhere, or
                two ROIs give one color different labels.
        """
        shared = as_shared(shared)
        source, mask = mask_of(frame, source, mask)
        entries = entries_of(
            frame, source, mask, version=version, restrict=restrict, shared=shared
        )
        return cls(entries, shared=shared)

    @classmethod
    def from_dict(cls, data: Any, *, shared: Shared | None = None) -> Self:
        """
        Read what :meth:`to_dict` gives, or a table of classes as others write it.

        Such a table is an array of objects with ``name``, ``color`` and the like.

        Args:
            shared: Instead of what the document says.

        Raises:
            DocumentError: If *data* is neither; ``at`` is the JSON path.
            PaletteError: If entries contradict each other.
        """
        from framekit.palette.document import palette_from_dict

        return palette_from_dict(cls, data, shared=shared)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the palette as JSON values, from which it can be read back equal.
        """
        from framekit.palette.document import palette_to_dict

        return palette_to_dict(self)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        format: str | None = None,
        shared: Shared | None = None,
    ) -> Self:
        """
        Read a palette file.

        Args:
            format: ``"json"`` (ours, or an array of classes), ``"labelmap"``
                (CVAT's ``label:r,g,b:parts:actions``), ``"camvid"`` (``r g b name``)
                or ``"csv"``; by default what the name and the content say.
            shared: What to do when one color has two label sets; by default
                what a JSON document says, else refuse.

        Raises:
            StorageError: If the file cannot be read.
            DocumentError: If it is not of the format; ``at`` is the file with
                the line or the JSON path.
            PaletteError: If its entries contradict each other.
        """
        from framekit.palette.files import load

        return load(cls, path, format=format, shared=shared)

    def save(self, path: str | PathLike[str], *, format: str | None = None) -> None:
        """
        Write a palette file; JSON keeps everything.

        Other formats warn (``PaletteWarning``) about what they have no place for,
        and refuse what would be read back as something else. Without *format* the
        name decides: ``.json``, ``.csv``, ``…color….txt`` (CamVid), ``.txt``.

        Raises:
            PaletteError: If the format cannot hold the labels or colors.
            StorageError: If the file cannot be written.
        """
        from framekit.palette.files import save

        save(self, path, format=format)

    @classmethod
    def known(cls, name: str) -> Self:
        """
        The palette of a well-known data set.

        Ids are the data set's own pixel values, which are the indices, too; where
        labels share a color, it stands for the first (see ``palette/known.py``).

        Args:
            name: ``"ade20k"``, ``"camvid"``, ``"cityscapes"``,
                ``"cityscapes-train"`` (ids are train ids) or ``"voc"``.

        Raises:
            ArgumentError: If there is none of that name.
        """
        from framekit.palette.known import known_entries

        return cls(known_entries(name), shared="first")

    @classmethod
    def generate(
        cls,
        labels: Iterable[Any],
        *,
        lossy: bool = True,
        seed: int = 0,
        avoid: Iterable[Any] = (),
        black: str | None = None,
    ) -> Self:
        """
        Make colors for *labels*: the same for the same arguments, everywhere.

        Args:
            labels: One label, or a list of labels, for each entry.
            lossy: Colors far enough apart to survive video at CRF 28, in each of
                the common YUV matrices.
            seed: Another number gives other colors.
            avoid: Colors, or a palette, to stay clear of.
            black: The label that gets black; nothing else does, since black is
                what unpainted pixels are.

        Raises:
            PaletteError: If there is no room for so many labels.
            ArgumentError: If a value is refused.
        """
        from framekit.palette.generate import generated_entries

        return cls(
            generated_entries(labels, lossy=lossy, seed=seed, avoid=avoid, black=black)
        )

    def audit(
        self, *, lossy: bool = False, matrix: Matrix = "bt601", full_range: bool = False
    ) -> list[Problem]:
        """
        What may go wrong with these colors and values; empty if nothing.

        Codes: ``palette-shared-color``, ``palette-shared-index``,
        ``color-out-of-range``, ``index-out-of-range`` and, for lossy video,
        ``palette-too-close`` and ``palette-gray-ids-merge``.

        Args:
            lossy: Whether masks are lossy video.
            matrix: How that video turns RGB into YUV.
            full_range: Whether its values fill 0 to 255.

        Raises:
            ArgumentError: If *matrix* is unknown.
        """
        from framekit.palette.audit import audit

        return audit(self, lossy=lossy, matrix=matrix, full_range=full_range)

    def indexed_by_id(self) -> Self:
        """
        The same palette for images whose pixel values are its ids.

        For tables that call the pixel value ``id``; void entries stay as they are.
        """
        return type(self)(
            (e if e.id is None else evolve(e, index=e.id) for e in self),
            shared="first",
        )

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[PaletteEntry]:
        return iter(self._entries)

    def __reversed__(self) -> Iterator[PaletteEntry]:
        return reversed(self._entries)

    @overload
    def __getitem__(self, id: int) -> PaletteEntry: ...
    @overload
    def __getitem__(self, id: slice) -> tuple[PaletteEntry, ...]: ...
    def __getitem__(self, id: int | slice) -> PaletteEntry | tuple[PaletteEntry, ...]:
        if isinstance(id, slice):
            return self._entries[id]
        try:
            return self._by_id[id]
        except KeyError:
            raise IndexError(f"the palette has no id {id}") from None

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """
        The position of an entry.

        Raises:
            ValueError: If it is not in the palette.
        """
        return self._entries.index(value, start, len(self) if stop is None else stop)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Palette):
            return NotImplemented
        return self._entries == other._entries

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        # Not what is cached: hashes of text differ from process to process.
        return {"_entries": self._entries}

    def __repr__(self) -> str:
        shown = ", ".join(f"{e.marker}: {e.name!r}" for e in self._entries[:6])
        more = f", … {len(self) - 6} more" if len(self) > 6 else ""
        return f"Palette({{{shown}{more}}})"

    def _repr_html_(self) -> str:
        from framekit.palette.notebook import palette_html

        return palette_html(self)

    @cached_property
    def _hash(self) -> int:
        return hash(self._entries)

    @cached_property
    def _by_id(self) -> Mapping[int, PaletteEntry]:
        return {entry.id: entry for entry in self if entry.id is not None}

    @cached_property
    def _ids_by_label(self) -> Mapping[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        for entry in self:
            for label in entry.labels if entry.id is not None else ():
                found.setdefault(label, []).append(entry.id)  # type: ignore[arg-type]
        return {label: tuple(ids) for label, ids in found.items()}

    @cached_property
    def is_indexed(self) -> bool:
        """
        Whether every entry that a pixel can lead to has a pixel value.
        """
        found: Mapping[Any, int] = self.ids_by_color
        return bool(self.ids_by_index) and not any(
            entry.index is None and found.get(entry.color) == entry.id_or_void
            for entry in self
        )

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """
        Every label once, in the order of the entries; names of void are none.
        """
        return tuple(self._ids_by_label)

    @cached_property
    def ids_by_color(self) -> Mapping[RGB, int]:
        """
        Ids of the colors that pixels can have; of shared colors the first.

        Void entries have ``VOID``, -1.
        """
        found: dict[RGB, int] = {}
        for entry in self:
            if entry.color is not None and in_range(entry.color):
                found.setdefault(entry.color, entry.id_or_void)
        return found

    @cached_property
    def ids_by_index(self) -> Mapping[int, int]:
        """
        Ids of the pixel values; of shared values the first.

        Void entries have ``VOID``, -1.
        """
        found: dict[int, int] = {}
        for entry in self:
            if entry.index is not None:
                found.setdefault(entry.index, entry.id_or_void)
        return found

    @cached_property
    def void_color(self) -> RGB | None:
        """
        The color of the first void entry that has one; None without.
        """
        return next((c for c, id in self.ids_by_color.items() if id == VOID), None)

    def ids_of(self, label: str) -> tuple[int, ...]:
        """
        The ids of all entries that have *label*.

        Raises:
            ArgumentError: If none has; the message names the known labels.
        """
        try:
            return self._ids_by_label[label]
        except KeyError:
            reason = f"{label!r} is no label of the palette: {list(self.labels)[:20]}"
            raise ArgumentError("label", reason) from None
