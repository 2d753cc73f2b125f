"""
Where a host name leads: to the world, to a private network, to this machine.

A name is looked up once a connection, and the connection goes to the address that
was checked, so that nothing can change in between.
"""

from __future__ import annotations

import ipaddress
import socket
from enum import IntEnum
from typing import Any, Final

from framekit.errors import RefusedUriError

__all__ = ["Address", "Reach", "addresses_of"]

#: A socket family, and where to connect to.
Address = tuple[int, tuple[Any, ...]]


class Reach(IntEnum):
    """
    How near an address is; a redirect may lead away from here, never nearer.
    """

    PUBLIC = 0
    PRIVATE = 1
    LOOPBACK = 2
    FORBIDDEN = 3


def addresses_of(
    uri: str, host: str, port: int, *, within: Reach
) -> tuple[Reach, list[Address]]:
    """
    Look up *host*.

    A name that has public addresses is public: its other ones are never used, nor
    are those that it may have later in this process.

    Args:
        uri: What is to be opened, for messages.
        within: The nearest that it may be.

    Raises:
        RefusedUriError: If it is nearer, or where no file can be.
        OSError: If there is no such host.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    known: dict[Reach, list[Address]] = {}
    for family, _, _, _, address in found:
        known.setdefault(_reach_of(str(address[0])), []).append((family, address))
    reach = min(known)
    if reach is Reach.LOOPBACK and not _is_here(host):
        raise RefusedUriError(uri, f"the name {host} leads to this machine")
    if reach is Reach.FORBIDDEN:
        raise RefusedUriError(uri, f"{host} is an address where no file can be")
    if reach is Reach.PUBLIC:
        if len(_public) >= _MOST_NAMES:
            _public.clear()
        _public.add(host)
    elif host in _public:
        reason = f"the name {host}, public before, now leads to a private address"
        raise RefusedUriError(uri, reason)
    if reach > within:
        where = {Reach.PRIVATE: "a private address", Reach.LOOPBACK: "this machine"}
        reason = f"redirected from elsewhere to {where[reach]} ({host})"
        raise RefusedUriError(uri, reason)
    return reach, known[reach]


def _reach_of(text: str) -> Reach:
    address = _innermost(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_loopback:
        return Reach.LOOPBACK
    if (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or str(address) in _METADATA
        or (address.version == 4 and address in _THIS_NETWORK)
        or (address.version == 4 and address.is_reserved)
    ):
        return Reach.FORBIDDEN
    return Reach.PUBLIC if address.is_global else Reach.PRIVATE


def _innermost(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """
    The IPv4 address that an IPv6 one stands for, if it does.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_here(host: str) -> bool:
    """
    Whether *host* says plainly that it is this machine.
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    if name == socket.gethostname().lower():
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


#: Names that had a public address.
_public: Final[set[str]] = set()
_MOST_NAMES: Final = 10_000

#: Where clouds hand out credentials, outside the link-local range.
_METADATA: Final = frozenset({"100.100.100.200", "fd00:ec2::254"})

_THIS_NETWORK: Final = ipaddress.ip_network("0.0.0.0/8")
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.ip_network("::/96")
