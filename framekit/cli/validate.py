"""
Validate frames: their structure, references, media and pixels.

TARGET is a frames folder, a JSON or a JSONL file. Each level includes those before
it: schema, references, media, pixels.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from framekit.cli.progress import Progress
from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.errors import ArgumentError

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument(
        "--level",
        choices=("schema", "references", "media", "pixels"),
        default="references",
        help="how deep to look (default: %(default)s)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("-o", "--out", metavar="FILE", type=Path)
    parser.add_argument(
        "--select", metavar="CODES", default="", help="report only these, like a,b"
    )
    parser.add_argument(
        "--ignore", metavar="CODES", default="", help="do not report these"
    )
    parser.add_argument(
        "--fail-on",
        choices=("error", "warning"),
        default="error",
        dest="fail_on",
        help="what makes the exit code 1 (default: %(default)s)",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=int,
        default=os.cpu_count() or 1,
        help="threads that open media and decode (default: %(default)s)",
    )
    add_storage_options(parser)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit import report
    from framekit.dataset.documents import open_target
    from framekit.validation import validate

    if arguments.jobs < 1:
        raise ArgumentError("--jobs", f"expected 1 or more, got {arguments.jobs}")
    select = _codes(arguments.select) or None
    target = open_target(arguments.target)
    with Progress(stderr, unit="frames") as progress:
        found = validate(
            target,
            level=arguments.level,
            storage=storage_from(arguments, target.root),
            executor=partial(ThreadPoolExecutor, arguments.jobs),
            progress=progress.advance,
        )
    if arguments.select or arguments.ignore:
        found = found.only(select=select, ignore=_codes(arguments.ignore))
    destination: Any = (
        nullcontext(stdout)
        if arguments.out is None
        else arguments.out.open("w", encoding="utf-8")
    )
    with destination as file:
        report.write(found, arguments.format, file)
    return found.exit_code(fail_on=arguments.fail_on)


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]
