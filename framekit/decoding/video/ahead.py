"""
Decoding the next frames in a second thread while this one labels the last.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import queue
import threading
from collections.abc import Generator
from contextlib import closing, suppress
from typing import Any, Final, TypeVar

from framekit.decoding.video.index import FrameIndex
from framekit.decoding.video.media import Media
from framekit.decoding.video.seeking import Decoded, decode_all
from framekit.errors import UnreadableMaskError

__all__ = ["ahead", "decode_all_ahead", "may_run_ahead"]

T = TypeVar("T")

#: Items that are held ready.
_DEPTH: Final = 4

#: How long a thread waits before it looks whether it is still wanted, in s.
_PATIENCE: Final = 0.2

#: Pixels from which handing frames from thread to thread costs less than it saves.
_LARGE: Final = 1_000_000

_END: Final = object()

_PROCESS: Final = os.getpid()


def decode_all_ahead(
    media: Media, index: FrameIndex, *, threads: int = 1
) -> Generator[Decoded, None, None]:
    """
    Decode all frames in order; large ones ahead of what is done with them.

    A caller's file is read by the caller's thread only.
    """
    with closing(decode_all(media, index, threads=threads)) as items:
        if media.path is None or not may_run_ahead():
            yield from items
            return
        for item in items:
            yield item
            frame = item.frame
            if frame is not None and frame.width * frame.height >= _LARGE:
                yield from ahead(items, uri=media.uri)


def may_run_ahead() -> bool:
    """
    Whether this process may start a thread for decoding.

    Not where it would have to share its one core, nor in the worker processes of
    data loaders and pools: they are many already, and forked ones must not mix
    threads and locks.
    """
    forked = os.getpid() != _PROCESS or multiprocessing.parent_process() is not None
    return not forked and _cores() > 1


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ahead(items: Generator[T, None, None], *, uri: str) -> Generator[T, None, None]:
    """
    Yield what *items* does, computed in a thread that is a few items ahead.

    Errors come in their place. When this generator is closed or left, *items* is
    closed, by its own thread, before closing returns.

    Raises:
        UnreadableMaskError: In a process that was forked in between.
    """
    runner = _Runner(items, uri)
    try:
        yield from runner
    finally:
        runner.stop()


class _Runner:
    """
    A thread that fills a queue.

    The reason for this being a class is that thread and reader share what tells
    them to stop.
    """

    def __init__(self, items: Generator[Any, None, None], uri: str) -> None:
        self._items = items
        self._uri = uri
        self._ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(_DEPTH)
        self._left = threading.Event()
        self._process = os.getpid()
        # A daemon, since it must not keep a process alive that forgot a generator.
        self._thread = threading.Thread(
            target=self._run, name="framekit-decode-ahead", daemon=True
        )
        atexit.register(self.stop)
        self._thread.start()

    def __iter__(self) -> Generator[Any, None, None]:
        while True:
            if os.getpid() != self._process:
                reason = "reading a video does not go on in a forked process"
                raise UnreadableMaskError(self._uri, reason)
            item, error = self._ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item

    def stop(self) -> None:
        """
        End the thread, and wait until it has.
        """
        atexit.unregister(self.stop)
        if os.getpid() != self._process:
            return  # the thread is another process's
        self._left.set()
        if threading.current_thread() is self._thread:
            return  # it collected the garbage that held it
        with suppress(queue.Empty):
            while True:
                self._ready.get_nowait()
        self._thread.join()

    def _run(self) -> None:
        end: tuple[Any, BaseException | None] = _END, None
        try:
            for item in self._items:
                if not self._put((item, None)):
                    return
        except BaseException as error:  # noqa: BLE001 (raised again by the reader)
            end = _END, error
        finally:
            self._items.close()
        self._put(end)

    def _put(self, entry: tuple[Any, BaseException | None]) -> bool:
        while not self._left.is_set():
            try:
                self._ready.put(entry, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False
