"""
Pillow, the only module that imports it: its exceptions and warnings stay in here.

Its classes for single formats are used, never ``Image.open``: content has decided
the format, our limits have been applied, and no state of Pillow's is touched.
"""

from __future__ import annotations

import io
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFile, ImageFont
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from framekit.decoding.image.pixels import Pixels
from framekit.decoding.image.source import Limits
from framekit.decoding.image.walk import ImageError
from framekit.decoding.png.chunks import SIGNATURE, Png, PngError

__all__ = [
    "Opened",
    "jpeg_of",
    "measured",
    "opened",
    "pillow_pixels",
    "rgb_of",
    "smoothed",
    "written",
]

#: Pillow widens gray samples of a few bits to 0..255.
SCALES: Final = {1: 1, 2: 85, 4: 17, 8: 1, 16: 1}

_CLASSES: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "image/gif": GifImageFile,
    "image/jpeg": JpegImageFile,
    "image/tiff": TiffImageFile,
    "image/webp": WebPImageFile,
}

#: Kept while warnings are caught, which is a matter of the whole process.
_CATCHING = threading.Lock()

#: TIFF tags.
_BITS, _PHOTOMETRIC, _ORIENTATION, _EXTRA = 258, 262, 274, 338

#: TIFF tags of where the pixels are and how long they are, in strips or tiles.
_EXTENTS: Final = ((273, 279), (324, 325))

_MODES: Final = {
    "1": ("gray", 1),
    "L": ("gray", 8),
    "LA": ("gray+alpha", 8),
    "P": ("palette", 8),
    "PA": ("palette+alpha", 8),
    "RGB": ("rgb", 8),
    "RGBA": ("rgba", 8),
    "RGBX": ("rgb", 8),
    "I;16": ("gray", 16),
    "I;16B": ("gray", 16),
    "I;16L": ("gray", 16),
    "I": ("gray", 32),
}


class Opened:
    """
    A file whose header Pillow has read.

    The reason for this being a class is that its size is looked at before its
    pixels are.
    """

    def __init__(self, image: ImageFile.ImageFile, content_type: str) -> None:
        self._image = image
        self._content_type = content_type
        self.width, self.height = image.size
        tags = getattr(image, "tag_v2", {})
        bits = tags.get(_BITS, (1,))
        self._bits = bits if isinstance(bits, tuple) else (bits,)
        self._photometric = tags.get(_PHOTOMETRIC)
        self._orientation = tags.get(_ORIENTATION, 1)
        self._extra = tuple(tags.get(_EXTRA, ()))
        self._parts = [
            part
            for offsets, sizes in _EXTENTS
            for part in zip(tags.get(offsets, ()), tags.get(sizes, ()), strict=True)
        ]

    @property
    def mode(self) -> str:
        """
        What a pixel is: ``"gray"``, ``"rgba"``…, or Pillow's name for it.
        """
        mode, _ = _MODES.get(self._image.mode, (self._image.mode, 8))
        return mode

    @property
    def depth(self) -> int:
        """
        Bits a sample.
        """
        if self._content_type == "image/tiff":
            return int(max(self._bits))
        return _MODES.get(self._image.mode, ("", 8))[1]

    @property
    def lossless(self) -> bool:
        """
        Whether the compression gives back what was written; asked of TIFF only.
        """
        known = str(self._image.info.get("compression", "raw"))
        return not any(name in known for name in ("jpeg", "webp", "jp2"))

    @property
    def frames(self) -> int:
        """
        How many pictures, from 2 on only that there are several.

        Raises:
            ImageError: If the second is damaged.
        """
        with _kept_in(self._content_type):
            return 2 if getattr(self._image, "is_animated", False) else 1

    def check_whole(self, size: int) -> None:
        """
        Refuse a TIFF file of *size* bytes whose pixels are said to go on after it.

        Raises:
            ImageError: If so.
        """
        end = max((offset + length for offset, length in self._parts), default=0)
        if end > size:
            raise ImageError(f"breaks off after {size} of {end} bytes")

    def pixels(self, colors: int | None = None) -> Pixels:
        """
        Decode the first picture.

        Args:
            colors: Entries of its color table, where that is known.

        Raises:
            ImageError: If it is damaged, or labels are not read from its kind.
        """
        self._check()
        with _kept_in(self._content_type):
            self._image.load()
            samples: NDArray[Any] = np.asarray(self._image)
            table = self._image.getpalette("RGB")
        notes: tuple[str, ...] = ()
        if self._orientation != 1:
            notes = (f"turned upright, as its orientation {self._orientation} says",)
        mode = self._image.mode
        if mode == "P":
            return self._with_table(samples, table or [], colors, notes)
        if self._content_type == "image/gif":
            # Pillow shows a table of 0, 1, 2… as gray.
            ramp = [value for value in range(256) for _ in range(3)]
            return self._with_table(samples, ramp, colors, notes)
        if mode in ("LA", "RGBA"):
            return self._with_alpha(samples, notes)
        if mode in ("RGB", "RGBX"):
            return Pixels(np.ascontiguousarray(samples[:, :, :3]), notes=notes)
        return Pixels(*self._gray(samples), notes=notes)

    def _check(self) -> None:
        image = self._image
        if image.mode not in _MODES or image.mode == "PA":
            raise ImageError(f"{image.mode} pixels, which labels are not read from")
        wide = self._content_type == "image/tiff" and max(self._bits) > 8
        if wide and image.mode[0] != "I":
            raise ImageError("16-bit color in TIFF, which is not read; save as PNG")
        if self._content_type == "image/gif":
            if image.mode not in ("L", "P"):
                raise ImageError(f"{image.mode} pixels where GIF has indices")
            if image.tile and image.tile[0][1] != (0, 0, *image.size):
                raise ImageError("its first picture covers only a part of it")

    def _with_table(
        self,
        samples: NDArray[Any],
        table: list[int],
        colors: int | None,
        notes: tuple[str, ...],
    ) -> Pixels:
        palette = np.array(table, np.uint8).reshape(-1, 3)[:colors]
        if samples.ndim != 2 or samples.max() >= len(palette):
            raise ImageError("a palette index past the end of the palette")
        alpha = None
        transparent = self._image.info.get("transparency")
        if isinstance(transparent, int):
            alpha = np.where(samples == transparent, np.uint8(0), np.uint8(255))
        return Pixels(samples, palette=palette, alpha=alpha, notes=notes)

    def _with_alpha(self, samples: NDArray[Any], notes: tuple[str, ...]) -> Pixels:
        alpha = np.ascontiguousarray(samples[:, :, -1])
        if self._extra[:1] == (1,) and alpha.min() < 255:
            raise ImageError("colors multiplied with alpha, which cannot be undone")
        values = samples[:, :, 0] if samples.shape[2] == 2 else samples[:, :, :3]
        return Pixels(np.ascontiguousarray(values), alpha=alpha, notes=notes)

    def _gray(self, samples: NDArray[Any]) -> tuple[NDArray[Any], int]:
        if self._photometric == 0:
            # What is stored and what is shown differ, and tools disagree on which
            # of the two a label is.
            raise ImageError("gray stored with white as 0; save it with black as 0")
        if samples.dtype == bool:
            return np.asarray(samples.view(np.uint8) != 0, np.uint8), 1
        if samples.dtype.itemsize == 4:
            if samples.min() < 0:
                raise ImageError("negative pixel values")
            return samples.astype(np.uint32), 32
        if samples.dtype.itemsize == 2:
            return samples.astype(np.uint16), 16
        depth = self.depth if self._content_type == "image/tiff" else 8
        return samples // np.uint8(SCALES.get(depth, 1)), depth


@contextmanager
def opened(file: BinaryIO, content_type: str) -> Iterator[Opened]:
    """
    Read the header of *file*, which is of one of the formats that Pillow is for.

    Raises:
        ImageError: If Pillow refuses it.
    """
    with _kept_in():  # GIF warns of large sizes, which we refuse.
        image = _CLASSES[content_type](file)
    with image:
        with _kept_in(content_type):
            found = Opened(image, content_type)
        yield found


def pillow_pixels(png: Png) -> NDArray[Any]:
    """
    Return the samples of *png* as stored: (H, W) or (H, W, 2 | 3 | 4), uint8 or uint16.

    Pillow is shown the pixel chunks only, so no other chunk can trouble it, and is
    asked past its own limit on sizes, since ours has been applied.

    Raises:
        PngError: If Pillow refuses the file.
    """
    header = png.header
    try:
        with PngImageFile(io.BytesIO(_essence(png))) as image:
            pixels: NDArray[Any] = np.asarray(image)
    except Exception as error:  # noqa: BLE001 - Pillow raises whatever it likes
        raise PngError(f"damaged pixels: {_reason(error)}") from None
    if header.color_type == 0 and header.bit_depth == 16:
        return pixels.astype(np.uint16, copy=False)
    if pixels.dtype == bool:
        return np.asarray(pixels.view(np.uint8) != 0, np.uint8)
    if header.color_type == 0 and SCALES[header.bit_depth] > 1:
        return pixels // np.uint8(SCALES[header.bit_depth])
    return pixels


def rgb_of(file: BinaryIO, content_type: str, limits: Limits) -> NDArray[np.uint8]:
    """
    The first picture in *file* as people see it, (H, W, 3), alpha dropped.

    Raises:
        ImageError: If it is damaged or too large.
    """
    others = {"image/bmp": BmpImageFile, "image/png": PngImageFile}
    with _kept_in():
        image = (_CLASSES | others)[content_type](file)
    limits.check(*image.size, 4)
    with _kept_in(), image:
        if image.mode.startswith("I"):
            gray = (np.asarray(image) >> 8).astype(np.uint8)
            return np.repeat(gray[:, :, None], 3, axis=2)
        return np.array(image.convert("RGB"))


def smoothed(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """
    *rgb*, (H, W, 3), resized with the mean of what goes into a pixel.
    """
    size = (width, height)
    return np.array(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def jpeg_of(rgb: NDArray[np.uint8], quality: int) -> bytes:
    """
    *rgb*, (H, W, 3), as a JPEG file.
    """
    file = io.BytesIO()
    # Thin lines need their own color: chroma is not subsampled.
    picture = Image.fromarray(rgb)
    picture.save(file, "JPEG", quality=quality, subsampling=0, optimize=True)
    return file.getvalue()


def measured(text: str, height: int) -> tuple[int, int]:
    """
    Width and height of a line of *text*, in pixels.
    """
    _, _, right, bottom = _font(height).getbbox(_printable(text, height))
    return int(np.ceil(right)), int(np.ceil(bottom))


def written(
    rgb: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    color: tuple[int, int, int],
    height: int,
) -> NDArray[np.uint8]:
    """
    *rgb*, (H, W, 3), with a line of *text* whose upper left corner is *at*.
    """
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    draw.text(at, _printable(text, height), fill=color, font=_font(height))
    return np.array(image)


@cache
def _font(height: int) -> Any:
    return ImageFont.load_default(height)


def _printable(text: str, height: int) -> str:
    """
    *text* on one line; without FreeType also without what Latin-1 has not.
    """
    line = " ".join(text.split())
    if isinstance(_font(height), ImageFont.FreeTypeFont):
        return line
    return line.encode("latin-1", "replace").decode("latin-1")


@contextmanager
def _kept_in(content_type: str | None = None) -> Iterator[None]:
    """
    Turn whatever Pillow raises into `ImageError`, and drop its warnings.

    Where pixels are read as they are, only readers of headers warn, and those of TIFF,
    and through it JPEG. Others of a *content_type* need not wait for each other.
    """
    try:
        if content_type in ("image/gif", "image/webp"):
            yield
            return
        with _CATCHING, warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
            yield
    except Exception as error:  # noqa: BLE001 - Pillow raises whatever it likes
        raise ImageError(_reason(error)) from None


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0][:200] if str(error) else ""
    return text or type(error).__name__


def _essence(png: Png) -> bytes:
    """
    Return *png* with nothing but IHDR, PLTE, one IDAT and IEND.
    """
    chunks = [(b"IHDR", png.data[16:29])]
    if png.header.color_type == 3 and png.header.palette is not None:
        chunks.append((b"PLTE", png.header.palette))
    chunks += [(b"IDAT", b"".join(png.idat)), (b"IEND", b"")]
    parts = [SIGNATURE]
    for name, body in chunks:
        parts += [len(body).to_bytes(4, "big"), name, body]
        parts.append(zlib.crc32(body, zlib.crc32(name)).to_bytes(4, "big"))
    return b"".join(parts)
