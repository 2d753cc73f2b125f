"""
Openers of remote URIs that do harm, for the workers of tests.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

__all__ = ["Harmful"]


@frozen
class Harmful:
    """
    Opens ``test://name`` as the file of that name in a folder.

    ``kill``, ``abort`` and ``memory`` within a name do what they say, ``once`` only
    the first time; each opening is noted in a file beside the folder.
    """

    folder: Path

    def __call__(self, uri: str) -> BinaryIO:
        """
        Do what the name says.
        """
        name = uri.removeprefix("test://")
        with (self.folder / "opened.txt").open("a") as file:
            file.write(f"{os.getpid()} {name}\n")
        if "once" in name:
            try:
                (self.folder / f"{name}.done").touch(exist_ok=False)
            except FileExistsError:
                name = ""
        if "kill" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "abort" in name:
            os.abort()
        if "memory" in name:
            raise MemoryError
        if "slow" in name:
            time.sleep(0.5)
        return (self.folder / "seg.png").open("rb")
