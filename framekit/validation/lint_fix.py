"""
Fixed masks, written: checked before they appear, the original kept.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.decoding.image.scheme import PalettePng
from framekit.decoding.image.source import Limits, LoadedImage
from framekit.errors import ArgumentError, StorageError, UnreadableMaskError
from framekit.storage import Storage
from framekit.validation.lint_result import Change, Fix
from framekit.validation.mask_file import Alpha, MaskFile, read_mask, repainted
from framekit.validation.stray import Survey

__all__ = ["Destination", "Options", "write_fix"]

#: Changes that a fix lists.
_TOP: Final = 16

#: Pixels that are compared at once.
_BAND: Final = 1 << 20


@frozen
class Destination:
    """
    Where a fixed mask goes.
    """

    path: Path = field(converter=Path)

    #: Where the file that is now at *path* goes; it must not exist.
    backup: Path | None = None


@frozen
class Options:
    """
    How masks are read.
    """

    alpha: Alpha
    palette_png: PalettePng
    within: float | None
    storage: Storage
    limits: Limits


def write_fix(
    file: LoadedImage,
    mask: MaskFile,
    found: Survey,
    destination: Destination,
    options: Options,
) -> Fix:
    """
    Write what *found* says that can be fixed.

    Raises:
        ArgumentError: If the mask would be overwritten without a backup.
        StorageError: If a file cannot be written.
        UnreadableMaskError: If PNG cannot hold its pixels.
    """
    places, keys = found.places, mask.scheme.lookup.keys[found.positions]
    if not len(places):
        return Fix(path=None, backup=None, changed=0, left=found.stray)
    _check_destination(mask, destination, options.storage)
    data, fits = repainted(mask, places, keys)
    places, keys = places[fits], keys[fits]
    if not len(places):
        return Fix(path=None, backup=None, changed=0, left=found.stray)
    _read_back(LoadedImage(mask.uri, data, "image/png"), mask, places, keys, options)
    changes = _changes(mask, places, keys)
    _write(data, file.data, destination)
    backup = destination.backup
    return Fix(
        path=os.fspath(destination.path),
        backup=None if backup is None else os.fspath(backup),
        changed=len(places),
        left=found.stray - len(places),
        changes=changes,
    )


def _check_destination(
    mask: MaskFile, destination: Destination, storage: Storage
) -> None:
    try:
        same = storage.path_of(mask.uri).samefile(destination.path)
    except (OSError, ValueError):
        same = False
    if same and destination.backup is None:
        reason = f"{mask.uri} would be overwritten; name a backup"
        raise ArgumentError("destination", reason)
    if same and mask.content_type != "image/png":
        kind = mask.content_type.removeprefix("image/").upper()
        reason = f"a {kind} file, which is not fixed in place; it becomes a PNG"
        raise UnreadableMaskError(mask.uri, reason)


def _read_back(
    file: LoadedImage,
    mask: MaskFile,
    places: NDArray[np.intp],
    keys: NDArray[np.uint32],
    options: Options,
) -> None:
    """
    See that the file holds what it should: the same keys but for those at *places*.

    Raises:
        UnreadableMaskError: If not.
    """
    palette_png: PalettePng = "indices" if mask.scheme.by_index else "colors"
    written = read_mask(
        file,
        mask.palette,
        alpha=options.alpha,
        palette_png=palette_png,
        limits=options.limits,
        whole=True,
    )
    width, height = mask.size
    rows = max(1, _BAND // width)
    for start in range(0, height, rows):
        expected = mask.keys(start, start + rows)
        first, last = np.searchsorted(places, [start * width, (start + rows) * width])
        flat = expected.reshape(-1)
        flat[places[first:last] - start * width] = keys[first:last]
        if not np.array_equal(written.keys(start, start + rows), expected):
            reason = "the fixed mask does not read back as it was written"
            raise UnreadableMaskError(mask.uri, reason)


def _changes(
    mask: MaskFile, places: NDArray[np.intp], keys: NDArray[np.uint32]
) -> tuple[Change, ...]:
    """
    The most frequent changes.
    """
    width, height = mask.size
    rows = max(1, _BAND // width)
    before = np.empty(len(places), np.uint32)
    for start in range(0, height, rows):
        first, last = np.searchsorted(places, [start * width, (start + rows) * width])
        flat = mask.keys(start, start + rows).reshape(-1)
        before[first:last] = flat[places[first:last] - start * width]
    pairs, counts = np.unique(
        before.astype(np.uint64) << np.uint64(32) | keys, return_counts=True
    )
    order = np.lexsort((pairs, -counts))[:_TOP]
    color_of = mask.scheme.color_of
    return tuple(
        Change(color_of(int(pairs[n]) >> 32), color_of(int(pairs[n]) & 0xFFFFFFFF), c)
        for n, c in zip(order.tolist(), counts[order].tolist(), strict=True)
    )


def _write(data: bytes, original: bytes, destination: Destination) -> None:
    """
    Put *data* under its name in one step, after the backup, if there is one.
    """
    path = destination.path
    try:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        if destination.backup is not None:
            with destination.backup.open("xb") as file:
                file.write(original)
                file.flush()
                os.fsync(file.fileno())
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StorageError(os.fspath(destination.path), reason) from None
