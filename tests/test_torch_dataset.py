"""
Frames by number for PyTorch; skipped where torch is not installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from PIL import Image

import framekit as fk
from framekit.dataset.dataset import Dataset
from framekit.decoding.source_picture import read_picture
from framekit.errors import ArgumentError, DecodeError, DocumentError, PaletteWarning
from tests.torch_samples import (
    CROSSING,
    FRONT,
    LABELS,
    REAR,
    STARTS,
    counted,
    crossing,
    names_of,
    still,
    truth,
)

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from framekit.torch import FrameDataset  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


class TestFrameDataset:
    def test_sample(self) -> None:
        """
        Targets are what was drawn, images what the sources show.
        """
        data = FrameDataset(CROSSING, mask="seg", labels=LABELS)

        assert sorted(data.names) == sorted(FRONT + REAR)
        assert (len(data), data.classes, data.ignore_index) == (32, 13, 255)
        for number in (0, 1, 30, 31):
            sample = data[number]
            assert sample.name == data.names[number]
            assert sample.target.dtype == torch.int64
            assert np.array_equal(sample.target, truth(sample.name))
        place = data.names.index(FRONT[12])
        shown = read_picture(
            "media/front.mp4", timestamp=400, storage=fk.Storage(CROSSING)
        )
        assert np.array_equal(data[place].image, shown.transpose(2, 0, 1))

    def test_batch(self) -> None:
        """
        Numbers of a batch are read together and come in the order asked for.
        """
        data = FrameDataset(CROSSING, mask="seg", labels=LABELS)
        numbers = [31, 2, 0, 2, -1]

        batch = data.__getitems__(numbers)

        assert [sample.name for sample in batch] == [data.names[n] for n in numbers]
        for sample in batch:
            assert np.array_equal(sample.target, truth(sample.name))

    def test_end(self) -> None:
        """
        It can be gone through, and has an end.
        """
        data = FrameDataset(CROSSING, mask="seg", source="rear")

        assert [sample.name for sample in data] == REAR
        with pytest.raises(IndexError):
            data[8]

    def test_palettes_differ(self, tmp_path: Path) -> None:
        """
        A label has one number in all frames, wherever it stands in their palettes.
        """
        frames = [
            still(tmp_path, "one", **{"0000ff": "car", "00ff00": "road", "ff0000": ""}),
            still(
                tmp_path, "two", **{"ff0000": "road", "00ff00": "sky", "0000ff": "car"}
            ),
        ]

        data = FrameDataset(frames)

        assert data.labels == {"car": 0, "road": 1, "sky": 2}
        assert [s.target.tolist() for s in data] == [[[0, 1, 255]], [[1, 2, 0]]]

    def test_unknown_label(self, tmp_path: Path) -> None:
        """
        A label that no frame has is warned of: it may be misspelled.
        """
        frame = still(tmp_path, "one", **{"0000ff": "car"})

        with pytest.warns(PaletteWarning, match="no frame has the labels \\['cat'\\]"):
            data = FrameDataset([frame], labels=["cat", "car"])

        assert data[0].target.tolist() == [[1]]

    def test_which_mask(self) -> None:
        """
        Masks of several ids are not mixed; one must be named, and be there.
        """
        with pytest.raises(ArgumentError, match=r"'seg', 'seg_instance'\]; name one"):
            FrameDataset(CROSSING)
        with pytest.raises(ArgumentError, match="no frame has a mask 'sge'"):
            FrameDataset(CROSSING, mask="sge")

    def test_unlabeled(self, tmp_path: Path) -> None:
        """
        Masks whose colors mean nothing are left out, not silently.
        """
        frames = [
            still(tmp_path, "one", **{"0000ff": "car"}),
            still(tmp_path, "two", **{"0000ff": ""}),
        ]

        with pytest.warns(PaletteWarning, match="1 masks are left out.*two/default.00"):
            data = FrameDataset(frames)

        assert data.names == ("one/default.00",)
        whole = FrameDataset(frames, palette=fk.Palette({(0, 0, 255): "bus"}))
        assert whole.labels == {"bus": 0}
        assert len(whole) == 2

    def test_broken_frame(self) -> None:
        """
        What is no frame is an error, when the set is made.
        """
        with pytest.raises(DocumentError):
            FrameDataset([{"id": 5, "sources": 3}])

    def test_missing_mask(self, tmp_path: Path) -> None:
        """
        A file that cannot be read is an error that names the sample.
        """
        frame = still(tmp_path, "one", **{"0000ff": "car"})
        (tmp_path / "one_mask.png").unlink()
        data = FrameDataset([frame])

        with pytest.raises(
            DecodeError, match=r"^one/default.00: .*no such file"
        ) as caught:
            data[0]

        assert isinstance(caught.value.__cause__, FileNotFoundError)

    def test_error_in_worker(self, tmp_path: Path) -> None:
        """
        It is the same error when it comes from a worker.
        """
        frame = still(tmp_path, "one", **{"0000ff": "car"})
        (tmp_path / "one_mask.png").unlink()
        loader = DataLoader(FrameDataset([frame]), num_workers=1)

        with pytest.raises(DecodeError, match=r"one/default\.00: "):
            list(loader)

    def test_sizes_differ(self, tmp_path: Path) -> None:
        """
        A mask has the size of its picture, or is resized on request.
        """
        frame = still(tmp_path, "one", **{"0000ff": "car", "00ff00": "sky"})
        Image.new("RGB", (4, 2)).save(tmp_path / "one.png")

        with pytest.raises(DecodeError, match="2x1"):
            FrameDataset([frame])[0]
        resized = FrameDataset([frame], size="nearest")[0].target
        assert resized.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]

    def test_options(self) -> None:
        """
        Options of decoders are checked when the set is made.
        """
        with pytest.raises(ArgumentError, match="num_workers"):
            FrameDataset(CROSSING, mask="seg", threads=2)
        with pytest.raises(ArgumentError, match="no option"):
            FrameDataset(CROSSING, mask="seg", thread=2)
        with pytest.raises(ArgumentError, match="transform"):
            FrameDataset(CROSSING, mask="seg", transform=3)  # type: ignore[arg-type]

    def test_transform(self) -> None:
        """
        A transform gets image and target, and gives what is used in their place.
        """
        data = FrameDataset(
            CROSSING,
            mask="seg",
            source="rear",
            labels=LABELS,
            transform=lambda image, target: (image[:, ::9] / 255, target[::9]),
        )

        image, target, name = data[0]

        assert (image.shape, image.dtype) == ((3, 30, 480), torch.float32)
        assert np.array_equal(target, truth(name)[::9])

    def test_without_pictures(self) -> None:
        """
        Where only masks are wanted no picture is opened.
        """
        frames = crossing()[:2]
        for frame in frames:
            frame.sources = tuple(evolve(s, uri="gone") for s in frame.sources)

        data = FrameDataset(
            frames,
            mask="seg",
            labels=LABELS,
            pictures=False,
            storage=fk.Storage(CROSSING),
        )

        assert data[0].image is None
        assert np.array_equal(data[1].target, truth(data.names[1]))

    def test_videos_remembered(self, tmp_path: Path) -> None:
        """
        The index of a video is read once, however many samples follow.
        """
        frames, storage = counted(tmp_path / "log")
        data = FrameDataset(frames, mask="seg", source="front", storage=storage)
        opener: Any = storage.opener

        data[5]
        before = opener.counts()
        for number in (3, 17, 8):
            data[number]

        after = opener.counts()
        assert {k: after[k][0] - before[k][0] for k in after} == {
            "front.mp4": 3,
            "front_seg.mp4": 3,
        }

    @pytest.mark.parametrize("start", STARTS)
    def test_workers(self, start: str) -> None:
        """
        Workers give each sample once, in the sampler's order.
        """
        data = FrameDataset(CROSSING, mask="seg", labels=LABELS)
        loader = DataLoader(
            data,
            batch_size=5,
            num_workers=2,
            collate_fn=data.collate,
            multiprocessing_context=start,
        )

        assert names_of(loader) == list(data.names)


class TestVersions:
    @pytest.fixture
    def version(self, tmp_path: Path) -> Any:
        """
        A version that names one of its colors itself.
        """
        version = Dataset.create(tmp_path / "set").create_version("v1")
        frames = [
            still(tmp_path / "set", "one", **{"0000ff": "car", "00ff00": ""}),
            still(tmp_path / "set", "two", **{"0000ff": "truck", "00ff00": ""}),
            still(tmp_path / "set", "zoo", **{"00ffff": "sky"}),
        ]
        version.set_masks_labels({(0, 255, 0): ["van"]})
        assert version.add_frames(frames) == []
        return version

    def test_version(self, version: Any, tmp_path: Path) -> None:
        """
        A version and its dataset's path mean the same frames and labels.
        """
        for target in (version, tmp_path / "set"):
            data = FrameDataset(target)
            assert data.names == ("one/default.00", "two/default.00", "zoo/default.00")
            assert data.labels == {"car": 0, "van": 1, "truck": 2, "sky": 3}

    def test_query(self, version: Any) -> None:
        """
        A query's frames, names and numbers hold, also for the version's own colors.
        """
        query = version.query(
            mapping={"car": "vehicle", "truck": "vehicle", "van": "vehicle"},
            enumeration={"vehicle": 3, "sky": -1},
        )

        data = FrameDataset(query, version=version)

        assert data.labels == {"vehicle": 3, "sky": -1}
        assert [s.target.tolist() for s in data] == [[[3, 3]], [[3, 3]], [[255]]]

    def test_query_alone(self, version: Any) -> None:
        """
        A query without its version would lose colors, and is refused.
        """
        with pytest.raises(ArgumentError, match="mask_labels"):
            FrameDataset(version.query())
