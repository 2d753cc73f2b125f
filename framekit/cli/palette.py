"""
Check, make and convert palettes.

audit tells what may go wrong with a palette's colors, with --lossy in lossy video;
drift tells which colors or values stand for different labels in several palettes;
generate makes colors for labels; convert writes a palette file in another format;
known writes the palette of a well-known data set.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from framekit import _json
from framekit.color import MATRICES
from framekit.errors import PaletteError
from framekit.palette.files import FORMATS
from framekit.palette.known import NAMES
from framekit.problem import Problem, Severity

if TYPE_CHECKING:
    from framekit.palette import Palette

__all__ = ["add_arguments", "execute"]

#: Problems that are shown as text.
_SHOWN: Final = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    _add_audit(actions)
    drift = actions.add_parser("drift", help="tell where palettes disagree")
    drift.add_argument("palettes", metavar="P", nargs="+")
    drift.add_argument("--from", choices=FORMATS, dest="source_format")
    drift.add_argument("--format", choices=("text", "json"), default="text")
    _add_generate(actions)
    _add_convert(actions)
    known = actions.add_parser("known", help="write the palette of a data set")
    known.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))
    _add_output(known)


def _add_audit(actions: Any) -> None:
    audit = actions.add_parser("audit", help="tell what may go wrong with a palette")
    audit.add_argument("palette", metavar="P")
    audit.add_argument(
        "--lossy",
        action="store_true",
        help="in lossy video, too, as most tools write it",
    )
    audit.add_argument(
        "--matrix",
        choices=MATRICES,
        default="bt601",
        help="how that video turns RGB into YUV (default: %(default)s)",
    )
    audit.add_argument(
        "--full-range",
        action="store_true",
        dest="full_range",
        help="its values fill 0 to 255",
    )
    audit.add_argument(
        "--fail-on",
        choices=("error", "warning"),
        default="warning",
        dest="fail_on",
        help="what makes the exit code 1 (default: %(default)s)",
    )
    audit.add_argument("--from", choices=FORMATS, dest="source_format")
    audit.add_argument("--format", choices=("text", "json"), default="text")


def _add_generate(actions: Any) -> None:
    generate = actions.add_parser("generate", help="make colors for labels")
    generate.add_argument("labels", metavar="LABEL", nargs="+")
    generate.add_argument(
        "--seed", type=int, default=0, help="another number gives other colors"
    )
    generate.add_argument(
        "--no-lossy",
        action="store_false",
        dest="lossy",
        help="colors need not survive lossy video",
    )
    generate.add_argument("--black", metavar="LABEL", help="the label that gets black")
    generate.add_argument(
        "--avoid", metavar="P", help="a palette whose colors are not to be used"
    )
    _add_output(generate)


def _add_convert(actions: Any) -> None:
    convert = actions.add_parser("convert", help="write a palette in another format")
    convert.add_argument("palette", metavar="P")
    convert.add_argument("--from", choices=FORMATS, dest="source_format")
    convert.add_argument(
        "--shared",
        choices=("error", "first", "merge"),
        help="what to do when one color has two label sets (default: refuse)",
    )
    _add_output(convert)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--out", metavar="Q", required=True, type=Path)
    parser.add_argument(
        "--to", choices=FORMATS, dest="target_format", help="by default as Q is named"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    del stderr  # Warnings go there by themselves.
    if arguments.action == "audit":
        return _audit(arguments, stdout)
    if arguments.action == "drift":
        return _drift(arguments, stdout)
    found = _made(arguments)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    found.save(arguments.out, format=arguments.target_format)
    if arguments.format == "json":
        facts = {"ok": True, "file": str(arguments.out), "entries": len(found)}
        stdout.write(_json.dumps(facts, indent=True).decode() + "\n")
        return 0
    if arguments.action == "generate":
        stdout.writelines(f"{entry.marker} {entry.name}\n" for entry in found)
    stdout.write(f"{len(found)} entries in {arguments.out}\n")
    return 0


def _made(arguments: argparse.Namespace) -> Palette:
    from framekit.palette import Palette

    if arguments.action == "known":
        return Palette.known(arguments.name)
    if arguments.action == "generate":
        avoid = Palette.load(arguments.avoid) if arguments.avoid else ()
        return Palette.generate(
            arguments.labels,
            lossy=arguments.lossy,
            seed=arguments.seed,
            avoid=avoid,
            black=arguments.black,
        )
    return Palette.load(
        arguments.palette, format=arguments.source_format, shared=arguments.shared
    )


def _audit(arguments: argparse.Namespace, stdout: TextIO) -> int:
    found = _loaded(arguments.palette, arguments.source_format)
    problems = found.audit(
        lossy=arguments.lossy, matrix=arguments.matrix, full_range=arguments.full_range
    )
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    bad = errors if arguments.fail_on == "error" else len(problems)
    if arguments.format == "json":
        counts: dict[str, int] = {}
        for problem in problems:
            counts[problem.code] = counts.get(problem.code, 0) + 1
        document = {
            "ok": not bad,
            "palette": arguments.palette,
            "entries": len(found),
            "lossy": arguments.lossy,
            "counts": counts,
            "problems": [problem.to_dict() for problem in problems],
        }
        stdout.write(_json.dumps(document, indent=True).decode() + "\n")
    else:
        _write_text(arguments, problems, len(found), stdout)
    return 1 if bad else 0


def _drift(arguments: argparse.Namespace, stdout: TextIO) -> int:
    from framekit.palette import label_drift

    names = arguments.palettes
    problems = label_drift(
        (name, _loaded(name, arguments.source_format)) for name in names
    )
    if arguments.format == "json":
        document = {
            "ok": not problems,
            "palettes": names,
            "problems": [problem.to_dict() for problem in problems],
        }
        stdout.write(_json.dumps(document, indent=True).decode() + "\n")
    else:
        stdout.writelines(
            f"{problem.document}: {problem.message}\n" for problem in problems
        )
        told = f"{len(problems):,} problem{'' if len(problems) == 1 else 's'}"
        stdout.write(f"{told} in {len(names)} palettes\n")
    return 1 if problems else 0


def _loaded(path: str, format: str | None) -> Palette:
    """
    A palette that is to be judged, so that shared colors are told, not refused.
    """
    from framekit.palette import Palette

    try:
        return Palette.load(path, format=format)
    except PaletteError:
        return Palette.load(path, format=format, shared="first")


def _write_text(
    arguments: argparse.Namespace, problems: list[Problem], size: int, stdout: TextIO
) -> None:
    for problem in problems[:_SHOWN]:
        what = f"{problem.severity.upper()} {problem.code}: {problem.message}"
        stdout.write(f"{what}\n  {problem.at} -> {problem.hint}\n")
    if len(problems) > _SHOWN:
        more = len(problems) - _SHOWN
        stdout.write(f"... {more:,} more; --format json has them all\n")
    told = f"{len(problems):,} problem{'' if len(problems) == 1 else 's'}"
    where = "" if arguments.lossy else "; lossy video not looked at (--lossy)"
    stdout.write(f"{arguments.palette}: {told} in {size:,} entries{where}\n")
