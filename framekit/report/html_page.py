"""
The HTML page around the findings: its text, its style, its script.

The page may run its own script and nothing else: a content security policy names the
hashes of script and style, and forbids whatever is not in the file.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from framekit._markup import Markup, markup

__all__ = ["page"]


def page(values: Mapping[str, str], data: Iterator[str]) -> Iterator[str]:
    """
    Yield the page piece by piece, in ASCII.

    Args:
        values: The texts of the template's places, HTML if they are Markup.
        data: The JSON document, harmless within a script.
    """
    style, script = _packaged("page.css"), _packaged("page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    own = {
        "policy": Markup(policy.replace('"', "&quot;")),
        "style": Markup(style),
        "script": Markup(script),
    }
    before, after = _packaged("page.html").split("{{data}}")
    yield _ascii(markup(before, **values, **own))
    yield from data
    yield _ascii(markup(after, **values, **own))


@cache
def _packaged(name: str) -> str:
    # Own files are ASCII, or the hashes would depend on the file's encoding.
    return (files("framekit.report") / name).read_text(encoding="ascii")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode("ascii")).digest()).decode("ascii")


def _ascii(text: str) -> str:
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
