"""
Frames folders: ``frames.jsonl``, ``version.json`` and ``media/``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from framekit import _json
from framekit.dataset import Target, open_target
from framekit.dataset.documents import FRAME_FILES, VERSION_FILE
from framekit.errors import FramekitError
from framekit.formats.classes import is_background, spread_colors
from framekit.formats.collection import Batch, Collection
from framekit.formats.frame_reading import FrameReader, is_instance_mask
from framekit.formats.frame_writing import (
    ABOUT_KEY,
    CLASSES_KEY,
    FrameMaker,
    version_metadata_of,
)
from framekit.formats.item import Item
from framekit.formats.mask_files import write_bytes
from framekit.formats.output import OutputFolder
from framekit.formats.writer import Added
from framekit.frame import SingleFrame
from framekit.palette import Palette, PaletteEntry
from framekit.problem import Problem
from framekit.storage import Storage

__all__ = ["LOSSES", "collection_of", "detect", "read", "writer"]

LOSSES: Final = (
    "PNG files are written anew: the pixels are the same, the bytes are not.",
    (
        "Classes that share a color, or have none, are painted in one of their own; "
        "the version's metadata keeps theirs."
    ),
    (
        "Of a frame with several sources, each becomes a frame; shapes that are no "
        "masks are not converted."
    ),
)

#: How many frames are read together where masks are videos.
_WINDOW: Final = 32


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    if path.is_dir():
        return 0.99 if any((path / name).is_file() for name in FRAME_FILES) else 0.0
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return 0.7
    return 0.9 if path.name in FRAME_FILES else 0.0


def read(
    path: Path,
    *,
    storage: Storage | None = None,
    source: str | None = None,
    mask: str | None = None,
    instances: Sequence[str] | None = None,
    **options: Any,
) -> Collection:
    """
    Read a frames folder or a file of frames; see :func:`collection_of`.

    Raises:
        StorageError: If a file cannot be read.
        ArgumentError: If an option is none.
    """
    target = open_target(path)
    return collection_of(
        target,
        storage=storage,
        source=source,
        mask=mask,
        instances=instances,
        **options,
    )


def collection_of(
    target: Target,
    *,
    storage: Storage | None = None,
    source: str | None = None,
    mask: str | None = None,
    instances: Sequence[str] | None = None,
    **options: Any,
) -> Collection:
    """
    The collection of the frames of *target*, of which all are looked at first.

    Args:
        storage: Where URIs lead; by default only into the target's folder.
        source: Only this source.
        mask: The mask of the classes, where a source has several.
        instances: The masks of objects; by default those called so.
        options: Those of decoding.

    Raises:
        StorageError: If a file cannot be read.
    """
    survey = _Survey.of(target, source, mask, instances)
    reader = FrameReader(
        classes=survey.classes,
        version=target.version,
        storage=storage or Storage(target.root),
        source=source,
        mask=mask,
        instances=None if instances is None else tuple(instances),
        several_sources=survey.several_sources,
        options=options,
    )
    about = _metadata_of(target.version).get(ABOUT_KEY)
    return Collection(
        name=target.name,
        format="frames",
        classes=survey.classes,
        batches=_Batches(target, reader, _WINDOW if survey.videos else 1),
        count=survey.count,
        metadata=about if isinstance(about, Mapping) else {},
        problems=(*target.problems, *survey.problems),
    )


def _metadata_of(version: Any) -> Mapping[str, Any]:
    found = version.get("metadata") if isinstance(version, Mapping) else None
    return found if isinstance(found, Mapping) else {}


@frozen(eq=False)
class _Batches:
    """
    The frames of a target, some at a time, as often as they are asked for.
    """

    target: Target
    reader: FrameReader
    window: int

    def __iter__(self) -> Iterator[Batch]:
        frames = (one for one in self.target.frames() if isinstance(one, SingleFrame))
        numbered = (_named(frame, n) for n, frame in enumerate(frames))
        while batch := list(islice(numbered, self.window)):
            yield partial(self.reader.items, batch)


def _named(frame: SingleFrame, number: int) -> SingleFrame:
    """
    *frame* with an id: its place among the frames, where it has none.
    """
    return frame if frame.id else evolve(frame, id=f"{number:06}")


@frozen(eq=False)
class _Survey:
    """
    What the frames say before any mask is opened.
    """

    classes: Palette
    count: int
    videos: bool
    several_sources: bool
    problems: tuple[Problem, ...] = field(factory=tuple)

    @classmethod
    def of(
        cls,
        target: Target,
        source: str | None,
        mask: str | None,
        instances: Sequence[str] | None,
    ) -> _Survey:
        """
        Look at all frames of *target*.
        """
        colors: dict[frozenset[str], tuple[tuple[str, ...], Any, bool]] = {}
        problems: list[Problem] = []
        count = 0
        videos = several = False
        for frame in target.frames():
            if isinstance(frame, Problem):
                problems.append(frame)
                continue
            seen = 0
            for one in frame.sources:
                if source not in (None, one.id):
                    continue
                spoken = 0
                for each in one.masks:
                    of_objects = (
                        each.id in instances
                        if instances is not None
                        else is_instance_mask(each.id)
                    )
                    if mask is not None and not of_objects and each.id != mask:
                        continue
                    try:
                        palette = Palette.from_frame(
                            frame, one.id, each.id, version=target.version
                        )
                    except FramekitError:
                        spoken += 1  # Decoding it tells what is wrong.
                        continue
                    spoken += bool(palette)
                    _collect(palette, colors, of_objects=of_objects)
                    videos |= (each.content_type or "").startswith("video")
                seen += spoken > 0
            count += seen
            several |= seen > 1
        classes = _classes(target.version, colors)
        return cls(classes, count, videos, several, tuple(problems))


def _collect(
    palette: Palette,
    colors: dict[frozenset[str], tuple[tuple[str, ...], Any, bool]],
    *,
    of_objects: bool,
) -> None:
    for entry in palette:
        key = frozenset(entry.labels)
        if entry.id is None or (of_objects and is_background(entry)):
            continue
        if key not in colors or (colors[key][1] is None and not of_objects):
            # The color of an object is not that of its class.
            color = None if of_objects else entry.color
            colors[key] = (entry.labels, color, False)
        if of_objects:
            labels, color, _ = colors[key]
            colors[key] = (labels, color, True)


def _classes(
    version: Any, colors: dict[frozenset[str], tuple[tuple[str, ...], Any, bool]]
) -> Palette:
    """
    The table of classes: the one that the version has, and what it lacks.
    """
    stated = _stated(version)
    known = {frozenset(entry.labels) for entry in stated if entry.id is not None}
    more = [found for key, found in colors.items() if key not in known]
    next_id = (
        max((entry.id for entry in stated if entry.id is not None), default=-1) + 1
    )
    taken = [
        *(entry.color for entry in stated if entry.color is not None),
        *(color for _, color, _ in more if color is not None),
    ]
    free = spread_colors(taken)
    added = [
        PaletteEntry(
            id=next_id + n,
            color=next(free) if color is None else color,
            labels=labels,
            thing=True if has_objects else None,
        )
        for n, (labels, color, has_objects) in enumerate(more)
    ]
    return Palette([*stated, *added], shared="first")


def _stated(version: Any) -> list[PaletteEntry]:
    table = _metadata_of(version).get(CLASSES_KEY)
    if not isinstance(table, Mapping):
        return []
    try:
        return list(Palette.from_dict(table, shared="first"))
    except FramekitError:
        return []


class _Writer:
    """
    Writes ``frames.jsonl``, ``version.json`` and ``media/``.
    """

    def __init__(self, folder: OutputFolder, collection: Collection) -> None:
        self._folder = folder
        self._collection = collection
        self._maker = FrameMaker(folder, collection)

    def add(self, item: Item) -> Added:
        return Added(self._maker.frame(item).to_json(), item.problems)

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        lines = b"".join(line + b"\n" for line in records)
        write_bytes(self._folder.path / FRAME_FILES[0], lines)
        version = {
            "name": self._folder.path.absolute().name,
            "mask_labels": self._maker.mask_labels(),
            "metadata": version_metadata_of(self._collection),
        }
        data = _json.dumps(version, indent=True) + b"\n"
        write_bytes(self._folder.path / VERSION_FILE, data)
        return self._maker.problems()


def writer(path: Path, collection: Collection) -> _Writer:
    """
    What writes *collection* to the folder *path*.

    Raises:
        ArgumentError: If the folder is not empty.
    """
    return _Writer(OutputFolder(path), collection)
