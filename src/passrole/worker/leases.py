"""Borrows this server's shards of the background work, where several share a PostgreSQL database.

Each shard is one job of pgqueuer, which its handler holds for as long as the server has the shard. A server
that dies sends no heartbeat, and the library lends its shards to others after HEARTBEAT_SECONDS. What a lease
means is in rows (store/shards.py), because a lease of the library proves nothing: who was stopped and goes on
still thinks that it has it. docs/decisions/0019-shards.md

No handler ends its job. It asks for another try, by which the shard is there to be lent again.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings, Durability

from passrole import disk
from passrole.store import Tx, shards, share
from passrole.store.postgres import PostgresStore
from passrole.store.postgres_connecting import conninfo, is_lost, unreachable
from passrole.store.share import SHARDS
from passrole.worker.supervisor import Loop, Supervisor

log = logging.getLogger(__name__)
logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # it tells of each shard that is given back

HEARTBEAT_SECONDS = 6.0
"""How long a server may be silent before its shards are lent to others."""

HAND_OVER_SECONDS = 2.0
"""What a server that is told to stop, or rests, gives the work in its hands, before others may begin it
again.
"""

AGAIN_SECONDS = 1.0
"""How often a handler that waits for the database is told to end."""

OFFER_SECONDS = 30.0
_LOOK_SECONDS = 2.0
_JOB = "shard"


class Leases:
    """Borrows shards between `start` and `close`, as many as `balance` says."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._over: dict[int, asyncio.Event] = {}
        self._fair = SHARDS
        self._drains: set[asyncio.Timeout] = set()
        self._none_held = asyncio.Event()
        self._none_held.set()
        self._is_closing = False
        self._driver: _Driver | None = None
        self._loop: Loop | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Borrow from now on, and offer what nobody offers."""
        supervisor.start("lease-offers", self._offer)
        self._loop = supervisor.start("leases", self._borrow)

    async def close(self) -> None:
        """Give every shard back, once what is in hand has ended or HAND_OVER_SECONDS are over."""
        self._is_closing, self._fair = True, 0
        self._end(self._over)
        self._hasten()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * HAND_OVER_SECONDS):
                await self._none_held.wait()
        if self._loop is not None:  # the library waits for its handlers, and these for a commit that may hang
            await self._loop.stop(AGAIN_SECONDS)

    def balance(self, servers: int, lost: frozenset[int]) -> None:
        """Keep no more than a fair part of the shards among so many, and none that are `lost` to another one.

        Without `servers`, since this one rests, all are given back within HAND_OVER_SECONDS. So they are
        where the library has ended: it waits for its handlers before it can be started again.
        """
        self._fair = math.ceil(SHARDS / servers) if servers and not self._is_closing else 0
        has_ended = self._driver is not None and self._driver.has_failed
        self._end(each for each in self._over if each in lost)
        self._end(sorted(self._over)[0 if has_ended else self._fair :])
        if has_ended or not self._fair:
            self._hasten()

    async def _offer(self) -> None:
        """None is lost for long, whatever becomes of a server between its last word and its next."""
        while True:
            await asyncio.sleep(OFFER_SECONDS)
            async with _connected(self._store.url) as connection:
                await _offer_all(_Queries(_Driver(connection)))

    async def _borrow(self) -> None:
        async with _connected(self._store.url) as connection:
            driver = _Driver(connection)
            queries = _Queries(driver, lambda: self._fair - len(manager.job_context))
            manager = QueueManager(queries, channel=_SETTINGS.channel)
            await _install(queries)
            await _offer_all(queries)
            manager.entrypoint(_JOB, on_failure="hold")(self._hold)
            self._driver = driver
            await manager.run(
                dequeue_timeout=timedelta(seconds=_LOOK_SECONDS),
                batch_size=SHARDS,
                heartbeat_timeout=timedelta(seconds=HEARTBEAT_SECONDS),
                log_aggregation_interval=timedelta(0),
            )

    async def _hold(self, job: Job) -> None:
        """Have the shard until it is over. Always raises RetryRequested: the library drops what fails."""
        shard = int(job.payload or b"0")
        if not self._is_closing and shard not in self._over:
            self._over[shard] = asyncio.Event()
            self._none_held.clear()
            try:
                await self._have(shard, self._over[shard])
            except Exception as error:
                disk.report(log, error, f"shard {shard} of the background work")
            finally:
                self._store.share.close(shard)
                del self._over[shard]
                if not self._over:
                    self._none_held.set()
        raise RetryRequested

    async def _have(self, shard: int, over: asyncio.Event) -> None:
        store, mine = self._store, self._store.share
        await store.write(partial(_borrowed, shard=shard, node=mine.node))
        mine.open(shard)
        await over.wait()
        mine.close(shard)
        if await store.write(partial(_closed, shard=shard, node=mine.node)):
            await self._drained(shard)
            await store.write(lambda tx: shards.give_back(tx, shard, mine.node))

    async def _drained(self, shard: int) -> None:
        """What is in hand has ended, or there is no more time for it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._fair else HAND_OVER_SECONDS) as drain:
                self._drains.add(drain)
                try:
                    await self._store.share.emptied(shard)
                finally:
                    self._drains.discard(drain)

    def _hasten(self) -> None:
        """What is in hand has no more time than this, as of now."""
        for each in self._drains:
            if each.when() is None:
                each.reschedule(asyncio.get_running_loop().time() + HAND_OVER_SECONDS)

    def _end(self, which: Iterable[int]) -> None:
        for each in which:
            self._over[each].set()


# "durable": a standby has no UNLOGGED log, and after its promotion no work would be lent
_SETTINGS = DBSettings(prefix="passrole_", durability=Durability.durable)


def _borrowed(tx: Tx, shard: int, node: int) -> None:
    shards.borrow(tx, shard, node)
    tx.notify(share.CHANNEL)


def _closed(tx: Tx, shard: int, node: int) -> bool:
    is_ours = shards.close(tx, shard, node)
    tx.notify(share.CHANNEL)
    return is_ours


class _Driver(PsycopgDriver):
    """The library's connection. Its loop ends with the first read that fails, whatever it is that failed."""

    has_failed = False

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows."""
        try:
            rows = await super().fetch(query, *args)
        except BaseException:
            self.has_failed = True
            raise
        self.has_failed = False
        return rows


class _Queries(Queries):
    """The library's tables. Whoever has as many shards as there is `room` for leaves the others to others."""

    def __init__(self, driver: _Driver, room: Callable[[], int] = lambda: SHARDS) -> None:
        super().__init__(
            driver,
            QueryBuilderEnvironment(_SETTINGS),
            QueryQueueBuilder(_SETTINGS),
            QuerySchedulerBuilder(_SETTINGS),
        )
        self._room = room

    async def dequeue(self, batch_size: int, *args: Any, **options: Any) -> list[Job]:
        """As many jobs as there is room for."""
        room = min(batch_size, self._room())
        return await super().dequeue(room, *args, **options) if room > 0 else []

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: object) -> None:  # noqa: ARG002
        """Offer the job again, if it is still lent to this server.

        The library's own asks nothing: a server that was away would offer what others had borrowed meanwhile,
        borrow it again, and they from it, without an end.
        """
        await self.driver.execute(
            f"UPDATE {self.qbq.qualified.queue_table} SET status = 'queued', execute_after = now() + $3,"  # noqa: S608
            " attempts = attempts + 1, updated = now(), queue_manager_id = NULL"
            " WHERE id = $1 AND queue_manager_id = $2",
            *(job.id, job.queue_manager_id, delay),
        )


# The library's triggers notify, and a NOTIFY whose commit waits for a standby holds up everybody's. What it
# writes may be lost by a failover: it proves nothing, and is offered again.
# https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
_SESSION = "SET synchronous_commit = off"


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
    """Raises ConnectionError where it is lost, or cannot be had."""
    try:
        async with await psycopg.AsyncConnection.connect(conninfo(url), autocommit=True) as connection:
            await connection.execute(_SESSION)
            yield connection
    except psycopg.OperationalError as error:
        if not is_lost(error):
            raise
        raise unreachable(url, error) from None


async def _install(queries: Queries) -> None:
    """Make the library's tables, or bring them up to date."""
    async with queries.schema_lock():
        if not await queries.schema_is_installed():
            await queries.install()
            return
    await queries.upgrade()


async def _offer_all(queries: Queries) -> None:
    """Offer each shard that is not offered or lent."""
    numbers = range(SHARDS)
    await queries.enqueue(
        [_JOB] * SHARDS,
        [b"%d" % each for each in numbers],
        [0] * SHARDS,
        dedupe_key=[f"{_JOB} {each}" for each in numbers],
        on_conflict="skip",
    )
