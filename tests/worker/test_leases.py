"""What a server does with its shards where its database, the library's loop or another server takes them."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.postgres import Cluster

from passrole.store import shards, share
from passrole.store.share import NOBODY, SHARDS, shard_of
from passrole.worker.supervisor import Supervisor

pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")

import psycopg

from passrole.store.postgres import PostgresStore
from passrole.worker import lease_jobs
from passrole.worker.leases import HAND_OVER_SECONDS, Leases

KEY = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/e"
ALL = frozenset(range(SHARDS))
NONE: frozenset[int] = frozenset()


class Server:
    """A server that borrows, and balances when it is told to."""

    def __init__(self, url: str, folder: str = "") -> None:
        self.store = PostgresStore(url, is_shared=True, name=folder)
        self.leases, self._supervisor = Leases(self.store), Supervisor()
        self.leases.start(self._supervisor)

    async def close(self) -> None:
        """Give all back; once is enough."""
        await self.leases.close()
        await self._supervisor.close()

    async def until_it_has(self, wanted: frozenset[int]) -> None:
        """Exactly these shards, where it looks again and again as worker/nodes.py does."""

        async def has() -> bool:
            held = self.leases.held
            borrowed = await self.store.read(lambda tx: shards.borrowed(tx, self.store.share.node))
            self.leases.balance(1, held - borrowed)
            return self.store.share.opened == borrowed == wanted

        await eventually_async(has)


@asynccontextmanager
async def begun(url: str, folder: str = "") -> AsyncIterator[Server]:
    """With the shards that it may have."""
    server = Server(url, folder)
    try:
        yield server
    finally:
        await server.close()
        await server.store.close()


@asynccontextmanager
async def a_server(url: str, folder: str = "") -> AsyncIterator[Server]:
    """With every shard at first."""
    async with begun(url, folder) as server:
        await server.until_it_has(ALL)
        yield server


async def until_kept(server: Server) -> None:
    """Its loop has failed; meanwhile nothing is closed."""

    async def are_kept() -> bool:
        assert server.store.share.opened == server.leases.held
        return server.leases._tenures.kept == server.leases.held

    await eventually_async(are_kept)


async def until_taken_up(server: Server) -> None:
    """Its next loop goes on with what it had; meanwhile nothing is closed."""
    held = server.leases.held

    async def are_taken_up() -> bool:
        assert server.store.share.opened == server.leases.held == held
        return not server.leases._tenures.kept

    await eventually_async(are_taken_up)


async def until_it_waits(server: Server) -> None:
    """For what is in hand of the shard of KEY, which is over."""

    async def waits() -> bool:
        return server.leases._drains.keys() == {shard_of(KEY)}

    await eventually_async(waits)


async def have_halves(one: Server, other: Server) -> bool:
    """Whether each has half of all shards, where both look again as worker/nodes.py does."""
    for each in (one, other):
        held, node = each.leases.held, each.store.share.node
        each.leases.balance(2, held - await each.store.read(partial(shards.borrowed, node=node)))
    opened = [each.store.share.opened for each in (one, other)]
    return [len(each) for each in opened] == [SHARDS // 2] * 2 and not opened[0] & opened[1]


def run(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def lose_the_library(url: str) -> None:
    """End the session by which it lends."""
    run(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OF_THE_LIBRARY}")


_OF_THE_LIBRARY = f"datname = current_database() AND application_name = '{lease_jobs.APPLICATION}'"
_BORROWINGS = "SELECT shard, node, fence, is_closing FROM leases ORDER BY shard"


def test_no_shard_changes_hands_because_a_connection_is_lost(postgres: Cluster) -> None:
    """What is in hand goes on meanwhile, and its shard is not let go either."""
    url = postgres.create("lease_lost")

    async def scenario() -> None:
        async with a_server(url) as server:
            server.store.share.begun(KEY)
            for _ in range(2):
                before = run(url, _BORROWINGS)
                lose_the_library(url)
                await until_kept(server)
                await until_taken_up(server)
                assert run(url, _BORROWINGS) == before
            server.store.share.ended(KEY)

    asyncio.run(scenario())


def test_no_shard_changes_hands_because_the_librarys_loop_fails(postgres: Cluster) -> None:
    """Whatever it failed with: the connection may be as good as ever."""
    url = postgres.create("lease_failed")

    async def scenario() -> None:
        async with a_server(url) as server:
            server.store.share.begun(KEY)
            before = run(url, _BORROWINGS)
            run(url, "ALTER TABLE passrole_pgqueuer RENAME TO gone")
            await until_kept(server)
            run(url, "ALTER TABLE gone RENAME TO passrole_pgqueuer")
            await until_taken_up(server)
            assert run(url, _BORROWINGS) == before
            server.store.share.ended(KEY)

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["its answer is lost", "it is undone by a failover"])
def test_no_shard_changes_hands_because_the_taking_up_fails(
    how: str, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be committed and nobody knows, or known and be lost."""
    url = postgres.create(f"lease_up_{len(how)}")
    taken_up, failures = lease_jobs.LeaseJobs._retaken, iter([how])

    async def lost(jobs: Any, borrower: object) -> Any:
        before = run(url, "SELECT id, queue_manager_id, heartbeat FROM passrole_pgqueuer")
        found = await taken_up(jobs, borrower)
        if next(failures, "") == "its answer is lost":
            raise psycopg.OperationalError("the connection is lost")
        for number, whose, beat in before if how != "its answer is lost" else ():
            undone = "UPDATE passrole_pgqueuer SET queue_manager_id = {}, heartbeat = {} WHERE id = {}"
            run(url, undone.format(*(f"'{each}'" for each in (whose, beat, number))))
        return found

    async def scenario() -> None:
        async with a_server(url) as server:
            before = run(url, _BORROWINGS)
            monkeypatch.setattr(lease_jobs.LeaseJobs, "_retaken", lost)
            for _ in range(2):
                lose_the_library(url)
                await until_kept(server)
                await until_taken_up(server)
            assert run(url, _BORROWINGS) == before

    asyncio.run(scenario())


def test_an_outage_makes_nobody_the_heir_of_the_others(postgres: Cluster) -> None:
    """Neither the first that is back, nor one that is started just then."""
    url = postgres.create("lease_outage_of_all")

    async def scenario() -> None:
        async with a_server(url) as one, begun(url) as other:
            await eventually_async(partial(have_halves, one, other))
            before = run(url, _BORROWINGS)
            lose_the_library(url)
            await asyncio.gather(until_kept(one), until_kept(other))
            run(url, "UPDATE passrole_pgqueuer SET heartbeat = now() - interval '20 s'")
            async with begun(url) as third:
                await asyncio.gather(until_taken_up(one), until_taken_up(other))
                assert (run(url, _BORROWINGS), third.leases.held) == (before, NONE)

    asyncio.run(scenario())


def test_a_server_in_the_folder_of_one_that_was_killed_waits_for_no_heartbeat(postgres: Cluster) -> None:
    url, again = postgres.create("lease_again"), uuid.uuid4().hex

    async def scenario() -> None:
        async with a_server(url, again):
            """Its heartbeats are as young as they can be, as those of one that is killed are."""
            former = run(url, "SELECT id, queue_manager_id, status, heartbeat FROM passrole_pgqueuer")
        for number, whose, status, beat in former:
            values = f"queue_manager_id = '{whose}', status = '{status}', heartbeat = '{beat}'"
            run(url, f"UPDATE passrole_pgqueuer SET {values} WHERE id = {number}")
        run(url, "UPDATE passrole_pgqueuer SET heartbeat = now() + interval '1 h'")
        async with a_server(url, again):
            """It has them all."""

    asyncio.run(scenario())


def test_what_is_another_ones_after_an_outage_is_nothing_to_hold(postgres: Cluster) -> None:
    """Whoever has work in memory that waits for its turn is told."""
    url = postgres.create("lease_told")

    async def scenario() -> None:
        async with a_server(url) as server:
            told: list[str] = []
            server.store.listen(share.CHANNEL, told.append)
            run(url, "ALTER TABLE passrole_pgqueuer RENAME TO gone")
            await until_kept(server)
            run(url, "UPDATE gone SET queue_manager_id = gen_random_uuid(), heartbeat = now() + '1 h'")
            run(url, "UPDATE leases SET node = 4711, fence = fence + 1")
            assert not told
            run(url, "ALTER TABLE gone RENAME TO passrole_pgqueuer")

            async def is_told() -> bool:
                return server.store.share.opened == NONE and bool(told)

            await eventually_async(is_told)

    asyncio.run(scenario())


def test_what_is_handed_over_as_the_loop_fails_is_offered_again(postgres: Cluster) -> None:
    """The library waits for its handlers, and no function of ten minutes may hold up its next start."""
    url = postgres.create("lease_drained")

    async def scenario() -> None:
        async with a_server(url) as server:
            server.store.share.begun(KEY)
            server.leases.balance(SHARDS, NONE)  # it keeps one, and that of the key is another one
            await until_it_waits(server)
            lose_the_library(url)
            await server.until_it_has(ALL)
            server.store.share.ended(KEY)

    asyncio.run(scenario())


def test_a_server_that_ends_while_its_loop_has_failed_waits_for_nothing(postgres: Cluster) -> None:
    url = postgres.create("lease_ends")

    async def scenario() -> None:
        async with a_server(url) as server:
            run(url, "ALTER TABLE passrole_pgqueuer RENAME TO gone")
            await until_kept(server)
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
            offers = run(url, "SELECT sum(attempts) FROM passrole_pgqueuer")
            await server.store.write(lambda tx: shards.borrow(tx, shard, other))
            await server.until_it_has(ALL)
            assert run(url, "SELECT sum(attempts) FROM passrole_pgqueuer") == offers, "it is not its to offer"
            server.store.share.ended(KEY)

    asyncio.run(scenario())


def test_a_server_that_is_told_to_end_waits_for_no_commit_that_hangs(postgres: Cluster) -> None:
    """As while a standby is away: neither its own commits nor those of the library end."""
    url = postgres.create("lease_hangs")

    async def scenario() -> None:
        async with a_server(url) as server:
            with psycopg.connect(url) as other:
                other.execute("LOCK TABLE leases, passrole_pgqueuer")
                async with asyncio.timeout(2 * HAND_OVER_SECONDS + 20):
                    await server.close()

    asyncio.run(scenario())


def test_what_is_handed_over_and_taken_meanwhile_sends_no_heartbeats(postgres: Cluster) -> None:
    """A function of ten minutes would keep alive the lease of a server that is dead."""
    url, shard = postgres.create("lease_handed"), shard_of(KEY)
    of_the_shard = f"WHERE convert_from(payload, 'UTF8') = '{shard}'"

    async def scenario() -> None:
        async with a_server(url) as server:
            server.store.share.begun(KEY)
            server.leases.balance(SHARDS, NONE)
            await until_it_waits(server)
            run(url, f"UPDATE passrole_pgqueuer SET queue_manager_id = gen_random_uuid() {of_the_shard}")
            run(url, f"UPDATE leases SET node = 4711, fence = fence + 1 WHERE shard = {shard}")
            await server.until_it_has(ALL)
            server.store.share.ended(KEY)

    asyncio.run(scenario())


def test_a_server_that_ends_beside_a_commit_that_hangs_leaves_its_shards_to_others(postgres: Cluster) -> None:
    """The library deletes what was cancelled, and nobody would have it until it is offered again."""
    url = postgres.create("lease_offered")

    async def scenario() -> None:
        async with a_server(url) as server:
            with psycopg.connect(url) as other:
                other.execute("LOCK TABLE leases")
                await server.leases.close()
                offered = "SELECT count(*) FROM passrole_pgqueuer WHERE status = 'queued'"
                assert run(url, offered) == [(SHARDS,)]

    asyncio.run(scenario())


def test_a_server_that_ends_in_order_leaves_nothing_lent(postgres: Cluster) -> None:
    """At whatever moment: for a second of each two the library has its connection to itself."""
    url = postgres.create("lease_moments")

    async def scenario() -> None:
        for moment in range(5):
            async with a_server(url) as server:
                await asyncio.sleep(moment * 0.4)
                await server.leases.close()
                offered = "SELECT count(*) FROM passrole_pgqueuer WHERE status = 'queued'"
                assert run(url, offered) == [(SHARDS,)]
                assert run(url, f"SELECT count(*) FROM leases WHERE node <> {NOBODY}") == [(0,)]

    asyncio.run(scenario())


def test_two_servers_that_live_are_not_patient_with_each_other(postgres: Cluster) -> None:
    """Whoever has its part asks for nothing more, and hears of PostgreSQL all the same."""
    url = postgres.create("lease_impatient")

    async def scenario() -> None:
        async with a_server(url) as one, begun(url) as other:
            await eventually_async(partial(have_halves, one, other))

            async def are_impatient() -> bool:
                return all(each.leases._silence.may_take() for each in (one, other))

            await eventually_async(are_impatient)
            for _ in range(80):
                await asyncio.sleep(0.1)
                assert await are_impatient()

    asyncio.run(scenario())


def test_what_is_let_go_without_a_commit_is_told_and_ended_first(postgres: Cluster) -> None:
    """Its job is lent to others at once."""
    url = postgres.create("lease_untold")

    async def scenario() -> None:
        async with a_server(url) as server:
            told: list[str] = []
            server.store.listen(share.CHANNEL, told.append)
            server.store.share.begun(KEY)
            run(url, "ALTER TABLE leases ADD CONSTRAINT open CHECK (is_closing = 0)")
            server.leases.balance(2, NONE)
            server.leases._tenures.end([shard_of(KEY)])
            await until_it_waits(server)
            assert told
            offered = "SELECT convert_from(payload, 'UTF8') FROM passrole_pgqueuer WHERE status = 'queued'"
            assert (str(shard_of(KEY)),) not in run(url, offered)
            run(url, "ALTER TABLE leases DROP CONSTRAINT open")
            server.store.share.ended(KEY)
            await server.until_it_has(ALL)

    asyncio.run(scenario())
