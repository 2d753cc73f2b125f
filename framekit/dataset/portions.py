"""
Some of a target's frames, to be looked at together, wherever that is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from attrs import evolve, field, frozen

from framekit.dataset.blocks import Block, read_blocks
from framekit.dataset.lines import Line, line_ends, read_lines
from framekit.dataset.records import Record, empty_document, record_of
from framekit.errors import MissingFileError, StorageError

__all__ = [
    "LinePortion",
    "Portion",
    "RecordPortion",
    "by_lines",
    "by_records",
    "halves",
]


@frozen
class LinePortion:
    """
    Some lines of a file, which whoever works on them reads.
    """

    path: Path

    #: What the file is called in problems.
    name: str

    #: Where the lines begin and end, in bytes.
    start: int
    end: int

    #: How many lines there are before and up to the last one.
    before: int
    last: int

    @property
    def key(self) -> tuple[int, int]:
        """
        Which part of its target it is.
        """
        return self.start, self.end

    def lines(self) -> Iterator[Line]:
        """
        Read the lines.

        Raises:
            StorageError: If the file cannot be read any more.
        """
        with _opened(self.path) as file:
            file.seek(self.start)
            length = self.end - self.start
            yield from read_lines(file, before=self.before, length=length)

    def blocks(self) -> Iterator[Block | Line]:
        """
        Read the lines, many at once.

        Raises:
            StorageError: If the file cannot be read any more.
        """
        with _opened(self.path) as file:
            file.seek(self.start)
            length = self.end - self.start
            yield from read_blocks(file, before=self.before, length=length)

    def records(self) -> Iterator[Record]:
        """
        Read the frames.

        Raises:
            StorageError: If the file cannot be read any more.
        """
        for line in self.lines():
            record = record_of(line, self.name)
            if record is not None:
                yield record

    def __len__(self) -> int:
        return self.last - self.before

    def numbered(self) -> Iterator[tuple[int, Record | None]]:
        """
        Read each line with its place in the portion; None if it is blank.

        Raises:
            StorageError: If the file cannot be read any more.
        """
        for line in self.lines():
            yield line.number - self.before - 1, record_of(line, self.name)

    def final(self) -> Record | None:
        """
        Read the last line; None if it is blank.

        Raises:
            StorageError: If the file cannot be read any more.
        """
        (line,) = deque(self.lines(), maxlen=1)
        return record_of(line, self.name)

    def split(self, number: int) -> tuple[LinePortion, LinePortion]:
        """
        The first *number* lines, and the others.

        Raises:
            StorageError: If the file cannot be read any more.
        """
        cut = self.start + sum(line.length for line in islice(self.lines(), number))
        at = self.before + number
        return evolve(self, end=cut, last=at), evolve(self, start=cut, before=at)

    def joined(self, other: Portion) -> Portion:
        """
        This portion with the one that follows.
        """
        if not isinstance(other, LinePortion):
            raise TypeError
        return evolve(self, end=other.end, last=other.last)


@frozen
class RecordPortion:
    """
    Some records that were read already.
    """

    items: tuple[Record, ...] = field(repr=lambda items: f"<{len(items)}>")

    #: The place of the first one among all records.
    first: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """
        Which part of its target it is.
        """
        return self.first, self.first + len(self.items)

    def records(self) -> Iterator[Record]:
        """
        Give the frames.
        """
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def numbered(self) -> Iterator[tuple[int, Record | None]]:
        """
        Give each record with its place in the portion.
        """
        return enumerate(self.items)

    def final(self) -> Record | None:
        """
        The last record.
        """
        return self.items[-1]

    def split(self, number: int) -> tuple[RecordPortion, RecordPortion]:
        """
        The first *number* records, and the others.
        """
        return (
            RecordPortion(self.items[:number], self.first),
            RecordPortion(self.items[number:], self.first + number),
        )

    def joined(self, other: Portion) -> Portion:
        """
        This portion with the one that follows.
        """
        if not isinstance(other, RecordPortion):
            raise TypeError
        return RecordPortion(self.items + other.items, self.first)


Portion = LinePortion | RecordPortion


def halves(portion: Portion) -> Sequence[Portion]:
    """
    *portion* in two; nothing if it cannot be smaller.

    Raises:
        StorageError: If its file cannot be read any more.
    """
    middle = len(portion) // 2
    return portion.split(middle) if middle else ()


def by_lines(path: Path, size: int) -> Iterator[Portion]:
    """
    The file at *path* in portions of *size* lines each.

    Raises:
        StorageError: If the file cannot be read.
    """
    name = path.name
    start = before = 0
    with _opened(path) as file:
        if not any(line.data is None or line.data.strip() for line in read_lines(file)):
            record = Record(name, problems=(empty_document(name),), is_read=False)
            yield RecordPortion((record,))
            return
        file.seek(0)
        for end, number in line_ends(file, size):
            yield LinePortion(path, name, start, end, before, number)
            start, before = end, number


def by_records(records: Iterable[Record], size: int) -> Iterator[Portion]:
    """
    *records* in portions of *size* each, as they come.
    """
    waiting = iter(records)
    first = 0
    while items := tuple(islice(waiting, size)):
        yield RecordPortion(items, first)
        first += len(items)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise MissingFileError(str(path), "no such file") from None
    except OSError as error:
        raise StorageError(str(path), error.strerror or str(error)) from None
