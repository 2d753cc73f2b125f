"""
Exporting masks as COCO panoptic, beside the way panopticapi's converters go.

    python -m tests.benchmarks.bench_formats [--masks 1000]

CPU ms a mask. The converters' way is transcribed: a loop over the classes of an RGB
mask, ``id2rgb``, Pillow's PNG, and a bounding box and an area for each segment.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import framekit as fk
from framekit import formats

CROSSING = Path(__file__).parents[2] / "samples" / "crossing"


def frames(number: int) -> list[fk.SingleFrame]:
    """
    The sample's frames again and again, each under an id of its own.
    """
    found = [
        f for f in fk.open_target(CROSSING).frames() if isinstance(f, fk.SingleFrame)
    ]
    copies = []
    for n in range(number):
        frame = fk.SingleFrame.from_dict(found[n % len(found)].to_dict())
        frame.id = f"frame_{n:05}"
        frame.sources = frame.sources[:1]
        frame.rois = [r for r in frame.rois if r.mask is None or "front" in r.sources]
        copies.append(frame)
    return copies


def by_loops(maps: list[NDArray[Any]], folder: Path) -> None:
    """
    What panopticapi's converters do for each image.
    """
    annotations = []
    for n, ids in enumerate(maps):
        rgb = np.zeros((*ids.shape, 3), np.uint8)
        segments = []
        for label in np.unique(ids):
            mask = ids == label
            rgb[mask] = (label + 1, 0, 0)
            rows, columns = np.any(mask, axis=1), np.any(mask, axis=0)
            top, bottom = np.flatnonzero(rows)[[0, -1]]
            left, right = np.flatnonzero(columns)[[0, -1]]
            box = [int(v) for v in (left, top, right - left + 1, bottom - top + 1)]
            segments.append({"id": int(label), "area": int(mask.sum()), "bbox": box})
        Image.fromarray(rgb).save(folder / f"{n:05}.png")
        annotations.append({"image_id": n, "segments_info": segments})
    (folder / "panoptic.json").write_text(json.dumps(annotations))


def main() -> None:
    """
    Print a line for each way.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--masks", type=int, default=1000)
    number = parser.parse_args().masks
    chosen = frames(number)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        shutil.copytree(CROSSING, source, ignore=shutil.ignore_patterns("truth"))
        lines = b"\n".join(frame.to_json() for frame in chosen)
        (source / "frames.jsonl").write_bytes(lines)
        started = time.process_time()
        read = formats.read(source, "frames", mask="seg")
        found = formats.write(read, folder / "coco", "coco-panoptic")
        ours = time.process_time() - started
        storage = fk.Storage(source)
        maps = [
            item.label_map.ids
            for item in fk.decode_frames(chosen, mask="seg", storage=storage)
            if item.label_map is not None
        ]
        (folder / "loops").mkdir()
        started = time.process_time()
        by_loops(maps, folder / "loops")
        loops = time.process_time() - started
    print(f"framekit, frames to COCO panoptic  {ours / found.written * 1e3:6.1f} ms")
    print(f"loops over classes, labels given   {loops / len(maps) * 1e3:6.1f} ms")


if __name__ == "__main__":
    main()
