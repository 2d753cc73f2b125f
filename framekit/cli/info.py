"""
Say what files are: masks, videos, files of frames.

Without a file: which kernels and which optional packages are in use.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TextIO

from attrs import asdict

from framekit import _json
from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.cli.targets import is_document
from framekit.errors import FramekitError

__all__ = ["add_arguments", "execute"]

#: The module that shows whether an extra is installed.
_EXTRAS: Final = {
    "cli": "tqdm",
    "dask": "distributed",
    "fast": "zlib_ng",
    "remote": "fsspec",
}

_CORE: Final = ("attrs", "numpy", "pillow", "av", "jsonschema", "orjson")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("files", metavar="FILE", nargs="*")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_storage_options(parser)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    storage = storage_from(arguments, None)
    told: list[dict[str, Any]] = []
    failed = 0
    if not arguments.files:
        told.append(_about_framekit())
    for name in arguments.files:
        try:
            told.append({"file": name, **_about(name, storage)})
        except FramekitError as error:
            failed += 1
            stderr.write(f"framekit: {error}\n")
    if arguments.format == "json":
        stdout.write(_json.dumps(told, indent=True).decode() + "\n")
    else:
        stdout.write("\n".join("".join(_lines(facts)) for facts in told))
    return 1 if failed else 0


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    wide = max(len(key) for key in facts)
    for key, value in facts.items():
        shown = value
        if isinstance(value, dict):
            shown = ", ".join(f"{name} {what}" for name, what in value.items())
        yield f"{key.replace('_', ' '):<{wide}}  {shown}\n"


def _about_framekit() -> dict[str, Any]:
    import framekit
    from framekit.decoding import kernels
    from framekit.decoding.png import inflate

    return {
        "framekit": framekit.__version__,
        "python": platform.python_version(),
        "kernels": kernels.NAME,
        "inflater": inflate.INFLATER.name,
        "packages": {name: metadata.version(name) for name in _CORE},
        "extras": {
            name: "installed" if find_spec(module) else "missing"
            for name, module in _EXTRAS.items()
        },
    }


def _about(name: str, storage: Any) -> dict[str, Any]:
    from framekit.decoding.image.decode import read_image_header, sniff

    if is_document(name):
        return _about_frames(name)
    with storage.open(name) as file:
        kind = sniff(file.read(64))
    if kind is None:
        return _about_video(name, storage)
    return {"kind": "image", **_facts(read_image_header(name, storage=storage))}


def _about_video(name: str, storage: Any) -> dict[str, Any]:
    from framekit.decoding.video.mask_video import MaskVideo
    from framekit.palette import Palette

    with MaskVideo(name, Palette(), storage=storage) as video:
        facts = {"kind": "video", **_facts(video.metadata)}
        gaps = len(video.index.gaps)
        return facts | ({"gaps_in_time": gaps} if gaps else {})


def _facts(found: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if value is not None}


def _about_frames(name: str) -> dict[str, Any]:
    from framekit.dataset import open_target
    from framekit.frame import SingleFrame

    target = open_target(name)
    counts: dict[str, dict[str, int]] = {"sources": {}, "masks": {}, "labels": {}}
    contexts: set[str | None] = set()
    frames = unreadable = 0
    for found in target.frames():
        if not isinstance(found, SingleFrame):
            unreadable += 1
            continue
        frames += 1
        contexts.add(found.context_id)
        for source in found.sources:
            _count(counts["sources"], source.id)
            for mask in source.masks:
                _count(counts["masks"], f"{source.id}.{mask.id}")
        for roi in found.rois:
            for label in roi.labels:
                _count(counts["labels"], label)
    facts: dict[str, Any] = {
        "kind": "frames folder" if Path(name).is_dir() else "frames",
        "frames": frames,
        "contexts": len(contexts),
        **counts,
    }
    if isinstance(target.version, dict) and "name" in target.version:
        facts["version"] = target.version["name"]
    return facts | ({"unreadable": unreadable} if unreadable else {})


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
