"""
``framekit compare``, as a user calls it.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import framekit as fk
from framekit.cli import run

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"


def call(*arguments: Any) -> tuple[int, str, str]:
    """
    Run ``framekit compare``: its exit code, standard output, standard error.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    code = run(["compare", *map(str, arguments)], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """
    A second annotation of the sample: one person too many in a rear mask.
    """
    copied = tmp_path / "crossing"
    shutil.copytree(CROSSING, copied, ignore=shutil.ignore_patterns("truth", "lossy"))
    path = copied / "media" / "rear_000_seg.png"
    pixels = np.array(Image.open(path))
    pixels[100:110, 50:56] = (147, 44, 209)
    Image.fromarray(pixels).save(path)
    return copied


class TestTargets:
    def test_equal(self) -> None:
        """
        An annotation agrees with itself.
        """
        code, out, err = call(CROSSING, CROSSING, "--source", "rear")

        assert (code, err) == (0, "")
        assert out.splitlines()[-1] == "0 differences in 8 masks"

    def test_extra_object(self, other: Path) -> None:
        """
        An object too many is named with its place and what to do.
        """
        code, out, _ = call(
            CROSSING,
            other,
            "--source",
            "rear",
            "--things",
            "car,person",
            "--format",
            "json",
        )
        found = json.loads(out)
        (difference,) = found["differences"]

        assert code == 1
        assert (difference["kind"], difference["label"], difference["action"]) == (
            "extra_annotation",
            "person",
            "reject",
        )
        assert difference["at"] == "crossing_1_000 rear seg"
        assert difference["box_xywh"] == [50, 100, 6, 10]
        assert found["total"]["second"] == found["total"]["first"] + 1

    def test_bound(self, other: Path) -> None:
        """
        Agreement above the bound is fine.
        """
        arguments = (CROSSING, other, "--source", "rear", "--things", "car,person")

        assert call(*arguments, "--bound", 0.9)[0] == 0
        assert call(*arguments, "--bound", 0.999)[0] == 1

    def test_frames_of_one(self, other: Path) -> None:
        """
        A frame that only one of the two has is told, and counts as failed.
        """
        frames = other / "frames.jsonl"
        frames.write_bytes(b"\n".join(frames.read_bytes().splitlines()[1:]))
        code, out, err = call(CROSSING, other, "--source", "rear")

        assert code == 1
        assert "no frame 'crossing_1_000'" in err
        assert out.splitlines()[-1] == "0 differences in 7 masks"


class TestMasks:
    def test_two_images(self, other: Path, tmp_path: Path) -> None:
        """
        Two mask images are compared with a palette.
        """
        frame = next(fk.open_target(CROSSING).frames())
        assert isinstance(frame, fk.SingleFrame)
        fk.Palette.from_frame(frame, "rear", "seg").save(tmp_path / "p.json")
        masks = [folder / "media" / "rear_000_seg.png" for folder in (CROSSING, other)]

        code, _, err = call(*masks)
        assert (code, "--palette" in err) == (2, True)
        code, out, _ = call(
            *masks, "--palette", tmp_path / "p.json", "--things", "person"
        )
        assert code == 1
        assert out.splitlines()[-1] == "1 differences in 1 masks"

    def test_mixed(self) -> None:
        """
        Frames cannot be compared with a mask.
        """
        code, _, err = call(CROSSING, CROSSING / "media" / "rear_000_seg.png")

        assert code == 2
        assert "both" in err
