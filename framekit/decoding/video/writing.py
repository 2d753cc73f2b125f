"""
Frames to video files.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

from framekit.decoding.video._av import Frame, open_output

__all__ = ["write_video"]


def write_video(  # noqa: PLR0917
    file: BinaryIO,
    container_format: str,
    codec: str,
    pixel_format: str,
    options: dict[str, str],
    tick: Fraction,
    frames: Iterator[tuple[int, int, Frame]],
    uri: str,
) -> None:
    """
    Encode *frames* (pts, duration and pixels; at least one) into *file*.

    Raises:
        UnreadableMaskError: If FFmpeg refuses.
    """
    with open_output(file, container_format, uri) as container:
        _encode(container, codec, pixel_format, options, tick, frames)


def _encode(  # noqa: PLR0917
    container: Any,
    codec: str,
    pixel_format: str,
    options: dict[str, str],
    tick: Fraction,
    frames: Iterator[tuple[int, int, Frame]],
) -> None:
    stream: Any = None
    durations: dict[int, int] = {}
    for pts, duration, frame in frames:
        if stream is None:
            stream = container.add_stream(codec, options=options)
            stream.width, stream.height = frame.width, frame.height
            stream.pix_fmt = pixel_format
            stream.codec_context.thread_count = 1
            stream.time_base = stream.codec_context.time_base = tick
            stream.codec_context.framerate = 1 / (tick * max(duration, 1))
            if pixel_format.startswith("gray"):
                stream.codec_context.color_range = 2
        if pixel_format.startswith("gray"):
            frame.color_range = 2
        frame.pts, frame.time_base = pts, tick
        durations[pts] = duration
        for packet in stream.encode(frame):
            packet.duration = durations.pop(packet.pts, packet.duration)
            container.mux(packet)
    for packet in stream.encode():
        packet.duration = durations.pop(packet.pts, packet.duration)
        container.mux(packet)
