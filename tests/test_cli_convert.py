from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from framekit.cli import convert
from framekit.dataset.dataset import Dataset
from framekit.decoding.image.pictures import save_picture
from framekit.errors import ArgumentError
from framekit.formats import read, write
from framekit.palette import Palette
from tests.formats_cases import CROSSING, collection, item, seen, with_picture

RED, BLUE = (200, 0, 0), (0, 0, 200)


class Ran(NamedTuple):
    """
    What came of a command.
    """

    code: int
    out: str
    err: str


def run(*arguments: str | Path) -> Ran:
    """
    Carry the command out.
    """
    parser = argparse.ArgumentParser()
    convert.add_arguments(parser)
    out, err = io.StringIO(), io.StringIO()
    parsed = parser.parse_args([str(one) for one in arguments])
    return Ran(convert.execute(parsed, out, err), out.getvalue(), err.getvalue())


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def photos() -> None:
    """
    Two images with masks, an image without, a mask without, and a palette.
    """
    for folder in ("images", "masks"):
        Path(folder).mkdir()
    masks = np.zeros((4, 6, 3), np.uint8)
    masks[:, :3], masks[:, 3:] = RED, BLUE
    for name in ("a", "b", "c"):
        save_picture(np.full((4, 6, 3), 50, np.uint8), f"images/{name}.png")
    for name in ("a", "b", "z"):
        save_picture(masks, f"masks/{name}_L.png")
    Palette({RED: "car", BLUE: "sky"}).save("palette.json")


class TestFolder:
    @pytest.mark.usefixtures("photos")
    def test_to_dataset(self) -> None:
        """
        The commonest case: images and masks by a pattern become a dataset version.
        """
        ran = run(
            "images",
            "--masks",
            "masks/{stem}_L.png",
            "--palette",
            "palette.json",
            "--to",
            "dataset",
            "cars",
        )

        assert ran.code == 0
        assert ran.out == (
            "2 written to cars, 0 failed (image-without-mask: 1, "
            "mask-without-image: 1)\n"
        )
        lines = ran.err.splitlines()
        assert len(lines) == 2
        assert lines[0].startswith("framekit: warning: c: the image has no mask")
        assert "z_L.png: the mask has no image" in lines[1]
        version = Dataset.open("cars").get_version()
        assert version.get_stats().label_frames == {"car": 2, "sky": 2}

    @pytest.mark.usefixtures("photos")
    def test_failures_are_listed(self) -> None:
        """
        A mask that cannot be read is listed, the rest goes on, exit 1.
        """
        whole = Path("masks/a_L.png").read_bytes()
        Path("masks/a_L.png").write_bytes(whole[:60])

        ran = run(
            *("images", "--masks", "masks/{stem}_L.png", "--palette", "palette.json"),
            *("--to", "frames", "out"),
        )

        assert (ran.code, ran.out[:28]) == (1, "1 written to out, 1 failed (")
        assert "framekit: error: a: " in ran.err
        assert "[not-converted]" in ran.err

    @pytest.mark.usefixtures("photos")
    def test_stray_colors(self) -> None:
        """
        Pixels whose color the palette lacks make the exit code 1.
        """
        Palette({RED: "car"}).save("palette.json")

        ran = run("masks", "--palette", "palette.json", "--to", "frames", "out")

        assert ran.code == 1
        assert ran.err.count("[unknown-color]") == 3


class TestFormats:
    def test_detection_is_told(self, tmp_path: Path) -> None:
        """
        The command says what it takes the source for, and how sure it is.
        """
        drawn = collection(with_picture(item("x"), tmp_path))
        write(drawn, "in", "cvat")

        ran = run("in", "--to", "coco-panoptic", "out", "-j", "1")

        assert ran.code == 0
        assert ran.out.splitlines()[0].startswith("in: cvat (97% sure")
        assert seen(read("out")) == seen(drawn)

    def test_named(self) -> None:
        """
        With --from nothing is guessed, and nothing said.
        """
        write(collection(item("x")), "in", "voc")

        ran = run("in", "--from", "voc", "--to", "camvid", "out")

        assert ran == Ran(
            0,
            "1 written to out, 0 failed (objects-not-written: 1)\n",
            "framekit: info: x: 3 objects are no longer told apart "
            "[objects-not-written]\n",
        )

    def test_polygons(self) -> None:
        """
        Options of the format that is written are passed on.
        """
        write(collection(item("x")), "in", "voc")

        run("in", "--to", "coco-instances", "out", "--form", "polygons")

        document = json.loads(Path("out/instances.json").read_bytes())
        kinds = {type(one["segmentation"]) for one in document["annotations"]}
        assert kinds == {list}

    def test_frames_become_a_version_as_they_are(self) -> None:
        """
        A frames folder becomes a dataset version: frames unchanged, videos copied.
        """
        ran = run(CROSSING, "--to", "dataset", "out", "--version", "v1")

        assert (ran.code, ran.err) == (0, "")
        version = Dataset.open("out").get_version("v1")
        first = json.loads((CROSSING / "frames.jsonl").read_bytes().splitlines()[0])
        assert version.get_single_frame(first["id"]).to_dict() == first
        video = Path("out/media/front_seg.mp4").read_bytes()
        assert video == (CROSSING / "media/front_seg.mp4").read_bytes()

    @pytest.mark.slow
    def test_dataset_version_to_coco(self) -> None:
        """
        A version of a dataset is exported by its name.
        """
        run(CROSSING, "--to", "dataset", "in", "--version", "v1")

        ran = run("in", "--version", "v1", "--source", "rear", "--to", "voc", "out")

        assert (ran.code, ran.out.splitlines()[-1][:22]) == (
            0,
            "8 written to out, 0 fa",
        )


class TestRefusals:
    def test_unknown_target_format(self) -> None:
        """
        An unknown format is refused before anything is read.
        """
        with pytest.raises(ArgumentError, match="--to"):
            run("nowhere", "--to", "coco", "out")

    def test_unclear_source(self) -> None:
        """
        A source that nobody knows has to be named.
        """
        Path("in").mkdir()

        with pytest.raises(ArgumentError, match="--from"):
            run("in", "--to", "voc", "out")

    def test_not_empty(self) -> None:
        """
        A folder with something in it is not written to.
        """
        write(collection(item("x")), "in", "voc")

        with pytest.raises(ArgumentError, match="not empty"):
            run("in", "--to", "cvat", "in")

    def test_option_of_another_format(self) -> None:
        """
        An option that the source's format does not have is refused.
        """
        write(collection(item("x")), "in", "coco-panoptic")

        with pytest.raises(ArgumentError, match="unknown"):
            run("in", "--unknown", "error", "--to", "voc", "out")

    def test_jobs(self) -> None:
        """
        Less than one thread is refused.
        """
        with pytest.raises(ArgumentError, match="--jobs"):
            run("in", "--to", "voc", "out", "-j", "0")
