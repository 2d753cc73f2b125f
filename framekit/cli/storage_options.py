"""
The options that say which files a command may open.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from framekit.storage import Storage

__all__ = ["add_storage_options", "storage_from"]


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """
    Add ``--allow``, ``--cache`` and ``--folder``.
    """
    parser.add_argument(
        "--allow",
        metavar="SCHEMES",
        default="",
        help="remote schemes that may be opened, like https,s3",
    )
    parser.add_argument(
        "--cache",
        metavar="DIR",
        help="keep what is read of remote files in this folder, up to 10 GiB",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        action="append",
        default=[],
        help="a further folder that the target's URIs may lead into",
    )


def storage_from(arguments: argparse.Namespace, root: Path | None) -> Storage:
    """
    The storage that the options describe, for a target in *root*.
    """
    return Storage(
        root,
        allow=arguments.allow,
        folders=arguments.folder,
        cache=arguments.cache,
    )
