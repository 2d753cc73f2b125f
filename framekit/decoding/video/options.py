"""
The words that options take, checked before anything is opened.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from attrs import frozen

from framekit.decoding.color.colorspace import MATRICES, RANGES
from framekit.decoding.color.yuv_labels import Mode
from framekit.errors import ArgumentError

__all__ = [
    "Alpha",
    "ColorspaceOption",
    "OnCorrupt",
    "Options",
    "Uncertain",
    "Unknown",
    "as_colorspace",
    "check",
    "check_threads",
]

#: What becomes of colors that the palette does not have.
Unknown = Literal["void", "error", "nearest"]

#: What becomes of pixels decided by a small margin.
Uncertain = Literal["keep", "void"]

#: What becomes of frames that damage may have changed.
OnCorrupt = Literal["raise", "warn", "ignore"]

#: What becomes of transparent pixels.
Alpha = Literal["ignore", "void"]

#: Where the matrix and the range come from.
ColorspaceOption = Literal["auto", "tag"] | tuple[str, str]

_MOST_THREADS = 64


@frozen(kw_only=True)
class Options:
    """
    How planes become labels; the words of the interface.
    """

    mode: Mode = "full"
    colorspace: Any = "auto"
    unknown: Unknown = "void"
    uncertain: Uncertain = "keep"
    alpha: Alpha = "ignore"

    def __attrs_post_init__(self) -> None:
        """
        Refuse words that are not allowed.

        Raises:
            ArgumentError: Naming those that are.
        """
        check("mode", self.mode, Mode)
        check("unknown", self.unknown, Unknown)
        check("uncertain", self.uncertain, Uncertain)
        check("alpha", self.alpha, Alpha)
        object.__setattr__(self, "colorspace", as_colorspace(self.colorspace))


def check(argument: str, value: Any, allowed: Any) -> None:
    """
    Refuse a *value* that is none of a Literal's.

    Raises:
        ArgumentError: Naming the allowed values.
    """
    words = get_args(allowed)
    if not isinstance(value, str) or value not in words:
        expected = " or ".join(map(repr, words))
        raise ArgumentError(argument, f"expected {expected}, got {value!r}")


def check_threads(threads: Any) -> None:
    """
    Refuse what is no number of threads.

    Raises:
        ArgumentError: Naming the allowed values.
    """
    number = isinstance(threads, int) and not isinstance(threads, bool)
    if not number or not 1 <= threads <= _MOST_THREADS:
        reason = f"expected a whole number from 1 to {_MOST_THREADS}, got {threads!r}"
        raise ArgumentError("threads", reason)


def as_colorspace(value: Any) -> str | tuple[str, str]:
    """
    Read the option ``colorspace``.

    Raises:
        ArgumentError: Naming the allowed values.
    """
    if isinstance(value, str) and value in ("auto", "tag"):
        return value
    if isinstance(value, (tuple, list)) and len(value) == 2:
        matrix, kind = value
        if matrix in MATRICES and kind in RANGES:
            return matrix, kind
    expected = (
        f"expected 'auto', 'tag' or a pair of one of {sorted(MATRICES)} and one of "
        f"{sorted(RANGES)}"
    )
    raise ArgumentError("colorspace", f"{expected}; got {value!r}")
