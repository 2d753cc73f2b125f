"""
The frames that a version has, read from the shards of it and its ancestors.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from framekit import _json
from framekit.dataset.identity import sort_key
from framekit.dataset.manifest import Level, Shard
from framekit.dataset.shard_files import ShardFiles
from framekit.dataset.shard_index import ID_HASH, hash_of
from framekit.errors import DocumentError, StorageError

__all__ = ["FrameSet", "Place", "StoredFrame", "hashes_of"]

#: How many shards are read at once; more are merged in groups first.
FAN_IN: Final = 128


class Place(NamedTuple):
    """
    Where a frame is: the number of its shard in the set, and of its line there.
    """

    shard: int
    line: int


class StoredFrame(NamedTuple):
    """
    A frame as it is in a shard.
    """

    place: Place

    #: The JSON, without a line end.
    line: bytes

    #: The same, parsed.
    value: dict[str, Any]


def hashes_of(ids: Iterable[str]) -> NDArray[Any]:
    """
    The hashes of *ids*, as indexes have them.
    """
    joined = b"".join(hash_of(id.encode(errors="surrogatepass")) for id in ids)
    return np.frombuffer(joined, ID_HASH)


class FrameSet:
    """
    The frames of a chain of versions, one for each id: the one added last.

    It needs about 40 bytes a frame in memory, whatever the frames hold.
    """

    def __init__(self, files: ShardFiles, levels: Sequence[Level]) -> None:
        """
        Take the *levels* of a chain, the oldest first.
        """
        self.files = files
        self.shards: tuple[Shard, ...] = tuple(
            chain.from_iterable(level.shards for level in levels)
        )
        self._levels = tuple(levels)
        self._found: list[NDArray[np.bool_]] | None = None

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(live)) for live in self.live)

    @property
    def live(self) -> list[NDArray[np.bool_]]:
        """
        For each shard (n,) bool: the lines that no later one replaces or deletes.
        """
        if self._found is None:
            self._found = self._live()
        return self._found

    @property
    def identity(self) -> str:
        """
        A hash that is the same for the same shards and deleted ids.
        """
        parts = [
            [[shard.blake2b for shard in level.shards], list(level.deleted)]
            for level in self._levels
        ]
        return hash_of(_json.dumps(parts)).hex()

    def scan(self) -> Iterator[StoredFrame]:
        """
        Yield the frames in the order of the shards, which is quickest.

        Raises:
            StorageError: If a shard cannot be read, or is damaged.
        """
        for number in range(len(self.shards)):
            yield from self._in_shard(number)

    def ordered(self, shards: Iterable[int] | None = None) -> Iterator[StoredFrame]:
        """
        Yield the frames by context and timestamp, then as they were added.

        Args:
            shards: Only the frames in these, by number.

        Raises:
            StorageError: If a shard cannot be read, or is damaged.
        """
        chosen = range(len(self.shards)) if shards is None else shards
        numbers = [number for number in chosen if self.live[number].any()]
        if len(numbers) <= FAN_IN:
            yield from self._merged(numbers)
            return
        with tempfile.TemporaryDirectory(prefix="framekit-") as folder:
            spilled = []
            for start in range(0, len(numbers), FAN_IN):
                path = f"{folder}/{start}"
                with open(path, "wb") as file:  # noqa: PTH123 - an inner path
                    for frame in self._merged(numbers[start : start + FAN_IN]):
                        place = np.array(frame.place, "<u8").tobytes()
                        size = len(frame.line).to_bytes(8, "little")
                        file.write(place + size + frame.line)
                spilled.append(path)
            streams = [_keyed(_spilled(path)) for path in spilled]
            yield from (frame for _, frame in heapq.merge(*streams))

    def locate(self, ids: Collection[str]) -> dict[str, Place]:
        """
        Find frames by their *ids*; those that are not there are left out.
        """
        wanted = hashes_of(ids)
        by_hash = dict(zip(wanted.tolist(), ids, strict=True))
        found: dict[str, Place] = {}
        for number, live in enumerate(self.live):
            known = self.files.index(self.shards[number]).ids
            if len(wanted) == 1:
                hits = known["high"] == wanted["high"][0]
            else:
                hits = np.isin(known["high"], wanted["high"])
            for line in np.flatnonzero(hits & live).tolist():
                id = by_hash.get(known[line].item())
                if id is not None:
                    found[id] = Place(number, line)
        return found

    def read(self, place: Place) -> StoredFrame:
        """
        Read the frame at *place*.

        Raises:
            StorageError: If its shard cannot be read, or is damaged.
        """
        shard = self.shards[place.shard]
        return _parsed(place, self.files.line(shard, place.line), shard)

    def ids_among(self, ids: Sequence[str], shards: Iterable[int]) -> set[str]:
        """
        Those of *ids* that occur in the *shards*, replaced or not.
        """
        wanted = hashes_of(ids)
        by_hash = dict(zip(wanted.tolist(), ids, strict=True))
        found: set[str] = set()
        for number in shards:
            known = self.files.index(self.shards[number]).ids
            hits = known[np.isin(known["high"], wanted["high"])]
            found.update(by_hash[h] for h in hits.tolist() if h in by_hash)
        return found

    def _live(self) -> list[NDArray[np.bool_]]:
        indexes = [self.files.index(shard) for shard in self.shards]
        lengths = [len(index) for index in indexes]
        live = np.ones(sum(lengths), np.bool_)
        if len(indexes) > 1:
            ids = np.concatenate([index.ids for index in indexes])
            live[_replaced(ids)] = False
        parts = np.split(live, np.cumsum(lengths)[:-1]) if indexes else []
        end = 0
        for level in self._levels:
            end += len(level.shards)
            if not level.deleted:
                continue
            gone = hashes_of(level.deleted)
            exact = set(gone.tolist())
            for number in range(end):
                known = indexes[number].ids
                for line in np.flatnonzero(np.isin(known["high"], gone["high"])):
                    if known[line].item() in exact:
                        parts[number][line] = False
        return parts

    def _in_shard(self, number: int) -> Iterator[StoredFrame]:
        live = self.live[number]
        shard = self.shards[number]
        every = bool(live.all())
        if not live.any():
            return
        for line, data in enumerate(self.files.lines(shard)):
            if every or live[line]:
                yield _parsed(Place(number, line), data, shard)

    def _merged(self, numbers: Sequence[int]) -> Iterator[StoredFrame]:
        """
        Merge shards, each of which is opened when its first frame is due.
        """
        heap: list[tuple[tuple[str, float], Place, StoredFrame, Any]] = []
        for number in numbers:
            first = self.read(Place(number, int(np.argmax(self.live[number]))))
            heap.append((sort_key(first.value), first.place, first, None))
        heapq.heapify(heap)
        while heap:
            _, _, frame, rest = heap[0]
            yield frame
            if rest is None:
                rest = self._in_shard(frame.place.shard)
                next(rest)
            following = next(rest, None)
            if following is None:
                heapq.heappop(heap)
            else:
                key = sort_key(following.value)
                if key < heap[0][0]:
                    shard = self.shards[following.place.shard]
                    raise StorageError(shard.file, "its frames are not in order")
                heapq.heapreplace(heap, (key, following.place, following, rest))


def _replaced(ids: NDArray[Any]) -> NDArray[np.intp]:
    """
    The positions in *ids* behind which the same id comes again.
    """
    high = ids["high"]
    order = np.argsort(high, kind="stable")
    ranked = high[order]
    same = np.flatnonzero(ranked[1:] == ranked[:-1])
    if not len(same):
        return same
    low = ids["low"][order]
    if (low[same] == low[same + 1]).all():
        return order[same]
    # Two ids share 64 of their 128 bits, which by chance never happens.
    suspects = np.unique(np.concatenate([order[same], order[same + 1]]))
    last: dict[Any, int] = {}
    replaced = []
    for position, id in zip(suspects.tolist(), ids[suspects].tolist(), strict=True):
        if id in last:
            replaced.append(last[id])
        last[id] = position
    return np.array(replaced, np.intp)


def _parsed(place: Place, line: bytes, shard: Shard) -> StoredFrame:
    try:
        value = _json.loads_written(line)
    except DocumentError as error:
        raise StorageError(f"{shard.file}:{place.line + 1}", str(error)) from None
    if not isinstance(value, dict):
        raise StorageError(f"{shard.file}:{place.line + 1}", "no frame")
    return StoredFrame(place, line, value)


def _keyed(
    frames: Iterable[StoredFrame],
) -> Iterator[tuple[tuple[tuple[str, float], Place], StoredFrame]]:
    return (((sort_key(frame.value), frame.place), frame) for frame in frames)


def _spilled(path: str) -> Iterator[StoredFrame]:
    with open(path, "rb") as file:  # noqa: PTH123 - an inner path
        while head := file.read(24):
            shard, line, size = np.frombuffer(head, "<u8").tolist()
            data = file.read(size)
            value = _json.loads_written(data)
            yield StoredFrame(Place(shard, line), data, value)
