"""
Validating frames: from a target to a report.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Literal

from attrs import evolve

from framekit import _json
from framekit.dataset import Target, open_target
from framekit.errors import ArgumentError
from framekit.storage import Storage
from framekit.validation.codes import LEVELS
from framekit.validation.job import Job
from framekit.validation.ledger import Ledger
from framekit.validation.problems import Problems
from framekit.validation.report import Report
from framekit.validation.run import Progress, Run, run_name
from framekit.validation.version_rules import VersionLabels, as_version_document

__all__ = ["Level", "Progress", "validate"]

Level = Literal["schema", "references", "media", "pixels"]


def validate(
    target: Any,
    *,
    level: Level = "references",
    version: Any = None,
    storage: Storage | None = None,
    executor: Executor | Callable[[], Executor] | None = None,
    shard: int = 64,
    ledger: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    on_interrupt: Literal["raise", "report"] = "raise",
) -> Report:
    """
    Find all that is wrong with frames.

    Nothing is changed, and bad data raises nothing.

    Args:
        target: A frame, an iterable of frames, or the path of a JSON file, a
            JSON Lines file or a frames folder; or what :func:`open_target` has
            made of it.
        level: ``"schema"``, ``"references"``, ``"media"`` (files are opened) or
            ``"pixels"`` (masks are decoded); each includes those before it.
        version: The version's ``mask_labels``, or a document that has them, in
            place of the target's own.
        storage: Where URIs lead; by default relative ones into the target's
            folder, and none out of it.
        executor: What does the work, or a function that makes it. By default the
            first two levels are run where they are called, the others in threads.
            Only in other processes does a file that kills whoever looks at it
            become a problem ``worker-died``.
        shard: How many frames are looked at together; of files line by line, the
            first two levels take 64 times as many.
        ledger: A file that notes what is done. With the same target, level and
            version, a run that was interrupted goes on from there. Media that
            have changed in between are not noticed.
        progress: Is called with the number of frames just done, shard by shard.
        on_interrupt: ``"report"`` gives what was found up to then in place of
            KeyboardInterrupt.

    Raises:
        ArgumentError: If *target* is nothing that holds frames, or an option has
            a value it cannot have; or if *ledger* is that of another run.
        StorageError: If the target itself, or the ledger, cannot be read.
    """
    if level not in LEVELS:
        expected = ", ".join(map(repr, LEVELS))
        raise ArgumentError("level", f"expected one of {expected}, got {level!r}")
    if shard < 1:
        raise ArgumentError("shard", f"expected 1 or more, got {shard}")
    if on_interrupt not in ("raise", "report"):
        reason = f"expected 'raise' or 'report', got {on_interrupt!r}"
        raise ArgumentError("on_interrupt", reason)
    opened = open_target(target)
    if version is not None:
        document = as_version_document(version)
        opened = evolve(opened, version=document, version_document="")
    job = Job(
        LEVELS.index(level),
        VersionLabels(opened.version),
        storage or Storage(opened.root),
        run_name(),
    )
    problems = Problems()
    interrupted = False
    with _opened(ledger, opened, job) as found:
        run = Run(opened, job, shard, executor, found, progress)
        try:
            for problem in run.problems():
                problems.append(problem)
        except KeyboardInterrupt:
            if on_interrupt == "raise":
                raise
            interrupted = True
    if interrupted:
        for problem in run.told_once(is_done=False):
            problems.append(problem)
    return Report(
        target=opened.name,
        level=level,
        frames=run.whole.frames,
        problems=problems,
        interrupted=interrupted,
    )


@contextmanager
def _opened(
    path: str | os.PathLike[str] | None, target: Target, job: Job
) -> Iterator[Ledger | None]:
    if path is None:
        yield None
        return
    identity = target.identity()
    if not identity:
        raise ArgumentError("ledger", "only frames of a file can be taken up again")
    storage = job.storage
    version = hashlib.blake2b(_json.fingerprint(target.version)).hexdigest()
    ledger = Ledger(
        path,
        {
            "input": identity,
            "version": version,
            "level": LEVELS[job.level],
            "storage": [
                str(storage.root),
                sorted(storage.allow),
                list(map(str, storage.folders)),
            ],
        },
    )
    try:
        yield ledger
    finally:
        ledger.close()
