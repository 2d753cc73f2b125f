"""
Problems that a command meets on its way, one line each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TextIO

from framekit.problem import Problem

__all__ = ["tell_problems"]

_SHOWN: Final = 20


def tell_problems(problems: Iterable[Problem], stderr: TextIO) -> int:
    """
    Write the first of *problems*, and how many there are; return their number.
    """
    number = 0
    for number, problem in enumerate(problems, 1):
        if number <= _SHOWN:
            place = f"{problem.document}: " if problem.document else ""
            stderr.write(f"framekit: {place}{problem.at}: {problem.message}\n")
    if number > _SHOWN:
        stderr.write(f"framekit: {number - _SHOWN:,} more frames were not read\n")
    return number
