"""
Mask clips for tests, drawn and encoded by PyAV in memory, a few kB each.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from framekit.decoding.video.planes import Planes, planes_of
from framekit.palette import Palette

Ids = NDArray[np.uint8]

#: The colors of ClearML's page, and three more.
COLORS = (
    (0, 0, 0),
    (210, 210, 120),
    (147, 44, 209),
    (197, 135, 146),
    (135, 198, 145),
    (72, 191, 65),
    (220, 30, 40),
    (30, 60, 220),
    (250, 250, 250),
)

PALETTE = Palette({color: f"label {n}" for n, color in enumerate(COLORS)})


def scene(
    frames: int, *, width: int = 96, height: int = 64, seed: int = 0
) -> list[Ids]:
    """
    Moving boxes and discs over two bands; no two frames are equal.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    starts = rng.uniform(0, 1, (6, 2)) * (width, height)
    speeds = rng.uniform(-3, 3, (6, 2)) + 0.5
    sizes = rng.integers(6, 18, (6, 2))
    found = []
    for time in range(frames):
        ids = np.where(y < height // 2, 0, 1).astype(np.uint8)
        for n, (start, speed, size) in enumerate(
            zip(starts, speeds, sizes, strict=True)
        ):
            cx, cy = (start + speed * time) % (width, height)
            if n % 2:
                inside = (abs(x - cx) < size[0]) & (abs(y - cy) < size[1] / 2)
            else:
                inside = (x - cx) ** 2 + (y - cy) ** 2 < size[0] ** 2
            ids[inside] = 2 + n
        # A clock, so that each frame can be told from all others.
        for bit in range(8):
            ids[:8, 8 * bit : 8 * bit + 8] = 8 if time >> bit & 1 else 0
        found.append(ids)
    return found


def paint(
    ids: Ids, colors: Sequence[tuple[int, int, int]] = COLORS
) -> NDArray[np.uint8]:
    """
    (H, W, 3) RGB.
    """
    return np.array(colors, np.uint8)[ids]


def encode(
    pictures: Iterable[NDArray[Any]],
    codec: str = "libx264rgb",
    pixel_format: str = "rgb24",
    *,
    container: str = "mp4",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    rate: Fraction | int = 30,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    offset: int = 0,
    source: str | None = None,
    tags: tuple[int, int] | None = None,
    convert: dict[str, Any] | None = None,
) -> bytes:
    """
    A clip of *pictures*.

    Args:
        times: The pts of each, in *time_base*.
        offset: Added to every pts and dts, in frames.
        source: The pixel format of the pictures, if not RGB.
        tags: FFmpeg's numbers for color space and range.
        convert: How swscale makes the pixel format of RGB.
    """
    file = io.BytesIO()
    with av.open(
        file, "w", format=container, options=container_options or {}
    ) as output:
        stream: Any = output.add_stream(codec, rate=rate, options=options or {})
        stream.pix_fmt = pixel_format
        stream.codec_context.thread_count = 1
        if time_base is not None:
            stream.codec_context.time_base = time_base
        if tags is not None:
            stream.codec_context.colorspace, stream.codec_context.color_range = tags
        first = True
        for number, picture in enumerate(pictures):
            if source is None:
                source = "rgb24" if picture.ndim == 3 else "gray"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), source)
            if first:
                stream.width, stream.height = frame.width, frame.height
                first = False
            if convert is not None:
                frame = frame.reformat(format=pixel_format, **convert)
            if tags is not None:
                frame.colorspace, frame.color_range = tags
            if times is not None and time_base is not None:
                frame.pts, frame.time_base = times[number], time_base
            _mux(output, stream.encode(frame), offset)
        _mux(output, stream.encode(), offset)
    return file.getvalue()


def _mux(output: Any, packets: Iterable[Any], offset: int) -> None:
    for packet in packets:
        if offset:
            packet.pts += offset
            packet.dts += offset
        output.mux(packet)


def remux(
    clip: bytes,
    container: str,
    *,
    keep: Callable[[int, Any], bool] = lambda _n, _packet: True,
    shift: int = 0,
    options: dict[str, str] | None = None,
) -> bytes:
    """
    The packets of *clip* that are to be kept, in another container.

    Args:
        shift: Added to every pts and dts, in ticks of the input.
    """
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(clip), "r") as source,
        av.open(file, "w", format=container, options=options or {}) as output,
    ):
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if packet.dts is None or packet.pts is None or not keep(number, packet):
                continue
            packet.pts += shift
            packet.dts += shift
            packet.stream = copy
            output.mux(packet)
    return file.getvalue()


def faststart(clip: bytes) -> bytes:
    """
    An MP4 file with its header before its data, as the web has them.
    """
    boxes = {}
    offset = 0
    while offset < len(clip):
        length = int.from_bytes(clip[offset : offset + 4], "big")
        boxes[clip[offset + 4 : offset + 8]] = clip[offset : offset + length]
        offset += length
    moov = bytearray(boxes[b"moov"])
    place = moov.find(b"stco")
    for number in range(int.from_bytes(moov[place + 8 : place + 12], "big")):
        entry = place + 12 + 4 * number
        value = int.from_bytes(moov[entry : entry + 4], "big") + len(moov)
        moov[entry : entry + 4] = value.to_bytes(4, "big")
    rest = [boxes[name] for name in boxes if name not in (b"ftyp", b"moov")]
    return b"".join([boxes[b"ftyp"], bytes(moov), *rest])


def x264(**options: str) -> dict[str, Any]:
    """
    Arguments for lossy H.264.
    """
    return {
        "codec": "libx264",
        "pixel_format": "yuv420p",
        "options": {"crf": "18", **options},
    }


def kinds(frames: int = 60) -> dict[str, Callable[[], bytes]]:
    """
    Builders of clips of ``scene(frames)`` in every container and kind of GOP.
    """
    pictures = [paint(ids) for ids in scene(frames)]
    jitter = [n * 1000 + (n * 7919) % 400 for n in range(frames)]
    uneven = [n * 40 + (n * n * 13) % 35 for n in range(frames)]
    hevc = "log-level=none:pools=1:frame-threads=1"

    def make(**arguments: Any) -> Callable[[], bytes]:
        return lambda: encode(pictures, **arguments)

    plain = x264(g="12", bf="3")
    return {
        "h264 mp4 b-frames": make(**plain),
        "h264 mp4 one gop": make(**x264(g="250", bf="3")),
        "h264 mp4 29.97": make(**plain, rate=Fraction(30000, 1001)),
        "h264 mp4 offset": make(**plain, offset=60),
        "h264 mp4 jitter": make(**plain, times=jitter, time_base=Fraction(1, 30000)),
        "h264 mp4 uneven": make(**plain, times=uneven, time_base=Fraction(1, 1000)),
        "h264 mp4 open gop": make(
            **x264(g="12", bf="8", **{"x264-params": "open-gop=1:b-pyramid=normal"})
        ),
        "h264 mp4 intra refresh": make(
            **x264(g="12", bf="0", **{"x264-params": "intra-refresh=1"})
        ),
        "h264 mp4 fragmented": make(
            **plain, container_options={"movflags": "frag_keyframe+empty_moov"}
        ),
        "h264 mp4 trimmed": lambda: remux(
            encode(pictures, **plain),
            "mp4",
            keep=lambda n, _: n >= 24,
            shift=-512 * 30,
        ),
        "h264 mkv": make(**plain, container="matroska"),
        "h264 mkv offset": make(**plain, container="matroska", offset=44),
        "h264 ts": make(**plain, container="mpegts"),
        "h264 ts joined": lambda: 2 * encode(pictures, **plain, container="mpegts"),
        "h264 avi": make(**plain, container="avi"),
        "h264 mov lossless": make(options={"qp": "0", "g": "12"}, container="mov"),
        "hevc mp4 g2": make(
            codec="libx265",
            pixel_format="yuv420p",
            options={"crf": "20", "x265-params": f"{hevc}:keyint=2:min-keyint=2"},
        ),
        "hevc mp4 open gop": make(
            codec="libx265",
            pixel_format="yuv420p",
            options={
                "crf": "20",
                "x265-params": f"{hevc}:keyint=12:min-keyint=12:open-gop=1:bframes=4",
            },
        ),
        "vp9 webm altref": make(
            codec="libvpx-vp9",
            pixel_format="yuv420p",
            container="webm",
            options={
                "crf": "24",
                "g": "16",
                "auto-alt-ref": "1",
                "lag-in-frames": "16",
                "deadline": "realtime",
                "cpu-used": "5",
            },
        ),
        "vp9 ivf": make(
            codec="libvpx-vp9",
            pixel_format="yuv420p",
            container="ivf",
            options={"crf": "24", "g": "16", "deadline": "realtime", "cpu-used": "5"},
        ),
        "av1 mp4": make(
            codec="libsvtav1",
            pixel_format="yuv420p",
            options={"crf": "30", "g": "20", "preset": "10", "svtav1-params": "lp=1"},
        ),
        "mpeg4 avi b-frames": make(
            codec="mpeg4",
            pixel_format="yuv420p",
            container="avi",
            options={"bf": "2", "g": "12", "q": "4"},
        ),
        "mpeg4 mp4": make(
            codec="mpeg4", pixel_format="yuv420p", options={"bf": "2", "g": "12"}
        ),
        "mjpeg avi": make(codec="mjpeg", pixel_format="yuvj420p", container="avi"),
        "ffv1 mkv": make(
            codec="ffv1", pixel_format="bgr0", container="matroska", options={"g": "8"}
        ),
        "qtrle mov": make(
            codec="qtrle", pixel_format="rgb24", container="mov", options={"g": "12"}
        ),
        "png mov": make(codec="png", pixel_format="rgb24", container="mov"),
        "huffyuv avi": make(codec="huffyuv", pixel_format="bgra", container="avi"),
        "raw avi": make(codec="rawvideo", pixel_format="bgr24", container="avi"),
        "apng": make(codec="apng", pixel_format="rgb24", container="apng"),
        "gif": make(codec="gif", pixel_format="rgb8", container="gif"),
        "mpeg2 ps": make(
            codec="mpeg2video",
            pixel_format="yuv420p",
            container="vob",
            options={"g": "12", "bf": "2", "q": "3"},
        ),
        "flv": make(**plain, container="flv"),
        "vp8 ogg": make(
            codec="libvpx",
            pixel_format="yuv420p",
            container="ogg",
            options={"g": "12", "deadline": "realtime", "cpu-used": "5"},
        ),
        "nut": make(codec="ffv1", pixel_format="bgr0", container="nut"),
    }


#: Kinds that have no usable times, and are counted instead.
LINEAR = frozenset({"h264 avi", "h264 ts joined"})


def planes_in(clip: bytes) -> Iterator[Planes]:
    """
    The planes of each frame of *clip*.
    """
    with av.open(io.BytesIO(clip), "r") as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for frame in container.decode(stream):
            yield planes_of(frame)
