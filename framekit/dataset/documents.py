"""
What frames are read from: values, files, folders.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from attrs import evolve, field, frozen

from framekit import _json
from framekit.dataset import records
from framekit.dataset.lines import read_lines, without_bom
from framekit.dataset.portions import Portion, by_lines, by_records
from framekit.dataset.records import Record
from framekit.errors import (
    ArgumentError,
    DocumentError,
    MissingFileError,
    StorageError,
)
from framekit.frame import FrameGroup, SingleFrame
from framekit.problem import Problem, Severity

__all__ = ["FRAME_FILES", "VERSION_FILE", "Target", "open_documents"]

#: The files of a frames folder that hold its frames; the first that is there counts.
FRAME_FILES: Final = ("frames.jsonl", "frames.json")

#: The file of a frames folder that says what holds for all frames.
VERSION_FILE: Final = "version.json"

_BY_LINE: Final = frozenset({".jsonl", ".ndjson"})
_CHUNK: Final = 1024 * 1024
_WHOLE: Final = frozenset({".json"})


@frozen
class Target:
    """
    Frames that can be read, and what holds for all of them.
    """

    #: What a person would call it.
    name: str

    #: The folder that relative URIs start from; None for values without one.
    root: Path | None = None

    #: The version document as parsed JSON, None if there is none.
    version: Any = None

    #: What the version document is called.
    version_document: str = ""

    #: What was wrong with everything but the frames.
    problems: tuple[Problem, ...] = ()

    #: The file that holds the frames line by line, None if there is no such file.
    lines: Path | None = field(default=None, kw_only=True)

    #: Is the same for the same frames; empty for those that cannot be read again.
    _identity: Callable[[], str] | None = field(
        default=None, repr=False, eq=False, kw_only=True
    )

    _read: Callable[[], Iterator[Record]] = field(repr=False, eq=False, kw_only=True)

    @property
    def size(self) -> int | None:
        """
        How many bytes the lines have, None if there are none.
        """
        if self.lines is None:
            return None
        try:
            return self.lines.stat().st_size
        except OSError:
            return None

    def identity(self) -> str:
        """
        What tells these frames from any others; empty if they cannot be read again.

        Raises:
            StorageError: If a file cannot be read any more.
        """
        return self._identity() if self._identity is not None else ""

    def portions(self, size: int) -> Iterator[Portion]:
        """
        The frames in portions of *size*, in their order.

        Raises:
            StorageError: If a file cannot be read any more.
        """
        if self.lines is not None:
            return by_lines(self.lines, size)
        return by_records(self.records(), size)

    def records(self) -> Iterator[Record]:
        """
        Read the frames one by one; those of files can be read again.

        Raises:
            StorageError: If a file cannot be read any more.
        """
        return self._read()

    def frames(self) -> Iterator[SingleFrame | Problem]:
        """
        Read the frames as objects; what is none comes as its first problem.
        """
        for record in self.records():
            try:
                yield record.frame()
            except DocumentError as error:
                problem = records.problem_of(error, record.document)
                yield evolve(problem, at=record.at + error.at.removeprefix("$"))


def open_documents(target: Any) -> Target:
    """
    Find out what *target* is and how its frames are read; no datasets.

    Args:
        target: A SingleFrame or FrameGroup, the parsed JSON of a frame or of
            ``{"frames": [...]}``, an iterable of frames, or the path of a JSON
            file, a JSON Lines file or a frames folder.

    Raises:
        MissingFileError: If there is no such file, or no frames in the folder.
        StorageError: If it cannot be read.
        ArgumentError: If it is none of these.
    """
    if isinstance(target, Target):
        return target
    if isinstance(target, (str, os.PathLike)):
        return _open_path(Path(target))
    if isinstance(target, Mapping) and not isinstance(target, FrameGroup):
        return _open_mapping(target)
    if isinstance(target, (SingleFrame, FrameGroup)):
        return Target("frame", read=partial(records.read_values, [target], one=True))
    if isinstance(target, Iterable) and not isinstance(target, (bytes, bytearray)):
        return Target("frames", read=partial(records.read_values, target))
    reason = (
        "expected a frame, frames, or the path of a JSON file, a JSON Lines file "
        f"or a frames folder, got {_json.kind(target)}"
    )
    raise ArgumentError("target", reason)


def _open_mapping(value: Mapping[str, Any]) -> Target:
    (record,) = records.read_values([value], one=True)
    if not record.is_read:
        return Target("frame", read=lambda: iter([record]))
    return Target(
        "frame",
        version=records.shared_part(record.value),
        read=partial(records.read_document, record.value, (), ""),
    )


def _open_path(path: Path) -> Target:
    if not path.exists():
        raise MissingFileError(str(path), "no such file or folder")
    if path.is_dir():
        return _open_folder(path)
    target = _open_file(path)
    return _with_version(target, path.parent) if path.name in FRAME_FILES else target


def _open_folder(folder: Path) -> Target:
    found = [name for name in FRAME_FILES if (folder / name).is_file()]
    if not found:
        reason = f"the folder has no {' or '.join(FRAME_FILES)}"
        raise MissingFileError(str(folder), reason)
    target = evolve(_open_file(folder / found[0]), name=str(folder))
    target = _with_version(target, folder)
    if len(found) == 1:
        return target
    problem = Problem(
        code="two-frame-files",
        severity=Severity.WARNING,
        message=f"the folder has {' and '.join(found)}; only {found[0]} is read",
        document=found[1],
    )
    return evolve(target, problems=(*target.problems, problem))


def _open_file(path: Path) -> Target:
    suffix = path.suffix.lower()
    root = path.absolute().parent
    if suffix in _BY_LINE or (suffix not in _WHOLE and _looks_like_lines(path)):
        _open(path).close()
        return Target(
            str(path),
            root,
            read=partial(_read_by_line, path),
            lines=path,
            identity=partial(_hash_of, path),
        )
    whole = _read_whole(path)
    read = partial(
        records.read_document,
        whole.value,
        whole.problems,
        path.name,
        is_read=whole.is_read,
    )
    version = records.shared_part(whole.value)
    document = "" if version is None else path.name
    return Target(
        str(path),
        root,
        version,
        document,
        read=read,
        identity=partial(_hash_of, path),
    )


def _with_version(target: Target, folder: Path) -> Target:
    path = folder / VERSION_FILE
    if not path.is_file():
        return target
    whole = _read_whole(path)
    problems = whole.problems
    if whole.is_read and whole.value is None:
        message = "expected an object, got null"
        null = Problem("wrong-type", Severity.ERROR, message, document=VERSION_FILE)
        problems = (*problems, null)
    return evolve(
        target,
        version=whole.value,
        version_document=VERSION_FILE,
        problems=(*target.problems, *problems),
    )


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise MissingFileError(str(path), "no such file") from None
    except OSError as error:
        raise StorageError(str(path), error.strerror or str(error)) from None


def _read_by_line(path: Path) -> Iterator[Record]:
    with _open(path) as file:
        yield from records.read_lines(file, path.name)


def _hash_of(path: Path) -> str:
    found = hashlib.blake2b()
    with _open(path) as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _looks_like_lines(path: Path) -> bool:
    """
    Whether the first two lines that are not blank are each a JSON value.
    """
    parsed = 0
    with _open(path) as file:
        for line in read_lines(file):
            if line.data is None:
                return parsed > 0
            if line.data.strip():
                try:
                    _json.parse(without_bom(line.data))
                except DocumentError:
                    return parsed > 0
                parsed += 1
            if parsed == 2:
                return True
    return False


class _Whole(NamedTuple):
    value: Any
    problems: tuple[Problem, ...]
    is_read: bool


def _read_whole(path: Path) -> _Whole:
    """
    Parse a JSON file, or say why that fails.
    """
    with _open(path) as file:
        data = without_bom(file.read())
    if not data.strip():
        problem = records.empty_document(path.name)
        return _Whole(None, (problem,), is_read=False)
    try:
        value, losses = _json.parse(data)
    except DocumentError as error:
        problem = records.problem_of(error, path.name)
        return _Whole(None, (problem,), is_read=False)
    problems = tuple(records.problem_of(loss, path.name) for loss in losses)
    return _Whole(value, problems, is_read=True)
