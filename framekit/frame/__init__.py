"""
Frames: the model of ClearML's SingleFrame JSON, lossless both ways.
"""

from framekit.frame.frame_group import FrameGroup
from framekit.frame.geometry import (
    Box2D,
    Box3D,
    Ellipse2D,
    Geometry,
    KeyPoints2D,
    KeyPoints3D,
    Polygon2D,
    Polygon3D,
)
from framekit.frame.roi import Roi, RoiMask
from framekit.frame.single_frame import SingleFrame
from framekit.frame.source import Mask, Preview, Source
from framekit.frame.spelling import Respelling, canonical, written_path

__all__ = [
    "Box2D",
    "Box3D",
    "Ellipse2D",
    "FrameGroup",
    "Geometry",
    "KeyPoints2D",
    "KeyPoints3D",
    "Mask",
    "Polygon2D",
    "Polygon3D",
    "Preview",
    "Respelling",
    "Roi",
    "RoiMask",
    "SingleFrame",
    "Source",
    "canonical",
    "written_path",
]
