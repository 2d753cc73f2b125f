"""
Videos through FFmpeg; the only module that imports PyAV, and keeps its errors in.

A video is opened by us and handed over as a file object. FFmpeg itself opens
nothing: no protocol is allowed, and only formats that cannot name other files (a
43-byte ffconcat script otherwise reads another local file).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, BinaryIO, Final

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from framekit.decoding.video.packets import Damage, Packet
from framekit.decoding.video.reader import Reader
from framekit.decoding.video.references import READABLE, is_disposable
from framekit.errors import FramekitError, UnreadableMaskError

__all__ = [
    "FORMATS",
    "LARGEST_FRAME",
    "LARGEST_SIDE",
    "NEGATIVE_LINES_ARE_SAFE",
    "Frame",
    "VideoFile",
    "convert",
    "display_matrix",
    "open_output",
    "open_video",
]

#: The demuxers that may be used, by one of their names. None of them follows
#: references to other files.
FORMATS: Final = (
    *("mov", "matroska", "mpegts", "avi", "gif", "apng"),
    *("mpeg", "flv", "ogg", "ivf", "nut"),
)

#: Larger pictures are refused before they are decoded: pixels a side, and bytes.
LARGEST_SIDE: Final = 16384
LARGEST_FRAME: Final = 512 * 1024 * 1024

_VERSION: Final = int(av.__version__.partition(".")[0])

#: Whether PyAV hands out the right memory for planes that are stored bottom up.
NEGATIVE_LINES_ARE_SAFE: Final = _VERSION >= 18

#: Whether streams may have options before they are known, as in MPEG-TS; in older
#: versions PyAV reads beyond its memory then.
_OPTIONS_ARE_SAFE: Final = _VERSION >= 18

_LIMITS: Final = {"max_pixels": str(LARGEST_SIDE * LARGEST_SIDE)}

#: Codecs that have no lossless mode. H.264 has one, in its 4:4:4 profiles.
_LOSSY: Final = frozenset(
    {"mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "prores", "theora", "vp8"}
)

#: Codecs whose frames nothing but keyframes is looked for in on the way out of MP4.
_IN_TABLE: Final = frozenset({"h264", "hevc"})

_ATTACHED_PICTURE: Final = 0x400
_MOST_DEMUX_ERRORS: Final = 16

Frame = VideoFrame


@contextmanager
def open_video(file: BinaryIO, uri: str, *, threads: int = 1) -> Iterator[VideoFile]:
    """
    Open the video stream of *file*, from its beginning, and close it afterwards.

    The file object itself stays open.

    Args:
        uri: How messages call the file.
        threads: How many threads decode.

    Raises:
        UnreadableMaskError: If it is no video, or larger than the limits.
    """
    limits = {"protocol_whitelist": "none", "format_whitelist": ",".join(FORMATS)}
    reader = Reader(file, uri)
    other = reader.image_kind()
    try:
        container = av.open(
            reader,
            mode="r",
            options=_LIMITS if _OPTIONS_ARE_SAFE else {},
            container_options=limits,
            metadata_errors="replace",
        )
    except FramekitError:
        raise
    except (av.FFmpegError, OSError, ValueError, EOFError) as error:
        reason = other or f"no video that can be read: {_text(error)}"
        raise UnreadableMaskError(uri, reason) from None
    with container:
        yield VideoFile(container, uri, reader, threads=threads)


class VideoFile:
    """
    An open container, and the one stream of it that is looked at.
    """

    def __init__(
        self, container: InputContainer, uri: str, reader: Reader, *, threads: int
    ) -> None:
        """
        Choose the stream: the first one that is no cover art.

        Raises:
            UnreadableMaskError: If there is none, no decoder for it, or its frames
                are larger than the limits.
        """
        self.uri = uri
        self.reader = reader
        self._container = container
        self._stream = self._chosen(container)
        context = self._stream.codec_context
        if context is None:
            raise UnreadableMaskError(uri, "there is no decoder for its video stream")
        check_size(uri, context.width, context.height, context.pix_fmt)
        context.thread_count = threads
        context.thread_type = "SLICE" if threads == 1 else "AUTO"
        context.options = {**_LIMITS, "err_detect": "crccheck"}

    def _chosen(self, container: InputContainer) -> VideoStream:
        streams = container.streams.video
        if not streams:
            kinds = sorted({stream.type for stream in container.streams})
            raise UnreadableMaskError(
                self.uri, f"no video stream, only {', '.join(kinds) or 'nothing'}"
            )
        for stream in streams:
            flags: Any = stream.disposition
            if not int(getattr(flags, "value", flags)) & _ATTACHED_PICTURE:
                return stream
        raise UnreadableMaskError(self.uri, "no video stream, only cover art")

    @property
    def format(self) -> str:
        """
        FFmpeg's name for the container format, like ``"mov,mp4,m4a,3gp,3g2,mj2"``.
        """
        return str(self._container.format.name)

    @property
    def codec(self) -> str:
        """
        FFmpeg's name for the decoder, like ``"h264"``.
        """
        return str(self._stream.codec_context.name)

    @property
    def pixel_format(self) -> str | None:
        """
        FFmpeg's name for the pixel format that the header announces.
        """
        return self._stream.codec_context.pix_fmt

    @property
    def size(self) -> tuple[int, int]:
        """
        Width and height as coded, before any rotation.
        """
        context = self._stream.codec_context
        return context.width, context.height

    @property
    def tick(self) -> Fraction:
        """
        The unit of pts, in seconds.
        """
        base: Any = self._stream.time_base
        if not base:
            return Fraction(1, 90000)
        return Fraction(base.numerator, base.denominator)

    @property
    def rate(self) -> Fraction | None:
        """
        Frames a second as the header or FFmpeg's guess has it.
        """
        for rate in (self._stream.average_rate, self._stream.guessed_rate):
            if rate:
                return Fraction(rate.numerator, rate.denominator)
        return None

    @property
    def frames_in_header(self) -> int:
        """
        The number of frames that the header promises; 0 if it does not say.
        """
        return int(self._stream.frames or 0)

    @property
    def seconds_in_header(self) -> Fraction | None:
        """
        The duration that the header promises, if this is its only stream.
        """
        if self._stream.duration:
            return self._stream.duration * self.tick
        if len(self._container.streams) == 1 and self._container.duration:
            return Fraction(self._container.duration, 1_000_000)
        return None

    @property
    def is_lossy(self) -> bool:
        """
        Whether codec and profile rule out that pixels are kept as they were.
        """
        codec = self.codec
        if codec == "h264":
            return "4:4:4" not in (self._stream.profile or "")
        return codec in _LOSSY

    @property
    def can_skip(self) -> bool:
        """
        Whether frames that nobody refers to can be left out without a trace.

        libdav1d, for one, then loses others, too.
        """
        return self.codec in READABLE

    def leave_out_frames(self) -> None:
        """
        Prepare for :meth:`packets` alone: of remote files leave out what is decoded.

        Where the table of frames calls few of them keyframes, those are looked at,
        since a table may be wrong; PyAV before 16 does not show it.
        """
        entries: Any = getattr(self._stream, "index_entries", None)
        if (
            entries is not None
            and self.codec in _IN_TABLE
            and self.format.startswith("mov")
        ):
            keys = [(one.pos, one.size) for one in entries if one.is_keyframe]
            self.reader.leave_out_frames(keys)

    def packets(self) -> Iterator[Packet | Damage]:
        """
        The stream's packets from here on, undecoded.
        """
        for packet in self._demux():
            if isinstance(packet, Damage):
                yield packet
            elif packet.size:
                yield Packet(
                    packet.pts,
                    packet.dts,
                    packet.duration or 0,
                    bool(packet.is_keyframe),
                    bool(packet.is_discard),
                )

    def seek(self, pts: int) -> bool:
        """
        Go to the keyframe at *pts*, or near it; the caller checks where it landed.

        Returns:
            Whether the file can be sought in at all.
        """
        try:
            self._container.seek(pts, stream=self._stream)
        except FramekitError:
            raise
        except (av.FFmpegError, OSError, ValueError):
            return False
        return True

    def frames(
        self, wanted: Callable[[int | None, bool], bool] | None = None
    ) -> Generator[Frame | Damage, None, None]:
        """
        Decode from here on.

        Args:
            wanted: Is told of each packet its pts and whether nothing else is
                decoded from it, and says whether its frame must come. Frames that
                need not may be left out. All come by default.

        Returns:
            Frames, and before frames that are damaged what is known about it.

        Raises:
            UnreadableMaskError: If a frame is larger than the limits.
        """
        context = self._stream.codec_context
        disposable: set[int | None] = set()
        for packet in self._demux():
            if isinstance(packet, Damage):
                yield packet
                continue
            alone = self._is_disposable(packet)
            if alone:
                disposable.add(packet.pts)
            if wanted is not None:
                # Of other pictures, NONREF would hide the damage.
                skip = not wanted(packet.pts, alone) and alone
                context.skip_frame = "NONREF" if skip else "DEFAULT"
            if packet.is_corrupt:
                reason = "a packet is marked as damaged"
                yield Damage(packet.pts, reason, lost=False, isolated=alone)
            try:
                frames = packet.decode() if packet.size else context.decode(None)
            except EOFError:
                continue
            except (av.FFmpegError, OSError, ValueError) as error:
                yield Damage(packet.pts, _text(error), isolated=alone)
                continue
            for frame in frames:
                check_size(self.uri, frame.width, frame.height, frame.format.name)
                alone = frame.pts in disposable
                disposable.discard(frame.pts)
                if frame.is_corrupt:
                    reason = "a frame is marked as damaged"
                    yield Damage(frame.pts, reason, lost=False, isolated=alone)
                yield frame

    def _is_disposable(self, packet: Any) -> bool:
        extradata = self._stream.codec_context.extradata or b""
        return is_disposable(self.codec, bytes(packet), extradata)

    def _demux(self) -> Iterator[Any]:
        errors = 0
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    errors = 0
                    yield packet
                return
            except FramekitError:
                raise
            except EOFError:
                return
            except (av.FFmpegError, OSError, ValueError) as error:
                errors += 1
                yield Damage(None, _text(error))
                if errors >= _MOST_DEMUX_ERRORS:
                    return


def check_size(uri: str, width: int, height: int, pixel_format: str | None) -> None:
    """
    Refuse pictures that would take more memory than any real mask.

    Raises:
        UnreadableMaskError: If a side or the decoded picture is over the limits.
    """
    if width > LARGEST_SIDE or height > LARGEST_SIDE:
        reason = f"{width}x{height} is more than {LARGEST_SIDE} pixels a side"
        raise UnreadableMaskError(uri, reason)
    try:
        bits = av.VideoFormat(pixel_format).padded_bits_per_pixel if pixel_format else 8
    except (ValueError, av.FFmpegError):
        bits = 32
    size = width * height * max(bits, 8) // 8
    if size > LARGEST_FRAME:
        reason = f"{width}x{height} takes {size >> 20} MiB, more than 512 MiB"
        raise UnreadableMaskError(uri, reason)


def convert(frame: Frame, pixel_format: str, uri: str) -> Frame:
    """
    Convert *frame* by swscale.

    Raises:
        UnreadableMaskError: If there is no such conversion.
    """
    try:
        return frame.reformat(format=pixel_format)
    except (av.FFmpegError, OSError, ValueError, TypeError) as error:
        name = frame.format.name
        reason = f"the pixel format {name} cannot be converted: {_text(error)}"
        raise UnreadableMaskError(uri, reason) from None


def display_matrix(frame: Frame) -> bytes | None:
    """
    The 36 bytes that say how *frame* is to be turned, if there are any.
    """
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else bytes(data)


@contextmanager
def open_output(file: BinaryIO, container_format: str, uri: str) -> Iterator[Any]:
    """
    Open *file* for writing; the container is finished afterwards.

    Raises:
        UnreadableMaskError: If FFmpeg refuses anything that is done with it.
    """
    try:
        with av.open(file, mode="w", format=container_format) as container:
            yield container
    except FramekitError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnreadableMaskError(uri, f"cannot be written: {_text(error)}") from None


def _text(error: Exception) -> str:
    found = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(found).splitlines()[0][:200]
