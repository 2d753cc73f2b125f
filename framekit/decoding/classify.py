"""
From the planes of a frame to ids: which color space, which lookup, what is unknown.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from framekit.color import RGB
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
from framekit.decoding.exact_rgb import exact_rgb, rgb_of_key
from framekit.decoding.finish import Found, finish
from framekit.decoding.hidden import hidden_centroids
from framekit.decoding.label_map import LabelMap
from framekit.decoding.options import Options
from framekit.decoding.planes import Planes
from framekit.decoding.targets import Targets, reduced, targets_of
from framekit.decoding.yuv_labels import (
    NONE,
    CentroidLookup,
    Labels,
    classify_planes,
    keys_of,
)
from framekit.errors import PaletteError
from framekit.palette import Palette

__all__ = ["Classifier"]

#: In RGB, colors of a lossy stream farther than this from the palette are unknown.
_NEAR_RGB: Final = 24.0

#: What lossy coding does to a flat color at most; nearer than that but not equal
#: means lossy.
_NOISE: Final = 2.0

#: Closer pairs are refused on lossy streams, or worth a warning.
_TOO_CLOSE: Final = 2.0
_CLOSE: Final = 8.0

#: For streams that are RGB at first and YUV later.
_ASSUMED: Final = Colorspace("bt601", full_range=False, reason="default")


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
        first = reduced(self.palette, first)
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
        planes = reduced(self.palette, planes)
        found = self._rgb(planes) if planes.kind == "rgb" else self._yuv(planes)
        remarks = tuple(f"{code}: {text}" for code, text in self.remarks.items())
        return finish(
            evolve(found, notes=remarks + found.notes),
            planes,
            self.palette,
            self.options,
            space=None if planes.kind == "rgb" else self._space,
            uri=self.uri,
        )

    # RGB: equal, or near.

    def _look_at_rgb(self, planes: Planes) -> None:
        planes = planes.to_8bit()
        targets = targets_of(self.palette, planes)
        keys = keys_of(planes)
        strays = self._strays(keys, targets)
        self._lossless = not (planes.altered or strays or self._is_lossy)
        if not self._lossless:
            centroids = centroids_of(targets.colors, None, full_range=True)
            self._check_pairs(centroids, targets)

    def _strays(self, keys: NDArray[np.int32], targets: Targets) -> bool:
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

    def _rgb(self, planes: Planes) -> Found:
        planes = planes.to_8bit()
        targets = targets_of(self.palette, planes)
        if self._lossless and (found := exact_rgb(planes, targets, self.palette)):
            return found
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
        labels = targets.to_ids(labels)
        return Found(labels, lossless, keys, rgb_of_key, exact=exact)

    # YUV and gray: in the planes' own space.

    def _look_at_yuv(self, planes: Planes) -> None:
        targets = targets_of(self.palette, planes)
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

    def _centroids(self, targets: Targets, found: Colorspace) -> NDArray[np.int32]:
        matrix = found.matrix or "bt601"
        colors = np.minimum(targets.colors, 255)
        return centroids_of(colors, matrix, full_range=found.full_range)

    def _rounded(self, targets: Targets) -> NDArray[np.int32]:
        """
        What encoders make of the targets, (K, 3) in whole codes.
        """
        space = self._space
        colors = np.minimum(targets.colors, 255)
        matrix = space.matrix or "bt601"
        codes = codes_of(colors, matrix, full_range=space.full_range)
        return np.floor(codes + 0.5).astype(np.int32)

    def _yuv(self, planes: Planes) -> Found:
        targets = targets_of(self.palette, planes)
        if planes.kind == "gray":
            labels, codes = self._gray_labels(planes, targets)
            if codes is not None and (self._lossless or not (labels == NONE).any()):
                ids = targets.to_ids(labels)
                return Found(ids, self._lossless, codes, _gray_of_code, exact=True)
        small = planes.to_8bit()
        centroids = self._centroids(targets, self._space)
        if planes.kind == "yuv":
            exact, keys = self._exact(small, targets)
            if (
                exact is not None
                and keys is not None
                and (self._lossless or not (exact == NONE).any())
            ):
                lossless = self._lossless and planes.depth == 8
                ids = targets.to_ids(exact)
                return Found(ids, lossless, keys, self._rgb_of_yuv, exact=True)
        return self._lossy(small, targets, centroids)

    def _lossy(
        self, small: Planes, targets: Targets, centroids: NDArray[np.int32]
    ) -> Found:
        count = len(centroids)
        if self._lossless:  # as the first frame had it
            self._check_pairs(centroids, targets)
        if self.options.unknown != "nearest":
            hidden = hidden_centroids(flat_colors(small), centroids)
            centroids = np.concatenate([centroids, hidden])
        lookup = self._lookup(centroids, None)
        found = classify_planes(small, lookup, mode=self.options.mode)
        ids = targets.to_ids(np.where(found.labels < count, found.labels, NONE))

        def color_of(label: int) -> RGB:
            return self._color(centroids[label] / SCALE)

        return Found(
            ids,
            lossless=False,
            values=found.labels,
            color_of=color_of,
            uncertain=found.uncertain,
            ambiguous_share=found.ambiguous_share,
            notes=found.notes,
        )

    def _exact(
        self, planes: Planes, targets: Targets
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
        self, planes: Planes, targets: Targets
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

    def _codes(self, planes: Planes, targets: Targets) -> NDArray[np.int64]:
        """
        The code of each target in gray *planes*, at their depth.
        """
        full = self._space.full_range
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

    @property
    def _space(self) -> Colorspace:
        return self.colorspace or _ASSUMED

    def _lookup(
        self, centroids: NDArray[np.int32], within: float | None
    ) -> CentroidLookup:
        key = centroids.tobytes() + str(within).encode()
        if key not in self._lookups:
            while len(self._lookups) >= 6:
                self._lookups.pop(next(iter(self._lookups)))
            self._lookups[key] = CentroidLookup(centroids, within=within)
        return self._lookups[key]

    def _refuse_merged(self, codes: NDArray[Any], targets: Targets) -> None:
        pair = closest_pair(np.asarray(codes, np.int32) * SCALE, within=0.5)
        if pair is not None:
            first, second = (targets.describe(n, self.palette) for n in pair[1:])
            reason = (
                f"{self.uri}: {first} and {second} have the same code in this video"
                f"{self._said()}; they cannot be told apart"
            )
            raise PaletteError(reason)

    def _check_pairs(self, centroids: NDArray[np.int32], targets: Targets) -> None:
        pair = closest_pair(centroids, within=_CLOSE)
        if pair is None:
            return
        first, second = (targets.describe(n, self.palette) for n in pair[1:])
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
        space = self._space
        return rgb_of(yuv, space.matrix or "bt601", full_range=space.full_range)


def _gray_of_code(code: int) -> RGB:
    return (code, code, code) if code < 256 else (code & 255, code >> 8, 0)


def _spelled(space: Colorspace) -> str:
    return f"{space.matrix or 'gray'} {'full' if space.full_range else 'limited'}"
