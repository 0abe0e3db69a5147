"""The audit trail of this server, copied half a second later to the rows that several servers share.

Only where the rows are in such a database; the file alone is the trail of others. Where nobody calls, the
loop sleeps. Where the database does not answer it is tried again, and the file keeps the lines meanwhile.
audit/shipping.py says what a crash means.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from passrole import disk
from passrole.audit import Audit, files, shipping
from passrole.clock import Clock, system_clock
from passrole.config import Config
from passrole.store import Store
from passrole.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
"""How long lines are collected, so that many are one transaction."""

FORGET_SECONDS = 300.0
DAY_SECONDS = 86_400

_LAST_SECONDS = 5.0


@asynccontextmanager
async def alone(
    store: Store, config: Config
) -> AsyncIterator[tuple[Audit, Callable[[], Mapping[str, bool]]]]:
    """For a server that has no other loop: where its door writes, and whether the loop runs."""
    trail, supervisor = AuditTrail(store, config), Supervisor()
    trail.start(supervisor)
    try:
        yield trail.audit, supervisor.running
    finally:
        await supervisor.close()
        await trail.close()


class AuditTrail:
    """`audit` is where the door writes; `close` copies what was written since the loop ended."""

    def __init__(self, store: Store, config: Config, clock: Clock = system_clock) -> None:
        self._store = store
        self._clock = clock
        self._keep_days = config.keep_audit_days
        self._data = config.data
        self._is_copied = bool(config.store)
        self._server = f"{socket.gethostname()}:{config.data.resolve()}"
        self._written = asyncio.Event()
        self.audit = Audit(config.data / files.CURRENT, self._written.set if self._is_copied else None)

    def start(self, supervisor: Supervisor) -> None:
        """What a server before has left is copied at once."""
        if self._is_copied:
            supervisor.start("audit trail", self._run)
        if self._keep_days:
            supervisor.start("audit files", self._forget)

    async def close(self) -> None:
        """Copy what is left, as far as the database answers; the next start copies the rest."""
        try:
            if self._is_copied:
                async with asyncio.timeout(_LAST_SECONDS):
                    await self._ship()
        except TimeoutError:
            log.warning("the last lines of the audit trail are copied at the next start: the database hangs")
        except Exception as error:
            disk.report(log, error, "copying the last lines of the audit trail")
        finally:
            self.audit.close()

    async def _run(self) -> None:
        while True:
            await self._ship()
            await self._written.wait()
            self._written.clear()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _forget(self) -> None:
        while True:
            self.audit.forget(self._clock() - self._keep_days * DAY_SECONDS)
            await asyncio.sleep(FORGET_SECONDS)

    async def _ship(self) -> None:
        await shipping.ship(self._store, self._data, self._server)
