"""Inferences are led to the least busy server of a place, within limits; one withdrawn ends its answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from passrole.runtimes import model_servers
from passrole.runtimes.model_client import Answer
from passrole.runtimes.model_servers import Inference, ModelServers, NoServer, TooMany

ASKED = Inference("party", b"1", {}, 60.0, 100)


class Held:
    """A server that answers once it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0
        self.is_closed = False

    async def invoke(
        self,
        body: bytes,
        headers: Mapping[str, str],
        *,
        seconds_max: float,
        bytes_max: int,
    ) -> Answer:
        self.asked += 1
        async with asyncio.timeout(seconds_max):
            await self.may_answer.wait()
        return Answer(200, {}, body)

    def close(self) -> None:
        self.is_closed = True


def run(scenario: Callable[[ModelServers, Held], Awaitable[None]]) -> None:
    async def started() -> None:
        servers, held = ModelServers(), Held()
        servers.add("p", "i-1", held)
        await scenario(servers, held)

    asyncio.run(started())


async def begun(servers: ModelServers, asked: Inference = ASKED) -> "asyncio.Future[Any]":
    future = asyncio.ensure_future(servers.invoke("p", asked))
    await asyncio.sleep(0)
    return future


def test_the_least_busy_server_is_asked() -> None:
    async def scenario(servers: ModelServers, first: Held) -> None:
        second = Held()
        servers.add("p", "i-2", second)
        waiting = [await begun(servers) for _ in range(4)]
        assert (first.asked, second.asked) == (2, 2)
        for each in (first, second):
            each.may_answer.set()
        assert {(await each).instance for each in waiting} == {"i-1", "i-2"}

    run(scenario)


def test_a_place_without_a_server_is_told() -> None:
    async def scenario(servers: ModelServers, held: Held) -> None:
        await servers.withdraw("p", "i-1")
        assert held.is_closed
        with pytest.raises(NoServer):
            await servers.invoke("p", ASKED)

    run(scenario)


def test_one_that_is_withdrawn_gets_no_more_and_gives_the_answers_that_are_on_their_way() -> None:
    async def scenario(servers: ModelServers, held: Held) -> None:
        waiting = await begun(servers)
        withdrawn = asyncio.ensure_future(servers.withdraw("p", "i-1", 60.0))
        await asyncio.sleep(0)
        with pytest.raises(NoServer):
            await servers.invoke("p", ASKED)
        assert not withdrawn.done()
        held.may_answer.set()
        assert (await waiting).answer.body == b"1"
        await withdrawn

    run(scenario)


def test_a_place_may_want_few_at_once() -> None:
    async def scenario(servers: ModelServers, held: Held) -> None:
        few = replace(ASKED, at_once_max=1)
        waiting = await begun(servers, few)
        with pytest.raises(TooMany) as caught:
            await servers.invoke("p", few)
        assert caught.value.is_wanted
        held.may_answer.set()
        await waiting
        await servers.invoke("p", few)

    run(scenario)


def test_no_party_has_all_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_servers, "_ROOMS", {True: 10, False: 10})

    async def scenario(servers: ModelServers, held: Held) -> None:
        large = replace(ASKED, body=b"x" * 5)
        waiting = [await begun(servers, large)]
        with pytest.raises(TooMany):
            await servers.invoke("p", ASKED)
        waiting.append(await begun(servers, replace(large, party="other")))
        with pytest.raises(TooMany):
            await servers.invoke("p", replace(ASKED, party="third"))
        held.may_answer.set()
        await asyncio.gather(*waiting)
        await servers.invoke("p", ASKED)

    run(scenario)


def test_a_model_that_takes_too_long_gives_its_room_back() -> None:
    async def scenario(servers: ModelServers, held: Held) -> None:
        with pytest.raises(TimeoutError):
            await servers.invoke("p", replace(ASKED, seconds_max=0.01, at_once_max=1))
        held.may_answer.set()
        await servers.invoke("p", replace(ASKED, at_once_max=1))

    run(scenario)
