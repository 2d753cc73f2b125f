"""
The command ``framekit encode``, as a user calls it.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import framekit as fk
from framekit.cli import run
from framekit.decoding.report import DecodeReport

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"

PALETTE = fk.Palette({(0, 0, 0): "ground", (220, 20, 60): "person", (0, 0, 142): "car"})


def call(*arguments: Any) -> tuple[int, str, str]:
    """
    Run a command line: its exit code, standard output, standard error.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    code = run([str(argument) for argument in arguments], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def ids_of(n: int, void: int | None = None) -> NDArray[np.uint8]:
    """
    The n-th of some label maps.
    """
    ids = np.zeros((48, 64), np.uint8)
    ids[5 + n : 20 + n, 10 : 30 + n] = 1
    ids[25:40, 5 * n : 5 * n + 20] = 2
    if void is not None:
        ids[:4] = void
    return ids


def label_map(n: int, palette: fk.Palette = PALETTE, void: bool = False) -> fk.LabelMap:  # noqa: FBT001, FBT002
    """
    The same as label maps.
    """
    ids = ids_of(n, 255 if void else None)
    return fk.LabelMap(ids, palette, DecodeReport(exact=True))


def decoded(path: Path, palette: fk.Palette) -> list[NDArray[Any]]:
    """
    The ids of all frames of a mask video.
    """
    with fk.MaskVideo(path, palette) as video:
        return [np.array(item.label_map.ids) for item in video]


@pytest.fixture
def palette(tmp_path: Path) -> Path:
    """
    A palette file.
    """
    path = tmp_path / "palette.json"
    PALETTE.save(path)
    return path


class TestEncode:
    @pytest.mark.parametrize("kind", ["color", "index"])
    @pytest.mark.parametrize("values", ["color", "index", "id"])
    def test_masks(self, tmp_path: Path, palette: Path, kind: Any, values: str) -> None:
        """
        Masks become the frames of a video that decodes to the same label maps.
        """
        for n in range(4):
            label_map(n, void=True).save(tmp_path / f"{n}.png", values=kind)
        out = tmp_path / "new" / "mask.mp4"
        code, text, err = call(
            "encode",
            *(tmp_path / f"{n}.png" for n in (2, 0, 3)),
            *("--palette", palette, "-o", out, "--values", values, "--fps", "25"),
        )
        # Black, which void would be, is a color of this palette.
        if values == "color":
            assert code == 2
            assert "void" in err
            return
        reading = fk.Palette.indexed({0: "ground", 1: "person", 2: "car"})

        assert (code, err) == (0, "")
        assert text == (
            f"{out}: 3 frames of 64x48, 25 frames/s, {out.stat().st_size:,} bytes; "
            f"lossless, read back and compared\n"
        )
        for found, n in zip(decoded(out, reading), (2, 0, 3), strict=True):
            assert np.array_equal(found, ids_of(n, 255))

    def test_colors(self, tmp_path: Path, palette: Path) -> None:
        """
        Folders are taken in the order of names.
        """
        folder = tmp_path / "masks"
        folder.mkdir()
        for n in range(3):
            label_map(n).save(folder / f"{n}.png")
        out = tmp_path / "mask.mp4"
        code, text, _ = call(
            "encode", folder, "--palette", palette, "-o", out, "--format", "json"
        )

        assert code == 0
        assert json.loads(text) == {
            "ok": True,
            "file": str(out),
            "frames": 3,
            "size": [64, 48],
            "bytes": out.stat().st_size,
            "fps": "30",
        }
        for n, found in enumerate(decoded(out, PALETTE)):
            assert np.array_equal(found, ids_of(n))

    def test_own_colors(self, tmp_path: Path) -> None:
        """
        Palette images bring their colors along.
        """
        for n in range(2):
            label_map(n).save(tmp_path / f"{n}.png", values="index")
        out = tmp_path / "mask.mp4"
        code, _, err = call("encode", tmp_path / "*.png", "-o", out)

        assert (code, err) == (0, "")
        for n, found in enumerate(decoded(out, PALETTE)):
            assert np.array_equal(found, ids_of(n))

    def test_ids(self, tmp_path: Path, palette: Path) -> None:
        """
        Gray images may hold ids, of 8 or 16 bits.
        """
        label_map(1).save(tmp_path / "a.png", values="id")
        Image.fromarray(ids_of(2).astype(np.uint16)).save(tmp_path / "b.png")
        out = tmp_path / "mask.mp4"
        masks = (tmp_path / "a.png", tmp_path / "b.png")
        arguments = ("encode", *masks, "-o", out, "--palette", palette)

        code, _, err = call(*arguments)
        assert (code, err.count("\n")) == (2, 1)
        assert not out.exists()
        assert call(*arguments, "--ids")[0] == 0
        for n, found in enumerate(decoded(out, PALETTE), 1):
            assert np.array_equal(found, ids_of(n))


class TestDecodedFolder:
    def test_video_and_back(self, tmp_path: Path) -> None:
        """
        A mask video that was decoded is encoded again, with its times.
        """
        frame = fk.SingleFrame.from_json(
            (CROSSING / "frames.jsonl").read_bytes().splitlines()[0]
        )
        source = CROSSING / "media" / "front_seg.mp4"
        own = fk.Palette.from_frame(frame, "front", "seg")
        own.save(tmp_path / "p.json")
        call("decode", source, "--palette", tmp_path / "p.json", "-o", tmp_path / "d")
        out = tmp_path / "mask.mp4"
        code, text, err = call(
            "encode", tmp_path / "d", "--palette", tmp_path / "p.json", "-o", out
        )

        assert (code, err) == (0, "")
        assert "24 frames of 640x360, times of the index" in text
        with fk.MaskVideo(source, own) as one, fk.MaskVideo(out, own) as other:
            for before, after in zip(one, other, strict=True):
                assert abs(before.timestamp - after.timestamp) < 1
                assert np.array_equal(before.label_map.ids, after.label_map.ids)

    def test_many_masks(self, tmp_path: Path) -> None:
        """
        Of several masks one has to be chosen.
        """
        call("decode", CROSSING, "-o", tmp_path / "d")
        out = tmp_path / "mask.mp4"
        code, _, err = call("encode", tmp_path / "d", "-o", out)
        chosen = call(
            "encode", tmp_path / "d", "-o", out, "--source", "front", "--mask", "seg"
        )

        assert code == 2
        assert "front seg, front seg_instance, rear seg" in err
        assert chosen[0] == 0

    def test_large_ids(self, tmp_path: Path) -> None:
        """
        16-bit files of ids, as decode writes them for large ids, are read as such.
        """
        large = fk.Palette(
            [
                fk.PaletteEntry(id=0, color=(0, 0, 0), labels="ground"),
                fk.PaletteEntry(id=1000, color=(220, 20, 60), labels="person"),
            ]
        )
        large.save(tmp_path / "p.json")
        pixels = np.zeros((16, 16, 3), np.uint8)
        pixels[4:9, 4:9] = (220, 20, 60)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        arguments = ("--palette", tmp_path / "p.json", "-o")
        call("decode", tmp_path / "a.png", *arguments, tmp_path / "d")
        code, _, err = call("encode", tmp_path / "d", *arguments, tmp_path / "m.mp4")

        assert (code, err) == (0, "")
        (found,) = decoded(tmp_path / "m.mp4", large)
        assert (found == 1000).sum() == 25

    def test_failed_entry(self, tmp_path: Path) -> None:
        """
        A mask that could not be decoded would shift all after it: refused.
        """
        label_map(0).save(tmp_path / "0.png", values="index")
        lines = [{"file": "0.png"}, {"error": "gone"}]
        index = "\n".join(json.dumps(line) for line in lines)
        (tmp_path / "index.jsonl").write_text(index)
        code, _, err = call("encode", tmp_path, "-o", tmp_path / "mask.mp4")

        assert code == 2
        assert "index.jsonl:2: not decoded: gone" in err

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{", "index.jsonl:1"),
            ("[]", "expected an object"),
            ("{}", "the key 'file' is missing"),
            ('{"file": "../../etc/passwd"}', "leads out of"),
            ("", "is empty"),
        ],
    )
    def test_damaged_index(self, tmp_path: Path, line: str, message: str) -> None:
        """
        An index that is none is one line on standard error.
        """
        (tmp_path / "index.jsonl").write_text(line)
        code, _, err = call("encode", tmp_path, "-o", tmp_path / "mask.mp4")

        assert (code, err.count("\n")) == (2, 1)
        assert message in err


class TestRefused:
    def test_unknown_color(self, tmp_path: Path, palette: Path) -> None:
        """
        A color without a label is an error, and no video is written.
        """
        pixels = np.zeros((16, 16, 3), np.uint8)
        pixels[3, 4] = (1, 2, 3)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        out = tmp_path / "mask.mp4"
        code, _, err = call(
            "encode", tmp_path / "a.png", "--palette", palette, "-o", out
        )

        assert code == 2
        assert "no label for (1, 2, 3)" in err
        assert not out.exists()

    def test_lossy(self, tmp_path: Path, palette: Path) -> None:
        """
        Labels from a JPEG file are guesses, which no lossless video is made of.
        """
        Image.new("RGB", (16, 16)).save(tmp_path / "a.jpg")
        code, _, err = call(
            "encode", tmp_path / "a.jpg", "--palette", palette, "-o", tmp_path / "m.mp4"
        )

        assert code == 2
        assert "labels are guesses" in err

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            (["-o", "x.avi", "--palette", "P"], "expected a name that ends in"),
            (["-o", "x.mp4"], "--palette: needed for"),
            (["-o", "x.mp4", "--palette", "P", "--source", "a"], "--source: goes with"),
            (["-o", "x.mp4", "--palette", "P", "--fps", "0"], "fps: expected"),
            (["-o", "x.mp4", "--palette", "P", "--fps", "fast"], "invalid Fraction"),
        ],
    )
    def test_arguments(
        self, tmp_path: Path, palette: Path, more: list[str], message: str
    ) -> None:
        """
        Arguments that make no sense are refused.
        """
        label_map(0).save(tmp_path / "a.png")
        arguments = [str(palette) if each == "P" else each for each in more]
        arguments[1] = str(tmp_path / arguments[1])
        code, out, err = call("encode", tmp_path / "a.png", *arguments)

        assert (code, out) == (2, "")
        assert message in err

    def test_other_size(self, tmp_path: Path, palette: Path) -> None:
        """
        All frames of a video are of one size.
        """
        label_map(0).save(tmp_path / "a.png")
        Image.new("RGB", (16, 16)).save(tmp_path / "b.png")
        code, _, err = call(
            "encode", tmp_path, "--palette", palette, "-o", tmp_path / "m.mp4"
        )

        assert code == 2
        assert "number 1 is (16, 16)" in err
        assert not (tmp_path / "m.mp4").exists()
