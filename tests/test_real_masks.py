"""
Other people's masks that have a second form: both decode to the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from framekit.decoding.image.decode import decode_image
from framekit.decoding.label_map import LabelMap
from framekit.decoding.report import DecodeReport
from framekit.palette import Palette

DATA = Path(__file__).parents[2] / "shared" / "data"
EXACT = DecodeReport(exact=True, lossless=True)

pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="the shared data is absent"),
    pytest.mark.usefixtures("kernel"),
]


def values_of(label_map: LabelMap) -> NDArray[np.int64]:
    """
    The pixel values of a mask that an indexed palette has decoded, void as -1.
    """
    table = np.array([entry.index for entry in label_map.palette] + [-1])
    ids = label_map.ids.astype(np.int64)
    return np.asarray(table[np.where(ids == label_map.void, -1, ids)])


class TestCityscapes:
    @pytest.mark.parametrize("name", ["aachen_000000_000019", "aachen_000001_000019"])
    def test_label_ids(self, name: str) -> None:
        """
        Ids of 8 bits are those of 16 bits, less the instance; each has one color.
        """
        rows = json.loads((DATA / "cityscapes/labels.json").read_text())
        labels = {row["id"]: row["name"] for row in rows if row["id"] >= 0}
        stem = f"cityscapes/{name}_gtFine"
        every = Palette.indexed({value: f"{value}" for value in range(65536)})

        narrow = decode_image(DATA / f"{stem}_labelIds.png", Palette.indexed(labels))
        wide = decode_image(DATA / f"{stem}_instanceIds.png", every)

        values = values_of(wide)
        classes = np.where(values >= 1000, values // 1000, values)
        assert np.array_equal(values_of(narrow), classes)
        assert narrow.report == wide.report == EXACT


class TestCocoExamples:
    @pytest.mark.parametrize("name", ["000000142238.png", "000000439180.png"])
    def test_two_channels(self, name: str) -> None:
        """
        Numbers of 24 bits, and class and instance in two channels, say the same.
        """
        folder = DATA / "coco_panoptic"
        document = json.loads((folder / "panoptic_examples.json").read_text())
        (annotation,) = (a for a in document["annotations"] if a["file_name"] == name)
        segments = annotation["segments_info"]
        palette = Palette.indexed({s["id"]: f"{s['id']}" for s in segments})
        pairs = {c + 256 * n: f"{c} {n}" for c in range(1, 256) for n in range(256)}

        found = decode_image(folder / "panoptic_examples" / name, palette)
        other = decode_image(
            folder / "panoptic_examples_2ch_format" / name, Palette.indexed(pairs)
        )

        # Black is no segment, in either form.
        assert np.array_equal(found.ids == found.void, other.ids == other.void)
        assert found.report.unknown_pixels == other.report.unknown_pixels
        numbers, classes = values_of(found), values_of(other)
        for segment in segments:
            inside = numbers == segment["id"]
            (pair,) = np.unique(classes[inside])
            assert pair % 256 == segment["category_id"]
            assert inside.sum() == segment["area"]
            assert np.array_equal(classes == pair, inside)


class TestCvat:
    @pytest.mark.parametrize("number", range(6))
    def test_objects(self, number: int) -> None:
        """
        Each object lies in one class, and what is no object is background.
        """
        name = f"0000000{number}_512resized.png"
        palette = Palette.load(DATA / "cvat/labelmap.txt")
        every: Any = {}
        classes = decode_image(DATA / "cvat/SegmentationClass" / name, palette)
        first = decode_image(DATA / "cvat/SegmentationObject" / name, Palette(every))
        every = {color: f"{color}" for color, _, _ in first.report.unknown_colors}

        objects = decode_image(DATA / "cvat/SegmentationObject" / name, Palette(every))

        assert classes.report == objects.report == EXACT
        for label in objects.labels:
            (inside,) = np.unique(classes.ids[objects.mask(label)])
            background = palette[int(inside)].labels == ("background",)
            assert background == (label == "(0, 0, 0)")
