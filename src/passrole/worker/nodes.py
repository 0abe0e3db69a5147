"""Keeps this server's number among several on one database, and finds out which of the others are gone.

PostgreSQL knows whose session has ended (store/postgres_node.py). For PATIENCE_SECONDS nobody touches what
such a server had claimed: one that is started again in the same folder finds its programs, and goes on. After
that it is marked as gone, and others take its work over.
"""

import asyncio
import logging
import time

from passrole.store import Tx, claims, shards
from passrole.store.postgres import PostgresStore
from passrole.store.postgres_node import NodeLost, ended, mark_those_gone
from passrole.worker.leases import Leases
from passrole.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 30.0


class Nodes:
    """Looks at the servers of a shared database from `start` until `close`."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._leases = Leases(store)
        self._ended_at: dict[int, float] = {}

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
        me, opened = self._store.share.node, self._store.share.opened
        present, over, borrowed = await self._store.read(lambda tx: _servers(tx, me))
        now = time.monotonic()
        self._ended_at = {each: self._ended_at.get(each, now) for each in over}
        gone = [each for each, at in self._ended_at.items() if now - at >= PATIENCE_SECONDS]
        if gone:
            for each in await self._store.write(lambda tx: mark_those_gone(tx, me, gone)):
                log.warning("the server %d, `%s`, is gone: its work is taken over", each, present.get(each))
        self._leases.balance(max(len(present) - len(over), 1), opened - borrowed)


def _servers(tx: Tx, me: int) -> tuple[dict[int, str], list[int], frozenset[int]]:
    """Those that are not marked as gone, those of them whose sessions have ended, and the shards of `me`."""
    return claims.present(tx), ended(tx, me), shards.borrowed(tx, me)
