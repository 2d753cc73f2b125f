"""
Who reads what: the parts of processes and workers, and the order of files.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, TypeVar

import torch.distributed
import torch.utils.data

from framekit.errors import ArgumentError

__all__ = [
    "mixed",
    "place_in_epoch",
    "rank_of",
    "rank_words",
    "share_of",
    "worker_of",
]

T = TypeVar("T")


def worker_of() -> tuple[int, int]:
    """
    The number of this worker of a DataLoader, and how many there are.
    """
    info = torch.utils.data.get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)


def rank_of() -> tuple[int, int] | None:
    """
    The rank of this process, and how many there are; None if it stands alone.
    """
    distributed = torch.distributed
    if not distributed.is_available() or not distributed.is_initialized():
        return None
    return distributed.get_rank(), distributed.get_world_size()


def rank_words(rank: Any, world_size: Any) -> tuple[int, int] | None:
    """
    Check what was said about the rank; None if nothing was.

    Raises:
        ArgumentError: If it is no rank.
    """
    if rank is None and world_size is None:
        return None
    for name, value in (("rank", rank), ("world_size", world_size)):
        if isinstance(value, bool) or not isinstance(value, int):
            reason = f"expected both rank and world_size as integers, got {value!r}"
            raise ArgumentError(name, reason)
    if not 0 <= rank < world_size:
        raise ArgumentError("rank", f"expected 0 to {world_size - 1}, got {rank}")
    return rank, world_size


def share_of(places: range, number: int, count: int) -> range:
    """
    Part *number* of *count* parts of *places*, which differ by one place at most.
    """
    length = len(places)
    return places[number * length // count : (number + 1) * length // count]


def place_in_epoch(name: str, seed: int, epoch: int) -> bytes:
    """
    What shuffled files are sorted by: the same on every computer.
    """
    text = f"{seed}:{epoch}:{name}"
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def mixed(items: Iterator[T], size: int, seed: str) -> Iterator[T]:
    """
    Yield *items* in another order, holding *size* of them.
    """
    chosen = random.Random(seed)  # noqa: S311 - no secret, but the same everywhere
    held: list[T] = []
    for item in items:
        if len(held) < size:
            held.append(item)
            continue
        place = chosen.randrange(size)
        given, held[place] = held[place], item
        yield given
    chosen.shuffle(held)
    yield from held
