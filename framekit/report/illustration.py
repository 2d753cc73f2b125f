"""
What a report shows beside a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import field, frozen

from framekit.problem import Problem

__all__ = ["Illustrate", "Illustration", "Shot"]


@frozen
class Shot:
    """
    One small picture, as a file.
    """

    #: What it shows, in a few words.
    caption: str

    #: ``"image/png"`` or ``"image/jpeg"``.
    content_type: str

    data: bytes = field(repr=lambda data: f"<{len(data)} bytes>")

    #: Width and height in pixels.
    size: tuple[int, int]


@frozen
class Illustration:
    """
    The pictures of one finding, or why there are none.
    """

    shots: tuple[Shot, ...] = ()

    #: What a person should know, such as why a picture is missing.
    note: str = ""


#: Gives each problem, in order, its pictures; None where there is nothing to show.
Illustrate = Callable[[Sequence[Problem]], Sequence[Illustration | None]]
