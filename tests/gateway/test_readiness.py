"""Whether a server answers calls, as a balancer asks it."""

import asyncio
import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.eventually import eventually
from tests.full_disk import full_disk
from tests.gateway.test_asgi import send

from passrole.gateway import readiness
from passrole.gateway.readiness import Readiness


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


def test_it_is_tried_once_a_second_at_most_whoever_asks() -> None:
    now, tried = [0.0], []

    async def check() -> None:
        tried.append(now[0])
        if len(tried) == 2:
            raise OSError

    async def scenario() -> None:
        ready = Readiness(lambda: now[0])
        assert await asyncio.gather(*(ready.of(check) for _ in range(5))) == [True] * 5
        now[0] = 0.9
        assert await ready.of(check)
        now[0] = 1.1
        assert not await ready.of(check)
        now[0] = 2.2
        assert await ready.of(check)

    asyncio.run(scenario())
    assert tried == [0.0, 1.1, 2.2]


def test_what_does_not_answer_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "SECONDS_MAX", 0.01)

    async def scenario() -> None:
        async def hangs() -> None:
            await asyncio.Event().wait()

        assert not await Readiness().of(hangs)

    asyncio.run(scenario())
