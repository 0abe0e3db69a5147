"""A call whose key cannot be looked up, as while the database is away, fails in the form of its service."""

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn, cast

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.gateway.test_asgi import FORM, LIST_PIPELINES, WHO_AM_I

from passrole.config import Config
from passrole.gateway.asgi import Gateway


class Unreachable:
    """A directory, and a door that nobody comes to."""

    async def credentials(self, _key: str, _token: str | None) -> NoReturn:
        raise ConnectionError("the database is away")


@pytest.mark.parametrize(
    "service, method, headers, body, begins",
    [
        ("sagemaker", "POST", LIST_PIPELINES, b"{}", b'{"__type":"com.amazon.coral.service#InternalFailure"'),
        ("sts", "POST", FORM, WHO_AM_I, b"<ErrorResponse"),
        ("s3", "GET", {}, b"", b"<?xml"),
    ],
)
def test_the_error_is_one_that_the_client_of_the_service_reads(
    service: str, method: str, headers: Mapping[str, str], body: bytes, begins: bytes
) -> None:
    gateway = Gateway(cast(Any, None), cast(Any, Unreachable()), cast(Any, None), lambda: 0.0, Config())
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Mapping[str, Any]) -> None:
        sent.append(event)

    asyncio.run(gateway(_scope(service, method, headers, body), receive, send))
    assert sent[0]["status"] == 500
    assert sent[1]["body"].startswith(begins), sent[1]["body"]


def _scope(service: str, method: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    request = AWSRequest(method=method, url="http://127.0.0.1/", data=body, headers=dict(headers))
    SigV4Auth(Credentials("AKIDEXAMPLE", "secret"), service, "us-east-1").add_auth(request)
    given = {**request.headers, "host": "127.0.0.1", "content-length": str(len(body))}
    return {
        "type": "http",
        "method": method,
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(name.lower().encode(), str(value).encode()) for name, value in given.items()],
    }
