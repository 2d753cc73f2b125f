"""
Opening the files that frames name, here or remote, within bounds.
"""

from __future__ import annotations

from framekit.storage.storage import Opener, Storage
from framekit.uri import scheme_of

__all__ = ["Opener", "Storage", "scheme_of"]
