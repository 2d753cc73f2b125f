from __future__ import annotations

import json
import shutil
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framekit.dataset import open_target
from framekit.dataset.portions import LinePortion, halves
from framekit.decoding.video.mask_video import MaskVideo
from framekit.errors import ArgumentError, MissingExtraError
from framekit.palette import Palette
from framekit.storage import Storage
from framekit.validation import validate
from framekit.validation.engines import engine, processes
from framekit.validation.gops import Pictures, cut_by_pictures
from framekit.validation.job import PIXELS, Job, keyframes_in
from framekit.validation.version_rules import VersionLabels
from tests.clips import encode

SAMPLES = Path(__file__).parents[1] / "samples"
FRAME: dict[str, Any] = json.loads((SAMPLES / "valid/single-frame.json").read_text())


def lines_of(folder: Path, count: int) -> Path:
    """
    A file of frames of which each has one problem of its own, and some share more.
    """
    shutil.copytree(SAMPLES / "valid/media", folder / "media")
    lines = [
        json.dumps(
            FRAME
            | {
                "id": str(n % (count - 3)),
                "meta": {"a": n if n % 7 else str(n)},
                "rois": [*FRAME["rois"], {"label": []}],
            }
        )
        for n in range(count)
    ]
    lines[5] = "\n\n{"
    path = folder / "frames.jsonl"
    path.write_text("\r\n".join(lines), encoding="utf-8")
    return path


class Counting(Executor):
    """
    An executor that notes how many calls are under way.
    """

    def __init__(self) -> None:
        self.inner = ThreadPoolExecutor(1)
        self.begun: list[Future[Any]] = []
        self.most = 0

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """
        Note one more.
        """
        self.begun.append(self.inner.submit(function, *args, **kwargs))
        self.most = max(self.most, sum(not f.done() for f in self.begun))
        return self.begun[-1]


class TestSame:
    @pytest.mark.parametrize("level", ["schema", "references", "media", "pixels"])
    @pytest.mark.parametrize("shard", [1, 7, 64])
    def test_threads(self, tmp_path: Path, level: Any, shard: int) -> None:
        """
        The report is the same on an executor, however the work is divided.
        """
        path = lines_of(tmp_path, 150)
        expected = validate(path, level=level)

        found = validate(
            path, level=level, shard=shard, executor=partial(ThreadPoolExecutor, 3)
        )

        assert found.to_dict() == expected.to_dict()

    @pytest.mark.slow
    @pytest.mark.parametrize("level", ["references", "pixels"])
    def test_processes(self, tmp_path: Path, level: Any) -> None:
        """
        So it is on processes, which read their own lines.
        """
        path = lines_of(tmp_path, 300)
        expected = validate(path, level=level)

        found = validate(path, level=level, executor=processes, shard=2)

        assert found.to_dict() == expected.to_dict()

    def test_window(self, tmp_path: Path) -> None:
        """
        Only a few portions are under way at once.
        """
        executor = Counting()

        validate(lines_of(tmp_path, 150), level="media", shard=2, executor=executor)

        assert len(executor.begun) == 76
        assert executor.most < 20


class TestPortions:
    @pytest.mark.parametrize("size", [1, 2, 7, 1000])
    def test_lines(self, tmp_path: Path, size: int) -> None:
        """
        Portions have all records, with the numbers of their lines.
        """
        target = open_target(lines_of(tmp_path, 40))

        portions = list(target.portions(size))

        assert [r for p in portions for r in p.records()] == list(target.records())
        assert all(isinstance(p, LinePortion) and len(p) <= size for p in portions)

    def test_halves(self, tmp_path: Path) -> None:
        """
        Portions can be halved down to single lines, and joined again.
        """
        target = open_target(lines_of(tmp_path, 21))
        (whole,) = target.portions(100)
        portions = [whole]
        while any(halves(p) for p in portions):
            portions = [part for p in portions for part in halves(p) or (p,)]

        assert [len(p) for p in portions] == [1] * 23
        assert [r for p in portions for r in p.records()] == list(target.records())
        joined = portions[0]
        for other in portions[1:]:
            joined = joined.joined(other)
        assert joined == whole


class TestPictures:
    def video(self, folder: Path) -> Path:
        """
        Frames of a mask video whose keyframes are 5 frames apart.
        """
        palette = Palette({(0, 0, 0): "a", (255, 0, 0): "b"})
        pictures = [
            np.full((32, 32, 3), (n % 2 * 255, 0, 0), np.uint8) for n in range(30)
        ]
        options = {"crf": "0", "g": "5", "keyint_min": "5"}
        clip = encode(pictures, rate=10, options=options)
        (folder / "seg.mp4").write_bytes(clip)
        rois = [
            {
                "label": [e.labels[0]],
                "mask": {"id": "seg", "value": list(e.color or ())},
            }
            for e in palette
        ]
        lines = []
        for n in range(30):
            masks = [
                {
                    "id": "seg",
                    "uri": "seg.mp4",
                    "content_type": "video/mp4",
                    "timestamp": n * 100,
                }
            ]
            source = {"id": "front", "uri": "./seg.mp4", "timestamp": n * 100}
            frame = {"id": str(n), "sources": [source | {"masks": masks}], "rois": rois}
            lines.append(json.dumps(frame))
        path = folder / "frames.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def test_cut(self, tmp_path: Path) -> None:
        """
        Portions end where groups of pictures do.
        """
        target = open_target(self.video(tmp_path))
        job = Job(PIXELS, VersionLabels(None), Storage(target.root), "run")
        pictures = Pictures(lambda uri: keyframes_in((job, uri)))

        for size, expected in ((1, 5), (4, 5), (7, 10)):
            portions = list(cut_by_pictures(target.portions(size), pictures, size))
            lengths = [len(p) for p in portions]
            assert set(lengths) <= {expected, 5}, (size, lengths)
            assert sum(lengths) == 30
            found = [r for p in portions for r in p.records()]
            assert found == list(target.records())

    def test_opened_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A video is opened for each portion, not for each frame.
        """
        opened = []

        def counted(uri: str, *arguments: Any, **options: Any) -> MaskVideo:
            opened.append(uri)
            return MaskVideo(uri, *arguments, **options)

        monkeypatch.setattr("framekit.decoding.requests.MaskVideo", counted)

        report = validate(self.video(tmp_path), level="pixels", shard=10)

        assert report.counts == {}
        assert opened == ["seg.mp4"] * 3


class TestEngine:
    def test_unknown(self) -> None:
        """
        Another word is refused with those that there are.
        """
        with pytest.raises(ArgumentError, match="threads, processes, dask://host"):
            engine("ray")

    def test_dask_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without its package the engine says how to get it.
        """
        import sys

        monkeypatch.setitem(sys.modules, "distributed", None)

        with pytest.raises(MissingExtraError) as caught:
            engine("dask://localhost:8786")

        assert caught.value == MissingExtraError("an engine dask://…", "dask")

    @pytest.mark.slow
    def test_kinds(self) -> None:
        """
        Each makes what its name says.
        """
        with engine("threads", 2)() as made:
            assert isinstance(made, ThreadPoolExecutor)
        with engine("processes", 1)() as made:
            assert isinstance(made, ProcessPoolExecutor)
            assert made.submit(abs, -1).result() == 1
