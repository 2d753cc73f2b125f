"""
Mask videos: from moments to label maps.
"""

from __future__ import annotations

import contextlib
import warnings
import weakref
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar

from attrs import evolve

from framekit.decoding.color.yuv_labels import Mode
from framekit.decoding.label_map import LabelMap
from framekit.decoding.video import options as words
from framekit.decoding.video._av import Frame
from framekit.decoding.video.ahead import decode_all_ahead
from framekit.decoding.video.index import (
    FrameIndex,
    Match,
    Origin,
    as_milliseconds,
    index_video,
)
from framekit.decoding.video.labeler import Labeler
from framekit.decoding.video.mask_frame import MaskFrame
from framekit.decoding.video.media import media_of
from framekit.decoding.video.metadata import VideoMetadata, read_metadata
from framekit.decoding.video.options import (
    Alpha,
    ColorspaceOption,
    OnCorrupt,
    Options,
    Unknown,
)
from framekit.decoding.video.seeking import Decoded, decode_some
from framekit.errors import (
    ArgumentError,
    DecodeWarning,
    FramekitError,
    UnreadableMaskError,
)
from framekit.palette import Palette
from framekit.storage import Storage

__all__ = ["MaskFrame", "MaskVideo"]

T = TypeVar("T")


class MaskVideo:
    """
    A video whose colors are labels.

    Nothing is opened before it is needed, and nothing stays open between calls: an
    object can be pickled, if it was made from a path, and used after a fork. What
    is returned depends on the file, the palette, the options and the moment, not on
    what was decoded before.
    """

    def __init__(
        self,
        path_or_file: Any,
        palette: Palette,
        *,
        mode: Mode = "full",
        colorspace: ColorspaceOption = "auto",
        unknown: Unknown = "void",
        uncertain: words.Uncertain = "keep",
        threads: int = 1,
        on_corrupt: OnCorrupt = "raise",
        origin: Origin = "first_frame",
        match: Match = "display",
        alpha: Alpha = "ignore",
        autorotate: bool = True,
        storage: Storage | None = None,
        uri: str | None = None,
    ) -> None:
        """
        Check the options; the file is opened later.

        Args:
            path_or_file: A path, a URI, or a binary file that can seek; a file is
                read from its beginning each time and never closed.
            mode: What is done about borders in 4:2:0: ``"full"`` repair,
                ``"fast"`` repair or ``"nearest"`` color.
            colorspace: ``"auto"`` keeps the file's tags unless the palette fits
                another matrix or range far better, ``"tag"`` keeps them always,
                ``("bt709", "full")`` states both.
            unknown: Whether colors that the palette does not have become void, are
                an error, or become the nearest label.
            uncertain: Whether pixels decided by a small margin keep their label.
            threads: How many threads decode when all frames are read in order.
            on_corrupt: Whether frames that damage may have changed are an error, or
                are returned as ``tainted`` with or without a warning.
            origin: Whether time 0 is the first frame or the container's own.
            match: Whether a moment means the frame on screen, the nearest one, or
                one that begins then.
            alpha: Whether transparent pixels keep their label or become void.
            autorotate: Whether the rotation that the file asks for is done.
            storage: Where URIs lead.
            uri: How messages call the file.

        Raises:
            ArgumentError: If an option has a value it cannot have.
        """
        if not isinstance(palette, Palette):
            expected = f"expected a Palette, got {type(palette).__name__}"
            raise ArgumentError("palette", expected)
        words.check("on_corrupt", on_corrupt, OnCorrupt)
        words.check("origin", origin, Origin)
        words.check("match", match, Match)
        words.check_threads(threads)
        self._palette = palette
        self._options = Options(
            mode=mode,
            colorspace=colorspace,
            unknown=unknown,
            uncertain=uncertain,
            alpha=alpha,
        )
        self._threads = threads
        self._on_corrupt = on_corrupt
        self._origin: Origin = origin
        self._match: Match = match
        self._autorotate = bool(autorotate)
        self._media = media_of(path_or_file, storage=storage, uri=uri)
        self._forget()

    def _forget(self) -> None:
        self._index: FrameIndex | None = None
        self._known_labeler: Labeler | None = None
        self._metadata: VideoMetadata | None = None
        self._warned: set[str] = set()
        self._running: weakref.WeakSet[Generator[Any, None, None]] = weakref.WeakSet()

    def __getstate__(self) -> dict[str, Any]:
        kept = dict(self.__dict__)
        for name in ("_known_labeler", "_warned", "_running", "_metadata"):
            del kept[name]
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._forget()
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"MaskVideo({self.uri!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """
        Close what unfinished iterators hold open; the video can be used again.
        """
        for generator in list(self._running):
            with contextlib.suppress(ValueError):  # it runs in another thread
                generator.close()

    @property
    def uri(self) -> str:
        """
        How messages call the file.
        """
        return self._media.uri

    @property
    def index(self) -> FrameIndex:
        """
        The times of all frames, read when first asked for.

        Raises:
            StorageError: If the file cannot be opened.
            UnreadableMaskError: If it is no video, or has no frames.
        """
        if self._index is None:
            self._index = index_video(self._media, origin=self._origin)
            gaps = () if self._index.broken else self._index.gaps
            if gaps and self._on_corrupt != "ignore":
                self._warn(
                    "gaps",
                    f"frames seem to be missing after {gaps[0].after:g} ms"
                    + (f" and in {len(gaps) - 1} more places" if gaps[1:] else ""),
                )
        return self._index

    @property
    def metadata(self) -> VideoMetadata:
        """
        What the file says about itself; guesses are named as guesses.

        Raises:
            StorageError: If the file cannot be opened.
            UnreadableMaskError: If it is no video, or has no frames.
        """
        if self._metadata is None:
            self._metadata = read_metadata(self._media, self.index, self._labeler.first)
        return self._metadata

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[MaskFrame]:
        """
        Decode all frames in order, holding one at a time.

        Raises:
            UnreadableMaskError: At the first damage, if ``on_corrupt`` is "raise".
            UnknownColorError: If ``unknown`` is "error" and a color is.
            PaletteError: If the video cannot keep the palette's colors apart.
        """
        return self._tracked(self._all())

    def at(self, timestamp: Any) -> MaskFrame:
        """
        The frame at *timestamp*, in ms.

        Raises:
            TimestampError: If the video has none; the message names its range.
            UnreadableMaskError: If it is damaged, and ``on_corrupt`` is "raise".
            UnknownColorError: If ``unknown`` is "error" and a color is.
            PaletteError: If the video cannot keep the palette's colors apart.
        """
        return self.at_many([timestamp])[0]

    def at_many(self, timestamps: Iterable[Any]) -> list[MaskFrame]:
        """
        The frames at *timestamps*, in their order; duplicates are kept.

        Each group of pictures is decoded once.

        Raises:
            FramekitError: As :meth:`at` does, for any of them.
        """
        wanted = list(timestamps)
        for timestamp in wanted:
            self._position(timestamp)
        found: dict[int, MaskFrame] = {}
        for place, item in self.at_each(wanted):
            if isinstance(item, FramekitError):
                raise item
            found[place] = item
        return [found[place] for place in range(len(wanted))]

    def at_each(
        self, timestamps: Iterable[Any], *, palettes: Sequence[Palette] | None = None
    ) -> Generator[tuple[int, MaskFrame | FramekitError], None, None]:
        """
        The frames at *timestamps* as they are decoded: in the order of time.

        Args:
            palettes: One for each timestamp, in place of the video's own.

        Returns:
            Pairs: a place among the timestamps, and its frame, or why there is none.

        Raises:
            ArgumentError: If there is not one palette for each timestamp.
        """
        wanted = list(timestamps)
        own = [self._palette] * len(wanted) if palettes is None else list(palettes)
        if len(own) != len(wanted):
            reason = f"expected {len(wanted)}, one for each moment, got {len(own)}"
            raise ArgumentError("palettes", reason)
        return self._tracked(self._each(wanted, own))

    def _each(
        self, wanted: list[Any], palettes: list[Palette]
    ) -> Generator[tuple[int, MaskFrame | FramekitError], None, None]:
        places: dict[int, list[int]] = {}
        for place, timestamp in enumerate(wanted):
            try:
                places.setdefault(self._position(timestamp), []).append(place)
            except FramekitError as error:
                yield place, error
        try:
            with contextlib.closing(
                decode_some(self._media, self.index, places)
            ) as items:
                for item in items:
                    mine = places[item.position]
                    moments = [(n, wanted[n], palettes[n]) for n in mine]
                    yield from self._requested(item, moments)
                    del places[item.position]
        except FramekitError as error:
            for place in sorted(n for rest in places.values() for n in rest):
                yield place, error

    def _requested(
        self, item: Decoded, moments: list[tuple[int, Any, Palette]]
    ) -> Iterator[tuple[int, MaskFrame | FramekitError]]:
        """
        What one decoded frame is to each of those who asked for it.
        """
        made: dict[Palette, LabelMap] = {}
        for place, timestamp, palette in moments:
            try:
                frame = self._trusted(item)
                label_map = made.get(palette)
                if label_map is None:
                    label_map = made[palette] = self._labeler.label_map(frame, palette)
                else:
                    label_map = evolve(label_map, ids=label_map.ids.copy())
                found = self._mask_frame(item, label_map, timestamp)
            except FramekitError as error:
                yield place, error
            else:
                yield place, found

    def _all(self) -> Generator[MaskFrame, None, None]:
        with contextlib.closing(
            decode_all_ahead(self._media, self.index, threads=self._threads)
        ) as items:
            for item in items:
                if item.frame is None and self._on_corrupt != "raise":
                    self._warn_of_damage(item)
                    continue
                frame = self._trusted(item)
                label_map = self._labeler.label_map(frame, self._palette)
                yield self._mask_frame(item, label_map, None)
        if self.index.broken is not None:
            if self._on_corrupt == "raise":
                raise UnreadableMaskError(self.uri, self.index.broken)
            if self._on_corrupt == "warn":
                self._warn("damage", self.index.broken)

    def _tracked(self, generator: Generator[T, None, None]) -> Generator[T, None, None]:
        self._running.add(generator)
        return generator

    def _position(self, timestamp: Any) -> int:
        return self.index.find(timestamp, match=self._match, uri=self.uri)

    def _trusted(self, item: Decoded) -> Frame:
        """
        The frame of *item*, unless damage forbids.
        """
        if item.frame is None:
            raise UnreadableMaskError(self.uri, self._damage_of(item))
        if item.tainted is not None:
            if self._on_corrupt == "raise":
                raise UnreadableMaskError(self.uri, self._damage_of(item))
            self._warn_of_damage(item)
        return item.frame

    def _damage_of(self, item: Decoded) -> str:
        moment = float(self.index.timestamp(item.position))
        why = item.tainted or self.index.broken or "the decoder gave no frame"
        if item.frame is None:
            return f"the frame at {moment:g} ms cannot be decoded: {why}"
        return (
            f"damaged at or before {moment:g} ms: {why}; on_corrupt='warn' "
            "returns what can be decoded"
        )

    def _warn_of_damage(self, item: Decoded) -> None:
        if self._on_corrupt == "warn":
            self._warn("damage", self._damage_of(item))

    def _warn(self, kind: str, text: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(f"{self.uri}: {kind}: {text}", DecodeWarning, stacklevel=2)

    @property
    def _labeler(self) -> Labeler:
        if self._known_labeler is None:
            self._known_labeler = Labeler(
                self._media,
                self.index,
                self._options,
                self._warn,
                autorotate=self._autorotate,
            )
        return self._known_labeler

    def _mask_frame(
        self, item: Decoded, label_map: LabelMap, timestamp: Any
    ) -> MaskFrame:
        exact = self.index.timestamp(item.position)
        delta = 0.0 if timestamp is None else float(as_milliseconds(timestamp) - exact)
        tainted = item.tainted is not None
        report = evolve(label_map.report, tainted=tainted, delta_ms=delta)
        return MaskFrame(
            index=item.position,
            timestamp=float(exact),
            delta_ms=delta,
            tainted=tainted,
            label_map=evolve(label_map, report=report),
            exact_timestamp=exact,
        )
