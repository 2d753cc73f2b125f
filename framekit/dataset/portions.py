"""
Some of a target's frames, to be looked at together, wherever that is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from attrs import field, frozen

from framekit.dataset.lines import Line, line_ends, read_lines
from framekit.dataset.records import Record, empty_document, record_of
from framekit.errors import MissingFileError, StorageError

__all__ = ["LinePortion", "Portion", "RecordPortion", "by_lines", "by_records"]


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
        try:
            with self.path.open("rb") as file:
                file.seek(self.start)
                length = self.end - self.start
                yield from read_lines(file, before=self.before, length=length)
        except FileNotFoundError:
            raise MissingFileError(str(self.path), "no such file") from None
        except OSError as error:
            raise StorageError(str(self.path), error.strerror or str(error)) from None

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

    def halves(self) -> Sequence[Portion]:
        """
        The portion in two; in none if it has a single line.

        Raises:
            StorageError: If the file cannot be read any more.
        """
        middle = (self.last - self.before) // 2
        if not middle:
            return ()
        cut = self.start
        for line in islice(self.lines(), middle):
            cut += line.length
        at = self.before + middle
        return (
            LinePortion(self.path, self.name, self.start, cut, self.before, at),
            LinePortion(self.path, self.name, cut, self.end, at, self.last),
        )


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

    def halves(self) -> Sequence[Portion]:
        """
        The portion in two; in none if it has a single record.
        """
        middle = len(self.items) // 2
        if not middle:
            return ()
        return (
            RecordPortion(self.items[:middle], self.first),
            RecordPortion(self.items[middle:], self.first + middle),
        )


Portion = LinePortion | RecordPortion


def by_lines(path: Path, size: int) -> Iterator[Portion]:
    """
    The file at *path* in portions of *size* lines each.

    Raises:
        StorageError: If the file cannot be read.
    """
    name = path.name
    start = before = 0
    try:
        with path.open("rb") as file:
            blank = not any(
                line.data is None or line.data.strip() for line in read_lines(file)
            )
            if blank:
                record = Record(name, problems=(empty_document(name),), is_read=False)
                yield RecordPortion((record,))
                return
            file.seek(0)
            for end, number in line_ends(file, size):
                yield LinePortion(path, name, start, end, before, number)
                start, before = end, number
    except FileNotFoundError:
        raise MissingFileError(str(path), "no such file") from None
    except OSError as error:
        raise StorageError(str(path), error.strerror or str(error)) from None


def by_records(records: Iterable[Record], size: int) -> Iterator[Portion]:
    """
    *records* in portions of *size* each, as they come.
    """
    waiting = iter(records)
    first = 0
    while items := tuple(islice(waiting, size)):
        yield RecordPortion(items, first)
        first += len(items)
