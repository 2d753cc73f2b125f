"""
What is wanted of each file, and getting it: the inside of ``decode_frames``.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import define, field, frozen

from framekit.decoding.image.decode import decode_image, fitted
from framekit.decoding.image.sniffing import sniff
from framekit.decoding.label_map import LabelMap
from framekit.decoding.video.mask_video import MaskVideo
from framekit.errors import ArgumentError, DecodeWarning, FramekitError
from framekit.frame import Mask, SingleFrame, Source
from framekit.palette import Palette
from framekit.storage import Storage

__all__ = [
    "IMAGE_OPTIONS",
    "VIDEO_OPTIONS",
    "Failed",
    "Group",
    "Groups",
    "Item",
    "Named",
    "Outcome",
    "Request",
    "checked",
    "decode_group",
    "grouped",
    "items_of",
    "outcomes_of",
    "request_of",
]


def _options_of(function: Any, *own: str) -> frozenset[str]:
    parameters = inspect.signature(function).parameters.values()
    named = (p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    return frozenset(named) - frozenset(own)


#: What only callers choose of each decoder; the words of the interface.
IMAGE_OPTIONS: Final = _options_of(decode_image, "storage", "uri", "expect")
VIDEO_OPTIONS: Final = _options_of(MaskVideo.__init__, "storage", "uri")


@frozen
class Named:
    """
    Which source and mask are asked for; None is any.
    """

    source: str | None
    mask: str | None

    def holds(self, source: Source, mask: Mask) -> bool:
        """
        Whether a mask is among what is asked for.
        """
        return self.source in (None, source.id) and self.mask in (None, mask.id)


@frozen(eq=False, kw_only=True)
class Request:
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
class Failed:
    """
    One label map that cannot even be asked for.
    """

    frame: int
    source: str
    mask: str
    error: FramekitError


Outcome = LabelMap | FramekitError
Item = Request | Failed


@define(eq=False, kw_only=True)
class Group:
    """
    What is wanted of one file; it can be sent to another process.
    """

    uri: str
    as_video: bool
    storage: Storage
    options: Mapping[str, Any]
    requests: list[Request] = field(factory=list)


#: By URI, and whether the frame calls it a video.
Groups = dict[tuple[str, bool], Group]


def checked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Return *options* as they are.

    Raises:
        ArgumentError: If one of them is no option of a decoder.
    """
    known = IMAGE_OPTIONS | VIDEO_OPTIONS
    for name in options:
        if name not in known:
            raise ArgumentError(name, f"no option; there are {sorted(known)}")
    return options


def items_of(
    batch: list[SingleFrame], only: Named, palette: Palette | None, version: Any
) -> Iterator[Item]:
    """
    The masks of a window of frames that are asked for, in their order.

    Masks that nothing speaks about are left out, unless *palette* is given.
    """
    known: dict[object, Palette] = {}
    for position, frame in enumerate(batch):
        facts = _palette_facts(frame) if palette is None else ()
        for source in frame.sources:
            for mask in source.masks:
                if not only.holds(source, mask):
                    continue
                named = Named(source.id, mask.id)
                key = (named, facts)
                try:
                    own = known.get(key) if palette is None else palette
                    request = request_of(frame, position, named, own, version)
                except FramekitError as error:
                    yield Failed(position, source.id, mask.id, error)
                    continue
                known[key] = request.palette
                if request.palette or palette is not None:
                    yield request


def _palette_facts(frame: SingleFrame) -> tuple[object, ...]:
    """
    All of a frame that its palettes come from; frames mostly repeat each other.
    """
    return (
        tuple((source.id, source.mask_ids) for source in frame.sources),
        tuple((r.labels, r.sources, r.mask) for r in frame.rois if r.mask is not None),
    )


def grouped(
    items: Iterable[Item], storage: Storage, options: Mapping[str, Any]
) -> Groups:
    """
    The requests among *items*, those of one file together.
    """
    groups: Groups = {}
    for item in items:
        if isinstance(item, Request):
            key = item.uri, item.as_video
            if key not in groups:
                groups[key] = Group(
                    uri=item.uri,
                    as_video=item.as_video,
                    storage=storage,
                    options=options,
                )
            groups[key].requests.append(item)
    return groups


def request_of(
    frame: SingleFrame,
    position: int,
    named: Named,
    palette: Palette | None,
    version: Any,
    *,
    timestamp: float | None = None,
) -> Request:
    """
    What one mask of *frame* needs to be decoded.

    Raises:
        ArgumentError: If the version's labels cannot be read.
        PaletteError: If the frame gives no palette that can be used.
    """
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
    return Request(
        frame=position,
        source=source.id,
        mask=mask.id,
        uri=mask.uri,
        as_video=as_video,
        timestamp=timestamp,
        palette=palette,
        expect=(source.width, source.height) if known else None,  # type: ignore[arg-type]
    )


def decode_group(group: Group) -> list[Outcome]:
    """
    The outcomes of a group's requests, in their order.
    """
    found = dict(outcomes_of(group))
    return [found[place] for place in range(len(group.requests))]


def outcomes_of(group: Group) -> Generator[tuple[int, Outcome], None, None]:
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


def _is_image(group: Group) -> bool:
    with group.storage.open(group.uri) as file:
        return sniff(file.read(64)) is not None


def _from_image(group: Group) -> Iterator[tuple[int, Outcome]]:
    options = {k: v for k, v in group.options.items() if k in IMAGE_OPTIONS}
    for place, request in enumerate(group.requests):
        try:
            outcome: Outcome = decode_image(
                request.uri,
                request.palette,
                storage=group.storage,
                expect=request.expect,
                **options,
            )
        except FramekitError as error:
            outcome = error
        yield place, outcome


def _from_video(group: Group) -> Iterator[tuple[int, Outcome]]:
    size = group.options.get("size", "error")
    options = {k: v for k, v in group.options.items() if k in VIDEO_OPTIONS}
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
