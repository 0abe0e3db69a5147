"""Now and then, what is over and nobody has come for is removed. Nothing depends on when that happens."""

import asyncio
import logging

from passrole.clock import Clock
from passrole.services import sqs
from passrole.store import Store

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 300.0


class Housekeeping:
    """Sweeps between `start` and `close`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """The first sweep comes after an interval, so that starting is not held up."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End it, in the middle of a sweep if need be: each removal is its own transaction."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                removed = await sqs.sweep(self._store, self._clock)
            except Exception:  # the next interval is as good as this one
                log.exception("housekeeping failed")
            else:
                log.debug("housekeeping removed %d expired messages", removed)
