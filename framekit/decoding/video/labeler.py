"""
The frames of one video as label maps, under any palette.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Final

from framekit.decoding.color.classify import Classifier
from framekit.decoding.label_map import LabelMap
from framekit.decoding.video._av import Frame
from framekit.decoding.video.index import FrameIndex
from framekit.decoding.video.media import Media
from framekit.decoding.video.options import Options
from framekit.decoding.video.planes import Planes, planes_of
from framekit.decoding.video.seeking import decode_opened
from framekit.errors import UnreadableMaskError
from framekit.palette import Palette

__all__ = ["Labeler"]

#: Remarks of the classifier that are worth a warning.
_WARNED: Final = ("palette-too-close", "colorspace-overridden", "colorspace-doubtful")


class Labeler:
    """
    Labels frames by what the first frame of their video says about all of them.

    The reason for this being a class is that the first frame is decoded once, and
    that there is one classifier for each palette.
    """

    def __init__(
        self,
        media: Media,
        index: FrameIndex,
        options: Options,
        warn: Callable[[str, str], None],
        *,
        autorotate: bool,
    ) -> None:
        """
        Decode nothing yet.

        Args:
            warn: Is told of remarks: a code and a sentence.
        """
        self._media = media
        self._index = index
        self._options = options
        self._warn = warn
        self._autorotate = autorotate
        self._first: Planes | None = None
        self._is_lossy = False
        self._classifiers: dict[Palette, Classifier] = {}

    @property
    def first(self) -> Planes:
        """
        The first frame that can be decoded; it stands for the video as a whole.

        Raises:
            UnreadableMaskError: If there is none.
        """
        if self._first is None:
            with (
                self._media.open_video() as video,
                closing(decode_opened(video, self._index)) as items,
            ):
                frame = next((i.frame for i in items if i.frame is not None), None)
                self._is_lossy = video.is_lossy
            if frame is None:
                reason = "none of its frames can be decoded"
                raise UnreadableMaskError(self._media.uri, reason)
            self._first = self._planes(frame)
        return self._first

    def label_map(self, frame: Frame, palette: Palette) -> LabelMap:
        """
        Label *frame*.

        Raises:
            UnreadableMaskError: If its pixels cannot be read.
            UnknownColorError: If ``unknown`` is "error" and a color is.
            PaletteError: If the video cannot keep the palette's colors apart.
        """
        classifier = self._classifiers.get(palette)
        if classifier is None:
            first = self.first
            classifier = self._classifiers[palette] = Classifier(
                palette,
                self._options,
                first,
                is_lossy=self._is_lossy,
                uri=self._media.uri,
            )
            for kind in _WARNED:
                if kind in classifier.remarks:
                    self._warn(kind, classifier.remarks[kind])
        return classifier.label_map(self._planes(frame))

    def _planes(self, frame: Frame) -> Planes:
        planes = planes_of(frame, uri=self._media.uri)
        return planes if self._autorotate else planes.unturned()
