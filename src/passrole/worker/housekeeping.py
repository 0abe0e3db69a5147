"""Runs periodic deletion every INTERVAL_SECONDS. Nothing depends on when that happens."""

import asyncio
import logging

from passrole.clock import Clock
from passrole.services import sqs
from passrole.store import Store
from passrole.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 300.0


class Housekeeping:
    """Deletes what is over, until the supervisor is closed: in the middle of a sweep if need be."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def start(self, supervisor: Supervisor) -> None:
        """The first sweep comes after an interval, so that starting is not held up."""
        supervisor.start("housekeeping", self._run)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            log.debug("housekeeping removed %d expired messages", await sqs.sweep(self._store, self._clock))
