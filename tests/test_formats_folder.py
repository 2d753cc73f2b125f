from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from framekit.decoding.image.pictures import save_picture
from framekit.errors import ArgumentError, MissingFileError
from framekit.formats import Item, read, write
from framekit.formats.mask_files import read_values, write_png
from framekit.palette import Palette
from tests.formats_cases import codes, collection, item, names_of

RED, BLUE = (200, 0, 0), (0, 0, 200)
PALETTE = Palette({RED: "car", BLUE: "sky"})


def picture(path: Path, size: tuple[int, int] = (4, 3)) -> None:
    """
    An image of *size*, width and height.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    save_picture(np.full((size[1], size[0], 3), 77, np.uint8), path)


def mask(path: Path, *colors: tuple[int, int, int]) -> None:
    """
    A mask of 4 x 3 pixels in vertical stripes of *colors*.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stripes = np.array([colors[n * len(colors) // 4] for n in range(4)], np.uint8)
    save_picture(np.ascontiguousarray(stripes[None].repeat(3, 0)), path)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class TestPatterns:
    @pytest.mark.parametrize(
        ("image", "pattern", "at"),
        [
            ("images/a.png", "masks/{stem}_L.png", "masks/a_L.png"),
            ("images/in/a.png", "masks/{stem}.png", "masks/in/a.png"),
            ("images/a.png", "masks/{name}", "masks/a.png"),
            ("images/a.png", "masks/{name}.mask.png", "masks/a.png.mask.png"),
            ("images/in/a.png", "m/{parent}/labels/{name}", "m/in/labels/a.png"),
            ("images/a.png", "images/{stem}_mask.png", "images/a_mask.png"),
            ("images/a.b.png", "./masks/{stem}.png", "masks/a.b.png"),
        ],
    )
    def test_match(self, image: str, pattern: str, at: str) -> None:
        """
        The pattern leads from each image to its mask, also in the same folder.
        """
        picture(Path(image))
        mask(Path(at), RED, BLUE)

        source = read("images", masks=pattern, palette=PALETTE, format="folder")
        (one,) = source

        assert isinstance(one, Item)
        assert source.problems == ()
        assert names_of(one, PALETTE) == [["car", "car", "sky", "sky"]] * 3

    def test_unmatched_are_listed(self) -> None:
        """
        Images without a mask and masks without an image are each named.
        """
        picture(Path("images/a.png"))
        picture(Path("images/b.png"))
        mask(Path("masks/a_L.png"), RED)
        mask(Path("masks/c_L.png"), RED)

        source = read(
            "images", masks="masks/{stem}_L.png", palette=PALETTE, format="folder"
        )

        assert source.count == 1
        assert [(p.code, Path(p.document).name) for p in source.problems] == [
            ("image-without-mask", "b"),
            ("mask-without-image", "c_L.png"),
        ]

    @pytest.mark.parametrize(
        "pattern", ["masks/a.png", "masks/{foo}.png", "m/{stem", "m/{stem}/{}"]
    )
    def test_bad_pattern(self, pattern: str) -> None:
        """
        A pattern that names no image, or unknown fields, is refused.
        """
        picture(Path("images/a.png"))

        with pytest.raises(ArgumentError, match="stem"):
            read("images", masks=pattern, palette=PALETTE, format="folder")

    def test_conventional_folders(self) -> None:
        """
        Folders images and masks in one folder with a palette need no pattern.
        """
        picture(Path("set/images/a.png"))
        mask(Path("set/masks/a.png"), RED)
        mask(Path("set/masks/b.png"), RED)
        PALETTE.save("set/palette.json")

        source = read("set")

        assert (source.format, source.count) == ("folder", 1)
        assert codes(source.problems) == ["mask-without-image"]

    def test_masks_alone(self) -> None:
        """
        A folder of masks without images can be read, too.
        """
        mask(Path("m/a.png"), RED)

        (one,) = read("m", "folder", palette=PALETTE)

        assert isinstance(one, Item)
        assert one.picture is not None
        assert not one.picture.exists


class TestPixels:
    def test_stray_colors(self) -> None:
        """
        Colors that the palette lacks are void, counted, and an error.
        """
        mask(Path("m/a.png"), RED, (1, 2, 3))

        (one,) = read("m", "folder", palette=PALETTE)

        assert isinstance(one, Item)
        assert [(p.code, p.count) for p in one.problems] == [("unknown-color", 6)]
        assert "[1, 2, 3]" in one.problems[0].message
        assert names_of(one, PALETTE)[0] == ["car", "car", "", ""]

    def test_stray_colors_refused(self) -> None:
        """
        With unknown="error" such a mask is a problem in place of an item.
        """
        mask(Path("m/a.png"), RED, (1, 2, 3))

        (one,) = read("m", "folder", palette=PALETTE, unknown="error")

        assert codes([one]) == ["not-converted"]

    def test_size(self) -> None:
        """
        A mask of another size than its image is an error.
        """
        picture(Path("images/a.png"), (8, 6))
        mask(Path("masks/a.png"), RED)

        (one,) = read("images", "folder", masks="masks/{stem}.png", palette=PALETTE)

        assert isinstance(one, Item)
        assert codes(one.problems) == ["mask-size-mismatch"]

    def test_label_ids(self) -> None:
        """
        Masks of label ids are read with the ids of a palette of colors.
        """
        write_png(Path("m/a.png"), np.array([[0, 1, 1]], np.uint8))

        (one,) = read("m", "folder", palette=PALETTE, index=True)

        assert isinstance(one, Item)
        assert names_of(one, PALETTE) == [["car", "sky", "sky"]]

    def test_wide_label_ids(self) -> None:
        """
        16-bit label ids are read as they are.
        """
        wide = np.array([[300, 70]], np.uint16)
        write_png(Path("m/a.png"), wide, depth=16)
        palette = Palette.indexed({300: "car", 70: "sky"})

        (one,) = read("m", "folder", palette=palette)

        assert isinstance(one, Item)
        assert names_of(one, palette) == [["car", "sky"]]


class TestWriting:
    def test_index(self, tmp_path: Path) -> None:
        """
        Masks can hold the pixel values of the palette.
        """
        drawn = collection(item("x"))

        write(drawn, tmp_path / "out", "folder", values="index")

        palette = Palette.load(tmp_path / "out/palette.json")
        assert palette.is_indexed
        values = read_values(tmp_path / "out/masks/x.png")
        assert sorted(set(values.ravel().tolist())) == [0, 1, 2, 3, 255]

    def test_lost_objects_are_told(self, tmp_path: Path) -> None:
        """
        That objects are no longer told apart is said, with their number.
        """
        done = write(collection(item("x")), tmp_path / "out", "folder")

        assert [(p.code, p.count) for p in done.problems] == [
            ("objects-not-written", 3)
        ]

    def test_not_empty(self, tmp_path: Path) -> None:
        """
        Nothing is written into a folder that has something in it.
        """
        (tmp_path / "out").mkdir()
        (tmp_path / "out/mine.txt").write_text("mine")

        with pytest.raises(ArgumentError, match="not empty"):
            write(collection(item("x")), tmp_path / "out", "folder")


def test_no_palette() -> None:
    """
    Without a palette the masks mean nothing, and that is said.
    """
    mask(Path("m/a.png"), RED)

    with pytest.raises(ArgumentError, match="--palette"):
        read("m", "folder")


def test_no_folder() -> None:
    """
    A folder that is not there is an error.
    """
    with pytest.raises(MissingFileError):
        read("nowhere", "folder", palette=PALETTE)
