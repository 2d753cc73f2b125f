from __future__ import annotations

from typing import Any

import pytest

from framekit.errors import ArgumentError
from framekit.frame import FrameGroup, Mask, Roi, RoiMask, SingleFrame, Source


def document() -> dict[str, Any]:
    """
    Two cameras: each has an ROI of its own, one ROI lies in both.
    """
    return {
        "id": "a",
        "timestamp": 33,
        "context_id": "car_1",
        "meta": {"velocity": "60"},
        "?": 1,
        "sources": [
            {"id": "front", "uri": "f.mp4", "meta": {"angle": 45}},
            {"id": "rear", "uri": "r.jpg"},
        ],
        "rois": [
            {"label": ["car"], "sources": ["front"]},
            {"label": ["road"], "sources": ["rear"]},
            {"label": ["day"], "sources": ["front", "rear"]},
        ],
    }


class TestRoundTrip:
    def test_lossless(self) -> None:
        """
        Taking a frame apart and putting it together changes nothing.
        """
        assert FrameGroup.from_dict(document()).to_dict() == document()

    def test_members(self) -> None:
        """
        Each source is a frame of its own, with its own ROIs.
        """
        group = FrameGroup.from_dict(document())

        assert list(group) == ["front", "rear"]
        assert group["rear"] == SingleFrame(
            sources=[Source(id="rear", uri="r.jpg")],
            rois=[Roi(labels=["road"], sources=["rear"])],
        )
        assert group.metadata == {"velocity": "60"}

    def test_rois_of_some(self) -> None:
        """
        An ROI of two of three sources is kept, and is not a global one.
        """
        three = document()
        three["sources"].append({"id": "left", "uri": "l.jpg"})
        group = FrameGroup.from_dict(three)

        assert group.get_global_annotations() == []
        assert group.to_dict() == three

    def test_same_ids(self) -> None:
        """
        Two sources of one id cannot be told apart.
        """
        twice = document()
        twice["sources"][1]["id"] = "front"

        with pytest.raises(ArgumentError, match="share the id 'front'"):
            FrameGroup.from_dict(twice)


class TestMapping:
    def test_key_is_source_id(self) -> None:
        """
        The key names the source, whatever the frame called it.
        """
        frame = SingleFrame(source="f.jpg", mask_source="f.png")
        frame.add_annotation(mask_rgb=[1, 2, 3], labels=["car"])
        group = FrameGroup({"front": frame}, id="a")

        assert group.to_frame() == SingleFrame(
            id="a",
            sources=[
                Source(id="front", uri="f.jpg", masks=[Mask(id="00", uri="f.png")])
            ],
            rois=[
                Roi(
                    labels=["car"],
                    sources=["front"],
                    mask=RoiMask(id="00", value=(1, 2, 3)),
                )
            ],
        )

    def test_only_single_sources(self) -> None:
        """
        A member has exactly one source.
        """
        with pytest.raises(ArgumentError, match="one source, got 0"):
            FrameGroup({"front": SingleFrame()})
        with pytest.raises(ArgumentError, match="expected a SingleFrame"):
            FrameGroup()["front"] = "f.jpg"  # type: ignore[assignment]

    def test_delete(self) -> None:
        """
        A member can be taken out.
        """
        group = FrameGroup.from_dict(document())
        del group["rear"]

        assert len(group) == 1

    def test_time_of_first(self) -> None:
        """
        A group without a time of its own has that of its first member.
        """
        group = FrameGroup(
            {"front": SingleFrame(source="f", timestamp=33, context_id="car_1")}
        )

        assert group.to_frame().timestamp == 33
        assert group.to_frame().context_id == "car_1"

    def test_member_metadata(self) -> None:
        """
        A member's metadata becomes its source's; a contradiction is refused.
        """
        member = SingleFrame(
            sources=[Source(id="x", uri="f", metadata={"fov": 1})], metadata={"gain": 2}
        )

        assert FrameGroup({"front": member}).to_frame().sources[0].metadata == {
            "fov": 1,
            "gain": 2,
        }
        member.metadata["fov"] = 3
        with pytest.raises(ArgumentError, match="disagree on 'fov'"):
            FrameGroup({"front": member}).to_frame()


class TestGlobalAnnotations:
    def test_add_and_remove(self) -> None:
        """
        A global annotation names all sources.
        """
        group = FrameGroup.from_dict(document())

        assert group.add_global_annotation(frame_class=["rain"]) == [1]
        assert group.get_global_annotations()[1] == Roi(
            labels=["rain"], sources=["front", "rear"]
        )
        assert group.remove_global_annotation(1).labels == ("rain",)
        assert group.to_dict() == document()

    def test_roi(self) -> None:
        """
        A ready ROI gets all sources.
        """
        group = FrameGroup.from_dict(document())
        group.add_global_annotation(Roi(labels=["rain"]))

        assert group.get_global_annotations()[-1].sources == ("front", "rear")

    def test_no_such(self) -> None:
        """
        An index beyond the end is a clear error.
        """
        with pytest.raises(ArgumentError, match="1 global"):
            FrameGroup.from_dict(document()).remove_global_annotation(1)


def test_copy() -> None:
    """
    A copy has an id of its own and is otherwise equal.
    """
    group = FrameGroup.from_dict(document())
    copied = group.copy()

    assert copied.id != group.id
    copied.id = group.id
    assert copied == group
