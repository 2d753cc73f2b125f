from __future__ import annotations

import io
import json
import re
import tomllib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatch
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import framekit as fk
from framekit import report as reports
from framekit.cli import run
from framekit.problem import Problem
from framekit.report import html_report
from framekit.report.html_data import shares_of
from framekit.report.illustration import Illustration, Shot
from framekit.report.thumbnails import Illustrator
from framekit.validation import Problems, Report
from framekit.validation.codes import problem

ROOT = Path(__file__).parents[1]
CROSSING = ROOT / "samples" / "crossing"

#: What would run, load or end something if it got into a page as it is.
HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>&\u2028"


def report_of(*problems: Problem, level: str = "pixels", target: str = "c") -> Report:
    """
    A report with just these problems.
    """
    found = Problems()
    for one in problems:
        found.append(one)
    return Report(target=target, level=level, frames=1200, problems=found)


def page_of(report: Report, **options: Any) -> str:
    """
    The page of *report*.
    """
    file = io.StringIO()
    html_report.write(
        report, file, created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC), **options
    )
    return file.getvalue()


class Elements(HTMLParser):
    """
    The elements of a page in order, and the text of each.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Begin another element.
        """
        self.found.append((tag, dict(attrs), []))

    def handle_data(self, data: str) -> None:
        """
        Add to the text of the last element.
        """
        if self.found:
            self.found[-1][2].append(data)

    def texts(self, tag: str) -> list[str]:
        """
        The text right after each start of *tag*.
        """
        return ["".join(text).strip() for name, _, text in self.found if name == tag]


def data_of(page: str) -> dict[str, Any]:
    """
    The findings that the page's script reads.
    """
    ((text),) = [
        "".join(text)
        for tag, attributes, text in Elements(page).found
        if tag == "script" and attributes.get("id") == "data"
    ]
    found: dict[str, Any] = json.loads(text)
    return found


class TestPage:
    def test_nothing(self) -> None:
        """
        Without findings there are the verdict and the levels that were run.
        """
        elements = Elements(page_of(report_of(level="references")))

        assert elements.texts("title") == ["Passed: c - framekit"]
        assert elements.texts("strong") == ["Passed"]
        assert elements.texts("b") == [
            "1,200 frames",
            "0 errors",
            "0 warnings",
            "0 remarks",
        ]
        assert "Nothing found in 1,200 frames." in elements.texts("span")
        assert [
            (attributes.get("class"), "".join(text).strip())
            for tag, attributes, text in elements.found
            if tag == "li" and attributes.get("class") in ("done", "skipped")
        ] == [
            ("done", "schema"),
            ("done", "references"),
            ("skipped", "media"),
            ("skipped", "pixels"),
        ]
        assert "table" not in {tag for tag, _, _ in elements.found}

    def test_summary(self) -> None:
        """
        The codes stand in a table, the worst first, with exact counts.
        """
        page = page_of(
            report_of(
                problem("mask-without-labels", "m", count=3),
                problem("roi-without-label", "w"),
                problem("dangling-mask-id", "a"),
                problem("dangling-mask-id", "b"),
            )
        )
        rows = re.findall(
            r'data-code="([\w-]+)".*?class="badge (\w+)".*?class="number">(\d+)<',
            page,
            re.DOTALL,
        )

        assert rows == [
            ("dangling-mask-id", "error", "2"),
            ("roi-without-label", "warning", "1"),
            ("mask-without-labels", "info", "1"),
        ]
        assert "2 errors, 1 warning, 1 remark in 1,200 frames." in page

    def test_data(self) -> None:
        """
        Each finding is a row of numbers of texts, which stand once each.
        """
        page = page_of(
            report_of(
                problem(
                    "unknown-color",
                    "m: 4 pixels",
                    "$.a",
                    document="f:1",
                    frame="one",
                    source="s",
                    mask="k",
                    color=(1, 2, 3),
                    count=4,
                    box=(0, 0, 2, 2),
                ),
                problem("mask-size-mismatch", "n", "$.a", document="f:1", count=2),
            )
        )

        data = data_of(page)
        assert [(c["code"], c["count"]) for c in data["codes"]] == [
            ("mask-size-mismatch", 1),
            ("unknown-color", 1),
        ]
        assert data["strings"] == [
            "one",
            "s",
            "k",
            "f:1",
            "$.a",
            "m: 4 pixels",
            "n (in 2 frames)",
        ]
        assert data["rows"] == [
            [1, 0, 1, 2, 3, 4, 5, None, [1, 2, 3]],
            [0, None, None, None, 3, 4, 6],
        ]
        assert data["pictures"] == {}

    def test_too_many(self) -> None:
        """
        A page that cannot hold all findings keeps some of each code, and says so.
        """
        many = [problem("wrong-type", f"<{n}>") for n in range(30)]
        few = [problem("roi-without-label", str(n)) for n in range(3)]

        page = page_of(report_of(*many, *few), held=10)

        data = data_of(page)
        assert [row[0] for row in data["rows"]] == [0] * 7 + [1] * 3
        assert [c["count"] for c in data["codes"]] == [30, 3]
        assert (
            "This page lists 10 of 33 findings. Of some codes only the first are "
            "listed: wrong-type (7 of 30). All counts above are exact; --format json "
            "has every finding." in page
        )

    def test_interrupted(self) -> None:
        """
        A report of a validation that was interrupted says so.
        """
        report = Report(level="media", frames=3, interrupted=True, problems=Problems())

        assert "The validation was interrupted" in page_of(report)

    def test_ascii(self) -> None:
        """
        The page is ASCII, so that no encoding of a file breaks it.
        """
        page = page_of(report_of(problem("wrong-type", "\xe4\ud800"), target="\xe4"))

        assert page.isascii()
        assert "&#228;" in page

    @pytest.mark.parametrize("total", [100_000])
    def test_size(self, total: int) -> None:
        """
        100,000 findings make a page of less than 15 MB.
        """
        found = (
            problem(
                "dangling-mask-id",
                "'sge' is none of the masks 'seg' of 'front'",
                f"$.rois[{n % 9}].mask.id",
                document=f"frames.jsonl:{n // 9}",
                frame=f"drive_{n // 9000}_{n // 9 % 1000:04}",
            )
            for n in range(total)
        )

        page = page_of(report_of(*found))

        assert len(data_of(page)["rows"]) == total
        assert len(page) < 15_000_000


class TestHostile:
    def test_inert(self) -> None:
        """
        Names and messages are text: no element, comment or script comes of them.
        """
        plain = problem("wrong-type", "m", "$", document="d", frame="f")
        found = problem(
            "wrong-type",
            HOSTILE,
            HOSTILE,
            document=HOSTILE,
            frame=HOSTILE,
            source=HOSTILE,
            mask=HOSTILE,
        )

        page = page_of(report_of(found, target=HOSTILE))

        usual = page_of(report_of(plain))
        assert [(tag, attrs) for tag, attrs, _ in Elements(page).found] == [
            (tag, attrs) for tag, attrs, _ in Elements(usual).found
        ]
        assert set(data_of(page)["strings"]) == {HOSTILE.replace("\u2028", "\\u2028")}
        assert "<!--" not in page
        assert page.count("</script") == 2

    def test_invisible(self) -> None:
        """
        Letters that reverse or hide others are spelled out.
        """
        found = problem("wrong-type", "a\u202eb\x1b[2J\n")

        assert "a\\u202eb\\x1b[2J\\n" in data_of(page_of(report_of(found)))["strings"]

    def test_policy(self) -> None:
        """
        The policy allows exactly the script and the style that are in the page.
        """
        page = page_of(report_of())
        elements = Elements(page)
        (policy,) = [
            attributes["content"]
            for tag, attributes, _ in elements.found
            if attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        hashes = {
            tag: b64encode(sha256(text.encode()).digest()).decode()
            for tag, text in re.findall(r"<(script|style)>(.*?)</\1>", page, re.DOTALL)
        }

        assert policy == (
            f"default-src 'none'; script-src 'sha256-{hashes['script']}'; "
            f"style-src 'sha256-{hashes['style']}'; img-src data:; base-uri 'none'; "
            f"form-action 'none'; require-trusted-types-for 'script'; "
            f"trusted-types 'none'"
        )

    def test_nothing_remote(self) -> None:
        """
        The page names no address and has no attribute that runs or styles.
        """
        page = page_of(report_of(problem("wrong-type", "m")))

        assert "http://" not in page
        assert "https://" not in page
        assert not re.search(r"<[^>]*\s(on\w+|style)=", page)
        assert {
            value
            for _, attributes, _ in Elements(page).found
            for name, value in attributes.items()
            if name in ("src", "href")
        } == {"#findings", "#code=wrong-type"}

    def test_no_markup_from_text(self) -> None:
        """
        The script makes elements one by one; it never parses HTML or runs text.
        """
        script = (ROOT / "framekit/report/page.js").read_text(encoding="ascii")

        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(",
            script,
        )


class TestPictures:
    def test_chosen(self) -> None:
        """
        The first findings of each mask get pictures before any second one.
        """
        found = [
            problem("unknown-color", str(n), mask=mask, box=(0, 0, 1, 1))
            for n, mask in enumerate("aaab")
        ]
        asked: list[str] = []

        def illustrate(problems: Sequence[Problem]) -> list[Illustration | None]:
            asked.extend(each.message for each in problems)
            shot = Shot("here", "image/png", b"\x89P", (3, 2))
            return [Illustration((shot,), "so"), None]

        page = page_of(report_of(*found), illustrate=illustrate, pictures=2)

        assert asked == ["0", "3"]
        assert data_of(page)["pictures"] == {
            "0": {
                "note": "so",
                "shots": [
                    {
                        "caption": "here",
                        "src": "data:image/png;base64,iVA=",
                        "width": 3,
                        "height": 2,
                    }
                ],
            }
        }
        assert (
            "Of 4 findings with a place in a picture 2 show it, the first ones of "
            "each mask." in page
        )

    def test_from_the_target(self, tmp_path: Path) -> None:
        """
        A finding of pixels shows the picture, the labels, and the mask from near.
        """
        frame = frame_with_stray(tmp_path)
        storage = fk.Storage(tmp_path)
        report = fk.validate(frame, level="pixels", storage=storage)
        file = io.StringIO()

        reports.write(
            report, "html", file, illustrate=Illustrator(frame, storage=storage)
        )

        (picture,) = data_of(file.getvalue())["pictures"].values()
        sizes = []
        for shot in picture["shots"]:
            kind, _, data = shot["src"].partition(";base64,")
            with Image.open(io.BytesIO(b64decode(data))) as image:
                image.load()
                assert image.size == (shot["width"], shot["height"])
                sizes.append((kind, image.size, shot["caption"]))
        assert picture["note"] == ""
        assert sizes == [
            ("data:image/jpeg", (288, 216), "The picture"),
            (
                "data:image/jpeg",
                (288, 216),
                "Labels over it; what has none is striped",
            ),
            ("data:image/png", (288, 216), "The mask itself, 9 times enlarged"),
        ]

    def test_marked(self, tmp_path: Path) -> None:
        """
        The mark is where the finding is, in all three pictures.
        """
        frame = frame_with_stray(tmp_path)
        storage = fk.Storage(tmp_path)
        report = fk.validate(frame, level="pixels", storage=storage)

        (found,) = Illustrator(frame, storage=storage)(list(report.problems))

        assert found is not None
        for shot in found.shots:
            with Image.open(io.BytesIO(shot.data)) as image:
                pixels = np.asarray(image.convert("RGB")).astype(int)
            marked = np.abs(pixels - (255, 60, 200)).sum(axis=2) < 120
            rows, columns = np.nonzero(marked)
            # The stray pixels are at (60..63, 40..43) of 400 x 300; the close-up
            # is centered on them.
            across = (columns.min() + columns.max()) / 2 / pixels.shape[1]
            down = (rows.min() + rows.max()) / 2 / pixels.shape[0]
            expected = (0.5, 0.5) if "itself" in shot.caption else (0.155, 0.14)
            assert (across, down) == pytest.approx(expected, abs=0.015)

    def test_missing(self, tmp_path: Path) -> None:
        """
        What cannot be shown any more is said; nothing is raised.
        """
        frame = frame_with_stray(tmp_path)
        storage = fk.Storage(tmp_path)
        report = fk.validate(frame, level="pixels", storage=storage)
        (tmp_path / "picture.png").unlink()
        (half,) = Illustrator(frame, storage=storage)(list(report.problems))
        (tmp_path / "mask.png").unlink()
        (none,) = Illustrator(frame, storage=storage)(list(report.problems))

        assert half is not None
        assert none is not None
        assert [shot.caption for shot in half.shots] == [
            "Labels over it; what has none is striped",
            "The mask itself, 9 times enlarged",
        ]
        assert half.note.startswith("picture.png: no such file")
        assert none.shots == ()
        assert none.note.startswith("No picture: mask.png: no such file")

    def test_other_findings(self) -> None:
        """
        What has no place in a mask gets no picture, and no file is opened for it.
        """
        found = [problem("missing-media", "m", source="front", mask="seg")]

        assert Illustrator(CROSSING)(found) == [None]

    def test_frame_is_gone(self) -> None:
        """
        Frames that cannot be read again are said to be so.
        """
        found = problem(
            "unknown-color", "m", document="x", source="s", mask="k", box=(0, 0, 1, 1)
        )

        assert Illustrator(CROSSING)([found]) == [
            Illustration(note="No picture: the frame cannot be read again.")
        ]


class TestCommand:
    def test_pixels(self, tmp_path: Path) -> None:
        """
        The command writes a page with pictures of what it found in pixels.
        """
        frame = frame_with_stray(tmp_path)
        (tmp_path / "frames.jsonl").write_bytes(frame.to_json() + b"\n")
        out = tmp_path / "report.html"
        stdout, stderr = io.StringIO(), io.StringIO()

        code = run(
            [
                *("validate", str(tmp_path), "--level", "pixels", "--format", "html"),
                *("--engine", "threads", "-o", str(out)),
            ],
            stdout,
            stderr,
        )

        page = out.read_text(encoding="ascii")
        assert (code, stdout.getvalue(), stderr.getvalue()) == (1, "", "")
        assert Elements(page).texts("title") == [f"Failed: {tmp_path} - framekit"]
        (picture,) = data_of(page)["pictures"].values()
        assert len(picture["shots"]) == 3

    def test_references(self) -> None:
        """
        Where no pixels were looked at no file is opened for pictures.
        """
        stdout, stderr = io.StringIO(), io.StringIO()

        code = run(["validate", str(CROSSING), "--format", "html"], stdout, stderr)

        assert (code, stderr.getvalue()) == (0, "")
        assert data_of(stdout.getvalue())["rows"] == []


class TestShares:
    @pytest.mark.parametrize(
        ("counts", "held", "expected"),
        [
            ({}, 5, {}),
            ({"a": 3, "b": 2}, 9, {"a": 3, "b": 2}),
            ({"a": 100, "b": 2, "c": 100}, 12, {"b": 2, "a": 5, "c": 5}),
            ({"a": 100, "b": 100}, 5, {"a": 2, "b": 3}),
            ({"a": 4, "b": 4}, 0, {"a": 0, "b": 0}),
        ],
    )
    def test_fair(
        self, counts: dict[str, int], held: int, expected: dict[str, int]
    ) -> None:
        """
        Rare codes keep all; the others share what is left.
        """
        assert shares_of(counts, held) == expected


class TestPackaging:
    def test_files(self) -> None:
        """
        The files of the page are packaged.
        """
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        data = tomllib.loads(text)["tool"]["setuptools"]["package-data"]
        names = ["page.css", "page.html", "page.js"]

        assert sorted(p.name for p in (ROOT / "framekit/report").glob("page.*")) == (
            names
        )
        assert [
            name
            for name in names
            if any(fnmatch(name, pattern) for pattern in data["framekit.report"])
        ] == names


def frame_with_stray(folder: Path) -> fk.SingleFrame:
    """
    A frame whose mask, 400 x 300, has 4 x 4 pixels of a color without a label.
    """
    mask = np.zeros((300, 400, 3), np.uint8)
    mask[:, 200:] = (210, 210, 120)
    mask[40:44, 60:64] = (1, 2, 200)
    Image.fromarray(mask).save(folder / "mask.png")
    Image.fromarray(np.full((300, 400, 3), 99, np.uint8)).save(folder / "picture.png")
    source = fk.Source(
        id="front",
        uri="picture.png",
        width=400,
        height=300,
        masks=[fk.Mask(id="seg", uri="mask.png")],
    )
    frame = fk.SingleFrame(id="one", sources=[source])
    frame.add_annotation(mask_rgb=(0, 0, 0), labels=["road"])
    frame.add_annotation(mask_rgb=(210, 210, 120), labels=["car"])
    return frame
