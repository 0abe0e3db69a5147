"""An HTTPS proxy on loopback that tunnels AWS's host names to our TLS listener and all others to their
targets.

The SageMaker SDK calls `https://sts.<region>.amazonaws.com` and ignores AWS_ENDPOINT_URL. With HTTPS_PROXY
set to this proxy, its CONNECT reaches our TLS listener, where the request is verified like any other. Other
traffic is passed on unread, through the user's own proxy if there is one. Not every user of the machine may
be allowed to use that proxy, so ours requires a password, which is part of its URL.
https://www.rfc-editor.org/rfc/rfc9110#name-connect
"""

import asyncio
import base64
import contextlib
import hmac
import logging
import socket
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from passrole import ids, private_files
from passrole.gateway.tls import is_aws

log = logging.getLogger(__name__)

HEAD_BYTES_MAX = 16_384
HEAD_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 30.0
PIECE_BYTES = 65_536
TELEMETRY_PREFIX = "sm-pysdk-t-"  # the SDK's telemetry: account, versions and exception texts
USER = "passrole"
_HTTPS_PORT = 443
_LOOPBACK = "127.0.0.1"


def listener(port: int) -> socket.socket:
    """Where the proxy of a server at `port` listens, the same at every start: shells and jobs have it in
    their environment.
    """
    try:
        return socket.create_server((_LOOPBACK, port + 1))
    except (OSError, OverflowError):
        return socket.create_server((_LOOPBACK, 0))


def url(data: Path, address: tuple[str, int]) -> str:
    """The URL of a proxy that listens at an address, with the password of a data folder."""
    host, port = address
    return f"http://{USER}:{password(data)}@{host}:{port}"


def password(data: Path) -> str:
    """The proxy's password, made once for a data folder."""
    path = data / "proxy.secret"
    if not path.exists():
        private_files.write(path, ids.secret_key().encode())
    return path.read_text()


class Refused(Exception):
    """The tunnel is refused; the message is the body of the response."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class Target(NamedTuple):
    """Where a tunnel ends."""

    host: str
    port: int


class Proxy:
    """The proxy; `serve` is for asyncio.start_server, with HEAD_BYTES_MAX as its limit."""

    def __init__(self, ours: Target, password: str, upstream: str = "") -> None:
        """`ours`: our TLS listener. `upstream`: the URL of a proxy for other hosts; empty for none."""
        self._ours = ours
        self._authorization = _basic(USER, password).encode()
        self._upstream = upstream

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side closes."""
        try:
            head = await _head(reader)
            self._check(head)
            far_reader, far_writer = await self._connected(_target(head))
        except Refused as refused:
            await _refuse(writer, refused)
            return
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    def _check(self, head: bytes) -> None:
        """Raises Refused (407) without the password, which is compared in constant time."""
        lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
        given = [value.strip() for name, _, value in lines if name.strip().lower() == b"proxy-authorization"]
        if len(given) != 1 or not hmac.compare_digest(given[0], self._authorization):
            raise Refused(
                '407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="passrole"',
                "the proxy's URL with its password is in `passrole env`",
            )

    async def _connected(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if is_aws(target.host) and target.port == _HTTPS_PORT:
            if target.host.lower().startswith(TELEMETRY_PREFIX):
                raise Refused("403 Forbidden", "telemetry of the SageMaker SDK is not passed on")
            return await asyncio.open_connection(*self._ours)
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                if self._upstream:
                    return await _through(self._upstream, target)
                return await asyncio.open_connection(*target)
        except TimeoutError:
            raise Refused("504 Gateway Timeout", f"{target.host} does not answer") from None
        except (
            ValueError
        ):  # a label of a host name has at most 63 letters: https://www.rfc-editor.org/rfc/rfc1035
            raise Refused("400 Bad Request", f"{target.host} is not a host name") from None
        except OSError as error:
            raise Refused("502 Bad Gateway", f"{target.host} cannot be reached: {error.strerror}") from error


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The request's head. Raises Refused (431), and what the stream raises."""
    async with asyncio.timeout(HEAD_SECONDS_MAX):
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise Refused("431 Request Header Fields Too Large", "the request is too long") from None


def _target(head: bytes) -> Target:
    """The target of a CONNECT. Raises Refused (400, 405)."""
    method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    if method != "CONNECT":
        raise Refused("405 Method Not Allowed", "this proxy serves HTTPS only (CONNECT)")
    try:
        named = urlsplit(f"//{rest.partition(' ')[0]}")
        host, port = named.hostname, named.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise Refused("400 Bad Request", "CONNECT needs a host and a port")
    return Target(host, port)


async def _through(upstream: str, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A tunnel through the user's own proxy. Raises Refused, OSError."""
    url = urlsplit(upstream if "//" in upstream else f"//{upstream}")
    secure = url.scheme == "https"
    port = url.port or (_HTTPS_PORT if secure else 80)
    reader, writer = await asyncio.open_connection(url.hostname, port, ssl=secure or None)
    authority = f"[{target.host}]:{target.port}" if ":" in target.host else f"{target.host}:{target.port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if url.username is not None:
        lines.append(f"Proxy-Authorization: {_basic(unquote(url.username), unquote(url.password or ''))}")
    writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1"))
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        answer = b""
    if answer.split(b" ")[1:2] != [b"200"]:
        writer.close()
        raise Refused("502 Bad Gateway", f"the upstream proxy does not connect to {target.host}")
    return reader, writer


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes from one side to the other until its end, then close."""
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def _refuse(writer: asyncio.StreamWriter, refused: Refused) -> None:
    log.debug("proxy: %s", refused)
    body = f"passrole: {refused}\n".encode()
    head = f"HTTP/1.1 {refused.status}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
    writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
    with contextlib.suppress(OSError):
        await writer.drain()
    writer.close()
