"""
Write label maps as a lossless mask video.

LABELS are masks (palette, gray or RGB PNG and the like), read with --palette, in the
order given; folders and patterns in the order of names; or one folder that framekit
decode has written, in the order of its index and with its times. Palette images may
go without --palette: their own colors are kept. The video is read back and compared
before it appears; a color without a label is an error.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from framekit import _json
from framekit.cli.encode_labels import LabelFiles, label_files
from framekit.cli.progress import Progress

if TYPE_CHECKING:
    from framekit.decoding.label_map import LabelMap

__all__ = ["add_arguments", "execute"]

_DEFAULT_FPS = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("labels", metavar="LABELS", nargs="+")
    parser.add_argument("-o", "--out", metavar="mask.mp4", required=True, type=Path)
    parser.add_argument("--palette", metavar="P", help="a palette file")
    parser.add_argument(
        "--fps",
        type=Fraction,
        help="frames a second, like 25 or 30000/1001 (default: the times of the "
        f"folder's index, else {_DEFAULT_FPS})",
    )
    parser.add_argument(
        "--values",
        choices=("color", "index", "id"),
        default="color",
        help="what pixels hold: RGB, or gray indices or ids (default: %(default)s)",
    )
    parser.add_argument(
        "--ids",
        action="store_true",
        help="gray images hold the palette's ids, not colors or indices",
    )
    parser.add_argument("--source", metavar="ID", help="of the folder's index")
    parser.add_argument("--mask", metavar="ID", help="of the folder's index")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.decoding.video.encode import encode_mask_video

    files = label_files(
        arguments.labels,
        palette=arguments.palette,
        ids=arguments.ids,
        source=arguments.source,
        mask=arguments.mask,
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    timestamps = files.timestamps if arguments.fps is None else None
    fps = _DEFAULT_FPS if arguments.fps is None else arguments.fps
    sizes: list[tuple[int, int]] = []
    with Progress(stderr, unit="frames", total=len(files.paths)) as progress:
        encode_mask_video(
            arguments.out,
            _watched(files, sizes, progress),
            fps=fps,
            timestamps=timestamps,
            values=arguments.values,
        )
    height, width = sizes[0]
    facts: dict[str, Any] = {
        "ok": True,
        "file": str(arguments.out),
        "frames": len(sizes),
        "size": [width, height],
        "bytes": arguments.out.stat().st_size,
        "fps": None if timestamps is not None else str(fps),
    }
    if arguments.format == "json":
        stdout.write(_json.dumps(facts, indent=True).decode() + "\n")
        return 0
    times = "times of the index" if timestamps is not None else f"{fps} frames/s"
    frames = f"{len(sizes):,} frame{'' if len(sizes) == 1 else 's'}"
    stdout.write(
        f"{arguments.out}: {frames} of {width}x{height}, {times}, "
        f"{facts['bytes']:,} bytes; lossless, read back and compared\n"
    )
    return 0


def _watched(
    files: LabelFiles, sizes: list[tuple[int, int]], progress: Progress
) -> Iterator[LabelMap]:
    for label_map in files.label_maps():
        sizes.append(label_map.shape)
        yield label_map
        progress.advance()
