"""
Several cameras at one moment, each as a frame of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Self

from attrs import evolve

from framekit.errors import ArgumentError
from framekit.frame.roi import Roi
from framekit.frame.single_frame import SingleFrame
from framekit.frame.values import as_id, as_mapping

__all__ = ["FrameGroup"]


class FrameGroup(MutableMapping[str, SingleFrame]):
    """
    Frames of one source each, by source id; on the wire they are one frame.

    The reason for this being a class is ClearML's: each camera's masks and ROIs
    are handled as if the others were not there.
    """

    def __init__(
        self,
        frames: Mapping[str, SingleFrame] | None = None,
        *,
        id: str | None = None,
        timestamp: int | None = None,
        context_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Collect *frames*, whose keys become the source ids.

        Raises:
            ArgumentError: If a frame has not exactly one source.
        """
        #: The keys of the whole frame; its sources and ROIs stay empty.
        self._whole = SingleFrame(
            id=id,
            timestamp=timestamp,
            context_id=context_id,
            metadata=metadata,
        )
        self._frames: dict[str, SingleFrame] = {}
        self._shared: list[Roi] = []
        for name, frame in (frames or {}).items():
            self[name] = frame

    def __getitem__(self, name: str) -> SingleFrame:
        return self._frames[name]

    def __setitem__(self, name: str, frame: SingleFrame) -> None:
        name = as_id(name, argument="name")
        if not isinstance(frame, SingleFrame):
            raise ArgumentError(name, f"expected a SingleFrame, got {frame!r}")
        if len(frame.sources) != 1:
            reason = f"expected a frame of one source, got {len(frame.sources)}"
            raise ArgumentError(name, reason)
        self._frames[name] = frame

    def __delitem__(self, name: str) -> None:
        del self._frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FrameGroup):
            return NotImplemented
        return (
            self._whole == other._whole
            and self._frames == other._frames
            and self._shared == other._shared
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"FrameGroup({self._frames!r})"

    @property
    def id(self) -> str | None:
        """
        The id of the whole frame.
        """
        return self._whole.id

    @id.setter
    def id(self, value: str | None) -> None:
        self._whole.id = value

    @property
    def metadata(self) -> dict[str, Any]:
        """
        Metadata that all sources share.
        """
        return self._whole.metadata

    @metadata.setter
    def metadata(self, value: Mapping[str, Any]) -> None:
        self._whole.metadata = as_mapping(value)

    def add_global_annotation(
        self,
        annotation: Roi | None = None,
        **arguments: Any,
    ) -> list[int]:
        """
        Add ROIs that lie in all sources.

        Args:
            annotation: A ROI, whose sources are replaced by all of them.
            arguments: In place of it, those of ``SingleFrame.add_annotation``.

        Returns:
            The indices among :meth:`get_global_annotations`.

        Raises:
            ArgumentError: As ``SingleFrame.add_annotation`` does.
        """
        if annotation is not None:
            rois = [annotation]
        else:
            whole = self.to_frame()
            names = [source.id for source in whole.sources]
            start = len(whole.rois)
            whole.add_annotation(**arguments, sources=names)
            rois = whole.rois[start:]
        found = len(self.get_global_annotations())
        self._shared += [evolve(roi, sources=tuple(self)) for roi in rois]
        return list(range(found, found + len(rois)))

    def get_global_annotations(self) -> list[Roi]:
        """
        The ROIs that lie in all sources.
        """
        return [roi for roi in self._shared if set(roi.sources) == set(self)]

    def remove_global_annotation(self, index: int) -> Roi:
        """
        Remove and return one of :meth:`get_global_annotations`.

        Raises:
            ArgumentError: If there is none at *index*.
        """
        found = self.get_global_annotations()
        if not -len(found) <= index < len(found):
            reason = f"there are {len(found)} global annotations, no number {index}"
            raise ArgumentError("index", reason)
        removed = found[index]
        self._shared = [roi for roi in self._shared if roi is not removed]
        return removed

    def copy(self) -> Self:
        """
        Return a copy under a new random id.
        """
        return type(self).from_frame(self.to_frame().copy())

    def to_dict(self) -> dict[str, Any]:
        """
        Return the group as one frame's parsed JSON.
        """
        return self.to_frame().to_dict()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """
        Read a group from a frame's parsed JSON.

        Raises:
            DocumentError: With the JSON path of what is wrong.
        """
        return cls.from_frame(SingleFrame.from_dict(data))

    def to_frame(self) -> SingleFrame:
        """
        Return one frame that holds the source and the ROIs of each member.

        Timestamp and context come from the group, or from its first member that
        has one; a member's own metadata becomes its source's.

        Raises:
            ArgumentError: If a member's metadata repeats a key of its source's
                with another value.
        """
        frame = _without_parts(self._whole)
        members = list(self.values())
        sources = []
        for name, member in self.items():
            source = member.sources[0]
            metadata = _merged(name, source.metadata, member.metadata)
            sources.append(evolve(source, id=name, metadata=metadata))
            frame.rois += [evolve(roi, sources=(name,)) for roi in member.rois]
        frame.sources = tuple(sources)
        frame.rois += self._shared
        if frame.timestamp is None:
            frame.timestamp = _first(member.timestamp for member in members)
        if frame.context_id is None:
            frame.context_id = _first(member.context_id for member in members)
        return frame

    @classmethod
    def from_frame(cls, frame: SingleFrame) -> Self:
        """
        Take *frame* apart; ``to_frame`` puts it together again.

        ROIs of one source go to its member, all others stay with the group.

        Raises:
            ArgumentError: If two sources share an id.
        """
        group = cls()
        group._whole = _without_parts(frame)
        for source in frame.sources:
            if source.id in group:
                reason = f"two sources share the id {source.id!r}"
                raise ArgumentError("sources", reason)
            group[source.id] = SingleFrame(sources=(source,))
        for roi in frame.rois:
            if len(roi.sources) == 1 and roi.sources[0] in group:
                group[roi.sources[0]].rois.append(roi)
            else:
                group._shared.append(roi)
        return group


def _without_parts(frame: SingleFrame) -> SingleFrame:
    return SingleFrame.from_dict({**frame.to_dict(), "sources": [], "rois": None})


def _merged(
    name: str, source: Mapping[str, Any], member: Mapping[str, Any]
) -> dict[str, Any]:
    for key, value in member.items():
        if key in source and source[key] != value:
            reason = f"the frame's and its source's metadata disagree on {key!r}"
            raise ArgumentError(name, reason)
    return {**source, **member}


def _first(values: Iterator[Any]) -> Any:
    return next((value for value in values if value is not None), None)
