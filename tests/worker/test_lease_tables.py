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


def test_each_is_on_the_standby(postgres: Cluster) -> None:
    """What is UNLOGGED is not, and its sequence is broken on a standby that was promoted."""
    pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")
    import psycopg

    from passrole.worker import leases

    url = postgres.create("lease_tables")

    async def install() -> None:
        async with leases._connected(url) as connection:
            await leases._install(leases._Queries(leases._Driver(connection)))

    asyncio.run(install())
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT relname, relpersistence FROM pg_class WHERE relname LIKE 'passrole_%'"
        )
        kept: dict[str, str] = dict(found.fetchall())
    assert "passrole_pgqueuer_log_id_seq" in kept
    assert [name for name, persistence in kept.items() if persistence != "p"] == []


def test_nobody_gives_back_what_another_one_has(postgres: Cluster) -> None:
    """A server that was away learns late that its lease is over, and lets go what is not its own any more."""
    pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")
    from pgqueuer.ports.repository import EntrypointExecutionParameter

    from passrole.worker import leases

    url, one, other = postgres.create("lease_owner"), uuid.uuid4(), uuid.uuid4()

    async def scenario() -> None:
        async with leases._connected(url) as connection:
            queries = leases._Queries(leases._Driver(connection))
            await leases._install(queries)
            await leases._offer_all(queries)

            async def borrowed(who: uuid.UUID) -> list[Any]:
                """All, as the one before has been silent for longer than nothing."""
                unlimited = {leases._JOB: EntrypointExecutionParameter(concurrency_limit=0)}
                return await queries.dequeue(SHARDS, unlimited, who, None, heartbeat_timeout=timedelta(0))

            before, after = await borrowed(one), await borrowed(other)
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
    pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")
    from passrole.worker import leases

    url = postgres.create("lease_outage", "secret")

    async def lose() -> None:
        async with leases._connected(url) as connection:
            (own,) = await (await connection.execute("SELECT pg_backend_pid()")).fetchone() or (0,)
            postgres.sql(f"SELECT pg_terminate_backend({own})")
            await connection.execute("SELECT 1")

    async def look_elsewhere() -> None:
        async with leases._connected("postgresql://u:secret@127.0.0.1:1/none"):
            """There is nobody."""

    for act in (lose, look_elsewhere):
        with pytest.raises(disk.StoreUnreachable) as told:
            asyncio.run(act())
        assert "secret" not in str(told.value)


def test_what_the_library_writes_waits_for_no_standby(postgres: Cluster) -> None:
    """It notifies, and nobody's NOTIFY is committed before its own is."""
    pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")
    import psycopg

    from passrole.worker import leases

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
        async with leases._connected(url) as connection:
            queries = leases._Queries(leases._Driver(connection))
            await leases._install(queries)
            standbys("nobody")
            await eventually_async(partial(hangs, url))
            async with asyncio.timeout(10):
                await leases._offer_all(queries)

    try:
        asyncio.run(scenario())
    finally:
        standbys("")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM passrole_pgqueuer").fetchone() == (SHARDS,)
