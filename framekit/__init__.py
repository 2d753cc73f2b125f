"""
Frames with color-coded masks: build, validate, decode.

Names that need av, Pillow or jsonschema are resolved when they are first used,
so that building frames costs none of these imports.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from framekit import errors
from framekit.color import pack_rgb, unpack_rgb
from framekit.errors import (
    DecodeError,
    DecodeWarning,
    DocumentError,
    FramekitError,
    PaletteError,
    StorageError,
    TimestampError,
    UnknownColorError,
)
from framekit.frame import (
    FrameGroup,
    Mask,
    Preview,
    Roi,
    RoiMask,
    SingleFrame,
    Source,
)
from framekit.palette import Palette, PaletteEntry
from framekit.problem import Problem, Severity
from framekit.storage import Storage

if TYPE_CHECKING:
    from framekit.dataset import Dataset, DatasetVersion, diff, open_target
    from framekit.decoding.decode import Decoded, decode, decode_frames
    from framekit.decoding.image.arrays import ensure_label_array
    from framekit.decoding.image.decode import decode_image
    from framekit.decoding.label_map import LabelMap
    from framekit.decoding.report import DecodeReport
    from framekit.decoding.video.encode import encode_mask_video
    from framekit.decoding.video.mask_video import MaskFrame, MaskVideo
    from framekit.validation import Report
    from framekit.validation.validate import validate

__version__ = "0.1.0"

__all__ = [
    "Dataset",
    "DatasetVersion",
    "DecodeError",
    "DecodeReport",
    "DecodeWarning",
    "Decoded",
    "DocumentError",
    "FrameGroup",
    "FramekitError",
    "LabelMap",
    "Mask",
    "MaskFrame",
    "MaskVideo",
    "Palette",
    "PaletteEntry",
    "PaletteError",
    "Preview",
    "Problem",
    "Report",
    "Roi",
    "RoiMask",
    "Severity",
    "SingleFrame",
    "Source",
    "Storage",
    "StorageError",
    "TimestampError",
    "UnknownColorError",
    "decode",
    "decode_frames",
    "decode_image",
    "diff",
    "encode_mask_video",
    "ensure_label_array",
    "errors",
    "open_target",
    "pack_rgb",
    "unpack_rgb",
    "validate",
]

_ON_FIRST_USE: Final = {
    "Dataset": "framekit.dataset",
    "DatasetVersion": "framekit.dataset",
    "DecodeReport": "framekit.decoding.report",
    "Decoded": "framekit.decoding.decode",
    "LabelMap": "framekit.decoding.label_map",
    "MaskFrame": "framekit.decoding.video.mask_video",
    "MaskVideo": "framekit.decoding.video.mask_video",
    "Report": "framekit.validation",
    "decode": "framekit.decoding.decode",
    "decode_frames": "framekit.decoding.decode",
    "decode_image": "framekit.decoding.image.decode",
    "diff": "framekit.dataset",
    "encode_mask_video": "framekit.decoding.video.encode",
    "ensure_label_array": "framekit.decoding.image.arrays",
    "open_target": "framekit.dataset",
    "validate": "framekit.validation",
}


def __getattr__(name: str) -> Any:
    module = _ON_FIRST_USE.get(name)
    if module is None:
        raise AttributeError(f"module 'framekit' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(module), name)
    return found


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
