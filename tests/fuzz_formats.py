"""
Data sets of other tools of which a file is damaged, to `formats.read`.

    python -m tests.fuzz_formats [seconds] [seed]

There are items, problems in the place of items, or a framekit error.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from framekit.formats import FORMATS, Item, detect, read, write
from framekit.problem import Problem
from tests.formats_cases import collection, item, with_picture
from tests.fuzz_harness import Fuzzed, damaged, fuzz, run, strange


class Case(NamedTuple):
    """
    A file of a data set, and what is in it now.
    """

    format: str
    file: Path
    data: bytes


class FormatFuzz:
    """
    A small data set in each format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        one = with_picture(item("a/one"), folder)
        two = with_picture(item("a/two"), folder)
        self.files: dict[str, list[tuple[Path, bytes]]] = {}
        for name in FORMATS:
            path = folder / name
            write(collection(one, two), path, name)
            found = [
                (file, file.read_bytes())
                for file in sorted(path.rglob("*.*"))
                if file.is_file()
            ]
            # Documents are the point; pictures have harnesses of their own.
            documents = [(f, d) for f, d in found if f.suffix not in (".png", ".jpg")]
            self.files[name] = documents * 4 + found

    def make(self, rng: random.Random) -> Case:
        """
        One file, damaged.
        """
        format = rng.choice(list(self.files))
        file, data = rng.choice(self.files[format])
        if file.suffix == ".json" and rng.random() < 0.8:
            changed = json.dumps(strange(json.loads(data), rng)).encode()
            return Case(format, file, changed)
        if file.suffix == ".jsonl" and rng.random() < 0.8:
            lines = data.splitlines()
            place = rng.randrange(len(lines))
            lines[place] = json.dumps(strange(json.loads(lines[place]), rng)).encode()
            return Case(format, file, b"\n".join(lines))
        other = rng.choice(self.files[rng.choice(list(self.files))])[1]
        return Case(format, file, damaged(data, other, rng))

    def attempt(self, case: Case) -> str:
        """
        What becomes of a data set: "read" or "problems".
        """
        source = self.folder / case.format
        copy = self.folder / "damaged"
        shutil.copytree(source, copy)
        try:
            (copy / case.file.relative_to(source)).write_bytes(case.data)
            detect(copy)
            found = read(copy, case.format)
            outcome = "problems" if found.problems else "read"
            for one in found:
                if isinstance(one, Problem):
                    assert one.message
                    outcome = "problems"
                else:
                    check(one)
            return outcome
        finally:
            shutil.rmtree(copy)


def check(one: Item) -> None:
    """
    What an item says holds together.
    """
    if one.labels is not None:
        assert one.labels.dtype == np.int32
        assert one.labels.min(initial=-1) >= -1
    for each in one.objects or ():
        assert each.area == each.mask.sum()
        assert each.labels is not None


def harness(seconds: float, seed: int) -> Fuzzed[Case]:
    """
    Fuzz for *seconds*.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = FormatFuzz(Path(folder))
        return fuzz(target.make, partial(FormatFuzz.attempt, target), seconds, seed)


if __name__ == "__main__":
    run(harness, *sys.argv[1:])
