"""
Ids that more than one frame has, among any number of frames.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import numpy as np
from attrs import evolve

from framekit.problem import Problem
from framekit.validation.codes import problem
from framekit.validation.spill import Spill

__all__ = ["FrameIds", "where"]


class FrameIds:
    """
    The ids of frames, of which 8 bytes each are compared and held in memory.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._rows = Spill()

    def add(self, ids: Sequence[tuple[str, str, str]]) -> None:
        """
        Add ids, each with its document and its JSON path.
        """
        if ids:
            self._hashes.extend(hash(id) for id, _, _ in ids)
            self._rows.extend(ids)

    def problems(self) -> Iterator[Problem]:
        """
        Yield a problem for each id that a frame before has.
        """
        hashes = np.frombuffer(self._hashes, np.int64)
        order = np.sort(hashes)
        repeated = np.unique(order[1:][order[1:] == order[:-1]])
        del order
        if not len(repeated):
            return
        first = np.full(len(repeated), -1, np.int64)
        others: dict[int, list[int]] = {}
        groups = np.searchsorted(repeated, hashes).clip(max=len(repeated) - 1)
        for number in np.flatnonzero(repeated[groups] == hashes):
            group, place = int(groups[number]), int(number)
            if first[group] < 0:
                first[group] = place
                continue
            # Equal hashes are a reason to compare, not yet equal ids.
            row = self._rows[place]
            for known in (int(first[group]), *others.get(group, ())):
                before = self._rows[known]
                if before[0] == row[0]:
                    yield _repeated(row, before)
                    break
            else:
                others.setdefault(group, []).append(place)


def where(document: str, at: str) -> str:
    """
    A place as messages name it.
    """
    return " ".join(filter(None, (document, at)))


def _repeated(row: tuple[str, str, str], before: tuple[str, str, str]) -> Problem:
    id, document, at = row
    message = f"{id!r} is also the id of {where(before[1], before[2])}"
    found = problem("duplicate-frame-id", message, at, frame=id)
    return evolve(found, document=document)
