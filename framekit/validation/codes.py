"""
Every code that validation reports: how bad it is, what it means, what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from framekit.problem import Problem, Severity

__all__ = ["CODES", "LEVELS", "Code", "counted", "problem", "stamped"]

#: The levels of validation; each includes those before it.
LEVELS: Final = ("schema", "references", "media", "pixels")

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO


@frozen
class Code:
    """
    A kind of problem.
    """

    code: str

    #: The first level that reports it.
    level: str
    severity: Severity

    #: One line, as the README's table has it.
    meaning: str

    #: What to do about it.
    hint: str = ""


def counted(number: int | None, noun: str) -> str:
    """
    How messages count: ``"1 frame"``, ``"1,234 frames"``.
    """
    number = number or 0
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def problem(code: str, message: str, at: str = "$", **facts: Any) -> Problem:
    """
    A problem of *code*, with the severity and the hint of the table.
    """
    row = CODES[code]
    return Problem(code, row.severity, message, at, hint=row.hint, **facts)


def stamped(found: Problem, document: str, at: str, frame: str | None) -> Problem:
    """
    *found* at its place, with the severity and the hint of the table.

    Args:
        at: JSON path in *document*.
        frame: The id of the frame.
    """
    row = CODES[found.code]
    # Spelled out: evolve() takes three times as long, and there may be millions.
    return Problem(
        found.code,
        row.severity,
        found.message,
        at,
        document,
        found.hint or row.hint,
        frame,
        found.source,
        found.mask,
        found.color,
        found.count,
        found.box,
    )


def _table(level: str, *rows: tuple[str, Severity, str, str]) -> dict[str, Code]:
    return {
        code: Code(code, level, severity, meaning, hint)
        for code, severity, meaning, hint in rows
    }


_SCHEMA: Final = _table(
    "schema",
    (
        "invalid-json",
        _E,
        "A document, or a line of one, is no JSON.",
        "",
    ),
    (
        "torn-line",
        _E,
        "A file ends in the middle of its last line.",
        "write the line again; whatever wrote the file was interrupted",
    ),
    (
        "bad-utf8",
        _E,
        "A document has bytes that are no UTF-8.",
        "save the file as UTF-8",
    ),
    (
        "line-too-long",
        _E,
        "A line has more than 64 MiB; it is not read.",
        "put large data into files and name them",
    ),
    (
        "empty-document",
        _E,
        "A file has nothing in it.",
        "",
    ),
    (
        "no-frames",
        _W,
        "The target has no frames, so nothing was validated.",
        "",
    ),
    (
        "two-frame-files",
        _W,
        "A folder has both frames.jsonl and frames.json; only the first is read.",
        "remove one of the two",
    ),
    (
        "duplicate-key",
        _E,
        "An object has a key twice; most parsers lose one of the values silently.",
        "remove all but one",
    ),
    (
        "integer-too-large",
        _E,
        "An integer needs more than 64 bits; most parsers change it silently.",
        "write it as text",
    ),
    (
        "missing-key",
        _E,
        "A key that is needed is not there.",
        "",
    ),
    (
        "wrong-type",
        _E,
        "A value has a type that the format does not have there.",
        "",
    ),
    (
        "wrong-length",
        _E,
        "An array has too few or too many items, like a color of four numbers.",
        "",
    ),
    (
        "wrong-value",
        _E,
        "A value is none of those that are possible, like an empty id.",
        "",
    ),
    (
        "non-canonical",
        _W,
        "A spelling that ClearML's pages or clients use but its schema does not.",
        "it is read as meant; framekit writes it canonically",
    ),
)

_REFERENCES: Final = _table(
    "references",
    (
        "misspelled-key",
        _W,
        "A key is not known, but much like one that is; what it says is not read.",
        "",
    ),
    (
        "duplicate-frame-id",
        _E,
        "Two frames have the same id; one would replace the other.",
        "",
    ),
    (
        "duplicate-source-id",
        _E,
        "Two sources of a frame have the same id.",
        "",
    ),
    (
        "duplicate-mask-id",
        _E,
        "Two masks of a source have the same id.",
        "",
    ),
    (
        "dangling-mask-id",
        _E,
        "An ROI names a mask that none of its sources has.",
        "",
    ),
    (
        "mask-id-is-label",
        _W,
        "The mask ids and labels of all ROIs of a frame are exchanged.",
        "read as meant; write the mask's id into mask.id, the label into label",
    ),
    (
        "unknown-source",
        _E,
        "An ROI names a source that its frame does not have.",
        "",
    ),
    (
        "frame-without-sources",
        _W,
        "A frame has no sources, so it shows nothing.",
        "",
    ),
    (
        "mask-without-labels",
        _I,
        "No ROI and no mask_labels say what a mask's colors mean; told once a mask.",
        "",
    ),
    (
        "unused-mask-labels",
        _W,
        "The version's mask_labels speak about a mask id that no frame has.",
        "",
    ),
    (
        "color-out-of-range",
        _E,
        "A color has a channel above 255, which no pixel has.",
        "",
    ),
    (
        "negative-color",
        _W,
        "A color has a negative channel, like one on ClearML's pages; none matches.",
        "",
    ),
    (
        "color-has-two-label-sets",
        _E,
        "One color of a mask stands for two different sets of labels.",
        "put all labels into one ROI, or give each its own color",
    ),
    (
        "mask-labels-conflict",
        _W,
        "Two levels (ROIs, mask_labels of a mask, of all masks) disagree on a color.",
        "the former counts",
    ),
    (
        "roi-without-label",
        _W,
        "An ROI has no label, or an empty one.",
        "",
    ),
    (
        "confidence-out-of-range",
        _W,
        "A confidence is not within 0 to 1.",
        "",
    ),
    (
        "bad-geometry",
        _W,
        "A poly has not as many numbers as its shape needs.",
        "",
    ),
    (
        "size-not-positive",
        _W,
        "A width or height is zero or less.",
        "leave it out when it is not known",
    ),
    (
        "negative-timestamp",
        _W,
        "A position in a stream is before its start.",
        "",
    ),
    (
        "timestamp-mismatch",
        _W,
        "A video and its mask video are at different timestamps.",
        "the mask's timestamp is the position in the mask's own stream",
    ),
    (
        "mask-is-source",
        _W,
        "A mask has the URI of its source.",
        "",
    ),
    (
        "meta-type-conflict",
        _E,
        "A key of meta has two types in one version, which ClearML refuses.",
        "use one type, or another key",
    ),
)

_MEDIA: Final = _table(
    "media",
    (
        "missing-media",
        _E,
        "A file that a frame names is not there.",
        "",
    ),
    (
        "refused-uri",
        _E,
        "A URI leads out of the folder, or to a server that is not allowed.",
        "",
    ),
    (
        "unreadable-media",
        _E,
        "A file cannot be opened, or is no image and no video.",
        "",
    ),
    (
        "truncated-media",
        _E,
        "A file breaks off.",
        "",
    ),
    (
        "unreachable-media",
        _E,
        "The server of a file cannot be reached, keeps failing, or takes too long.",
        "try again when it is back",
    ),
    (
        "unreadable-preview",
        _W,
        "A preview is missing, refused, or no image and no video.",
        "",
    ),
    (
        "content-type-mismatch",
        _W,
        "A content_type is not what the file is.",
        "",
    ),
    (
        "declared-size-mismatch",
        _W,
        "A width and height are not those of the file.",
        "",
    ),
    (
        "mask-size-mismatch",
        _E,
        "A mask has not the size of its source.",
        "",
    ),
    (
        "worker-died",
        _E,
        "What looked at the files of a frame died of it, or ran out of memory.",
        "its files are not to be trusted",
    ),
    (
        "timestamp-beyond-video",
        _E,
        "A timestamp is not within the video.",
        "",
    ),
)

_PIXELS: Final = _table(
    "pixels",
    (
        "undecodable-mask",
        _E,
        "A mask's pixels cannot be decoded.",
        "",
    ),
    (
        "unknown-color",
        _E,
        "A mask has pixels of a color that has no label; told once a color and file.",
        "give the color a label, or see where it comes from",
    ),
    (
        "declared-color-absent",
        _I,
        "A color has a label, but no frame of the version shows it; told once.",
        "",
    ),
    (
        "palette-too-close",
        _W,
        "Two colors of a video mask are so close that lossy coding may mix them up.",
        "store the mask lossless, or choose colors further apart",
    ),
)

#: Every code, in the order of the levels.
CODES: Final[Mapping[str, Code]] = MappingProxyType(
    _SCHEMA | _REFERENCES | _MEDIA | _PIXELS
)
