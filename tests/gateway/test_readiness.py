"""Whether a server answers calls, as a balancer asks it."""

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.eventually import eventually
from tests.full_disk import full_disk
from tests.gateway.test_asgi import send


def asked(server: Server, what: str = "ready") -> tuple[int, object]:
    answer = send(server.url, {}, b"", f"/_passrole/{what}", "GET")
    return answer.status, json.loads(answer.body)


def test_a_server_that_answers_no_call_says_so_to_everybody(start_server: Callable[..., Server]) -> None:
    server = start_server()
    assert asked(server) == (200, {"status": "ready"})
    with full_disk(server):
        with pytest.raises(ClientError, match="InternalFailure"):
            server.client("sts").get_caller_identity()
        eventually(lambda: asked(server) == (503, {"status": "not ready"}))
        assert asked(server, "health") == (200, {"status": "ready"})
    eventually(lambda: asked(server) == (200, {"status": "ready"}))


def test_on_a_buckets_host_it_is_a_key(server: Server) -> None:
    answer = send(server.url, {"host": "bucket.s3.amazonaws.com"}, b"", "/_passrole/ready", "GET")
    assert answer.status == 403
