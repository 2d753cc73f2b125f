"""
The color lint: what it finds, what it guesses, what it fixes.
"""

from __future__ import annotations

import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import framekit as fk
from framekit.errors import (
    ArgumentError,
    MissingFileError,
    PaletteError,
    StorageError,
    UnreadableMaskError,
)
from framekit.validation import (
    Destination,
    LintResult,
    LintSummary,
    StrayColor,
    Verdict,
    fix_mask,
    lint_mask,
    lint_masks,
)
from framekit.validation.lint_result import CAUSES, Change

BLACK, RED, GRAY, BLUE = (0, 0, 0), (220, 20, 60), (100, 100, 100), (0, 0, 142)
WHITE = (230, 230, 230)

#: (100, 100, 100) lies on the way from black to white.
PALETTE = fk.Palette(
    {BLACK: "ground", RED: "person", GRAY: "wall", BLUE: "car", WHITE: "sky"}
)


def scene(
    colors: list[tuple[int, int, int]],
    size: tuple[int, int] = (160, 120),
    scale: int = 1,
) -> Image.Image:
    """
    Shapes of the colors but the first on that; anti-aliased if *scale* is above 1.
    """
    width, height = size
    image = Image.new("RGB", (width * scale, height * scale), colors[0])
    draw = ImageDraw.Draw(image)
    for n, color in enumerate(colors[1:]):
        x, y, r = 30 + 37 * n, 35 + 17 * n, 21 + n
        box = [scale * (x - r), scale * (y - r), scale * (x + r), scale * (y + r)]
        if n % 2:
            corners = [(x, y - r), (x + r, y + r - 5), (x - r + 3, y + r // 2)]
            draw.polygon([(scale * a, scale * b) for a, b in corners], fill=color)
        else:
            draw.ellipse(box, fill=color)
    return image.resize(size, Image.Resampling.BOX)


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    """
    What is left of it after JPEG.
    """
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def shifted(image: Image.Image, by: int) -> Image.Image:
    """
    Every channel a little higher, as far as there is room.
    """
    return Image.fromarray(
        np.minimum(np.array(image).astype(int) + by, 255).astype("u1")
    )


def saved(image: Image.Image | NDArray[Any], path: Path) -> Path:
    """
    Write an image.
    """
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(path)
    return path


def read(path: Any) -> NDArray[Any]:
    """
    The pixels of an image.
    """
    with Image.open(path) as image:
        return np.array(image)


CRISP = scene([BLACK, RED, WHITE, BLUE])


class TestLintMask:
    def test_clean(self, tmp_path: Path) -> None:
        """
        A mask of known colors has nothing to tell.
        """
        path = saved(CRISP, tmp_path / "a.png")

        assert lint_mask(path, PALETTE) == LintResult(path=str(path), size=(160, 120))

    def test_stray_colors(self, tmp_path: Path) -> None:
        """
        Stray colors come with count, box, nearest color, label and distance.
        """
        pixels = np.zeros((40, 50, 3), np.uint8)
        pixels[10:12, 20:25] = (0, 0, 140)
        pixels[30, 7] = (3, 0, 0)
        path = saved(pixels, tmp_path / "a.png")

        found = lint_mask(path, PALETTE)

        assert found.stray_pixels == 11
        assert found.stray_colors == 2
        assert found.colors == (
            StrayColor((0, 0, 140), 10, (20, 10, 25, 12), BLUE, "car", 2.0),
            StrayColor((3, 0, 0), 1, (7, 30, 8, 31), BLACK, "ground", 3.0),
        )
        assert found.histogram == (0, 10, 1, 0, 0, 0, 0, 0)
        assert not found.ok

    def test_void_color(self, tmp_path: Path) -> None:
        """
        Colors known to be void are not stray, and can be the nearest.
        """
        palette = fk.Palette({BLACK: "ground", (255, 255, 255): None})
        pixels = np.full((9, 9, 3), 255, np.uint8)
        pixels[4, 4] = 254
        path = saved(pixels, tmp_path / "a.png")

        (color,) = lint_mask(path, palette).colors

        assert (color.count, color.nearest, color.label) == (1, (255,) * 3, "void")

    def test_values(self, tmp_path: Path) -> None:
        """
        Single-channel masks are compared by value.
        """
        palette = fk.Palette.indexed({0: "ground", 700: "car"})
        pixels = np.zeros((20, 20), np.uint16)
        pixels[5:9, 5:9] = 702
        path = saved(pixels, tmp_path / "a.png")

        (color,) = lint_mask(path, palette).colors

        assert color == StrayColor(
            (702 & 255, 702 >> 8, 0), 16, (5, 5, 9, 9), (188, 2, 0), "car", 2.0
        )

    def test_transparent(self, tmp_path: Path) -> None:
        """
        Transparent pixels are stray unless they are void.
        """
        pixels = np.zeros((20, 20, 4), np.uint8)
        pixels[..., 3] = 255
        pixels[3:8, 3:8] = (9, 200, 9, 0)
        path = saved(pixels, tmp_path / "a.png")

        assert lint_mask(path, PALETTE).stray_pixels == 25
        assert lint_mask(path, PALETTE, alpha="void").ok

    def test_more_colors_than_listed(self, tmp_path: Path) -> None:
        """
        The counts are complete, the list is not.
        """
        pixels = np.zeros((40, 256, 3), np.uint8)
        pixels[0, :, 1] = np.arange(256)
        path = saved(pixels, tmp_path / "a.png")

        found = lint_mask(path, PALETTE)

        assert (found.stray_pixels, found.stray_colors) == (255, 255)
        assert len(found.colors) == 16
        assert sum(found.histogram) == 255

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("alpha", "opacity"),
            ("palette_png", "both"),
            ("within", -1),
            ("within", "x"),
        ],
    )
    def test_options(self, tmp_path: Path, option: str, value: Any) -> None:
        """
        Words that are not known are refused before anything is opened.
        """
        options: dict[str, Any] = {option: value}

        with pytest.raises(ArgumentError) as error:
            lint_mask(tmp_path / "none.png", PALETTE, **options)

        assert error.value.argument == option

    def test_no_palette(self, tmp_path: Path) -> None:
        """
        Something else than a palette is refused; an empty one cannot be compared with.
        """
        path = saved(CRISP, tmp_path / "a.png")
        other: Any = {BLACK: "ground"}

        with pytest.raises(ArgumentError, match="expected a Palette"):
            lint_mask(path, other)
        with pytest.raises(PaletteError, match="has no color or value"):
            lint_mask(path, fk.Palette())


def gray_of_ids() -> Image.Image:
    """
    Ids as gray values.
    """
    ids = np.zeros((90, 90), np.uint8)
    ids[10:40, 10:60] = 1
    ids[50:80, 20:70] = 3
    return Image.fromarray(ids)


def of_indices() -> Image.Image:
    """
    The same ids as indices of colors that mean nothing.
    """
    image = Image.fromarray(np.array(gray_of_ids()), "P")
    image.putpalette([7, 7, 7, 9, 99, 9, 50, 60, 70, 80, 90, 10])
    return image


class TestVerdict:
    @pytest.mark.parametrize(
        ("cause", "image"),
        [
            ("anti-aliased", scene([BLACK, RED, WHITE, BLUE], scale=4)),
            ("resampled", CRISP.resize((320, 240), Image.Resampling.BILINEAR)),
            ("resampled", CRISP.resize((240, 180), Image.Resampling.BILINEAR)),
            ("resampled", CRISP.resize((480, 360), Image.Resampling.BICUBIC)),
            ("resampled", CRISP.resize((320, 240), Image.Resampling.LANCZOS)),
            ("shifted-colors", shifted(CRISP, 1)),
            ("shifted-colors", shifted(CRISP, 4)),
            ("lossy-compression", as_jpeg(CRISP, 95)),
            ("lossy-compression", as_jpeg(CRISP, 60)),
            ("missing-entry", scene([BLACK, RED, (9, 160, 40), BLUE])),
            ("missing-entry", scene([(9, 160, 40), RED, WHITE, BLUE])),
            (
                "wrong-palette",
                scene([(9, 99, 9), (80, 9, 80), (160, 90, 7), (7, 70, 70)]),
            ),
            ("channels-swapped", scene([BLACK, RED[::-1], WHITE, BLUE[::-1]])),
            ("palette-indices", of_indices()),
            ("gray-ids", gray_of_ids()),
            ("gray-as-rgb", gray_of_ids().convert("RGB")),
        ],
    )
    def test_cause(self, tmp_path: Path, cause: str, image: Image.Image) -> None:
        """
        The cause is guessed from what stray pixels look like.
        """
        palette = PALETTE
        if cause == "gray-as-rgb":
            palette = fk.Palette.indexed({0: "ground", 1: "person", 3: "car"})
        found = lint_mask(saved(image, tmp_path / "a.png"), palette)

        assert found.verdict is not None
        assert found.verdict.cause == cause, found.verdict
        assert cause in CAUSES

    def test_lossy_file(self, tmp_path: Path) -> None:
        """
        A JPEG file needs no guessing.
        """
        path = tmp_path / "a.jpg"
        CRISP.save(path, quality=95)

        assert lint_mask(path, PALETTE).verdict == Verdict(
            "lossy-file", "JPEG changes the colors of nearly every edge"
        )

    def test_picture(self, tmp_path: Path) -> None:
        """
        Very many colors everywhere are no mask.
        """
        noise = np.random.default_rng(7).integers(0, 256, (120, 160, 3), np.uint8)
        found = lint_mask(saved(noise, tmp_path / "a.png"), PALETTE)

        assert found.verdict is not None
        assert found.verdict.cause == "picture"

    def test_missing_colors_are_named(self, tmp_path: Path) -> None:
        """
        The evidence for a missing entry is its color.
        """
        path = saved(scene([BLACK, RED, (9, 160, 40), BLUE]), tmp_path / "a.png")
        found = lint_mask(path, PALETTE).verdict

        assert found is not None
        assert "#09a028" in str(found)
        assert str(found).startswith("probably missing-entry: ")

    def test_palette_colors(self, tmp_path: Path) -> None:
        """
        A palette image that was to be read by its colors is noticed, too.
        """
        palette = fk.Palette(
            [
                fk.PaletteEntry(color=BLACK, index=10, labels="ground"),
                fk.PaletteEntry(color=RED, index=20, labels="person"),
            ]
        )
        image = Image.fromarray(
            (np.arange(400).reshape(20, 20) // 200).astype("u1"), "P"
        )
        image.putpalette([*BLACK, *RED])

        found = lint_mask(saved(image, tmp_path / "a.png"), palette)

        assert found.verdict is not None
        assert found.verdict.cause == "palette-colors"


class TestFixMask:
    def fixed(self, image: Any, tmp_path: Path, **options: Any) -> LintResult:
        """
        The result of fixing *image*, which is written beside it.
        """
        path = saved(image, tmp_path / "a.png")
        return fix_mask(path, PALETTE, tmp_path / "fixed.png", **options)

    def test_no_third_class(self, tmp_path: Path) -> None:
        """
        A mixture becomes one of its two, even where a third color is the nearest.
        """
        image = scene([BLACK, WHITE], scale=4)
        found = self.fixed(image, tmp_path)
        pixels = read(tmp_path / "fixed.png")

        assert found.fix is not None
        assert found.fix.left == 0
        assert {tuple(c) for c in pixels.reshape(-1, 3).tolist()} == {BLACK, WHITE}
        before = np.array(image)[..., :1]
        nearer = np.where(before > 115, WHITE, BLACK)
        assert (pixels == nearer)[before[..., 0] != 115].all()

    def test_matching_pixels_stay(self, tmp_path: Path) -> None:
        """
        Only stray pixels change, and the numbers add up.
        """
        image = CRISP.resize((320, 240), Image.Resampling.BILINEAR)
        found = self.fixed(image, tmp_path)
        before, after = np.array(image), read(tmp_path / "fixed.png")
        changed = (before != after).any(axis=2)
        known = np.isin(
            before.astype(int) @ [65536, 256, 1],
            [r << 16 | g << 8 | b for r, g, b in PALETTE.ids_by_color],
        )

        assert found.fix is not None
        assert not changed[known].any()
        assert changed.sum() == found.fix.changed
        assert (
            found.fix.changed + found.fix.left == found.stray_pixels == (~known).sum()
        )
        assert found.fix.left < 0.02 * found.stray_pixels
        assert lint_mask(tmp_path / "fixed.png", PALETTE).stray_pixels == found.fix.left

    def test_shifted(self, tmp_path: Path) -> None:
        """
        Colors a little off become those of the palette, everywhere.
        """
        found = self.fixed(shifted(CRISP, 3), tmp_path)

        assert found.ok
        assert np.array_equal(read(tmp_path / "fixed.png"), np.array(CRISP))
        assert found.fix is not None
        assert found.fix.changes[0].to == BLACK

    def test_within(self, tmp_path: Path) -> None:
        """
        How far off they may be is up to the user.
        """
        found = self.fixed(shifted(CRISP, 3), tmp_path, within=5)

        assert found.fix is not None
        assert (found.fix.changed, found.fix.path) == (0, None)
        assert not (tmp_path / "fixed.png").exists()

    def test_compressed(self, tmp_path: Path) -> None:
        """
        What JPEG has done is undone but for few pixels, of which hardly any gets wrong.
        """
        found = self.fixed(as_jpeg(CRISP, 90), tmp_path)
        before, after = np.array(as_jpeg(CRISP, 90)), read(tmp_path / "fixed.png")
        wrong = (after != np.array(CRISP)).any(axis=2)

        assert found.fix is not None
        assert found.fix.left < 0.05 * found.stray_pixels
        changed = (after != before).any(axis=2)
        assert (wrong & changed).sum() < 0.005 * found.stray_pixels

    def test_missing_entry(self, tmp_path: Path) -> None:
        """
        Areas far from every color are left, and nothing is written.
        """
        found = self.fixed(scene([BLACK, RED, (9, 160, 40), BLUE]), tmp_path)

        assert found.fix is not None
        assert (found.fix.changed, found.fix.left) == (0, found.stray_pixels)
        assert not found.ok
        assert not (tmp_path / "fixed.png").exists()

    def test_misread(self, tmp_path: Path) -> None:
        """
        With red and blue exchanged even colors that match are wrong: nothing is fixed.
        """
        image = scene([BLACK, RED[::-1], WHITE, BLUE[::-1]], scale=4)
        found = self.fixed(image, tmp_path)

        assert found.verdict is not None
        assert found.verdict.cause == "channels-swapped"
        assert found.fix is not None
        assert found.fix.changed == 0

    def test_chance_matches_are_told(self, tmp_path: Path) -> None:
        """
        A mixture that is a color of the palette is not stray; it is told, not touched.
        """
        pixels = np.zeros((30, 30, 3), np.uint8)
        pixels[:, 15:] = WHITE
        pixels[:23, 14] = (115, 115, 115)
        pixels[23:, 14] = GRAY
        found = self.fixed(pixels, tmp_path)

        assert (found.stray_pixels, found.suspect_pixels) == (23, 7)
        assert found.ok
        assert (read(tmp_path / "fixed.png")[23:, 14] == GRAY).all()

    def test_changes(self, tmp_path: Path) -> None:
        """
        What became what is listed.
        """
        pixels = np.zeros((30, 30, 3), np.uint8)
        pixels[5:20, 5:20] = (0, 0, 141)
        found = self.fixed(pixels, tmp_path)

        assert found.fix is not None
        assert found.fix.changes == (Change((0, 0, 141), BLUE, 225),)

    def test_in_bands(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Large masks are looked at in bands, which makes no difference.
        """
        image = scene([BLACK, RED, WHITE, BLUE], (160, 400), 4)
        whole = self.fixed(image, tmp_path)
        expected = read(tmp_path / "fixed.png")
        monkeypatch.setattr("framekit.validation.stray._BAND", 1)
        monkeypatch.setattr("framekit.validation.lint_fix._BAND", 160 * 7)

        assert self.fixed(image, tmp_path) == whole
        assert np.array_equal(read(tmp_path / "fixed.png"), expected)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 3)])
    def test_tiny(self, tmp_path: Path, shape: tuple[int, int]) -> None:
        """
        Masks too small for any neighborhood are fixed by distance alone.
        """
        found = self.fixed(np.full((*shape, 3), 1, np.uint8), tmp_path)

        assert found.ok
        assert not read(tmp_path / "fixed.png").any()


class TestFixedFiles:
    def test_alpha(self, tmp_path: Path) -> None:
        """
        Alpha is kept as it is.
        """
        pixels = np.zeros((20, 20, 4), np.uint8)
        pixels[..., 3] = np.arange(400).reshape(20, 20) % 251
        pixels[4:9, 4:9, :3] = (0, 0, 141)
        path = saved(pixels, tmp_path / "a.png")

        fix_mask(path, PALETTE, tmp_path / "b.png")

        expected = pixels.copy()
        expected[4:9, 4:9, :3] = BLUE
        assert np.array_equal(read(tmp_path / "b.png"), expected)

    def test_gray(self, tmp_path: Path) -> None:
        """
        16-bit gray stays 16-bit gray.
        """
        palette = fk.Palette.indexed({0: "ground", 700: "car"})
        pixels = np.zeros((20, 20), np.uint16)
        pixels[5:9, 5:9] = 702
        path = saved(pixels, tmp_path / "a.png")

        fix_mask(path, palette, tmp_path / "b.png", within=8)

        found = read(tmp_path / "b.png")
        assert found.dtype == np.uint16
        assert np.array_equal(found, np.where(pixels == 702, 700, pixels))

    def test_values_are_no_colors(self, tmp_path: Path) -> None:
        """
        A value close to a known one is another label, unless the user says otherwise.
        """
        palette = fk.Palette.indexed({0: "ground", 200: "car"})
        pixels = np.zeros((20, 20), np.uint8)
        pixels[5:9, 5:9] = 203
        pixels[10:18, 12] = 203
        path = saved(pixels, tmp_path / "a.png")

        found = fix_mask(path, palette, tmp_path / "b.png")

        assert found.fix is not None
        assert (found.fix.changed, found.fix.left) == (0, 24)
        assert found.verdict is not None
        assert found.verdict.cause == "missing-entry"

    def test_resampled_values(self, tmp_path: Path) -> None:
        """
        Values that interpolation has made become the nearer of the two beside them.
        """
        palette = fk.Palette.indexed({0: "ground", 90: "wall", 200: "car"})
        crisp = np.zeros((60, 60), np.uint8)
        crisp[10:40, 8:30] = 200
        crisp[30:55, 35:50] = 200
        image = Image.fromarray(crisp).resize((120, 120), Image.Resampling.BILINEAR)
        path = saved(image, tmp_path / "a.png")

        found = fix_mask(path, palette, tmp_path / "b.png")

        assert found.verdict is not None
        assert found.verdict.cause == "resampled"
        assert found.ok
        assert set(np.unique(read(tmp_path / "b.png"))) == {0, 200}

    def test_color_that_gray_cannot_hold(self, tmp_path: Path) -> None:
        """
        A gray mask takes no color that is not gray.
        """
        palette = fk.Palette({BLACK: "ground", (101, 100, 100): "wall"})
        pixels = np.zeros((20, 20), np.uint8)
        pixels[5:9, 5:9] = 100
        path = saved(pixels, tmp_path / "a.png")

        found = fix_mask(path, palette, tmp_path / "b.png")

        assert found.fix is not None
        assert (found.fix.changed, found.fix.left, found.fix.path) == (0, 16, None)

    def test_palette_image(self, tmp_path: Path) -> None:
        """
        A palette image stays one, with its bits and tRNS; colors it lacks are added.
        """
        samples = np.zeros((20, 20), np.uint8)
        samples[5:9, 5:9] = 1
        samples[12:15, 12:15] = 2
        image = Image.fromarray(samples, "P")
        image.putpalette([*BLACK, 0, 0, 141, *RED])
        path = tmp_path / "a.png"
        image.save(path, transparency=2, bits=2)

        fix_mask(path, PALETTE, tmp_path / "b.png")

        with Image.open(tmp_path / "b.png") as found:
            assert found.mode == "P"
            assert found.info["transparency"] in (2, b"\xff\xff\x00")
            assert found.getpalette() == [*BLACK, 0, 0, 141, *RED, *BLUE]
            expected = np.where(samples == 1, 3, samples)
            assert np.array_equal(np.array(found), expected)
        assert (tmp_path / "b.png").read_bytes()[24] == path.read_bytes()[24] == 2

    def test_wide_colors(self, tmp_path: Path) -> None:
        """
        16-bit colors stay 16-bit colors.
        """
        from framekit.decoding.image.png_write import encode_png

        pixels = np.zeros((20, 20, 3), np.uint16)
        pixels[5:9, 5:9, 2] = 141 * 257
        path = tmp_path / "a.png"
        path.write_bytes(encode_png(pixels, depth=16))

        assert fix_mask(path, PALETTE, tmp_path / "b.png").ok
        data = (tmp_path / "b.png").read_bytes()
        assert (data[24], data[25]) == (16, 2)
        assert fk.decode_image(tmp_path / "b.png", PALETTE).areas == {
            "ground": 384,
            "car": 16,
        }

    @pytest.mark.parametrize("name", ["a.bmp", "a.tif", "a.webp", "a.gif"])
    def test_other_formats(self, tmp_path: Path, name: str) -> None:
        """
        Masks of other formats become PNG.
        """
        pixels = np.zeros((20, 20, 3), np.uint8)
        pixels[5:9, 5:9] = (0, 0, 141)
        options: dict[str, Any] = {"lossless": True} if name.endswith("webp") else {}
        Image.fromarray(pixels).save(tmp_path / name, **options)

        found = fix_mask(tmp_path / name, PALETTE, tmp_path / "b.png")

        assert found.ok
        assert fk.decode_image(tmp_path / "b.png", PALETTE).areas["car"] == 16

    def test_damaged(self, tmp_path: Path) -> None:
        """
        A damaged mask is not fixed.
        """
        path = saved(shifted(CRISP, 1), tmp_path / "a.png")
        path.write_bytes(path.read_bytes()[:-20])

        with pytest.raises(UnreadableMaskError):
            fix_mask(path, PALETTE, tmp_path / "b.png")
        assert not (tmp_path / "b.png").exists()


class TestDestination:
    def test_in_place(self, tmp_path: Path) -> None:
        """
        In place, the original is kept to the byte, under the backup's name.
        """
        path = saved(shifted(CRISP, 1), tmp_path / "a.png")
        original = path.read_bytes()
        backup = tmp_path / "a.orig.png"

        found = fix_mask(path, PALETTE, Destination(path, backup=backup))

        assert found.fix is not None
        assert (found.fix.path, found.fix.backup) == (str(path), str(backup))
        assert backup.read_bytes() == original
        assert np.array_equal(read(path), np.array(CRISP))

    def test_never_without_a_backup(self, tmp_path: Path) -> None:
        """
        A mask is not overwritten without one, whatever it is called.
        """
        path = saved(shifted(CRISP, 1), tmp_path / "a.png")
        (tmp_path / "link.png").symlink_to(path)
        before = path.read_bytes()

        with pytest.raises(ArgumentError, match="name a backup"):
            fix_mask(path, PALETTE, tmp_path / "link.png")
        assert path.read_bytes() == before

    def test_backup_is_never_overwritten(self, tmp_path: Path) -> None:
        """
        A backup that exists stops the fix.
        """
        path = saved(shifted(CRISP, 1), tmp_path / "a.png")
        backup = tmp_path / "a.orig.png"
        backup.write_bytes(b"precious")
        before = path.read_bytes()

        with pytest.raises(StorageError):
            fix_mask(path, PALETTE, Destination(path, backup=backup))
        assert (path.read_bytes(), backup.read_bytes()) == (before, b"precious")

    def test_failure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        When writing fails the mask is as it was, and no part is left behind.
        """

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        path = saved(shifted(CRISP, 1), tmp_path / "a.png")
        monkeypatch.setattr("framekit.validation.lint_fix.Path.replace", full)

        with pytest.raises(StorageError) as error:
            fix_mask(path, PALETTE, tmp_path / "b.png")

        assert error.value == StorageError(
            str(tmp_path / "b.png"), "No space left on device"
        )
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]

    def test_in_place_is_for_png(self, tmp_path: Path) -> None:
        """
        A BMP file does not become a PNG under its name.
        """
        path = saved(shifted(CRISP, 1), tmp_path / "a.bmp")
        backup = tmp_path / "a.orig.bmp"

        with pytest.raises(UnreadableMaskError, match="not fixed in place"):
            fix_mask(path, PALETTE, Destination(path, backup=backup))
        assert not backup.exists()


class TestLintMasks:
    def test_order_and_errors(self, tmp_path: Path) -> None:
        """
        Results come in order, with threads or without; what fails is one of them.
        """
        clean = saved(CRISP, tmp_path / "a.png")
        stray = saved(shifted(CRISP, 1), tmp_path / "b.png")
        (tmp_path / "c.png").write_bytes(b"no image")
        paths = [clean, tmp_path / "none.png", stray, tmp_path / "c.png"]

        alone = list(lint_masks(paths, PALETTE))
        with ThreadPoolExecutor(2) as executor:
            together = list(lint_masks(paths, PALETTE, executor=executor))

        assert alone == together
        assert [each.path for each in alone] == [str(path) for path in paths]
        assert [each.ok for each in alone] == [True, False, False, False]
        assert isinstance(alone[1].error, MissingFileError)
        assert isinstance(alone[3].error, UnreadableMaskError)
        assert pickle.loads(pickle.dumps(alone)) == alone  # noqa: S301 - our own

    def test_destinations(self, tmp_path: Path) -> None:
        """
        Those that have a destination are fixed.
        """
        paths = [saved(shifted(CRISP, 1), tmp_path / f"{n}.png") for n in range(2)]
        target = Destination(tmp_path / "out" / "0.png")

        found = list(lint_masks(paths, PALETTE, destinations={str(paths[0]): target}))

        assert [each.fix is not None for each in found] == [True, False]
        assert [each.ok for each in found] == [True, False]
        assert target.path.exists()


class TestLintSummary:
    def test_counts(self, tmp_path: Path) -> None:
        """
        Numbers, colors and causes add up over files.
        """
        paths = [
            saved(CRISP, tmp_path / "a.png"),
            saved(shifted(CRISP, 1), tmp_path / "b.png"),
            saved(shifted(CRISP, 1), tmp_path / "c.png"),
            saved(scene([BLACK, RED, (9, 160, 40), BLUE]), tmp_path / "d.png"),
            tmp_path / "none.png",
        ]
        results = list(lint_masks(paths, PALETTE))
        summary = LintSummary()
        for result in results:
            summary.add(result)

        assert not summary.ok
        assert (summary.files, summary.stray_files, summary.failed_files) == (5, 3, 1)
        assert summary.stray_pixels == sum(each.stray_pixels for each in results)
        assert sum(summary.histogram) == summary.stray_pixels
        assert summary.verdict == Verdict(
            "shifted-colors", "in 2 of 3 files; missing-entry in 1"
        )
        color, files = summary.colors[0]
        assert (color.color, files) == ((1, 1, 1), 2)
        assert color.count == 2 * results[1].colors[0].count

    def test_nothing(self) -> None:
        """
        Without stray colors there is nothing to guess.
        """
        summary = LintSummary()
        summary.add(LintResult(path="a.png", size=(1, 1)))

        assert summary.ok
        assert summary.verdict is None
        assert summary.to_dict()["causes"] == {}
