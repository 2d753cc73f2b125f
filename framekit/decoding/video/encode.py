"""
Label maps to mask videos that decode to the same label maps.

Lossless RGB is exact and, on masks, smaller than lossy 4:2:0 of quality 18; what is
written is read back and compared before anybody relies on it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from fractions import Fraction
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from framekit.decoding.label_map import LabelMap, id_dtype, void_of
from framekit.decoding.report import DecodeReport
from framekit.decoding.video._av import Frame
from framekit.decoding.video.index import as_milliseconds
from framekit.decoding.video.mask_video import MaskVideo
from framekit.decoding.video.options import check
from framekit.decoding.video.writing import write_video
from framekit.errors import (
    ArgumentError,
    PaletteError,
    StorageError,
    UnreadableMaskError,
)
from framekit.palette import Palette, PaletteEntry

__all__ = ["Values", "encode_mask_video"]

#: What the pixels of a mask video hold.
Values = Literal["color", "index", "id"]

_CONTAINERS: Final = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}

#: Without reordering, so that the first packet is the first frame at time 0.
_OPTIONS: Final = {"qp": "0", "g": "30", "bf": "0"}

_LARGEST_GRAY: Final = 255
_FINE_TICK: Final = Fraction(1, 90000)
_MOST_FPS: Final = 1000


def encode_mask_video(
    path: str | os.PathLike[str],
    label_maps: Iterable[LabelMap | NDArray[Any]],
    *,
    fps: Any = 30,
    timestamps: Iterable[Any] | None = None,
    values: Values = "color",
    palette: Palette | None = None,
    void: Any = None,
) -> None:
    """
    Write *label_maps* as a lossless mask video, and read it back.

    The file appears under its name when it is known to be right.

    Args:
        path: The name ends in .mp4, .m4v, .mov or .mkv.
        label_maps: Of one palette and one size; taken one at a time.
        fps: Frames a second.
        timestamps: When each frame appears, in ms, from 0 on, in place of *fps*.
        values: ``"color"`` writes RGB; ``"index"`` gray of the entries' indices
            (their ids where they have none), ``"id"`` gray of ids, up to 255.
        palette: For label maps that are plain (H, W) arrays of ids.
        void: The color or gray value of pixels without a label; by default black,
            or 255, if no entry has it.

    Raises:
        ArgumentError: If an argument is refused.
        PaletteError: If the palette's values do not fit the kind of file.
        StorageError: If the file cannot be written.
        UnreadableMaskError: If it does not read back as it was written.
    """
    check("values", values, Values)
    target = Path(path)
    kind = _CONTAINERS.get(target.suffix.lower())
    if kind is None:
        reason = f"expected a name that ends in one of {sorted(_CONTAINERS)}: {target}"
        raise ArgumentError("path", reason)
    maps = iter(label_maps)
    first = next(maps, None)
    if first is None:
        raise ArgumentError("label_maps", "expected at least one")
    found = _palette_of(first, palette)
    painter = _Painter.of(found, values, void)
    written = _Written(_as_label_map(first, found), painter)
    clock = _clock(fps, timestamps)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}{target.suffix}")
    try:
        with part.open("x+b") as file:
            write_video(
                file,
                kind,
                painter.codec,
                painter.pixel_format,
                _OPTIONS,
                clock.tick,
                written.frames(chain([first], maps), clock),
                str(target),
            )
        written.check(part, str(target))
        part.replace(target)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(str(target), error.strerror or str(error)) from None
    finally:
        part.unlink(missing_ok=True)


@frozen
class _Clock:
    """
    Times for frames that come one by one.
    """

    tick: Fraction
    times: Iterator[int] = field(repr=False)

    #: Whether there is a time for every frame and a frame for every time.
    bounded: bool


def _clock(fps: Any, timestamps: Iterable[Any] | None) -> _Clock:
    if timestamps is None:
        rate = _as_rate(fps)
        return _Clock(1 / rate, iter(range(1 << 62)), bounded=False)
    ticks: list[int] = []
    for timestamp in timestamps:
        moment = round(as_milliseconds(timestamp) / 1000 / _FINE_TICK)
        if (not ticks and moment) or (ticks and moment <= ticks[-1]):
            reason = f"expected increasing ms from 0 on, got {timestamp!r}"
            raise ArgumentError("timestamps", reason)
        ticks.append(moment)
    return _Clock(_FINE_TICK, iter(ticks), bounded=True)


def _as_rate(fps: Any) -> Fraction:
    try:
        rate = as_milliseconds(fps)
    except ArgumentError:
        rate = Fraction(0)
    if not 0 < rate <= _MOST_FPS:
        reason = f"expected a number above 0 and up to {_MOST_FPS}, got {fps!r}"
        raise ArgumentError("fps", reason)
    ntsc = Fraction(round(rate) * 1000, 1001)  # 29.97 means 30000/1001
    if abs(rate - ntsc) < Fraction(1, 200) and rate.denominator != 1:
        return ntsc
    return rate.limit_denominator(100_000)


@frozen(eq=False)
class _Painter:
    """
    From ids to pixels, and the palette that reads these pixels back.
    """

    gray: bool
    palette: Palette
    table: dict[int, int] = field(repr=False)
    void: Any = None

    @property
    def codec(self) -> str:
        return "libx264" if self.gray else "libx264rgb"

    @property
    def pixel_format(self) -> str:
        return "gray" if self.gray else "rgb24"

    @classmethod
    def of(cls, palette: Palette, values: Values, void: Any) -> _Painter:
        if values == "color":
            return cls(gray=False, palette=palette, table={}, void=void)
        table: dict[int, int] = {}
        for entry in palette:
            number = entry.id or 0
            value = number
            if values == "index" and entry.index is not None:
                value = entry.index
            if value > _LARGEST_GRAY:
                reason = f"{entry.name!r} is {value}; gray video holds 0 to 255"
                raise PaletteError(reason)
            table[number] = value
        background = _LARGEST_GRAY if void is None else void
        if not isinstance(background, int) or not 0 <= background <= _LARGEST_GRAY:
            reason = f"expected a gray value from 0 to 255, got {void!r}"
            raise ArgumentError("void", reason)
        entries = [
            PaletteEntry(id=entry.id, index=table[entry.id or 0], labels=entry.labels)
            for entry in palette
        ]
        reading = Palette.indexed(entries)
        return cls(gray=True, palette=reading, table=table, void=background)

    def paint(self, label_map: LabelMap) -> NDArray[np.uint8]:
        """
        (H, W, 3) RGB, or (H, W) gray.
        """
        if not self.gray:
            return label_map.to_rgb(void=self.void)
        ids, places = np.unique(label_map.ids, return_inverse=True)
        gray = np.zeros(len(ids), np.uint8)
        for place, number in enumerate(ids):
            if int(number) == label_map.void:
                if self.void in self.table.values():
                    reason = f"void needs a value, {self.void} has a label; set void="
                    raise PaletteError(reason)
                gray[place] = self.void
            else:
                gray[place] = self.table[int(number)]
        return np.asarray(gray[places].reshape(label_map.ids.shape))


@define(eq=False)
class _Written:
    """
    What went into the file, for comparison with what comes out.
    """

    first: LabelMap
    painter: _Painter
    digests: list[bytes] = field(factory=list)
    moments: list[Fraction] = field(factory=list)

    def frames(
        self, label_maps: Iterable[Any], clock: _Clock
    ) -> Iterator[tuple[int, int, Frame]]:
        waiting: tuple[int, Frame] | None = None
        duration = 1
        for label_map in label_maps:
            pts = next(clock.times, None)
            if pts is None:
                reason = f"only {len(self.digests)}, and more label maps"
                raise ArgumentError("timestamps", reason)
            checked = self._checked(label_map)
            self.digests.append(_digest(checked.ids))
            self.moments.append(pts * clock.tick * 1000)
            if waiting is not None:
                duration = pts - waiting[0]
                yield waiting[0], duration, waiting[1]
            pixels = self.painter.paint(checked)
            frame = Frame.from_ndarray(pixels, format=self.painter.pixel_format)
            waiting = pts, frame
        if clock.bounded and next(clock.times, None) is not None:
            reason = f"more than the {len(self.digests)} label maps"
            raise ArgumentError("timestamps", reason)
        if waiting is not None:
            if clock.bounded and len(self.digests) == 1:
                duration = int(1 / clock.tick / 30)
            yield waiting[0], duration, waiting[1]

    def _checked(self, label_map: Any) -> LabelMap:
        found = _as_label_map(label_map, self.first.palette)
        number = len(self.digests)
        if found.palette != self.first.palette:
            reason = f"number {number} has another palette than the first"
            raise ArgumentError("label_maps", reason)
        if found.shape != self.first.shape:
            reason = f"number {number} is {found.shape}, the first {self.first.shape}"
            raise ArgumentError("label_maps", reason)
        return found

    def check(self, path: Path, uri: str) -> None:
        """
        Read the video at *path* and compare every id and every time.
        """
        count = 0
        with MaskVideo(path, self.painter.palette, uri=uri) as video:
            for item in video:
                same = (
                    count < len(self.digests)
                    and _digest(item.label_map.ids) == self.digests[count]
                    and abs(item.exact_timestamp - self.moments[count]) * 2 <= 1
                )
                if not same:
                    reason = f"frame {count} does not read back as it was written"
                    raise UnreadableMaskError(uri, reason)
                count += 1
        if count != len(self.digests):
            reason = f"{len(self.digests)} frames were written, {count} read back"
            raise UnreadableMaskError(uri, reason)


def _digest(ids: NDArray[Any]) -> bytes:
    return blake2b(np.ascontiguousarray(ids).data, digest_size=16).digest()


def _palette_of(first: Any, palette: Palette | None) -> Palette:
    if isinstance(first, LabelMap):
        return first.palette
    if palette is None:
        reason = "expected one, since the label maps are arrays"
        raise ArgumentError("palette", reason)
    return palette


def _as_label_map(value: Any, palette: Palette) -> LabelMap:
    if isinstance(value, LabelMap):
        return value
    ids = np.asarray(value)
    if ids.ndim != 2 or not ids.size or not np.issubdtype(ids.dtype, np.integer):
        reason = f"expected (H, W) integers, got {ids.shape} {ids.dtype}"
        raise ArgumentError("label_maps", reason)
    known = {entry.id for entry in palette} | {void_of(palette)}
    unknown = [int(number) for number in np.unique(ids) if int(number) not in known]
    if unknown:
        reason = f"the palette has no id {unknown[0]}"
        raise ArgumentError("label_maps", reason)
    typed: Any = np.array(ids, id_dtype(palette), order="C")
    return LabelMap(typed, palette, DecodeReport(exact=True))
