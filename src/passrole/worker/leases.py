"""Borrows this server's shards of the background work, where several share a PostgreSQL database.

Each shard is one job of pgqueuer, which its handler holds for as long as the server has the shard. A server
that dies sends no heartbeat, and the library lends its shards to others after HEARTBEAT_SECONDS. What a lease
means is in rows (store/shards.py), because a lease of the library proves nothing: who was stopped and goes on
still thinks that it has it. docs/decisions/0019-shards.md

No handler ends its job. It asks for another try, by which the shard is there to be lent again, or keeps it
for the library's next loop.
"""

import asyncio
import contextlib
import logging
import math
import uuid
from datetime import timedelta
from functools import partial

from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import QueueManagerId

from passrole import disk
from passrole.store import Tx, shards, share
from passrole.store.postgres import PostgresStore
from passrole.store.share import SHARDS
from passrole.worker.lease_jobs import (
    JOB,
    LIBRARY_TIMEOUT,
    SETTINGS,
    Driver,
    LeaseJobs,
    Silence,
    connected,
)
from passrole.worker.supervisor import Loop, Supervisor
from passrole.worker.tenures import Tenure, Tenures, shard_of_job

log = logging.getLogger(__name__)
logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # it tells of each shard that is given back

HAND_OVER_SECONDS = 2.0
"""What a server that is told to stop, or rests, gives the work in its hands, before others may begin it
again.
"""

AGAIN_SECONDS = 2.5
"""How often a handler that waits for the database is told to end: more than the second for which the library
has its connection to itself.
"""

OFFER_SECONDS = 30.0
_TWICE_SECONDS = 5.0
_LOOK_SECONDS = 2.0

_FOLDERS = uuid.UUID("6f2d4a0e-5b8c-4f7e-9d53-0c1e8a7b9f21")
"""By this and the name of its data folder the library knows a server: one that is started again in the folder
takes up what was lent there.
"""


class Leases:
    """Borrows shards between `start` and `close`, as many as `balance` says."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        assert store.node is not None, "one of several has a number"
        self._borrower = QueueManagerId(uuid.uuid5(_FOLDERS, store.node.name))
        self._tenures = Tenures(self._dropped)
        self._silence = Silence()
        self._fair = SHARDS
        self._drains: dict[int, asyncio.Timeout] = {}
        self._is_closing = self._is_installed = False
        self._loop: Loop | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Borrow from now on, and offer what nobody offers."""
        supervisor.start("lease-offers", self._offer)
        self._loop = supervisor.start("leases", self._borrow)

    @property
    def held(self) -> frozenset[int]:
        """The shards that this server thinks it has, also where it is giving them back."""
        return self._tenures.begun

    async def close(self) -> None:
        """Give every shard back, once what is in hand has ended or HAND_OVER_SECONDS are over. Where there is
        no connection for that, others have them after the next heartbeat that is missing.
        """
        self._is_closing, self._fair = True, 0
        self._tenures.end_at_once()
        self._hasten()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * HAND_OVER_SECONDS):
                await self._tenures.none_held.wait()
        if self._loop is not None:  # the library waits for its handlers, and these for a commit that may hang
            await self._loop.stop(AGAIN_SECONDS)

    def balance(self, servers: int, lost: frozenset[int]) -> None:
        """Keep no more than a fair part of the shards among so many, and none that are `lost` to another one:
        its heartbeats would keep that one's lease alive, beyond that one's end.

        Without `servers`, since this one rests, all are given back within HAND_OVER_SECONDS, as soon as there
        is a connection for that.
        """
        self._fair = math.ceil(SHARDS / servers) if servers and not self._is_closing else 0
        self._tenures.end_at_once(lost)
        for each in lost & self._drains.keys():
            _hasten(self._drains[each], 0.0)
        self._tenures.end(self._tenures.shards[self._fair :])
        if not self._fair:
            self._hasten()

    async def _offer(self) -> None:
        """None is lost for long, whatever becomes of a server between its last word and its next."""
        while True:
            await asyncio.sleep(OFFER_SECONDS)
            async with connected(self._store.url) as connection:
                await LeaseJobs(Driver(connection)).offer_all()

    async def _borrow(self) -> None:
        async with connected(self._store.url) as connection:
            driver = Driver(connection, self._silence, self._failed)
            jobs = LeaseJobs(driver, self._tenures, lambda: self._fair - len(manager.job_context))
            manager = QueueManager(jobs, channel=SETTINGS.channel)
            manager.queue_manager_id = self._borrower
            self._tenures.interrupt()
            if not self._is_installed:
                await jobs.install_or_upgrade()
                self._is_installed = True
            await jobs.offer_all()
            manager.entrypoint(JOB, on_failure="hold")(self._hold)
            await manager.run(
                dequeue_timeout=timedelta(seconds=_LOOK_SECONDS),
                batch_size=SHARDS,
                heartbeat_timeout=LIBRARY_TIMEOUT,
                log_aggregation_interval=timedelta(0),
            )

    def _failed(self) -> None:
        """The library waits for its handlers before it can be started again: none may last."""
        self._tenures.interrupt()
        self._hasten()

    async def _hold(self, job: Job) -> None:
        """Have the shard until it is over, or this loop is. Raises RetryRequested."""
        if self._is_closing:
            raise RetryRequested
        tenure = self._tenures.take_up(job)
        if tenure is None:
            raise RetryRequested(timedelta(seconds=_TWICE_SECONDS))
        try:
            await self._have(shard_of_job(job), tenure)
        except Exception as error:
            disk.report(log, error, f"shard {shard_of_job(job)} of the background work")
        finally:
            self._tenures.lay_down(tenure)
        raise RetryRequested

    async def _have(self, shard: int, tenure: Tenure) -> None:
        store, mine = self._store, self._store.share
        if not tenure.is_begun:
            await store.write(partial(_borrowed, shard=shard, node=mine.node))
            mine.open(shard)
            tenure.is_begun = True
        await tenure.woken.wait()
        if not tenure.is_over:
            tenure.is_kept = True
            return
        self._dropped(shard)
        if await self._is_closed(shard):
            await self._drained(shard)
            await store.write(lambda tx: shards.give_back(tx, shard, mine.node))
        else:
            self._tenures.lose(tenure)

    async def _is_closed(self, shard: int) -> bool:
        """Whether the row is this server's, which says now that no more is taken. Raises what the commit
        does, once nothing of the shard is in hand: others may have it then.
        """
        try:
            return await self._store.write(partial(_closed, shard=shard, node=self._store.share.node))
        except Exception:
            await self._drained(shard)
            raise

    async def _drained(self, shard: int) -> None:
        """What is in hand has ended, or there is no more time for it."""
        has_time = self._fair and not self._tenures.are_interrupted
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if has_time else HAND_OVER_SECONDS) as drain:
                self._drains[shard] = drain
                try:
                    await self._store.share.emptied(shard)
                finally:
                    del self._drains[shard]

    def _dropped(self, shard: int) -> None:
        """Nothing of it is begun any more, and nothing that waits in memory is this server's to hold."""
        if shard in self._store.share.opened:
            self._store.share.close(shard)
            self._store.tell(share.CHANNEL)

    def _hasten(self) -> None:
        """What is in hand has no more time than this, as of now."""
        for each in self._drains.values():
            _hasten(each, HAND_OVER_SECONDS)


def _hasten(drain: asyncio.Timeout, seconds: float) -> None:
    """Let it last no longer than this; one that is just ending cannot be told."""
    until, now = drain.when(), asyncio.get_running_loop().time()
    if until is None or now < until > now + seconds:
        drain.reschedule(now + seconds)


def _borrowed(tx: Tx, shard: int, node: int) -> None:
    shards.borrow(tx, shard, node)
    tx.notify(share.CHANNEL)


def _closed(tx: Tx, shard: int, node: int) -> bool:
    is_ours = shards.close(tx, shard, node)
    tx.notify(share.CHANNEL)
    return is_ours
