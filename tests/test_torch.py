"""
Tensors of label maps, and batches; skipped where torch is not installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import framekit as fk
from framekit.errors import ArgumentError
from tests.torch_samples import CROSSING, REAR

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from framekit.torch import (  # noqa: E402
    FrameDataset,
    Sample,
    TrainIds,
    collate,
    to_target,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def label_map(ids: Any, names: dict[int, str]) -> fk.LabelMap:
    """
    A label map of these ids.
    """
    palette = fk.Palette(
        fk.PaletteEntry(id=id, index=id, labels=[name]) for id, name in names.items()
    )
    report = fk.decode_image(
        CROSSING / "media" / "rear_000_seg.png", fk.Palette({(0, 0, 0): "a"})
    ).report
    return fk.LabelMap(np.array(ids), palette, report)


class TestZeroCopy:
    @pytest.mark.parametrize(
        ("ids", "dtype"),
        [
            (np.array([[0, 255]], np.uint8), torch.uint8),
            (np.array([[300, -1]], np.int32), torch.int32),
        ],
    )
    def test_dlpack(self, ids: Any, dtype: Any) -> None:
        """
        A tensor of a label map is its memory, not a copy.
        """
        labels = label_map(ids, {0: "a", 300: "b"} if ids.dtype == "i4" else {0: "a"})

        tensor = torch.from_dlpack(labels)
        tensor[0, 0] = 7

        assert tensor.dtype == dtype
        assert tensor.data_ptr() == labels.ids.ctypes.data
        assert labels.ids[0, 0] == 7

    def test_array(self) -> None:
        """
        So is an array, and with it what torch makes of one.
        """
        labels = label_map(np.zeros((2, 3), np.uint8), {0: "a"})

        array = np.asarray(labels)

        assert array.base is labels.ids or array is labels.ids
        assert torch.from_numpy(array).data_ptr() == labels.ids.ctypes.data
        assert not np.shares_memory(np.array(labels), labels.ids)


class TestToTarget:
    def test_ids(self) -> None:
        """
        Without numbers, ids stay what they are, and void what it is.
        """
        bytes_ = label_map(np.array([[0, 255]], np.uint8), {0: "a"})
        integers = label_map(np.array([[300, -1]], np.int32), {300: "a"})

        assert to_target(bytes_).tolist() == [[0, 255]]
        assert to_target(integers).tolist() == [[300, -1]]
        assert to_target(bytes_).dtype == torch.int64
        assert to_target(integers, ignore_index=-100).tolist() == [[300, -100]]

    def test_numbers(self) -> None:
        """
        Listed labels have their number, all else is ignored.
        """
        labels = label_map(np.array([[0, 1, 2, 255]], np.uint8), dict(enumerate("abc")))

        assert to_target(labels, {"b": 0, "c": 1}).tolist() == [[255, 0, 1, 255]]
        assert to_target(labels, ["c", "a"]).tolist() == [[1, 255, 0, 255]]
        assert to_target(labels, {"a": -1, "b": 5}).tolist() == [[255, 5, 255, 255]]

    def test_large_ids(self) -> None:
        """
        Ids too large for a table are looked up as well.
        """
        names = {0: "a", 300: "b", 2**31 - 1: "c"}
        labels = label_map(np.array([[2**31 - 1, -1, 300, 0]], np.int32), names)

        assert to_target(labels, ["a", "c"]).tolist() == [[1, 255, 255, 0]]

    def test_taken_ignore_index(self) -> None:
        """
        What is to be ignored must not be a label.
        """
        labels = label_map(np.array([[0, 255]], np.uint8), {0: "a"})

        with pytest.raises(ArgumentError, match="id of a label"):
            to_target(labels, ignore_index=0)

    def test_cross_entropy(self) -> None:
        """
        The loss counts the pixels that have a label, and no others.
        """
        labels = label_map(np.array([[0, 255, 1, 255]], np.uint8), {0: "a", 1: "b"})
        scores = torch.tensor([[[[2.0, 9.0, 0.0, -9.0]], [[0.0, 0.0, 2.0, 0.0]]]])

        loss = torch.nn.CrossEntropyLoss(ignore_index=labels.void)(
            scores, to_target(labels)[None]
        )

        assert loss.item() == pytest.approx(np.log1p(np.exp(-2.0)))


class TestTrainIds:
    def test_several_labels(self) -> None:
        """
        Joined labels come first, then the first label that is listed.
        """
        entry = fk.PaletteEntry(id=0, color=(1, 2, 3), labels=["person", "sitting"])

        assert TrainIds.of({"person, sitting": 4, "person": 1}).number_of(entry) == 4
        assert TrainIds.of({"sitting": 2, "person": 1}).number_of(entry) == 1
        assert TrainIds.of({"sitting": 2}).number_of(entry) == 2
        assert TrainIds.of({"car": 0}).number_of(entry) == 255

    def test_palette(self) -> None:
        """
        A palette's ids are numbers, those of Cityscapes for one.
        """
        ids = TrainIds.of(fk.Palette.known("cityscapes-train"))

        assert (ids.numbers["road"], ids.numbers["bicycle"]) == (0, 18)
        assert (ids.classes, ids.ignore_index) == (19, 255)

    def test_ignore_index(self) -> None:
        """
        255 is ignored, unless it is a number.
        """
        assert TrainIds.of([str(n) for n in range(255)]).ignore_index == 255
        assert TrainIds.of([str(n) for n in range(256)]).ignore_index == -1
        assert TrainIds.of({"a": 255, "b": 0}, ignore_index=255).classes == 1

    @pytest.mark.parametrize(
        "labels",
        [{"a": -2}, {"a": True}, {"a": 1.0}, {3: 1}, ["a", "a"], "ab", 7, [1]],
    )
    def test_refused(self, labels: Any) -> None:
        """
        What does not number labels is refused.
        """
        with pytest.raises(ArgumentError, match=r"^labels: "):
            TrainIds.of(labels)


def sample_of(height: int, width: int, name: str) -> Sample:
    """
    A sample full of ones.
    """
    image = torch.ones((3, height, width), dtype=torch.uint8)
    return Sample(image, torch.ones((height, width), dtype=torch.int64), name)


class TestCollate:
    def test_equal(self) -> None:
        """
        Samples of one size are stacked.
        """
        batch = collate([sample_of(2, 3, "a"), sample_of(2, 3, "b")])

        assert batch.image.shape == (2, 3, 2, 3)
        assert batch.target.shape == (2, 2, 3)
        assert batch.name == ["a", "b"]

    def test_padded(self) -> None:
        """
        Smaller ones are padded at the right and the bottom, and that is ignored.
        """
        batch = collate([sample_of(2, 1, "a"), sample_of(1, 2, "b")], fill=9)

        assert batch.target.tolist() == [[[1, 255], [1, 255]], [[1, 1], [255, 255]]]
        assert batch.image[:, 0].tolist() == [[[1, 9], [1, 9]], [[1, 1], [9, 9]]]
        assert batch.image.dtype == torch.uint8

    def test_list(self) -> None:
        """
        Or all are left as they are.
        """
        batch = collate([sample_of(2, 1, "a"), sample_of(1, 2, "b")], sizes="list")

        assert [tuple(target.shape) for target in batch.target] == [(2, 1), (1, 2)]
        assert [tuple(image.shape) for image in batch.image] == [(3, 2, 1), (3, 1, 2)]

    def test_error(self) -> None:
        """
        Or refused.
        """
        with pytest.raises(ArgumentError, match=r"\[\(1, 2\), \(2, 1\)\]"):
            collate([sample_of(2, 1, "a"), sample_of(1, 2, "b")], sizes="error")
        with pytest.raises(ArgumentError, match="pad, error, list"):
            collate([], sizes="crop")  # type: ignore[arg-type]

    def test_own_ignore_index(self) -> None:
        """
        A dataset's own pads with what it ignores.
        """
        data = FrameDataset(CROSSING, mask="seg", ignore_index=-100)

        batch = data.collate([sample_of(2, 1, "a"), sample_of(1, 1, "b")])

        assert batch.target.tolist() == [[[1], [1]], [[1], [-100]]]

    def test_default(self) -> None:
        """
        Torch's own works where sizes are equal.
        """
        data = FrameDataset(CROSSING, mask="seg", source="rear")

        batch = next(iter(DataLoader(data, batch_size=2)))

        assert batch.image.shape == (2, 3, 270, 480)
        assert list(batch.name) == REAR[:2]
