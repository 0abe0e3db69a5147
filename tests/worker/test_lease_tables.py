"""The tables by which servers lend themselves work are there after a failover, too."""

import asyncio

import pytest
from tests.postgres import Cluster

from passrole import disk


def test_each_is_on_the_standby(postgres: Cluster) -> None:
    """What is UNLOGGED is not, and its sequence is broken on a standby that was promoted."""
    pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")
    import psycopg

    from passrole.worker import leases

    url = postgres.create("lease_tables")

    async def install() -> None:
        async with leases._connected(url) as connection:
            await leases._install(leases._Queries(connection))

    asyncio.run(install())
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT relname, relpersistence FROM pg_class WHERE relname LIKE 'passrole_%'"
        )
        kept: dict[str, str] = dict(found.fetchall())
    assert "passrole_pgqueuer_log_id_seq" in kept
    assert [name for name, persistence in kept.items() if persistence != "p"] == []


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
