"""
Decode masks to label maps.

The masks of all frames of TARGET (a dataset, a frames folder, a JSON or JSONL file),
or one mask image or mask video together with --palette. Writes
OUT/<frame>/<source>.<mask>.png, or OUT/<number>.png for a mask video, and
OUT/index.jsonl with the labels and the report of each.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from framekit import _json
from framekit.cli.progress import Progress
from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.cli.targets import add_version_option, is_document
from framekit.errors import ArgumentError, PaletteError
from framekit.problem import Problem

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("target", metavar="TARGET|MASK")
    parser.add_argument("-o", "--out", metavar="OUT", required=True, type=Path)
    parser.add_argument(
        "--palette", metavar="P", help="a palette file; needed for MASK"
    )
    add_version_option(parser)
    parser.add_argument("--source", metavar="ID", help="only masks of this source")
    parser.add_argument("--mask", metavar="ID", help="only masks of this id")
    parser.add_argument(
        "--timestamp", metavar="MS", type=float, help="only this moment of a mask video"
    )
    parser.add_argument("--unknown", choices=("void", "error", "nearest"))
    parser.add_argument("--alpha", choices=("ignore", "void", "opacity"))
    parser.add_argument(
        "--palette-png", choices=("auto", "colors", "indices"), dest="palette_png"
    )
    parser.add_argument("--size", choices=("error", "nearest"))
    parser.add_argument("--mode", choices=("full", "fast", "nearest"))
    parser.add_argument("--uncertain", choices=("keep", "void"))
    parser.add_argument(
        "--on-corrupt", choices=("raise", "warn", "ignore"), dest="on_corrupt"
    )
    parser.add_argument("--origin", choices=("first_frame", "container"))
    parser.add_argument("--match", choices=("display", "nearest", "exact"))
    add_storage_options(parser)


_OPTIONS = (
    "unknown",
    "alpha",
    "palette_png",
    "size",
    "mode",
    "uncertain",
    "on_corrupt",
    "origin",
    "match",
)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    options = {
        name: value
        for name in _OPTIONS
        if (value := getattr(arguments, name)) is not None
    }
    outcomes = (
        _of_target(arguments, options)
        if is_document(arguments.target)
        else _of_mask(arguments, options)
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    written = failed = 0
    index = arguments.out / "index.jsonl"
    with index.open("wb") as lines, Progress(stderr, unit="masks") as progress:
        for entry, label_map in outcomes:
            found = dict(entry)
            try:
                if label_map is not None:
                    found |= _written(label_map, arguments.out / entry["file"])
            except PaletteError as error:
                found["error"] = str(error)
            if "error" in found:
                found.pop("file", None)
                failed += 1
                stderr.write(f"framekit: {_name(found)}: {found['error']}\n")
            else:
                written += 1
            lines.write(_json.dumps(found) + b"\n")
            progress.advance()
    stdout.write(f"{written} label maps in {arguments.out}, {failed} failed\n")
    return 1 if failed else 0


Outcome = tuple[dict[str, Any], Any]


def _of_target(
    arguments: argparse.Namespace, options: dict[str, Any]
) -> Iterator[Outcome]:
    from framekit.dataset import open_target
    from framekit.decoding.decode import decode_frames
    from framekit.palette import Palette

    if arguments.timestamp is not None:
        raise ArgumentError("--timestamp", "goes with a mask, not with a target")
    target = open_target(arguments.target, arguments.version)
    palette = Palette.load(arguments.palette) if arguments.palette else None
    folders = _Folders()
    unread: list[Problem] = []
    decoded = decode_frames(
        _readable(target.frames(), unread),
        source=arguments.source,
        mask=arguments.mask,
        palette=palette,
        version=target.version,
        storage=storage_from(arguments, target.root),
        **options,
    )
    for item in decoded:
        name = f"{_safe(item.source)}.{_safe(item.mask)}.png"
        entry: dict[str, Any] = {
            "frame": item.frame.id,
            "source": item.source,
            "mask": item.mask,
            "timestamp": item.frame.timestamp,
            "file": f"{folders.of(item.frame)}/{name}",
        }
        if item.error is not None:
            entry["error"] = str(item.error)
        yield entry, item.label_map
    for problem in unread:
        entry = {"frame": None, "document": problem.document}
        yield {**entry, "error": f"{problem.at}: {problem.message}"}, None


def _readable(found: Iterable[Any], unread: list[Problem]) -> Iterator[Any]:
    for frame in found:
        if isinstance(frame, Problem):
            unread.append(frame)
        else:
            yield frame


def _of_mask(
    arguments: argparse.Namespace, options: dict[str, Any]
) -> Iterator[Outcome]:
    from framekit.decoding.image.decode import decode_image, sniff
    from framekit.decoding.requests import IMAGE_OPTIONS, VIDEO_OPTIONS
    from framekit.decoding.video.mask_video import MaskVideo
    from framekit.palette import Palette

    if arguments.palette is None:
        reason = f"needed to decode {arguments.target}, which is a mask by itself"
        raise ArgumentError("--palette", reason)
    palette = Palette.load(arguments.palette)
    storage = storage_from(arguments, None)
    with storage.open(arguments.target) as file:
        as_image = sniff(file.read(64)) is not None
    if as_image:
        fitting = {k: options[k] for k in options if k in IMAGE_OPTIONS}
        name = f"{_safe(Path(arguments.target).stem)}.png"
        found = decode_image(arguments.target, palette, storage=storage, **fitting)
        yield {"file": name}, found
        return
    fitting = {k: options[k] for k in options if k in VIDEO_OPTIONS}
    with MaskVideo(arguments.target, palette, storage=storage, **fitting) as video:
        frames = (
            iter(video)
            if arguments.timestamp is None
            else iter([video.at(arguments.timestamp)])
        )
        for frame in frames:
            entry = {"timestamp": frame.timestamp, "file": f"{frame.index:06}.png"}
            yield entry, frame.label_map


class _Folders:
    """
    A folder for each frame, named by its id and never used twice.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._number = -1
        self._last: tuple[Any, str] = (None, "")

    def of(self, frame: Any) -> str:
        if frame is self._last[0]:
            return self._last[1]
        self._number += 1
        name = _safe(frame.id) if frame.id else f"{self._number:06}"
        while name.lower() in self._used:
            name = f"{name}.{self._number}"
        self._used.add(name.lower())
        self._last = (frame, name)
        return name


def _safe(name: str) -> str:
    """
    *name* as one folder name that leads nowhere else.
    """
    kept = re.sub(r"[^\w.+=@-]", "_", name, flags=re.ASCII).strip(".")
    return kept[:120] or "_"


def _written(label_map: Any, path: Path) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    large = any(entry.id_or_void > 254 for entry in label_map.palette)
    label_map.save(path, values="id" if large else "index")
    height, width = label_map.shape
    return {
        "size": [width, height],
        "labels": label_map.areas,
        "report": label_map.report.to_dict(),
    }


def _name(entry: dict[str, Any]) -> str:
    keys = ("document", "frame", "source", "mask", "timestamp")
    parts = (entry.get(key) for key in keys)
    return " ".join(str(part) for part in parts if part is not None) or "mask"
