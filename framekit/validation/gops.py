"""
Cutting a target where groups of pictures end, so that none is decoded twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from framekit.dataset import Record
from framekit.dataset.portions import Portion
from framekit.frame import canonical
from framekit.validation.parts import Parts, integer, text
from framekit.validation.rules import is_video

__all__ = ["Pictures", "cut_by_pictures"]

#: How many videos are remembered.
_REMEMBERED: Final = 1024

#: How many times the usual size a portion may grow.
_MOST: Final = 8

#: A video, and which of its groups of pictures.
_Group = tuple[str, int]


class Pictures:
    """
    In which group of pictures the first mask video of a frame is.
    """

    def __init__(self, keyframes: Callable[[str], Sequence[float]]) -> None:
        """
        Watch videos.

        Args:
            keyframes: The times of the keyframes of the video at a URI, in ms,
                sorted.
        """
        self._keyframes = keyframes
        self._known: OrderedDict[str, Sequence[float]] = OrderedDict()

    def group(self, record: Record | None) -> _Group | None:
        """
        Name the group of a frame; None if it has no mask video.
        """
        if record is None or not record.is_read:
            return None
        frame, _ = canonical(record.value)
        for _, mask in Parts(frame).masks:
            uri = text(mask.value, "uri")
            if uri is not None and is_video(mask.value):
                moment: Any = integer(mask.value, "timestamp") or 0
                return uri, bisect_right(self._times(uri), moment)
        return None

    def _times(self, uri: str) -> Sequence[float]:
        found = self._known.get(uri)
        if found is None:
            found = self._known[uri] = self._keyframes(uri)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(uri)
        return found


def cut_by_pictures(
    portions: Iterable[Portion], pictures: Pictures, size: int
) -> Iterator[Portion]:
    """
    Move the ends of *portions* to where a group of pictures ends.

    Args:
        size: How many frames a portion has; it may grow to 8 times that.
    """
    held: Portion | None = None
    for portion in portions:
        if held is None:
            held = portion
            continue
        same = _same(portion, pictures, pictures.group(held.final()))
        if same and len(held) < _MOST * size:
            if same == len(portion):
                held = held.joined(portion)
                continue
            head, rest = portion.split(same)
            yield held.joined(head)
            held = rest
        else:
            yield held
            held = portion
    if held is not None:
        yield held


def _same(portion: Portion, pictures: Pictures, group: _Group | None) -> int:
    """
    How many frames at the beginning of *portion* are in *group*.
    """
    if group is None:
        return 0
    for number, record in portion.numbered():
        if pictures.group(record) != group:
            return number
    return len(portion)
