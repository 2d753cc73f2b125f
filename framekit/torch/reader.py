"""
Reading the masks and pictures of items.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any, BinaryIO, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from framekit.decoding.image.decode import decode_image, fitted
from framekit.decoding.image.pictures import load_picture
from framekit.decoding.image.sniffing import sniff
from framekit.decoding.label_map import LabelMap
from framekit.decoding.requests import checked
from framekit.decoding.video.mask_video import MaskVideo
from framekit.errors import ArgumentError, DecodeError, FramekitError
from framekit.storage import Storage
from framekit.torch.items import Item
from framekit.torch.lockstep import Lockstep, Run
from framekit.torch.source_video import SourceVideo

__all__ = ["Reader", "in_order_of_files"]

T = TypeVar("T")

#: Videos whose indexes are remembered; none of them stays open.
_REMEMBERED: Final = 64

_HEAD: Final = 64


class Reader:
    """
    Gives pictures and label maps; in each process there is one.

    The reason for this being a class is that it remembers what it learnt of videos:
    where their frames are and what their colors look like.
    """

    def __init__(
        self, storage: Storage, options: Mapping[str, Any], *, pictures: bool
    ) -> None:
        """
        Check the options; nothing is opened yet.

        Raises:
            ArgumentError: If one is no option of a decoder, or has a value that it
                cannot have.
        """
        if "threads" in options:
            reason = "a worker decodes with one; set num_workers of the DataLoader"
            raise ArgumentError("threads", reason)
        options = dict(checked(options))
        self._storage = storage
        self.with_pictures = pictures
        self._size = options.get("size", "error")
        self._trusts_damage = options.get("on_corrupt", "raise") != "raise"
        self._image_options = _those_of(decode_image, options)
        self._video_options = _those_of(MaskVideo.__init__, options)
        self._forget()

    def _forget(self) -> None:
        self._mask_videos: OrderedDict[str, MaskVideo] = OrderedDict()
        self._source_videos: OrderedDict[str, SourceVideo] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        kept = dict(self.__dict__)
        del kept["_mask_videos"], kept["_source_videos"]
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def read(
        self, items: Sequence[Item]
    ) -> Generator[tuple[int, NDArray[np.uint8] | None, LabelMap], None, None]:
        """
        Yield place, picture and label map of each of *items*.

        They come file by file, as :func:`in_order_of_files` orders them; each file
        is read in one pass, and only what is next is in memory.

        Raises:
            DecodeError: Of an item that cannot be read, naming it.
        """
        for places in in_order_of_files(items, pictures=self.with_pictures):
            with ExitStack() as stack:
                masks = stack.enter_context(closing(self._masks(items, places)))
                pictures: Lockstep[NDArray[np.uint8]] | None = None
                if self.with_pictures and items[places[0]].picture is not None:
                    pictures = stack.enter_context(
                        closing(self._pictures_of(items, places))
                    )
                for place in places:
                    try:
                        label_map = masks.take(place)
                        picture = None if pictures is None else pictures.take(place)
                        if picture is not None:
                            label_map = self._as_large_as(
                                picture, label_map, items[place]
                            )
                    except FramekitError as error:
                        # One text, or it would not get out of a worker process.
                        raise DecodeError(f"{items[place].name}: {error}") from error
                    yield place, picture, label_map

    def _as_large_as(
        self, picture: NDArray[np.uint8], label_map: LabelMap, item: Item
    ) -> LabelMap:
        height, width = picture.shape[:2]
        return fitted(label_map, (width, height), self._size, uri=item.mask.uri)

    def _masks(self, items: Sequence[Item], places: list[int]) -> Lockstep[LabelMap]:
        files = {place: items[place].mask.uri for place in places}
        runs = {
            uri: self._mask_run(uri, items, there)
            for uri, there in _by_file(files).items()
        }
        return Lockstep(runs, files)

    def _mask_run(
        self, uri: str, items: Sequence[Item], places: list[int]
    ) -> Run[LabelMap]:
        requests = [items[place].mask for place in places]
        if not requests[0].as_video and uri not in self._mask_videos:
            with self._storage.open(uri) as file:
                if _is_image(file):
                    for place, request in zip(places, requests, strict=True):
                        file.seek(0)
                        yield (
                            place,
                            decode_image(
                                file,
                                request.palette,
                                uri=uri,
                                expect=None if self.with_pictures else request.expect,
                                **self._image_options,
                            ),
                        )
                    return
        make = partial(
            MaskVideo,
            uri,
            requests[0].palette,
            storage=self._storage,
            **self._video_options,
        )
        video = _remembered(self._mask_videos, uri, make)
        moments = [request.timestamp for request in requests]
        palettes = [request.palette for request in requests]
        with closing(video.at_each(moments, palettes=palettes)) as found:
            for number, outcome in found:
                request = requests[number]
                if isinstance(outcome, FramekitError):
                    yield places[number], outcome
                    continue
                label_map = outcome.label_map
                if not self.with_pictures:
                    label_map = fitted(label_map, request.expect, self._size, uri=uri)
                yield places[number], label_map

    def _pictures_of(
        self, items: Sequence[Item], places: list[int]
    ) -> Lockstep[NDArray[np.uint8]]:
        known = {place: items[place].picture for place in places}
        files = {place: one.uri for place, one in known.items() if one is not None}
        runs = {
            uri: self._picture_run(uri, items, there)
            for uri, there in _by_file(files).items()
        }
        return Lockstep(runs, files)

    def _picture_run(
        self, uri: str, items: Sequence[Item], places: list[int]
    ) -> Run[NDArray[np.uint8]]:
        wanted = [one for place in places if (one := items[place].picture) is not None]
        if not wanted[0].as_video and uri not in self._source_videos:
            with self._storage.open(uri) as file:
                if _is_image(file):
                    picture = load_picture(file, uri=uri)
                    yield from ((place, picture) for place in places)
                    return
        make = partial(
            SourceVideo, uri, self._storage, trusts_damage=self._trusts_damage
        )
        video = _remembered(self._source_videos, uri, make)
        with closing(video.at_each([one.timestamp for one in wanted])) as found:
            for number, outcome in found:
                yield places[number], outcome


def in_order_of_files(items: Sequence[Item], *, pictures: bool) -> list[list[int]]:
    """
    The places of *items* in groups that share a file, each in the order of time.

    Args:
        pictures: Whether pictures are read; the video of the pictures then decides,
            whose masks may be many files.
    """
    shared: dict[str, int] = {}
    for item in items if pictures else ():
        if item.picture is not None:
            shared[item.picture.uri] = shared.get(item.picture.uri, 0) + 1
    groups: dict[tuple[bool, str], list[int]] = {}
    for place, item in enumerate(items):
        key = False, item.mask.uri
        if item.picture is not None and shared.get(item.picture.uri, 0) > 1:
            key = True, item.picture.uri
        groups.setdefault(key, []).append(place)

    def moment(place: int) -> tuple[float, float]:
        picture = items[place].picture if pictures else None
        shown = 0 if picture is None else picture.timestamp
        return shown, items[place].mask.timestamp

    return [sorted(places, key=moment) for places in groups.values()]


def _those_of(function: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    known = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in known}


def _by_file(files: Mapping[int, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, uri in files.items():
        found.setdefault(uri, []).append(place)
    return found


def _remembered(known: OrderedDict[str, T], uri: str, make: Callable[[], T]) -> T:
    found = known.pop(uri, None)
    known[uri] = found = make() if found is None else found
    while len(known) > _REMEMBERED:
        known.popitem(last=False)
    return found


def _is_image(file: BinaryIO) -> bool:
    is_image = sniff(file.read(_HEAD)) is not None
    file.seek(0)
    return is_image
