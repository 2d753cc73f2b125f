"""
Convert a data set to another format.

SRC is a file or a folder in any format that framekit reads; which one it is, is found
out and told, unless --from names it. DEST must be new or empty; a dataset gets a new
version. Items that cannot be converted are listed, the rest goes on, exit 1.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TextIO

from framekit.cli.progress import Progress
from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.errors import ArgumentError
from framekit.problem import Problem, Severity

__all__ = ["add_arguments", "execute"]

#: How many warnings of a kind are listed.
_LISTED: Final = 10

#: Formats whose masks are opened by URIs.
_BY_URI: Final = frozenset({"frames", "dataset"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("source", metavar="SRC", type=Path)
    parser.add_argument(
        "--to", nargs=2, metavar=("FORMAT", "DEST"), required=True, help="what to write"
    )
    parser.add_argument("--from", dest="format", metavar="FORMAT", help="what SRC is")
    parser.add_argument("--palette", metavar="P", help="a palette file for the masks")
    parser.add_argument(
        "--masks",
        metavar="PATTERN",
        help="where the mask of an image is, like 'masks/{stem}_L.png'",
    )
    parser.add_argument(
        "--index",
        action="store_true",
        help="pixel values are ids of the palette (with --masks)",
    )
    parser.add_argument("--unknown", choices=("void", "error", "nearest"))
    parser.add_argument("--source", metavar="ID", dest="only_source")
    parser.add_argument("--mask", metavar="ID", help="the mask of the classes")
    parser.add_argument("--instances", metavar="ID,…", help="the masks of the objects")
    parser.add_argument(
        "--things", metavar="LABEL,…", help="what is an object (nucleus)"
    )
    parser.add_argument("--version", metavar="NAME", help="of a dataset")
    parser.add_argument(
        "--values", choices=("color", "index"), help="what masks of a folder hold"
    )
    parser.add_argument(
        "--form", choices=("rle", "polygons"), help="of objects in coco-instances"
    )
    parser.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=int,
        default=os.cpu_count() or 1,
        help="threads; by default one a core",
    )
    add_storage_options(parser)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.formats.writing import import_frames

    name, dest = arguments.to[0], Path(arguments.to[1])
    if arguments.jobs < 1:
        raise ArgumentError("--jobs", f"expected 1 or more, got {arguments.jobs}")
    format = _format_of(arguments, stdout)
    if format == "frames" and name == "dataset" and not _chooses(arguments):
        found = import_frames(arguments.source, dest, arguments.version)
    else:
        found = _converted(arguments, format, name, dest, stderr)
    _tell(found.problems, stderr)
    counts = Counter(problem.code for problem in found.problems)
    listed = ", ".join(f"{code}: {n}" for code, n in sorted(counts.items()))
    more = f" ({listed})" if listed else ""
    stdout.write(f"{found.written} written to {dest}, {found.failed} failed{more}\n")
    return 0 if found.ok and not found.failed else 1


def _format_of(arguments: argparse.Namespace, stdout: TextIO) -> str:
    """
    The format of the source, which is told if it was found out.
    """
    from framekit.formats import detect
    from framekit.formats.reading import SURE
    from framekit.formats.registry import FORMATS, format_of

    format_of(arguments.to[0], argument="--to")
    if arguments.format is not None:
        return format_of(arguments.format, argument="--from").name
    if arguments.masks is not None:
        return "folder"
    found = detect(arguments.source)
    if found and found[0][1] >= SURE:
        name, sure = found[0]
        others = "".join(f", {other} {s:.0%}" for other, s in found[1:3])
        stdout.write(f"{arguments.source}: {name} ({sure:.0%} sure{others})\n")
        return name
    if arguments.palette is not None and arguments.source.is_dir():
        stdout.write(f"{arguments.source}: taken for a folder of masks\n")
        return "folder"
    shown = ", ".join(f"{name} ({sure:.0%})" for name, sure in found) or "nothing known"
    reason = (
        f"cannot tell what {arguments.source} is: {shown}; name one of "
        f"{', '.join(FORMATS)}"
    )
    raise ArgumentError("--from", reason)


def _chooses(arguments: argparse.Namespace) -> bool:
    """
    Whether only a part of the frames is wanted, or anything about their masks.
    """
    chosen = (arguments.only_source, arguments.mask, arguments.instances)
    return any(value is not None for value in chosen)


def _converted(
    arguments: argparse.Namespace, format: str, name: str, dest: Path, stderr: TextIO
) -> Any:
    from framekit.formats import read, write

    collection = read(arguments.source, format, **_read_options(arguments, format))
    options = _write_options(arguments, name, format)
    with (
        ThreadPoolExecutor(arguments.jobs) as executor,
        Progress(stderr, unit="images", total=collection.count) as progress,
    ):
        return write(
            collection,
            dest,
            name,
            executor=executor if arguments.jobs > 1 else None,
            progress=progress.advance,
            **options,
        )


def _read_options(arguments: argparse.Namespace, format: str) -> dict[str, Any]:
    """
    The options of reading that were given.
    """
    from framekit.palette import Palette

    found: dict[str, Any] = {
        "masks": arguments.masks,
        "index": arguments.index or None,
        "unknown": arguments.unknown,
        "source": arguments.only_source,
        "mask": arguments.mask,
    }
    if arguments.palette is not None:
        found["palette"] = Palette.load(arguments.palette)
    if arguments.instances is not None:
        found["instances"] = arguments.instances.split(",")
    if arguments.things is not None:
        found["things"] = arguments.things.split(",")
    if format == "dataset":
        found["version"] = arguments.version
    if format in _BY_URI:
        root = arguments.source
        found["storage"] = storage_from(
            arguments, root if root.is_dir() else root.parent
        )
    return {key: value for key, value in found.items() if value is not None}


def _write_options(
    arguments: argparse.Namespace, name: str, format: str
) -> dict[str, Any]:
    """
    The options of writing that were given.
    """
    found: dict[str, Any] = {"values": arguments.values, "form": arguments.form}
    if name == "dataset" and format != "dataset":
        found["version"] = arguments.version
    return {key: value for key, value in found.items() if value is not None}


def _tell(problems: tuple[Problem, ...], stderr: TextIO) -> None:
    """
    List every error, and of each other kind the first ones.
    """
    told: Counter[str] = Counter()
    for problem in problems:
        told[problem.code] += 1
        if problem.severity is Severity.ERROR or told[problem.code] <= _LISTED:
            where = f"{problem.document}: " if problem.document else ""
            stderr.write(
                f"framekit: {problem.severity.value}: {where}{problem.message} "
                f"[{problem.code}]\n"
            )
    for code, number in told.items():
        kinds = {p.severity for p in problems if p.code == code}
        if Severity.ERROR not in kinds and number > _LISTED:
            rest = number - _LISTED
            stderr.write(f"framekit: and {rest} more of these [{code}]\n")
