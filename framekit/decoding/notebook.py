"""
A label map as notebooks show it: a picture in the palette's colors, and a legend.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final

import numpy as np
from numpy.typing import NDArray

from framekit._markup import Markup, markup, swatch, table
from framekit.decoding.display import VOID_COLORS, display_colors, painted
from framekit.decoding.image.pictures import resize_nearest
from framekit.decoding.image.png_write import encode_png
from framekit.decoding.label_map import LabelMap

__all__ = ["label_map_html", "label_map_png"]

#: The longest side of the picture, in pixels.
_LONGEST: Final = 640

_LABEL_MAP: Final = """\
<div><p><b>LabelMap</b> {{width}} x {{height}}, {{decode}}</p>\
<img alt="The label map" src="data:image/png;base64,{{png}}">{{legend}}</div>"""


def label_map_png(label_map: LabelMap) -> bytes:
    """
    The label map as a PNG file, 640 pixels wide or high at most.
    """
    return encode_png(_small(label_map))


def label_map_html(label_map: LabelMap) -> str:
    """
    The picture, the share of each label, and how the map was made.
    """
    height, width = label_map.shape
    return markup(
        _LABEL_MAP,
        width=width,
        height=height,
        decode=_decode(label_map),
        png=b64encode(label_map_png(label_map)).decode("ascii"),
        legend=_legend(label_map),
    )


def _small(label_map: LabelMap) -> NDArray[np.uint8]:
    rgb = painted(label_map)
    height, width = label_map.shape
    scale = min(1.0, _LONGEST / max(height, width))
    if scale == 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return resize_nearest(rgb, *size)


def _decode(label_map: LabelMap) -> str:
    report = label_map.report
    facts = ["exact" if report.exact else "repaired"]
    if report.unknown_pixels:
        facts.append(f"{report.unknown_pixels:,} pixels of unknown colors")
    if report.uncertain_share:
        facts.append(f"{report.uncertain_share:.2%} uncertain")
    return ", ".join(facts)


def _legend(label_map: LabelMap) -> Markup:
    colors = display_colors(label_map)
    rows = []
    for id, pixels in sorted(label_map.counts.items(), key=lambda item: -item[1]):
        void = id == label_map.void
        name = "no label (striped)" if void else label_map.palette[id].name
        color = VOID_COLORS[1] if void else colors[id]
        share = f"{pixels / label_map.ids.size:.2%}"
        rows.append((swatch(color), id, name, f"{pixels:,}", share))
    return table(("", "id", "labels", "pixels", "share"), rows)
