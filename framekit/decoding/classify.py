"""
From the planes of a frame to ids: which color space, which lookup, what is unknown.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from framekit.color import RGB, unpack_rgb
from framekit.decoding.colorspace import (
    POOR_FIT,
    RANGES,
    SCALE,
    Colorspace,
    centroids_of,
    closest_pair,
    codes_of,
    detect_colorspace,
    flat_colors,
    residual_of,
    rgb_of,
    tagged_colorspace,
)
from framekit.decoding.hidden import hidden_centroids
from framekit.decoding.label_map import LabelMap, id_dtype, void_of
from framekit.decoding.planes import Planes
from framekit.decoding.report import DecodeReport, UnknownColor
from framekit.decoding.yuv_labels import (
    NONE,
    CentroidLookup,
    Labels,
    Mode,
    classify_planes,
    keys_of,
)
from framekit.errors import PaletteError, UnknownColorError
from framekit.palette import Palette, PaletteEntry

__all__ = ["Classifier", "Options"]

#: In RGB, colors of a lossy stream farther than this from the palette are unknown.
_NEAR_RGB: Final = 24.0

#: What lossy coding does to a flat color at most; nearer than that but not equal
#: means lossy.
_NOISE: Final = 2.0

#: Closer pairs are refused on lossy streams, or worth a warning.
_TOO_CLOSE: Final = 2.0
_CLOSE: Final = 8.0

_MOST_COLORS: Final = 8


@frozen(kw_only=True)
class Options:
    """
    How planes become labels; the words of the interface.
    """

    mode: Mode = "full"
    colorspace: Any = "auto"
    unknown: Literal["void", "error", "nearest"] = "void"
    uncertain: Literal["keep", "void"] = "keep"
    alpha: Literal["ignore", "void"] = "ignore"


class _Targets(NamedTuple):
    """
    What pixels are compared with, and the ids these stand for.
    """

    #: (K, 3) float64: RGB, or a gray value three times.
    colors: NDArray[np.float64]
    ids: tuple[int, ...]


@frozen(eq=False)
class _Found:
    """
    The labels of one frame as stored, before it is turned.
    """

    labels: Labels
    lossless: bool | None

    #: For each pixel a value, and the color that each value stands for.
    values: NDArray[Any] | None = None
    color_of: Any = None

    exact: bool = False
    uncertain: NDArray[np.bool_] | None = None
    ambiguous_share: float = 0.0
    notes: tuple[str, ...] = field(default=())


class Classifier:
    """
    Turns frames of one video into label maps.

    The reason for this being a class is that the first frame decides, for all of
    them, about the color space and whether the stream is lossless. Nothing that is
    decoded later changes anything.
    """

    def __init__(
        self,
        palette: Palette,
        options: Options,
        first: Planes,
        *,
        is_lossy: bool = False,
        uri: str,
    ) -> None:
        """
        Look at the *first* frame.

        Args:
            is_lossy: Whether the codec rules out that the stream is lossless.

        Raises:
            PaletteError: If the stream cannot keep the palette's colors apart.
        """
        self.palette = palette
        self.options = options
        self.uri = uri
        self._is_lossy = is_lossy
        #: Remarks that hold for every frame: code and text.
        self.remarks: dict[str, str] = {}
        self.colorspace: Colorspace | None = None
        self._lookups: dict[bytes, CentroidLookup] = {}
        self._void = void_of(palette)
        self._dtype = id_dtype(palette)
        first = self._reduced(first)
        self._kind = first.kind
        if first.kind == "rgb":
            self._look_at_rgb(first)
        else:
            self._look_at_yuv(first)

    def label_map(self, planes: Planes) -> LabelMap:
        """
        Label one frame.

        Raises:
            UnknownColorError: If it has colors that the palette does not have, and
                ``unknown`` is ``"error"``.
        """
        planes = self._reduced(planes)
        found = self._rgb(planes) if planes.kind == "rgb" else self._yuv(planes)
        return self._finished(planes, found)

    # What pixels are compared with.

    def _targets(self, planes: Planes) -> _Targets:
        by_color = self.palette.ids_by_color
        by_index = self.palette.ids_by_index
        if planes.kind == "gray":
            if self.palette.is_indexed:
                pairs = [((v, v, v), id) for v, id in by_index.items()]
            else:
                pairs = [(c, id) for c, id in by_color.items() if len(set(c)) == 1]
        elif by_color:
            pairs = list(by_color.items())
        elif planes.kind == "yuv" or _is_gray(planes):
            pairs = [((v, v, v), id) for v, id in by_index.items() if v < 256]
        else:
            pairs = [(unpack_rgb(v), id) for v, id in by_index.items() if v < 1 << 24]
        if not pairs:
            raise PaletteError("the palette has nothing that a pixel can be")
        colors = np.array([color for color, _ in pairs], np.float64).reshape(-1, 3)
        return _Targets(colors, tuple(id for _, id in pairs))

    def _reduced(self, planes: Planes) -> Planes:
        """
        YUV without color as gray, for palettes without color; the depth is kept.
        """
        if planes.kind != "yuv" or not self._is_colorless:
            return planes
        middle = 1 << (planes.depth - 1)
        for chroma in planes.channels[1:]:
            if chroma.size and (chroma.min() < middle - 1 or chroma.max() > middle + 1):
                return planes
        return Planes(
            "gray",
            planes.channels[:1],
            planes.depth,
            full_range=planes.full_range,
            alpha=planes.alpha,
            orientation=planes.orientation,
            altered=planes.depth > 8,
        )

    @property
    def _is_colorless(self) -> bool:
        return all(len(set(color)) == 1 for color in self.palette.ids_by_color)

    # RGB: equal, or near.

    def _look_at_rgb(self, planes: Planes) -> None:
        planes = planes.to_8bit()
        targets = self._targets(planes)
        keys = keys_of(planes)
        strays = self._strays(keys, targets)
        self._lossless = not (planes.altered or strays or self._is_lossy)
        if not self._lossless:
            centroids = centroids_of(targets.colors, None, full_range=True)
            self._check_pairs(centroids, targets)

    def _strays(self, keys: NDArray[np.int32], targets: _Targets) -> bool:
        """
        Whether pixels are next to a color of the palette, without being equal.
        """
        if self.palette.is_indexed and not self.palette.ids_by_color:
            return False  # numbers, whose neighbors mean something else
        centroids = centroids_of(targets.colors, None, full_range=True)
        unequal = keys[self._lookup(centroids, 0.0)(keys) == NONE]
        if not len(unequal):
            return False
        near = self._lookup(centroids, _NOISE)(np.unique(unequal))
        return bool((near != NONE).any())

    def _rgb(self, planes: Planes) -> _Found:
        planes = planes.to_8bit()
        targets = self._targets(planes)
        keys = keys_of(planes)
        centroids = centroids_of(targets.colors, None, full_range=True)
        labels = self._lookup(centroids, 0.0)(keys)
        lossless = self._lossless and not planes.altered
        exact = not planes.altered
        if (labels == NONE).any():
            lossless = lossless and not self._strays(keys, targets)
            if self.options.unknown == "nearest":
                labels, exact = self._lookup(centroids, None)(keys), False
            elif not lossless:
                labels, exact = self._lookup(centroids, _NEAR_RGB)(keys), False
        labels = _as_ids(labels, targets)
        return _Found(labels, lossless, keys, _rgb_of_key, exact=exact)

    # YUV and gray: in the planes' own space.

    def _look_at_yuv(self, planes: Planes) -> None:
        targets = self._targets(planes)
        small = planes.to_8bit()
        flat = flat_colors(small)
        given = self.options.colorspace
        if given == "auto":
            found = detect_colorspace(flat, np.minimum(targets.colors, 255), small)
        else:
            found = tagged_colorspace(small)
            if given != "tag":
                matrix = None if planes.kind == "gray" else given[0]
                found = Colorspace(matrix, RANGES[given[1]], "given")
            centroids = self._centroids(targets, found)
            found = evolve(found, residual=residual_of(flat, centroids))
        self.colorspace = found
        self._note_colorspace(tagged_colorspace(small), found)
        centroids = self._centroids(targets, found)
        if planes.kind == "gray":
            exact = self._gray_labels(planes, targets)[1]
            codes = self._codes(planes, targets)
            self._refuse_merged(np.repeat(codes[:, None], 3, 1), targets)
        else:
            self._refuse_merged(self._rounded(targets), targets)
            exact = self._exact(small, targets)[0]
        self._lossless = exact is not None and not self._is_lossy
        if not self._lossless:
            self._check_pairs(centroids, targets)

    def _note_colorspace(self, said: Colorspace, found: Colorspace) -> None:
        if found.reason == "palette" and said.reason == "tag":
            self.remarks["colorspace-overridden"] = (
                f"the file says {_spelled(said)}, the palette fits {_spelled(found)}"
            )
        elif self.options.colorspace != "auto" and (found.residual or 0.0) > POOR_FIT:
            self.remarks["colorspace-doubtful"] = (
                f"flat regions are {found.residual:.1f} codes from the palette's "
                f"colors under {_spelled(found)}"
            )

    def _centroids(self, targets: _Targets, found: Colorspace) -> NDArray[np.int32]:
        matrix = found.matrix or "bt601"
        colors = np.minimum(targets.colors, 255)
        return centroids_of(colors, matrix, full_range=found.full_range)

    def _rounded(self, targets: _Targets) -> NDArray[np.int32]:
        """
        What encoders make of the targets, (K, 3) in whole codes.
        """
        found = self.colorspace
        matrix = "bt601" if found is None else found.matrix or "bt601"
        full_range = found is not None and found.full_range
        colors = np.minimum(targets.colors, 255)
        return np.floor(codes_of(colors, matrix, full_range=full_range) + 0.5).astype(
            np.int32
        )

    def _yuv(self, planes: Planes) -> _Found:
        assert self.colorspace is not None or self._kind == "rgb"  # noqa: S101
        targets = self._targets(planes)
        if self.colorspace is None:  # the stream changed its kind
            self.colorspace = tagged_colorspace(planes)
        if planes.kind == "gray":
            labels, codes = self._gray_labels(planes, targets)
            if codes is not None and (self._lossless or not (labels == NONE).any()):
                ids = _as_ids(labels, targets)
                return _Found(ids, self._lossless, codes, _gray_of_code, exact=True)
        small = planes.to_8bit()
        centroids = self._centroids(targets, self.colorspace)
        if planes.kind == "yuv":
            exact, keys = self._exact(small, targets)
            if exact is not None and (self._lossless or not (exact == NONE).any()):
                lossless = self._lossless and planes.depth == 8
                ids = _as_ids(exact, targets)
                return _Found(ids, lossless, keys, self._rgb_of_yuv, exact=True)
        return self._lossy(small, targets, centroids)

    def _lossy(
        self, small: Planes, targets: _Targets, centroids: NDArray[np.int32]
    ) -> _Found:
        count = len(centroids)
        if self._lossless:  # as the first frame had it
            self._check_pairs(centroids, targets)
        if self.options.unknown != "nearest":
            hidden = hidden_centroids(flat_colors(small), centroids)
            centroids = np.concatenate([centroids, hidden])
        lookup = self._lookup(centroids, None)
        found = classify_planes(small, lookup, mode=self.options.mode)
        ids = _as_ids(np.where(found.labels < count, found.labels, NONE), targets)

        def color_of(label: int) -> RGB:
            return self._color(centroids[label] / SCALE)

        return _Found(
            ids,
            lossless=False,
            values=found.labels,
            color_of=color_of,
            uncertain=found.uncertain,
            ambiguous_share=found.ambiguous_share,
            notes=found.notes,
        )

    def _exact(
        self, planes: Planes, targets: _Targets
    ) -> tuple[Labels | None, NDArray[np.int32] | None]:
        """
        Labels of pixels that equal a rounded centroid, if that explains the frame.

        It does if all pixels do, or, without subsampling, those that do not are not
        even near one.
        """
        rounded = self._rounded(targets)
        for plane, column in zip(planes.channels, rounded.T, strict=True):
            allowed = np.zeros(256, bool)
            allowed[column] = True
            if planes.steps != (1, 1) and not allowed[plane].all():
                return None, None
        keys = keys_of(planes)
        labels = self._lookup(rounded * SCALE, 0.0)(keys)
        unequal = labels == NONE
        if unequal.any():
            if planes.steps != (1, 1) or unequal.mean() > 0.5:
                return None, None
            near = self._lookup(rounded * SCALE, _NOISE)(np.unique(keys[unequal]))
            if (near != NONE).any():
                return None, None
        return labels, keys

    def _gray_labels(
        self, planes: Planes, targets: _Targets
    ) -> tuple[Labels, NDArray[Any] | None]:
        """
        Labels of pixels that equal a value's code, and the codes if that is all.
        """
        codes = self._codes(planes, targets)
        table = np.full(1 << planes.depth, NONE, np.int32)
        inside = np.flatnonzero((codes >= 0) & (codes < len(table)))[::-1]
        if planes.depth > 8:  # what was 8 bits may be a code off
            for near in (-1, 1):
                table[np.clip(codes[inside] + near, 0, len(table) - 1)] = inside
        table[codes[inside]] = inside
        values = planes.channels[0]
        labels = table[values]
        if (labels == NONE).any():
            present = np.flatnonzero(np.bincount(values.reshape(-1)))
            unequal = present[table[present] == NONE]
            noise = int(_NOISE) << (planes.depth - 8)
            if self.palette.is_indexed and not self._is_lossy:
                return labels, values
            if np.abs(unequal[:, None] - codes[None]).min() <= noise:
                return labels, None
        return labels, values

    def _codes(self, planes: Planes, targets: _Targets) -> NDArray[np.int64]:
        """
        The code of each target in gray *planes*, at their depth.
        """
        full = self.colorspace is None or self.colorspace.full_range
        values = targets.colors[:, 0]
        if not full:
            scale = 1 << (planes.depth - 8)
            codes = (16 + 219 * values / 255) * scale
        elif planes.depth == 8 or (
            self.palette.is_indexed and (not planes.altered or values.max() > 255)
        ):
            codes = values
        else:
            codes = values * ((1 << planes.depth) - 1) / 255
        return np.rint(codes).astype(np.int64)

    # What holds for all kinds.

    def _lookup(self, centroids: NDArray[np.int32], within: float | None) -> CentroidLookup:
        key = centroids.tobytes() + str(within).encode()
        if key not in self._lookups:
            while len(self._lookups) >= 6:
                self._lookups.pop(next(iter(self._lookups)))
            self._lookups[key] = CentroidLookup(centroids, within=within)
        return self._lookups[key]

    def _entry(self, targets: _Targets, position: int) -> str:
        entry: PaletteEntry = self.palette[targets.ids[position]]
        return f"{entry.name!r} {list(map(int, targets.colors[position]))}"

    def _refuse_merged(self, codes: NDArray[Any], targets: _Targets) -> None:
        pair = closest_pair(np.asarray(codes, np.int32) * SCALE, within=0.5)
        if pair is not None:
            first, second = (self._entry(targets, n) for n in pair[1:])
            reason = (
                f"{self.uri}: {first} and {second} have the same code in this video"
                f"{self._said()}; they cannot be told apart"
            )
            raise PaletteError(reason)

    def _check_pairs(self, centroids: NDArray[np.int32], targets: _Targets) -> None:
        pair = closest_pair(centroids, within=_CLOSE)
        if pair is None:
            return
        first, second = (self._entry(targets, n) for n in pair[1:])
        text = f"{first} and {second} are {pair[0]:.1f} codes apart"
        if pair[0] < _TOO_CLOSE:
            reason = (
                f"{self.uri}: {text} in this lossy video{self._said()}; they cannot "
                "be told apart"
            )
            raise PaletteError(reason)
        if not self._lossless:
            self.remarks["palette-too-close"] = f"{text}, and the video is lossy"

    def _said(self) -> str:
        found = self.colorspace
        return "" if found is None else f" ({_spelled(found)})"

    def _rgb_of_yuv(self, key: int) -> RGB:
        return self._color(np.array([key >> 16, key >> 8 & 255, key & 255], float))

    def _color(self, yuv: NDArray[np.float64]) -> RGB:
        found = self.colorspace or Colorspace("bt601", False, "default")  # noqa: FBT003
        return rgb_of(yuv, found.matrix or "bt601", full_range=found.full_range)

    def _finished(self, planes: Planes, found: _Found) -> LabelMap:
        turn = planes.orientation.apply
        ids = turn(found.labels)
        unknown = ids == NONE
        if planes.alpha is not None and self.options.alpha == "void":
            unknown &= turn(planes.alpha) != 0
        colors: tuple[UnknownColor, ...] = ()
        count = int(np.count_nonzero(unknown))
        if count and found.values is not None:
            colors = _most_frequent(turn(found.values), unknown, found.color_of)
        if count and self.options.unknown == "error":
            raise UnknownColorError(self.uri, tuple(color for color, _, _ in colors))
        if self._void != NONE:
            ids = np.where(ids == NONE, self._void, ids)
        ids = np.array(ids, self._dtype, order="C")
        if planes.alpha is not None and self.options.alpha == "void":
            ids[turn(planes.alpha) == 0] = self._void
        uncertain = found.uncertain
        if uncertain is not None:
            uncertain = np.array(turn(uncertain), order="C")
            if self.options.uncertain == "void":
                ids[uncertain] = self._void
        space = None if planes.kind == "rgb" else self.colorspace
        remarks = tuple(f"{code}: {text}" for code, text in self.remarks.items())
        report = DecodeReport(
            exact=found.exact,
            lossless=found.lossless,
            unknown_pixels=count,
            unknown_colors=colors,
            ambiguous_share=found.ambiguous_share,
            uncertain_share=0.0 if uncertain is None else float(uncertain.mean()),
            matrix=None if space is None else space.matrix,
            full_range=None if space is None else space.full_range,
            colorspace_reason=None if space is None else space.reason,
            residual=None if space is None else space.residual,
            notes=remarks + found.notes,
        )
        return LabelMap(ids, self.palette, report, uncertain)


def _as_ids(labels: Labels, targets: _Targets) -> Labels:
    """
    Replace positions by ids; ``NONE`` stays.
    """
    if targets.ids == tuple(range(len(targets.ids))):
        return labels
    return np.array([*targets.ids, NONE], np.int32)[labels]


def _is_gray(planes: Planes) -> bool:
    red, green, blue = planes.channels
    return bool((red == green).all() and (green == blue).all())


def _rgb_of_key(key: int) -> RGB:
    return key >> 16, key >> 8 & 255, key & 255


def _gray_of_code(code: int) -> RGB:
    return (code, code, code) if code < 256 else (code & 255, code >> 8, 0)


def _spelled(space: Colorspace) -> str:
    return f"{space.matrix or 'gray'} {'full' if space.full_range else 'limited'}"


def _most_frequent(
    values: NDArray[Any], unknown: NDArray[np.bool_], color_of: Any
) -> tuple[UnknownColor, ...]:
    found, counts = np.unique(values[unknown], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_COLORS]
    colors: list[UnknownColor] = []
    for n in order:
        here = (values == found[n]) & unknown
        rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
        box = (
            int(columns[0]),
            int(rows[0]),
            int(columns[-1]) + 1,
            int(rows[-1]) + 1,
        )
        colors.append((color_of(int(found[n])), int(counts[n]), box))
    return tuple(colors)
