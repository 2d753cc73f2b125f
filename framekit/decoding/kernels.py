"""
Which kernels are in use: the compiled ones, or their NumPy twins.

Both give the same bits.  ``FRAMEKIT_KERNELS=native`` makes a missing extension
an error, ``FRAMEKIT_KERNELS=numpy`` leaves the extension alone.

Installing framekit compiles the extension where there is a compiler; in a checkout
``pip install -e .`` puts it here, beside its source.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

CHOICES = ("native", "numpy")


def load(choice: str | None) -> Any:
    """
    Return the extension module, None if the NumPy twins are to be used.

    Raises:
        ValueError: If *choice* is neither None nor one of `CHOICES`.
        ImportError: If *choice* is "native" and there is no extension.
    """
    if choice is not None and choice not in CHOICES:
        message = f"FRAMEKIT_KERNELS is one of {', '.join(CHOICES)}, not {choice!r}"
        raise ValueError(message)
    if choice == "numpy":
        return None
    try:
        return importlib.import_module("framekit.decoding._kernels")
    except ImportError:
        if choice == "native":
            raise
        return None


#: The extension, None where the NumPy twins work.
NATIVE: Any = load(os.environ.get("FRAMEKIT_KERNELS") or None)

#: "native" or "numpy", for `framekit info`.
NAME = "numpy" if NATIVE is None else "native"
