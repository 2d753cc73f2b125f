"""
Compare two annotations of the same frames, object by object.

A is what should be there (a reference, the other annotator), B is what is looked at.
Both are frames folders, datasets, JSON or JSONL files whose frames have the same
ids, or two mask images with --palette.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from attrs import field, frozen

from framekit import _json
from framekit.cli.progress import Progress
from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.cli.targets import is_document
from framekit.errors import ArgumentError, FramekitError
from framekit.frame import SingleFrame

if TYPE_CHECKING:
    from framekit.decoding.decode import Decoded
    from framekit.decoding.label_map import LabelMap
    from framekit.segments import Agreement

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("first", metavar="A")
    parser.add_argument("second", metavar="B")
    parser.add_argument("--palette", metavar="P", help="a palette file, for two masks")
    parser.add_argument("--source", metavar="ID", help="only masks of this source")
    parser.add_argument("--mask", metavar="ID", help="only masks of this id")
    parser.add_argument(
        "--iou",
        type=float,
        default=0.4,
        help="objects match from this IoU on (default: %(default)s)",
    )
    parser.add_argument(
        "--things", metavar="LABELS", help="labels of countable things, like car,person"
    )
    parser.add_argument(
        "--bound",
        type=float,
        metavar="F1",
        default=1.0,
        help="exit with 1 if less than this share of objects matches "
        "(default: %(default)s)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_storage_options(parser)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.segments import Agreement, agreement

    if not 0 <= arguments.bound <= 1:
        raise ArgumentError("--bound", f"expected 0 to 1, got {arguments.bound}")
    as_documents = is_document(arguments.first), is_document(arguments.second)
    if as_documents[0] != as_documents[1]:
        raise ArgumentError("B", "A and B must both be frames, or both mask images")
    pairs = (_of_targets if all(as_documents) else _of_masks)(arguments)
    things = arguments.things.split(",") if arguments.things else None
    total = Agreement()
    compared, failed = 0, 0
    told: list[dict[str, Any]] = []
    with Progress(stderr, unit="masks") as progress:
        for pair in pairs:
            try:
                first, second = pair.both()
                found = agreement(first, second, iou=arguments.iou, things=things)
            except FramekitError as error:
                failed += 1
                stderr.write(f"framekit: {pair.name}: {error}\n")
                continue
            compared += 1
            total += found
            told += [{"at": pair.name, **d.to_dict()} for d in found.differences]
            progress.advance()
    if arguments.format == "json":
        document = {"masks": compared, "failed": failed, **total.to_dict()}
        document["differences"] = told
        stdout.write(_json.dumps(document, indent=True).decode() + "\n")
    else:
        stdout.writelines(f"{line}\n" for line in _lines(total, told, compared))
    score = total.total.f1
    agrees = score is None or score >= arguments.bound
    return 0 if agrees and not failed else 1


@frozen(eq=False)
class _Pair:
    """
    Two label maps of one mask, or why one is missing.
    """

    name: str
    first: LabelMap | FramekitError
    second: LabelMap | FramekitError

    #: Held so that the frames of a window are not freed, and their ids reused.
    frames: tuple[Any, ...] = field(default=(), repr=False)

    def both(self) -> tuple[LabelMap, LabelMap]:
        """
        The two label maps.

        Raises:
            FramekitError: If one could not be had.
        """
        if isinstance(self.first, FramekitError):
            raise self.first
        if isinstance(self.second, FramekitError):
            raise self.second
        return self.first, self.second


def _of_masks(arguments: argparse.Namespace) -> Iterator[_Pair]:
    from framekit.decoding.image.decode import decode_image
    from framekit.palette import Palette

    if arguments.palette is None:
        raise ArgumentError("--palette", "needed to compare two mask images")
    palette = Palette.load(arguments.palette)
    storage = storage_from(arguments, None)
    yield _Pair(
        arguments.second,
        decode_image(arguments.first, palette, storage=storage),
        decode_image(arguments.second, palette, storage=storage),
    )


def _of_targets(arguments: argparse.Namespace) -> Iterator[_Pair]:
    first, second = (
        _Side(name, arguments) for name in (arguments.first, arguments.second)
    )
    shared = [id for id in first.frames if id in second.frames]
    for side, other in ((first, second), (second, first)):
        for id in side.frames:
            if id not in other.frames:
                reason = f"{other.name} has no frame {id!r}"
                missing = ArgumentError("B" if side is first else "A", reason)
                yield _Pair(id, missing, missing)
    for id, ones, others in zip(
        shared, first.decoded(shared), second.decoded(shared), strict=True
    ):
        for key in dict.fromkeys([*ones, *others]):
            name = f"{id} {key[0]} {key[1]}"
            absent = ArgumentError("mask", "only one of the two has it")
            yield _Pair(name, ones.get(key, absent), others.get(key, absent))


class _Side:
    """
    One of the two targets: its frames by id, decoded on demand.
    """

    def __init__(self, name: str, arguments: argparse.Namespace) -> None:
        from framekit.dataset import open_target

        self.name = name
        self._target = open_target(name)
        self._storage = storage_from(arguments, self._target.root)
        self._only = {"source": arguments.source, "mask": arguments.mask}
        self.frames = {
            found.id: found
            for found in self._target.frames()
            if isinstance(found, SingleFrame) and found.id is not None
        }

    def decoded(
        self, ids: list[str]
    ) -> Iterator[dict[tuple[str, str], LabelMap | FramekitError]]:
        """
        The masks of each frame, by source and mask.
        """
        from framekit.decoding.decode import decode_frames

        frames = [self.frames[id] for id in ids]
        items = decode_frames(
            frames, version=self._target.version, storage=self._storage, **self._only
        )
        waiting: Decoded | None = next(items, None)
        for frame in frames:
            found: dict[tuple[str, str], LabelMap | FramekitError] = {}
            while waiting is not None and waiting.frame is frame:
                outcome = waiting.label_map or waiting.error
                if outcome is not None:
                    found[waiting.source, waiting.mask] = outcome
                waiting = next(items, None)
            yield found


def _lines(
    total: Agreement, told: list[dict[str, Any]], compared: int
) -> Iterator[str]:
    for one in told:
        box = " ".join(str(number) for number in one["box_xywh"])
        other = f" as {one['other_label']}" if one.get("other_label") else ""
        yield (
            f"{one['severity']:<8}{one['kind']}  {one['label']}{other}  {one['at']}  "
            f"at {box}  IoU {one['iou']:.2f}  -> {one['action']}"
        )
    if told:
        yield ""
    wide = max([len(label) for label in total.per_class] + [5])
    yield f"{'class':<{wide}}  {'A':>6} {'B':>6} {'match':>6} {'F1':>6} {'IoU':>6}"
    for label, counts in [*total.per_class.items(), ("all", total.total)]:
        yield (
            f"{label:<{wide}}  {counts.first:>6} {counts.second:>6} "
            f"{counts.matched:>6} {_score(counts.f1)} {_score(counts.mean_iou)}"
        )
    yield f"{len(told)} differences in {compared} masks"


def _score(value: float | None) -> str:
    return f"{'-' if value is None else format(value, '.3f'):>6}"
