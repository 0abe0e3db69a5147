"""The jobs of pgqueuer by which shards are lent, one a shard, in tables of the library's own.

The library lends what was offered, and what its borrower has sent no heartbeat of for HEARTBEAT_SECONDS.
Three things here are not the library's: a borrower that comes back takes up what it had, nobody offers what
another one has, and whoever heard nothing of PostgreSQL itself takes nothing of others until they could be
back.
docs/decisions/0019-shards.md
"""

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

from passrole.store.postgres_connecting import conninfo, is_lost, unreachable
from passrole.store.share import SHARDS
from passrole.worker.supervisor import PASSING_SECONDS_MAX
from passrole.worker.tenures import Tenures

JOB = "shard"

HEARTBEAT_SECONDS = 6.0
"""How long a server may be silent before its shards are lent to others."""

SILENCE_SECONDS = HEARTBEAT_SECONDS / 2
"""How long PostgreSQL has said nothing, where others may have heard nothing, either. A server that lives asks
it every two seconds.
"""

PATIENCE_SECONDS = HEARTBEAT_SECONDS + PASSING_SECONDS_MAX
"""After that, how long the others have to come back."""

_LONGER_THAN_ANY = timedelta(days=366)

# "durable": a standby has no UNLOGGED log, and after its promotion no work would be lent
SETTINGS = DBSettings(prefix="passrole_", durability=Durability.durable)


class Silence:
    """When this server has heard of PostgreSQL, on a clock of seconds that runs on."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._heard_at = self._patient_until = now()

    def heard(self) -> None:
        """PostgreSQL has answered."""
        self._notice()
        self._heard_at = self._now()

    def may_take(self) -> bool:
        """Whether who is silent has only itself to blame. One patience ends before the next begins."""
        self._notice()
        return self._now() >= self._patient_until

    def _notice(self) -> None:
        if self._now() - self._heard_at > SILENCE_SECONDS and self._patient_until <= self._heard_at:
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
            self._on_failure()
            raise
        self.silence.heard()
        return rows


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
        self._tenures = tenures
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
        """What this server had and has still; else as many jobs as there is room for."""
        if self._tenures is not None and (kept := self._tenures.kept):
            jobs = await self._retaken(kept, queue_manager_id)
            self._tenures.retaken(jobs)
            return jobs
        room = min(batch_size, self._room())
        if room <= 0:
            return []
        silent = heartbeat_timeout if self._silence.may_take() else _LONGER_THAN_ANY
        return await super().dequeue(room, entrypoints, queue_manager_id, global_concurrency_limit, silent)

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: object) -> None:  # noqa: ARG002
        """Offer the job again, if it is still lent to this server, and not kept.

        The library's own asks nothing: a server that was away would offer what others had borrowed meanwhile,
        borrow it again, and they from it, without an end.
        """
        if self._tenures is not None and any(each.id == job.id for each in self._tenures.kept):
            return
        await self.driver.execute(
            f"UPDATE {self._table} SET status = 'queued', execute_after = now() + $3,"  # noqa: S608
            " attempts = attempts + 1, updated = now(), queue_manager_id = NULL"
            " WHERE id = $1 AND queue_manager_id = $2",
            *(job.id, job.queue_manager_id, delay),
        )

    async def _retaken(self, jobs: list[Job], queue_manager_id: object) -> list[Job]:
        """Of the jobs those that are still lent to whom they were, now to this one."""
        rows = await self.driver.fetch(
            f"UPDATE {self._table} SET queue_manager_id = $3, heartbeat = now(), updated = now()"  # noqa: S608
            " WHERE id = ANY($1) AND queue_manager_id = ANY($2) AND status = 'picked' RETURNING *",
            *([each.id for each in jobs], [each.queue_manager_id for each in jobs], queue_manager_id),
        )
        return [Job.model_validate(row) for row in rows]


# The library's triggers notify, and a NOTIFY whose commit waits for a standby holds up everybody's. What it
# writes may be lost by a failover: it proves nothing, and is offered again.
# https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
_SESSION = "SET synchronous_commit = off"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
    """Raises ConnectionError where it is lost, or cannot be had."""
    try:
        async with await psycopg.AsyncConnection.connect(conninfo(url), autocommit=True) as connection:
            await connection.execute(_SESSION)
            yield connection
    except psycopg.OperationalError as error:
        if not is_lost(error):
            raise
        raise unreachable(url, error) from None
