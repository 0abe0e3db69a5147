"""PostgreSQL says who is alive: a server that was killed or stopped is gone, and one that answers is not."""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.postgres import Cluster

from passrole.store import claims

_numbers = itertools.count(1)
GONE_SECONDS = 1.0
NODE = """
import sys, time
from functools import partial
from passrole.store.postgres import PostgresTx
from passrole.store.postgres_connecting import connect
from passrole.store.postgres_node import Node
node = Node(partial(connect, sys.argv[1]), PostgresTx, "other", gone_seconds=1.0)
print(node.number, flush=True)
while True:
    time.sleep(0.1)
    node.ping()
"""


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.create(f"nodes_{next(_numbers)}")


def a_node(url: str, name: str) -> Any:
    from passrole.store.postgres import PostgresTx
    from passrole.store.postgres_connecting import connect
    from passrole.store.postgres_node import Node

    return Node(partial(connect, url), PostgresTx, name, gone_seconds=GONE_SECONDS)


def opened(url: str, scenario: Callable[[Any, Any], Awaitable[None]]) -> None:
    """A store, and this process as a server."""
    from passrole.store.postgres import PostgresStore, PostgresTx
    from passrole.store.postgres_connecting import connect
    from passrole.store.postgres_node import Node

    async def run() -> None:
        store = PostgresStore(url)
        node = Node(partial(connect, url), PostgresTx, "this")
        try:
            await scenario(store, node)
        finally:
            node.close()
            await store.close()

    asyncio.run(run())


@contextlib.contextmanager
def another(url: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that is a server, once it has its number."""
    command = [sys.executable, "-c", NODE, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "2\n"
            yield process
        finally:
            process.kill()


async def is_found_gone(store: Any) -> bool:
    from passrole.store.postgres_node import ended, mark_those_gone

    return bool(await store.write(lambda tx: mark_those_gone(tx, 1, ended(tx, 1))) == [2])


def test_one_that_answers_is_not_gone(url: str) -> None:
    async def scenario(store: Any, _node: Any) -> None:
        with another(url):
            until = time.monotonic() + 2 * GONE_SECONDS
            while time.monotonic() < until:
                assert not await is_found_gone(store)
                await asyncio.sleep(0.1)
            assert await store.read(claims.present) == {1: "this", 2: "other"}

    opened(url, scenario)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_was_killed_or_stopped_is_gone_and_its_fence_is_down(url: str, how: signal.Signals) -> None:
    async def scenario(store: Any, node: Any) -> None:
        with another(url) as process:
            assert await store.write(lambda tx: claims.claim(tx, "k", "x", 2))
            os.kill(process.pid, how)
            await eventually_async(lambda: is_found_gone(store))
            assert not await store.read(lambda tx: claims.holds(tx, "k", "x", 2))
            assert await store.write(lambda tx: claims.take_over(tx, "k", node.number, 9)) == ["x"]
            if how == signal.SIGSTOP:  # it goes on, and learns of it
                os.kill(process.pid, signal.SIGCONT)
                assert process.wait(30) != 0

    opened(url, scenario)


def test_one_whose_session_was_ended_learns_of_it_and_has_another_number_next(url: str) -> None:
    from passrole.store.postgres_node import NodeLost

    async def scenario(store: Any, node: Any) -> None:
        node.ping()
        pid = node._session.info.backend_pid
        await store.read(lambda tx: tx.one("SELECT pg_terminate_backend(?)", pid))

        async def is_lost() -> bool:
            try:
                node.ping()
            except NodeLost:
                return True
            return False

        await eventually_async(is_lost)
        again = a_node(url, "this again")
        assert again.number == 2
        again.close()

    opened(url, scenario)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_one_whose_name_an_ended_server_had_has_what_that_one_had(url: str, how: signal.Signals) -> None:
    from passrole.store.postgres_node import NameTaken

    async def scenario(store: Any, _node: Any) -> None:
        with another(url) as process:
            assert await store.write(lambda tx: claims.claim(tx, "k", "x", 2))
            os.kill(process.pid, how)
            again: list[Any] = []

            async def has_entered() -> bool:
                with contextlib.suppress(NameTaken):
                    again.append(a_node(url, "other"))
                return bool(again)

            await eventually_async(has_entered)
            assert again[0].number == 3
            assert await store.read(lambda tx: claims.holds(tx, "k", "x", 3))
            again[0].close()

    opened(url, scenario)


def test_one_whose_name_a_living_server_has_is_refused_and_changes_nothing(url: str) -> None:
    """Its data folder is a copy: it would have the other one's work as its own."""
    from passrole.store.postgres_node import NameTaken

    async def scenario(store: Any, _node: Any) -> None:
        with another(url):
            assert await store.write(lambda tx: claims.claim(tx, "k", "x", 2))
            with pytest.raises(NameTaken, match=r"copy of that of another server, `other`.*--data"):
                a_node(url, "other")
            assert await store.read(lambda tx: claims.holds(tx, "k", "x", 2))
            assert await store.read(claims.present) == {1: "this", 2: "other"}

    opened(url, scenario)


def test_one_that_enters_again_does_not_wait_for_its_own_session(url: str) -> None:
    """As PostgreSQL has it still where a network was cut; a copy has not had the name meanwhile."""
    from passrole.store.postgres_connecting import connect
    from passrole.store.postgres_node import NameTaken

    async def scenario(store: Any, node: Any) -> None:
        with node._session as of_postgresql_still:
            node._session = connect(url)  # which is lost
            node.enter()
            assert (node.number, await store.read(claims.present)) == (2, {2: "this"})
            with pytest.raises(Exception, match="terminating connection"):
                of_postgresql_still.execute("SELECT 1")
        node.ping()
        with pytest.raises(NameTaken):
            a_node(url, "this")

    opened(url, scenario)


def test_one_that_enters_again_ends_no_other_server_that_has_its_number_now(url: str) -> None:
    """As after the promotion of a standby that had not heard of the number."""

    async def scenario(store: Any, node: Any) -> None:
        other = a_node(url, "other")
        await store.write(lambda tx: tx.run("DELETE FROM nodes WHERE number = ?", node.number))
        node.number = other.number
        node.enter()
        other.ping()
        assert await store.read(claims.present) == {2: "other", 3: "this"}
        other.close()

    opened(url, scenario)


def test_servers_that_enter_at_once_have_different_numbers(url: str) -> None:
    async def scenario(_store: Any, _node: Any) -> None:
        names = [f"server {number}" for number in range(8)]
        nodes = await asyncio.gather(*(asyncio.to_thread(a_node, url, name) for name in names))
        assert sorted(node.number for node in nodes) == list(range(2, 10))
        for node in nodes:
            node.close()

    opened(url, scenario)
