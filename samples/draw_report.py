"""
Draw ``report.png``: what ``framekit validate --format html`` makes of 500 findings.

    python samples/draw_report.py [--out samples/report.png] [--keep DIR]

It copies the sample ``crossing`` as five drives, breaks them in the ways that data
breaks, validates them, and lets headless Chromium take a picture of the page.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from framekit.cli import run

HERE = Path(__file__).resolve().parent
CROSSING = HERE / "crossing"
DRIVES = 5

#: Width and height of each half of the picture, in CSS pixels.
HALF = (1000, 1470)

#: Where the findings start below the table of their codes.
FINDINGS = 1105

COMMAND = "framekit validate city_drives --level pixels --format html -o report.html"

Frame = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Write the broken drives, the report on them, and its picture.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip())
    parser.add_argument("--out", type=Path, default=HERE / "report.png", metavar="FILE")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep data and page")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write_broken_drives(folder / "city_drives")
        with contextlib.chdir(folder):
            if run(COMMAND.split()[1:], sys.stdout, sys.stderr) != 1:
                return 2
        draw(folder / "report.html", given.out)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes")
    return 0


def write_broken_drives(folder: Path) -> None:
    """
    Write a frames folder of 120 frames with about 500 findings.
    """
    shutil.copytree(
        CROSSING,
        folder,
        ignore=shutil.ignore_patterns("truth", "lossy", "rear_*", "frames.jsonl"),
        dirs_exist_ok=True,
    )
    lines = (CROSSING / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    frames = [
        frame
        for drive in range(1, DRIVES + 1)
        for frame in drive_of([json.loads(line) for line in lines], drive, folder)
    ]
    for frame in frames:
        break_frame(frame)
    for number, path in enumerate(sorted((folder / "media").glob("rear_*_seg.png"))):
        break_mask(path, number)
    text = "".join(f"{json.dumps(frame)}\n" for frame in frames)
    (folder / "frames.jsonl").write_text(text, encoding="utf-8")


def drive_of(frames: list[Frame], drive: int, folder: Path) -> Iterator[Frame]:
    """
    Yield the frames as those of another drive, with stills of its own.
    """
    for frame in frames:
        frame["id"] = frame["id"].replace("crossing_1", f"drive_{drive}")
        frame["context_id"] = f"drive_{drive}"
        for source in frame["sources"]:
            for part in (source, *source["masks"]):
                name = Path(part["uri"]).name
                if name.startswith("rear_"):
                    part["uri"] = f"media/rear_{drive}_{name.removeprefix('rear_')}"
                    shutil.copy(CROSSING / "media" / name, folder / part["uri"])
        yield frame


def break_frame(frame: Frame) -> None:
    """
    What people and exporters do to the JSON of some frames.
    """
    drive, number = (int(part) for part in frame["id"].split("_")[1:])
    rois = frame["rois"]
    if drive == 2:
        for roi in rois[4:13]:
            roi["mask"]["id"] = "sge"
    if drive == 3 and number % 2:
        rois[5]["label"] = []
        for place, percent in enumerate((87, 93, 71, 66), 7):
            rois[place]["confidence"] = percent
    if drive == 4 and number >= 18:
        for roi in rois:
            if len(roi["label"]) == 1 and "mask" in roi:
                (label,) = roi["label"]
                roi["label"], roi["mask"]["id"] = [roi["mask"]["id"]], label
    if drive == 5:
        for roi in rois[3:7]:
            roi["labels"] = roi.pop("label")
        if number >= 20:
            frame["sources"][0]["masks"][0]["timestamp"] = 40 * number + 400
        if number % 3 == 1:
            frame["meta"]["velocity"] = str(frame["meta"]["velocity"])


def break_mask(path: Path, number: int) -> None:
    """
    What tools do to mask images.
    """
    image = Image.open(path)
    pixels = np.array(image)
    if number in {9, 22}:
        path.unlink()
    elif number in {13, 30}:
        path.write_bytes(path.read_bytes()[:2000])
    elif number in {6, 27}:
        image.resize((240, 135), Image.Resampling.NEAREST).save(path)
    elif number % 4 == 1:  # A class that nobody declared.
        left, top = 40 + 9 * number, 120 + 3 * number % 40
        pixels[top : top + 26, left : left + 44] = (31, 117, 254)
        Image.fromarray(pixels).save(path)
    elif number % 5 in {2, 4}:  # A part that was resized with interpolation.
        part = image.crop((200, 120, 320, 200)).resize((90, 60), Image.Resampling.BOX)
        image.paste(part.resize((120, 80), Image.Resampling.BILINEAR), (200, 120))
        image.save(path)


def draw(page: Path, picture: Path) -> None:
    """
    Show the top of *page* beside its findings of one code, in few colors.
    """
    width, height = HALF
    top = shoot(page, height)
    below = shoot(page, FINDINGS + height, "#code=unknown-color")
    both = Image.new("RGB", (2 * width, height))
    both.paste(top, (0, 0))
    both.paste(below.crop((0, FINDINGS, width, FINDINGS + height)), (width, 0))
    few = both.quantize(224, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


def shoot(page: Path, height: int, fragment: str = "") -> Image.Image:
    """
    Take a picture of the first *height* pixels of *page*.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        message = "needs chromium: apt-get install chromium"
        raise SystemExit(message)
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        command = [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu"),
            *("--hide-scrollbars", "--virtual-time-budget=3000"),
            f"--window-size={HALF[0]},{height}",
            f"--screenshot={shot}",
            page.absolute().as_uri() + fragment,
        ]
        subprocess.run(command, check=True, timeout=60, stderr=subprocess.DEVNULL)  # noqa: S603
        with Image.open(shot) as image:
            return image.convert("RGB")


if __name__ == "__main__":
    sys.exit(main())
