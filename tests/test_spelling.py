from __future__ import annotations

import copy
from typing import Any

import pytest

from framekit.frame import SingleFrame, canonical, written_path


def source(**keys: Any) -> dict[str, Any]:
    """
    A frame of one source with these keys.
    """
    return {"sources": [{"id": "front", "uri": "f.mp4", **keys}]}


WILD = [
    (
        source(masks=[{"id": 0, "uri": "m"}]),
        source(masks=[{"id": "0", "uri": "m"}]),
        ["$.sources[0].masks[0].id"],
    ),
    (
        source(mask=[{"id": "seg", "uri": "m"}]),
        source(masks=[{"id": "seg", "uri": "m"}]),
        ["$.sources[0].mask"],
    ),
    (
        source(mask={"id": 7, "uri": "m"}),
        source(masks=[{"id": "7", "uri": "m"}]),
        ["$.sources[0].mask", "$.sources[0].mask.id"],
    ),
    (
        source(preview="p.jpg"),
        source(preview={"uri": "p.jpg"}),
        ["$.sources[0].preview"],
    ),
    (
        {"sources": [], "rois": [{"labels": ["car"]}]},
        {"sources": [], "rois": [{"label": ["car"]}]},
        ["$.rois[0].labels"],
    ),
    (
        {"sources": [], "rois": [{"label": [], "mask": {"id": 1, "value": [0, 0, 0]}}]},
        {
            "sources": [],
            "rois": [{"label": [], "mask": {"id": "1", "value": [0, 0, 0]}}],
        },
        ["$.rois[0].mask.id"],
    ),
]


class TestCanonical:
    @pytest.mark.parametrize(("wild", "expected", "places"), WILD)
    def test_respelled(
        self, wild: dict[str, Any], expected: dict[str, Any], places: list[str]
    ) -> None:
        """
        Each wild spelling becomes the canonical one, and its place is told.
        """
        before = copy.deepcopy(wild)
        found, respellings = canonical(wild)

        assert found == expected
        assert [respelling.at for respelling in respellings] == places
        assert wild == before

    @pytest.mark.parametrize(("wild", "expected", "_"), WILD)
    def test_written_canonically(
        self, wild: dict[str, Any], expected: dict[str, Any], _: list[str]
    ) -> None:
        """
        A frame reads the wild spelling and writes the canonical one.
        """
        assert SingleFrame.from_dict(wild).to_dict() == expected

    def test_nothing_to_do(self) -> None:
        """
        A canonical document is returned as it is.
        """
        document = source(masks=[{"id": "seg", "uri": "m"}])

        assert canonical(document)[0] is document
        assert canonical(document)[1] == []

    @pytest.mark.parametrize("document", [None, [], 3, {"sources": 3}, {"rois": [3]}])
    def test_no_frame(self, document: Any) -> None:
        """
        What is no frame at all is left to the schema.
        """
        assert canonical(document) == (document, [])

    def test_both_keys(self) -> None:
        """
        ``labels`` beside another ``label`` is told, and kept as it is.
        """
        document = {"sources": [], "rois": [{"label": ["a"], "labels": ["b"]}]}

        assert [r.message for r in canonical(document)[1]] == [
            "'labels' beside 'label' is not read; 'label' counts"
        ]
        assert SingleFrame.from_dict(document).to_dict() == document


class TestWrittenPath:
    @pytest.mark.parametrize(
        ("document", "canonical_at", "at"),
        [
            (
                {"sources": [], "rois": [{"labels": [3]}]},
                "$.rois[0].label[0]",
                "$.rois[0].labels[0]",
            ),
            (
                source(mask={"id": "seg"}),
                "$.sources[0].masks[0].uri",
                "$.sources[0].mask.uri",
            ),
            (
                source(mask=[{"id": "seg"}]),
                "$.sources[0].masks[0].uri",
                "$.sources[0].mask[0].uri",
            ),
            (source(preview=""), "$.sources[0].preview.uri", "$.sources[0].preview"),
            (source(preview="p"), "$.sources[0].width", "$.sources[0].width"),
        ],
    )
    def test_maps_back(
        self, document: dict[str, Any], canonical_at: str, at: str
    ) -> None:
        """
        A problem stands where the value is in the document as written.
        """
        assert written_path(canonical_at, canonical(document)[1]) == at
