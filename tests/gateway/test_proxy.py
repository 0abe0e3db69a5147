"""The proxy for https: AWS's names lead to us, others where they go, and nothing else is passed on."""

import base64
import io
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError, ProxyConnectionError
from tests.conftest import Server

from passrole import app
from passrole.config import Config
from passrole.gateway import proxy, tls

STS = "https://sts.us-east-1.amazonaws.com"


def proxy_of(server: Server) -> str:
    return str(json.loads((server.data / "server.json").read_text())["proxy"])


def client(server: Server, service: str, url: str, keys: Any = None, **config: Any) -> Any:
    """A client that is told nothing of us but a proxy and an authority."""
    keys = keys or server.access
    session = boto3.Session(keys["access_key_id"], keys["secret_access_key"], region_name=server.region)
    settings = ClientConfig(
        proxies={"https": proxy_of(server)}, retries={"total_max_attempts": 1}, read_timeout=20, **config
    )
    return session.client(service, endpoint_url=url, verify=str(server.data / "ca.pem"), config=settings)  # type: ignore[call-overload]


def password_header(url: str) -> bytes:
    """The line by which a client shows the password of the proxy's URL."""
    where = urlsplit(url)
    pair = f"{where.username}:{where.password}".encode()
    return b"Proxy-Authorization: Basic " + base64.b64encode(pair) + b"\r\n"


def said(server: Server, text: bytes, *, with_password: bool = True) -> bytes:
    """What the proxy answers to bytes of any kind."""
    where = urlsplit(proxy_of(server))
    if with_password:
        text = text.replace(b"\r\n", b"\r\n" + password_header(proxy_of(server)), 1)
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_client_that_insists_on_aws_s_name_is_answered_and_verified(server: Server) -> None:
    assert client(server, "sts", STS).get_caller_identity()["Account"] == server.account
    wrong = {"access_key_id": server.access["access_key_id"], "secret_access_key": "x" * 40}
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client(server, "sts", STS, wrong).get_caller_identity()


def test_only_what_tls_carried_counts_as_secure(server: Server) -> None:
    condition = {"Bool": {"aws:SecureTransport": "true"}}
    statement = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*", "Condition": condition}
    user = server.user({"Version": "2012-10-17", "Statement": [statement]})
    client(server, "sqs", "https://sqs.us-east-1.amazonaws.com", user).list_queues()
    plain = server.client_with("sqs", user["access_key_id"], user["secret_access_key"])
    with pytest.raises(ClientError, match="AccessDenied"):
        plain.list_queues()


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_s3_takes_chunked_bodies_with_trailing_checksums_in_both_addressing_styles(
    server: Server, style: str
) -> None:
    bucket, body = f"over-tls-{style}", bytes(range(256)) * 2_000
    s3 = client(server, "s3", "https://s3.us-east-1.amazonaws.com", s3={"addressing_style": style})
    s3.create_bucket(Bucket=bucket)
    sent: list[str] = []
    s3.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.append(str(request.headers["x-amz-trailer"]))
    )
    s3.put_object(Bucket=bucket, Key="a/b", Body=io.BytesIO(body))
    assert "x-amz-checksum" in sent[0]
    assert s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == body
    assert (Path(server.data) / "s3" / bucket / "a" / "b").read_bytes() == body


def test_the_telemetry_of_the_sdk_goes_nowhere(server: Server) -> None:
    name = "sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com"
    answer = said(server, f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 ")
    with pytest.raises(ProxyConnectionError):
        client(server, "s3", f"https://{name}").list_buckets()


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of another server, which says back what it hears."""

    class Echo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while heard := self.request.recv(65_536):
                self.request.sendall(heard)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.server_address[1]
        running.shutdown()


def through(proxy: str, port: int, text: bytes) -> tuple[bytes, bytes]:
    """The proxy's answer, and what comes back from the other side."""
    where = urlsplit(proxy)
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        connection.sendall(
            f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n".encode() + password_header(proxy) + b"\r\n"
        )
        answer = connection.recv(65_536)
        connection.sendall(text)
        heard = b""
        while len(heard) < len(text) and (piece := connection.recv(65_536)):
            heard += piece
        return answer, heard


def test_any_other_name_is_passed_on_unread(server: Server, elsewhere: int) -> None:
    text = bytes(range(256)) * 4_000
    answer, heard = through(proxy_of(server), elsewhere, text)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert heard == text


def test_the_users_own_proxy_stays_in_between(
    server: Server, start_server: Callable[..., Server], elsewhere: int
) -> None:
    behind = start_server(upstream_proxy=proxy_of(server))
    answer, heard = through(proxy_of(behind), elsewhere, b"hello")
    assert (answer[:13], heard) == (b"HTTP/1.1 200 ", b"hello")
    refused, _ = through(proxy_of(behind), 1, b"")
    assert refused.startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"GET http://example.org/ HTTP/1.1\r\n\r\n", b"405"),
        (b"CONNECT \r\n\r\n", b"400"),
        (b"CONNECT sts.us-east-1.amazonaws.com HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT [::1 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT h:99999 HTTP/1.1\r\n\r\n", b"400"),
        (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", b"502"),
        (b"CONNECT h:443 HTTP/1.1\r\nx: " + b"y" * 20_000 + b"\r\n\r\n", b"431"),
        (b"\x16\x03\x01\r\n\r\n", b"405"),
    ],
    ids=["plain", "nothing", "no-port", "bracket", "port", "closed", "long", "tls"],
)
def test_what_is_no_connect_is_refused(server: Server, text: bytes, status: bytes) -> None:
    assert said(server, text).split(b" ")[1] == status


@pytest.mark.parametrize(
    "header",
    ["", "Proxy-Authorization: Basic \r\n", "Proxy-Authorization: Basic cGFzc3JvbGU6eA==\r\n"],
    ids=["none", "empty", "wrong"],
)
def test_nobody_gets_anywhere_without_the_password(server: Server, elsewhere: int, header: str) -> None:
    for name in (f"127.0.0.1:{elsewhere}", "sts.us-east-1.amazonaws.com:443"):
        text = f"CONNECT {name} HTTP/1.1\r\n{header}\r\n".encode()
        answer = said(server, text, with_password=False)
        assert answer.startswith(b"HTTP/1.1 407 ")
        assert b"proxy-authenticate: Basic" in answer


def test_a_server_that_is_started_again_has_its_proxy_where_it_was(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    before = urlsplit(proxy_of(server))
    server.stop()
    server.start()
    after = urlsplit(proxy_of(server))
    assert after.password == before.password
    next_port = int(server.url.rpartition(":")[2]) + 1
    assert after.port == before.port or next_port not in (before.port, after.port)  # somebody else's, then


def test_a_request_that_ends_early_gets_nothing(server: Server) -> None:
    assert said(server, b"CONNECT sts.us-east") == b""


@pytest.mark.parametrize("host", [b"a" * 70, b"x." + b"b" * 64 + b".example", b"a..example", b"\xff" * 5])
def test_a_name_that_no_host_can_have_is_refused_in_one_line(server: Server, host: bytes) -> None:
    before = len(Path(server.log.name).read_text())
    answer = said(server, b"CONNECT " + host + b":443 HTTP/1.1\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 502 "))
    assert "Traceback" not in Path(server.log.name).read_text()[before:]


def test_a_job_that_begins_while_the_server_ends_is_given_the_proxy(tmp_path: Path) -> None:
    """Its listener is closed first, and the job's program goes on at the server's next start."""
    tls.authority_path(tmp_path).write_text("a certificate")
    with proxy.listener(0) as tunnels:
        url = proxy.url(tmp_path, tunnels.getsockname())
        jobs = app._https_of_jobs(Config(data=tmp_path), tunnels)
    found = jobs.found()
    assert found is not None
    assert found.proxy == url
