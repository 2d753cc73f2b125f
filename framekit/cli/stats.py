"""
Count frames, labels, sources and content types.

TARGET is a dataset, a frames folder, a JSON or a JSONL file. Of a dataset its newest
published version is meant, else its newest, unless --version names one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, TextIO

from framekit import _json
from framekit.cli.problem_lines import tell_problems

if TYPE_CHECKING:
    from framekit.dataset.frame_statistics import Statistics

__all__ = ["add_arguments", "execute"]

#: How many rows of a table are shown.
_SHOWN: Final = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument("--version", metavar="NAME", help="a version of the dataset")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.dataset.opening import opened_version

    with opened_version(arguments.target, arguments.version) as (version, problems):
        found = version.get_stats()
    failed = tell_problems(problems, stderr)
    if arguments.format == "json":
        stdout.write(_json.dumps(found.to_dict(), indent=True).decode() + "\n")
    else:
        stdout.writelines(f"{line}\n" for line in _lines(found))
    return 1 if failed else 0


def _lines(found: Statistics) -> Iterator[str]:
    yield f"{found.frames:,} frames, {found.annotated:,} with annotations"
    yield f"{found.annotations:,} annotations"
    if found.labels:
        yield ""
        yield "label, annotations, frames"
        width = max(map(len, found.labels))
        for label, count in list(found.labels.items())[:_SHOWN]:
            frames = found.label_frames[label]
            yield f"  {label:{width}}  {count:>12,}  {frames:>12,}"
        yield from _rest(found.labels)
    yield from _table("source, frames", found.sources)
    yield from _table("mask, sources", found.masks)
    yield from _table("content type, sources", found.content_types)


def _table(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if not counts:
        return
    yield ""
    yield title
    width = max(len(name or "(none)") for name in counts)
    for name, count in list(counts.items())[:_SHOWN]:
        yield f"  {name or '(none)':{width}}  {count:>12,}"
    yield from _rest(counts)


def _rest(counts: Mapping[str, int]) -> Iterator[str]:
    if len(counts) > _SHOWN:
        yield f"  ... {len(counts) - _SHOWN:,} more; --format json has them all"
