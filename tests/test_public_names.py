from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import framekit as fk

ROOT = Path(__file__).parents[1]

PACKAGES = [
    "framekit",
    "framekit.dataset",
    "framekit.errors",
    "framekit.formats",
    "framekit.frame",
    "framekit.palette",
    "framekit.report",
    "framekit.segments",
    "framekit.storage",
    "framekit.validation",
]


@pytest.mark.parametrize("name", PACKAGES)
def test_all(name: str) -> None:
    """
    What a package exports exists, and is listed once.
    """
    module = import_module(name)
    listed = module.__all__

    assert len(listed) == len(set(listed))
    assert [n for n in listed if not hasattr(module, n)] == []


def test_dir() -> None:
    """
    Names that resolve on first use are listed, too.
    """
    assert set(fk.__all__) <= set(dir(fk))


def test_no_such_name() -> None:
    """
    A misspelled name is an AttributeError.
    """
    with pytest.raises(AttributeError, match="no attribute 'decdoe'"):
        _ = fk.decdoe


def test_import_is_light() -> None:
    """
    Building frames loads neither PyAV, nor Pillow, nor jsonschema.
    """
    program = (
        "import sys, framekit as fk\n"
        "frame = fk.SingleFrame(source='a.jpg', mask_source='m.png')\n"
        "frame.add_annotation(mask_rgb=[0, 0, 0], labels=['cat'])\n"
        "frame.to_json()\n"
        "print(sorted({'av', 'PIL', 'jsonschema', 'fsspec'} & set(sys.modules)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )

    assert found.stdout == "[]\n"
