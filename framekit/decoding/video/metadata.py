"""
What a video file says about itself.
"""

from __future__ import annotations

from attrs import frozen

from framekit.decoding.video.index import FrameIndex
from framekit.decoding.video.media import Media
from framekit.decoding.video.planes import Planes

__all__ = ["VideoMetadata", "read_metadata"]


@frozen(kw_only=True)
class VideoMetadata:
    """
    Facts about a video; what is only claimed or guessed is named so.
    """

    #: FFmpeg's names.
    codec: str
    container: str
    pixel_format: str | None

    #: Of label maps in pixels, after rotation.
    width: int
    height: int

    #: Displayed frames, counted.
    frames: int

    #: From the beginning of the first to the end of the last frame.
    duration_ms: float

    #: What the first frame is tagged with; None for no tag and for RGB.
    tagged_matrix: str | None
    tagged_full_range: bool | None

    #: Clockwise degrees by which stored pictures are turned.
    rotation: int

    #: Whether frames have no usable times and are counted.
    linear: bool

    #: Why the file ends before it should, if it does.
    broken: str | None

    #: Frames a second as the header or FFmpeg's guess has it.
    frame_rate_guess: float | None

    #: The number of frames that the header promises; None if it does not say.
    frames_in_header: int | None


def read_metadata(media: Media, index: FrameIndex, first: Planes) -> VideoMetadata:
    """
    Collect the facts.

    Args:
        first: The planes of the first frame.

    Raises:
        StorageError: If the file cannot be opened.
        UnreadableMaskError: If it is no video.
    """
    height, width = first.shape
    if first.orientation.transposed:
        height, width = width, height
    with media.open_video() as video:
        return VideoMetadata(
            codec=video.codec,
            container=video.format,
            pixel_format=video.pixel_format,
            width=width,
            height=height,
            frames=len(index),
            duration_ms=float(index.end_ms - index.start_ms),
            tagged_matrix=first.matrix,
            tagged_full_range=first.full_range,
            rotation=first.orientation.degrees,
            linear=index.linear,
            broken=index.broken,
            frame_rate_guess=float(video.rate) if video.rate else None,
            frames_in_header=video.frames_in_header or None,
        )
