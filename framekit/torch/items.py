"""
What there is to train on: one mask of one source of one frame each.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen

from framekit.dataset import open_target
from framekit.dataset.dataset import Dataset
from framekit.dataset.label_mapping import MappingRule, mapped
from framekit.dataset.opening import is_dataset
from framekit.dataset.query import Query
from framekit.dataset.version import DatasetVersion
from framekit.decoding.requests import Named, Request, request_of
from framekit.errors import (
    ArgumentError,
    DecodeError,
    DecodeWarning,
    DocumentError,
    FramekitError,
    PaletteWarning,
)
from framekit.frame import SingleFrame, Source
from framekit.palette import ALL_MASKS, Palette
from framekit.palette.version_labels import levels_of
from framekit.problem import Problem, Severity
from framekit.storage import Storage

__all__ = ["Frames", "Item", "Picture", "items_of", "opened_frames"]


@frozen(kw_only=True)
class Picture:
    """
    The picture that a mask is drawn over.
    """

    uri: str
    as_video: bool

    #: In ms.
    timestamp: float


@frozen(eq=False, kw_only=True)
class Item:
    """
    One mask, and its picture.
    """

    #: ``"frame/source.mask"``.
    name: str

    mask: Request

    #: None where none is known.
    picture: Picture | None = None


@frozen(eq=False, kw_only=True)
class Frames:
    """
    Frames that were opened for training, and what holds for all of them.
    """

    frames: Iterable[SingleFrame | Problem]

    #: ``mask_labels``, or a document that has them.
    version: Any = None

    storage: Storage = field(factory=Storage)

    #: The numbers that a query gives labels.
    enumeration: Mapping[str, int] | None = None


def opened_frames(target: Any, version: Any, storage: Storage | None) -> Frames:
    """
    Open *target* for training.

    Args:
        target: A Query, a DatasetVersion, a Dataset or its path, or whatever
            ``open_target`` takes.
        version: What else says what colors mean; of a dataset, also a name. A Query
            needs it.
        storage: In place of the target's own folder.

    Raises:
        ArgumentError: If *target* is none of these.
        DocumentError: If the version document cannot be read.
        StorageError: If a file cannot be read.
    """
    if isinstance(target, Query):
        return _opened_query(target, version, storage)
    if is_dataset(target):
        target = Dataset.open(target)
    if isinstance(target, Dataset):
        name = version if isinstance(version, str) else None
        target = target.get_version(name)
        version = None if name is not None else version
    if isinstance(target, DatasetVersion):
        target = target.target()
    opened = open_target(target)
    for problem in opened.problems:
        if problem.severity is Severity.ERROR:
            raise DocumentError(problem.at, problem.message, problem.code)
    return Frames(
        frames=opened.frames(),
        version=opened.version if version is None else version,
        storage=storage or Storage(opened.root),
    )


def _opened_query(query: Query, version: Any, storage: Storage | None) -> Frames:
    if version is None:
        reason = (
            "a query does not say what its version's mask_labels are and where its "
            "folder is; give the version, or mask_labels, which may be {}"
        )
        raise ArgumentError("version", reason)
    root = version.store.root if isinstance(version, DatasetVersion) else None
    return Frames(
        frames=query,
        version=_renamed(version, query.mapping),
        storage=storage or Storage(root),
        enumeration=query.enumeration,
    )


def _renamed(version: Any, rules: Iterable[MappingRule]) -> Any:
    """
    The ``mask_labels`` of *version* under the names that a query gives to ROIs.
    """
    rules = tuple(rules)
    if not rules:
        return version
    known = getattr(version, "mask_labels", version)
    if isinstance(known, Mapping) and "mask_labels" in known:
        known = known["mask_labels"]
    ids = [id for id in known if isinstance(id, str)] if isinstance(known, dict) else []
    found: dict[str, list[dict[str, Any]]] = {}
    for id in dict.fromkeys([*ids, ALL_MASKS]):
        for level, colors in levels_of(known, id):
            if level == f"mask_labels[{id!r}]":
                found[id] = [
                    {"value": list(color), "labels": mapped(labels, rules)}
                    for color, labels in colors.items()
                ]
    return {"mask_labels": found}


def items_of(
    opened: Frames,
    *,
    source: str | None,
    mask: str | None,
    palette: Palette | None,
) -> tuple[Item, ...]:
    """
    List the masks of *opened* that are to be learnt.

    Raises:
        ArgumentError: If there are none, or masks of several ids and none is named.
        DocumentError: If a frame cannot be read.
        DecodeError: If it is not known what the colors of a mask mean.
    """
    only = Named(source, mask)
    items: list[Item] = []
    ids: dict[str, None] = {}
    unlabeled: list[str] = []
    palettes: dict[Palette, Palette] = {}
    for position, frame in enumerate(_checked(opened.frames)):
        for item in _items_of_frame(frame, position, only, palette, opened.version):
            ids[item.mask.mask] = None
            if item.mask.palette:
                # Equal palettes are one object, since there are many frames.
                own = palettes.setdefault(item.mask.palette, item.mask.palette)
                items.append(evolve(item, mask=evolve(item.mask, palette=own)))
            else:
                unlabeled.append(item.name)
    if mask is None and len(ids) > 1:
        reason = f"the frames have masks {list(ids)}; name one"
        raise ArgumentError("mask", reason)
    if not items:
        wanted = f"mask {mask!r}" if mask is not None else "mask with labels"
        of = "" if source is None else f" of source {source!r}"
        raise ArgumentError("target", f"no frame has a {wanted}{of}")
    if unlabeled:
        message = (
            f"{len(unlabeled)} masks are left out, since nothing says what their "
            f"colors mean: {', '.join(unlabeled[:3])}"
        )
        warnings.warn(message, PaletteWarning, stacklevel=4)
    return tuple(items)


def _checked(frames: Iterable[SingleFrame | Problem]) -> Iterator[SingleFrame]:
    for frame in frames:
        if isinstance(frame, Problem):
            where = f"{frame.document}: {frame.at}" if frame.document else frame.at
            raise DocumentError(where, frame.message, frame.code)
        yield frame


def _items_of_frame(
    frame: SingleFrame,
    position: int,
    only: Named,
    palette: Palette | None,
    version: Any,
) -> Iterator[Item]:
    for source in frame.sources:
        for mask in source.masks:
            if not only.holds(source, mask):
                continue
            of = frame.id if frame.id is not None else f"frame {position}"
            name = f"{of}/{source.id}.{mask.id}"
            named = Named(source.id, mask.id)
            try:
                request = request_of(frame, position, named, palette, version)
            except FramekitError as error:
                raise DecodeError(f"{name}: {error}") from error
            yield Item(name=name, mask=request, picture=_picture_of(source, name))


def _picture_of(source: Source, name: str) -> Picture:
    as_video = (source.content_type or "").lower().startswith("video")
    moments = [mask.timestamp for mask in source.masks if mask.timestamp]
    if as_video and source.timestamp is None and moments:
        message = f"{name}: source has no timestamp; read as 0, its mask at {moments}"
        warnings.warn(message, DecodeWarning, stacklevel=6)
    return Picture(uri=source.uri, as_video=as_video, timestamp=source.timestamp or 0)
