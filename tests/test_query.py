"""
Choosing frames by the labels of their ROIs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import framekit as fk
from framekit.dataset.dataset import Dataset
from framekit.dataset.query import Filter, LabelRule, MappingRule
from framekit.dataset.version import DatasetVersion
from framekit.errors import ArgumentError

SWAPPED = {
    "id": "swapped",
    "context_id": "z",
    "sources": [{"id": "s", "uri": "z.png", "masks": [{"id": "seg", "uri": "m.png"}]}],
    "rois": [{"label": ["seg"], "mask": {"id": "bus", "value": [1, 2, 3]}}],
}


def frame(id: str, *rois: Any) -> dict[str, Any]:
    """
    A frame with ROIs: labels, or labels and a confidence.
    """
    written = []
    for roi in rois:
        labels, confidence = roi if isinstance(roi, tuple) else (roi, None)
        written.append({"label": labels.split()})
        if confidence is not None:
            written[-1]["confidence"] = confidence
    return {
        "id": id,
        "context_id": id,
        "sources": [{"id": "s", "uri": f"{id}.png"}],
        "rois": written,
    }


@pytest.fixture
def version(tmp_path: Path) -> DatasetVersion:
    """
    Frames a to f, and one with mask ids and labels exchanged.
    """
    made = Dataset.create(tmp_path).create_version("v1")
    made.add_frames(
        [
            frame("a", "car", "car", "person"),
            frame("b", ("car parked", 0.9), ("person", 0.2)),
            frame("c", "car", "parked"),
            frame("d", ("truck", 0.5)),
            frame("e"),
            SWAPPED,
        ]
    )
    return made


def ids(frames: Iterable[fk.SingleFrame]) -> str:
    """
    Their ids, in one text.
    """
    return " ".join(str(one.id) for one in frames)


def labels(frames: Iterable[fk.SingleFrame]) -> dict[str | None, list[Any]]:
    """
    The labels of each frame's ROIs.
    """
    return {one.id: [list(roi.labels) for roi in one.rois] for one in frames}


class TestRules:
    @pytest.mark.parametrize(
        ("rules", "expected"),
        [
            ([], "a b c d e swapped"),
            (["car"], "a b c"),
            (["car", "person"], "a b"),
            ([["car", "parked"]], "b"),
            (["car", "parked"], "b c"),
            (["*"], "a b c d swapped"),
            (["bus"], "swapped"),
            (["seg"], ""),
            ([LabelRule("car", count_range=(2, 2))], "a"),
            ([LabelRule("car", count_range=[1, 1])], "b c"),
            ([LabelRule("car", count_range=[2])], "a"),
            ([LabelRule("car", count_range=(-1, 0))], "d e swapped"),
            ([LabelRule("car", count_range=(0, -1))], "a b c d e swapped"),
            ([LabelRule("car", conf_range=(0.5, 1))], "b"),
            ([LabelRule("person", conf_range=(0.5, 1))], ""),
            ([LabelRule("*", conf_range=(0.5, -1))], "b d"),
            ([LabelRule("car", must_not=True)], "d e swapped"),
            ([LabelRule("car", count_range=(2, -1), must_not=True)], "b c d e swapped"),
            (["car", LabelRule("person", must_not=True)], "c"),
            ([Filter("truck"), Filter(["car", "person"])], "a b d"),
            ([Filter(source="[ab]*")], "a b"),
            ([Filter(filter_by_roi="no_rois")], "e"),
            ([Filter("truck", filter_by_roi="disabled", source="a*")], "a"),
        ],
    )
    def test_rules(
        self, version: DatasetVersion, rules: list[Any], expected: str
    ) -> None:
        """
        Rules are all met; labels of one rule are those of one ROI.
        """
        query = version.query(*rules)

        assert ids(query) == expected
        assert query.count() == len(expected.split())

    def test_from_dict(self) -> None:
        """
        Rules are read as ClearML's data views have them.
        """
        rule = {"label": "car", "count_range": [1, 5], "conf_range": [0.5, -1]}

        assert LabelRule.from_dict(rule) == LabelRule(
            "car", count_range=(1, 5), conf_range=(0.5, -1)
        )

    @pytest.mark.parametrize(
        "make",
        [
            lambda: LabelRule([]),
            lambda: LabelRule(3),
            lambda: LabelRule("a", count_range=(2, 1)),
            lambda: LabelRule("a", count_range=(1, 2, 3)),
            lambda: LabelRule("a", conf_range="x"),
            lambda: LabelRule("a", conf_range=(float("nan"), 1)),
            lambda: LabelRule.from_dict({"labels": "car"}),
            lambda: LabelRule.from_dict({"label": "car", "count": 1}),
            lambda: Filter("a", weight=0),
            lambda: Filter("a", filter_by_roi="x"),
            lambda: MappingRule([], "a"),
            lambda: MappingRule("a", ""),
        ],
    )
    def test_bad(self, make: Any) -> None:
        """
        What is no rule is refused.
        """
        with pytest.raises(ArgumentError):
            make()

    @pytest.mark.parametrize(
        "options",
        [
            {"order": "backwards"},
            {"rois": "none"},
            {"limit": -1},
            {"limit": 1.5},
            {"seed": "x"},
            {"mapping": "car"},
            {"mapping": [("a", "b")]},
            {"enumeration": {"a": "b"}},
            {"enumeration": ["a"]},
        ],
    )
    def test_bad_options(self, version: DatasetVersion, options: Any) -> None:
        """
        What is no option is refused before anything is read.
        """
        with pytest.raises(ArgumentError):
            version.query(**options)

    def test_rules_beside_filters(self, version: DatasetVersion) -> None:
        """
        A rule beside a filter could mean two things.
        """
        with pytest.raises(ArgumentError):
            version.query("car", Filter("person"))


class TestOrder:
    def test_limit(self, version: DatasetVersion) -> None:
        """
        No more frames than the limit come.
        """
        assert ids(version.query(limit=2)) == "a b"
        assert ids(version.query(limit=0)) == ""

    def test_random(self, version: DatasetVersion) -> None:
        """
        A seed decides about an order in which each frame comes once.
        """
        first = ids(version.query(order="random", seed=1))

        assert first == ids(version.query(order="random", seed=1))
        assert sorted(first.split()) == ["a", "b", "c", "d", "e", "swapped"]
        orders = {ids(version.query(order="random", seed=seed)) for seed in range(9)}
        assert len(orders) > 5

    def test_random_order_does_not_depend_on_the_shards(
        self, version: DatasetVersion
    ) -> None:
        """
        Frames keep their places among each other however they are stored.
        """
        before = ids(version.query(order="random", seed=3)).split()
        version.add_frames([frame("x"), frame("y")])
        version.commit()
        after = ids(version.query(order="random", seed=3)).split()

        assert [id for id in after if id not in "xy"] == before

    def test_pinned(self, version: DatasetVersion) -> None:
        """
        The order of a seed is the same everywhere and always.
        """
        assert ids(version.query(order="random", seed=7)) == PINNED


PINNED = "d c swapped b a e"


class TestWeights:
    def test_shares(self, version: DatasetVersion) -> None:
        """
        Frames of a filter come as often as its weight says, all of the largest.
        """
        query = version.query(Filter("car", weight=3), Filter("truck", weight=1))

        assert Counter(ids(query).split()) == {"a": 1, "b": 1, "c": 1, "d": 1}

    def test_repeats(self, version: DatasetVersion) -> None:
        """
        A small filter with a large weight is repeated.
        """
        query = version.query(Filter("car", weight=1), Filter("truck", weight=2))

        assert Counter(ids(query).split()) == {"a": 1, "b": 1, "c": 1, "d": 6}

    def test_empty_filter(self, version: DatasetVersion) -> None:
        """
        A filter without frames has no share.
        """
        query = version.query(Filter("nope", weight=9), Filter("truck", weight=1))

        assert ids(query) == "d"
        assert ids(version.query(Filter("nope", weight=1))) == ""

    def test_random(self, version: DatasetVersion) -> None:
        """
        A seed decides about the order of a weighted pass too.
        """
        filters = (Filter("car", weight=1), Filter("*", weight=1))
        query = version.query(*filters, order="random", seed=5)

        assert ids(query) == ids(query)
        assert query.count() == 10


class TestOutput:
    def test_mapping(self, version: DatasetVersion) -> None:
        """
        Labels get other names once frames are chosen; the others stay.
        """
        found = version.query(
            "*", mapping={("car", "parked"): "obstacle", "car": "vehicle"}
        )

        assert labels(found) == {
            "a": [["vehicle"], ["vehicle"], ["person"]],
            "b": [["obstacle"], ["person"]],
            "c": [["vehicle"], ["parked"]],
            "d": [["truck"]],
            "swapped": [["bus"]],
        }

    def test_mapping_mends_exchanged_labels(self, version: DatasetVersion) -> None:
        """
        A mapped frame has its mask ids where they belong.
        """
        (found,) = version.query("bus", mapping={"bus": "vehicle"})

        assert found.rois[0].labels == ("vehicle",)
        assert found.rois[0].mask == fk.RoiMask(id="seg", value=(1, 2, 3))

    def test_any(self, version: DatasetVersion) -> None:
        """
        "*" is any label.
        """
        found = version.query("parked", mapping=[MappingRule("*", "thing")])

        assert labels(found) == {"b": [["thing"]] * 2, "c": [["thing"]] * 2}

    def test_enumeration(self, version: DatasetVersion) -> None:
        """
        ROIs are numbered by their labels, -1 where these are not listed.
        """
        found = version.query(
            "person", mapping={"car": "vehicle"}, enumeration={"vehicle": 1}
        )

        assert {
            one.id: [roi.extra["label_num"] for roi in one.rois] for one in found
        } == {"a": [1, 1, -1], "b": [1, -1]}

    def test_only_filtered(self, version: DatasetVersion) -> None:
        """
        A frame can come with the ROIs only that met a rule.
        """
        found = version.query("person", mapping={"person": "p"}, rois="only_filtered")

        assert labels(found) == {"a": [["p"]], "b": [["p"]]}

    def test_frame_per_roi(self, version: DatasetVersion) -> None:
        """
        A frame can come once for each ROI that met a rule.
        """
        found = list(version.query("car", rois="frame_per_roi", limit=3))

        assert ids(found) == "a a b"
        assert [len(one.rois) for one in found] == [1, 1, 1]

    def test_the_version_stays_as_it_is(self, version: DatasetVersion) -> None:
        """
        A query changes nothing in the version.
        """
        before = [one.to_dict() for one in version]

        list(version.query(mapping={"car": "x"}, enumeration={"x": 1}))

        assert [one.to_dict() for one in version] == before
