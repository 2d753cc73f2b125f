"""
The shape of the project, read from its files.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "framekit"

#: From the lowest to the highest; parts of one layer do not import each other.
LAYERS = (
    ("uri",),
    ("errors",),
    ("problem", "color", "_markup"),
    ("_json", "schema", "storage", "shards"),
    ("frame",),
    ("palette",),
    ("decoding",),
    ("segments", "dataset"),
    ("formats", "validation"),
    ("report", "torch"),
    ("__init__",),  # the public names, which the command uses like anybody
    ("cli",),
    ("__main__",),
)

HEIGHT = {part: height for height, layer in enumerate(LAYERS) for part in layer}

#: Each of these is imported in one place, which keeps its errors in.
ONLY_IMPORTERS = {
    "PIL": "decoding/image/_pillow.py",
    "av": "decoding/video/_av.py",
    "fsspec": "storage/_fsspec.py",
    "jsonschema": "schema.py",
    "orjson": "_json.py",
}

FILES = sorted(PACKAGE.rglob("*.py"))


def imports(tree: ast.Module, module: str) -> Iterator[str]:
    """
    The dotted names that the module called *module* imports, wherever it does.

    Imports in functions and those for types only count like any others.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def breaches(source: str, path: str) -> list[str]:
    """
    What the layers forbid in *source*, the file at *path* within the package.
    """
    parts = path.removesuffix(".py").split("/")
    module = ".".join(["framekit", *parts])
    here = parts[0]
    found = []
    for name in imports(ast.parse(source), module):
        root, *rest = name.split(".")
        if root == "framekit":
            there = rest[0] if rest and rest[0] in HEIGHT else "__init__"
            if there != here and HEIGHT[there] >= HEIGHT[here]:
                found.append(f"{path} imports {name}")
        elif ONLY_IMPORTERS.get(root, path) != path:
            found.append(f"{path} imports {root}")
    return found


class TestBreaches:
    @pytest.mark.parametrize(
        ("path", "source"),
        [
            ("palette/palette.py", "from framekit.frame import Roi"),
            ("palette/palette.py", "from framekit.palette.audit import audit"),
            ("palette/palette.py", "from framekit import _json, frame"),
            ("palette/palette.py", "from . import audit"),
            ("cli/main.py", "from framekit import __version__, decode"),
            ("__main__.py", "from framekit.cli import main"),
            ("decoding/video/_av.py", "import av.error"),
            ("decoding/image/_pillow.py", "from PIL import Image"),
        ],
    )
    def test_allowed(self, path: str, source: str) -> None:
        """
        A module imports its own package and what lies below.
        """
        assert breaches(source, path) == []

    @pytest.mark.parametrize(
        ("path", "source"),
        [
            ("frame/roi.py", "import framekit.palette"),
            ("frame/roi.py", "from framekit import palette"),
            ("frame/roi.py", "from framekit import SingleFrame"),
            ("frame/roi.py", "import framekit"),
            ("frame/roi.py", "from ..decoding import decode"),
            ("frame/roi.py", "from .. import decoding"),
            ("frame/roi.py", "def f():\n    from framekit.report import write"),
            ("frame/roi.py", "if TYPE_CHECKING:\n    from framekit import cli"),
            ("dataset/diff.py", "from framekit.segments import iou"),
            ("schema.py", "from framekit._json import loads"),
            ("decoding/video/index.py", "import av"),
            ("report/overlay.py", "from PIL.Image import Image"),
            ("validation/rules.py", "def f():\n    import jsonschema.exceptions"),
        ],
    )
    def test_forbidden(self, path: str, source: str) -> None:
        """
        Nothing is imported from above or beside, nor behind an importer's back.
        """
        assert len(breaches(source, path)) == 1


class TestPackage:
    def test_every_part_has_a_layer(self) -> None:
        """
        A new module or folder of the package is given its place first.
        """
        parts = {
            file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in FILES
        }

        assert parts <= set(HEIGHT)

    def test_layers(self) -> None:
        """
        No module imports what it must not.
        """
        found = [
            breach
            for file in FILES
            for breach in breaches(
                file.read_text(encoding="utf-8"),
                file.relative_to(PACKAGE).as_posix(),
            )
        ]

        assert found == []

    def test_length(self) -> None:
        """
        A file that grows past 450 lines holds more than one thing.
        """
        lengths = {file: len(file.read_bytes().splitlines()) for file in FILES}

        assert {file: length for file, length in lengths.items() if length > 450} == {}

    def test_names(self) -> None:
        """
        A file is called after what is in it.
        """
        nondescript = {"common", "helper", "helpers", "misc", "util", "utils"}

        assert [file for file in FILES if file.stem in nondescript] == []
