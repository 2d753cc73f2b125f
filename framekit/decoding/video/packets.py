"""
What comes out of a file besides frames.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Damage", "Packet"]


class Packet(NamedTuple):
    """
    What is known about a piece of a stream before it is decoded.
    """

    pts: int | None
    dts: int | None
    duration: int
    is_keyframe: bool
    is_discard: bool


class Damage(NamedTuple):
    """
    Something that could not be read or decoded.
    """

    #: Of the packet, in ticks; None if that is not known.
    pts: int | None
    reason: str

    #: Whether frames may have been lost.
    lost: bool = True

    #: Whether no other frame is decoded from this one.
    isolated: bool = False
