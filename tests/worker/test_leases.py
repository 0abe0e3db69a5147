"""What a server does with its shards where its database, the library's loop or another server takes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.postgres import Cluster

from passrole.store import shards
from passrole.store.share import SHARDS, shard_of
from passrole.worker.supervisor import Supervisor

pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")

KEY = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/e"
ALL = frozenset(range(SHARDS))
NONE: frozenset[int] = frozenset()


class Server:
    """A server that borrows, and balances when it is told to."""

    def __init__(self, url: str) -> None:
        from passrole.store.postgres import PostgresStore
        from passrole.worker.leases import Leases

        self.store = PostgresStore(url, is_shared=True)
        self.leases, self._supervisor = Leases(self.store), Supervisor()
        self.leases.start(self._supervisor)

    async def close(self) -> None:
        """Give all back; once is enough."""
        await self.leases.close()
        await self._supervisor.close()

    async def until_it_has(self, wanted: frozenset[int]) -> None:
        """Exactly these shards, where it looks again and again as worker/nodes.py does."""

        async def has() -> bool:
            opened = self.store.share.opened
            borrowed = await self.store.read(lambda tx: shards.borrowed(tx, self.store.share.node))
            self.leases.balance(1, opened - borrowed)
            return opened == borrowed == wanted

        await eventually_async(has)


@asynccontextmanager
async def a_server(url: str) -> AsyncIterator[Server]:
    """With every shard at first."""
    server = Server(url)
    try:
        await server.until_it_has(ALL)
        yield server
    finally:
        await server.close()
        await server.store.close()


def run(url: str, sql: str) -> list[tuple[Any, ...]]:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def lose_the_library(url: str) -> None:
    """End the session by which it lends."""
    run(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OF_THE_LIBRARY}")


def lent(url: str, how: str = "") -> frozenset[str]:
    """By which loops of the library shards are lent."""
    rows = run(url, f"SELECT DISTINCT queue_manager_id::text FROM passrole_pgqueuer{how}")
    return frozenset(loop for (loop,) in rows)


_OF_THE_LIBRARY = (
    "datname = current_database() AND query LIKE '%passrole_pgqueuer%' AND pid <> pg_backend_pid()"
)
_BORROWINGS = "SELECT shard, node, fence, is_closing FROM leases ORDER BY shard"


def test_no_shard_changes_hands_because_a_connection_is_lost(postgres: Cluster) -> None:
    """What is in hand goes on meanwhile, and its shard is not let go either."""
    url = postgres.create("lease_lost")

    async def scenario() -> None:
        async with a_server(url) as server:
            server.store.share.begun(KEY)
            for _ in range(2):
                before, loops = run(url, _BORROWINGS), lent(url)
                lose_the_library(url)

                async def is_back(former: frozenset[str] = loops) -> bool:
                    assert server.store.share.opened == ALL
                    return not lent(url) & former and None not in lent(url)

                await eventually_async(is_back)
                assert run(url, _BORROWINGS) == before
            server.store.share.ended(KEY)

    asyncio.run(scenario())


def test_no_shard_changes_hands_because_the_librarys_loop_fails(postgres: Cluster) -> None:
    """Whatever it failed with: the connection may be as good as ever."""
    url = postgres.create("lease_failed")

    async def scenario() -> None:
        async with a_server(url) as server:
            server.store.share.begun(KEY)
            before, loops = run(url, _BORROWINGS), lent(url)
            run(url, "ALTER TABLE passrole_pgqueuer RENAME TO gone")

            async def has_ended() -> bool:
                return len(server.leases._tenures.kept) == SHARDS

            await eventually_async(has_ended)
            assert server.store.share.opened == ALL
            run(url, "ALTER TABLE gone RENAME TO passrole_pgqueuer")

            async def is_back() -> bool:
                return not lent(url) & loops and None not in lent(url)

            await eventually_async(is_back)
            assert (run(url, _BORROWINGS), server.store.share.opened) == (before, ALL)
            server.store.share.ended(KEY)

    asyncio.run(scenario())


def test_what_is_handed_over_as_the_loop_fails_is_offered_again(postgres: Cluster) -> None:
    """The library waits for its handlers, and no function of ten minutes may hold up its next start."""
    url = postgres.create("lease_drained")

    async def scenario() -> None:
        async with a_server(url) as server:
            server.store.share.begun(KEY)
            server.leases.balance(SHARDS, NONE)  # it keeps one, and that of the key is another one

            async def waits() -> bool:
                return len(server.leases._drains) == 1 == len(server.store.share.opened)

            await eventually_async(waits)
            lose_the_library(url)
            await server.until_it_has(ALL)
            server.store.share.ended(KEY)

    asyncio.run(scenario())


def test_a_server_that_ends_while_its_loop_has_failed_waits_for_nothing(postgres: Cluster) -> None:
    from passrole.worker.leases import HAND_OVER_SECONDS

    url = postgres.create("lease_ends")

    async def scenario() -> None:
        async with a_server(url) as server:
            run(url, "ALTER TABLE passrole_pgqueuer RENAME TO gone")

            async def has_ended() -> bool:
                return len(server.leases._tenures.kept) == SHARDS

            await eventually_async(has_ended)
            async with asyncio.timeout(HAND_OVER_SECONDS):
                await server.leases.close()
            assert server.store.share.opened == NONE

    asyncio.run(scenario())


def test_what_lasts_holds_no_shard_that_another_server_has(postgres: Cluster) -> None:
    """Its heartbeats would keep the other one's lease alive, beyond that one's end."""
    url, shard, other = postgres.create("lease_taken"), shard_of(KEY), 4711

    async def scenario() -> None:
        async with a_server(url) as server:
            server.store.share.begun(KEY)
            await server.store.write(lambda tx: shards.borrow(tx, shard, other))
            await server.until_it_has(ALL)
            server.store.share.ended(KEY)

    asyncio.run(scenario())


def test_a_server_that_is_told_to_end_waits_for_no_commit_that_hangs(postgres: Cluster) -> None:
    """As while a standby is away: neither its own commits nor those of the library end."""
    import psycopg

    from passrole.worker.leases import HAND_OVER_SECONDS

    url = postgres.create("lease_hangs")

    async def scenario() -> None:
        async with a_server(url) as server:
            with psycopg.connect(url) as other:
                other.execute("LOCK TABLE leases, passrole_pgqueuer")
                async with asyncio.timeout(2 * HAND_OVER_SECONDS + 20):
                    await server.close()

    asyncio.run(scenario())
