"""
From frames to label maps: one mask, or the masks of many frames.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from itertools import islice
from typing import Any, Final, Literal

from attrs import define, evolve, field, frozen

from framekit.decoding.image import decode_image, fitted, sniff
from framekit.decoding.label_map import LabelMap
from framekit.decoding.video import MaskVideo
from framekit.errors import ArgumentError, DecodeWarning, FramekitError
from framekit.frame import Mask, SingleFrame, Source
from framekit.palette import Palette, mask_of
from framekit.shards import map_in_order
from framekit.storage import Storage

__all__ = ["Decoded", "decode", "decode_frames"]


def _options_of(function: Any, *own: str) -> frozenset[str]:
    parameters = inspect.signature(function).parameters.values()
    named = (p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    return frozenset(named) - frozenset(own)


_IMAGE_OPTIONS: Final = _options_of(decode_image, "storage", "uri", "expect")
_VIDEO_OPTIONS: Final = _options_of(MaskVideo.__init__, "storage", "uri")


@frozen(eq=False)
class Decoded:
    """
    One mask of one frame: its label map, or why there is none.
    """

    frame: SingleFrame

    #: The id of the source.
    source: str

    #: The id of the mask.
    mask: str

    label_map: LabelMap | None = None
    error: FramekitError | None = None


def decode(
    frame: SingleFrame,
    source: str | None = None,
    mask: str | None = None,
    *,
    timestamp: float | None = None,
    palette: Palette | None = None,
    version: Any = None,
    storage: Storage | None = None,
    **options: Any,
) -> LabelMap:
    """
    Decode one mask of *frame*.

    Args:
        source: May be left out when the frame has one source with masks.
        mask: May be left out when the source has one.
        timestamp: A moment of a mask video in ms, in place of the mask's own.
        palette: In place of the one that the frame and the version give.
        version: The version's ``mask_labels``, or a document that has them.
        storage: Where URIs lead; without it local paths are opened as they are.
        options: Those of :func:`decode_image` and :class:`MaskVideo`.

    Raises:
        ArgumentError: If there is no such source, mask or option.
        PaletteError: If there is no palette, or not one that can be used.
        StorageError: If the mask cannot be opened.
        DecodeError: If it cannot be decoded.
    """
    source, mask = mask_of(frame, source, mask)
    request = _request(
        frame, 0, _Named(source, mask), palette, version, timestamp=timestamp
    )
    group = _Group(
        uri=request.uri,
        as_video=request.as_video,
        storage=storage or Storage(),
        options=_checked(options),
        requests=[request],
    )
    (found,) = _decode_group(group)
    if isinstance(found, FramekitError):
        raise found
    return found


def decode_frames(
    frames: Iterable[SingleFrame],
    *,
    window: int = 256,
    executor: Executor | None = None,
    errors: Literal["return", "raise"] = "return",
    source: str | None = None,
    mask: str | None = None,
    palette: Palette | None = None,
    version: Any = None,
    storage: Storage | None = None,
    **options: Any,
) -> Iterator[Decoded]:
    """
    Decode the masks of many frames, in the order of the frames.

    Each video is opened once for a window of frames and each group of pictures
    decoded once, whatever the order of the frames. Masks that no ROI and no
    ``mask_labels`` speak about are left out, unless *palette* is given.

    Args:
        window: How many frames are looked at together.
        executor: Decodes files in parallel; without it the label maps of a
            window are made one by one as they are asked for, so that frames in
            the order of their videos need the memory of one.
        errors: ``"return"`` gives a failure as the ``error`` of its item.
        source: Only masks of this source.
        mask: Only masks of this id.
        palette: In place of those that the frames give.
        version: The version's ``mask_labels``, or a document that has them.
        storage: Where URIs lead; without it local paths are opened as they are.
        options: Those of :func:`decode_image` and :class:`MaskVideo`.

    Raises:
        ArgumentError: If an option is unknown.
        FramekitError: With ``errors="raise"``, the first failure.
    """
    if errors not in ("return", "raise"):
        raise ArgumentError("errors", f"expected 'return' or 'raise', got {errors!r}")
    if window < 1:
        raise ArgumentError("window", f"expected 1 or more, got {window}")
    checked = _checked(options)
    only = _Named(source, mask)
    waiting = iter(frames)
    while batch := list(islice(waiting, window)):
        items = list(_items(batch, only, palette, version))
        groups = _grouped(items, storage or Storage(), checked)
        outcomes = (
            _lazily(items, groups)
            if executor is None
            else _at_once(items, groups, executor)
        )
        for item, outcome in outcomes:
            found = Decoded(batch[item.frame], item.source, item.mask)
            if isinstance(outcome, LabelMap):
                yield evolve(found, label_map=outcome)
            elif errors == "raise":
                raise outcome
            else:
                yield evolve(found, error=outcome)


@frozen
class _Named:
    """
    Which source and mask are asked for; None is any.
    """

    source: str | None
    mask: str | None

    def holds(self, source: Source, mask: Mask) -> bool:
        return self.source in (None, source.id) and self.mask in (None, mask.id)


@frozen(eq=False, kw_only=True)
class _Request:
    """
    One label map that is wanted.
    """

    #: The position of the frame in its window.
    frame: int
    source: str
    mask: str
    uri: str
    as_video: bool
    timestamp: float
    palette: Palette

    #: Width and height of the source in pixels, where the frame tells them.
    expect: tuple[int, int] | None


@frozen(eq=False)
class _Failed:
    """
    One label map that cannot even be asked for.
    """

    frame: int
    source: str
    mask: str
    error: FramekitError


_Outcome = LabelMap | FramekitError
_Item = _Request | _Failed


@define(eq=False, kw_only=True)
class _Group:
    """
    What is wanted of one file; it can be sent to another process.
    """

    uri: str
    as_video: bool
    storage: Storage
    options: Mapping[str, Any]
    requests: list[_Request] = field(factory=list)


#: By URI, and whether the frame calls it a video.
_Groups = dict[tuple[str, bool], _Group]


def _checked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    known = _IMAGE_OPTIONS | _VIDEO_OPTIONS
    for name in options:
        if name not in known:
            raise ArgumentError(name, f"no option; there are {sorted(known)}")
    return options


def _items(
    batch: list[SingleFrame], only: _Named, palette: Palette | None, version: Any
) -> Iterator[_Item]:
    for position, frame in enumerate(batch):
        for source in frame.sources:
            for mask in source.masks:
                if not only.holds(source, mask):
                    continue
                named = _Named(source.id, mask.id)
                try:
                    request = _request(frame, position, named, palette, version)
                except FramekitError as error:
                    yield _Failed(position, source.id, mask.id, error)
                    continue
                if request.palette or palette is not None:
                    yield request


def _grouped(
    items: Iterable[_Item], storage: Storage, options: Mapping[str, Any]
) -> _Groups:
    groups: _Groups = {}
    for item in items:
        if isinstance(item, _Request):
            key = item.uri, item.as_video
            if key not in groups:
                groups[key] = _Group(
                    uri=item.uri,
                    as_video=item.as_video,
                    storage=storage,
                    options=options,
                )
            groups[key].requests.append(item)
    return groups


def _request(
    frame: SingleFrame,
    position: int,
    named: _Named,
    palette: Palette | None,
    version: Any,
    *,
    timestamp: float | None = None,
) -> _Request:
    source = frame.get_source(named.source or "")
    mask = next(mask for mask in source.masks if mask.id == named.mask)
    if palette is None:
        palette = Palette.from_frame(frame, source.id, mask.id, version=version)
    if timestamp is None:
        timestamp = mask.timestamp
    as_video = (mask.content_type or "").lower().startswith("video")
    if timestamp is None:
        if as_video and source.timestamp:
            message = (
                f"mask {mask.id!r} of source {source.id!r} has no timestamp; read as "
                f"0, though the source has {source.timestamp}"
            )
            warnings.warn(message, DecodeWarning, stacklevel=3)
        timestamp = 0
    known = source.width is not None and source.height is not None
    return _Request(
        frame=position,
        source=source.id,
        mask=mask.id,
        uri=mask.uri,
        as_video=as_video,
        timestamp=timestamp,
        palette=palette,
        expect=(source.width, source.height) if known else None,  # type: ignore[arg-type]
    )


def _lazily(items: list[_Item], groups: _Groups) -> Iterator[tuple[_Item, _Outcome]]:
    """
    Decode each file only as far as the next item needs it.
    """
    running = {key: _outcomes(group) for key, group in groups.items()}
    places = {
        id(request): (key, place)
        for key, group in groups.items()
        for place, request in enumerate(group.requests)
    }
    early: dict[tuple[tuple[str, bool], int], _Outcome] = {}
    try:
        for item in items:
            if isinstance(item, _Failed):
                yield item, item.error
                continue
            key, wanted = places[id(item)]
            while (key, wanted) not in early:
                place, outcome = next(running[key])
                early[key, place] = outcome
            yield item, early.pop((key, wanted))
    finally:
        for outcomes in running.values():
            outcomes.close()


def _at_once(
    items: list[_Item],
    groups: _Groups,
    executor: Executor,
) -> Iterator[tuple[_Item, _Outcome]]:
    found: dict[int, _Outcome] = {}
    work = list(groups.values())
    results = map_in_order(_decode_group, work, executor=executor, ahead=len(work))
    for group, outcomes in zip(work, results, strict=True):
        for request, outcome in zip(group.requests, outcomes, strict=True):
            found[id(request)] = outcome
    for item in items:
        yield item, item.error if isinstance(item, _Failed) else found.pop(id(item))


def _decode_group(group: _Group) -> list[_Outcome]:
    """
    The outcomes of a group's requests, in their order.
    """
    found = dict(_outcomes(group))
    return [found[place] for place in range(len(group.requests))]


def _outcomes(group: _Group) -> Generator[tuple[int, _Outcome], None, None]:
    """
    The outcomes of a group's requests as they come, with the request's place.
    """
    try:
        as_video = group.as_video or not _is_image(group)
    except FramekitError as error:
        yield from ((place, error) for place in range(len(group.requests)))
        return
    outcomes = _from_video(group) if as_video else _from_image(group)
    done = set()
    try:
        for place, outcome in outcomes:
            done.add(place)
            yield place, outcome
    except FramekitError as error:
        for place in range(len(group.requests)):
            if place not in done:
                yield place, error


def _is_image(group: _Group) -> bool:
    with group.storage.open(group.uri) as file:
        return sniff(file.read(64)) is not None


def _from_image(group: _Group) -> Iterator[tuple[int, _Outcome]]:
    options = {k: v for k, v in group.options.items() if k in _IMAGE_OPTIONS}
    for place, request in enumerate(group.requests):
        try:
            outcome: _Outcome = decode_image(
                request.uri,
                request.palette,
                storage=group.storage,
                expect=request.expect,
                **options,
            )
        except FramekitError as error:
            outcome = error
        yield place, outcome


def _from_video(group: _Group) -> Iterator[tuple[int, _Outcome]]:
    size = group.options.get("size", "error")
    options = {k: v for k, v in group.options.items() if k in _VIDEO_OPTIONS}
    first = group.requests[0].palette
    with MaskVideo(group.uri, first, storage=group.storage, **options) as video:
        wanted = [request.timestamp for request in group.requests]
        palettes = [request.palette for request in group.requests]
        for place, found in video.at_each(wanted, palettes=palettes):
            if isinstance(found, FramekitError):
                yield place, found
                continue
            try:
                expect = group.requests[place].expect
                yield place, fitted(found.label_map, expect, size, uri=group.uri)
            except FramekitError as error:
                yield place, error
