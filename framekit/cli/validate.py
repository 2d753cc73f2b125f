"""
Validate frames: their structure, references, media and pixels.

TARGET is a frames folder, a JSON or a JSONL file, or the folder of a dataset. Each
level includes those before it: schema, references, media, pixels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final, TextIO

from framekit.cli.progress import Progress
from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.cli.targets import add_version_option
from framekit.errors import ArgumentError

__all__ = ["add_arguments", "execute"]

#: The exit code of a run that was interrupted.
_INTERRUPTED: Final = 2


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
    add_version_option(parser)
    parser.add_argument(
        "--format", choices=("text", "json", "sarif", "html"), default="text"
    )
    parser.add_argument("-o", "--out", metavar="FILE", type=Path)
    parser.add_argument(
        "--select", metavar="CODES", default="", help="report only these, like a,b"
    )
    parser.add_argument(
        "--ignore", metavar="CODES", default="", help="do not report these"
    )
    parser.add_argument(
        "--max-problems",
        metavar="N",
        type=int,
        dest="max_problems",
        help="how many problems of each code the text shows (default: 20)",
    )
    parser.add_argument(
        "--fail-on",
        choices=("error", "warning"),
        default="error",
        dest="fail_on",
        help="what makes the exit code 1 (default: %(default)s)",
    )
    _add_engine_arguments(parser)
    add_storage_options(parser)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit import report
    from framekit.dataset import open_target
    from framekit.validation import validate

    target = open_target(arguments.target, arguments.version)
    select = _codes(arguments.select) or None
    storage = storage_from(arguments, target.root)
    with Progress(stderr, unit="frames") as progress:
        found = validate(
            target,
            level=arguments.level,
            storage=storage,
            executor=_executor(arguments),
            ledger=arguments.ledger,
            progress=progress,
            on_interrupt="report",
        )
    if arguments.select or arguments.ignore:
        found = found.only(select=select, ignore=_codes(arguments.ignore))
    destination: Any = (
        nullcontext(stdout)
        if arguments.out is None
        else arguments.out.open("w", encoding="utf-8")
    )
    with destination as file:
        report.write(
            found,
            arguments.format,
            file,
            max_problems=arguments.max_problems,
            illustrate=_illustrate(arguments, target, storage),
        )
    if found.interrupted:
        stderr.write("framekit: interrupted; the report is of what was done\n")
        return _INTERRUPTED
    return found.exit_code(fail_on=arguments.fail_on)


def _illustrate(arguments: argparse.Namespace, target: Any, storage: Any) -> Any:
    """
    What gives the findings of a page their pictures; only masks were looked at.
    """
    if arguments.format != "html" or arguments.level != "pixels":
        return None
    from framekit.report.thumbnails import Illustrator

    return Illustrator(target, storage)


def _add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        metavar="ENGINE",
        help="threads, processes or dask://host:port "
        "(default: processes for media and pixels)",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=int,
        help="how many threads or processes (default: one for each core)",
    )
    parser.add_argument(
        "--ledger",
        metavar="FILE",
        type=Path,
        help="note what is done there; after an interruption, go on from there",
    )


def _executor(arguments: argparse.Namespace) -> Callable[[], Executor] | None:
    """
    What does the work; None to do it here, which is best where little is to be done.
    """
    from framekit.validation.engines import engine

    jobs = arguments.jobs
    if jobs is not None and jobs < 1:
        raise ArgumentError("--jobs", f"expected 1 or more, got {jobs}")
    name = arguments.engine
    if name is None:
        few = jobs is None or jobs == 1
        if arguments.level in {"schema", "references"} and few:
            return None
        name = "processes"
    return engine(name, jobs)


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]
