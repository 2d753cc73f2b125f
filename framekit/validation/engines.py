"""
What carries validation out: threads, processes, or the workers of Dask.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from os import cpu_count
from typing import Any, Final

from framekit.errors import ArgumentError, MissingExtraError, StorageError

__all__ = ["ENGINES", "engine", "processes", "threads"]

#: What :func:`engine` knows.
ENGINES: Final = ("threads", "processes", "dask://host:port")

_DASK: Final = "dask://"


def engine(name: str, jobs: int | None = None) -> Callable[[], Executor]:
    """
    What makes the executor called *name*.

    Args:
        name: One of :data:`ENGINES`; the last one has the address of a scheduler.
        jobs: How many threads or processes; by default one for each core.

    Raises:
        ArgumentError: If there is no such engine.
        MissingExtraError: If its package is not installed.
    """
    if name == "threads":
        return partial(threads, jobs)
    if name == "processes":
        return partial(processes, jobs)
    if name.startswith(_DASK) and len(name) > len(_DASK):
        try:
            import distributed  # noqa: F401 - it is only asked for
        except ImportError:
            raise MissingExtraError("an engine dask://…", "dask") from None
        return partial(_Dask, f"tcp://{name.removeprefix(_DASK)}")
    expected = ", ".join(ENGINES)
    raise ArgumentError("engine", f"expected one of {expected}, got {name!r}")


def threads(jobs: int | None = None) -> Executor:
    """
    As many threads as *jobs*, or as there are cores.
    """
    return ThreadPoolExecutor(jobs or cpu_count())


def processes(jobs: int | None = None) -> Executor:
    """
    As many processes as *jobs*, or as there are cores.

    They do not share memory with this one: what dies there dies alone.
    """
    method = next(m for m in ("forkserver", "spawn") if m in get_all_start_methods())
    context = get_context(method)
    if method == "forkserver":
        # Loaded once, and not by each process that takes the place of another.
        context.set_forkserver_preload(["framekit.validation.pixels"])
    return ProcessPoolExecutor(
        jobs or cpu_count(), mp_context=context, initializer=_ignore_interrupts
    )


def _ignore_interrupts() -> None:
    # Ctrl-C reaches every process of a terminal; the first one tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Dask(Executor):
    """
    The workers of a Dask scheduler.
    """

    def __init__(self, address: str) -> None:
        from distributed import Client

        try:
            self._client: Any = Client(address, timeout=10)
        except (OSError, TimeoutError) as error:
            raise StorageError(address, f"no Dask scheduler: {error}") from None
        self._executor: Executor = self._client.get_executor(pure=False)

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        return self._executor.submit(function, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as the base has it
        self._executor.shutdown(wait=wait)
        self._client.close()
