"""
What every format is read into, and written from: images, and the classes they share.

One form in between makes N formats need N modules, not one for each pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from framekit.errors import FramekitError
from framekit.formats.item import Item
from framekit.palette import Palette
from framekit.problem import Problem, Severity

__all__ = ["Batch", "Collection", "failure"]

#: Reads one or several items; what cannot be read comes as a problem.
Batch = Callable[[], Iterable[Item | Problem]]


@frozen(eq=False, kw_only=True)
class Collection:
    """
    Images with their label maps, which are read when they are asked for.

    Iterating gives an :class:`Item` for each image, and a `Problem` in the place of
    one that cannot be read.
    """

    name: str

    #: The format it was read from.
    format: str

    #: Ids, colors, and pixel values of the classes; whether they are things.
    classes: Palette

    #: Can be gone through again; each may run in another thread.
    batches: Iterable[Batch] = field(repr=False)

    #: How many items there are, as far as that is known.
    count: int | None = None

    #: What holds for all images, such as licenses.
    metadata: Mapping[str, Any] = field(factory=dict, repr=False)

    #: What was found before any item was read, such as masks without an image.
    problems: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[Item | Problem]:
        for batch in self.batches:
            yield from batch()


def failure(name: str, error: FramekitError | str) -> Problem:
    """
    The problem of an item that could not be converted.
    """
    return Problem(
        "not-converted", Severity.ERROR, str(error), document=name, frame=name
    )
