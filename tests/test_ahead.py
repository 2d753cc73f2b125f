"""
Decoding in a second thread: the same results, and nothing left behind.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from framekit.decoding.video import ahead as module
from framekit.decoding.video.ahead import ahead, may_run_ahead
from framekit.decoding.video.mask_video import MaskVideo
from framekit.errors import UnreadableMaskError
from tests.clips import PALETTE, encode, paint, scene, x264


class Numbers:
    """
    Numbers from 0 to *end*, and then perhaps an error; knows whether it was closed.
    """

    def __init__(self, end: int, error: Exception | None = None) -> None:
        self.threads: set[str] = set()
        self.closed = False
        self.given = 0
        self._end = end
        self._error = error

    def items(self) -> Generator[int, None, None]:
        """
        The numbers.
        """
        try:
            for number in range(self._end):
                self.threads.add(threading.current_thread().name)
                self.given = number + 1
                yield number
            if self._error is not None:
                raise self._error
        finally:
            self.closed = True


def threads_ahead() -> list[threading.Thread]:
    """
    The threads that decode ahead.
    """
    return [t for t in threading.enumerate() if t.name == "framekit-decode-ahead"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    A clip on disk.
    """
    clip = encode([paint(ids) for ids in scene(30)], **x264(g="6"))
    (tmp_path / "mask.mp4").write_bytes(clip)
    return tmp_path / "mask.mp4"


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Makes clips of tests large enough, and computers, too.
    """
    monkeypatch.setattr(module, "_LARGE", 1)
    monkeypatch.setattr(module, "_cores", lambda: 2)


class TestAhead:
    def test_order(self) -> None:
        """
        Items come in order, from another thread, which ends with them.
        """
        numbers = Numbers(100)

        assert list(ahead(numbers.items(), uri="x")) == list(range(100))
        assert numbers.closed
        assert numbers.threads == {"framekit-decode-ahead"}
        assert threads_ahead() == []

    def test_error(self) -> None:
        """
        An error comes after the items before it.
        """
        items = ahead(Numbers(3, KeyError("x")).items(), uri="x")

        assert [next(items), next(items), next(items)] == [0, 1, 2]
        with pytest.raises(KeyError):
            next(items)
        assert threads_ahead() == []

    @pytest.mark.parametrize("after", [1, 3, 50])
    def test_abandoned(self, after: int) -> None:
        """
        Closing ends the thread at once; it was never far ahead.
        """
        numbers = Numbers(10**9)
        items = ahead(numbers.items(), uri="x")
        for _ in range(after):
            next(items)

        items.close()

        assert numbers.closed
        assert threads_ahead() == []
        assert numbers.given <= after + 7

    def test_garbage(self) -> None:
        """
        An iterator that is dropped takes its thread along.
        """
        numbers = Numbers(10**9)
        items = ahead(numbers.items(), uri="x")
        next(items)

        del items
        gc.collect()

        assert numbers.closed
        assert threads_ahead() == []

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
    def test_fork(self) -> None:
        """
        A forked process can neither go on reading nor hang.
        """
        script = (
            "import os\n"
            "from framekit.decoding.video.ahead import ahead, may_run_ahead\n"
            "from framekit.errors import UnreadableMaskError\n"
            "items = ahead((n for n in range(10**9)), uri='x')\n"
            "next(items)\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    assert not may_run_ahead()\n"
            "    try:\n"
            "        next(items)\n"
            "    except UnreadableMaskError:\n"
            "        os._exit(7)\n"
            "    os._exit(1)\n"
            "assert os.waitpid(child, 0)[1] == 7 << 8\n"
            "next(items)\n"
        )

        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parents[1],
            timeout=60,
            check=False,
        )

        assert done.returncode == 0


class TestMayRunAhead:
    def test_cores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        On one core there is nothing to gain.
        """
        monkeypatch.setattr(module, "_cores", lambda: 2)
        assert may_run_ahead()
        monkeypatch.setattr(module, "_cores", lambda: 1)
        assert not may_run_ahead()

    def test_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Worker processes are many already.
        """
        monkeypatch.setattr(module, "_cores", lambda: 2)
        monkeypatch.setattr("multiprocessing.parent_process", lambda: 1)
        assert not may_run_ahead()


@pytest.mark.usefixtures("small_is_large")
class TestVideo:
    def test_same_labels(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Frames, times and reports do not depend on it.
        """
        found = list(MaskVideo(path, PALETTE))
        monkeypatch.setattr(module, "_LARGE", 10**9)
        plain = list(MaskVideo(path, PALETTE))

        for one, other in zip(found, plain, strict=True):
            assert one.exact_timestamp == other.exact_timestamp
            assert one.label_map.report == other.label_map.report
            assert np.array_equal(one.label_map.ids, other.label_map.ids)
        assert threads_ahead() == []

    def test_left(self, path: Path) -> None:
        """
        Leaving the loop, or the video, ends the thread.
        """
        with MaskVideo(path, PALETTE) as video:
            items = iter(video)
            next(items)
            next(items)
            assert len(threads_ahead()) == 1

        assert threads_ahead() == []

    def test_random_access_meanwhile(self, path: Path) -> None:
        """
        Asking for other frames in the loop disturbs nothing.
        """
        video = MaskVideo(path, PALETTE)
        truth = [item.label_map.ids for item in video]

        for item in video:
            again = video.at(item.timestamp).label_map.ids
            assert np.array_equal(again, item.label_map.ids)
            assert np.array_equal(again, truth[item.index])

    def test_damage(self, path: Path) -> None:
        """
        Damage is reported where it is.
        """
        data = bytearray(path.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
        path.write_bytes(data)
        items = iter(MaskVideo(path, PALETTE))

        assert next(items).index == 0
        with pytest.raises(UnreadableMaskError):
            list(items)
        assert threads_ahead() == []
