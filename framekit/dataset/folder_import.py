"""
From a frames folder to a version.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from framekit.dataset.documents import open_documents
from framekit.dataset.durable import TEMPORARY
from framekit.dataset.lock import LOCK_FILE
from framekit.dataset.shard_files import FOLDER
from framekit.errors import ArgumentError, PaletteError, StorageError
from framekit.frame import SingleFrame
from framekit.problem import Problem, Severity
from framekit.storage import scheme_of

if TYPE_CHECKING:
    from framekit.dataset.dataset import Dataset
    from framekit.dataset.version import DatasetVersion

__all__ = ["Media", "import_frames", "state_facts"]

#: What becomes of the files that frames name by relative URIs.
Media = Literal["copy", "keep"]

_KNOWN: Final = get_args(Media)

#: What a dataset's folder has for itself.
_TAKEN: Final = frozenset({"dataset.json", "versions", FOLDER, LOCK_FILE})


def import_frames(
    dataset: Dataset,
    path: Path,
    name: str | None,
    parent: str | DatasetVersion | None,
    media: Media,
) -> tuple[DatasetVersion, list[Problem]]:
    """
    Make the frames in *path* a version; see ``Dataset.import_folder``.
    """
    if media not in _KNOWN:
        raise ArgumentError("media", f"expected one of {_KNOWN}, got {media!r}")
    target = open_documents(path)
    document = target.version if isinstance(target.version, Mapping) else {}
    stated = document.get("name")
    chosen = name or (stated if isinstance(stated, str) and stated else path.stem)
    version = dataset.create_version(chosen, parent)
    try:
        problems = [*target.problems, *state_facts(version, document)]
        frames: Iterable[Any] = target.frames()
        if media == "copy" and target.root is not None:
            frames = _with_media(frames, target.root, dataset.path)
        problems += version.add_frames(frames)
    except BaseException:
        dataset.delete_version(chosen)
        raise
    return version, problems


def state_facts(
    version: DatasetVersion, document: Mapping[str, Any]
) -> Iterator[Problem]:
    """
    Let *version* state what *document*, a version's, states; problems where not.
    """
    metadata = document.get("metadata")
    plain = dict(metadata) if isinstance(metadata, Mapping) else {}
    plain.pop("mask_labels", None)
    facts: tuple[tuple[Any, Callable[[Any], None]], ...] = (
        (document, version.take_masks_labels),
        (plain, version.set_metadata),
        (document.get("tags"), version.set_tags),
        (document.get("comment"), version.set_comment),
    )
    for value, state in facts:
        try:
            if value:
                state(value)
        except (ArgumentError, PaletteError) as error:
            yield Problem(
                "wrong-value", Severity.ERROR, str(error), document="version.json"
            )


def _with_media(
    frames: Iterable[SingleFrame | Problem], origin: Path, root: Path
) -> Iterator[SingleFrame | Problem]:
    """
    *frames*, each once the files that it names are in *root* too.
    """
    outcomes: dict[str, str] = {}
    for frame in frames:
        problem = None
        if isinstance(frame, SingleFrame):
            for uri in _uris(frame):
                if uri not in outcomes:
                    outcomes[uri] = _bring(uri, origin, root)
                if outcomes[uri]:
                    problem = _problem(outcomes[uri], uri, frame)
        yield frame if problem is None else problem


def _uris(frame: SingleFrame) -> Iterator[str]:
    for source in frame.sources:
        yield source.uri
        if source.preview is not None:
            yield source.preview.uri
        yield from (mask.uri for mask in source.masks)


def _bring(uri: str, origin: Path, root: Path) -> str:
    """
    Copy the file that *uri* names, if it is a relative one, from *origin* to *root*.

    Returns:
        Why that cannot be, empty if all is well.
    """
    if scheme_of(uri) or uri[:5].lower() == "file:" or Path(uri).is_absolute():
        return ""
    start = origin.resolve()
    end = root.resolve()
    try:
        found = (start / uri).resolve()
        goal = (end / uri).resolve()
        if not found.is_relative_to(start):
            return "leads out of the folder that is imported"
        if not found.is_file():
            return ""  # as it was before; validation of media tells it
        if not goal.is_relative_to(end) or goal.relative_to(end).parts[0] in _TAKEN:
            return "the dataset has no place for a file of that name"
        if goal.exists():
            same = filecmp.cmp(found, goal, shallow=False)
            return "" if same else "the dataset has another file of that name"
        goal.parent.mkdir(parents=True, exist_ok=True)
        unfinished = goal.with_name(f"{TEMPORARY}{goal.name}")
        shutil.copyfile(found, unfinished)
        unfinished.replace(goal)
    except ValueError as error:
        return str(error)
    except OSError as error:
        raise StorageError(uri, f"cannot be copied: {error.strerror}") from None
    return ""


def _problem(what: str, uri: str, frame: SingleFrame) -> Problem:
    return Problem(
        code="media-not-imported",
        severity=Severity.ERROR,
        message=f"{uri}: {what}; the frame is not stored",
        frame=frame.id,
    )
