"""
Label files in order: masks, or a folder that ``framekit decode`` has written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen

from framekit import _json
from framekit.cli.lint_paths import found_images
from framekit.errors import ArgumentError, DocumentError, PaletteError, StorageError
from framekit.palette import Palette, PaletteEntry

if TYPE_CHECKING:
    from framekit.decoding.label_map import LabelMap

__all__ = ["LabelFiles", "label_files"]

_INDEX: Final = "index.jsonl"

#: What files of ids hold where there is no label: of 8 bits, and of 16 bits.
_VOID_IDS: Final = (255, 65535)


@frozen
class LabelFiles:
    """
    Files of labels, and how to read them.
    """

    paths: tuple[str, ...]

    palette: Palette = field(repr=False)

    #: Whether gray images hold ids.
    ids: bool = False

    #: The moment of each in ms, from 0 on, where they are known.
    timestamps: tuple[Any, ...] | None = field(default=None, repr=False)

    def label_maps(self) -> Iterator[LabelMap]:
        """
        Decode them one by one.

        Raises:
            UnknownColorError: If a file has a color that the palette does not have.
            UnreadableMaskError: If a file is damaged, or lossy.
        """
        from framekit.decoding.image.decode import decode_image, read_image_header
        from framekit.errors import UnreadableMaskError

        by_id = _by_id(self.palette) if self.ids else None
        for path in self.paths:
            palette = self.palette
            if by_id is not None and read_image_header(path).mode == "gray":
                palette = by_id
            found = decode_image(path, palette, unknown="error", alpha="void")
            if not found.report.lossless:
                raise UnreadableMaskError(
                    path, "a lossy file, whose labels are guesses"
                )
            # All of a video are of one palette; these two have the same ids.
            yield evolve(found, palette=self.palette)


def label_files(
    arguments: Sequence[str],
    *,
    palette: str | None,
    ids: bool,
    source: str | None,
    mask: str | None,
) -> LabelFiles:
    """
    Find the files that *arguments* name.

    Raises:
        ArgumentError: If there are none, a choice is missing, or one has failed.
        DocumentError: If the index of a folder is damaged.
    """
    timestamps = None
    if len(arguments) == 1 and (Path(arguments[0]) / _INDEX).is_file():
        folder = Path(arguments[0])
        entries = _chosen(_entries(folder), source, mask)
        paths = tuple(_inside(folder, entry["file"]) for entry in entries)
        timestamps = _timestamps(entries)
        ids = True
    elif source is not None or mask is not None:
        option = "--source" if source is not None else "--mask"
        raise ArgumentError(option, "goes with a folder of framekit decode")
    else:
        paths = tuple(path for each in arguments for path, _ in found_images(each))
    found = Palette.load(palette) if palette is not None else _own_palette(paths)
    return LabelFiles(paths, found, ids, timestamps)


def _entries(folder: Path) -> list[dict[str, Any]]:
    entries = []
    try:
        lines = (folder / _INDEX).read_bytes().splitlines()
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(str(folder / _INDEX), reason) from None
    for number, line in enumerate(lines, 1):
        at = f"{folder / _INDEX}:{number}"
        try:
            entry = _json.loads(line)
        except DocumentError as error:
            raise DocumentError(at, error.reason, error.code) from None
        if not isinstance(entry, dict):
            raise DocumentError(at, f"expected an object, got {_json.kind(entry)}")
        if "error" in entry:
            raise ArgumentError("LABELS", f"{at}: not decoded: {entry['error']}")
        if not isinstance(entry.get("file"), str):
            raise DocumentError(at, "the key 'file' is missing", "missing-key")
        entries.append(entry)
    if not entries:
        raise ArgumentError("LABELS", f"{folder / _INDEX} is empty")
    return entries


def _chosen(
    entries: list[dict[str, Any]], source: str | None, mask: str | None
) -> list[dict[str, Any]]:
    """
    The entries of one mask of one source.
    """
    kept = [
        entry
        for entry in entries
        if source in (None, entry.get("source")) and mask in (None, entry.get("mask"))
    ]
    kinds = {(entry.get("source"), entry.get("mask")) for entry in kept or entries}
    if not kept or len(kinds) > 1:
        known = ", ".join(sorted(f"{one} {other}" for one, other in kinds))
        reason = f"choose one with --source and --mask of: {known}"
        raise ArgumentError("LABELS", reason)
    return kept


def _inside(folder: Path, name: str) -> str:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ArgumentError("LABELS", f"{name} leads out of {folder}")
    return str(path)


def _timestamps(entries: list[dict[str, Any]]) -> tuple[Any, ...] | None:
    """
    The times of the entries, if they make up a video.
    """
    found = [entry.get("timestamp") for entry in entries]
    times = [t for t in found if isinstance(t, (int, float))]
    if len(times) != len(found) or times[0] != 0:
        return None
    rising = all(a < b for a, b in pairwise(times))
    return tuple(times) if rising else None


def _by_id(palette: Palette) -> Palette:
    """
    *palette* for files whose values are its ids.
    """
    entries = [evolve(entry, index=entry.id) for entry in palette if not entry.void]
    ids = {entry.id for entry in entries}
    entries += [
        PaletteEntry(index=value, void=True) for value in _VOID_IDS if value not in ids
    ]
    return Palette(entries, shared="first")


def _own_palette(paths: Sequence[str]) -> Palette:
    """
    The colors that palette images bring along, by index.

    Raises:
        ArgumentError: If there are other images, or they contradict each other.
    """
    colors: dict[int, tuple[int, int, int]] = {}
    for path in paths:
        for index, color in _used_colors(path).items():
            if colors.setdefault(index, color) != color:
                reason = f"needed: index {index} has another color in {path}"
                raise ArgumentError("--palette", reason)
    try:
        return Palette(
            PaletteEntry(
                id=index,
                index=index,
                color=color,
                labels="#{:02x}{:02x}{:02x}".format(*color),
            )
            for index, color in sorted(colors.items())
        )
    except PaletteError as error:
        raise ArgumentError("--palette", f"needed: {error}") from None


def _used_colors(path: str) -> Mapping[int, tuple[int, int, int]]:
    import numpy as np

    from framekit.decoding.image.reading import png_pixels
    from framekit.decoding.image.source import DEFAULT_LIMITS, load_image
    from framekit.decoding.png.chunks import PngError, open_png
    from framekit.errors import UnreadableMaskError

    file = load_image(path, None, None, DEFAULT_LIMITS)
    if file.content_type != "image/png":
        raise ArgumentError("--palette", f"needed for {path}, which is no PNG")
    try:
        png = open_png(
            file.data,
            max_side=DEFAULT_LIMITS.max_side,
            max_bytes=DEFAULT_LIMITS.max_bytes,
        )
        pixels = png_pixels(png, alpha=True)
    except PngError as error:
        raise UnreadableMaskError(path, error.reason) from None
    if pixels.palette is None:
        reason = f"needed for {path}, which has no colors of its own by index"
        raise ArgumentError("--palette", reason)
    used = pixels.samples
    if pixels.alpha is not None:
        used = used[pixels.alpha != 0]
    found = {}
    for index in np.unique(used).tolist():
        red, green, blue = pixels.palette[index].tolist()
        found[index] = (red, green, blue)
    return found
