"""Several stores on one database hear each other's notices, which may be lost and never lie."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.eventually import eventually_async
from tests.postgres import Cluster

from passrole.store import Tx, tasks
from passrole.store.interface import NOTICE_CHARS_MAX, OWN, Notice, notice
from passrole.store.share import shard_of

_numbers = itertools.count(1)
_KNOWN = "SELECT 1 FROM definitions WHERE digest = ?"


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.create(f"notices_{next(_numbers)}")


def two(url: str, scenario: Callable[[Any, Any], Awaitable[None]]) -> None:
    """Two stores open on the database at once."""
    from passrole.store.postgres import PostgresStore

    async def run() -> None:
        first = PostgresStore(url, is_shared=True)
        second = PostgresStore(url, is_shared=True)
        try:
            await scenario(first, second)
        finally:
            await asyncio.gather(first.close(), second.close())

    asyncio.run(run())


def rings(*keys: str, channel: str = "bell", error: Exception | None = None) -> Callable[[Tx], None]:
    def fn(tx: Tx) -> None:
        for key in keys:
            tx.run("INSERT INTO definitions (digest, text) VALUES (?, '')", f"{channel} {key}")
            tx.notify(channel, key)
        if error is not None:
            raise error

    return fn


def test_a_notice_is_heard_once_in_each_process_after_its_commit(url: str) -> None:
    async def scenario(first: Any, second: Any) -> None:
        here, there = list[str](), list[str]()
        first.listen("bell", here.append)
        second.listen("bell", there.append)
        await first.write(rings("1"))
        with pytest.raises(ValueError, match="no"):
            await first.write(rings("2", error=ValueError("no")))
        await first.write(rings("3", "4"))
        await eventually_async(lambda: len(there) == 3)
        assert here == there == ["1", "3", "4"]
        await second.write(rings("5"))
        await eventually_async(lambda: len(here) == 4)
        assert here == there == ["1", "3", "4", "5"]

    two(url, scenario)


def test_who_hears_of_a_row_finds_it(url: str) -> None:
    async def scenario(first: Any, second: Any) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        second.listen("bell", heard.put_nowait)
        for number in range(20):
            await first.write(rings(f"{number}"))
            key = await heard.get()
            assert await second.read(lambda tx, key=key: tx.one(_KNOWN, f"bell {key}")) == (1,)

    two(url, scenario)


def test_channels_of_its_own_stay_in_the_process(url: str) -> None:
    async def scenario(first: Any, second: Any) -> None:
        here, there = list[str](), list[str]()
        for channel in ("bell", f"{OWN}bell"):
            first.listen(channel, here.append)
            second.listen(channel, there.append)
        await first.write(rings("own", channel=f"{OWN}bell"))
        await first.write(rings("for all"))
        await eventually_async(lambda: there != [])
        assert (here, there) == (["own", "for all"], ["for all"])

    two(url, scenario)


def test_tasks_wake_up_those_who_take_their_shard_without_the_hint(url: str) -> None:
    async def scenario(first: Any, second: Any) -> None:
        here, there, ended = list[str](), list[str](), list[str]()
        first.listen(tasks.channel("k"), here.append)
        second.listen(tasks.channel("k"), there.append)
        second.listen("bell", ended.append)
        first.share.open(shard_of("a"))
        second.share.open(shard_of("b"))
        for key in ("a 1", "b 1", "a 2"):
            await first.write(lambda tx, key=key: tasks.add_in_turns(tx, "k", [(key, b"")], hint="mine"))
        await first.write(rings("the last"))
        await eventually_async(lambda: ended != [])
        assert (here, there) == ([f"{shard_of('a')} mine"] * 2, [f"{shard_of('b')}"])

    two(url, scenario)


def test_many_notices_of_any_length_arrive(url: str) -> None:
    keys = [f"{number}{'é' * 200}" for number in range(300)]

    async def scenario(first: Any, second: Any) -> None:
        there = list[str]()
        second.listen("bell", there.append)
        await first.write(lambda tx: [tx.notify("bell", key) for key in keys])
        await eventually_async(lambda: len(there) == len(keys))
        assert there == keys

    two(url, scenario)


def test_after_its_connections_were_cut_a_process_hears_and_is_heard_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from passrole.store import postgres_notices

    monkeypatch.setattr(postgres_notices, "_RETRY_SECONDS", 0.01)
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN%' OR query LIKE '%pg_notify%')"
    )

    async def scenario(first: Any, second: Any) -> None:
        here, there = list[str](), list[str]()
        first.listen("bell", here.append)
        second.listen("bell", there.append)
        await first.write(rings("before"))
        await eventually_async(lambda: there == ["before"])
        await first.read(lambda tx: tx.all(cut))
        for number in itertools.count():  # those sent meanwhile are lost
            await first.write(rings(f"{number}"))
            await second.write(rings(f"{number}", channel="bell "))
            if len(there) > 1:
                break
            await asyncio.sleep(0.01)
        while "back" not in here:
            await second.write(lambda tx: tx.notify("bell", "back"))
            await asyncio.sleep(0.01)

    two(url, scenario)


def test_a_server_that_is_alone_and_one_that_shares_refuse_each_other(url: str) -> None:
    from passrole.store.postgres import PostgresStore
    from passrole.store.postgres_connecting import DatabaseInUse

    async def scenario(_first: Any, _second: Any) -> None:
        with pytest.raises(DatabaseInUse):
            PostgresStore(url)

    two(url, scenario)

    async def alone() -> None:
        store = PostgresStore(url)
        try:
            with pytest.raises(DatabaseInUse):
                PostgresStore(url, is_shared=True)
        finally:
            await store.close()

    asyncio.run(alone())


_NOTICES = st.builds(Notice, st.text(max_size=40), st.text(max_size=560))


@given(st.lists(_NOTICES, max_size=40))
@example([Notice("c", "\U0001f600" * (NOTICE_CHARS_MAX - 1))])
def test_payloads_hold_each_notice_once_and_are_as_short_as_postgresql_takes(notices: list[Notice]) -> None:
    pytest.importorskip("psycopg")
    from passrole.store.postgres_notices import PAYLOAD_BYTES_MAX, payloads

    texts = list(payloads("s" * 32, notices))
    assert all(len(text.encode()) <= PAYLOAD_BYTES_MAX for text in texts)
    found = [Notice(*each) for text in texts for each in json.loads(text.partition("\n")[2])]
    assert found == list(dict.fromkeys(notices))


def test_a_notice_longer_than_any_store_carries_is_refused() -> None:
    assert notice("c", "k" * (NOTICE_CHARS_MAX - 1)).key
    with pytest.raises(ValueError, match="longer than 600"):
        notice("c", "k" * NOTICE_CHARS_MAX)
