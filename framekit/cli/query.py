"""
Choose frames by the labels of their annotations.

TARGET is a dataset, a frames folder, a JSON or a JSONL file. A frame is chosen if it
meets all rules. --label car,parked asks for one annotation with both labels, two
options --label ask for annotations that may be two.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from framekit import _json
from framekit.cli.problem_lines import tell_problems
from framekit.errors import ArgumentError, DocumentError

if TYPE_CHECKING:
    from framekit.dataset.query import LabelRule, Query

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument("--version", metavar="NAME", help="a version of the dataset")
    parser.add_argument(
        "--label",
        metavar="LABELS",
        action="append",
        default=[],
        help="labels that one annotation has, like car,parked",
    )
    parser.add_argument(
        "--not",
        metavar="LABELS",
        action="append",
        default=[],
        dest="without",
        help="labels that no annotation has",
    )
    parser.add_argument(
        "--count", metavar="MIN:MAX", help="how many annotations each --label asks for"
    )
    parser.add_argument(
        "--confidence", metavar="MIN:MAX", help="only annotations as sure as that count"
    )
    parser.add_argument(
        "--rule",
        metavar="JSON",
        action="append",
        default=[],
        help='a rule of a data view, like {"label": "car", "count_range": [2, -1]}',
    )
    parser.add_argument(
        "--source", metavar="WILDCARD", help="what the URI of a source is like"
    )
    parser.add_argument(
        "--map",
        metavar="LABELS=LABEL",
        action="append",
        default=[],
        help="another name for annotations with the labels",
    )
    parser.add_argument(
        "--order", choices=("sequential", "random"), default="sequential"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0)
    parser.add_argument("--limit", metavar="N", type=int)
    parser.add_argument(
        "--rois",
        choices=("all_in_frame", "only_filtered", "frame_per_roi"),
        default="all_in_frame",
        help="the annotations that frames come with (default: %(default)s)",
    )
    parser.add_argument("--format", choices=("text", "json", "jsonl"), default="text")
    parser.add_argument("-o", "--out", metavar="FILE", type=Path)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    from framekit.dataset.opening import opened_version
    from framekit.dataset.query import Filter

    rules = _rules(arguments)
    mapping = dict(_mapping(text) for text in arguments.map)
    with opened_version(arguments.target, arguments.version) as (version, problems):
        found = version.query(
            Filter(rules, source=arguments.source),
            mapping=mapping,
            order=arguments.order,
            seed=arguments.seed,
            limit=arguments.limit,
            rois=arguments.rois,
        )
        destination: Any = (
            nullcontext(stdout)
            if arguments.out is None
            else arguments.out.open("w", encoding="utf-8")
        )
        with destination as file:
            _write(found, arguments.format, file)
        return 1 if tell_problems(problems, stderr) else 0


def _write(found: Query, form: str, file: TextIO) -> None:
    number = 0
    if form == "json":
        file.write('{"frames":[')
    for number, frame in enumerate(found.documents(), 1):
        if form == "text":
            file.write(f"{_line(frame)}\n")
        elif form == "jsonl":
            file.write(_json.dumps(frame).decode() + "\n")
        else:
            comma = "," if number > 1 else ""
            file.write(f"{comma}\n{_json.dumps(frame).decode()}")
    if form == "json":
        file.write("\n]}\n")
    elif form == "text":
        file.write(f"{number:,} frames\n")


def _line(frame: dict[str, Any]) -> str:
    from framekit.dataset.labels import labels_of, rois_of

    names = labels_of(frame, rois_of(frame))
    labels = sorted({label for found in names for label in found})
    moment = [str(frame[key]) for key in ("context_id", "timestamp") if key in frame]
    return "  ".join([str(frame.get("id")), *moment, ", ".join(labels)]).rstrip()


def _rules(arguments: argparse.Namespace) -> list[LabelRule]:
    from framekit.dataset.query import LabelRule

    count = _range(arguments.count, "--count")
    confidence = _range(arguments.confidence, "--confidence")
    rules = [
        LabelRule(text.split(","), count_range=count, conf_range=confidence)
        for text in arguments.label
    ]
    rules += [
        LabelRule(text.split(","), conf_range=confidence, must_not=True)
        for text in arguments.without
    ]
    for text in arguments.rule:
        try:
            rules.append(LabelRule.from_dict(_json.loads(text)))
        except DocumentError as error:
            raise ArgumentError("--rule", str(error)) from None
    if count is not None and not arguments.label:
        raise ArgumentError("--count", "goes with --label, which is missing")
    return rules


def _range(text: str | None, option: str) -> tuple[float, float] | None:
    """
    Read ``2:5``, ``2:`` or ``:5``; one number alone is both bounds.
    """
    if text is None:
        return None
    low, colon, high = text.partition(":")
    try:
        least = float(low) if low else -1.0
        most = (float(high) if high else -1.0) if colon else least
    except ValueError:
        raise ArgumentError(option, f"expected MIN:MAX, got {text!r}") from None
    return least, most


def _mapping(text: str) -> tuple[tuple[str, ...], str]:
    labels, _, target = text.rpartition("=")
    if not labels or not target:
        raise ArgumentError("--map", f"expected LABELS=LABEL, got {text!r}")
    return tuple(labels.split(",")), target
