"""
The HTML report as people get it: in a browser.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import framekit as fk
from draw_report import write_broken_drives
from framekit.report import html_report
from framekit.report.thumbnails import Illustrator
from framekit.validation import Problems, Report
from framekit.validation.codes import problem
from tests.browser import Page, find_chromium, opened

pytestmark = pytest.mark.slow

HOSTILE = "</script><script>window.ran=1</script><img src=x onerror=window.ran=1>"

#: The codes that are listed, and how many findings of each.
LISTED = """
Object.fromEntries([...document.querySelectorAll('details.group')].map(
  (group) => [group.dataset.code, group.querySelector('.of').textContent]))
"""

COUNT = "document.getElementById('count').textContent"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """
    A browser.
    """
    find_chromium()
    with opened(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """
    A report with findings of many kinds, and its page.
    """
    find_chromium()
    folder = tmp_path_factory.mktemp("data")
    write_broken_drives(folder / "drives")
    report = fk.validate(folder / "drives", level="pixels")
    return report, write(report, folder, illustrate=Illustrator(folder / "drives"))


def write(report: Report, folder: Path, **options: Any) -> Path:
    """
    Write the page of *report* into *folder*.
    """
    path = folder / "report.html"
    with path.open("w", encoding="utf-8") as file:
        html_report.write(report, file, **options)
    return path


def opened_page(page: Page, path: Path, fragment: str = "") -> Page:
    """
    *page* with another file, and no complaints or requests yet.
    """
    page.call("Page.navigate", url="about:blank")
    page.complaints.clear()
    page.requests.clear()
    page.refused.clear()
    page.go(path, fragment)
    return page


def choose(page: Page, id: str, value: str) -> None:
    """
    Give a field of the form a value, as a person does.
    """
    page.evaluate(
        f"""(() => {{
            const field = document.getElementById({id!r});
            field.value = {value!r};
            field.dispatchEvent(new Event('input', {{ bubbles: true }}));
            field.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})()"""
    )


class TestFilters:
    def test_all(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        At first everything is listed, by code, a few of each.
        """
        report, path = broken
        opened_page(page, path)

        assert page.evaluate(COUNT) == f"All {len(report.problems)} findings."
        assert page.evaluate(LISTED) == {c: str(n) for c, n in report.counts.items()}
        assert page.evaluate("document.querySelectorAll('.finding').length") == sum(
            min(count, 5) for count in report.counts.values()
        )

    def test_code(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        One code can be chosen, in the form or in the table.
        """
        report, path = broken
        opened_page(page, path)
        count = report.counts["unknown-color"]

        choose(page, "code", "unknown-color")
        chosen = page.evaluate(LISTED)
        page.evaluate("document.querySelector('a[data-code=missing-media]').click()")

        assert chosen == {"unknown-color": str(count)}
        assert page.evaluate(LISTED) == {
            "missing-media": str(report.counts["missing-media"])
        }
        assert page.evaluate("document.getElementById('code').value") == "missing-media"

    def test_severity(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        Severities are switched off one by one.
        """
        report, path = broken
        opened_page(page, path)

        page.evaluate("document.querySelector('input[value=error]').click()")

        warnings = report.problems.by_severity[fk.Severity.WARNING]
        assert page.evaluate(COUNT) == f"{warnings} of {len(report.problems)} findings."

    def test_frame_source_and_text(
        self, page: Page, broken: tuple[Report, Path]
    ) -> None:
        """
        Frames are found by a part of their id, sources by it all, text anywhere.
        """
        report, path = broken
        opened_page(page, path)
        total = len(report.problems)
        found = list(report.problems)
        shown = []

        for id, value in (("frame", "DRIVE_2_0"), ("source", "rear"), ("text", "_seg")):
            page.evaluate("document.querySelector('button[type=reset]').click()")
            choose(page, id, value)
            shown.append(page.evaluate(COUNT))

        places = [f"{p.message} {p.at} {p.document} {p.hint}" for p in found]
        assert shown == [
            f"{n} of {total} findings."
            for n in (
                sum("drive_2_0" in (p.frame or "") for p in found),
                sum(p.source == "rear" for p in found),
                sum("_seg" in place for place in places),
            )
        ]

    def test_nothing_left(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        Filters that leave nothing say so, and are cleared by one button.
        """
        report, path = broken
        opened_page(page, path)
        total = len(report.problems)

        choose(page, "text", "nowhere to be found")
        none = page.evaluate(COUNT)
        page.evaluate("document.querySelector('button[type=reset]').click()")

        assert none == f"None of {total} findings."
        assert page.evaluate(COUNT) == f"All {total} findings."

    def test_address(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        The address keeps a view, so that it can be sent.
        """
        report, path = broken
        opened_page(page, path, "#severity=warning&frame=drive_3")
        found = sum(
            p.severity == "warning" and "drive_3" in (p.frame or "")
            for p in report.problems
        )
        first = page.evaluate(COUNT)

        page.evaluate("document.querySelector('.finding button.chip').click()")

        assert first == f"{found} of {len(report.problems)} findings."
        assert page.evaluate("location.hash") == "#severity=warning&frame=drive_3_001"


class TestPages:
    def test_turned(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        The findings of a code are looked through page by page, by keyboard too.
        """
        report, path = broken
        opened_page(page, path, "#code=dangling-mask-id")
        count = report.counts["dangling-mask-id"]
        here = "document.querySelector('.pager span').textContent"
        turns = "document.querySelectorAll('.pager button')"
        first = page.evaluate(here)

        page.evaluate(f"{turns}[2].focus()")
        page.press("Enter")
        second = page.evaluate(here)
        focused = page.evaluate("document.activeElement.textContent")
        page.evaluate(f"{turns}[3].click()")

        last = (count - 1) // 50 * 50 + 1
        assert first == f"1 to 50 of {count}"
        assert second == f"51 to 100 of {count}"
        assert focused == "Next"
        assert page.evaluate(here) == f"{last} to {count} of {count}"
        assert page.evaluate("document.activeElement.textContent") == "First"

    def test_many(self, page: Page, tmp_path: Path) -> None:
        """
        With 100,000 findings a filter takes less than a second, few are drawn.
        """
        found = Problems()
        for n in range(100_000):
            found.append(
                problem(
                    ("dangling-mask-id", "roi-without-label")[n % 2],
                    f"message {n}",
                    f"$.rois[{n % 9}].mask.id",
                    document=f"frames.jsonl:{n // 9}",
                    frame=f"frame_{n // 9}",
                )
            )
        report = Report(target="m", level="media", frames=20_000, problems=found)
        opened_page(page, write(report, tmp_path))

        took = page.evaluate(
            """(() => {
                const start = performance.now();
                document.getElementById('text').value = 'message 9999';
                document.getElementById('filters').dispatchEvent(new Event('change'));
                return performance.now() - start;
            })()"""
        )

        assert page.evaluate(COUNT) == "11 of 100,000 findings."
        assert took < 1000
        assert page.evaluate("document.querySelectorAll('.finding').length") == 10
        assert page.complaints == []


class TestPictures:
    def test_decoded(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        All pictures can be shown, and say what they show.
        """
        _, path = broken
        opened_page(page, path, "#code=unknown-color")

        sizes = page.evaluate(
            """Promise.all([...document.images].map(async (image) => {
                image.loading = 'eager';
                await image.decode();
                return [image.naturalWidth === Number(image.getAttribute('width')),
                        image.alt.length > 0];
            }))"""
        )

        assert len(sizes) > 60
        assert sizes == [[True, True]] * len(sizes)
        assert page.complaints == []


class TestSafe:
    def test_quiet(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        The page loads nothing but itself, and the console stays empty.
        """
        _, path = broken
        opened_page(page, path)

        assert page.complaints == []
        assert [url for url in page.requests if not url.startswith("data:image/")] == [
            path.as_uri()
        ]

    def test_hostile(self, page: Page, tmp_path: Path) -> None:
        """
        A script in a label, an id or a message is text.
        """
        found = Problems()
        found.append(
            problem(
                "unknown-color",
                HOSTILE,
                HOSTILE,
                document=HOSTILE,
                frame=HOSTILE,
                source=HOSTILE,
                mask=HOSTILE,
                color=(300, -2, 7),
            )
        )
        report = Report(target=HOSTILE, level="pixels", frames=1, problems=found)
        opened_page(page, write(report, tmp_path))

        page.evaluate("document.querySelectorAll('.chip')[1].click()")

        assert page.evaluate("document.querySelector('h1').textContent") == HOSTILE
        assert page.evaluate("document.querySelector('.message').textContent") == (
            HOSTILE
        )
        assert page.evaluate("document.getElementById('source').value") == HOSTILE
        assert page.evaluate(COUNT) == "All 1 findings."
        assert page.evaluate("document.images.length") == 0
        assert page.evaluate("typeof window.ran") == "undefined"
        assert page.complaints == []

    def test_policy_holds(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        Were there a hole, the browser would still refuse to run what comes in.
        """
        _, path = broken
        opened_page(page, path)

        page.evaluate(
            """(() => {
                const added = document.createElement('script');
                try { added.textContent = 'window.ran = 1'; } catch { }
                document.body.append(added);
                const image = document.createElement('img');
                image.setAttribute('src', 'http://127.0.0.1:9/x.png');
                document.body.append(image);
            })()"""
        )

        assert page.evaluate("typeof window.ran") == "undefined"
        page.wait("!!document.images[document.images.length - 1].complete")
        assert page.refused == ["csp"]
        assert page.complaints != []


class TestAccessible:
    def test_names(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        Every control has a name, and what changes is announced.
        """
        _, path = broken
        opened_page(page, path)

        tree = page.call("Accessibility.getFullAXTree")["nodes"]
        controls = {"button", "checkbox", "combobox", "searchbox", "link", "image"}
        nameless = [
            node["role"]["value"]
            for node in tree
            if not node["ignored"]
            and node["role"]["value"] in controls
            and not node.get("name", {}).get("value")
        ]

        assert nameless == []
        assert {"main", "banner", "search", "status", "table", "list"} <= {
            node["role"]["value"] for node in tree
        }

    def test_keyboard(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        The first Tab offers the way past the table; what has focus is outlined.
        """
        _, path = broken
        opened_page(page, path)

        page.press("Tab")
        first = page.evaluate("document.activeElement.textContent")
        page.press("Enter")
        page.press("Tab")

        assert first == "Skip to the findings"
        assert page.evaluate("document.activeElement.value") == "error"
        assert page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle"
        ) == ("solid")

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_contrast(
        self, page: Page, broken: tuple[Report, Path], scheme: str
    ) -> None:
        """
        Text stands out from what is behind it by 4.5 to 1, light and dark.
        """
        _, path = broken
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.call("Emulation.setEmulatedMedia", features=features)
        opened_page(page, path)

        pairs = page.evaluate(
            """[...document.querySelectorAll('body *')].filter((element) =>
                [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim())
                && element.checkVisibility() && !element.disabled
                && !element.matches('script, style, option')
            ).map((element) => {
                let behind = element;
                const color = (e) => getComputedStyle(e).backgroundColor;
                while (behind && color(behind) === 'rgba(0, 0, 0, 0)') {
                    behind = behind.parentElement;
                }
                return [getComputedStyle(element).color, color(behind),
                        element.className || element.tagName];
            })"""
        )
        page.call("Emulation.setEmulatedMedia", features=[])

        low = {tuple(pair) for pair in pairs if contrast(pair[0], pair[1]) < 4.5}
        assert low == set()
        dark = luminance(pairs[0][1]) < 0.1
        assert dark == (scheme == "dark")

    def test_print(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        On paper there are all findings and no controls.
        """
        report, path = broken
        opened_page(page, path)
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.call("Emulation.setEmulatedMedia", media="print")
        found = page.evaluate("document.querySelectorAll('.finding').length")
        form = page.evaluate("document.getElementById('filters').checkVisibility()")
        page.call("Emulation.setEmulatedMedia", media="")

        assert found == len(report.problems)
        assert not form

    def test_narrow(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        On a telephone nothing is cut off at the side.
        """
        _, path = broken
        opened_page(page, path, "#code=unknown-color")
        size = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}
        page.call("Emulation.setDeviceMetricsOverride", **size)
        width = page.evaluate("document.documentElement.scrollWidth")
        page.call("Emulation.clearDeviceMetricsOverride")

        assert width <= 360

    def test_seen(self, page: Page, broken: tuple[Report, Path]) -> None:
        """
        Something is drawn: the verdict is red, the paper light.
        """
        _, path = broken
        opened_page(page, path)

        with Image.open(io.BytesIO(page.shoot())) as shot:
            colors = np.asarray(shot.convert("RGB")).reshape(-1, 3)

        assert (colors == (179, 23, 45)).all(axis=1).sum() > 500
        assert (colors == (246, 247, 249)).all(axis=1).mean() > 0.2


def luminance(color: str) -> float:
    """
    The relative luminance of a color as styles give it.
    """
    channels = [int(part) / 255 for part in color[4:-1].split(", ")[:3]]
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """
    The contrast of two colors, as WCAG counts it.
    """
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
