from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framekit.errors import ArgumentError
from framekit.frame import Mask, Roi, RoiMask, SingleFrame, Source
from framekit.palette import Link, Linking, MaskRoi, link, link_frame, mask_of

PAGE = Path(__file__).parents[2] / "shared/sources/002_5be2e2eceb412f58.txt"

RED = (255, 0, 0)
BLUE = (0, 0, 255)


def page_examples() -> list[dict[str, Any]]:
    """
    Both examples of ClearML's page; the second is a fragment there.
    """
    text = PAGE.read_text(encoding="utf-8")
    _, first, second, *_ = text.split("View the frame\n")
    start = first.index("{\n")
    one, _ = json.JSONDecoder().raw_decode(first[start:])
    body, _, _ = second.partition("\n\n")
    return [one, json.loads("{" + body + "]}")]


def roi(
    index: int,
    mask_id: str,
    *labels: str,
    sources: tuple[str, ...] = (),
    color: tuple[int, int, int] = RED,
) -> MaskRoi:
    """
    An ROI as linking sees it.
    """
    return MaskRoi(index, labels, sources, mask_id, color)


class TestCanonical:
    def test_named(self) -> None:
        """
        A mask id that the ROI's source has is that mask.
        """
        found = link({"front": ["seg"]}, [roi(0, "seg", "car", sources=("front",))])

        assert found == Linking((Link(0, "front", "seg", RED, ("car",)),))

    def test_several_sources(self) -> None:
        """
        An ROI of two sources is linked in both.
        """
        masks = {"front": ["seg"], "rear": ["seg"]}

        found = link(masks, [roi(0, "seg", "car", sources=("front", "rear"))])

        assert [(x.source, x.mask) for x in found.links] == [
            ("front", "seg"),
            ("rear", "seg"),
        ]

    def test_source_named_twice(self) -> None:
        """
        Naming a source twice links once.
        """
        found = link({"a": ["seg"]}, [roi(0, "seg", "car", sources=("a", "a"))])

        assert found.links == (Link(0, "a", "seg", RED, ("car",)),)

    def test_no_sources(self) -> None:
        """
        An ROI without sources applies to each source that has its mask.
        """
        masks = {"front": ["seg"], "rear": ["00"], "left": ["seg"]}

        found = link(masks, [roi(0, "seg", "car")])

        assert [x.source for x in found.links] == ["front", "left"]

    def test_one_of_two_sources(self) -> None:
        """
        It is enough that one of the ROI's sources has the mask.
        """
        masks = {"front": ["seg"], "rear": []}

        found = link(masks, [roi(0, "seg", "car", sources=("rear", "front"))])

        assert found == Linking((Link(0, "front", "seg", RED, ("car",)),))

    def test_label_that_is_a_mask_id(self) -> None:
        """
        A canonical ROI is never swapped, even when its label is a mask id, too.
        """
        found = link({"front": ["car", "road"]}, [roi(0, "car", "road")])

        assert found == Linking((Link(0, "front", "car", RED, ("road",)),))

    def test_no_rois(self) -> None:
        """
        Without ROIs there is nothing to link.
        """
        assert link({"front": ["seg"]}, []) == Linking(())


class TestSwapped:
    def test_all(self) -> None:
        """
        When every label is a mask id and no mask id is one, they are exchanged.
        """
        rois = [roi(0, "car", "seg"), roi(1, "road", "seg", color=BLUE)]

        assert link({"front": ["seg"]}, rois) == Linking(
            (
                Link(0, "front", "seg", RED, ("car",)),
                Link(1, "front", "seg", BLUE, ("road",)),
            ),
            swapped=True,
        )

    @pytest.mark.parametrize(
        "other",
        [
            roi(1, "seg", "road"),
            roi(1, "road", "sge"),
            roi(1, "road", "seg", "street"),
            roi(1, "road"),
            roi(1, "road", "seg", sources=("rear",)),
        ],
    )
    def test_not_all(self, other: MaskRoi) -> None:
        """
        One ROI that an exchange does not explain, and there is none.
        """
        found = link({"front": ["seg"], "rear": []}, [roi(0, "car", "seg"), other])

        assert not found.swapped
        assert (0, "car", ("seg",)) in found.dangling
        assert all(x.labels != ("car",) for x in found.links)


class TestDangling:
    def test_lone_mask(self) -> None:
        """
        A lone mask is no fallback for an id that leads nowhere.
        """
        found = link({"front": ["seg"]}, [roi(3, "sge", "car")])

        assert found == Linking((), dangling=((3, "sge", ("seg",)),))

    def test_others_stay(self) -> None:
        """
        The ROIs that lead somewhere are linked all the same.
        """
        rois = [roi(0, "seg", "car"), roi(1, "sge", "road", color=BLUE)]

        assert link({"front": ["seg", "inst"]}, rois) == Linking(
            (Link(0, "front", "seg", RED, ("car",)),),
            dangling=((1, "sge", ("seg", "inst")),),
        )

    def test_known_ids(self) -> None:
        """
        The known ids are those of the ROI's own sources.
        """
        masks = {"front": ["seg"], "rear": ["depth"]}

        found = link(masks, [roi(0, "seg", "car", sources=("rear",))])

        assert found.dangling == ((0, "seg", ("depth",)),)

    def test_unknown_source(self) -> None:
        """
        A source that the frame does not have has no masks.
        """
        found = link({"front": ["seg"]}, [roi(0, "seg", "car", sources=("fornt",))])

        assert found == Linking((), dangling=((0, "seg", ()),))


ids = st.sampled_from(["seg", "inst", "car", "road"])
source_ids = st.sampled_from(["front", "rear", "left"])
masks_of_sources = st.dictionaries(source_ids, st.lists(ids, unique=True), max_size=3)
mask_rois = st.lists(
    st.tuples(st.lists(ids, max_size=2), st.lists(source_ids, max_size=2), ids)
)


class TestNeverGuesses:
    @given(masks_of_sources, mask_rois)
    def test_links(
        self,
        masks: dict[str, list[str]],
        drawn: list[tuple[list[str], list[str], str]],
    ) -> None:
        """
        Every link follows from ids in the document, and an exchange is all or none.
        """
        rois = [
            MaskRoi(n, tuple(labels), tuple(sources), mask_id, RED)
            for n, (labels, sources, mask_id) in enumerate(drawn)
        ]

        found = link(masks, rois)

        for x in found.links:
            assert x.mask in masks[x.source]
            assert not rois[x.roi].sources or x.source in rois[x.roi].sources
            said = (x.labels, (x.mask,)) if found.swapped else ((x.mask,), x.labels)
            assert said == ((rois[x.roi].mask_id,), rois[x.roi].labels)
        linked = {x.roi for x in found.links}
        dangling = {index for index, _, _ in found.dangling}
        assert linked | dangling == set(range(len(rois)))
        assert not linked & dangling
        if found.swapped:
            assert not dangling
            assert not any(
                r.mask_id in masks.get(s, ()) for r in rois for s in r.sources or masks
            )


class TestLinkFrame:
    def test_positions(self) -> None:
        """
        Positions count all ROIs, also those without a mask.
        """
        frame = SingleFrame(
            sources=[Source(id="s", uri="s.png", masks=[Mask(id="m", uri="m.png")])],
            rois=[
                Roi(labels=["scene"]),
                Roi(labels=["car"], mask=RoiMask(id="m", value=RED)),
            ],
        )

        assert link_frame(frame).links == (Link(1, "s", "m", RED, ("car",)),)

    @pytest.mark.skipif(not PAGE.exists(), reason="needs ClearML's page")
    def test_example_1_of_the_page(self) -> None:
        """
        Example 1 has ids and labels exchanged: five classes on the mask "seg".
        """
        found = link_frame(SingleFrame.from_dict(page_examples()[0]))

        assert found.swapped
        assert [(x.source, x.mask, x.labels, x.color) for x in found.links] == [
            ("front", "seg", ("car",), (210, 210, 120)),
            ("front", "seg", ("person",), (147, 44, 209)),
            ("front", "seg", ("road",), (197, 135, 146)),
            ("front", "seg", ("street",), (135, 198, 145)),
            ("front", "seg", ("building",), (72, 191, 65)),
        ]

    @pytest.mark.skipif(not PAGE.exists(), reason="needs ClearML's page")
    def test_example_2_of_the_page(self) -> None:
        """
        Example 2 is canonical: right_lane on the masks "car" and "road".
        """
        found = link_frame(SingleFrame.from_dict(page_examples()[1]))

        assert found == Linking(
            (
                Link(0, "front", "car", (210, 210, 120), ("right_lane",)),
                Link(1, "front", "road", (197, 135, 146), ("right_lane",)),
            )
        )


class TestMaskOf:
    def frame(self, **masks: list[str]) -> SingleFrame:
        """
        A frame of these sources with these masks.
        """
        return SingleFrame(
            sources=[
                Source(id=s, uri=s, masks=[Mask(id=m, uri=m) for m in ids])
                for s, ids in masks.items()
            ]
        )

    def test_only_one(self) -> None:
        """
        Nothing needs to be named where there is no choice.
        """
        assert mask_of(self.frame(front=["seg"], rear=[])) == ("front", "seg")

    def test_mask_names_its_source(self) -> None:
        """
        A mask id that only one source has names the source as well.
        """
        frame = self.frame(front=["seg"], rear=["depth"])

        assert mask_of(frame, mask="depth") == ("rear", "depth")

    @pytest.mark.parametrize(
        ("source", "mask", "error"),
        [
            (
                None,
                None,
                ArgumentError("source", "the frame has ['front', 'rear']; name one"),
            ),
            (
                None,
                "seg",
                ArgumentError("source", "the frame has ['front', 'rear']; name one"),
            ),
            (
                "front",
                None,
                ArgumentError("mask", "source 'front' has ['seg', 'inst']; name one"),
            ),
            (
                "left",
                "seg",
                ArgumentError("source", "'left' is none of ['front', 'rear', 'top']"),
            ),
            (
                "front",
                "sge",
                ArgumentError(
                    "mask", "'sge' is no mask of source 'front': ['seg', 'inst']"
                ),
            ),
            (
                "top",
                None,
                ArgumentError("mask", "source 'top' has no masks; name one"),
            ),
        ],
    )
    def test_refused(
        self, source: str | None, mask: str | None, error: ArgumentError
    ) -> None:
        """
        A choice is never made for the caller; the message names what there is.
        """
        frame = self.frame(front=["seg", "inst"], rear=["seg"], top=[])

        with pytest.raises(ArgumentError) as e:
            mask_of(frame, source, mask)

        assert e.value == error
