"""
Pictures of single findings: where something is, small enough for a page of many.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from framekit.dataset import Record, open_target
from framekit.decoding.decode import decode
from framekit.decoding.image.pictures import encode_jpeg, resize_nearest, resize_smooth
from framekit.decoding.image.png_write import encode_png
from framekit.decoding.label_map import LabelMap
from framekit.decoding.source_picture import read_picture
from framekit.errors import FramekitError, FramekitWarning
from framekit.frame import SingleFrame
from framekit.problem import Box, Problem
from framekit.report.illustration import Illustration, Shot
from framekit.report.overlay import overlaid
from framekit.storage import Storage

__all__ = ["Illustrator"]

Picture = NDArray[np.uint8]

#: The largest width and height of a picture, in pixels.
_WIDTH: Final = 288
_HEIGHT: Final = 216

#: What a close-up shows at least of the mask, in its pixels.
_NEAR: Final = (32, 24)

#: A mark is at least this large, so that one pixel can be found.
_MARK: Final = 14

_DARK: Final = (20, 20, 20)
_BRIGHT: Final = (255, 60, 200)
_MARK_COLORS: Final = (_DARK, _BRIGHT, _BRIGHT, _DARK)


class Illustrator:
    """
    Makes the pictures of findings, from the frames and media they were found in.

    The reason for this being a class is that a report knows neither. Only findings
    with a place in a mask get pictures, so that no file is opened that has not been
    decoded before.
    """

    def __init__(self, target: Any, storage: Storage | None = None) -> None:
        """
        Take frames from *target*, whatever was validated.

        Args:
            storage: Where URIs lead; by default relative ones into the target's
                folder, and none out of it.

        Raises:
            ArgumentError: If *target* is nothing that holds frames.
            StorageError: If it cannot be read.
        """
        self._target = open_target(target)
        self._storage = storage or Storage(self._target.root)
        self._last: tuple[_Key, _Scene] | None = None

    def __call__(self, problems: Sequence[Problem]) -> list[Illustration | None]:
        """
        Return the pictures of each problem; None where it has no place in a mask.

        What cannot be shown is said in a note; bad data raises nothing.
        """
        found: list[Illustration | None] = [None] * len(problems)
        with warnings.catch_warnings():
            # Validation has told what is to be told.
            warnings.simplefilter("ignore", FramekitWarning)
            for place, record in self._records(problems):
                found[place] = self._illustrated(problems[place], record)
        return found

    def _records(
        self, problems: Sequence[Problem]
    ) -> Iterator[tuple[int, Record | None]]:
        """
        Yield each problem's position with its record, None where there is none now.
        """
        wanted: dict[str, list[int]] = {}
        for place, problem in enumerate(problems):
            if problem.box is not None and problem.source and problem.mask:
                wanted.setdefault(problem.document, []).append(place)
        missing = sum(map(len, wanted.values()))
        try:
            for record in self._target.records() if missing else ():
                here = wanted.get(record.document, [])
                for place in [p for p in here if _is_within(problems[p].at, record.at)]:
                    here.remove(place)
                    missing -= 1
                    yield place, record
                if not missing:
                    return
        except FramekitError:
            pass  # The file is gone; that is said below.
        for places in wanted.values():
            for place in places:
                yield place, None

    def _illustrated(self, problem: Problem, record: Record | None) -> Illustration:
        if record is None:
            return Illustration(note="No picture: the frame cannot be read again.")
        try:
            scene = self._scene(problem, record)
        except FramekitError as error:
            return Illustration(note=f"No picture: {error}")
        except MemoryError:
            return Illustration(note="No picture: not enough memory.")
        return Illustration(tuple(scene.shots(problem)), scene.note)

    def _scene(self, problem: Problem, record: Record) -> _Scene:
        # Findings of one mask follow each other; it is decoded once.
        key = (record.document, record.at, problem.source, problem.mask)
        if self._last is None or self._last[0] != key:
            self._last = None
            self._last = (
                key,
                _scene_of(
                    record.frame(),
                    str(problem.source),
                    str(problem.mask),
                    self._target.version,
                    self._storage,
                ),
            )
        return self._last[1]


_Key = tuple[str, str, str | None, str | None]


@frozen(eq=False)
class _Scene:
    """
    One mask of one frame, read.
    """

    label_map: LabelMap

    #: What the source and the mask show, (H, W, 3); None where it cannot be read.
    picture: Picture | None
    colors: Picture | None

    note: str

    def shots(self, problem: Problem) -> Iterator[Shot]:
        """
        Yield the picture, the labels over it, and the mask from near.
        """
        box = self._box(problem)
        if self.picture is not None:
            small = _shrunk(_fitting(self.picture, self.label_map.shape))
            yield _photo("The picture", _marked(small, box, self.label_map.shape))
        over = _shrunk(overlaid(self.label_map, self.picture))
        caption = "Labels over it; what has none is striped"
        yield _photo(caption, _marked(over, box, self.label_map.shape))
        if self.colors is not None and self.colors.shape[:2] == self.label_map.shape:
            near = _near(self.colors, box)
            if near is not None:
                yield near

    def _box(self, problem: Problem) -> Box:
        """
        The finding's place in this frame; what is told once has that of all frames.
        """
        for color, _, box in self.label_map.report.unknown_colors:
            if color == problem.color:
                return box
        height, width = self.label_map.shape
        return problem.box or (0, 0, width, height)


def _scene_of(
    frame: SingleFrame, source_id: str, mask_id: str, version: Any, storage: Storage
) -> _Scene:
    label_map = decode(frame, source_id, mask_id, version=version, storage=storage)
    source = next(each for each in frame.sources if each.id == source_id)
    mask = next(each for each in source.masks if each.id == mask_id)
    notes = []
    found: list[Picture | None] = []
    for part in (source, mask):
        try:
            picture = read_picture(
                part.uri, timestamp=part.timestamp or 0, storage=storage
            )
        except FramekitError as error:
            notes.append(str(error))
            found.append(None)
        else:
            found.append(picture)
    return _Scene(label_map, found[0], found[1], "; ".join(notes))


def _is_within(path: str, start: str) -> bool:
    """
    Whether the JSON path *path* leads into what is at *start*.
    """
    return path.startswith(start) and path[len(start) :][:1] in ("", ".", "[")


def _shrunk(rgb: Picture) -> Picture:
    """
    *rgb* no larger than a thumbnail.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, _WIDTH / width, _HEIGHT / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return resize_smooth(rgb, *size)


def _fitting(picture: Picture, shape: tuple[int, int]) -> Picture:
    height, width = shape
    if picture.shape[:2] == shape:
        return picture
    return resize_smooth(picture, width, height)


def _marked(rgb: Picture, box: Box, shape: tuple[int, int]) -> Picture:
    """
    *rgb* with a frame around *box*, whose pixels are those of a picture of *shape*.
    """
    height, width = rgb.shape[:2]
    left, right = _widened(box[0], box[2], shape[1], width)
    top, bottom = _widened(box[1], box[3], shape[0], height)
    marked = rgb.copy()
    for inset, color in enumerate(_MARK_COLORS):
        x0, y0 = max(0, left + inset), max(0, top + inset)
        x1, y1 = min(width, right - inset), min(height, bottom - inset)
        marked[y0:y1, x0 : x0 + 1] = marked[y0:y1, x1 - 1 : x1] = color
        marked[y0 : y0 + 1, x0:x1] = marked[y1 - 1 : y1, x0:x1] = color
    return marked


def _widened(start: int, stop: int, of: int, shown: int) -> tuple[int, int]:
    """
    A side of a mark in a picture of *shown* pixels, around what it marks.
    """
    size = max(_MARK, (stop - start) * shown // of + 8)
    middle = (start + stop) * shown // (2 * of)
    # Within the picture, or a side of the mark would be cut.
    first = min(max(0, middle - size // 2), max(0, shown - size))
    return first, min(shown, first + size)


def _near(colors: Picture, box: Box) -> Shot | None:
    """
    The mask itself around *box*, enlarged; None where that shows no more.
    """
    height, width = colors.shape[:2]
    size = [
        min(whole, max(least, 2 * (stop - start)))
        for whole, least, start, stop in (
            (width, _NEAR[0], box[0], box[2]),
            (height, _NEAR[1], box[1], box[3]),
        )
    ]
    scale = min(_WIDTH // size[0], _HEIGHT // size[1])
    if scale < 2:
        return None
    left = min(max(0, (box[0] + box[2] - size[0]) // 2), width - size[0])
    top = min(max(0, (box[1] + box[3] - size[1]) // 2), height - size[1])
    part = colors[top : top + size[1], left : left + size[0]]
    large = resize_nearest(part, size[0] * scale, size[1] * scale)
    caption = f"The mask itself, {scale} times enlarged"
    shown = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    marked = _marked(large, shown, (size[1], size[0]))
    return Shot(caption, "image/png", encode_png(marked), _size(marked))


def _photo(caption: str, rgb: Picture) -> Shot:
    return Shot(caption, "image/jpeg", encode_jpeg(rgb), _size(rgb))


def _size(rgb: Picture) -> tuple[int, int]:
    return rgb.shape[1], rgb.shape[0]
