"""
Training data for PyTorch, from the sample; skipped where torch is not installed.
"""

from __future__ import annotations

import json
import os
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from attrs import evolve
from numpy.typing import NDArray
from PIL import Image

import framekit as fk
from framekit.dataset.dataset import Dataset
from framekit.decoding.source_picture import read_picture
from framekit.errors import (
    ArgumentError,
    DecodeError,
    DocumentError,
    PaletteWarning,
)

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from framekit.torch import (  # noqa: E402
    FrameDataset,
    FrameStream,
    Sample,
    TrainIds,
    collate,
    to_target,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)

ROOT = Path(__file__).parents[1]
CROSSING = ROOT / "samples" / "crossing"
FRONT = [f"crossing_1_{n:03}/front.seg" for n in range(24)]
REAR = [f"crossing_1_{n:03}/rear.seg" for n in range(0, 24, 3)]
LABELS = [
    entry["labels"][0]
    for entry in json.loads((CROSSING / "truth" / "classes.json").read_bytes())[
        "front_seg"
    ]
]
STARTS = ["fork", "spawn"]


def truth(name: str) -> NDArray[Any]:
    """
    The indices that were drawn for a sample of that name.
    """
    frame, _, mask = name.partition("/")
    folder = mask.replace(".", "_")
    picture = CROSSING / "truth" / folder / f"{frame[-3:]}.png"
    return np.asarray(Image.open(picture))


def crossing() -> list[fk.SingleFrame]:
    """
    The frames of the sample.
    """
    return [
        frame
        for frame in fk.open_target(CROSSING).frames()
        if isinstance(frame, fk.SingleFrame)
    ]


def still(folder: Path, name: str, **labels: str) -> fk.SingleFrame:
    """
    A frame whose picture is blank and whose mask has a column for each color.
    """
    colors = [tuple(bytes.fromhex(color)) for color in labels]
    pixels = np.array([colors], np.uint8)
    Image.fromarray(pixels).save(folder / f"{name}_mask.png")
    Image.new("RGB", (len(colors), 1)).save(folder / f"{name}.png")
    frame = fk.SingleFrame(
        id=name,
        source=str(folder / f"{name}.png"),
        mask_source=str(folder / f"{name}_mask.png"),
    )
    for color, label in labels.items():
        if label:
            frame.add_annotation(mask_rgb=f"#{color}", labels=label.split("+"))
    return frame


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


def names_of(loader: Any) -> list[str]:
    """
    The names of all samples that *loader* gives, in their order.
    """
    return [name for batch in loader for name in batch.name]


class Counted:
    """
    Opens files of the sample, and writes down who did.
    """

    def __init__(self, log: Path) -> None:
        self.log = log

    def __call__(self, uri: str) -> BinaryIO:
        """
        Open *uri*.
        """
        with self.log.open("a") as log:
            log.write(f"{os.getpid()} {uri}\n")
        return (CROSSING / "media" / uri.removeprefix("counted://")).open("rb")

    def counts(self) -> dict[str, list[int]]:
        """
        How often each process opened each file.
        """
        found: dict[str, list[int]] = {}
        for line, count in sorted(Counter(self.log.read_text().split("\n")).items()):
            if line:
                found.setdefault(line.split("://")[1], []).append(count)
        return found


def counted(log: Path) -> tuple[list[fk.SingleFrame], fk.Storage]:
    """
    The frames of the sample with files that are counted as they are opened.
    """
    text = (CROSSING / "frames.jsonl").read_text().replace("media/", "counted://")
    frames = [fk.SingleFrame.from_json(line) for line in text.splitlines()]
    return frames, fk.Storage(allow=["counted"], opener=Counted(log))


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


def rank_names(rank: int, folder: str) -> None:
    """
    Be one of two processes, and write down what it is given.
    """
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    data = stream(shuffle=True)
    loader = DataLoader(data, batch_size=4, num_workers=1, collate_fn=data.collate)
    Path(folder, f"{rank}.txt").write_text("\n".join(names_of(loader)))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
class TestLearning:
    def test_ranks(self, tmp_path: Path) -> None:
        """
        Two processes of torch.distributed share the frames without being told.
        """
        torch.multiprocessing.spawn(rank_names, args=(str(tmp_path),), nprocs=2)

        names = [(tmp_path / f"{rank}.txt").read_text().split() for rank in (0, 1)]
        assert [len(own) for own in names] == [16, 16]
        assert sorted(names[0] + names[1]) == sorted(FRONT + REAR)

    def test_loop(self) -> None:
        """
        A loop of ten lines learns the sample, video and stills.
        """
        nn = torch.nn
        torch.manual_seed(0)
        data = FrameStream(CROSSING, mask="seg", shuffle=True, transform=quartered)
        net = small_net(data.classes)
        losses = []

        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        loss_of = nn.CrossEntropyLoss(ignore_index=data.ignore_index)
        for epoch in range(20):
            data.set_epoch(epoch)
            for image, target, _ in DataLoader(data, 4, collate_fn=data.collate):
                loss = loss_of(net(image), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            losses.append(loss.item())

        assert losses[-1] < 0.2 * losses[0]
        right = right_shares(
            net,
            FrameDataset(CROSSING, mask="seg", labels=data.labels, transform=quartered),
        )
        assert right["all"] > 0.93
        for label in ("sky", "road", "building", "sidewalk", "vegetation", "car"):
            assert right[label] > 0.8, right


def quartered(image: Any, target: Any) -> tuple[Any, Any]:
    """
    Every fourth pixel, and where in the image it is.
    """
    image = image[:, ::4, ::4] / 255 - 0.5
    y, x = torch.meshgrid(
        *(torch.linspace(-1, 1, size) for size in image.shape[1:]), indexing="ij"
    )
    return torch.cat([image, y[None], x[None]]), target[::4, ::4]


def small_net(classes: int) -> Any:
    """
    Four convolutions that see 15 x 15 pixels.
    """
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(5, 24, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(24, 24, 3, padding=2, dilation=2),
        nn.ReLU(),
        nn.Conv2d(24, 24, 3, padding=4, dilation=4),
        nn.ReLU(),
        nn.Conv2d(24, classes, 1),
    )


def right_shares(net: Callable[[Any], Any], data: FrameDataset) -> dict[str, float]:
    """
    Which share of the pixels of each label *net* labels right, and of all.
    """
    pairs = []
    with torch.no_grad():
        for sample in data:
            found = net(sample.image[None]).argmax(1)[0]
            pairs.append(torch.stack([found.reshape(-1), sample.target.reshape(-1)]))
    found, wanted = torch.cat(pairs, dim=1)
    shares = {
        label: float((found == wanted)[wanted == number].float().mean())
        for label, number in data.labels.items()
    }
    return {**shares, "all": float((found == wanted).float().mean())}
