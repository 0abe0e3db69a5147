"""The tables by which servers lend themselves work are there after a failover, too."""

import asyncio
import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.postgres import Cluster

from passrole import disk
from passrole.store.share import SHARDS

pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")
from pgqueuer.ports.repository import EntrypointExecutionParameter

from passrole.worker import lease_jobs
from passrole.worker.tenures import Tenures, shard_of_job


def test_each_is_on_the_standby(postgres: Cluster) -> None:
    """What is UNLOGGED is not, and its sequence is broken on a standby that was promoted."""
    import psycopg

    url = postgres.create("lease_tables")

    async def install() -> None:
        async with lease_jobs.connected(url) as connection:
            await lease_jobs.LeaseJobs(lease_jobs.Driver(connection)).install_or_upgrade()

    asyncio.run(install())
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT relname, relpersistence FROM pg_class WHERE relname LIKE 'passrole_%'"
        )
        kept: dict[str, str] = dict(found.fetchall())
    assert "passrole_pgqueuer_log_id_seq" in kept
    assert [name for name, persistence in kept.items() if persistence != "p"] == []


async def borrowed(queries: lease_jobs.LeaseJobs, who: uuid.UUID, most: int = SHARDS) -> list[Any]:
    """As many as there are, as the one before has been silent for longer than nothing."""
    unlimited = {lease_jobs.JOB: EntrypointExecutionParameter(concurrency_limit=0)}
    return await queries.dequeue(most, unlimited, who, None, heartbeat_timeout=timedelta(0))


class Impatient(lease_jobs.Silence):
    """Takes what is another one's at any time."""

    def may_take(self) -> bool:
        return True


def test_nobody_gives_back_what_another_one_has(postgres: Cluster) -> None:
    """A server that was away learns late that its lease is over, and lets go what is not its own any more."""

    url, one, other = postgres.create("lease_owner"), uuid.uuid4(), uuid.uuid4()

    async def scenario() -> None:
        async with lease_jobs.connected(url) as connection:
            queries = lease_jobs.LeaseJobs(lease_jobs.Driver(connection, Impatient()))
            await queries.install_or_upgrade()
            await queries.offer_all()

            before, after = await borrowed(queries, one), await borrowed(queries, other)
            assert len(before) == len(after) == SHARDS
            for job in before:
                await queries.retry_job(job, timedelta(0), None)
            rows = f"SELECT count(*) FROM {queries.qbq.qualified.queue_table} WHERE status = 'queued'"
            counted = [await (await connection.execute(rows)).fetchone()]
            for job in after:
                await queries.retry_job(job, timedelta(0), None)
            counted.append(await (await connection.execute(rows)).fetchone())
            assert counted == [(0,), (SHARDS,)]

    asyncio.run(scenario())


def test_a_connection_that_is_lost_is_told_as_an_outage(postgres: Cluster) -> None:

    url = postgres.create("lease_outage", "secret")

    async def lose() -> None:
        async with lease_jobs.connected(url) as connection:
            (own,) = await (await connection.execute("SELECT pg_backend_pid()")).fetchone() or (0,)
            postgres.sql(f"SELECT pg_terminate_backend({own})")
            await connection.execute("SELECT 1")

    async def look_elsewhere() -> None:
        async with lease_jobs.connected("postgresql://u:secret@127.0.0.1:1/none"):
            """There is nobody."""

    for act in (lose, look_elsewhere):
        with pytest.raises(disk.StoreUnreachable) as told:
            asyncio.run(act())
        assert "secret" not in str(told.value)


def test_what_the_library_writes_waits_for_no_standby(postgres: Cluster) -> None:
    """It notifies, and nobody's NOTIFY is committed before its own is."""
    import psycopg

    url = postgres.create("lease_standby")

    async def hangs(url: str) -> bool:
        """Whether a commit of anybody else does: PostgreSQL takes a moment to know of its standbys."""
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
            try:
                async with asyncio.timeout(1):
                    await other.execute("CREATE TABLE IF NOT EXISTS other (number int)")
                    await other.execute("INSERT INTO other VALUES (1)")
            except TimeoutError:
                return True
        return False

    def standbys(names: str) -> None:
        postgres.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        postgres.sql("SELECT pg_reload_conf()")

    async def scenario() -> None:
        async with lease_jobs.connected(url) as connection:
            queries = lease_jobs.LeaseJobs(lease_jobs.Driver(connection))
            await queries.install_or_upgrade()
            standbys("nobody")
            await eventually_async(partial(hangs, url))
            async with asyncio.timeout(10):
                await queries.offer_all()

    try:
        asyncio.run(scenario())
    finally:
        standbys("")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM passrole_pgqueuer").fetchone() == (SHARDS,)


def test_what_another_one_has_borrowed_meanwhile_is_not_taken_up(postgres: Cluster) -> None:
    """A server whose loop comes back goes on with what is its own still, and the rest is over at once."""
    url, one, other = postgres.create("lease_back"), uuid.uuid4(), uuid.uuid4()

    async def scenario() -> None:
        dropped: list[int] = []
        tenures = Tenures(dropped.append)
        async with lease_jobs.connected(url) as connection:
            driver = lease_jobs.Driver(connection, Impatient())
            queries = lease_jobs.LeaseJobs(driver, tenures)
            await queries.install_or_upgrade()
            await queries.offer_all()
            for job in await borrowed(queries, one):
                tenure = tenures.take_up(job)
                assert tenure is not None
                tenure.is_kept = True
            taken = await borrowed(lease_jobs.LeaseJobs(driver), other, 10)
            tenures.interrupt()
            still = await borrowed(queries, one)
            lent = [{shard_of_job(each) for each in jobs} for jobs in (taken, still)]
            assert [len(each) for each in lent] == [10, SHARDS - 10]
            assert (set(dropped), set(tenures.shards)) == (lent[0], lent[1])

    asyncio.run(scenario())


def test_who_heard_nothing_of_postgresql_takes_nothing_of_others(postgres: Cluster) -> None:
    """After an outage nobody's heartbeat is young: whoever is back first would have everything."""
    url, one, other = postgres.create("lease_patience"), uuid.uuid4(), uuid.uuid4()
    now = 0.0

    async def scenario() -> None:
        nonlocal now
        async with lease_jobs.connected(url) as connection:
            driver = lease_jobs.Driver(connection, lease_jobs.Silence(lambda: now))
            queries = lease_jobs.LeaseJobs(driver)
            await queries.install_or_upgrade()
            await queries.offer_all()
            offered = await borrowed(queries, one, SHARDS - 1)
            assert len(await borrowed(queries, other)) == 1, "what is offered may be borrowed"
            while now < lease_jobs.PATIENCE_SECONDS:
                assert await borrowed(queries, other) == []
                now += 1.0
            for _ in range(4):  # heartbeats are heard of, too
                now += lease_jobs.SILENCE_SECONDS
                await queries.update_heartbeat([])
            assert len(await borrowed(queries, other)) == len(offered) + 1

    asyncio.run(scenario())
