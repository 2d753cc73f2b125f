"""
From frames to label maps: one mask, or the masks of many frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from itertools import islice
from typing import Any, Literal

from attrs import evolve, frozen

from framekit.decoding.label_map import LabelMap
from framekit.decoding.requests import (
    Failed,
    Group,
    Groups,
    Item,
    Named,
    Outcome,
    checked,
    decode_group,
    grouped,
    items_of,
    outcomes_of,
    request_of,
)
from framekit.errors import ArgumentError, FramekitError
from framekit.frame import SingleFrame
from framekit.palette import Palette, mask_of
from framekit.shards import map_in_order
from framekit.storage import Storage

__all__ = ["Decoded", "decode", "decode_frames"]


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
    request = request_of(
        frame, 0, Named(source, mask), palette, version, timestamp=timestamp
    )
    group = Group(
        uri=request.uri,
        as_video=request.as_video,
        storage=storage or Storage(),
        options=checked(options),
        requests=[request],
    )
    (found,) = decode_group(group)
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
    known_options = checked(options)
    only = Named(source, mask)
    waiting = iter(frames)
    while batch := list(islice(waiting, window)):
        items = list(items_of(batch, only, palette, version))
        groups = grouped(items, storage or Storage(), known_options)
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


def _lazily(items: list[Item], groups: Groups) -> Iterator[tuple[Item, Outcome]]:
    """
    Decode each file only as far as the next item needs it.
    """
    running = {key: outcomes_of(group) for key, group in groups.items()}
    places = {
        id(request): (key, place)
        for key, group in groups.items()
        for place, request in enumerate(group.requests)
    }
    early: dict[tuple[tuple[str, bool], int], Outcome] = {}
    try:
        for item in items:
            if isinstance(item, Failed):
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
    items: list[Item],
    groups: Groups,
    executor: Executor,
) -> Iterator[tuple[Item, Outcome]]:
    found: dict[int, Outcome] = {}
    work = list(groups.values())
    results = map_in_order(decode_group, work, executor=executor, ahead=len(work))
    for group, outcomes in zip(work, results, strict=True):
        for request, outcome in zip(group.requests, outcomes, strict=True):
            found[id(request)] = outcome
    for item in items:
        yield item, item.error if isinstance(item, Failed) else found.pop(id(item))
