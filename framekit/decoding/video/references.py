"""
Whether a packet holds a picture that no other picture is decoded from.

Damage in such a picture stays in it. FFmpeg may leave these pictures out when nobody
wants them, and then nobody sees their damage; so that a frame is called tainted
whichever way it was reached, the damage must not be taken for more than it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

__all__ = ["READABLE", "is_disposable"]


def is_disposable(codec: str, packet: bytes, extradata: bytes) -> bool:
    """
    Whether *packet* holds nothing that other pictures refer to.

    Returns:
        False if it does, or that cannot be seen.
    """
    reader = _READERS.get(codec)
    return reader is not None and reader(packet, extradata)


def _h264(packet: bytes, extradata: bytes) -> bool:
    size = (extradata[4] & 3) + 1 if extradata[:1] == b"\1" and extradata[4:] else 0
    units = [unit[0] for unit in _units(packet, size) if unit]
    heads = [head for head in units if 1 <= head & 31 <= 5]
    return bool(heads) and not any(head & 0x60 for head in heads)


def _hevc(packet: bytes, extradata: bytes) -> bool:
    size = (extradata[21] & 3) + 1 if extradata[:1] == b"\1" and extradata[21:] else 0
    kinds = [unit[0] >> 1 & 63 for unit in _units(packet, size) if unit]
    pictures = [kind for kind in kinds if kind < 32]
    return bool(pictures) and all(k < 16 and k % 2 == 0 for k in pictures)


def _mpeg4(packet: bytes, _: bytes) -> bool:
    starts = _places(packet, b"\0\0\1\xb6")
    kinds = [packet[n + 4] >> 6 for n in starts if n + 4 < len(packet)]
    return bool(kinds) and all(kind == 2 for kind in kinds)


def _units(packet: bytes, size: int) -> Iterator[bytes]:
    """
    The first bytes of each NAL unit, behind lengths of *size* bytes or start codes.
    """
    if size == 0:
        for place in _places(packet, b"\0\0\1"):
            yield packet[place + 3 : place + 5]
        return
    place = 0
    while place + size < len(packet):
        length = int.from_bytes(packet[place : place + size], "big")
        yield packet[place + size : place + size + 2]
        place += size + length


def _places(packet: bytes, code: bytes) -> Iterator[int]:
    place = packet.find(code)
    while place >= 0:
        yield place
        place = packet.find(code, place + 3)


_READERS: Final[dict[str, Callable[[bytes, bytes], bool]]] = {
    "h264": _h264,
    "hevc": _hevc,
    "mpeg4": _mpeg4,
}

#: Codecs, by decoder, whose packets can be told apart.
READABLE: Final = frozenset(_READERS)
