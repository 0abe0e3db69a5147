"""Whether calls are answered here now, for a balancer that asks each server.

It is tried, but no more often than once in LOOK_SECONDS: whoever asks is not signed in, and holds nobody up.
Why they would not be answered is in the log alone.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from passrole import disk
from passrole.clock import Clock

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SECONDS_MAX = 5.0
"""What takes longer answers nobody."""


class Readiness:
    """Of one server."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._turn = asyncio.Lock()
        self._looked_at, self._is_ready = -math.inf, False

    async def of(self, check: Callable[[], Awaitable[None]]) -> bool:
        """Whether nothing is in the way of calls; `check` raises what is."""
        async with self._turn:
            if self._clock() - self._looked_at >= LOOK_SECONDS:
                self._is_ready = await _works(check)
                self._looked_at = self._clock()
            return self._is_ready


async def _works(check: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await check()
    except Exception as error:
        disk.report(log, error, "whether calls are answered")
        return False
    return True
