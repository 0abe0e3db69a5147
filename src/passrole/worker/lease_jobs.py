"""The jobs of pgqueuer by which shards are lent, one a shard, in tables of the library's own.

The library lends what was offered, and what its borrower has sent no heartbeat of for HEARTBEAT_SECONDS.
Three things here are not the library's: a borrower that comes back takes up what it had, nobody offers or
deletes what another one has, and whoever heard nothing of PostgreSQL itself takes nothing of others until
they could be back. docs/decisions/0019-shards.md
"""

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings, Durability
from psycopg.conninfo import make_conninfo

from passrole.store.postgres_connecting import SESSION, conninfo, is_lost, unreachable
from passrole.store.share import SHARDS
from passrole.worker.supervisor import PASSING_SECONDS_MAX
from passrole.worker.tenures import Tenures

JOB = "shard"
APPLICATION = "passrole leases"
"""The sessions in pg_stat_activity."""

HEARTBEAT_SECONDS = 6.0
"""How long a server may be silent before its shards are lent to others."""

BEATS = 4
"""How many heartbeats are sent meanwhile: whoever loses a connection is back before the last is too old."""

SILENCE_SECONDS = 4.0
"""How long PostgreSQL has said nothing, where others may have heard nothing, either. A server that lives asks
it every two seconds, and waits up to a second for the connection, by which the library listens meanwhile.
"""

PATIENCE_SECONDS = HEARTBEAT_SECONDS + PASSING_SECONDS_MAX
"""After that, how long the others have to come back."""

_BEATS_OF_THE_LIBRARY = 2
_LONGER_THAN_ANY = timedelta(days=366)

LIBRARY_TIMEOUT = timedelta(seconds=HEARTBEAT_SECONDS * _BEATS_OF_THE_LIBRARY / BEATS)
"""What the library is told, which sends two heartbeats in this time."""

# "durable": a standby has no UNLOGGED log, and after its promotion no work would be lent
SETTINGS = DBSettings(prefix="passrole_", durability=Durability.durable)


class Silence:
    """When this server has heard of PostgreSQL, on a clock of seconds that runs on. It begins with patience:
    the others may have been without PostgreSQL just now.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._heard_at = now()
        self._patient_until = self._heard_at + PATIENCE_SECONDS

    def heard(self) -> None:
        """PostgreSQL has answered."""
        self._notice()
        self._heard_at = self._now()

    def lost(self) -> None:
        """It has not, and an end of that is the end of a silence."""
        self._heard_at = -math.inf

    def may_take(self) -> bool:
        """Whether who is silent has only itself to blame."""
        self._notice()
        return self._now() >= self._patient_until

    def _notice(self) -> None:
        """Who hears late again and again ends one patience before the next begins."""
        silent = self._now() - self._heard_at
        is_late = silent > SILENCE_SECONDS and self._patient_until <= self._heard_at
        if is_late or silent > HEARTBEAT_SECONDS:
            self._patient_until = self._now() + PATIENCE_SECONDS


class Driver(PsycopgDriver):
    """The library's connection. Its loop ends with the first read that fails, whatever it is that failed."""

    def __init__(
        self,
        connection: "psycopg.AsyncConnection[Any]",
        silence: Silence | None = None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(connection)
        self.silence = silence or Silence()
        self._on_failure = on_failure

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows."""
        try:
            rows = await super().fetch(query, *args)
        except BaseException:
            self.silence.lost()
            self._on_failure()
            raise
        self.silence.heard()
        return rows

    async def execute(self, query: str, *args: object) -> str:
        """Its status. The loop lives on where it fails."""
        status = await super().execute(query, *args)
        self.silence.heard()
        return status


class LeaseJobs(Queries):
    """The library's tables. Whoever has as many shards as there is `room` for leaves the others to others."""

    def __init__(
        self,
        driver: Driver,
        tenures: Tenures | None = None,
        room: Callable[[], int] = lambda: SHARDS,
    ) -> None:
        super().__init__(
            driver,
            QueryBuilderEnvironment(SETTINGS),
            QueryQueueBuilder(SETTINGS),
            QuerySchedulerBuilder(SETTINGS),
        )
        self._silence = driver.silence
        self._tenures = tenures or Tenures(lambda _: None)
        self._room = room
        self._table = self.qbq.qualified.queue_table

    async def install_or_upgrade(self) -> None:
        """Make the library's tables, or bring them up to date."""
        async with self.schema_lock():
            if not await self.schema_is_installed():
                await self.install()
                return
        await self.upgrade()

    async def offer_all(self) -> None:
        """Offer each shard that is not offered or lent."""
        numbers = range(SHARDS)
        await self.enqueue(
            [JOB] * SHARDS,
            [b"%d" % each for each in numbers],
            [0] * SHARDS,
            dedupe_key=[f"{JOB} {each}" for each in numbers],
            on_conflict="skip",
        )

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: Any,
        queue_manager_id: Any,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """At first what this server had and has still; then as many jobs as there is room for."""
        if self._tenures.are_interrupted:
            jobs = await self._retaken(queue_manager_id)
            self._tenures.retaken(jobs)
            if jobs:
                return jobs
        room = min(batch_size, self._room())
        if room <= 0:
            return []
        silent = heartbeat_timeout * BEATS / _BEATS_OF_THE_LIBRARY
        if not self._silence.may_take():
            silent = _LONGER_THAN_ANY
        return await super().dequeue(room, entrypoints, queue_manager_id, global_concurrency_limit, silent)

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: object) -> None:  # noqa: ARG002
        """Offer the job again, if it is still lent to this server, and over.

        The library's own asks nothing: a server that was away would offer what others had borrowed meanwhile,
        borrow it again, and they from it, without an end.
        """
        await self._offer([job], delay)

    async def log_jobs(self, job_status: list[tuple[Job, Any, Any]]) -> None:
        """Offer again what was cancelled or has failed. The library's own deletes it, whoever has it now."""
        await self._offer([job for job, _, _ in job_status], timedelta(0))

    async def _offer(self, jobs: list[Job], delay: timedelta) -> None:
        over = [each for each in jobs if self._tenures.is_over(each)]
        if not over:
            return
        await self.driver.execute(
            f"UPDATE {self._table} SET status = 'queued', execute_after = now() + $3,"  # noqa: S608
            " attempts = attempts + 1, updated = now(), queue_manager_id = NULL"
            " WHERE id = ANY($1) AND queue_manager_id = ANY($2)",
            *([each.id for each in over], [each.queue_manager_id for each in over], delay),
        )

    async def _retaken(self, queue_manager_id: object) -> list[Job]:
        """The jobs that are still lent to this server, or to the one before in its folder."""
        rows = await self.driver.fetch(
            f"UPDATE {self._table} SET heartbeat = now(), updated = now()"  # noqa: S608
            " WHERE queue_manager_id = $1 AND status = 'picked' RETURNING *",
            queue_manager_id,
        )
        return [Job.model_validate(row) for row in rows]


# The library's triggers notify, and a NOTIFY whose commit waits for a standby holds up everybody's. What it
# writes may be lost by a failover: it proves nothing, and is offered again.
# https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
_SESSION = f"{SESSION}; SET synchronous_commit = off".encode()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
    """Raises ConnectionError where it is lost, or cannot be had."""
    try:
        wanted = make_conninfo(conninfo(url), application_name=APPLICATION)
        async with await psycopg.AsyncConnection.connect(wanted, autocommit=True) as connection:
            await connection.execute(_SESSION)
            yield connection
    except psycopg.OperationalError as error:
        if not is_lost(error):
            raise
        raise unreachable(url, error) from None
