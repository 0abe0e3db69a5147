"""Where a request came from, and whether TLS carried it: what `aws:SourceIp` and `aws:SecureTransport` say.

By default the connection alone tells it, for anybody can write a header. Where a proxy stands in front, its
connection says nothing about the client, so X-Forwarded-For and X-Forwarded-Proto count if the connection is
one of the proxies that the setting `trusted_proxies` names, and only on the plain listener: nobody but the
machine's own programs reaches the one for TLS. `Forwarded` (RFC 7239) never counts: a proxy that writes one
of the two passes the other one on as the client wrote it.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from passrole.config import Network

_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"


class Origin(NamedTuple):
    """The client's address, where there is one, and whether its connection is encrypted."""

    address: str | None
    secure: bool


def origin(scope: Mapping[str, Any], proxies: Sequence[Network]) -> Origin:
    """The origin of the request of an ASGI scope."""
    client = scope.get("client")
    secure = scope.get("scheme") == "https"
    address = _plain(client[0]) if client else None
    if not proxies or secure or address is None or not _is_of(address, proxies):
        return Origin(address, secure)
    return _forwarded(address, scope.get("headers", ()), proxies)


def _forwarded(proxy: str, headers: Iterable[tuple[bytes, bytes]], proxies: Sequence[Network]) -> Origin:
    """What the trusted proxy says. A proxy appends to the list, so what it wrote itself is at the end."""
    listed: dict[bytes, list[str]] = {_FOR: [], _PROTO: []}
    for name, value in headers:
        if name in listed:
            listed[name] += [each.strip() for each in value.decode("latin-1").split(",")]
    address = proxy
    for each in reversed(listed[_FOR]):
        if not _is_address(each):
            break  # whoever wrote this does not know; the last one that is known stands for it
        address = _plain(each)
        if not _is_of(address, proxies):
            break
    return Origin(address, listed[_PROTO][-1:] == ["https"])


def _plain(address: str) -> str:
    """Without an interface, and an IPv4 address as such where it is written as an IPv6 one.

    A listener for both kinds sees `::ffff:192.0.2.1`, which no policy means.
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or parsed)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_of(address: str, networks: Sequence[Network]) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in each for each in networks)
