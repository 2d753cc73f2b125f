"""
What a URI says about itself, and how messages call it.

Signed URLs and passwords are credentials: messages, reports and logs show a URI
without them.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["scheme_of", "shown_text", "shown_uri"]


def scheme_of(uri: str) -> str:
    """
    The scheme of *uri* in lower case, ``""`` for a local path or ``file:``.

    A single letter before the colon is a Windows drive, not a scheme.
    """
    head, colon, _ = uri.partition(":")
    if not colon or len(head) < 2 or not head.replace("+", "").isalnum():
        return ""
    scheme = head.lower()
    return "" if scheme == "file" else scheme


def shown_uri(uri: str) -> str:
    """
    A URI as messages show it: without query, user and password.

    Local paths are shown as they are; of a ``data:`` URI only its type is.
    """
    match = _REMOTE.match(uri)
    if match is None:
        return f"{uri.partition(',')[0]},…" if uri[:5].lower() == "data:" else uri
    start, host, rest = match.groups()
    if start.strip().lower() == "file://":
        return uri
    host = host.rpartition("@")[2]
    if "@" in rest and _ODD_PORT.search(host.rpartition("]")[2]):
        return f"{start}…"  # a slash within the password: all of it may be secret
    marks = _QUERY_OR_FRAGMENT if start.lstrip()[:4].lower() == "http" else _QUERY
    return start + host + marks.split(rest, maxsplit=1)[0]


def shown_text(text: str) -> str:
    """
    *text* with all URIs in it as messages show them.
    """
    return _URI_IN_TEXT.sub(lambda match: shown_uri(match[0]), text)


_REMOTE: Final = re.compile(
    r"(\s*[a-z][a-z0-9+.-]+://)([^/?#]*)(.*)", re.DOTALL | re.IGNORECASE
)
_ODD_PORT: Final = re.compile(r":[0-9]*[^0-9]")
_QUERY: Final = re.compile(r"\?")
_QUERY_OR_FRAGMENT: Final = re.compile(r"[?#]")
_URI_IN_TEXT: Final = re.compile(r"[a-z][a-z0-9+.-]+://[^\s\"'<>]+", re.IGNORECASE)
