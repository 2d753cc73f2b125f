"""
Frames by file for PyTorch; skipped where torch is not installed.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import framekit as fk
from framekit.decoding.source_picture import read_picture
from framekit.errors import ArgumentError
from tests.torch_samples import (
    CROSSING,
    FRONT,
    LABELS,
    REAR,
    STARTS,
    counted,
    crossing,
    names_of,
    truth,
)

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from framekit.torch import FrameStream  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def stream(**arguments: Any) -> FrameStream:
    """
    The sample as a stream.
    """
    return FrameStream(CROSSING, mask="seg", labels=LABELS, **arguments)


class TestFrameStream:
    def test_files(self) -> None:
        """
        Samples come file by file, and are what was drawn.
        """
        samples = list(stream())

        assert [sample.name for sample in samples] == FRONT + REAR
        for sample in samples:
            assert np.array_equal(sample.target, truth(sample.name))
            assert sample.image.shape[1:] == sample.target.shape

    @pytest.mark.parametrize("workers", range(1, 9))
    @pytest.mark.parametrize("world_size", [1, 2, 3])
    def test_shares(
        self, workers: int, world_size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        No frame is lost or given twice, whatever the number of workers and ranks.
        """
        found: list[str] = []
        module = "framekit.torch.frame_stream"
        data = stream(shuffle=True)
        monkeypatch.setattr(
            type(data), "_read", lambda _self, items: ((0, item) for item in items)
        )
        for rank in range(world_size):
            data = stream(shuffle=True, rank=rank, world_size=world_size)
            sizes = []
            for worker in range(workers):
                monkeypatch.setattr(
                    f"{module}.worker_of", lambda w=worker: (w, workers)
                )
                names = [item.name for item in data]
                sizes.append(len(names))
                found += names
            assert sum(sizes) == data.size
            assert max(sizes) - min(sizes) <= 1

        assert sorted(found) == sorted(FRONT + REAR)

    def test_even(self) -> None:
        """
        On request all ranks have the same number, and only the rest is left out.
        """
        sizes = [stream(rank=n, world_size=5, even=True).size for n in range(5)]

        assert sizes == [6] * 5

    @pytest.mark.parametrize("start", STARTS)
    def test_workers(self, start: str, tmp_path: Path) -> None:
        """
        Workers share the frames; each opens a video for one pass, once.
        """
        frames, storage = counted(tmp_path / "log")
        data = FrameStream(frames, mask="seg", labels=LABELS, storage=storage)
        loader = DataLoader(
            data,
            batch_size=3,
            num_workers=2,
            collate_fn=data.collate,
            multiprocessing_context=start,
            persistent_workers=True,
        )
        opener: Any = storage.opener

        first = names_of(loader)
        once = opener.counts()
        second = names_of(loader)

        assert sorted(first) == sorted(FRONT + REAR)
        assert second == first
        # Two workers have a part of the video each. To begin with they read its
        # index, and of the mask what its first frame tells about colors.
        twice = opener.counts()
        assert once["front.mp4"] == [2, 2]
        assert max(once["front_seg.mp4"]) <= 4
        for name in ("front.mp4", "front_seg.mp4"):
            assert twice[name] == [count + 1 for count in once[name]]
        stills = {name: counts for name, counts in twice.items() if "rear" in name}
        assert set(map(tuple, stills.values())) == {(2,)}

    def test_shuffled(self) -> None:
        """
        Seed and epoch decide about the order, and nothing else does.
        """
        data, again = stream(shuffle=True), stream(shuffle=True)
        orders: dict[int, list[str]] = {}
        for epoch in (0, 1, 0):
            data.set_epoch(epoch)
            again.set_epoch(epoch)
            order = [sample.name for sample in data]
            assert [sample.name for sample in again] == order
            assert orders.setdefault(epoch, order) == order

        other = [sample.name for sample in stream(shuffle=True, seed=1)]

        assert orders[0] != orders[1]
        assert other not in (orders[0], FRONT + REAR)
        assert sorted(other) == sorted(orders[0]) == sorted(FRONT + REAR)

    def test_buffer(self) -> None:
        """
        A buffer of one keeps the order of the files.
        """
        data = stream(shuffle=True, buffer=1, source="front")

        assert [sample.name for sample in data] == FRONT

    @pytest.mark.parametrize("start", STARTS)
    def test_epoch_in_workers(self, start: str) -> None:
        """
        Workers that persist follow the epoch.
        """
        data = stream(shuffle=True, source="rear")
        loader = DataLoader(
            data,
            num_workers=1,
            collate_fn=data.collate,
            persistent_workers=True,
            multiprocessing_context=start,
        )
        orders = []
        for epoch in (0, 1, 0):
            data.set_epoch(epoch)
            orders.append(names_of(loader))

        assert orders[0] == orders[2] != orders[1]

    def test_pickle(self) -> None:
        """
        A stream that was stored gives the same.
        """
        data = stream(shuffle=True, source="rear")
        data.set_epoch(3)
        expected = [sample.name for sample in data]

        again = pickle.loads(pickle.dumps(data))  # noqa: S301 - our own

        assert again.epoch == 3
        assert [sample.name for sample in again] == expected

    def test_late_rank(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A stream from before torch.distributed does not give everything to all.
        """
        data = stream()
        told = stream(rank=0, world_size=2)
        monkeypatch.setattr("framekit.torch.frame_stream.rank_of", lambda: (1, 2))

        assert stream().size == 16
        assert len(list(told)) == 16
        with pytest.raises(ArgumentError, match="make it later"):
            next(iter(data))
        with pytest.raises(ArgumentError, match="make it later"):
            pickle.dumps(data)

    @pytest.mark.parametrize(
        ("argument", "value"),
        [
            ("seed", 0.5),
            ("seed", True),
            ("buffer", 0),
            ("rank", 2),
            ("world_size", 0),
        ],
    )
    def test_refused(self, argument: str, value: Any) -> None:
        """
        Arguments that mean nothing are refused.
        """
        ranks = (
            {"rank": 0, "world_size": 2} if argument in ("rank", "world_size") else {}
        )
        with pytest.raises(ArgumentError):
            stream(**{**ranks, argument: value})

    def test_epoch_refused(self) -> None:
        """
        An epoch is a number from 0.
        """
        with pytest.raises(ArgumentError, match="epoch"):
            stream().set_epoch(-1)

    def test_left(self) -> None:
        """
        A stream that is left half-way closes its files.
        """
        for sample in stream():
            assert sample.name == FRONT[0]
            break

    def test_video_over_stills(self, tmp_path: Path) -> None:
        """
        One video of pictures may have masks in many files, in any order.
        """
        frames = []
        for number in (7, 2, 5):
            mask = tmp_path / f"{number}.png"
            Image.fromarray(truth(FRONT[number]).astype(np.uint8)).save(mask)
            frame = fk.SingleFrame(
                id=str(number),
                sources=[
                    fk.Source(
                        id="front",
                        uri=str(CROSSING / "media" / "front.mp4"),
                        content_type="video/mp4",
                        timestamp=number * 1000 // 30,
                        masks=[fk.Mask(id="seg", uri=str(mask))],
                    )
                ],
            )
            frames.append(frame)
        palette = fk.Palette.indexed(dict(enumerate(LABELS)))

        found = {sample.name: sample for sample in FrameStream(frames, palette=palette)}

        assert list(found) == ["2/front.seg", "5/front.seg", "7/front.seg"]
        sample = found["5/front.seg"]
        shown = read_picture(str(CROSSING / "media/front.mp4"), timestamp=166)
        assert np.array_equal(sample.target, truth(FRONT[5]))
        assert np.array_equal(sample.image, shown.transpose(2, 0, 1))


class TestOfVideos:
    def test_all_frames(self) -> None:
        """
        Every frame of a mask video comes with the picture of its moment.
        """
        palette = fk.Palette.from_frame(crossing()[0], "front", "seg")

        data = FrameStream.of_videos(
            [CROSSING / "media" / "front_seg.mp4"],
            palette,
            sources=[CROSSING / "media" / "front.mp4"],
            labels=LABELS,
        )

        samples = list(data)
        assert len(samples) == data.size == 24
        for number, sample in enumerate(samples):
            assert sample.name == f"{CROSSING / 'media' / 'front_seg.mp4'}#{number}"
            assert np.array_equal(sample.target, truth(FRONT[number]))
        shown = read_picture(str(CROSSING / "media/front.mp4"), timestamp=400)
        assert np.array_equal(samples[12].image, shown.transpose(2, 0, 1))

    def test_masks_only(self) -> None:
        """
        Without sources there are no images.
        """
        palette = fk.Palette.from_frame(crossing()[0], "front", "seg")

        data = FrameStream.of_videos([CROSSING / "media" / "front_seg.mp4"], palette)

        assert next(iter(data)).image is None

    def test_refused(self) -> None:
        """
        Sources go with masks, one for each.
        """
        palette = fk.Palette({(0, 0, 0): "a"})
        path = CROSSING / "media" / "front_seg.mp4"

        with pytest.raises(ArgumentError, match="expected 1"):
            FrameStream.of_videos([path], palette, sources=[])
        with pytest.raises(ArgumentError, match="a list of paths"):
            FrameStream.of_videos(path, palette)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="at least one"):
            FrameStream.of_videos([], palette)
