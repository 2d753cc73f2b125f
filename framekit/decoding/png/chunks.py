"""
The chunks of a PNG file: walked, checked, and no pixel touched.

Every chunk's CRC is checked and sizes are held against limits before anything is
allocated.  What is refused here is damaged: it is not to be tried with another
reader.  What is sound but not of a kind `PngHeader.kind` names (interlaced, gray
with alpha, 16-bit color) is for another reader, with the same bytes.
"""

from __future__ import annotations

from struct import Struct
from typing import Literal

from attrs import field, frozen

from framekit.decoding.png import inflate

Kind = Literal["gray", "gray16", "palette", "rgb", "rgba", "other"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Deflate cannot make more than 1032 bytes of one.
RATIO = 1040

#: Bit depths and channels by color type.
LAYOUTS = {
    0: ((1, 2, 4, 8, 16), 1),
    2: ((8, 16), 3),
    3: ((1, 2, 4, 8), 1),
    4: ((8, 16), 2),
    6: ((8, 16), 4),
}

#: Chunks that would change colors if one heeded them; labels are raw values.
IGNORED = (b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT")


class PngError(ValueError):
    """
    A PNG file is damaged, or claims more than the limits allow.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@frozen
class PngHeader:
    """
    What a PNG file says of its pixels.
    """

    #: Pixels.
    width: int
    height: int

    #: Bits a sample, as stored.
    bit_depth: int

    #: 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGBA.
    color_type: int

    interlaced: bool

    #: The PLTE chunk: R, G, B a byte each, one entry after the other.
    palette: bytes | None = field(default=None, repr=False)

    #: The tRNS chunk, as stored.
    transparency: bytes | None = None

    #: What is unusual but harmless, a sentence each.
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """
        The kind of pixels our reader takes, "other" for those it does not.
        """
        if self.interlaced:
            return "other"
        if self.color_type == 0:
            return "gray16" if self.bit_depth == 16 else "gray"
        if self.color_type == 3:
            return "palette"
        if self.bit_depth == 8 and self.color_type == 2:
            return "rgb"
        return "rgba" if self.bit_depth == 8 and self.color_type == 6 else "other"

    @property
    def channels(self) -> int:
        """
        Samples a pixel.
        """
        return LAYOUTS[self.color_type][1]

    @property
    def passes(self) -> list[tuple[int, int]]:
        """
        Rows, and bytes a row with its filter byte, of each pass that has pixels.
        """
        bits = self.bit_depth * self.channels
        if not self.interlaced:
            return [(self.height, (self.width * bits + 7) // 8 + 1)]
        sizes = [
            ((self.height - y + dy - 1) // dy, (self.width - x + dx - 1) // dx)
            for x, y, dx, dy in _ADAM7
        ]
        return [(rows, (w * bits + 7) // 8 + 1) for rows, w in sizes if rows and w]

    @property
    def stream_size(self) -> int:
        """
        Bytes of the inflated IDAT stream.
        """
        return sum(rows * pitch for rows, pitch in self.passes)

    @property
    def pixel_size(self) -> int:
        """
        Bytes of the decoded pixels, a byte or two a sample.
        """
        samples = self.width * self.height * self.channels
        return samples * (2 if self.bit_depth == 16 else 1)


@frozen(eq=False)
class Png:
    """
    A PNG file whose chunks have been checked.
    """

    header: PngHeader

    #: The file.
    data: bytes = field(repr=False)

    #: The contents of the IDAT chunks, views of `data`.
    idat: tuple[memoryview, ...] = field(repr=False)


def is_png(data: bytes) -> bool:
    """
    Whether *data* starts like a PNG file; a damaged start counts as none.
    """
    return data[:8] == SIGNATURE


def read_header(
    data: bytes, *, max_side: int = 16384, max_bytes: int = 512 << 20
) -> PngHeader:
    """
    Return the header of the PNG file *data*, after a check of the whole file's chunks.

    Raises:
        PngError: As `open_png`.
    """
    return open_png(data, max_side=max_side, max_bytes=max_bytes).header


def open_png(data: bytes, *, max_side: int = 16384, max_bytes: int = 512 << 20) -> Png:
    """
    Check the chunks of the PNG file *data*, without decoding pixels.

    Args:
        max_side: The largest width and height, in pixels.
        max_bytes: The most that the decoded pixels may take, in bytes.

    Raises:
        PngError: If *data* is no PNG file, breaks off, has a chunk that is damaged,
            misplaced or unknown and critical, or claims to be larger than the limits
            or than its data can be.
    """
    if not is_png(data):
        raise PngError("not a PNG file")
    walk = _Walk()
    view = memoryview(data)
    crc32 = inflate.INFLATER.crc32
    position, end = 8, len(data)
    while not walk.ended:
        if end - position < 12:
            raise PngError(f"breaks off after {end} bytes, before its end chunk")
        length, name = _CHUNK.unpack_from(data, position)
        stop = position + 8 + length
        if stop + 4 > end:
            raise PngError(f"breaks off inside {_shown(name)}, after {end} bytes")
        if crc32(view[position + 4 : stop]) != _WORD.unpack_from(data, stop)[0]:
            raise PngError(f"wrong checksum of {_shown(name)} at byte {position}")
        walk.chunk(name, view[position + 8 : stop], max_side, max_bytes)
        position = stop + 4
    if position < end:
        walk.notes.append(f"{end - position} bytes after the end chunk")
    return walk.finish(data)


class _Walk:
    """
    The rules of chunk order; the reason for this being a class is its many states.
    """

    def __init__(self) -> None:
        self.header: PngHeader | None = None
        self.palette: bytes | None = None
        self.transparency: bytes | None = None
        self.idat: list[memoryview] = []
        self.idat_over = False
        self.ended = False
        self.notes: list[str] = []

    def chunk(
        self, name: bytes, body: memoryview, max_side: int, max_bytes: int
    ) -> None:
        header = self.header
        if header is None:
            if name != b"IHDR":
                raise PngError(f"starts with {_shown(name)}, not with IHDR")
            self.header = _read_ihdr(body, max_side, max_bytes)
        elif name == b"IDAT":
            if self.idat_over:
                raise PngError("IDAT chunks are not in one piece")
            self.idat.append(body)
        else:
            self.idat_over = bool(self.idat)
            if name == b"IEND":
                if len(body):
                    raise PngError("its end chunk is not empty")
                self.ended = True
            elif name == b"PLTE":
                self.take_palette(header, body)
            elif name == b"tRNS":
                self.take_transparency(header, body)
            elif name == b"IHDR":
                raise PngError("a second IHDR chunk")
            else:
                self.take_other(name)

    def take_palette(self, header: PngHeader, body: memoryview) -> None:
        if self.palette is not None:
            raise PngError("a second PLTE chunk")
        if self.idat:
            raise PngError("PLTE after IDAT")
        if header.color_type in (0, 4):
            raise PngError("a palette in a gray image")
        if len(body) % 3 or not 3 <= len(body) <= 768:
            raise PngError(f"a palette of {len(body)} bytes")
        if header.color_type == 3 and len(body) // 3 > 1 << header.bit_depth:
            self.notes.append(f"{len(body) // 3} colors at {header.bit_depth} bits")
        self.palette = bytes(body)

    def take_transparency(self, header: PngHeader, body: memoryview) -> None:
        sizes = {0: 2, 2: 6}
        entries = len(self.palette or b"") // 3
        if header.color_type in sizes:
            fits = len(body) == sizes[header.color_type]
        else:
            fits = header.color_type == 3 and 1 <= len(body) <= entries
        if not fits or self.idat or self.transparency is not None:
            self.notes.append("a misplaced tRNS chunk, ignored")
        else:
            self.transparency = bytes(body)

    def take_other(self, name: bytes) -> None:
        if not name.isalpha():
            raise PngError(f"a chunk named {_shown(name)}")
        if not name[0] & 32:
            raise PngError(f"an unknown critical chunk {_shown(name)}")
        if name in IGNORED:
            self.notes.append(f"{_shown(name)} ignored: values are taken as stored")
        elif name == b"acTL":
            self.notes.append("animated: only the default image is read")

    def finish(self, data: bytes) -> Png:
        header = self.header
        if header is None:
            raise PngError("no IHDR chunk")
        if not self.idat:
            raise PngError("no IDAT chunk")
        if header.color_type == 3 and self.palette is None:
            raise PngError("no palette")
        size = sum(map(len, self.idat))
        if header.stream_size > RATIO * size:
            raise PngError(
                f"claims {header.width}x{header.height} pixels,"
                f" more than {size} bytes of data can hold"
            )
        whole = PngHeader(
            header.width,
            header.height,
            header.bit_depth,
            header.color_type,
            header.interlaced,
            self.palette,
            self.transparency,
            tuple(self.notes),
        )
        return Png(whole, data, tuple(self.idat))


def _read_ihdr(body: memoryview, max_side: int, max_bytes: int) -> PngHeader:
    if len(body) != 13:
        raise PngError(f"an IHDR of {len(body)} bytes")
    width, height, depth, color, compression, filters, interlace = _IHDR.unpack(body)
    if not 1 <= width <= 0x7FFFFFFF or not 1 <= height <= 0x7FFFFFFF:
        raise PngError(f"a size of {width}x{height} pixels")
    if color not in LAYOUTS or depth not in LAYOUTS[color][0]:
        raise PngError(f"color type {color} with {depth} bits")
    if compression or filters or interlace > 1:
        raise PngError("unknown compression, filter or interlace method")
    header = PngHeader(width, height, depth, color, interlace == 1)
    if max(width, height) > max_side:
        raise PngError(f"{width}x{height} pixels, the limit is {max_side} a side")
    if header.pixel_size > max_bytes:
        raise PngError(
            f"{width}x{height} pixels take {header.pixel_size} bytes,"
            f" the limit is {max_bytes}"
        )
    return header


def _shown(name: bytes) -> str:
    return name.decode("ascii") if name.isalpha() else repr(name)


_CHUNK = Struct(">I4s")
_WORD = Struct(">I")
_IHDR = Struct(">IIBBBBB")

#: First column, first row, column step, row step of the seven passes.
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
