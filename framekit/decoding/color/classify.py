"""
From the planes of a frame to ids: which color space, which lookup, what is unknown.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from framekit.color import RGB
from framekit.decoding.color.colorspace import (
    POOR_FIT,
    RANGES,
    SCALE,
    Colorspace,
    centroids_of,
    codes_of,
    detect_colorspace,
    flat_colors,
    residual_of,
    rgb_of,
    tagged_colorspace,
)
from framekit.decoding.color.finish import Found, finish
from framekit.decoding.color.gray_codes import (
    GrayLabels,
    codes_of_values,
    color_of_code,
    label_codes,
)
from framekit.decoding.color.hidden import FEWEST, hidden_centroids
from framekit.decoding.color.refusals import check_codes, check_distances
from framekit.decoding.color.repair.codebook import MOST_LABELS, Codebook, make_codebook
from framekit.decoding.color.targets import (
    PixelKind,
    Targets,
    pixel_kind,
    reduced,
    targets_of,
)
from framekit.decoding.color.yuv_labels import (
    Labels,
    classify_planes,
    keys_of,
    look_up_planes,
)
from framekit.decoding.label_map import LabelMap
from framekit.decoding.video.options import Options
from framekit.decoding.video.planes import Planes
from framekit.errors import PaletteError
from framekit.palette import Palette

__all__ = ["Classifier"]

#: In RGB, colors of a lossy stream farther than this from the palette are unknown.
_NEAR_RGB: Final = 24.0

#: What lossy coding does to a flat color at most; nearer than that but not equal
#: means lossy.
_NOISE: Final = 2.0

#: For streams that are RGB at first and YUV later.
_ASSUMED: Final = Colorspace("bt601", full_range=False, reason="default")

_MOST_CODEBOOKS: Final = 4


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
        self._known_targets: dict[PixelKind, Targets] = {}
        self._known_centroids: dict[Targets, NDArray[np.int32]] = {}
        self._codebooks: dict[bytes, Codebook] = {}
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
        return finish(
            found,
            planes,
            self.options,
            space=None if planes.kind == "rgb" else self._space,
            uri=self.uri,
            notes=tuple(f"{code}: {text}" for code, text in self.remarks.items()),
        )

    # RGB: equal, or near.

    def _look_at_rgb(self, planes: Planes) -> None:
        planes = planes.to_8bit()
        targets = self._targets(planes)
        centroids = centroids_of(targets.colors, None, full_range=True)
        unknown = look_up_planes(planes, centroids, within=0.0).unknown
        strays = self._strays(planes, centroids, unknown)
        self._lossless = not (planes.altered or strays or self._is_lossy)
        if not self._lossless:
            self._check_distances(centroids, targets)

    def _strays(
        self, planes: Planes, centroids: NDArray[np.int32], unknown: int
    ) -> bool:
        """
        Whether of the *unknown* pixels some are next to a color of the palette.
        """
        if not unknown or (self.palette.is_indexed and not self.palette.ids_by_color):
            return False  # the neighbors of numbers mean something else
        return look_up_planes(planes, centroids, within=_NOISE).unknown < unknown

    def _rgb(self, planes: Planes) -> Found:
        planes = planes.to_8bit()
        targets = self._targets(planes)
        centroids = centroids_of(targets.colors, None, full_range=True)
        found = look_up_planes(planes, centroids, within=0.0)
        lossless = self._lossless and not planes.altered
        exact = not planes.altered
        if found.unknown:
            lossless = lossless and not self._strays(planes, centroids, found.unknown)
            if self.options.unknown == "nearest":
                found, exact = look_up_planes(planes, centroids, within=None), False
            elif not lossless:
                found = look_up_planes(planes, centroids, within=_NEAR_RGB)
                exact = False
        return Found(
            found.labels,
            targets,
            complete=not found.unknown,
            lossless=lossless,
            values=lambda: keys_of(planes),
            color_of=_rgb_of_key,
            exact=exact,
        )

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
            centroids = _centroids(targets, found)
            found = evolve(found, residual=residual_of(flat, centroids))
        self.colorspace = found
        self._note_colorspace(tagged_colorspace(small), found)
        if planes.kind == "gray":
            codes = self._codes(planes, targets)
            self._check_codes(np.repeat(codes[:, None], 3, 1), targets)
            explained = self._gray(planes, targets).explained
        else:
            self._check_codes(self._rounded(targets), targets)
            explained = self._exact(small, targets) is not None
        self._lossless = explained and not self._is_lossy
        if not self._lossless:
            self._check_distances(_centroids(targets, found), targets)

    def _note_colorspace(self, said: Colorspace, found: Colorspace) -> None:
        if found.reason == "palette" and said.reason == "tag":
            self.remarks["colorspace-overridden"] = (
                f"the file says {said}, the palette fits {found}"
            )
        elif self.options.colorspace != "auto" and (found.residual or 0.0) > POOR_FIT:
            self.remarks["colorspace-doubtful"] = (
                f"flat regions are {found.residual:.1f} codes from the palette's "
                f"colors under {found}"
            )

    def _yuv(self, planes: Planes) -> Found:
        targets = self._targets(planes)
        if planes.kind == "gray":
            gray = self._gray(planes, targets)
            if gray.explained and (self._lossless or not gray.unknown):
                return Found(
                    gray.labels,
                    targets,
                    complete=not gray.unknown,
                    lossless=self._lossless,
                    values=lambda: planes.channels[0],
                    color_of=color_of_code,
                    exact=True,
                )
        small = planes.to_8bit()
        if planes.kind == "yuv" and self._lossless:
            labels = self._exact(small, targets)
            if labels is not None:
                return Found(
                    labels,
                    targets,
                    complete=False,
                    lossless=planes.depth == 8,
                    values=lambda: keys_of(small),
                    color_of=self._rgb_of_yuv,
                    exact=True,
                )
        return self._lossy(small, targets)

    def _lossy(self, small: Planes, targets: Targets) -> Found:
        count = len(targets)
        centroids = self._centroids(targets)
        if self._lossless:  # as the first frame had it
            self._check_distances(centroids, targets)
        found = classify_planes(
            small, self._codebook(centroids), mode=self.options.mode
        )
        hidden = np.empty((0, 3), np.int32)
        if self.options.unknown != "nearest" and found.foreign >= FEWEST:
            hidden = hidden_centroids(flat_colors(small, wide=True), centroids)
            hidden = hidden[: MOST_LABELS - count]
        if len(hidden):
            centroids = np.concatenate([centroids, hidden])
            found = classify_planes(
                small, self._codebook(centroids), mode=self.options.mode
            )
        return Found(
            found.labels,
            targets,
            complete=not len(hidden),
            lossless=False,
            values=lambda: found.labels,
            color_of=lambda label: self._color(centroids[label] / SCALE),
            doubtful=found.doubtful,
            ambiguous_share=found.ambiguous,
            noise=found.noise / 256 if found.noise else None,
        )

    def _exact(self, planes: Planes, targets: Targets) -> Labels | None:
        """
        Labels of pixels that equal a rounded centroid, if that explains the frame.

        It does if all pixels do, or, without subsampling, those that do not are not
        even near one.
        """
        rounded = self._rounded(targets)
        whole = planes.steps == (1, 1)
        if not whole:
            for plane, column in zip(planes.channels, rounded.T, strict=True):
                allowed = np.zeros(256, bool)
                allowed[column] = True
                if not (allowed[plane[::16]].all() and allowed[plane].all()):
                    return None
        found = look_up_planes(planes, rounded * SCALE, within=0.0)
        if found.unknown:
            if not whole or found.unknown > planes.channels[0].size / 2:
                return None
            near = look_up_planes(planes, rounded * SCALE, within=_NOISE)
            if near.unknown < found.unknown:
                return None
        return found.labels

    def _gray(self, planes: Planes, targets: Targets) -> GrayLabels:
        codes = self._codes(planes, targets)
        return label_codes(planes, targets, codes, is_lossy=self._is_lossy)

    def _codes(self, planes: Planes, targets: Targets) -> NDArray[np.int64]:
        return codes_of_values(targets, planes, full_range=self._space.full_range)

    def _rounded(self, targets: Targets) -> NDArray[np.int32]:
        """
        What encoders make of the targets, (K, 3) in whole codes.
        """
        space = self._space
        colors = np.minimum(targets.colors, 255)
        matrix = space.matrix or "bt601"
        codes = codes_of(colors, matrix, full_range=space.full_range)
        return np.floor(codes + 0.5).astype(np.int32)

    # What holds for all kinds.

    @property
    def _space(self) -> Colorspace:
        return self.colorspace or _ASSUMED

    def _targets(self, planes: Planes) -> Targets:
        kind = pixel_kind(self.palette, planes)
        if kind not in self._known_targets:
            self._known_targets[kind] = targets_of(self.palette, kind)
        return self._known_targets[kind]

    def _centroids(self, targets: Targets) -> NDArray[np.int32]:
        if targets not in self._known_centroids:
            self._known_centroids[targets] = _centroids(targets, self._space)
        return self._known_centroids[targets]

    def _codebook(self, centroids: NDArray[np.int32]) -> Codebook:
        if len(centroids) > MOST_LABELS:
            reason = f"{self.uri}: a lossy video holds at most {MOST_LABELS} colors"
            raise PaletteError(reason)
        key = centroids.tobytes()
        if key not in self._codebooks:
            while len(self._codebooks) >= _MOST_CODEBOOKS:
                del self._codebooks[next(iter(self._codebooks))]
            self._codebooks[key] = make_codebook(centroids)
        return self._codebooks[key]

    def _check_codes(self, codes: NDArray[Any], targets: Targets) -> None:
        check_codes(codes, targets, uri=self.uri, space=self._said())

    def _check_distances(self, centroids: NDArray[np.int32], targets: Targets) -> None:
        close = check_distances(centroids, targets, uri=self.uri, space=self._said())
        if close is not None and not self._lossless:
            self.remarks["palette-too-close"] = close

    def _said(self) -> str:
        return "" if self.colorspace is None else f" ({self.colorspace})"

    def _rgb_of_yuv(self, key: int) -> RGB:
        return self._color(np.array([key >> 16, key >> 8 & 255, key & 255], float))

    def _color(self, yuv: NDArray[np.float64]) -> RGB:
        space = self._space
        return rgb_of(yuv, space.matrix or "bt601", full_range=space.full_range)


def _centroids(targets: Targets, found: Colorspace) -> NDArray[np.int32]:
    colors = np.minimum(targets.colors, 255)
    return centroids_of(colors, found.matrix or "bt601", full_range=found.full_range)


def _rgb_of_key(key: int) -> RGB:
    return key >> 16, key >> 8 & 255, key & 255
