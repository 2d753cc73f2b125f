from __future__ import annotations

import contextlib
import importlib
import io
import pickle
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from framekit import segments as sg
from framekit.errors import ArgumentError, FramekitWarning, MissingExtraError


def instance(
    box: tuple[int, int, int, int], label: str = "car", **fields: Any
) -> sg.Instance:
    """
    An instance that fills a box of an image of 200 x 200.
    """
    left, top, right, bottom = box
    mask = np.zeros((200, 200), np.bool_)
    mask[top:bottom, left:right] = True
    return sg.Instance(id=1, labels=(label,), region=sg.Region.of_mask(mask), **fields)


#: Small, medium and large; two images.
TARGETS = [
    [
        instance((0, 0, 20, 20)),
        instance((50, 50, 100, 100)),
        instance((0, 100, 100, 200), "bus"),
    ],
    [instance((10, 10, 60, 60)), instance((100, 100, 130, 130), crowd=True)],
]
PREDICTIONS = [
    [
        instance((0, 0, 20, 19), score=0.9),
        instance((50, 55, 100, 100), score=0.4),
        instance((150, 150, 180, 180), score=0.6),
        instance((0, 100, 80, 200), "bus", score=0.7),
    ],
    [
        instance((10, 10, 60, 50), score=0.8),
        instance((100, 100, 120, 120), score=0.5),
        instance((0, 0, 5, 5), "tree", score=0.5),
    ],
]

#: What pycocotools 2.0.11 gives for these, by its own path over files.
EXPECTED = sg.AveragePrecision(
    ap=0.7373762376237624,
    ap50=0.9579207920792079,
    ap75=0.9579207920792079,
    small=0.9999999999999998,
    medium=0.7504950495049505,
    large=0.6999999999999998,
    per_class=(("bus", 0.6999999999999998), ("car", 0.7747524752475248)),
    images=2,
)


def by_files() -> list[float]:
    """
    COCO's own twelve numbers, from a data set as it reads it.
    """
    coco, evaluation = (
        importlib.import_module(f"pycocotools.{name}") for name in ("coco", "cocoeval")
    )
    names = {"bus": 1, "car": 2, "tree": 3}
    sides: list[list[dict[str, Any]]] = [[], []]
    for found, images in zip(sides, (TARGETS, PREDICTIONS), strict=True):
        for image, items in enumerate(images, 1):
            for one in items:
                item = {
                    "id": len(found) + 1,
                    "image_id": image,
                    "category_id": names[one.label],
                    "segmentation": one.rle(),
                    "area": one.area,
                    "bbox": list(one.box.xywh),
                    "iscrowd": int(one.crowd),
                }
                found.append(
                    item if one.score is None else {**item, "score": one.score}
                )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = {
            "images": [{"id": n, "height": 200, "width": 200} for n in (1, 2)],
            "categories": [{"id": id, "name": name} for name, id in names.items()],
            "annotations": sides[0],
        }
        truth.createIndex()
        work = evaluation.COCOeval(truth, truth.loadRes(sides[1]), "segm")
        work.evaluate()
        work.accumulate()
        work.summarize()
    return [float(value) for value in work.stats]


class TestAveragePrecision:
    def test_h5(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        H5: mask AP at IoU 0.50 to 0.95, by size and class, without a word printed.
        """
        pytest.importorskip("pycocotools")

        found = sg.average_precision(TARGETS, PREDICTIONS)

        assert found == EXPECTED
        assert capsys.readouterr() == ("", "")

    def test_h5_by_files(self) -> None:
        """
        H5: the numbers are those of COCO's own evaluation of files.
        """
        pytest.importorskip("pycocotools")

        found = sg.average_precision(TARGETS, PREDICTIONS)

        mine = [
            found.ap,
            found.ap50,
            found.ap75,
            found.small,
            found.medium,
            found.large,
        ]
        assert mine == by_files()[:6]

    def test_h5_without_scores(self) -> None:
        """
        H5: predictions without scores are refused, with the reason.
        """
        with pytest.raises(ArgumentError, match="ranks predictions by it") as e:
            sg.average_precision(TARGETS, TARGETS)

        assert e.value.argument == "prediction"

    def test_h5_taken_for_certain(self) -> None:
        """
        H5: or taken for equally sure, with a warning.
        """
        pytest.importorskip("pycocotools")
        whole = [[one for one in image if not one.crowd] for image in TARGETS]

        with pytest.warns(FramekitWarning, match="taken for certain"):
            found = sg.average_precision(TARGETS, whole, scores="one")

        assert (found.ap, found.ap50) == (1.0, 1.0)

    def test_merged(self) -> None:
        """
        Images may be collected apart, and added.
        """
        pytest.importorskip("pycocotools")
        parts = [
            sg.detections(one, other)
            for one, other in zip(TARGETS, PREDICTIONS, strict=True)
        ]

        found = sum(pickle.loads(pickle.dumps(parts)))  # noqa: S301

        assert found.average_precision() == EXPECTED

    def test_one_image(self) -> None:
        """
        The instances of one image need no list around them.
        """
        pytest.importorskip("pycocotools")

        found = sg.average_precision(TARGETS[0], PREDICTIONS[0])

        assert found == sg.average_precision(TARGETS[:1], PREDICTIONS[:1])

    def test_no_targets(self) -> None:
        """
        Without targets there is nothing to score.
        """
        found = sg.average_precision([], [instance((0, 0, 5, 5), score=0.5)])

        assert (found.ap, found.images) == (None, 1)

    @pytest.mark.parametrize(
        ("targets", "predictions", "options"),
        [
            (TARGETS, PREDICTIONS[:1], {}),
            (TARGETS, PREDICTIONS, {"scores": "zero"}),
            ([["car"]], [[]], {}),
            (
                [instance((0, 0, 1, 1))],
                [
                    evolve(
                        instance((0, 0, 1, 1)),
                        score=1.0,
                        region=sg.Region.of_mask([[1]]),
                    )
                ],
                {},
            ),
        ],
    )
    def test_refused(
        self, targets: Any, predictions: Any, options: dict[str, Any]
    ) -> None:
        """
        Other numbers of images, other sizes and no instances are refused.
        """
        with pytest.raises(ArgumentError):
            sg.average_precision(targets, predictions, **options)

    def test_without_pycocotools(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without pycocotools the error says what to install.
        """

        def missing(name: str) -> None:
            raise ImportError(name)

        module = importlib.import_module("framekit.segments.average_precision")
        monkeypatch.setattr(module, "import_module", missing)

        with pytest.raises(MissingExtraError) as e:
            sg.average_precision(TARGETS, PREDICTIONS)

        assert e.value == MissingExtraError("average precision", "analysis")
