"""The client's address and whether TLS was used: the values of `aws:SourceIp` and `aws:SecureTransport`.

By default they come from the connection, since any client can write a header. X-Forwarded-For and
X-Forwarded-Proto count only if the connection comes from a proxy in the setting `trusted_proxies`, and only
on the plain listener, because the TLS listener is on loopback. `Forwarded` (RFC 7239) never counts: a proxy
that writes one of the two headers passes on the other as the client wrote it.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from passrole.config import Network

_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"


class Origin(NamedTuple):
    """The client's address (None if unknown), and whether its connection is encrypted."""

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
    """The origin by a trusted proxy's headers. A proxy appends its entry, so the last one is its own."""
    listed: dict[bytes, list[str]] = {_FOR: [], _PROTO: []}
    for name, value in headers:
        if name in listed:
            listed[name] += [entry.strip() for entry in value.decode("latin-1").split(",")]
    address = proxy
    for entry in reversed(listed[_FOR]):
        if not _is_address(entry):
            break  # such as `unknown`: the last known address counts
        address = _plain(entry)
        if not _is_of(address, proxies):
            break
    return Origin(address, listed[_PROTO][-1:] == ["https"])


def _plain(address: str) -> str:
    """The address without its zone; an IPv4-mapped IPv6 address as IPv4.

    A dual-stack listener sees `::ffff:192.0.2.1`, while policies name `192.0.2.1`.
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
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)
