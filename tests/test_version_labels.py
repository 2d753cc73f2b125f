from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from framekit.errors import (
    ArgumentError,
    LinkWarning,
    PaletteError,
    PaletteWarning,
)
from framekit.frame import Mask, Roi, RoiMask, SingleFrame, Source
from framekit.palette import Palette, levels_of

BLACK = (0, 0, 0)
RED = (255, 0, 0)
BLUE = (0, 0, 255)

#: Example 1 of ClearML's page, less what does not matter: ids and labels exchanged.
EXAMPLE_1: dict[str, Any] = {
    "sources": [
        {
            "id": "front",
            "uri": "front.mp4",
            "masks": [
                {"id": "seg", "uri": "front_seg.mp4"},
                {"id": "seg_instance", "uri": "front_instance_seg.mp4"},
            ],
        }
    ],
    "rois": [
        {"sources": ["front"], "label": ["seg"], "mask": {"id": name, "value": value}}
        for name, value in [
            ("car", [210, 210, 120]),
            ("person", [147, 44, 209]),
            ("road", [197, 135, 146]),
            ("street", [135, 198, 145]),
            ("building", [72, 191, 65]),
        ]
    ],
}

#: Example 2: canonical.
EXAMPLE_2: dict[str, Any] = {
    "sources": [
        {
            "id": "front",
            "uri": "front.mp4",
            "masks": [
                {"id": "car", "uri": "front_seg.mp4"},
                {"id": "road", "uri": "front_instance_seg.mp4"},
            ],
        }
    ],
    "rois": [
        {
            "sources": ["front"],
            "label": ["right_lane"],
            "mask": {"id": "car", "value": [210, 210, 120]},
        },
        {
            "sources": ["front"],
            "label": ["right_lane"],
            "mask": {"id": "road", "value": [197, 135, 146]},
        },
    ],
}


def a_frame(*rois: tuple[tuple[int, int, int], list[str]], id: str = "seg") -> Any:
    """
    A frame with the mask "seg" of the source "front", and these ROIs on it.
    """
    mask = Mask(id="seg", uri="seg.png")
    return SingleFrame(
        sources=[Source(id="front", uri="front.png", masks=[mask])],
        rois=[
            Roi(labels=labels, mask=RoiMask(id=id, value=value))
            for value, labels in rois
        ],
    )


def pairs(palette: Palette) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """
    Colors and labels in their order.
    """
    return ((entry.color, entry.labels) for entry in palette)


class TestLevels:
    LIST = [{"value": [0, 0, 0], "labels": ["background"]}]  # noqa: RUF012
    FOUND = [("mask_labels['_all_']", {BLACK: ("background",)})]  # noqa: RUF012

    @pytest.mark.parametrize(
        "version",
        [
            LIST,
            {"_all_": LIST},
            {"mask_labels": {"_all_": LIST}},
            {"mask_labels": LIST, "name": "v1"},
            {"name": "v1", "metadata": {"mask_labels": {"_all_": LIST}}},
            {BLACK: ["background"]},
            SimpleNamespace(mask_labels={BLACK: ["background"]}),
        ],
    )
    def test_forms(self, version: Any) -> None:
        """
        All forms of mask_labels say the same.
        """
        assert levels_of(version, "seg") == self.FOUND

    @pytest.mark.parametrize(
        "version",
        [None, {}, [], {"name": "v1"}, {"mask_labels": None}, {"_all_": []},
         {"_all_": None}, {"other": LIST}],
    )  # fmt: skip
    def test_nothing_said(self, version: Any) -> None:
        """
        A version that says nothing about the mask has no levels.
        """
        assert levels_of(version, "seg") == []

    def test_order(self) -> None:
        """
        What is said of the mask comes before what is said of all.
        """
        version = {
            "_all_": self.LIST,
            "seg": [{"value": [0, 0, 0], "labels": ["void", "void", "x"]}],
        }

        assert levels_of(version, "seg") == [
            ("mask_labels['seg']", {BLACK: ("void", "x")}),
            ("mask_labels['_all_']", {BLACK: ("background",)}),
        ]

    @pytest.mark.parametrize(
        ("version", "argument"),
        [
            (7, "version"),
            ("seg", "version"),
            ({"mask_labels": "seg"}, "version"),
            ({"_all_": 7}, "mask_labels"),
            ({"_all_": {"value": [0, 0, 0], "labels": ["a"]}}, "mask_labels"),
            ([7], "mask_labels"),
            ([{"value": [0, 0, 0]}], "mask_labels"),
            ([{"value": [0, 0], "labels": ["a"]}], "mask_labels"),
            ([{"value": "black", "labels": ["a"]}], "mask_labels"),
            ([{"value": [0, 0, 0], "labels": "a"}], "mask_labels"),
            ({BLACK: "background"}, "mask_labels"),
        ],
    )
    def test_refused(self, version: Any, argument: str) -> None:
        """
        What is no mask_labels is refused.
        """
        with pytest.raises(ArgumentError) as e:
            levels_of(version, "seg")

        assert e.value.argument == argument

    def test_two_label_sets(self) -> None:
        """
        One level cannot give a color two label sets, unless told how.
        """
        version = [
            {"value": [0, 0, 0], "labels": ["a"]},
            {"value": [0, 0, 0], "labels": ["b"]},
        ]

        with pytest.raises(PaletteError) as e:
            levels_of(version, "seg")

        assert e.value == PaletteError(
            "[0, 0, 0] stands for ['a'] and for ['b'] in mask_labels['_all_']; choose "
            "with shared='first' or 'merge'"
        )
        first, merged = (
            levels_of(version, "seg", shared=shared)[0][1]
            for shared in ("first", "merge")
        )
        assert first == {BLACK: ("a",)}
        assert merged == {BLACK: ("a", "b")}


class TestFromFrame:
    def test_example_1(self) -> None:
        """
        Example 1 gives its five classes on the mask "seg", and one warning.
        """
        frame = SingleFrame.from_dict(json.loads(json.dumps(EXAMPLE_1)))

        with pytest.warns(LinkWarning) as found:
            palette = Palette.from_frame(frame, source="front", mask="seg")

        assert list(pairs(palette)) == [
            ((210, 210, 120), ("car",)),
            ((147, 44, 209), ("person",)),
            ((197, 135, 146), ("road",)),
            ((135, 198, 145), ("street",)),
            ((72, 191, 65), ("building",)),
        ]
        assert [str(w.message) for w in found] == [
            "mask ids and labels of the frame's ROIs are exchanged; read so"
        ]
        assert found[0].filename == __file__

    def test_example_1_other_mask(self) -> None:
        """
        The other mask of Example 1 has no colors.
        """
        frame = SingleFrame.from_dict(json.loads(json.dumps(EXAMPLE_1)))

        with pytest.warns(LinkWarning):
            palette = Palette.from_frame(frame, mask="seg_instance")

        assert palette == Palette()

    def test_example_2(self) -> None:
        """
        Example 2 gives right_lane on each of the masks "car" and "road".
        """
        frame = SingleFrame.from_dict(json.loads(json.dumps(EXAMPLE_2)))

        assert Palette.from_frame(frame, mask="car") == Palette(
            {(210, 210, 120): "right_lane"}
        )
        assert Palette.from_frame(frame, "front", "road") == Palette(
            {(197, 135, 146): "right_lane"}
        )

    def test_levels_fill_in(self) -> None:
        """
        ROIs come first, then the mask's labels, then those of all masks.
        """
        version = {
            "seg": [{"value": [0, 0, 255], "labels": ["sky"]}],
            "_all_": [{"value": [0, 0, 0], "labels": ["background"]}],
        }

        palette = Palette.from_frame(a_frame((RED, ["car"])), version=version)

        assert list(pairs(palette)) == [
            (RED, ("car",)),
            (BLUE, ("sky",)),
            (BLACK, ("background",)),
        ]

    def test_agreement(self) -> None:
        """
        Levels that say the same, in any order, are no reason for a warning.
        """
        frame = a_frame((RED, ["car", "red"]))

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            palette = Palette.from_frame(frame, version={RED: ["red", "car"]})

        assert list(pairs(palette)) == [(RED, ("car", "red"))]

    def test_disagreement(self) -> None:
        """
        Levels that disagree are a warning that names both, and the former counts.
        """
        version = {
            "seg": [
                {"value": list(RED), "labels": ["bus"]},
                {"value": list(BLUE), "labels": ["sky"]},
            ],
            "_all_": [{"value": list(BLUE), "labels": ["water"]}],
        }

        with pytest.warns(PaletteWarning) as found:
            palette = Palette.from_frame(a_frame((RED, ["car"])), version=version)

        assert list(pairs(palette)) == [(RED, ("car",)), (BLUE, ("sky",))]
        assert [str(w.message) for w in found] == [
            said.replace("in _all_", "in mask_labels['_all_']") + "; the former counts"
            for said in (
                "[255, 0, 0] is ['car'] in rois and ['bus'] in mask_labels['seg']",
                "[0, 0, 255] is ['sky'] in mask_labels['seg'] and ['water'] in _all_",
            )
        ]

    def test_restrict(self) -> None:
        """
        Restricted to the ROIs' colors, the version still has a say about those.
        """
        version = {BLACK: ["background"], RED: ["bus"]}

        with pytest.warns(PaletteWarning, match="the former counts"):
            palette = Palette.from_frame(
                a_frame((RED, ["car"])), version=version, restrict=True
            )

        assert list(pairs(palette)) == [(RED, ("car",))]

    def test_several_labels(self) -> None:
        """
        An ROI's labels are all kept, and the same ROI twice counts once.
        """
        rois = [(RED, ["car", "red"]), (RED, ["red", "car"])]

        assert list(pairs(Palette.from_frame(a_frame(*rois)))) == [
            (RED, ("car", "red"))
        ]

    def test_no_labels(self) -> None:
        """
        The color of an ROI without labels is void.
        """
        palette = Palette.from_frame(a_frame((RED, [])))

        assert palette.ids_by_color == {RED: -1}

    def test_shared(self) -> None:
        """
        ROIs that give one color two label sets are refused, unless told how.
        """
        frame = a_frame((RED, ["car"]), (RED, ["bus"]))

        with pytest.raises(PaletteError, match="#ff0000 stands for"):
            Palette.from_frame(frame)

        merged = Palette.from_frame(
            frame, shared="merge", version={RED: ["bus", "car"]}
        )
        first = Palette.from_frame(frame, shared="first")
        assert list(pairs(merged)) == [(RED, ("car", "bus"))]
        assert first.ids_by_color == {RED: 0}

    def test_dangling(self) -> None:
        """
        An ROI whose mask id leads nowhere is refused, naming where and the ids.
        """
        with pytest.raises(PaletteError) as e:
            Palette.from_frame(a_frame((RED, ["car"]), id="sge"))

        assert e.value == PaletteError("$.rois[0].mask.id: 'sge' is none of ['seg']")

    def test_dangling_elsewhere(self) -> None:
        """
        An ROI that dangles in another source does not concern this one.
        """
        frame = a_frame((RED, ["car"]))
        frame.sources = [*frame.sources, Source(id="rear", uri="rear.png")]
        frame.rois = [
            *frame.rois,
            Roi(labels=["x"], sources=["rear"], mask=RoiMask(id="z", value=BLUE)),
        ]

        assert list(pairs(Palette.from_frame(frame, "front"))) == [(RED, ("car",))]

    def test_negative_color(self) -> None:
        """
        ClearML's [-1, 1, 255] is kept and never matches a pixel.
        """
        palette = Palette.from_frame(a_frame(((-1, 1, 255), ["car"])))

        assert list(pairs(palette)) == [((-1, 1, 255), ("car",))]
        assert palette.ids_by_color == {}

    def test_many_rois(self) -> None:
        """
        Ten thousand segments make ten thousand entries.
        """
        rois = [((n & 255, n >> 8, 1), [f"s{n}"]) for n in range(10_000)]

        assert len(Palette.from_frame(a_frame(*rois))) == 10_000


class TestPage:
    def test_same_as_page(self) -> None:
        """
        The examples above are those of ClearML's page.
        """
        page = Path(__file__).parents[2] / "shared/sources/002_5be2e2eceb412f58.txt"
        if not page.exists():
            pytest.skip("needs ClearML's page")
        text = "".join(page.read_text(encoding="utf-8").split())

        for example in (EXAMPLE_1, EXAMPLE_2):
            for roi in example["rois"]:
                mask = json.dumps(roi["mask"], separators=(",", ":"))
                assert mask in text
