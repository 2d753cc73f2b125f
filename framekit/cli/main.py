"""
Parsing the command line and carrying a command out.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, Final, NoReturn, TextIO

from framekit.cli import (
    compare,
    convert,
    decode,
    diff,
    encode,
    info,
    lint,
    palette,
    query,
    show,
    stats,
    validate,
)
from framekit.errors import FramekitError

__all__ = ["main", "run"]

#: What the command's exit codes mean.
FINE: Final = 0
PROBLEMS_FOUND: Final = 1
COULD_NOT_RUN: Final = 2

_COMMANDS: Final = (
    validate,
    decode,
    show,
    info,
    lint,
    palette,
    encode,
    convert,
    stats,
    query,
    diff,
    compare,
)


def main() -> NoReturn:
    """
    Run the command of this process and leave.
    """
    sys.exit(run(sys.argv[1:], sys.stdout, sys.stderr))


def run(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry out one command line.

    Returns:
        0 if all is fine, 1 if problems were found, 2 if it could not be run.
    """
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            arguments = _parser().parse_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        with warnings.catch_warnings():
            _tell_warnings(stderr)
            code: int = arguments.execute(arguments, stdout, stderr)
            stdout.flush()
    except FramekitError as error:
        return _failed(str(error), stderr)
    except BrokenPipeError:
        # The reader has seen enough; nothing is left to tell it.
        _close_quietly(stdout)
        return COULD_NOT_RUN
    except OSError as error:
        return _failed(str(error), stderr)
    except KeyboardInterrupt:
        return _failed("interrupted", stderr)
    except MemoryError:
        return _failed("out of memory", stderr)
    except Exception as error:  # noqa: BLE001 - a user gets a line, no traceback
        if os.environ.get("FRAMEKIT_TRACEBACK"):
            traceback.print_exc(file=stderr)
        what = f"{type(error).__name__}: {error}"
        hint = "this is a bug in framekit; FRAMEKIT_TRACEBACK=1 shows where"
        return _failed(f"{what} ({hint})", stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="framekit",
        description="Frames with color-coded masks: validate, decode, look.",
        epilog="Exit code: 0 fine, 1 problems found, 2 could not run.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print it and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in _COMMANDS:
        name = module.__name__.rpartition(".")[2]
        summary = (module.__doc__ or "").strip()
        command = commands.add_parser(
            name, help=_first_line(summary), description=summary
        )
        module.add_arguments(command)
        command.set_defaults(execute=module.execute)
    return parser


class _Version(argparse.Action):
    """
    Prints the version, which is looked up only when asked for.
    """

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        import framekit

        print(f"framekit {framekit.__version__}")  # noqa: T201 - stdout is the run's
        parser.exit()


def _first_line(text: str) -> str:
    line = text.splitlines()[0].rstrip(".")
    return line[:1].lower() + line[1:]


def _tell_warnings(stderr: TextIO) -> None:
    told: set[str] = set()

    def tell(message: Warning | str, *_: Any, **__: Any) -> None:
        text = str(message)
        if text not in told:
            told.add(text)
            stderr.write(f"framekit: warning: {text}\n")

    warnings.simplefilter("always")
    warnings.showwarning = tell


def _failed(message: str, stderr: TextIO) -> int:
    line = " ".join(message.split())
    stderr.write(f"framekit: {line}\n")
    return COULD_NOT_RUN


def _close_quietly(stream: TextIO) -> None:
    # Python flushes standard output once more on its way out.
    if stream is sys.stdout:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
