from __future__ import annotations

import io
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import framekit as fk
from framekit.cli import run
from framekit.palette import label_drift

#: The table of Scale's page on Nucleus, and the code below it on the same page.
TABLE = {0: "Background", 1: "Building", 2: "Tree", 3: "Fence", 4: "Wall"}
CODE = {0: "background", 1: "building", 2: "tree", 3: "wall", 4: "fence"}


class TestLabelDrift:
    def test_nucleus_page(self) -> None:
        """
        N8: the page's own table and code exchange fence and wall.
        """
        found = label_drift(
            [("table", fk.Palette.indexed(TABLE)), ("code", fk.Palette.indexed(CODE))]
        )

        assert [(p.code, p.document, p.message) for p in found] == [
            (
                "label-drift",
                "code",
                "value 3 is 'wall' here and 'Fence' in table; the two are exchanged",
            ),
            (
                "label-drift",
                "code",
                "value 4 is 'fence' here and 'Wall' in table; the two are exchanged",
            ),
        ]

    def test_color(self) -> None:
        """
        A color that changed its meaning is told with the color.
        """
        one = fk.Palette({(1, 2, 3): "car", (4, 5, 6): "road"})
        two = fk.Palette({(1, 2, 3): "truck", (4, 5, 6): "road"})
        (problem,) = label_drift([("a", one), ("b", two)])

        assert problem.message == "color [1, 2, 3] is 'truck' here and 'car' in a"
        assert problem.color == (1, 2, 3)

    def test_new_labels(self) -> None:
        """
        Colors that only one document has are no disagreement.
        """
        one = fk.Palette({(1, 2, 3): "car"})
        two = fk.Palette({(4, 5, 6): ["road", "wet"]})
        three = fk.Palette({(4, 5, 6): ["wet", "road"], (1, 2, 3): "car"})

        assert label_drift([("a", one), ("b", two), ("c", three)]) == []

    @given(st.dictionaries(st.integers(0, 255), st.text("abc", min_size=1), min_size=1))
    def test_itself(self, values: dict[int, str]) -> None:
        """
        A palette never disagrees with itself.
        """
        palette = fk.Palette.indexed(values)

        assert label_drift([("a", palette), ("b", palette)]) == []


def test_command(tmp_path: Path) -> None:
    """
    ``framekit palette drift`` names what changed, and exits with 1.
    """
    for name, table in (("a.json", TABLE), ("b.json", CODE)):
        fk.Palette.indexed(table).save(tmp_path / name)
    names = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    stdout, stderr = io.StringIO(), io.StringIO()

    assert run(["palette", "drift", *names], stdout, stderr) == 1
    assert stdout.getvalue().splitlines()[-1] == "2 problems in 2 palettes"
    stdout = io.StringIO()
    assert run(["palette", "drift", names[0], "--format", "json"], stdout, stderr) == 0
    assert json.loads(stdout.getvalue())["ok"]
    assert stderr.getvalue() == ""
