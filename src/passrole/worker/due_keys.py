"""Keys that a loop has to look at, each from a moment on: at once, later, or again after a failure.

For a loop whose rows say what is to be done (a controller): a notification marks the key of what changed,
the loop takes the keys that are due and compares the rows with what it does already. A notification may be
lost, so `look` asks the rows for their keys every LOOK_SECONDS. A failure at one key postpones that key with
back-off and none of the others. It holds a number for each key that waits, and nothing else: no asyncio task
and no timer.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from passrole.clock import Clock
from passrole.worker.supervisor import backoff_seconds

LOOK_SECONDS = 30.0
WAIT_SECONDS_MAX = 30.0
"""The longest sleep: the clock may be set meanwhile."""


class DueKeys:
    """Keys with their due times, by `clock`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._woken = asyncio.Event()
        self._looked_at = -math.inf

    async def look(self, keys: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Add the keys that the rows have: at the first call, and LOOK_SECONDS after the last that did.

        Those that failed keep their back-off, and are added as well: nobody may ever say that they succeeded.
        What `keys` raises is raised, and the next call looks again.
        """
        now = self._clock()
        if 0.0 <= now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now  # before it reads: `look_again` may be called meanwhile
        try:
            found = await keys()
        except BaseException:
            self._looked_at = -math.inf
            raise
        for key in found:
            failures = self._failures.get(key)
            self.add(key, self._clock() + backoff_seconds(failures) if failures else 0.0)

    def look_again(self) -> None:
        """Have the next `look` ask the rows, whenever the last was."""
        self._looked_at = -math.inf
        self._woken.set()

    def add(self, key: str, due: float = 0.0) -> None:
        """Have the key looked at once it is `due`, or earlier if that was asked for."""
        self._due[key] = min(due, self._due.get(key, due))
        self._woken.set()

    def ended(self, key: str, work: "asyncio.Task[Any]") -> bool:
        """`retry` or `succeeded`, as work at the key came to its end; whether it succeeded."""
        error = asyncio.CancelledError() if work.cancelled() else work.exception()
        if error is None:
            self.succeeded(key)
        else:
            self.retry(key, error)
        return error is None

    def retry(self, key: str, error: BaseException) -> None:
        """Have it looked at again, the later the more often it failed."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add(key, self._clock() + backoff_seconds(failures, error))

    def succeeded(self, key: str) -> None:
        """Forget its failures."""
        self._failures.pop(key, None)

    def wake(self) -> None:
        """End the present `wait`."""
        self._woken.set()

    def take(self, limit: int, held: Collection[str] = ()) -> list[str]:
        """Take those that are due, `limit` at most, without those that are `held`: they stay."""
        now = self._clock()
        due = [key for key, at in self._due.items() if at <= now and key not in held][:limit]
        for key in due:
            del self._due[key]
        return due

    async def wait(self, held: Collection[str] = (), *, is_full: bool = False) -> None:
        """Until a key may be due, or something was added since the last `wait`.

        `is_full`: no key can be taken now, so that none is waited for; `wake` tells when that is over.
        """
        due = min((at for key, at in self._due.items() if key not in held), default=math.inf)
        seconds = WAIT_SECONDS_MAX if is_full else min(due - self._clock(), WAIT_SECONDS_MAX)
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()
