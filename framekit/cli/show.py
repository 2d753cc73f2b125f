"""
Paint a frame's label maps over its pictures, with a legend.

TARGET is a frames folder, a JSON or a JSONL file; without --frame its first frame
is shown.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, TextIO

from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.errors import ArgumentError

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument("--frame", metavar="ID", help="the frame to show")
    parser.add_argument("--source", metavar="ID", help="only this source")
    parser.add_argument("--mask", metavar="ID", help="only this mask")
    parser.add_argument("-o", "--out", metavar="X.png", required=True, type=Path)
    parser.add_argument(
        "--width",
        metavar="PIXELS",
        type=int,
        default=640,
        help="of each picture (default: %(default)s)",
    )
    add_storage_options(parser)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.dataset.documents import open_target
    from framekit.decoding.decode import decode_frames
    from framekit.decoding.pictures import save_picture
    from framekit.report.overlay import compose

    if arguments.width < 32:
        raise ArgumentError("--width", f"expected 32 or more, got {arguments.width}")
    target = open_target(arguments.target)
    storage = storage_from(arguments, target.root)
    frame = _frame(target, arguments.frame)
    panels = []
    failed = 0
    for item in decode_frames(
        [frame],
        source=arguments.source,
        mask=arguments.mask,
        version=target.version,
        storage=storage,
    ):
        if item.error is not None:
            failed += 1
            stderr.write(f"framekit: {item.source} {item.mask}: {item.error}\n")
        else:
            panels.append(_panel(item, storage))
    if not panels:
        raise ArgumentError("TARGET", "the frame has no mask that can be shown")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_picture(compose(panels, width=arguments.width), arguments.out)
    stdout.write(f"{len(panels)} masks of frame {frame.id} in {arguments.out}\n")
    return 1 if failed else 0


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


def _panel(item: Any, storage: Any) -> Any:
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
        return Panel(title, item.label_map, note=str(error))
    return Panel(title, item.label_map, picture)
