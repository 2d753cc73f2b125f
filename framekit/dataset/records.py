"""
Frames as they were written, one record each.

Nothing here judges a frame. A record is parsed JSON in the spelling of its
document, or what kept it from being read; one that is broken does not keep the
next from being read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

from attrs import evolve, frozen

from framekit import _json
from framekit.dataset.lines import Line, without_bom
from framekit.dataset.lines import read_lines as split_lines
from framekit.errors import ArgumentError, DocumentError
from framekit.frame import FrameGroup, SingleFrame
from framekit.problem import Problem, Severity

__all__ = [
    "Record",
    "empty_document",
    "problem_of",
    "read_document",
    "read_lines",
    "read_values",
    "record_of",
    "shared_part",
]

_ONE_PER_LINE: Final = "each line holds one frame, as one JSON object"


@frozen
class Record:
    """
    One frame as it was written, or what stands in its place.
    """

    #: Where it was read: a file, with the line for JSON Lines; ``frames[3]`` of
    #: an iterable; empty for a single frame.
    document: str

    #: The line, counted from 1, where the document has lines.
    line: int | None = None

    #: Parsed JSON in the spelling of the document; None if it could not be read.
    value: Any = None

    #: What was wrong already when it was read.
    problems: tuple[Problem, ...] = ()

    #: JSON path of the frame in its document.
    at: str = "$"

    #: Whether there is a value, which may be ``null``.
    is_read: bool = True

    def frame(self) -> SingleFrame:
        """
        The record as a frame.

        Raises:
            DocumentError: If it is none, or lost something when it was read; its
                path is that in the frame.
        """
        for problem in self.problems:
            at = f"${problem.at.removeprefix(self.at)}"
            raise DocumentError(at, problem.message, problem.code)
        return SingleFrame.from_dict(self.value)


def read_values(values: Iterable[Any], *, one: bool = False) -> Iterator[Record]:
    """
    Yield a record for each of *values*: frames, or their parsed JSON.

    Args:
        one: There is one value, which is not called ``frames[0]``.
    """
    number = -1
    for number, value in enumerate(values):
        document = "" if one else f"frames[{number}]"
        try:
            yield Record(document, value=_as_json(value))
        except DocumentError as error:
            problem = problem_of(error, document)
            yield Record(document, problems=(problem,), is_read=False)
    if number < 0:
        yield _nothing("", "$")


def read_lines(file: BinaryIO, name: str) -> Iterator[Record]:
    """
    Yield a record for each line of *file* that is not blank.
    """
    empty = True
    for line in split_lines(file):
        record = record_of(line, name)
        if record is not None:
            empty = False
            yield record
    if empty:
        yield Record(name, problems=(empty_document(name),), is_read=False)


def record_of(line: Line, name: str) -> Record | None:
    """
    The record of one line of the file called *name*; None if it is blank.
    """
    document = f"{name}:{line.number}"
    if line.data is None:
        message = f"a line of {line.length:,} bytes is not read"
        problem = _error("line-too-long", message, document)
        return Record(document, line.number, problems=(problem,), is_read=False)
    data = without_bom(line.data) if line.number == 1 else line.data
    if not data.strip():
        return None
    return _line(data, document, line.number, ended=line.ended)


def read_document(
    value: Any, problems: Sequence[Problem], name: str, *, is_read: bool = True
) -> Iterator[Record]:
    """
    Yield the frames of a document: one, a list of them, or ``{"frames": [...]}``.

    Args:
        problems: What was wrong with the document when it was read; each goes to
            the frame that it lies in.
        is_read: Whether there is a value.
    """
    frames, at = (value["frames"], "$.frames") if _is_container(value) else (value, "$")
    if not is_read or (at == "$" and not isinstance(frames, list)):
        yield Record(name, value=value, problems=tuple(problems), is_read=is_read)
        return
    if not isinstance(frames, list):
        message = f"expected an array of objects, got {_json.kind(frames)}"
        problem = evolve(_error("wrong-type", message, name), at=at)
        yield Record(name, problems=(*problems, problem), is_read=False)
        return
    by_part: dict[str, tuple[Problem, ...]] = {}
    for problem in problems:
        inner = problem.at.removeprefix(at)
        part = f"{at}{inner.partition(']')[0]}]" if inner[:1] == "[" else "$"
        by_part[part] = (*by_part.get(part, ()), problem)
    if "$" in by_part:
        yield Record(name, problems=by_part["$"], is_read=False)
    if not frames:
        yield _nothing(name, at)
    for n, frame in enumerate(frames):
        part = f"{at}[{n}]"
        yield Record(name, value=frame, problems=by_part.get(part, ()), at=part)


def shared_part(value: Any) -> Any:
    """
    What a document of several frames says about all of them; None if nothing.
    """
    if not _is_container(value) or not {"mask_labels", "metadata"} & set(value):
        return None
    return {key: item for key, item in value.items() if key != "frames"}


def problem_of(error: DocumentError, document: str, *, hint: str = "") -> Problem:
    """
    What reading *document* raised, as a problem.
    """
    return Problem(
        code=error.code,
        severity=Severity.ERROR,
        message=error.reason,
        at=error.at,
        document=document,
        hint=hint,
    )


def empty_document(document: str) -> Problem:
    """
    The problem of a file with nothing in it.
    """
    return _error("empty-document", "the file is empty", document)


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping) and "frames" in value and "sources" not in value


def _as_json(value: Any) -> Any:
    """
    A value of Python as parsed JSON: tuples become arrays, NumPy's numbers numbers.

    Raises:
        DocumentError: If it has no JSON form.
    """
    try:
        if isinstance(value, FrameGroup):
            value = value.to_frame()
        if isinstance(value, SingleFrame):
            value = value.to_dict()
        plain = _json.plain(value)
        _json.dumps(plain)
    except ArgumentError as error:
        raise DocumentError("$", str(error), "wrong-value") from None
    except RecursionError:
        raise DocumentError("$", "nested too deeply") from None
    return plain


def _line(data: bytes, document: str, number: int, *, ended: bool) -> Record:
    try:
        value, losses = _json.parse(data)
    except DocumentError as error:
        hint = _ONE_PER_LINE if error.code == "invalid-json" else ""
        problem = problem_of(error, document, hint=hint)
        if not ended:
            message = f"the file ends within this line: {error.reason}"
            problem = _error("torn-line", message, document)
        return Record(document, number, problems=(problem,), is_read=False)
    problems = tuple(problem_of(loss, document) for loss in losses)
    return Record(document, number, value, problems)


def _error(code: str, message: str, document: str) -> Problem:
    return Problem(code, Severity.ERROR, message, document=document)


def _nothing(document: str, at: str) -> Record:
    problem = Problem(
        "no-frames", Severity.WARNING, "there are no frames", at, document
    )
    return Record(document, problems=(problem,), is_read=False)
