from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framekit.decoding.image.pictures import (
    draw_text,
    load_picture,
    resize_nearest,
    save_picture,
    text_size,
)
from framekit.errors import ArgumentError, StorageError, UnreadableMaskError

PIXELS = np.random.default_rng(1).integers(0, 256, (9, 11, 3), dtype=np.uint8)


class TestLoad:
    @pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "WEBP"])
    def test_lossless(self, format: str) -> None:
        """
        A picture is loaded in RGB, whatever its format.
        """
        file = io.BytesIO()
        options: Any = {"lossless": True} if format == "WEBP" else {}
        Image.fromarray(PIXELS).save(file, format, **options)
        file.seek(0)

        assert np.array_equal(load_picture(file), PIXELS)

    @pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16", "CMYK", "RGBA"])
    def test_modes(self, mode: str) -> None:
        """
        Pictures of every kind become RGB.
        """
        format = "TIFF" if mode == "CMYK" else "PNG"
        file = io.BytesIO()
        Image.new(mode, (5, 4), 1 if mode == "I;16" else 0).save(file, format)
        file.seek(0)

        found = load_picture(file)

        assert found.shape == (4, 5, 3)
        assert found.dtype == np.uint8

    def test_transparent_palette(self) -> None:
        """
        Pillow's warning of transparent palettes does not get out.
        """
        image = Image.new("P", (3, 2))
        image.putpalette([9, 8, 7, 1, 2, 3])
        file = io.BytesIO()
        image.save(file, "PNG", transparency=b"\x05\x09")
        file.seek(0)

        assert load_picture(file).tolist() == [[[9, 8, 7]] * 3] * 2

    def test_refused(self) -> None:
        """
        What is no picture is an error with its name.
        """
        with pytest.raises(UnreadableMaskError):
            load_picture(io.BytesIO(b"text"), uri="m")
        with pytest.raises(UnreadableMaskError):
            load_picture(io.BytesIO(b"\xff\xd8\xff\xe0" + bytes(40)), uri="m")


class TestSave:
    def test_round_trip(self, tmp_path: Path) -> None:
        """
        Pillow reads what is saved.
        """
        save_picture(PIXELS, tmp_path / "x.png")

        with Image.open(tmp_path / "x.png") as image:
            assert np.array_equal(np.asarray(image), PIXELS)

    def test_refused(self, tmp_path: Path) -> None:
        """
        Only RGB is a picture, and the folder must be there.
        """
        with pytest.raises(ArgumentError):
            save_picture(PIXELS[:, :, 0], tmp_path / "x.png")
        with pytest.raises(StorageError):
            save_picture(PIXELS, tmp_path / "no" / "x.png")


class TestDraw:
    def test_resize(self) -> None:
        """
        Every new pixel is one of the old ones.
        """
        found = resize_nearest(np.array([[1, 2], [3, 4]]), 4, 2)

        assert found.tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]

    @pytest.mark.parametrize("text", ["car, person", "straße\nzwei", "車", ""])
    def test_text(self, text: str) -> None:
        """
        Text stays within the size that was announced, and its array is a new one.
        """
        width, height = text_size(text)
        white = np.full((height + 10, width + 10, 3), 255, np.uint8)

        found = draw_text(white, text, (5, 5), color=(255, 0, 0))

        assert (white == 255).all()
        assert (found != 255).any() == bool(text)
        outside = found.copy()
        outside[5 : 5 + height, 5 : 5 + width] = 255
        assert (outside == 255).all()
