"""
The sample as training data has it, and what counts who opens its files.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import framekit as fk

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"
FRONT = [f"crossing_1_{n:03}/front.seg" for n in range(24)]
REAR = [f"crossing_1_{n:03}/rear.seg" for n in range(0, 24, 3)]
LABELS = [
    entry["labels"][0]
    for entry in json.loads((CROSSING / "truth" / "classes.json").read_bytes())[
        "front_seg"
    ]
]
STARTS = ["fork", "spawn"]


def truth(name: str) -> NDArray[Any]:
    """
    The indices that were drawn for a sample of that name.
    """
    frame, _, mask = name.partition("/")
    folder = mask.replace(".", "_")
    picture = CROSSING / "truth" / folder / f"{frame[-3:]}.png"
    return np.asarray(Image.open(picture))


def crossing() -> list[fk.SingleFrame]:
    """
    The frames of the sample.
    """
    return [
        frame
        for frame in fk.open_target(CROSSING).frames()
        if isinstance(frame, fk.SingleFrame)
    ]


def still(folder: Path, name: str, **labels: str) -> fk.SingleFrame:
    """
    A frame whose picture is blank and whose mask has a column for each color.
    """
    colors = [tuple(bytes.fromhex(color)) for color in labels]
    pixels = np.array([colors], np.uint8)
    Image.fromarray(pixels).save(folder / f"{name}_mask.png")
    Image.new("RGB", (len(colors), 1)).save(folder / f"{name}.png")
    frame = fk.SingleFrame(
        id=name,
        source=str(folder / f"{name}.png"),
        mask_source=str(folder / f"{name}_mask.png"),
    )
    for color, label in labels.items():
        if label:
            frame.add_annotation(mask_rgb=f"#{color}", labels=label.split("+"))
    return frame


class Counted:
    """
    Opens files of the sample, and writes down who did.
    """

    def __init__(self, log: Path) -> None:
        self.log = log

    def __call__(self, uri: str) -> BinaryIO:
        """
        Open *uri*.
        """
        with self.log.open("a") as log:
            log.write(f"{os.getpid()} {uri}\n")
        return (CROSSING / "media" / uri.removeprefix("counted://")).open("rb")

    def counts(self) -> dict[str, list[int]]:
        """
        How often each process opened each file.
        """
        found: dict[str, list[int]] = {}
        for line, count in sorted(Counter(self.log.read_text().split("\n")).items()):
            if line:
                found.setdefault(line.split("://")[1], []).append(count)
        return found


def counted(log: Path) -> tuple[list[fk.SingleFrame], fk.Storage]:
    """
    The frames of the sample with files that are counted as they are opened.
    """
    text = (CROSSING / "frames.jsonl").read_text().replace("media/", "counted://")
    frames = [fk.SingleFrame.from_json(line) for line in text.splitlines()]
    return frames, fk.Storage(allow=["counted"], opener=Counted(log))


def names_of(loader: Any) -> list[str]:
    """
    The names of all samples that *loader* gives, in their order.
    """
    return [name for batch in loader for name in batch.name]
