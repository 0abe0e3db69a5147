"""Keeps this server's number among several on one database, and finds out which of the others are gone.

PostgreSQL knows whose session has ended (store/postgres_node.py). For PATIENCE_SECONDS nobody touches what
such a server had claimed: one that is started again in the same folder finds its programs, and goes on. After
that it is marked as gone, and others take its work over.

A server on whose disk nothing can be written answers no call, not even its own. It rests: others do its
background work. Its programs stay its own, and wait for its disk.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from passrole.store import Tx, claims, shards
from passrole.store.postgres import PostgresStore
from passrole.store.postgres_node import NodeLost, ended, mark_those_gone
from passrole.worker.leases import Leases
from passrole.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 30.0
REST_SECONDS = 10.0
"""How long its disk must have taken what was written before a server works again."""


class Nodes:
    """Looks at the servers of a shared database from `start` until `close`."""

    def __init__(self, store: PostgresStore, check: Callable[[], None]) -> None:
        """`check` raises OSError where no call can be answered here, because of the disk."""
        self._store, self._check = store, check
        self._leases = Leases(store)
        self._ended_at: dict[int, float] = {}
        self._checks_failed, self._rests_until = 0, -math.inf

    def start(self, supervisor: Supervisor) -> None:
        """From now on this server has a part of the background work."""
        self._leases.start(supervisor)
        supervisor.start("nodes", self._run)

    async def close(self) -> None:
        """Hand the background work over."""
        await self._leases.close()

    async def _run(self) -> None:
        while True:
            await self._keep_number()
            await self._store.read(self._store.clock.look)
            await self._look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep_number(self) -> None:
        """A server that was stopped for long, or whose database was away, has a new number."""
        assert self._store.node is not None
        node = self._store.node
        try:
            await asyncio.to_thread(node.ping)
        except NodeLost as error:
            log.warning("%s; it enters again", error)
            await asyncio.to_thread(node.enter)
            self._store.share.node = node.number

    async def _look(self) -> None:
        me, held, rests = self._store.share.node, self._leases.held, self._rests()
        seen = await self._store.read(lambda tx: _seen(tx, me))
        others = seen.present.keys() - set(seen.ended) - seen.resting - {me}
        self._leases.balance(0 if rests and others else len(others) + 1, held - seen.borrowed)
        if rests != (me in seen.resting):
            await self._store.write(lambda tx: claims.rest(tx, me, rests))
            log.warning("nothing can be written here: others do the work" if rests else "it works again")
        await self._mark_gone(seen)

    def _rests(self) -> bool:
        """Whether nothing can be written here, as two looks have found, or could not be a moment ago."""
        try:
            self._check()
        except OSError:
            self._checks_failed += 1
        else:
            self._checks_failed = 0
        if self._checks_failed > 1:
            self._rests_until = time.monotonic() + REST_SECONDS
        return time.monotonic() < self._rests_until

    async def _mark_gone(self, seen: "_Seen") -> None:
        """Those that have been ended for so long that nobody waits for them."""
        now = time.monotonic()
        self._ended_at = {each: self._ended_at.get(each, now) for each in seen.ended}
        gone = [each for each, at in self._ended_at.items() if now - at >= PATIENCE_SECONDS]
        if not gone:
            return
        me = self._store.share.node
        for each in await self._store.write(lambda tx: mark_those_gone(tx, me, gone)):
            log.warning("the server %d, `%s`, is gone: its work is taken over", each, seen.present.get(each))


class _Seen(NamedTuple):
    """`present`: the servers that are not marked as gone; of these, whose sessions have `ended`, and those
    that are `resting`. `borrowed`: the shards of this one.
    """

    present: Mapping[int, str]
    ended: Sequence[int]
    resting: frozenset[int]
    borrowed: frozenset[int]


def _seen(tx: Tx, me: int) -> _Seen:
    return _Seen(claims.present(tx), ended(tx, me), claims.resting(tx), shards.borrowed(tx, me))
