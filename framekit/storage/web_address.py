"""
The parts of an http or https URI, as a request needs them.
"""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from attrs import frozen

from framekit.errors import RefusedUriError, StorageError
from framekit.storage.connections import Origin
from framekit.uri import scheme_of, shown_uri

__all__ = ["WebAddress", "redirected", "web_address"]


@frozen
class WebAddress:
    """
    Where a request goes, and what it says.
    """

    url: str

    origin: Origin

    #: Path and query, quoted.
    path: str

    #: The value of the Authorization header, from user and password.
    authorization: str | None


def web_address(uri: str, url: str) -> WebAddress:
    """
    Take *url* apart.

    Args:
        uri: What is to be opened, for messages.

    Raises:
        StorageError: If it is no URL.
    """
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        port = parts.port
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
        path = quote(parts.path or "/", safe=_KEPT)
        if parts.query:
            path += "?" + quote(parts.query, safe=_KEPT + "?")
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            coded = base64.b64encode(pair.encode()).decode()
            authorization = f"Basic {coded}"
    except (ValueError, UnicodeError):
        raise StorageError(uri, "no URL: its parts cannot be read") from None
    if not host or _ODD.search(host):
        raise StorageError(uri, f"no URL: the host {host!r} cannot be")
    scheme = parts.scheme.lower()
    if port is None:
        port = 443 if scheme == "https" else 80
    return WebAddress(url, Origin(scheme, host, port), path, authorization)


def redirected(
    uri: str, address: WebAddress, location: str, allow: frozenset[str]
) -> WebAddress:
    """
    Where the answer of *address* leads on to.

    Raises:
        RefusedUriError: If its scheme is not one of *allow*.
        StorageError: If it is no URL.
    """
    try:
        # Headers are read as Latin-1; servers that do not quote send UTF-8.
        location = location.encode("latin-1").decode("utf-8", "replace")
        url = urljoin(address.url, location.strip())
    except (ValueError, UnicodeError):
        raise StorageError(uri, "redirected to what is no URL") from None
    scheme = scheme_of(url) or "file"
    if scheme not in allow:
        reason = f"redirected to {shown_uri(url)}, and {scheme}: is not allowed"
        raise RefusedUriError(uri, reason[:500])
    found = web_address(uri, url)
    if found.origin == address.origin and found.authorization is None:
        return WebAddress(url, found.origin, found.path, address.authorization)
    return found


#: What is left as it is in paths and queries: a document quotes it or does not.
_KEPT: Final = "%/:@!$&'()*+,;=~-._[]"

_ODD: Final = re.compile(r"[\s/\\?#@%<>^|\x00-\x20\x7f]")
