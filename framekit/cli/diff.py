"""
Tell what differs between two versions.

A and B are datasets, frames folders, JSON or JSONL files. Without B two versions of
the dataset A are compared: --to, by default the one that is meant by A alone, with
--from, by default its parent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, TextIO

from framekit import _json
from framekit.cli.problem_lines import tell_problems
from framekit.color import to_hex
from framekit.errors import ArgumentError

if TYPE_CHECKING:
    from framekit.dataset.version_diff import Diff

__all__ = ["add_arguments", "execute"]

#: How many frames of a kind are shown.
_SHOWN: Final = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("before", metavar="A")
    parser.add_argument("after", metavar="B", nargs="?")
    parser.add_argument(
        "--from", metavar="NAME", dest="from_", help="a version of the dataset A"
    )
    parser.add_argument(
        "--to", metavar="NAME", help="a version of the dataset B, or of A without B"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--exit-code",
        action="store_true",
        dest="exit_code",
        help="exit with 1 if anything differs",
    )


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.dataset.opening import opened_version
    from framekit.dataset.version_diff import diff

    with ExitStack() as stack:
        target = arguments.before if arguments.after is None else arguments.after
        after, unread = stack.enter_context(opened_version(target, arguments.to))
        name = arguments.from_
        if arguments.after is None and name is None:
            if after.parent is None:
                reason = f"version {after.name!r} has no parent; name another version"
                raise ArgumentError("--from", reason)
            name = after.parent
        opened = opened_version(arguments.before, name)
        before, more = stack.enter_context(opened)
        found = diff(before, after)
        failed = tell_problems((*more, *unread), stderr)
    if arguments.format == "json":
        stdout.write(_json.dumps(found.to_dict(), indent=True).decode() + "\n")
    else:
        stdout.writelines(f"{line}\n" for line in _lines(found))
    return 1 if failed or (found and arguments.exit_code) else 0


def _lines(found: Diff) -> Iterator[str]:
    yield from _shown("+ {}", found.added)
    yield from _shown("- {}", found.removed)
    changed = (f"{one.id}: {', '.join(one.keys[:8])}" for one in found.changed)
    yield from _shown("~ {}", changed)
    for label, change in found.labels.items():
        yield f"label {label}: -{change.removed:,} +{change.added:,}"
    for one in found.mask_labels:
        before, after = _names(one.before), _names(one.after)
        yield f"mask_labels[{one.mask!r}] {_color(one.color)}: {before} -> {after}"
    for key in found.metadata:
        yield f"metadata {key}"
    yield (
        f"{len(found.added):,} added, {len(found.removed):,} removed, "
        f"{len(found.changed):,} changed, {found.unchanged:,} the same"
    )


def _shown(form: str, items: Iterable[str]) -> Iterator[str]:
    every = list(items)
    for item in every[:_SHOWN]:
        yield form.format(item)
    if len(every) > _SHOWN:
        rest = f"... {len(every) - _SHOWN:,} more; --format json has them all"
        yield form.format(rest)


def _names(labels: Iterable[str] | None) -> str:
    return "none" if labels is None else ", ".join(labels)


def _color(color: Any) -> str:
    # Documents hold values beyond 0 to 255.
    return to_hex(color) if all(0 <= v <= 255 for v in color) else str(list(color))
