"""
Decoded frames as planes of numbers: views, not copies, and hardly ever converted.

FFmpeg's conversion to RGB differs between versions, ignores tags in some, clips the
mixtures that borders are made of, and costs as much as decoding. Bytes of planes are
the same in every version.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final, Literal

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.decoding.video._av import (
    NEGATIVE_LINES_ARE_SAFE,
    Frame,
    convert,
    display_matrix,
)
from framekit.decoding.video.orientation import Orientation, orientation_of
from framekit.errors import UnreadableMaskError

__all__ = ["Planes", "planes_of"]

Plane = NDArray[np.uint8] | NDArray[np.uint16]

#: Packed 8-bit RGB: bytes a pixel, and where R, G, B and A are.
_PACKED: Final = {
    "rgb24": (3, 0, 1, 2, None),
    "bgr24": (3, 2, 1, 0, None),
    "rgba": (4, 0, 1, 2, 3),
    "bgra": (4, 2, 1, 0, 3),
    "rgb0": (4, 0, 1, 2, None),
    "bgr0": (4, 2, 1, 0, None),
    "argb": (4, 1, 2, 3, 0),
    "abgr": (4, 3, 2, 1, 0),
    "0rgb": (4, 1, 2, 3, None),
    "0bgr": (4, 3, 2, 1, None),
}

#: The same with 16 bits a channel, without the ending that names the byte order.
_PACKED_16: Final = {
    "rgb48": (3, 0, 1, 2, None),
    "bgr48": (3, 2, 1, 0, None),
    "rgba64": (4, 0, 1, 2, 3),
    "bgra64": (4, 2, 1, 0, 3),
}

#: Packed 4:2:2: where Y, U and V are in four bytes.
_PACKED_422: Final = {"yuyv422": (0, 1, 3), "uyvy422": (1, 0, 2), "yvyu422": (0, 3, 1)}

#: Two planes, the second with both chroma values: subsampling, and where U is.
_SEMIPLANAR: Final = {
    "nv12": (2, 2, 0),
    "nv21": (2, 2, 1),
    "nv16": (2, 1, 0),
    "nv24": (1, 1, 0),
    "nv42": (1, 1, 1),
}

_YUV: Final = re.compile(r"yuv(a|j)?(410|411|420|422|440|444)p(\d+)?(le|be)?")
_GBR: Final = re.compile(r"gbr(a)?p(\d+)?(le|be)?")
_GRAY: Final = re.compile(r"(gray|ya)(\d+)?(le|be)?")

#: What swscale makes RGB of. Others are refused: some are floats, and some that no
#: decoder gives end the process in swscale.
_EXACTLY_CONVERTED: Final = frozenset(
    {"monow", "monob", "rgb8", "bgr8", "rgb4_byte", "bgr4_byte"}
    | {f"{order}{bits}le" for order in ("rgb", "bgr") for bits in (444, 555, 565)}
)
_CONVERTED: Final = frozenset(
    {"p010le", "p016le", "p210le", "p216le", "p410le", "p416le", "vuya", "vuyx"}
    | {"ayuv64le", "y210le", "y212le", "xv30le", "xv36le", "x2rgb10le", "x2bgr10le"}
    | {"xyz12le"}
)

_STEPS: Final = {
    "410": (4, 4),
    "411": (4, 1),
    "420": (2, 2),
    "422": (2, 1),
    "440": (1, 2),
    "444": (1, 1),
}

#: FFmpeg's numbers for YUV matrices.
_MATRICES: Final = {
    1: "bt709",
    4: "bt601",
    5: "bt601",
    6: "bt601",
    7: "bt709",
    9: "bt2020",
    10: "bt2020",
}

_UPRIGHT: Final = Orientation()

_LIMITED: Final = 1
_FULL: Final = 2


@frozen(eq=False)
class Planes:
    """
    The channels of one frame.
    """

    kind: Literal["rgb", "yuv", "gray"]

    #: R, G, B or Y, U, V or one: (H, W), chroma (ceil(H / sy), ceil(W / sx)).
    channels: tuple[Plane, ...] = field(repr=lambda c: str([a.shape for a in c]))

    #: Bits of the values.
    depth: int = 8

    #: Luma columns and rows for each chroma sample.
    steps: tuple[int, int] = (1, 1)

    #: What the stream says; None where it does not.
    matrix: str | None = None
    full_range: bool | None = None

    #: What swscale assumes of the range where the stream does not say it.
    assumed_full: bool = False

    #: (H, W), 0 where transparent.
    alpha: Plane | None = field(default=None, repr=False)

    orientation: Orientation = _UPRIGHT

    #: Whether values were rounded, or computed from others, to get here.
    altered: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """
        Height and width as stored.
        """
        height, width = self.channels[0].shape
        return height, width

    def to_8bit(self) -> Planes:
        """
        The same with 8-bit values, rounded where there were more.
        """
        if self.depth == 8:
            return self
        if self.kind == "yuv":
            shifted = tuple(_rounded(channel, self.depth) for channel in self.channels)
            return self._with(shifted, altered=True)
        # 8 bits were spread over the range, or shifted up; swscale does neither well.
        scales = ((1 << self.depth) - 1) / 255, float(1 << (self.depth - 8))
        tries = [_divided(self.channels, scale) for scale in scales]
        channels, residual = min(tries, key=lambda found: found[1])
        altered = self.altered or residual > max(scales[1] / 8, 1)
        return self._with(channels, altered=altered)

    def unturned(self) -> Planes:
        """
        The same, to be seen as it is stored.
        """
        return evolve(self, orientation=Orientation())

    def _with(self, channels: tuple[Plane, ...], *, altered: bool) -> Planes:
        return evolve(self, channels=channels, depth=8, altered=altered)


def planes_of(frame: Frame, *, uri: str = "") -> Planes:
    """
    Read the planes of *frame*, in views that keep it alive.

    Raises:
        UnreadableMaskError: If its pixel format cannot even be converted.
    """
    orientation = orientation_of(display_matrix(frame))
    if not NEGATIVE_LINES_ARE_SAFE and any(p.line_size < 0 for p in frame.planes):
        return _top_down(frame, uri, orientation)
    name = frame.format.name
    if name in _PACKED or name[:-2] in _PACKED_16:
        return _packed(frame, name, orientation)
    if name == "pal8":
        return _paletted(frame, orientation)
    if found := _GBR.fullmatch(name):
        return _planar_rgb(frame, found, orientation)
    if found := _GRAY.fullmatch(name):
        return _gray(frame, found, orientation)
    if found := _YUV.fullmatch(name):
        return _planar_yuv(frame, found, orientation)
    if name in _SEMIPLANAR:
        return _semiplanar(frame, name, orientation)
    if name in _PACKED_422:
        return _packed_422(frame, name, orientation)
    if name in _EXACTLY_CONVERTED or name in _CONVERTED:
        return _converted(frame, uri, orientation)
    raise UnreadableMaskError(uri, f"pixels of the format {name} are not supported")


def _lines(plane: Any) -> NDArray[np.uint8]:
    """
    The bytes of a plane, (rows, line size), from top to bottom.
    """
    line_size = abs(plane.line_size)
    found = np.frombuffer(plane, np.uint8)[: line_size * plane.height]
    found = found.reshape(plane.height, line_size)
    return found[::-1] if plane.line_size < 0 else found


def _values(plane: Any, depth: int, order: str | None) -> Plane:
    """
    The numbers of a plane, (rows, columns).
    """
    width = plane.width
    lines = _lines(plane)
    if depth <= 8:
        return lines[:, :width]
    wide: Plane = lines[:, : 2 * width].view(">u2" if order == "be" else "<u2")
    return wide


def _packed(frame: Frame, name: str, orientation: Orientation) -> Planes:
    depth = 8 if name in _PACKED else 16
    size, *places, alpha = _PACKED[name] if depth == 8 else _PACKED_16[name[:-2]]
    height, width = frame.height, frame.width
    lines = _lines(frame.planes[0])[:, : width * size * depth // 8]
    if depth == 16:
        pixels: Any = lines.view(">u2" if name.endswith("be") else "<u2")
    else:
        pixels = lines
    pixels = pixels.reshape(height, width, size)
    return Planes(
        "rgb",
        tuple(pixels[..., place] for place in places),
        depth,
        alpha=None if alpha is None else pixels[..., alpha],
        orientation=orientation,
    )


def _paletted(frame: Frame, orientation: Orientation) -> Planes:
    indices = _values(frame.planes[0], 8, None)
    memory: Any = frame.planes[1]
    colors = np.frombuffer(memory, np.uint8)[:1024].reshape(256, 4)
    if sys.byteorder == "little":
        colors = colors[:, ::-1]  # A, R, G, B
    return Planes(
        "rgb",
        tuple(colors[:, channel][indices] for channel in (1, 2, 3)),
        alpha=colors[:, 0][indices],
        orientation=orientation,
    )


def _planar_rgb(frame: Frame, name: re.Match[str], orientation: Orientation) -> Planes:
    depth, order = int(name[2] or 8), name[3]
    green, blue, red = (_values(frame.planes[n], depth, order) for n in range(3))
    return Planes(
        "rgb",
        (red, green, blue),
        depth,
        alpha=_values(frame.planes[3], depth, order) if name[1] else None,
        orientation=orientation,
    )


def _gray(frame: Frame, name: re.Match[str], orientation: Orientation) -> Planes:
    depth, order = int(name[2] or 8), name[3]
    alpha: Plane | None = None
    if name[1] == "ya":
        size = 2 if depth > 8 else 1
        lines = _lines(frame.planes[0])[:, : frame.width * 2 * size]
        pairs: Any = lines
        if size == 2:
            pairs = lines.view(">u2" if order == "be" else "<u2")
        values, alpha = pairs[:, 0::2], pairs[:, 1::2]
    else:
        values = _values(frame.planes[0], depth, order)
    return Planes(
        "gray",
        (values,),
        depth,
        full_range=_range_of(frame),
        assumed_full=True,
        alpha=alpha,
        orientation=orientation,
    )


def _planar_yuv(frame: Frame, name: re.Match[str], orientation: Orientation) -> Planes:
    depth, order = int(name[3] or 8), name[4]
    planes = frame.planes
    return Planes(
        "yuv",
        tuple(_values(planes[n], depth, order) for n in range(3)),
        depth,
        _STEPS[name[2]],
        matrix=_MATRICES.get(int(frame.colorspace)),
        full_range=True if name[1] == "j" else _range_of(frame),
        alpha=_values(planes[3], depth, order) if name[1] == "a" else None,
        orientation=orientation,
    )


def _semiplanar(frame: Frame, name: str, orientation: Orientation) -> Planes:
    across, down, place_of_u = _SEMIPLANAR[name]
    columns = -(-frame.width // across)
    pairs = _lines(frame.planes[1])[:, : 2 * columns]
    u, v = pairs[:, place_of_u::2], pairs[:, 1 - place_of_u :: 2]
    return Planes(
        "yuv",
        (_values(frame.planes[0], 8, None), u, v),
        steps=(across, down),
        matrix=_MATRICES.get(int(frame.colorspace)),
        full_range=_range_of(frame),
        orientation=orientation,
    )


def _packed_422(frame: Frame, name: str, orientation: Orientation) -> Planes:
    y, u, v = _PACKED_422[name]
    lines = _lines(frame.planes[0])[:, : 4 * -(-frame.width // 2)]
    return Planes(
        "yuv",
        (lines[:, y::2][:, : frame.width], lines[:, u::4], lines[:, v::4]),
        steps=(2, 1),
        matrix=_MATRICES.get(int(frame.colorspace)),
        full_range=_range_of(frame),
        orientation=orientation,
    )


def _converted(frame: Frame, uri: str, orientation: Orientation) -> Planes:
    found = convert(frame, "gbrp", uri)
    green, blue, red = (_values(found.planes[n], 8, None) for n in range(3))
    altered = frame.format.name not in _EXACTLY_CONVERTED
    return Planes("rgb", (red, green, blue), orientation=orientation, altered=altered)


def _top_down(frame: Frame, uri: str, orientation: Orientation) -> Planes:
    name = frame.format.name
    found = planes_of(convert(frame, "rgb24" if name == "gbrp" else "gbrp", uri))
    altered = name != "gbrp" and name not in _PACKED
    return evolve(found, orientation=orientation, altered=altered)


def _range_of(frame: Frame) -> bool | None:
    return {_LIMITED: False, _FULL: True}.get(int(frame.color_range))


def _rounded(values: Plane, depth: int) -> NDArray[np.uint8]:
    found = (values.astype(np.uint32) + (1 << (depth - 9))) >> (depth - 8)
    return np.asarray(np.minimum(found, 255), np.uint8)


def _divided(
    channels: tuple[Plane, ...], scale: float
) -> tuple[tuple[Plane, ...], float]:
    """
    8-bit values that times *scale* are *channels*, and how far off they are at most.
    """
    found: list[Plane] = []
    residual = 0.0
    for channel in channels:
        small = np.minimum(np.rint(channel / scale), 255)
        residual = max(residual, float(np.abs(small * scale - channel).max(initial=0)))
        found.append(small.astype(np.uint8))
    return tuple(found), residual
