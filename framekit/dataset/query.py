"""
Choosing frames of a version by their labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final, Literal, Self, get_args

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from framekit.dataset.frame_set import FrameSet, Place, StoredFrame
from framekit.dataset.label_mapping import (
    MappingRule,
    as_enumeration,
    as_mapping_rules,
    mapped,
    number_of,
)
from framekit.dataset.label_rules import Filter, LabelRule
from framekit.dataset.labels import labels_of, rois_of
from framekit.dataset.shard_index import ID_HASH
from framekit.errors import ArgumentError, DocumentError, StorageError
from framekit.frame import SingleFrame

__all__ = ["Filter", "LabelRule", "MappingRule", "Order", "Output", "Query"]

#: By context and timestamp, or shuffled in a way that a seed decides.
Order = Literal["sequential", "random"]

#: Which ROIs a frame comes with: all, those that met a rule, or one at a time.
Output = Literal["all_in_frame", "only_filtered", "frame_per_roi"]

_PLACE: Final = np.dtype([("shard", "<u4"), ("line", "<u4")])


@frozen(eq=False)
class Query:
    """
    The frames that some rules mean; each iteration gives the same.

    Rules beside each other must all be met; a frame meets a query if it meets
    one of its filters. Where filters have weights, the frames of a filter come
    as often as its weight says and are repeated for that; one pass then is as
    long as it takes to give each frame of the largest filter once.
    """

    filters: tuple[Filter, ...]

    #: Other names for labels, given once frames are chosen.
    mapping: tuple[MappingRule, ...]

    #: Numbers for labels; ROIs then have a ``label_num``, -1 if not listed.
    enumeration: dict[str, int] | None

    order: Order

    #: Decides about the random order, in which frames have a place of their own:
    #: more frames between them do not change it.
    seed: int
    limit: int | None
    rois: Output
    _frames: FrameSet = field(repr=False)

    @classmethod
    def of(
        cls,
        frames: FrameSet,
        rules: Sequence[Any],
        *,
        mapping: Any = (),
        enumeration: Any = None,
        order: Any = "sequential",
        seed: int = 0,
        limit: int | None = None,
        rois: Any = "all_in_frame",
    ) -> Self:
        """
        Check the parts of a query; see ``DatasetVersion.query``.

        Raises:
            ArgumentError: If one is none.
        """
        for name, value, known in (
            ("order", order, get_args(Order)),
            ("rois", rois, get_args(Output)),
        ):
            if value not in known:
                reason = f"expected one of {', '.join(known)}, got {value!r}"
                raise ArgumentError(name, reason)
        if not _is_whole(seed):
            raise ArgumentError("seed", f"expected an integer, got {seed!r}")
        if limit is not None and (not _is_whole(limit) or limit < 0):
            raise ArgumentError("limit", f"expected a number of frames, got {limit!r}")
        return cls(
            filters=_as_filters(rules),
            mapping=as_mapping_rules(mapping),
            enumeration=as_enumeration(enumeration),
            order=order,
            seed=seed,
            limit=limit,
            rois=rois,
            frames=frames,
        )

    def __iter__(self) -> Iterator[SingleFrame]:
        """
        Yield the frames, mapped and numbered.

        Raises:
            StorageError: If a shard cannot be read, or is damaged.
        """
        for document in self.documents():
            try:
                yield SingleFrame.from_dict(document)
            except DocumentError as error:
                raise StorageError(str(document.get("id")), str(error)) from None

    def documents(self) -> Iterator[dict[str, Any]]:
        """
        Yield the same frames as parsed JSON, which is quicker.

        Raises:
            StorageError: If a shard cannot be read, or is damaged.
        """
        given = 0
        for number, stored in self._stored():
            for document in self._written(stored, number):
                if given == self.limit:
                    return
                given += 1
                yield document

    def count(self) -> int:
        """
        How many frames the query gives.

        Raises:
            StorageError: If a shard cannot be read, or is damaged.
        """
        return sum(1 for _ in self.documents())

    def _stored(self) -> Iterator[tuple[int | None, StoredFrame]]:
        """
        Yield what is chosen, with the filter it is chosen by where that counts.
        """
        if self.limit == 0:
            return
        if any(one.weight is not None for one in self.filters):
            for number, place in self._weighted():
                yield number, self._frames.read(place)
        elif self.order == "sequential":
            for stored in self._frames.ordered():
                if any(one.match(stored.value) is not None for one in self.filters):
                    yield None, stored
        else:
            for place in self._shuffled(self._places(self.filters)):
                yield None, self._frames.read(place)

    def _places(self, filters: Iterable[Filter]) -> NDArray[Any]:
        """
        Where the frames of *filters* are, in order, 8 bytes each.
        """
        chosen = list(filters)
        parts = bytearray()
        for stored in self._frames.ordered():
            if any(one.match(stored.value) is not None for one in chosen):
                parts += np.array(tuple(stored.place), _PLACE).tobytes()
        return np.frombuffer(bytes(parts), _PLACE)

    def _shuffled(self, places: NDArray[Any], turn: int = 0) -> Iterator[Place]:
        """
        Yield *places* in random order, another one each time through.
        """
        ids = np.empty(len(places), ID_HASH)
        for number in np.unique(places["shard"]).tolist():
            here = places["shard"] == number
            index = self._frames.files.index(self._frames.shards[number])
            ids[here] = index.ids[places["line"][here]]
        ranks = bytearray()
        key = blake2b(f"{self.seed}:{turn}".encode(), digest_size=32).digest()
        for id in ids:
            ranks += blake2b(id.tobytes(), digest_size=8, key=key).digest()
        for n in np.argsort(np.frombuffer(bytes(ranks), "<u8"), kind="stable"):
            yield Place(*places[n].item())

    def _weighted(self) -> Iterator[tuple[int, Place]]:
        """
        One pass in which filters come as often as their weights say.
        """
        found = [self._places([one]) for one in self.filters]
        used = [n for n, places in enumerate(found) if len(places)]
        if not used:
            return
        weights = {n: self.filters[n].weight or 1.0 for n in used}
        total = sum(weights.values())
        largest = max(used, key=lambda n: len(found[n]))
        length = math.ceil(len(found[largest]) * total / weights[largest])
        endless = {n: self._repeated(found[n]) for n in used}
        given = dict.fromkeys(used, 0)
        for _ in range(length):
            # Whoever is most behind what its weight entitles it to.
            n = min(used, key=lambda n: ((given[n] + 1) / weights[n], n))
            given[n] += 1
            yield n, next(endless[n])

    def _repeated(self, places: NDArray[Any]) -> Iterator[Place]:
        turn = 0
        while True:
            if self.order == "random":
                yield from self._shuffled(places, turn)
            else:
                yield from (Place(*place) for place in places.tolist())
            turn += 1

    def _written(
        self, stored: StoredFrame, number: int | None
    ) -> Iterator[dict[str, Any]]:
        """
        Yield the frame as the query gives it, once or once for each ROI.
        """
        frame = stored.value
        rois = rois_of(frame)
        meant = self._meant(stored, number)
        if self.mapping or self.enumeration is not None:
            for roi, labels in zip(rois, labels_of(frame, rois), strict=True):
                self._rename(roi, labels)
        if self.rois == "all_in_frame":
            yield frame
        elif self.rois == "only_filtered":
            yield {**frame, "rois": [rois[n] for n in meant]}
        else:
            for n in meant:
                yield {**frame, "rois": [rois[n]]}

    def _rename(self, roi: dict[str, Any], labels: tuple[str, ...]) -> None:
        """
        Give *roi*, whose *labels* are those meant, its other names and its number.
        """
        given = mapped(labels, self.mapping)
        if self.mapping:
            if labels and (roi.get("label") or [])[:1] != [labels[0]]:
                # Mask id and label are exchanged; now they no longer are.
                roi["mask"] = {**roi["mask"], "id": roi["label"][0]}
            roi["label"] = given
        if self.enumeration is not None:
            roi["label_num"] = number_of(given, self.enumeration)

    def _meant(self, stored: StoredFrame, number: int | None) -> list[int]:
        if self.rois == "all_in_frame":
            return []
        chosen = self.filters if number is None else (self.filters[number],)
        found = (one.match(stored.value) for one in chosen)
        return sorted({n for numbers in found if numbers is not None for n in numbers})


def _as_filters(rules: Sequence[Any]) -> tuple[Filter, ...]:
    filters = [rule for rule in rules if isinstance(rule, Filter)]
    if not filters:
        return (Filter(tuple(rules)),)
    if len(filters) < len(rules):
        reason = (
            "expected rules, or filters that hold rules, not both beside each other"
        )
        raise ArgumentError("rules", reason)
    return tuple(filters)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
