"""
Damaged palette files of every format to `Palette.load`.

    python -m tests.fuzz_palettes [seconds] [seed]

A palette that is read can be looked at, and is the same after saving as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from framekit.palette import Palette, PaletteEntry
from tests.fuzz_harness import Fuzzed, damaged, fuzz, run, strange

#: Parts of which damaged files are made.
SNIPPETS = b"""\
# label:color_rgb:parts:actions
a:1,2,3:b,c:d
 1 2 3\tcar
255 255 255 a b
id,color,index,labels,thing,void,metadata
0,"1,2,3",7,"a;b",true,,"{""a"": 1}"
#0a0B0c, -1, 256, 1.5, 99999999999999999999, \xc3\xa9, \xff, "", "\r\n'
"""


class Case(NamedTuple):
    """
    A file.
    """

    name: str
    data: bytes
    format: str | None


@cache
def seeds() -> dict[str, bytes]:
    """
    A sound palette in each format.
    """
    plain = Palette({(10, 20, 30): "sky", (0, 0, 0): "road", (200, 0, 9): "car é"})
    rich = Palette(
        [
            PaletteEntry(id=3, color=(1, 2, 3), labels=["a", "b"], thing=True),
            PaletteEntry(id=0, color=(4, 5, 6), labels="c", metadata={"x": [1, None]}),
            PaletteEntry(color=(255, 255, 255), labels=None),
        ]
    )
    indexed = Palette.indexed({0: "background", 7: "building", 70000: "tree"})
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, palette in {
            "labelmap.txt": plain,
            "label_colors.txt": plain,
            "plain.csv": plain,
            "rich.csv": rich,
            "rich.json": rich,
            "indexed.json": indexed,
            "indexed.csv": indexed,
        }.items():
            path = Path(folder, name)
            palette.save(path)
            found[name] = path.read_bytes()
    found["table.tsv"] = b"name\tr\tg\tb\nroad\t1\t2\t3\ncar\t4\t5\t6\n"
    found["hex.csv"] = b"label,hex\nroad,#010203\ncar,#0a0b0c\n"
    return found


def make(rng: random.Random) -> Case:
    """
    A damaged file, perhaps under another name.
    """
    files = seeds()
    name = rng.choice(list(files))
    data = files[name]
    if name.endswith(".json") and rng.random() < 0.6:
        data = json.dumps(strange(json.loads(data), rng)).encode()
    else:
        data = damaged(data, rng.choice([*files.values(), SNIPPETS, SNIPPETS]), rng)
    if rng.random() < 0.1:
        name = rng.choice([*files, "other.txt", "none"])
    format = rng.choice((None,) * 9 + ("json", "labelmap", "camvid", "csv"))
    return Case(name, data, format)


def attempt(case: Case, folder: Path) -> str:
    """
    What becomes of a file: "read".

    Raises:
        AssertionError: If what is read does not hold together.
    """
    path = folder / case.name
    path.write_bytes(case.data)
    palette = Palette.load(path, format=case.format)
    assert all(entry.id is None or palette[entry.id] == entry for entry in palette)
    for problem in palette.audit(lossy=True):
        assert problem.code
    saved = folder / "saved.json"
    palette.save(saved)
    assert Palette.load(saved) == palette, "saved wrongly"
    return "read"


def harness(seconds: float, seed: int) -> Fuzzed[Case]:
    """
    Fuzz for *seconds*.
    """
    with tempfile.TemporaryDirectory() as folder:
        return fuzz(make, partial(attempt, folder=Path(folder)), seconds, seed)


if __name__ == "__main__":
    run(harness, *sys.argv[1:])
