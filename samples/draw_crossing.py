"""
Write the sample data set ``crossing``: frames, media and the truth.

Run ``python samples/draw_crossing.py [--out DIR]``. It needs numpy, Pillow and av, and
not framekit, so that the sample is no work of what it tests. Masks and truth come out
the same pixel for pixel on each run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import av
import av.video
import numpy as np
from PIL import Image, ImageFilter

from crossing_canvas import (
    BACKGROUND,
    BUILDING,
    CLASSES,
    INSTANCES,
    ROAD,
    SIDEWALK,
    SKY,
    VEGETATION,
    Array,
    Canvas,
    Color,
)
from crossing_scene import FRAMES, FRONT_SIZE, REAR_SIZE, draw_front, draw_rear

FPS = 30
REAR_EVERY = 3
PREVIEW_EVERY = 6
PREVIEW_SIZE = (160, 90)

#: How much noise the picture of a class gets; where none is said, 3.
ROUGHNESS = {SKY: 1, BUILDING: 6, VEGETATION: 16, ROAD: 7, SIDEWALK: 6}

LOSSLESS = {"qp": "0", "g": "12", "preset": "veryslow"}

CLASS_COLORS: list[Color] = [color for _, color in CLASSES]
INSTANCE_COLORS: list[Color] = [BACKGROUND, *(color for _, _, color in INSTANCES)]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Write everything, read the masks back, and print what there is.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip())
    default = Path(__file__).resolve().parent / "crossing"
    parser.add_argument("--out", type=Path, default=default, metavar="DIR")
    out: Path = parser.parse_args(arguments).out

    check_palettes()
    fronts = [draw_front(index) for index in range(FRAMES)]
    rears = {index: draw_rear(index) for index in range(0, FRAMES, REAR_EVERY)}
    write_media(out, fronts, rears)
    write_truth(out / "truth", fronts, rears)
    write_documents(out, fronts, rears)
    read_back(out)

    files = [path for path in out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    print(
        f"{out}: {len(fronts)} front frames, {len(rears)} rear stills, "
        f"{len(CLASSES)} classes, {len(INSTANCES)} objects, "
        f"{len(files)} files, {size / 1e6:.2f} MB"
    )
    return 0


def check_palettes() -> None:
    """
    Refuse colors that lossy video could not keep apart.
    """
    for colors in (CLASS_COLORS, INSTANCE_COLORS):
        for one, other in combinations(colors, 2):
            rgb = np.subtract(one, other)
            yuv = np.subtract(_yuv(one), _yuv(other))
            if rgb @ rgb < 24**2 or yuv @ yuv < 8**2:
                message = f"{one} and {other} are too close"
                raise SystemExit(message)


def timestamp(index: int) -> int:
    """
    Milliseconds since the first frame, cut as ClearML's pages cut them: 0, 33, 66.
    """
    return index * 1000 // FPS


def write_media(out: Path, fronts: Sequence[Canvas], rears: dict[int, Canvas]) -> None:
    """
    Write pictures, previews, masks, and the lossy twin of one mask video.
    """
    media = out / "media"
    (media / "lossy").mkdir(parents=True, exist_ok=True)
    pictures = [picture(canvas, index) for index, canvas in enumerate(fronts)]
    seg = [colored(canvas.labels, CLASS_COLORS) for canvas in fronts]
    objects = [colored(canvas.instances, INSTANCE_COLORS) for canvas in fronts]

    yuv, crf = "yuv420p", {"g": "12", "preset": "slow", "crf": "20"}
    encode(media / "front.mp4", pictures, "libx264", yuv, crf)
    encode(media / "front_seg.mp4", seg, "libx264rgb", "rgb24", LOSSLESS)
    encode(media / "front_seg_instance.mp4", objects, "libx264rgb", "rgb24", LOSSLESS)
    twin = media / "lossy" / "front_seg_crf23.mp4"
    encode(twin, seg, "libx264", yuv, {"g": "12", "crf": "23"})

    for index in range(0, FRAMES, PREVIEW_EVERY):
        small = Image.fromarray(pictures[index]).resize(PREVIEW_SIZE)
        small.save(media / f"preview_{index:03}.jpg", quality=80)
    for index, canvas in rears.items():
        # The rear camera does not turn.
        still = Image.fromarray(picture(canvas, index, turned=0))
        still.save(media / f"rear_{index:03}.jpg", quality=85)
        mask = Image.fromarray(colored(canvas.labels, CLASS_COLORS))
        mask.save(media / f"rear_{index:03}_seg.png", optimize=True)


def picture(canvas: Canvas, index: int, *, turned: int | None = None) -> Array:
    """
    The paint of *canvas* in daylight: texture that stays on things, sensor noise.
    """
    turned = index if turned is None else turned
    height, width = canvas.labels.shape
    fixed = np.random.default_rng(7)
    fine = fixed.integers(-100, 101, (height, width + FRAMES))
    coarse = fixed.integers(-100, 101, (height // 5 + 1, (width + FRAMES) // 5 + 1))
    texture = (
        fine + coarse.repeat(5, axis=0).repeat(5, axis=1)[:height, : fine.shape[1]]
    )
    sensor = np.random.default_rng([7, index]).integers(-2, 3, (height, width, 1))

    rough = np.full(len(CLASSES), 3)
    rough[list(ROUGHNESS)] = list(ROUGHNESS.values())
    grain = texture[:, turned : turned + width] * rough[canvas.labels] // 140
    rows = np.arange(height)[:, None]
    # The sky is lighter near the horizon, the ground darker far from the camera.
    light = np.where(
        canvas.labels == SKY, rows * 60 // height, (rows * 36) // height - 16
    )
    shaded = canvas.paint + (grain + light)[:, :, None] + sensor
    image = Image.fromarray(shaded.clip(0, 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)))


def colored(indices: Array, colors: Sequence[Color]) -> Array:
    """
    The mask picture of an array of color indices.
    """
    lut: Array = np.array(colors, np.uint8)
    result: Array = lut[indices]
    return result


def encode(
    path: Path,
    pictures: Sequence[Array],
    codec: str,
    pixel_format: str,
    options: dict[str, str],
) -> None:
    """
    Write *pictures* (RGB) as a video; one thread, so that files repeat.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options=options)
        assert isinstance(stream, av.video.VideoStream)
        stream.pix_fmt = pixel_format
        stream.codec_context.thread_count = 1
        stream.height, stream.width = pictures[0].shape[:2]
        for index, rgb in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_truth(
    truth: Path, fronts: Sequence[Canvas], rears: dict[int, Canvas]
) -> None:
    """
    Write the label arrays as palette images, and what their indices mean.
    """
    for index, canvas in enumerate(fronts):
        name = f"{index:03}.png"
        _save_indices(truth / "front_seg" / name, canvas.labels, CLASS_COLORS)
        _save_indices(
            truth / "front_seg_instance" / name, canvas.instances, INSTANCE_COLORS
        )
    for index, canvas in rears.items():
        name = f"{index:03}.png"
        _save_indices(truth / "rear_seg" / name, canvas.labels, CLASS_COLORS)

    classes = [
        {"index": index, "color": color, "labels": [label]}
        for index, (label, color) in enumerate(CLASSES)
    ]
    background = {"index": 0, "color": BACKGROUND, "labels": ["background"]}
    objects = [
        {"index": index, "color": color, "labels": [label], "id": name}
        for index, (name, label, color) in enumerate(INSTANCES, 1)
    ]
    tables = {
        "front_seg": classes,
        "front_seg_instance": [background, *objects],
        "rear_seg": classes,
    }
    lines = [
        f" {json.dumps(name)}: [\n  "
        + ",\n  ".join(json.dumps(entry) for entry in table)
        + "\n ]"
        for name, table in tables.items()
    ]
    (truth / "classes.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def write_documents(
    out: Path, fronts: Sequence[Canvas], rears: dict[int, Canvas]
) -> None:
    """
    Write the frames, one a line, and the version they are.
    """
    documents = [
        frame_document(index, canvas, has_rear=index in rears)
        for index, canvas in enumerate(fronts)
    ]
    lines = [json.dumps(document, separators=(",", ":")) for document in documents]
    (out / "frames.jsonl").write_text("\n".join(lines) + "\n")

    # In the instance masks black is what belongs to no object; in the semantic masks
    # it is the ego vehicle, so this cannot stand under "_all_".
    labels = {"seg_instance": [{"value": BACKGROUND, "labels": ["background"]}]}
    version = {
        "name": "crossing",
        "mask_labels": labels,
        "metadata": {"made_by": "samples/draw_crossing.py", "fps": FPS},
    }
    (out / "version.json").write_text(json.dumps(version, indent=1) + "\n")


def frame_document(index: int, canvas: Canvas, *, has_rear: bool) -> dict[str, Any]:
    """
    One frame: what was filmed at the front, and at the rear where there is a still.
    """
    sources = [_front_source(index)]
    if has_rear:
        sources.append(_rear_source(index))
    names = [source["id"] for source in sources]
    return {
        "id": f"crossing_1_{index:03}",
        "context_id": "crossing_1",
        "timestamp": timestamp(index),
        "meta": {"weather": "clear", "signal": "red", "velocity": 0},
        "sources": sources,
        "rois": [*_class_rois(names), *_object_rois(canvas), {"label": ["daytime"]}],
    }


def read_back(out: Path) -> None:
    """
    Compare the masks as written with the truth as written, pixel by pixel.
    """
    for name in ("seg", "seg_instance"):
        decoded = decode(out / "media" / f"front_{name}.mp4")
        paths = sorted((out / "truth" / f"front_{name}").glob("*.png"))
        for path, rgb in zip(paths, decoded, strict=True):
            _check_equal(path, rgb)
    for path in sorted((out / "truth" / "rear_seg").glob("*.png")):
        with Image.open(out / "media" / f"rear_{path.stem}_seg.png") as image:
            _check_equal(path, np.asarray(image))


def decode(path: Path) -> Iterator[Array]:
    """
    The frames of a video as RGB.
    """
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def _front_source(index: int) -> dict[str, Any]:
    width, height = FRONT_SIZE
    # One moment and one size for the picture and its masks.
    common = {
        "content_type": "video/mp4",
        "width": width,
        "height": height,
        "timestamp": timestamp(index),
    }
    source: dict[str, Any] = {"id": "front", "uri": "media/front.mp4", **common}
    if index % PREVIEW_EVERY == 0:
        source["preview"] = {
            "uri": f"media/preview_{index:03}.jpg",
            "content_type": "image/jpeg",
            "width": PREVIEW_SIZE[0],
            "height": PREVIEW_SIZE[1],
            "timestamp": 0,
        }
    source["masks"] = [
        {"id": name, "uri": f"media/front_{name}.mp4", **common}
        for name in ("seg", "seg_instance")
    ]
    return source


def _rear_source(index: int) -> dict[str, Any]:
    width, height = REAR_SIZE
    common = {"width": width, "height": height, "timestamp": 0}
    stem = f"media/rear_{index:03}"
    mask = {"id": "seg", "uri": f"{stem}_seg.png", "content_type": "image/png"}
    return {
        "id": "rear",
        "uri": f"{stem}.jpg",
        "content_type": "image/jpeg",
        **common,
        "masks": [{**mask, **common}],
    }


def _class_rois(sources: list[str]) -> list[dict[str, Any]]:
    # All classes on each frame, in the order of the truth's indices.
    return [
        {"label": [label], "sources": sources, "mask": {"id": "seg", "value": color}}
        for label, color in CLASSES
    ]


def _object_rois(canvas: Canvas) -> list[dict[str, Any]]:
    rois: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for index, (name, label, color) in enumerate(INSTANCES, 1):
        rows, columns = np.nonzero(canvas.instances == index)
        if not rows.size:
            continue
        roi: dict[str, Any] = {"id": name, "label": [label], "sources": ["front"]}
        rois.append({**roi, "mask": {"id": "seg_instance", "value": color}})
        if name == "car-5":
            left, right = int(columns.min()), int(columns.max()) + 1
            top, bottom = int(rows.min()), int(rows.max()) + 1
            corners = [left, top, right, top, right, bottom, left, bottom]
            roi = {**roi, "id": f"{name}-box", "poly": corners, "confidence": 0.97}
            boxes.append({**roi, "meta": {"_type": "b2d"}})
    return rois + boxes


def _save_indices(path: Path, indices: Array, colors: Sequence[Color]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(indices)
    image.putpalette([value for color in colors for value in color])
    image.save(path, bits=8, optimize=True)


def _check_equal(truth: Path, rgb: Array) -> None:
    with Image.open(truth) as image:
        if not np.array_equal(np.asarray(image.convert("RGB")), rgb):
            message = f"the mask is not what {truth} says"
            raise SystemExit(message)


def _yuv(color: Color) -> tuple[float, float, float]:
    # BT.601 in limited range, which untagged mask video is written in.
    red, green, blue = color
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return (
        luma * 219 / 255,
        (blue - luma) / 1.772 * 224 / 255,
        (red - luma) / 1.402 * 224 / 255,
    )


if __name__ == "__main__":
    sys.exit(main())
