"""
A file object as FFmpeg sees it, and what its first bytes and its frame tell.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from framekit.errors import StorageError

__all__ = ["Reader", "breaks_off"]


class Reader:
    """
    The parts of a file object that FFmpeg may use: it has no name and no close.

    Several may take turns on one file: each goes on where it was.
    """

    def __init__(self, file: BinaryIO, uri: str) -> None:
        """
        Go to the beginning of *file*.

        Raises:
            StorageError: If it cannot seek.
        """
        self._file = file
        self._uri = uri
        self._left_out: _LeftOut | None = None
        self._position = 0
        self.seek(0)

    def read(self, size: int) -> bytes:
        """
        Read up to *size* bytes.

        Raises:
            StorageError: If the file raises anything.
        """
        try:
            self._resume()
            if self._left_out is not None:
                data = self._read_around(self._left_out, size)
            else:
                data = self._file.read(size) or b""
            self._position += len(data)
            return data
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (a caller's file raises anything)
            raise StorageError(self._uri, f"reading failed: {error!r}"[:200]) from None

    def seek(self, offset: int, whence: int = 0) -> int:
        """
        Go to *offset* and return the position.

        Raises:
            StorageError: If the file raises anything.
        """
        try:
            if whence == 1:
                self._resume()
            found = self._file.seek(offset, whence)
            self._position = self._file.tell() if found is None else found
            return self._position
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 (the same)
            raise StorageError(self._uri, f"seeking failed: {error!r}"[:200]) from None

    def tell(self) -> int:
        """
        The position.
        """
        return self._position

    def _resume(self) -> None:
        if self._file.tell() != self._position:
            self._file.seek(self._position)

    def leave_out_frames(self, keyframes: list[tuple[int, int]]) -> None:
        """
        Read zeros in place of frames from here on, if that saves much.

        That is in MP4 files that are remote. Of *keyframes*, given by their offsets
        and sizes, the beginnings are read, so that FFmpeg sees what they are. What
        comes is of no use for decoding, and tells when the frames are.
        """
        if not getattr(self._file, "is_remote", False):
            return
        here = self.tell()
        boxes = tuple(_boxes(self, self.seek(0, 2)))
        self.seek(here)
        media = [(start, end) for name, start, end in boxes if name == b"mdat"]
        saved = sum(end - start for start, end in media)
        in_parts = any(name == b"moof" for name, _, _ in boxes)
        if in_parts or saved < _WORTH + _WORTH_A_KEYFRAME * len(keyframes):
            return
        known = sorted((at, at + min(size, _HEAD)) for at, size in keyframes)
        self._left_out = _LeftOut(tuple(media), tuple(known))

    def _read_around(self, left_out: _LeftOut, size: int) -> bytes:
        position = self._file.tell()
        end = self._file.seek(0, 2)
        size, is_left_out = left_out.at(position, min(size, max(end - position, 0)))
        if is_left_out:
            self._file.seek(position + size)
            return bytes(size)
        self._file.seek(position)
        exactly = getattr(self._file, "read_exactly", self._file.read)
        return bytes(exactly(size)) if size else b""

    @staticmethod
    def readable() -> bool:
        """
        Whether it can be read.
        """
        return True

    @staticmethod
    def seekable() -> bool:
        """
        Whether it can seek.
        """
        return True

    def image_kind(self) -> str | None:
        """
        What kind of file it is, if it is certainly no video; the position is 0 then.
        """
        self.seek(0)
        head = self.read(64)
        self.seek(0)
        if not head:
            return "the file is empty"
        for pattern, name in _IMAGES:
            if pattern.match(head):
                return f"{name}, no video; decode it as an image"
        return None

    def at(self, offset: int, size: int) -> bytes:
        """
        *size* bytes from *offset* on, fewer at the end of the file.
        """
        self.seek(offset)
        return self.read(size)


#: Kinds of images that are never asked for as videos; GIF and APNG are.
_IMAGES: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "a PNG image"),
    (re.compile(rb"\xff\xd8\xff"), "a JPEG image"),
    (re.compile(rb"BM"), "a BMP image"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "a WebP image"),
    (re.compile(rb"II\*\0|MM\0\*"), "a TIFF image"),
)

#: How much of a keyframe is read to see what it is, in bytes.
_HEAD: Final = 4096

#: How many bytes must be saved, and how many for each request that takes.
_WORTH: Final = 4 << 20
_WORTH_A_KEYFRAME: Final = 64 << 10


class _LeftOut(NamedTuple):
    """
    Stretches of a file that are not read, and those within that are.
    """

    stretches: tuple[tuple[int, int], ...]
    read: tuple[tuple[int, int], ...]

    def at(self, position: int, size: int) -> tuple[int, bool]:
        """
        How many of *size* bytes are treated alike, and whether they are left out.
        """
        for start, end in self.stretches:
            if position < start:
                return min(size, start - position), False
            if position < end:
                size = min(size, end - position)
                n = bisect_right(self.read, (position, end)) - 1
                if n >= 0 and position < self.read[n][1]:
                    return min(size, self.read[n][1] - position), False
                if n + 1 < len(self.read):
                    size = min(size, self.read[n + 1][0] - position)
                return size, True
        return size, False


_BOXES: Final = frozenset(
    b"ftyp moov mdat moof mfra free skip wide styp sidx udta uuid emsg meta".split()
)
_MOST_BOXES: Final = 100_000
_SEGMENT: Final = b"\x18\x53\x80\x67"
_PACKET_SIZES: Final = (188, 192, 204)


def breaks_off(reader: Reader, container_format: str) -> str | None:
    """
    Say whether the outermost parts of a file go beyond its end.

    FFmpeg decodes what there is of a file that was cut, and mostly says nothing.

    Returns:
        Why it must have been cut; None if it was not, or that cannot be seen.
    """
    size = reader.seek(0, 2)
    if container_format.startswith("mov"):
        ends: Iterator[int] = _box_ends(reader, size)
    elif container_format.startswith("matroska"):
        ends = _segment_end(reader)
    elif container_format == "avi":
        ends = _riff_ends(reader, size)
    elif container_format == "mpegts":
        whole = any(size % packet == 0 for packet in _PACKET_SIZES)
        return None if whole else "the file breaks off within a packet"
    else:
        ended = _ENDINGS.get(container_format)
        tail = reader.at(max(size - _LONGEST_PAGE, 0), _LONGEST_PAGE)
        whole = ended is None or ended(tail)
        return None if whole else "the file breaks off: it has no end mark"
    end = max(ends, default=0)
    if end <= size:
        return None
    return f"the file breaks off: {size} of {end} bytes are there"


def _gif_ends(tail: bytes) -> bool:
    return tail.rstrip(b"\0").endswith(b";")


def _ogg_ends(tail: bytes) -> bool:
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27 or not tail[page + 5] & 4:
        return False
    parts = tail[page + 27 : page + 27 + tail[page + 26]]
    return len(tail) >= page + 27 + len(parts) + sum(parts)


_LONGEST_PAGE: Final = 65307
_ENDINGS: Final = {"gif": _gif_ends, "ogg": _ogg_ends}


def _box_ends(reader: Reader, size: int) -> Iterator[int]:
    return (end for _, _, end in _boxes(reader, size))


def _boxes(reader: Reader, size: int) -> Iterator[tuple[bytes, int, int]]:
    """
    The outermost boxes: what each is called, where its content begins, and ends.
    """
    offset = 0
    for _ in range(_MOST_BOXES):
        head = reader.at(offset, 16)
        if len(head) < 8 or head[4:8] not in _BOXES:
            return
        length, head_length = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, head_length = int.from_bytes(head[8:16], "big"), 16
        if length < 8:  # 0: up to the end of the file
            return
        yield head[4:8], offset + head_length, offset + length
        offset += length
        if offset >= size:
            return


def _segment_end(reader: Reader) -> Iterator[int]:
    head = reader.at(0, 4096)
    start = head.find(_SEGMENT)
    if start < 0 or len(head) < start + 12:
        return
    first = head[start + 4]
    length = 9 - first.bit_length()
    if not 1 <= length <= 8:
        return
    bits = 7 * length
    value = int.from_bytes(head[start + 4 : start + 4 + length], "big")
    value &= (1 << bits) - 1
    if value != (1 << bits) - 1:  # all ones: not known
        yield start + 4 + length + value


def _riff_ends(reader: Reader, size: int) -> Iterator[int]:
    offset = 0
    for _ in range(_MOST_BOXES):
        head = reader.at(offset, 8)
        if len(head) < 8 or head[:4] != b"RIFF":
            return
        offset += 8 + int.from_bytes(head[4:], "little")
        yield offset
        if offset >= size:
            return
