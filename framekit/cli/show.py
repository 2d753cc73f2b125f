"""
Paint label maps over their pictures, with a legend.

TARGET is a dataset, a frames folder, a JSON or a JSONL file. Without more its first
frame is shown large; --frames and --all make a contact sheet of many.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from framekit.cli.problem_lines import tell_problems
from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.cli.targets import add_version_option
from framekit.errors import ArgumentError

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("target", metavar="TARGET")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--frame", metavar="ID", help="the frame to show")
    which.add_argument(
        "--frames", metavar="N", type=int, help="a sheet of N frames, evenly spread"
    )
    which.add_argument("--all", action="store_true", help="a sheet of all frames")
    add_version_option(parser)
    parser.add_argument("--source", metavar="ID", help="only this source")
    parser.add_argument("--mask", metavar="ID", help="only this mask")
    parser.add_argument("-o", "--out", metavar="X.png", required=True, type=Path)
    parser.add_argument(
        "--uncertain",
        action="store_true",
        help="mark pixels that were decided by a small margin",
    )
    parser.add_argument(
        "--width",
        metavar="PIXELS",
        type=int,
        help="of each picture (default: 640, on a sheet 240)",
    )
    add_storage_options(parser)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.dataset import open_target

    width = arguments.width
    if width is not None and not 32 <= width <= 4096:
        raise ArgumentError("--width", f"expected 32 to 4096, got {width}")
    if arguments.frames is not None and arguments.frames < 1:
        raise ArgumentError("--frames", f"expected 1 or more, got {arguments.frames}")
    target = open_target(arguments.target, arguments.version)
    storage = storage_from(arguments, target.root)
    if arguments.all or arguments.frames is not None:
        return _show_sheet(arguments, target, storage, stdout, stderr)
    return _show_frame(arguments, target, storage, stdout, stderr)


def _show_frame(
    arguments: argparse.Namespace,
    target: Any,
    storage: Any,
    stdout: TextIO,
    stderr: TextIO,
) -> int:
    from framekit.decoding.image.pictures import save_picture
    from framekit.report.overlay import compose

    frame = _frame(target, arguments.frame)
    panels = []
    failed = 0
    for item in _decoded(arguments, [frame], target, storage):
        if item.error is not None:
            failed += 1
            stderr.write(f"framekit: {item.source} {item.mask}: {item.error}\n")
        else:
            panels.append(_panel(item, storage, arguments))
    if not panels:
        raise ArgumentError("TARGET", "the frame has no mask that can be shown")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_picture(compose(panels, width=arguments.width or 640), arguments.out)
    stdout.write(f"{len(panels)} masks of frame {frame.id} in {arguments.out}\n")
    return 1 if failed else 0


def _show_sheet(
    arguments: argparse.Namespace,
    target: Any,
    storage: Any,
    stdout: TextIO,
    stderr: TextIO,
) -> int:
    from framekit.decoding.image.pictures import save_picture
    from framekit.report.contact_sheet import MOST, ContactSheet

    sheet = ContactSheet(width=arguments.width or 240)
    frames = _Frames(target, None if arguments.all else arguments.frames)
    failed = 0
    for item in _decoded(arguments, frames, target, storage):
        if len(sheet) == MOST:
            reason = (
                f"more than {MOST:,} pictures; choose by --frames, --source, --mask"
            )
            raise ArgumentError("TARGET", reason)
        if item.error is not None:
            failed += 1
            title = f"{item.frame.id or 'frame'} {item.source} {item.mask}"
            stderr.write(f"framekit: {title}: {item.error}\n")
            sheet.add_missing(title, str(item.error))
        else:
            sheet.add(_panel(item, storage, arguments))
    tell_problems(frames.problems, stderr)
    if not len(sheet):
        raise ArgumentError("TARGET", "it has no mask that can be shown")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_picture(sheet.to_rgb(), arguments.out)
    stdout.write(f"{len(sheet)} masks of {frames.shown} frames in {arguments.out}\n")
    return 1 if failed or frames.problems else 0


class _Frames:
    """
    All frames of a target, or some that are spread evenly over it.

    The reason for this being a class is what it tells when it has been gone through.
    """

    def __init__(self, target: Any, number: int | None) -> None:
        self._target, self._number = target, number

        #: How many frames came out.
        self.shown = 0

        #: What stands in place of frames that cannot be read.
        self.problems: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        from framekit.frame import SingleFrame

        wanted = None if self._number is None else self._places(self._number)
        for place, found in enumerate(self._target.frames()):
            if not isinstance(found, SingleFrame):
                self.problems.append(found)
            elif wanted is None or place in wanted:
                self.shown += 1
                yield found

    def _places(self, number: int) -> set[int]:
        from framekit.frame import SingleFrame

        readable = [
            place
            for place, found in enumerate(self._target.frames())
            if isinstance(found, SingleFrame)
        ]
        number = min(number, len(readable))
        return {readable[n * len(readable) // number] for n in range(number)}


def _decoded(
    arguments: argparse.Namespace, frames: Any, target: Any, storage: Any
) -> Iterator[Any]:
    from framekit.decoding.decode import decode_frames

    return decode_frames(
        frames,
        window=64,
        source=arguments.source,
        mask=arguments.mask,
        version=target.version,
        storage=storage,
    )


def _frame(target: Any, wanted: str | None) -> Any:
    from framekit.frame import SingleFrame

    known = []
    for found in target.frames():
        if isinstance(found, SingleFrame):
            if wanted in (None, found.id):
                return found
            known.append(found.id)
    if wanted is None:
        raise ArgumentError("TARGET", "there is no frame in it that can be read")
    shown = ", ".join(str(id) for id in known[:8])
    raise ArgumentError("--frame", f"no frame {wanted!r}; there are {shown}, …")


def _panel(item: Any, storage: Any, arguments: argparse.Namespace) -> Any:
    from framekit.decoding.source_picture import read_picture
    from framekit.errors import FramekitError
    from framekit.report.overlay import Panel

    source = item.frame.get_source(item.source)
    title = f"{item.frame.id or 'frame'}  {item.source}  {item.mask}"
    if source.timestamp is not None:
        title += f"  {source.timestamp} ms"
    try:
        picture = read_picture(
            source.uri, timestamp=source.timestamp or 0, storage=storage
        )
    except FramekitError as error:
        picture, note = None, str(error)
    else:
        note = ""
    return Panel(
        title,
        item.label_map,
        picture,
        note=note,
        marks_uncertain=arguments.uncertain,
    )
