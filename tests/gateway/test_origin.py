"""Where a call comes from: the connection says it, and a header only from a proxy that a setting names."""

import contextlib
import http.client
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.balancer import balanced
from tests.conftest import Server
from tests.gateway.test_asgi import LIST_PIPELINES
from tests.gateway.test_way_in import called

from passrole.config import ConfigError, Networks, load
from passrole.gateway.origin import origin

HTTP = ("127.0.0.1", "http")


def status(server: Server, condition: Mapping[str, Any], headers: Mapping[str, str]) -> int:
    """What ListPipelines answers a user to whom it is allowed under the condition."""
    statement = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*", "Condition": condition}
    keys = server.user({"Version": "2012-10-17", "Statement": statement})
    return called(server, "sagemaker", {**LIST_PIPELINES, **headers}, b"{}", keys=keys).status


FROM_OFFICE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
BY_TLS = {"Bool": {"aws:SecureTransport": "true"}}
WRITTEN = [
    (FROM_OFFICE, {"x-forwarded-for": "203.0.113.9"}),
    (FROM_OFFICE, {"forwarded": "for=203.0.113.9;proto=https"}),
    (FROM_OFFICE, {"x-real-ip": "203.0.113.9", "client-ip": "203.0.113.9"}),
    (BY_TLS, {"x-forwarded-proto": "https"}),
    (BY_TLS, {"x-forwarded-ssl": "on", "x-forwarded-scheme": "https", "front-end-https": "on"}),
    ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, {"x-amz-region": "eu-west-1"}),
    ({"ArnLike": {"aws:SourceArn": "*"}}, {"x-amz-source-arn": "arn:aws:s3:::b"}),
    ({"StringLike": {"aws:SourceAccount": "*"}}, {"x-amz-source-account": "111122223333"}),
    ({"Bool": {"aws:ViaAWSService": "true"}}, {"x-amz-via-aws-service": "true", "via": "1.1 aws"}),
]


@pytest.mark.parametrize("condition, headers", WRITTEN)
def test_a_header_that_anybody_can_write_opens_nothing(
    server: Server, condition: Mapping[str, Any], headers: Mapping[str, str]
) -> None:
    assert status(server, condition, headers) == 400


def test_a_proxy_that_a_setting_names_is_believed(start_server: Callable[..., Server]) -> None:
    server = start_server(trusted_proxies="192.0.2.0/24, 127.0.0.1")
    both = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    assert status(server, {**FROM_OFFICE, **BY_TLS}, both) == 200
    assert status(server, FROM_OFFICE, {"x-forwarded-for": "203.0.113.9, 198.51.100.1"}) == 400
    assert status(server, FROM_OFFICE, {"forwarded": "for=203.0.113.9"}) == 400


def test_nobody_writes_his_own_origin_through_the_example_of_a_balancer(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server(trusted_proxies="127.0.0.1")
    plain = {"IpAddress": {"aws:SourceIp": "127.0.0.2"}, "Bool": {"aws:SecureTransport": "false"}}
    forged = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    with balanced([server], tmp_path) as url:
        assert through(url, server, plain, {}) == 200
        assert through(url, server, plain, forged) == 200
        assert through(url, server, FROM_OFFICE, forged) == 400
        assert through(url, server, BY_TLS, forged) == 400


def through(balancer: str, server: Server, condition: Mapping[str, Any], unsigned: Mapping[str, str]) -> int:
    """The status as in `status`, of a call from 127.0.0.2 by way of a balancer."""
    statement = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*", "Condition": condition}
    keys = server.user({"Version": "2012-10-17", "Statement": statement})
    request = AWSRequest(method="POST", url=f"{balancer}/", data=b"{}", headers=dict(LIST_PIPELINES))
    credentials = Credentials(keys["access_key_id"], keys["secret_access_key"])
    SigV4Auth(credentials, "sagemaker", server.region).add_auth(request)
    address = balancer.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=10, source_address=("127.0.0.2", 0))
    with contextlib.closing(connection):
        connection.request("POST", "/", b"{}", {**dict(request.headers.items()), **unsigned})
        return connection.getresponse().status


def test_a_proxy_elsewhere_is_not_believed(start_server: Callable[..., Server]) -> None:
    server = start_server(trusted_proxies="192.0.2.0/24")
    assert status(server, FROM_OFFICE, {"x-forwarded-for": "203.0.113.9"}) == 400


# the connection's address and scheme, the headers, the trusted networks -> address, secure
CASES: list[tuple[tuple[str, str], dict[str, str], str, tuple[str, bool]]] = [
    (HTTP, {}, "", ("127.0.0.1", False)),
    (("127.0.0.1", "https"), {}, "", ("127.0.0.1", True)),
    (("::ffff:192.0.2.1", "http"), {}, "", ("192.0.2.1", False)),
    (("fe80::1%eth0", "http"), {}, "", ("fe80::1", False)),
    (HTTP, {"x-forwarded-for": "192.0.2.1"}, "10.0.0.0/8", ("127.0.0.1", False)),
    (HTTP, {"x-forwarded-for": "192.0.2.1"}, "127.0.0.0/8", ("192.0.2.1", False)),
    (HTTP, {"x-forwarded-for": "6.6.6.6, 192.0.2.1, 127.0.0.2"}, "127.0.0.0/8", ("192.0.2.1", False)),
    (HTTP, {"x-forwarded-for": "6.6.6.6, nobody, 127.0.0.2"}, "127.0.0.0/8", ("127.0.0.2", False)),
    (HTTP, {"x-forwarded-for": "127.0.0.3, 127.0.0.2"}, "127.0.0.0/8", ("127.0.0.3", False)),
    (HTTP, {"x-forwarded-proto": "http, https"}, "127.0.0.1", ("127.0.0.1", True)),
    (HTTP, {"x-forwarded-proto": "https, http"}, "127.0.0.1", ("127.0.0.1", False)),
    (("::ffff:127.0.0.1", "http"), {"x-forwarded-for": "2001:db8::1"}, "127.0.0.1", ("2001:db8::1", False)),
    # by the listener for TLS only programs of this machine come, through our own proxy
    (("127.0.0.1", "https"), {"x-forwarded-for": "6.6.6.6"}, "127.0.0.1", ("127.0.0.1", True)),
]


@pytest.mark.parametrize("connection, headers, trusted, expected", CASES)
def test_the_origin_of_a_request(
    connection: tuple[str, str], headers: dict[str, str], trusted: str, expected: tuple[str, bool]
) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"client": (connection[0], 1), "scheme": connection[1], "headers": raw}
    assert origin(scope, Networks(trusted).networks) == expected


def test_a_header_that_comes_twice_is_one_list() -> None:
    raw = [(b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-for", b"198.51.100.1")]
    scope = {"client": HTTP, "scheme": "http", "headers": raw}
    assert origin(scope, Networks("127.0.0.1").networks).address == "198.51.100.1"


@pytest.mark.parametrize(
    "name, value",
    [
        ("PASSROLE_TRUSTED_PROXIES", "everybody"),
        ("PASSROLE_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("PASSROLE_TRUSTED_PROXIES", "*"),
        ("PASSROLE_REGION", ".."),
        ("PASSROLE_REGION", "x:111122223333:sagemaker"),
        ("PASSROLE_ACCOUNT", "me"),
        ("PASSROLE_ACCOUNT", "１１１１２２２２３３３３"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_at_the_start(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is `"):
        load({name: value})
