"""
Say what files are: masks, videos, files of frames.

With --palette also what the colors of masks are, and how sure that is. Without a
file: which kernels and which optional packages are in use.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from attrs import asdict

from framekit import _json
from framekit.cli.storage_options import add_storage_options, storage_from
from framekit.cli.targets import is_document
from framekit.errors import FramekitError

if TYPE_CHECKING:
    from framekit.decoding.label_map import LabelMap
    from framekit.palette import Palette

__all__ = ["add_arguments", "execute"]

#: The module that shows whether an extra is installed.
_EXTRAS: Final = {
    "analysis": "pycocotools",
    "cli": "tqdm",
    "dask": "distributed",
    "fast": "zlib_ng",
    "gcs": "gcsfs",
    "remote": "fsspec",
    "s3": "s3fs",
    "zstd": "zstandard",
}

#: How many frames of a video are looked at for what its colors are.
_LOOKED_AT: Final = 8

_CORE: Final = ("attrs", "numpy", "pillow", "av", "jsonschema", "orjson")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Add the command's arguments to *parser*.
    """
    parser.add_argument("files", metavar="FILE", nargs="*")
    parser.add_argument("--palette", metavar="P", help="the palette file of the masks")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_storage_options(parser)


def execute(arguments: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> int:
    """
    Carry the command out.
    """
    storage = storage_from(arguments, None)
    palette = _palette(arguments.palette)
    told: list[dict[str, Any]] = []
    failed = 0
    if not arguments.files:
        told.append(_about_framekit())
    for name in arguments.files:
        try:
            told.append({"file": name, **_about(name, storage, palette)})
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


def _palette(path: str | None) -> Palette | None:
    if path is None:
        return None
    from framekit.palette import Palette

    return Palette.load(path)


def _about(name: str, storage: Any, palette: Palette | None) -> dict[str, Any]:
    from framekit.decoding.image.decode import decode_image, read_image_header, sniff

    if is_document(name):
        return _about_frames(name)
    with storage.open(name) as file:
        kind = sniff(file.read(64))
    if kind is None:
        return _about_video(name, storage, palette)
    facts = {"kind": "image", **_facts(read_image_header(name, storage=storage))}
    if palette is None:
        return facts
    return facts | _about_colors([decode_image(name, palette, storage=storage)])


def _about_video(name: str, storage: Any, palette: Palette | None) -> dict[str, Any]:
    from framekit.decoding.video.mask_video import MaskVideo
    from framekit.palette import Palette

    own = Palette() if palette is None else palette
    with MaskVideo(name, own, on_corrupt="warn", storage=storage) as video:
        facts = {"kind": "video", **_facts(video.metadata)}
        if gaps := len(video.index.gaps):
            facts["gaps_in_time"] = gaps
        if palette is None:
            return facts
        count = len(video.index)
        places = sorted({n * count // _LOOKED_AT for n in range(_LOOKED_AT)})
        found = video.at_many(video.index.timestamp(place) for place in places)
    return facts | _about_colors([item.label_map for item in found])


def _about_colors(found: list[LabelMap]) -> dict[str, Any]:
    """
    What the reports of some label maps say together, the worst of each.
    """
    reports = [label_map.report for label_map in found]
    first = reports[0]
    pixels = sum(label_map.ids.size for label_map in found)
    facts = {
        "looked_at": f"{len(found)} frame(s)",
        "exact": all(report.exact for report in reports),
        "lossless": first.lossless,
        "matrix": first.matrix,
        "full_range": first.full_range,
        "colorspace_from": first.colorspace_reason,
        "residual": None if first.residual is None else round(first.residual, 2),
        "noise": max((r.noise for r in reports if r.noise is not None), default=None),
        "unknown_share": sum(r.unknown_pixels for r in reports) / pixels,
        "ambiguous_share": max(report.ambiguous_share for report in reports),
        "uncertain_share": max(report.uncertain_share for report in reports),
        "tainted": any(report.tainted for report in reports) or None,
        "notes": "; ".join(dict.fromkeys(n for r in reports for n in r.notes)) or None,
    }
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in facts.items()
        if value is not None
    }


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
