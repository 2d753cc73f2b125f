from __future__ import annotations

from typing import Any

import pytest

from framekit.problem import Problem
from framekit.validation import rules
from framekit.validation.codes import CODES, problem
from framekit.validation.keys import keys_spelled
from framekit.validation.parts import Parts
from framekit.validation.rules import RULES, Rule, is_video
from framekit.validation.version_rules import VersionLabels, check_version

Json = dict[str, Any]


def roi(labels: list[str], value: Any, mask: str = "seg", **more: Any) -> Json:
    """
    An ROI by color.
    """
    return {"label": labels, "mask": {"id": mask, "value": value}, **more}


def frame_of(*rois: Any, masks: tuple[Any, ...] = ("seg",), **more: Any) -> Json:
    """
    A frame with one source, "front", that has *masks*.
    """
    made = [{"id": id, "uri": f"{id}.png"} for id in masks]
    source = {"id": "front", "uri": "front.jpg", "masks": made}
    return {"sources": [source], "rois": list(rois), **more}


def found(rule: Rule, frame: Any) -> list[Problem]:
    """
    What *rule* finds.
    """
    return list(rule(Parts(frame)))


class TestRules:
    def test_good_frame(self) -> None:
        """
        No rule finds anything in a frame that is as it should be.
        """
        frame = frame_of(roi(["car"], [1, 2, 3]), roi(["road"], [0, 0, 0]))

        assert [p for rule in RULES for p in found(rule, frame)] == []

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    @pytest.mark.parametrize(
        "frame",
        [
            None,
            [],
            "frame",
            {},
            {"sources": None, "rois": None},
            {"sources": {}, "rois": {}},
            {"sources": [None, 1, "x", [], {}], "rois": [None, 1, "x", [], {}]},
            {
                "sources": [
                    {"id": 1, "uri": None, "masks": {}, "preview": []},
                    {"id": "", "masks": [1, {}, {"id": [], "uri": 1, "width": "x"}]},
                ],
                "rois": [
                    {"mask": [], "label": {}, "sources": "front", "poly": "x"},
                    {"mask": {}, "label": [1, None], "sources": [1, {}], "poly": {}},
                    {"mask": {"id": "a", "value": "#ffffff"}, "poly": [None, "x"]},
                    {"mask": {"id": "a", "value": [1, 2]}, "confidence": "1"},
                    {"mask": {"id": "a", "value": [1, 2, 3.5]}, "meta": {"_type": 1}},
                    {"mask": {"id": "a", "value": [1, True, None]}, "meta": []},
                ],
            },
        ],
    )
    def test_malformed(self, rule: Rule, frame: Any) -> None:
        """
        A rule passes over what the schema reports.
        """
        assert all(isinstance(problem, Problem) for problem in found(rule, frame))

    def test_laws(self) -> None:
        """
        Each rule is in the table once and states its law.
        """
        assert len(set(RULES)) == len(RULES)
        assert all(rule.__doc__ for rule in RULES)

    def test_codes(self) -> None:
        """
        A code is kebab-case, and its meaning one sentence of one line.
        """
        for code, row in CODES.items():
            assert code == row.code
            assert code.replace("-", "").isalnum()
            assert code == code.lower()
            assert row.meaning.endswith(".")
            assert "\n" not in row.meaning
            assert len(row.meaning) <= 80


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "meant"),
        [
            ("roi", "rois"),
            ("Rois", "rois"),
            ("annotations", "rois"),
            ("metadata", "meta"),
            ("contextId", "context_id"),
            ("time_stamp", "timestamp"),
            ("mine", None),
            ("x", None),
            ("meta_blob", None),
        ],
    )
    def test_frame(self, key: str, meant: str | None) -> None:
        """
        A key that is nearly another one was meant to be it.
        """
        frame = {"sources": [], key: 1}

        assert found(keys_spelled, frame) == (
            [
                problem(
                    "misspelled-key",
                    f"{key!r} is no key of the format, {meant!r} is",
                    f"$.{key}",
                )
            ]
            if meant
            else []
        )

    def test_both(self) -> None:
        """
        Beside the key itself, another one that is like it is meant as it is.
        """
        assert found(keys_spelled, {"rois": [], "roi": 1}) == []

    def test_everywhere(self) -> None:
        """
        All objects of the format are looked at, but not metadata.
        """
        frame = frame_of({"labels": 1, "mask": {"id": "seg", "color": 1}})
        frame["sources"][0] |= {"Uri": 1, "uri": None, "meta": {"roi": 1}}
        frame["sources"][0]["masks"][0]["timestamps"] = 1
        frame["sources"][0]["preview"] = {"URI": 1}

        assert [p.at for p in found(keys_spelled, frame)] == [
            "$.sources[0].Uri",
            "$.sources[0].preview.URI",
            "$.sources[0].masks[0].timestamps",
            "$.rois[0].labels",
            "$.rois[0].mask.color",
        ]


class TestIds:
    def test_source_twice(self) -> None:
        """
        The second source of an id is a problem that names the first.
        """
        source = {"id": "front", "uri": "a"}

        assert found(rules.duplicate_source_id, {"sources": [source, source]}) == [
            problem(
                "duplicate-source-id",
                "'front' is also the id of $.sources[0]",
                "$.sources[1].id",
            )
        ]

    def test_mask_twice(self) -> None:
        """
        Mask ids are unique within a source.
        """
        frame = frame_of(masks=("seg", "depth", "seg"))

        assert found(rules.duplicate_mask_id, frame) == [
            problem(
                "duplicate-mask-id",
                "'seg' is also the id of $.sources[0].masks[0]",
                "$.sources[0].masks[2].id",
            )
        ]

    def test_mask_of_two_sources(self) -> None:
        """
        Two sources may each have a mask of the same id.
        """
        first, second = frame_of()["sources"][0], frame_of()["sources"][0]

        frame = {"sources": [first, {**second, "id": "rear"}]}

        assert found(rules.duplicate_mask_id, frame) == []

    def test_no_sources(self) -> None:
        """
        A frame without sources shows nothing.
        """
        assert found(rules.frame_without_sources, {"sources": []}) == [
            problem("frame-without-sources", "there are no sources", "$.sources")
        ]


class TestUnknownSource:
    def test_misspelled(self) -> None:
        """
        A source that the frame lacks is a problem, at the place that names it.
        """
        frame = frame_of(roi(["car"], [1, 2, 3], sources=["front", "fornt"]))

        assert found(rules.unknown_source, frame) == [
            problem(
                "unknown-source",
                "'fornt' is none of the sources 'front'",
                "$.rois[0].sources[1]",
            )
        ]

    def test_without_sources(self) -> None:
        """
        Where sources are missing altogether, the schema says so once.
        """
        assert found(rules.unknown_source, {"rois": [{"sources": ["x"]}]}) == []


class TestDanglingMaskId:
    def test_misspelled(self) -> None:
        """
        A mask id that no source has is a problem, at the id that names it.
        """
        frame = frame_of(roi(["car"], [1, 2, 3], "sge"), roi(["road"], [0, 0, 0]))

        assert found(rules.dangling_mask_id, frame) == [
            problem(
                "dangling-mask-id",
                "'sge' is none of the masks 'seg'",
                "$.rois[0].mask.id",
            )
        ]

    def test_lone_mask(self) -> None:
        """
        A lone mask is never a fallback.
        """
        frame = frame_of(roi(["car"], [1, 2, 3], "00"))

        assert [p.code for p in found(rules.dangling_mask_id, frame)] == [
            "dangling-mask-id"
        ]

    def test_mask_of_another_source(self) -> None:
        """
        The mask has to be one of the ROI's own sources.
        """
        frame = frame_of(roi(["car"], [1, 2, 3], sources=["rear"]))
        frame["sources"].append({"id": "rear", "uri": "rear.jpg"})

        assert found(rules.dangling_mask_id, frame) == [
            problem(
                "dangling-mask-id",
                "'seg' is no mask; 'rear' has none",
                "$.rois[0].mask.id",
            )
        ]

    def test_unknown_source(self) -> None:
        """
        An ROI whose source does not exist is told once, as an unknown source.
        """
        frame = frame_of(roi(["car"], [1, 2, 3], sources=["rear"]))

        assert found(rules.dangling_mask_id, frame) == []


class TestMaskIdIsLabel:
    def test_swapped(self) -> None:
        """
        One warning a frame says that ids and labels are exchanged.
        """
        frame = frame_of(
            {"label": ["day"]},
            roi(["seg"], [1, 2, 3], "car"),
            roi(["seg"], [0, 0, 0], "road"),
        )

        assert found(rules.mask_id_is_label, frame) == [
            problem(
                "mask-id-is-label",
                "mask id and label are exchanged in 2 ROIs: 'car' is no mask, the "
                "label 'seg' is",
                "$.rois[1].mask.id",
            )
        ]
        assert found(rules.dangling_mask_id, frame) == []

    @pytest.mark.parametrize(
        "other", [roi(["road"], [0, 0, 0]), roi(["seg", "x"], [0, 0, 0], "road")]
    )
    def test_not_all(self, other: Json) -> None:
        """
        One canonical ROI, or one that fits neither way, and nothing is exchanged.
        """
        frame = frame_of(roi(["seg"], [1, 2, 3], "car"), other)

        assert found(rules.mask_id_is_label, frame) == []
        assert found(rules.dangling_mask_id, frame) != []


class TestColors:
    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ([256, 0, 0], "color-out-of-range"),
            ([-1, 300, 0], "color-out-of-range"),
            ([-1, 1, 255], "negative-color"),
        ],
    )
    def test_out_of_range(self, value: list[int], code: str) -> None:
        """
        Above 255 is an error; negative, which ClearML's pages have, a warning.
        """
        assert found(rules.color_in_range, frame_of(roi(["car"], value))) == [
            problem(
                code, f"{value} is no color of 8 bits: 0 to 255", "$.rois[0].mask.value"
            )
        ]

    def test_two_label_sets(self) -> None:
        """
        One color cannot stand for two things.
        """
        frame = frame_of(
            roi(["car", "red"], [1, 2, 3]),
            roi(["red", "car"], [1, 2, 3]),
            roi(["bus"], [1, 2, 3]),
        )

        assert found(rules.one_label_set, frame) == [
            problem(
                "color-has-two-label-sets",
                "[1, 2, 3] in mask 'seg' is ['bus'] here and ['car', 'red'] in "
                "$.rois[0]",
                "$.rois[2].mask.value",
            )
        ]

    def test_two_masks(self) -> None:
        """
        In another mask the same color is another color.
        """
        frame = frame_of(
            roi(["car"], [1, 2, 3]),
            roi(["bus"], [1, 2, 3], "depth"),
            masks=("seg", "depth"),
        )

        assert found(rules.one_label_set, frame) == []


class TestValues:
    @pytest.mark.parametrize(
        ("labels", "at"), [([], ""), ([""], "[0]"), (["car", " "], "[1]")]
    )
    def test_no_label(self, labels: list[str], at: str) -> None:
        """
        An ROI without a label marks nothing.
        """
        frame = {"rois": [{"label": labels}]}

        assert [p.at for p in found(rules.roi_with_label, frame)] == [
            f"$.rois[0].label{at}"
        ]

    @pytest.mark.parametrize(
        ("confidence", "count"), [(0, 0), (1, 0), (0.5, 0), (1.01, 1), (-1, 1)]
    )
    def test_confidence(self, confidence: float, count: int) -> None:
        """
        A confidence is a share, not a percentage.
        """
        frame = {"rois": [{"confidence": confidence}]}

        assert len(found(rules.confidence_in_range, frame)) == count

    @pytest.mark.parametrize(
        ("kind", "numbers", "good"),
        [
            (None, 6, True),
            (None, 4, False),
            (None, 7, False),
            (None, 5, True),
            (None, 10, True),
            ("p2d", 6, True),
            ("p2d", 5, False),
            ("k2d", 2, True),
            ("k2d", 3, False),
            ("p3d", 9, True),
            ("p3d", 8, False),
            ("k3d", 3, True),
            ("k3d", 4, False),
            ("b2d", 8, True),
            ("b2d", 5, True),
            ("b2d", 6, False),
            ("b3d", 10, True),
            ("b3d", 9, False),
            ("elp", 5, True),
            ("elp", 4, False),
            ("im", 3, True),
            ("p2d", 0, True),
        ],
    )
    def test_geometry(self, kind: str | None, numbers: int, good: bool) -> None:  # noqa: FBT001
        """
        Each kind of shape has its number of coordinates.
        """
        meta = {"_type": kind} if kind else {}
        frame = {"rois": [{"poly": [1] * numbers, "meta": meta}]}

        assert (found(rules.geometry_complete, frame) == []) is good

    def test_rings(self) -> None:
        """
        Each ring of a polygon counts for itself.
        """
        rings = [1, 1, 2, 1, 2, 2, -999999999, 1, 1, 2, 1]

        assert found(rules.geometry_complete, {"rois": [{"poly": rings}]}) == [
            problem(
                "bad-geometry",
                "expected x, y of 3 or more points in each ring, got 11 numbers",
                "$.rois[0].poly",
            )
        ]

    def test_size(self) -> None:
        """
        Sources, previews and masks have at least a pixel.
        """
        frame = frame_of()
        frame["sources"][0] |= {"width": 0, "preview": {"uri": "a", "height": -1}}
        frame["sources"][0]["masks"][0]["height"] = 0

        assert [p.at for p in found(rules.size_positive, frame)] == [
            "$.sources[0].width",
            "$.sources[0].preview.height",
            "$.sources[0].masks[0].height",
        ]

    def test_mask_is_source(self) -> None:
        """
        A mask that is its source was copied from the wrong line.
        """
        frame = frame_of()
        frame["sources"][0]["masks"][0]["uri"] = "front.jpg"

        assert found(rules.mask_is_not_source, frame) == [
            problem(
                "mask-is-source",
                "'front.jpg' is also the URI of the source",
                "$.sources[0].masks[0].uri",
            )
        ]


class TestTimestamps:
    @pytest.mark.parametrize(
        ("source", "mask", "at"),
        [
            ({"timestamp": 33}, {"timestamp": 33}, None),
            ({"timestamp": 33}, {"timestamp": 66}, ".timestamp"),
            ({"timestamp": 33}, {}, ""),
            ({"timestamp": 0}, {}, None),
            ({}, {"timestamp": None}, None),
            ({"timestamp": 33.0}, {"timestamp": 33}, None),
            ({"timestamp": 33, "content_type": "image/png"}, {}, None),
        ],
    )
    def test_mismatch(self, source: Json, mask: Json, at: str | None) -> None:
        """
        Two videos are at the same moment; an absent timestamp is 0.
        """
        frame = frame_of()
        frame["sources"][0] |= {"uri": "front.mp4", **source}
        frame["sources"][0]["masks"][0] |= {"uri": "seg.mp4", **mask}

        places = [p.at for p in found(rules.timestamps_match, frame)]

        assert places == ([] if at is None else [f"$.sources[0].masks[0]{at}"])

    def test_negative(self) -> None:
        """
        Nothing is before the start of a stream.
        """
        frame = frame_of()
        frame["sources"][0]["timestamp"] = -1

        assert found(rules.timestamp_not_negative, frame) == [
            problem(
                "negative-timestamp",
                "expected 0 ms or more, got -1",
                "$.sources[0].timestamp",
            )
        ]

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"uri": "a.mp4"}, True),
            ({"uri": "https://x/a.MKV?key=a.png"}, True),
            ({"uri": "a.png"}, False),
            ({"uri": "a.mp4", "content_type": "image/png"}, False),
            ({"uri": "a", "content_type": "video / mp4"}, True),
        ],
    )
    def test_is_video(self, value: Json, expected: bool) -> None:  # noqa: FBT001
        """
        The content type decides, the name only without one.
        """
        assert is_video(value) is expected


class TestVersion:
    def test_places(self) -> None:
        """
        Labels stand beside the name or in the metadata, by mask or for all.
        """
        entry = {"value": [1, 2, 3], "labels": ["car"]}
        places: list[tuple[Any, str, str]] = [
            ({"mask_labels": [entry]}, "_all_", "$.mask_labels"),
            ({"mask_labels": {"seg": [entry]}}, "seg", "$.mask_labels.seg"),
            (
                {"metadata": {"mask_labels": {"a b": [entry]}}},
                "a b",
                '$.metadata.mask_labels["a b"]',
            ),
        ]

        for version, id, at in places:
            assert VersionLabels(version).lists == ((id, at, [entry]),)

    @pytest.mark.parametrize("version", [None, 1, [], {}, {"mask_labels": 1}])
    def test_none(self, version: Any) -> None:
        """
        Without labels there is nothing to decode with.
        """
        labels = VersionLabels(version)

        assert labels.value is None
        assert labels.levels("seg") == []

    def test_malformed(self) -> None:
        """
        What the schema reports is left out, and the rest is used.
        """
        entry = {"value": [1, 2, 3], "labels": ["car", 1]}

        labels = VersionLabels({"mask_labels": [None, {"value": "x"}, entry]})

        assert labels.value == {
            "mask_labels": {"_all_": [{"value": [1, 2, 3], "labels": ["car"]}]}
        }

    def test_levels(self) -> None:
        """
        Levels that disagree are told by their names.
        """
        version = {
            "mask_labels": {
                "_all_": [{"value": [1, 2, 3], "labels": ["car"]}],
                "seg": [{"value": [1, 2, 3], "labels": ["bus"]}],
            }
        }

        assert list(check_version(version, references=True)) == [
            problem(
                "mask-labels-conflict",
                "[1, 2, 3] is ['bus'] in mask_labels['seg'] and ['car'] in "
                "mask_labels['_all_']",
                "$.mask_labels.seg",
            )
        ]
        assert list(check_version(version, references=False)) == []

    def test_colors(self) -> None:
        """
        The colors of a version obey the rules of those of a frame.
        """
        version = {
            "mask_labels": [
                {"value": [1, 2, 300], "labels": ["car"]},
                {"value": [1, 2, 3], "labels": ["car"]},
                {"value": [1, 2, 3], "labels": ["bus"]},
            ]
        }

        assert [(p.code, p.at) for p in check_version(version, references=True)] == [
            ("color-out-of-range", "$.mask_labels[0].value"),
            ("color-has-two-label-sets", "$.mask_labels[2].value"),
        ]
