"""
A folder of images and a folder of masks, matched by their names, with a palette.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from attrs import evolve, frozen

from framekit.decoding.image.decode import decode_image
from framekit.decoding.image.writing import encode_label_map
from framekit.errors import ArgumentError, MissingFileError, PaletteError
from framekit.formats.classes import painted, things_said
from framekit.formats.collection import Collection
from framekit.formats.input import one_by_one, unmatched
from framekit.formats.item import Item
from framekit.formats.mask_files import ids_of, write_bytes
from framekit.formats.output import OutputFolder
from framekit.formats.picture import SUFFIXES, pictures_in
from framekit.formats.segments_of_item import as_label_map, with_labels
from framekit.formats.voc_layout import picture_of
from framekit.formats.writer import Added
from framekit.palette import Palette
from framekit.problem import Problem, Severity

__all__ = ["LOSSES", "Values", "detect", "read", "writer"]

LOSSES: Final = (
    "Objects become pixels of their classes; confidence and metadata are lost.",
    (
        "Classes that share a color, or have none, are painted in one of their own; "
        "palette.json has those."
    ),
)

#: What pixels are: colors, or the pixel values of the palette.
Values = Literal["color", "index"]

_PALETTES: Final = (
    "palette.json",
    "labelmap.txt",
    "label_colors.txt",
    "palette.csv",
    "classes.json",
)
_IMAGES: Final = ("images", "imgs", "image")
_MASKS: Final = ("masks", "labels", "mask", "annotations")

#: What a name pattern may have in braces.
_FIELDS: Final = ("stem", "name", "parent", "suffix")


def detect(path: Path) -> float:
    """
    How sure it is that *path* is in this format, 0 to 1.
    """
    if not path.is_dir() or _palette_in(path) is None:
        return 0.0
    masks = _first(path, _MASKS)
    if masks is None:
        return 0.0
    return 0.8 if _first(path, _IMAGES) is not None else 0.5


def read(
    path: Path,
    *,
    masks: str | None = None,
    palette: Palette | Path | str | None = None,
    index: bool = False,
    **options: Any,
) -> Collection:
    """
    Read the images in the folder *path* and the masks that their names lead to.

    Args:
        masks: The path of an image's mask, with ``{stem}`` for its path in *path*
            without suffix, ``{name}`` for its file name, ``{parent}`` for its folder
            and ``{suffix}``: ``"masks/{stem}_L.png"``. Without it the folders
            ``images`` and ``masks`` in *path* are matched, or, if there are no such
            folders, its files are masks without images.
        palette: What colors or pixel values stand for; by default a palette file in
            *path*.
        index: Pixel values are the ids of the palette, where it is one of colors.
        options: Those of ``decode_image``.

    Raises:
        ArgumentError: If the pattern or the palette is none.
        StorageError: If there is no such folder, or a file cannot be read.
        DocumentError: If the palette is not what it should be.
    """
    if not path.is_dir():
        raise MissingFileError(str(path), "no such folder")
    classes = things_said(_as_palette(palette, path))
    if index:
        classes = classes.indexed_by_id()
    pairs, problems = _pairs_in(path, masks)
    source = _Source(classes, options)
    return Collection(
        name=path.absolute().name,
        format="folder",
        classes=classes,
        batches=one_by_one(
            partial(_read_item, source), [(pair.name, pair) for pair in pairs]
        ),
        count=len(pairs),
        problems=tuple(problems),
    )


@frozen
class _Pair:
    """
    An image and its mask.
    """

    name: str
    mask: Path
    picture: Path | None


@frozen(eq=False)
class _Source:
    """
    What the items of a folder have in common.
    """

    classes: Palette
    options: dict[str, Any]


def _as_palette(palette: Palette | Path | str | None, path: Path) -> Palette:
    if isinstance(palette, Palette):
        return palette
    if palette is None:
        palette = _palette_in(path)
    if palette is None:
        reason = "a folder of masks needs one; name the file with --palette"
        raise ArgumentError("palette", reason)
    return Palette.load(palette)


def _palette_in(path: Path) -> Path | None:
    found = (path / name for name in _PALETTES)
    return next((place for place in found if place.is_file()), None)


def _first(path: Path, names: Iterable[str]) -> Path | None:
    return next((path / name for name in names if (path / name).is_dir()), None)


def _pairs_in(path: Path, pattern: str | None) -> tuple[list[_Pair], list[Problem]]:
    if pattern is not None:
        return _matched(path, pattern)
    masks = _first(path, _MASKS)
    if masks is None:
        found = pictures_in(path)
        return [_Pair(name, mask, None) for name, mask in found.items()], []
    images = _first(path, _IMAGES)
    pictures = {} if images is None else pictures_in(images)
    drawn = pictures_in(masks)
    pairs = [_Pair(name, mask, pictures.get(name)) for name, mask in drawn.items()]
    problems = _without_mask(sorted(set(pictures) - set(drawn)), str(masks))
    if pictures:
        pairs = [pair for pair in pairs if pair.picture is not None]
        lone = sorted(set(drawn) - set(pictures))
        problems += _without_image(lone, str(images))
    return pairs, problems


def _matched(path: Path, pattern: str) -> tuple[list[_Pair], list[Problem]]:
    _check_pattern(pattern)
    pairs = []
    missing = []
    taken: set[Path] = set()
    candidates = set(_candidates(pattern))
    for name, picture in pictures_in(path).items():
        if picture.resolve() in candidates and not _is_its_own(path, picture, pattern):
            continue  # The masks are among the images.
        mask = Path(_filled(pattern, path, picture))
        if mask.is_file():
            taken.add(mask.resolve())
            pairs.append(_Pair(name, mask, picture))
        else:
            missing.append(name)
    lone = sorted(str(mask) for mask in candidates - taken)
    return pairs, [
        *_without_mask(missing, pattern),
        *_without_image(lone, str(path)),
    ]


def _check_pattern(pattern: str) -> None:
    fields = re.findall(r"\{([^{}]*)\}", pattern)
    wrong = [field for field in fields if field not in _FIELDS]
    bare = re.sub(r"\{[^{}]*\}", "", pattern)
    if wrong or not {"stem", "name"} & set(fields) or "{" in bare or "}" in bare:
        reason = (
            f"expected a path with {{stem}} or {{name}} in it, and nothing else in "
            f"braces than {', '.join(_FIELDS)}; got {pattern!r}"
        )
        raise ArgumentError("masks", reason)


def _filled(pattern: str, root: Path, picture: Path) -> str:
    inner = PurePosixPath(picture.relative_to(root).as_posix())
    values = {
        "stem": str(inner.with_suffix("")),
        "name": inner.name,
        "parent": str(inner.parent),
        "suffix": inner.suffix,
    }
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], pattern)


def _is_its_own(root: Path, picture: Path, pattern: str) -> bool:
    """
    Whether an image that could be a mask has one, and so is none.
    """
    return Path(_filled(pattern, root, picture)).is_file()


def _candidates(pattern: str) -> Iterable[Path]:
    """
    The files that could be the mask of some image.
    """
    head, _, _ = pattern.partition("{")
    start = Path(head).parent if not head.endswith("/") else Path(head)
    wanted = re.escape(pattern)
    for field in _FIELDS:
        wanted = wanted.replace(re.escape(f"{{{field}}}"), ".+")
    match = re.compile(f"{wanted}\\Z").match
    if not start.is_dir():
        return
    for file in start.rglob("*"):
        named = file.as_posix() if not pattern.startswith("./") else f"./{file}"
        if file.suffix.lower() in SUFFIXES and match(named):
            yield file.resolve()


def _without_mask(names: Sequence[str], where: str) -> list[Problem]:
    what = f"the image has no mask ({where}); left out"
    return unmatched("image-without-mask", names, what)


def _without_image(names: Sequence[str], where: str) -> list[Problem]:
    what = f"the mask has no image in {where}; left out"
    return unmatched("mask-without-image", names, what)


def _read_item(source: _Source, pair: _Pair) -> Item:
    label_map = decode_image(pair.mask, source.classes, **source.options)
    item = Item(
        name=pair.name,
        shape=label_map.shape,
        labels=ids_of(label_map),
        picture=picture_of(pair.picture, pair.mask.name),
    )
    report = label_map.report
    problems = []
    if report.unknown_pixels:
        colors = [list(color) for color, _, _ in report.unknown_colors[:5]]
        became = "are void" if report.exact else "took the nearest label"
        message = (
            f"{pair.mask.name}: {report.unknown_pixels} pixels have colors that the "
            f"palette lacks, like {colors}; they {became}"
        )
        problems.append(_problem(item, "unknown-color", message, report.unknown_pixels))
    size = item.picture.size() if item.picture is not None else None
    if size is not None and size != (item.shape[1], item.shape[0]):
        message = (
            f"{pair.mask.name} has {item.shape[1]} x {item.shape[0]} pixels, the image "
            f"{size[0]} x {size[1]}"
        )
        problems.append(_problem(item, "mask-size-mismatch", message, None))
    return evolve(item, problems=tuple(problems))


def _problem(item: Item, code: str, message: str, count: int | None) -> Problem:
    return Problem(
        code,
        Severity.ERROR,
        message,
        document=item.name,
        frame=item.name,
        count=count,
    )


class _Writer:
    """
    Writes ``images/``, ``masks/`` and ``palette.json``.
    """

    def __init__(
        self, folder: OutputFolder, collection: Collection, values: Values
    ) -> None:
        self._folder = folder
        self._values = values
        self._classes = _paletted(collection.classes, values)

    def add(self, item: Item) -> Added:
        name = self._folder.claim(item)
        item = with_labels(item)
        assert item.labels is not None  # noqa: S101 - with_labels gave it
        label_map = as_label_map(item.labels, self._classes)
        data = encode_label_map(label_map, values=self._values)
        write_bytes(self._folder.path / "masks" / f"{name}.png", data)
        if item.picture is not None and item.picture.exists:
            item.picture.save(self._folder.path / "images" / name)
        problems = item.problems
        if item.objects:
            message = f"{len(item.objects)} objects are no longer told apart"
            lost = Problem(
                "objects-not-written",
                Severity.INFO,
                message,
                document=item.name,
                frame=item.name,
                count=len(item.objects),
            )
            problems = (*problems, lost)
        return Added(None, problems)

    def finish(self, records: Sequence[Any]) -> Iterable[Problem]:
        del records
        self._folder.write_json("palette.json", self._classes.to_dict())
        return ()


def _paletted(classes: Palette, values: Values) -> Palette:
    """
    *classes* as a palette by color alone, or by pixel value.

    Raises:
        PaletteError: If there is no pixel value for each class.
    """
    by_color = painted(classes)
    colors = {entry.id: entry.color for entry in by_color}
    about = {entry.id: entry for entry in classes if entry.id is not None}
    entries = []
    own = [entry.index for entry in about.values()]
    given = [value for value in own if value is not None and value < 256]
    unique = len(given) == len(own) == len(set(given))
    if values == "index" and not unique and max(about, default=0) > 254:
        raise PaletteError("there is no pixel value for each class; write colors")
    for id, entry in about.items():
        index = None
        if values == "index":
            index = entry.index if unique else id
        entries.append(evolve(entry, color=colors[id], index=index))
    taken = {entry.index for entry in entries}
    void = evolve(next(entry for entry in by_color if entry.void))
    if values == "index":
        free = [value for value in range(255, -1, -1) if value not in taken]
        if not free:
            return Palette(entries)
        void = evolve(void, index=free[0])
    return Palette([*entries, void])


def writer(path: Path, collection: Collection, *, values: Values = "color") -> _Writer:
    """
    What writes *collection* to the folder *path*.

    Args:
        values: ``"color"`` masks are RGB; ``"index"`` ones have the pixel values of
            the palette.

    Raises:
        ArgumentError: If the folder is not empty, or *values* is neither.
        PaletteError: If there is no pixel value for each class.
    """
    if values not in ("color", "index"):
        raise ArgumentError("values", f"expected 'color' or 'index', got {values!r}")
    return _Writer(OutputFolder(path), collection, values)
