"""
Find stray colors in mask images, guess their cause, and fix them.

MASKS are images, folders of them, or patterns like 'masks/**/*.png'. Without --fix
nothing is written. With it, name.fixed.png is written beside each mask with stray
colors, or its place is taken and the original kept as name.orig.png (--in-place), or
the fixed mask goes into a folder (--out). Pixels that match are never changed; a
mixture of two labels becomes the nearer of the two; what is far from every color
is left. Exit code 1 if stray colors are left.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

from framekit import _json
from framekit.cli.lint_paths import found_masks, planned
from framekit.cli.lint_text import result_lines, summary_lines
from framekit.cli.progress import Progress
from framekit.errors import ArgumentError

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("masks", metavar="MASKS", nargs="+")
    parser.add_argument("--palette", metavar="P", required=True, help="a palette file")
    parser.add_argument("--fix", action="store_true", help="write fixed masks")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--in-place",
        action="store_true",
        dest="in_place",
        help="fix the masks themselves, and keep the originals as name.orig.png",
    )
    where.add_argument(
        "--out", metavar="DIR", type=Path, help="write fixed masks into a folder"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--alpha", choices=("ignore", "void"), default="ignore")
    parser.add_argument(
        "--palette-png",
        choices=("auto", "colors", "indices"),
        default="auto",
        dest="palette_png",
    )
    parser.add_argument(
        "--within",
        metavar="D",
        type=float,
        help="how far a color may be from one of the palette's to pass for it "
        "(default: 8 in RGB, 0 for pixel values)",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=int,
        default=os.cpu_count() or 1,
        help="threads (default: %(default)s)",
    )


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.palette import Palette
    from framekit.validation.lint import lint_masks
    from framekit.validation.lint_summary import LintSummary

    _check(arguments)
    palette = Palette.load(arguments.palette)
    found = found_masks(arguments.masks)
    destinations = (
        planned(found.masks, in_place=arguments.in_place, out=arguments.out)
        if arguments.fix
        else {}
    )
    summary = LintSummary()
    told: list[dict[str, Any]] = []
    with (
        ThreadPoolExecutor(arguments.jobs) as executor,
        Progress(stderr, unit="masks", total=len(found.masks)) as progress,
    ):
        for result in lint_masks(
            found.masks,
            palette,
            alpha=arguments.alpha,
            palette_png=arguments.palette_png,
            within=arguments.within,
            destinations=destinations,
            executor=executor,
        ):
            summary.add(result)
            progress.advance()
            if result.error is not None or result.stray_pixels:
                if arguments.format == "json":
                    told.append(result.to_dict())
                else:
                    stdout.writelines(f"{line}\n" for line in result_lines(result))
    if arguments.format == "json":
        document = {**summary.to_dict(), "passed_over": found.passed_over}
        document["results"] = told
        stdout.write(_json.dumps(document, indent=True).decode() + "\n")
    else:
        lines = summary_lines(summary, found.passed_over, fix=arguments.fix)
        stdout.writelines(f"{line}\n" for line in lines)
    return 0 if summary.ok else 1


def _check(arguments: argparse.Namespace) -> None:
    if arguments.jobs < 1:
        raise ArgumentError("--jobs", f"expected 1 or more, got {arguments.jobs}")
    if not arguments.fix and (arguments.in_place or arguments.out is not None):
        option = "--in-place" if arguments.in_place else "--out"
        raise ArgumentError(option, "goes with --fix")
