"""The tables by which servers lend themselves work are there after a failover, too."""

import asyncio

import pytest
from tests.postgres import Cluster


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
