"""
How far a long command has come, for a person at a terminal.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Final, Self, TextIO

__all__ = ["Progress"]

#: Seconds before anything is shown, and between two plain lines.
_DELAY: Final = 1.0
_INTERVAL: Final = 0.5


class Progress:
    """
    A bar by tqdm when it is installed, else one line that is written over.

    Nothing is shown unless the stream is a terminal, and nothing for work of
    less than a second.
    """

    def __init__(self, stream: TextIO, *, unit: str, total: int | None = None) -> None:
        """
        Watch work on *total* of *unit*; None if their number is not known.
        """
        self._stream = stream
        self._unit = unit
        self._total = total
        self._done = 0
        self._share = 0.0
        self._started = time.monotonic()
        self._told = self._started + _DELAY - _INTERVAL
        self._shows = stream.isatty()
        self._bar = _tqdm(stream, unit, total) if self._shows else None
        self._wrote = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._wrote:
            self._stream.write("\n")

    def __call__(self, number: int) -> None:
        """
        Count *number* more as done.
        """
        self.advance(number)

    def reached(self, share: float) -> None:
        """
        Say which *share* of the work is done, where the total is not known.
        """
        self._share = share
        if self._bar is not None and share > 0:
            self._bar.total = round(self._done / share)

    def advance(self, number: int = 1) -> None:
        """
        Count *number* more as done.
        """
        self._done += number
        if self._bar is not None:
            self._bar.update(number)
            return
        now = time.monotonic()
        if self._shows and now - self._told >= _INTERVAL:
            self._told = now
            self._write(now - self._started)

    def _write(self, seconds: float) -> None:
        of = f" of {self._total}" if self._total else ""
        rate = self._done / seconds if seconds else 0.0
        line = f"\r{self._done}{of} {self._unit}, {rate:.0f}/s "
        if self._share > 0:
            left = seconds / self._share - seconds
            line += f"({self._share:.0%}, {_clock(left)} left) "
        self._stream.write(line)
        self._stream.flush()
        self._wrote = True


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _tqdm(stream: TextIO, unit: str, total: int | None) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=total, unit=f" {unit}", file=stream, delay=_DELAY, leave=False)
