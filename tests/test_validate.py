from __future__ import annotations

import copy
import gc
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from framekit.errors import ArgumentError, MissingFileError, ValidationError
from framekit.frame import SingleFrame
from framekit.problem import Problem, Severity
from framekit.validation import Problems, Report, validate

SAMPLES = Path(__file__).parents[1] / "samples"
CROSSING = SAMPLES / "crossing"
FRAME: dict[str, Any] = json.loads((SAMPLES / "valid/single-frame.json").read_text())


def frame(**changes: Any) -> dict[str, Any]:
    """
    A good frame with other keys.
    """
    return copy.deepcopy(FRAME) | changes


def found(report: Report) -> list[tuple[str, str, str]]:
    """
    Code, document and path of each problem.
    """
    return [(p.code, p.document, p.at) for p in report.problems]


def frames(folder: Path) -> list[dict[str, Any]]:
    """
    The frames of a frames folder.
    """
    lines = (folder / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


class TestTargets:
    @pytest.mark.parametrize(
        "target", [FRAME, SingleFrame.from_dict(FRAME), [FRAME], iter([FRAME])]
    )
    def test_values(self, target: Any) -> None:
        """
        A frame is validated in every form.
        """
        report = validate(target)

        assert (report.ok, report.frames, list(report.problems)) == (True, 1, [])

    @pytest.mark.parametrize("level", ["schema", "references", "media", "pixels"])
    def test_sample(self, level: Any) -> None:
        """
        There is nothing wrong with the sample, down to its pixels.
        """
        report = validate(CROSSING, level=level)

        assert (report.ok, report.frames, dict(report.counts)) == (True, 24, {})

    def test_missing(self, tmp_path: Path) -> None:
        """
        What is not there cannot be validated.
        """
        with pytest.raises(MissingFileError):
            validate(tmp_path / "nothing.json")

    @pytest.mark.parametrize(
        "options", [{"level": "all"}, {"shard": 0}, {"version": 1}]
    )
    def test_options(self, options: dict[str, Any]) -> None:
        """
        An option that cannot be is refused by name.
        """
        with pytest.raises(ArgumentError, match=next(iter(options))):
            validate(FRAME, **options)

    def test_nothing_is_changed(self) -> None:
        """
        Validation changes neither a frame nor its JSON.
        """
        bad = frame(rois=[{"labels": ["car"], "mask": {"id": 0, "value": [300, 0]}}])
        before = copy.deepcopy(bad)

        validate([bad], level="pixels")

        assert bad == before


class TestPlaces:
    def test_every_problem(self) -> None:
        """
        One frame's problems are all told, and those of the next one, too.
        """
        bad = frame(id="a", timestamp="0", context_id=1)
        bad["rois"][0]["mask"]["id"] = "sge"
        bad["rois"][1]["label"] = "car"

        report = validate([bad, 1, frame(id="b"), frame(id="b")])

        assert sorted(found(report)) == [
            ("dangling-mask-id", "frames[0]", "$.rois[0].mask.id"),
            ("duplicate-frame-id", "frames[3]", "$.id"),
            ("wrong-type", "frames[0]", "$.context_id"),
            ("wrong-type", "frames[0]", "$.rois[1].label"),
            ("wrong-type", "frames[0]", "$.timestamp"),
            ("wrong-type", "frames[1]", "$"),
        ]
        assert report.frames == 4

    def test_frame_id(self) -> None:
        """
        A problem carries the id of its frame, and both places of a repeated one.
        """
        report = validate([frame(), frame()])

        assert list(report.problems) == [
            Problem(
                "duplicate-frame-id",
                Severity.ERROR,
                "'crossing_1_000' is also the id of frames[0] $.id",
                "$.id",
                "frames[1]",
                frame="crossing_1_000",
            )
        ]

    def test_written_path(self, tmp_path: Path) -> None:
        """
        A path is that of the document as written, not as it would be canonically.
        """
        bad = frame()
        bad["sources"][0]["mask"] = bad["sources"][0].pop("masks")
        bad["sources"][0]["mask"][0]["width"] = 0
        path = tmp_path / "a.json"
        path.write_text(json.dumps({"frames": [bad]}))

        assert found(validate(path)) == [
            ("non-canonical", "a.json", "$.frames[0].sources[0].mask"),
            ("size-not-positive", "a.json", "$.frames[0].sources[0].mask[0].width"),
        ]

    def test_schema_level(self) -> None:
        """
        The first level does not look at references.
        """
        bad = frame()
        bad["rois"][0]["mask"]["id"] = "sge"

        assert validate([bad, bad], level="schema").counts == {}


class TestOnce:
    def test_mask_without_labels(self) -> None:
        """
        A mask without labels is told once, with the number of its frames.
        """
        bare = [frame(id=str(n), rois=[]) for n in range(100)]

        report = validate(bare, shard=7)

        assert list(report.problems) == [
            Problem(
                "mask-without-labels",
                Severity.INFO,
                "nothing says what the colors of mask 'seg' mean",
                "$.sources[0].masks[0]",
                "frames[0]",
                frame="0",
                source="front",
                mask="seg",
                count=100,
            )
        ]

    @pytest.mark.parametrize(
        "version",
        [
            [{"value": [1, 2, 3], "labels": ["car"]}],
            {"_all_": [{"value": [1, 2, 3], "labels": ["car"]}]},
            {"seg": [{"value": [1, 2, 3], "labels": ["car"]}]},
            {"metadata": {"mask_labels": [{"value": [1, 2, 3], "labels": ["car"]}]}},
            {(1, 2, 3): ["car"]},
        ],
    )
    def test_version(self, version: Any) -> None:
        """
        Labels of the version are labels, in each of their forms.
        """
        assert validate(frame(rois=[]), version=version).counts == {}

    def test_conflict(self) -> None:
        """
        A version that disagrees with ROIs is told once, with both sides.
        """
        labels = [{"value": [210, 210, 120], "labels": ["bus"]}]

        report = validate([frame(id="a"), frame(id="b")], version=labels)

        (problem,) = report.problems
        assert (problem.code, problem.count) == ("mask-labels-conflict", 2)
        assert problem.message == (
            "[210, 210, 120] of mask 'seg' is ['car'] in rois and ['bus'] in "
            "mask_labels['_all_']"
        )

    def test_meta_types(self) -> None:
        """
        The type that fewer frames have is the one that is told.
        """
        values: list[Any] = ["60", 61, 62.5, None, [63], {"kmh": 64}, [], True]
        made = [frame(id=str(n), meta={"v": v}) for n, v in enumerate(values)]

        report = validate(made)

        others = "in 1 frame and a number in 3 frames, first in frames[1] $.meta.v"
        assert [(p.document, p.count, p.message) for p in report.problems] == [
            (
                f"frames[{n}]",
                1,
                f"meta.v is {noun} {others}",
            )
            for n, noun in ((0, "text"), (5, "an object"), (7, "a boolean"))
        ]

    def test_meta_types_within(self) -> None:
        """
        Nested keys have types of their own.
        """
        made = [
            frame(id="a", meta={"car": {"doors": 4}}),
            frame(id="b", meta={"car": {"doors": "four"}}),
            frame(id="c", meta={"doors": "four"}),
        ]

        report = validate(made)

        assert found(report) == [
            ("meta-type-conflict", "frames[1]", "$.meta.car.doors")
        ]


class TestMedia:
    def test_one_problem_a_file(self) -> None:
        """
        A missing file is one problem with the number of its frames.
        """
        made = [frame(id=str(n)) for n in range(10)]

        report = validate(made, level="pixels", shard=3)

        assert [(p.code, p.at, p.count) for p in report.problems] == [
            ("missing-media", "$.sources[0].uri", 10),
            ("missing-media", "$.sources[0].masks[0].uri", 10),
        ]

    @pytest.mark.parametrize(
        ("content_type", "good"),
        [
            ("image/png", True),
            ("image / png", True),
            ("IMAGE/PNG", True),
            ("png", True),
            ("image", True),
            ("image/x-png", True),
            ("application/octet-stream", True),
            ("image/jpg", False),
            ("video/mp4", False),
            ("jpg", False),
        ],
    )
    def test_content_type(self, content_type: str, good: bool) -> None:  # noqa: FBT001
        """
        Spellings are forgiven, lies are not.
        """
        path = SAMPLES / "valid/single-frame.json"
        made = frame()
        made["sources"][0]["masks"][0]["content_type"] = content_type
        target = [made]

        report = validate(target, level="media", storage=storage_of(path))

        expected = {} if good else {"content-type-mismatch": 1}
        assert report.counts == expected

    def test_other_kinds(self, tmp_path: Path) -> None:
        """
        A source that is neither image nor video only has to be there.
        """
        (tmp_path / "a.pcd").write_text("points")
        cloud = {"id": "a", "uri": "a.pcd", "content_type": "application/x-pcd"}

        report = validate(
            {"sources": [cloud]}, level="media", storage=storage_of(tmp_path / "a")
        )

        assert report.counts == {}

    @pytest.mark.parametrize("cut", [0, 1, 40, 60, 100, 119])
    def test_cut(self, tmp_path: Path, cut: int) -> None:
        """
        A file that is cut anywhere is an error, and its pixels are not looked at.
        """
        shutil.copytree(SAMPLES / "valid/media", tmp_path / "media")
        mask = tmp_path / "media/seg.png"
        mask.write_bytes(mask.read_bytes()[:cut])

        report = validate([frame()], level="pixels", storage=storage_of(mask.parent))

        (problem,) = report.problems
        assert problem.code in {"unreadable-media", "truncated-media"}

    @pytest.mark.parametrize("cut", [0, 10, 20, 500, 1000, 1500])
    def test_cut_video(self, tmp_path: Path, cut: int) -> None:
        """
        So is a video, whose index is at its end.
        """
        shutil.copytree(SAMPLES / "valid/media", tmp_path / "media")
        mask = tmp_path / "media/seg.mp4"
        mask.write_bytes(mask.read_bytes()[:cut])
        made = frame()
        made["sources"][0]["masks"][0] |= {
            "uri": "media/seg.mp4",
            "content_type": "video/mp4",
        }

        report = validate([made], level="pixels", storage=storage_of(mask.parent))

        (problem,) = report.problems
        assert problem.code == ("truncated-media" if cut else "unreadable-media")

    @pytest.mark.parametrize("timestamp", [0, 33, 167, 199])
    def test_moments(self, timestamp: int) -> None:
        """
        All moments of a video are in it, up to the end of its last frame.
        """
        assert moment(timestamp).counts == {}

    @pytest.mark.parametrize("timestamp", [200, 10**15])
    def test_moments_beyond(self, timestamp: int) -> None:
        """
        A moment after the end is an error that names the range.
        """
        (problem,) = moment(timestamp).problems

        assert problem.code == "timestamp-beyond-video"
        assert problem.at == "$.sources[0].masks[0].timestamp"
        assert "0 to 200 ms" in problem.message


class TestPixels:
    def test_unknown_colors(self, tmp_path: Path) -> None:
        """
        The most frequent unknown colors are told, and the rest in one.
        """
        shutil.copytree(SAMPLES / "valid/media", tmp_path / "media")
        pixels = np.zeros((24, 32, 3), np.uint8)
        pixels[:] = 197, 135, 146
        for n in range(15):
            pixels[n, : n + 1] = n, 0, 255
        Image.fromarray(pixels).save(tmp_path / "media/seg.png")

        report = validate([frame()], level="pixels", storage=storage_of(tmp_path / "a"))

        unknown = [p for p in report.problems if p.code == "unknown-color"]
        assert [(p.color, p.count, p.box) for p in unknown] == [
            *(((n, 0, 255), n + 1, (0, n, n + 1, n + 1)) for n in range(14, 4, -1)),
            (None, 15, None),
        ]
        assert report.counts == {"unknown-color": 11, "declared-color-absent": 1}

    def test_absent_color(self) -> None:
        """
        A color is absent if no frame shows it.
        """
        pole = {"label": ["pole"], "mask": {"id": "seg", "value": [100, 80, 90]}}
        made = [frame(id="a"), frame(id="b"), frame(id="c")]
        for one in made[:2]:
            one["rois"].append(pole)

        report = validate(
            made, level="pixels", shard=1, storage=storage_of(SAMPLES / "valid/a")
        )

        (problem,) = report.problems
        assert (problem.code, problem.count) == ("declared-color-absent", 2)
        assert problem.message == (
            "[100, 80, 90] (pole) of mask 'seg' has a label in 2 frames, pixels in none"
        )

    def test_told_once(self) -> None:
        """
        What the levels before have told is not told again as undecodable.
        """
        dangling, double = frame(id="a"), frame(id="b")
        dangling["rois"][0]["mask"]["id"] = "sge"
        double["rois"].append(copy.deepcopy(double["rois"][0]) | {"label": ["lane"]})

        report = validate(
            [dangling, double],
            level="pixels",
            storage=storage_of(SAMPLES / "valid/a"),
        )

        assert report.counts == {"dangling-mask-id": 1, "color-has-two-label-sets": 1}

    @pytest.mark.parametrize("shard", [1, 5, 64])
    def test_shards(self, tmp_path: Path, shard: int) -> None:
        """
        The report does not depend on how the work is divided.
        """
        folder = planted(tmp_path)

        report = validate(folder, level="pixels", shard=shard)

        assert report.problems == validate(folder, level="pixels").problems

    @pytest.mark.parametrize(
        "executor", [ThreadPoolExecutor(2), lambda: ThreadPoolExecutor(1)]
    )
    def test_executors(self, tmp_path: Path, executor: Any) -> None:
        """
        Nor on what carries it out.
        """
        folder = planted(tmp_path)

        report = validate(folder, level="pixels", executor=executor)

        assert report.problems == validate(folder, level="pixels").problems

    @pytest.mark.slow
    def test_processes(self, tmp_path: Path) -> None:
        """
        Processes find the same as threads.
        """
        folder = planted(tmp_path)

        with ProcessPoolExecutor(2) as executor:
            report = validate(folder, level="pixels", executor=executor)

        assert report.problems == validate(folder, level="pixels").problems


class TestPlanted:
    def test_four(self, tmp_path: Path) -> None:
        """
        A wrong color, a missing file, exchanged ids and a torn last line are found.
        """
        report = validate(planted(tmp_path), level="pixels")

        assert found(report) == [
            ("mask-id-is-label", "frames.jsonl:11", "$.rois[0].mask.id"),
            ("torn-line", "frames.jsonl:24", "$"),
            ("missing-media", "frames.jsonl:13", "$.sources[1].masks[0].uri"),
            ("unknown-color", "frames.jsonl:7", "$.sources[1].masks[0]"),
        ]
        assert report.problems[3].color == (255, 0, 255)
        assert report.problems[3].count == 12
        assert report.problems[3].box == (300, 200, 304, 203)
        assert report.frames == 23
        assert report.exit_code() == 1


class TestReport:
    def test_severities(self) -> None:
        """
        Only errors fail, unless warnings are to.
        """
        clean = validate(frame())
        warned = validate(frame(sources=[], rois=[]))
        failed = validate(frame(id=""))

        assert [r.ok for r in (clean, warned, failed)] == [True, True, False]
        assert [r.exit_code() for r in (clean, warned, failed)] == [0, 0, 1]
        assert [r.exit_code(fail_on="warning") for r in (clean, warned, failed)] == [
            0,
            1,
            1,
        ]

    def test_raise(self) -> None:
        """
        Only on request is a problem an exception.
        """
        validate(frame()).raise_for_problems()
        report = validate(frame(id="", sources=[], rois=[]))

        with pytest.raises(ValidationError) as caught:
            report.raise_for_problems()

        assert caught.value.problems == (report.problems[0],)

    def test_only(self) -> None:
        """
        Codes can be chosen afterwards.
        """
        report = validate(frame(id="", sources=[], rois=[]))

        assert report.counts == {"wrong-value": 1, "frame-without-sources": 1}
        assert report.only(select=["wrong-value"]).counts == {"wrong-value": 1}
        assert report.only(ignore=["wrong-value"]).ok
        with pytest.raises(ArgumentError, match="'wrong' is no code"):
            report.only(ignore=["wrong"])

    def test_levels_not_run(self) -> None:
        """
        A report knows what it does not know.
        """
        assert validate(frame(), level="schema").levels_not_run == (
            "references",
            "media",
            "pixels",
        )
        assert validate([], level="pixels").levels_not_run == ()

    def test_to_dict(self) -> None:
        """
        A report is JSON.
        """
        assert validate(frame(id="")).to_dict() == {
            "ok": False,
            "level": "references",
            "frames": 1,
            "counts": {"wrong-value": 1},
            "problems": [
                {
                    "code": "wrong-value",
                    "severity": "error",
                    "message": "expected text, got a string ''",
                    "at": "$.id",
                }
            ],
        }

    def test_progress(self) -> None:
        """
        Progress counts the frames of each shard.
        """
        told: list[int] = []

        validate([frame(id=str(n)) for n in range(5)], shard=2, progress=told.append)

        assert told == [2, 2, 1]


class TestProblems:
    def test_spilled(self) -> None:
        """
        Problems beyond those held in memory are where they would be.
        """
        made = [
            Problem("wrong-type", "error", str(n), box=(n, 0, 1, 1)) for n in range(50)
        ]
        problems = Problems(held=10)

        for problem in made:
            problems.append(problem)

        assert problems == made
        assert problems[30] == made[30]
        assert problems[-1] == made[-1]
        assert problems[5:15] == made[5:15]
        assert [list(pair) for pair in zip(problems, problems, strict=True)] == [
            [one, one] for one in made
        ]
        with pytest.raises(IndexError):
            problems[50]

    def test_many(self) -> None:
        """
        Counts are exact beyond what is held, and the file goes with the report.
        """
        report = validate(1 for _ in range(10_500))

        assert report.counts == {"wrong-type": 10_500}
        assert len(report.problems) == 10_500
        assert report.problems[10_499].document == "frames[10499]"
        del report
        gc.collect()


Json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["front", "seg", "media/seg.png", "video/mp4"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "sources", "rois", "masks", "mask", "value", "uri", "label"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """
    A good frame with some values replaced by others.
    """
    made = frame(preview="x", meta={"a": {"b": [1]}})
    for _ in range(draw(st.integers(1, 3))):
        node: Any = made
        while True:
            keys = list(node) if isinstance(node, dict) else range(len(node))
            key = draw(st.sampled_from(list(keys)))
            inner = node[key]
            if isinstance(inner, (dict, list)) and inner and draw(st.booleans()):
                node = inner
                continue
            node[key] = draw(Json)
            break
    return made


class TestAnything:
    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.one_of(mutated(), Json))
    def test_never_raises(self, value: Any) -> None:
        """
        Whatever stands in the place of a frame, it is judged and not raised about.
        """
        report = validate(
            [value, frame(id="last")],
            level="pixels",
            storage=storage_of(SAMPLES / "valid/a"),
            version=None,
        )

        assert not any(p.document == "frames[1]" for p in report.problems) or (
            {p.code for p in report.problems if p.document == "frames[1]"}
            <= {"duplicate-frame-id", "meta-type-conflict"}
        )
        if report.ok and report.frames == 2:
            SingleFrame.from_dict(json.loads(json.dumps(value)))


def storage_of(path: Path) -> Any:
    """
    A storage whose root is the folder of *path*.
    """
    from framekit.storage import Storage

    return Storage(path.parent)


def moment(timestamp: int) -> Report:
    """
    What validation says of a moment of a video of 200 ms.
    """
    made = frame()
    made["sources"][0].pop("content_type")
    mask = made["sources"][0]["masks"][0]
    mask |= {
        "uri": "media/seg.mp4",
        "content_type": "video/mp4",
        "timestamp": timestamp,
    }
    return validate([made], level="pixels", storage=storage_of(SAMPLES / "valid/a"))


def planted(folder: Path) -> Path:
    """
    A copy of the sample with four faults.
    """
    copied = folder / "crossing"
    if copied.exists():
        return copied
    shutil.copytree(CROSSING, copied, ignore=shutil.ignore_patterns("truth", "lossy"))
    mask = copied / "media/rear_006_seg.png"
    with Image.open(mask) as image:
        pixels = np.array(image.convert("RGB"))
    pixels[200:203, 300:304] = 255, 0, 255
    Image.fromarray(pixels).save(mask)
    (copied / "media/rear_012_seg.png").unlink()
    made = frames(copied)
    for roi in made[10]["rois"]:
        if "mask" in roi:
            roi["label"], roi["mask"]["id"] = [roi["mask"]["id"]], roi["label"][0]
    lines = [json.dumps(one) for one in made]
    lines[-1] = lines[-1][:1000]
    (copied / "frames.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return copied


def test_iterators_are_lazy() -> None:
    """
    Frames are taken shard by shard.
    """
    taken: list[int] = []

    def source() -> Iterator[Any]:
        for n in range(6):
            taken.append(n)
            yield frame(id=str(n))

    seen: list[int] = []

    validate(source(), shard=2, progress=lambda _: seen.append(len(taken)))

    assert seen == [2, 4, 6]
