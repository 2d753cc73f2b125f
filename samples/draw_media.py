"""
Draw the small media files that the documents in valid/ and invalid/ name.

    python samples/draw_media.py

The documents are written by hand; what is wrong with a file is said here.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

HERE = Path(__file__).parent
VALID = HERE / "valid" / "media"
INVALID = HERE / "invalid" / "media"

ROAD, CAR, STRAY = (197, 135, 146), (210, 210, 120), (211, 210, 120)

Pixels = NDArray[np.uint8]


def mask(width: int = 32, height: int = 24) -> Pixels:
    """
    A car on a road, (H, W, 3).
    """
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = ROAD
    pixels[8:16, 8:20] = CAR
    return pixels


def write_video(path: Path, pixels: Pixels, *, lossless: bool) -> None:
    """
    Write 6 frames of *pixels* at 30 frames a second.
    """
    codec = "libx264rgb" if lossless else "libx264"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = pixels.shape[1], pixels.shape[0]
        stream.pix_fmt = "rgb24" if lossless else "yuv420p"
        stream.options = {"crf": "0" if lossless else "23", "bf": "0"}
        stream.codec_context.thread_count = 1
        for number in range(6):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def chunk(name: bytes, data: bytes) -> bytes:
    """
    A chunk of a PNG file, with a checksum that is right.
    """
    check = zlib.crc32(name + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + name + data + check


def broken_png(width: int, height: int) -> bytes:
    """
    A PNG file that is whole, but whose pixels end after the first row.
    """
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    row = zlib.compress(b"\0" + bytes(ROAD) * width)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", size + bytes((8, 2, 0, 0, 0))),
            chunk(b"IDAT", row),
            chunk(b"IEND", b""),
        )
    )


def main() -> None:
    """
    Write all files.
    """
    for folder in (VALID, INVALID):
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask()).save(folder / "front.jpg", quality=90)
        Image.fromarray(mask()).save(folder / "seg.png")
        write_video(folder / "seg.mp4", mask(), lossless=True)
        write_video(folder / "front.mp4", mask(), lossless=False)
    Image.fromarray(mask(16, 24)).save(INVALID / "narrow.png")
    stray = mask()
    stray[10, 9:12] = STRAY
    Image.fromarray(stray).save(INVALID / "stray.png")
    whole = (INVALID / "seg.png").read_bytes()
    (INVALID / "cut.png").write_bytes(whole[:-20])
    (INVALID / "text.png").write_text("no image\n", encoding="utf-8")
    (INVALID / "short.png").write_bytes(broken_png(32, 24))
    close = mask()
    close[8:16, 8:20] = (202, 135, 146)
    write_video(INVALID / "close.mp4", close, lossless=False)


if __name__ == "__main__":
    main()
