"""Time that tests move: the wall's clock and the event loop's, which go on together and jump together.

A jump stops where something is due on the way, and goes on once that is done: a schedule of every hour runs
twice in two hours. What runs at that moment, a function or a job, gets SETTLE_SECONDS of real time to come to
its end before time jumps past it.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVarTuple, Unpack

SETTLE_SECONDS = 1.0
"""Real time that work under way has before a jump; what takes longer is overtaken by it."""

CALL_SECONDS = 0.05
"""The same for work that is calls of this process alone: what takes longer waits to be made again."""

QUIET_SECONDS, QUIET_LOOKS = 0.001, 3
"""Nothing is under way where so many looks in a row find nothing: a loop may be about to ask for work."""

STEPS = 100
"""While work is under way a jump stops at timers too, so many times at the most: calls that are made again
after a while come to their end within one jump.
"""

_MARGIN_SECONDS = 0.001

_Ts = TypeVarTuple("_Ts")


class MovedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is moved; it knows when its timers are due."""

    def __init__(self) -> None:
        self._ahead_seconds = 0.0
        self._dues: list[float] = []
        super().__init__()

    def time(self) -> float:
        """Monotonic seconds, with all that was jumped over."""
        return super().time() + self._ahead_seconds

    def jump(self, seconds: float) -> None:
        """Be so much later: timers that are due by then run next."""
        self._ahead_seconds += seconds

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As in asyncio; the moment is remembered."""
        heapq.heappush(self._dues, when)
        return super().call_at(when, callback, *args, context=context)

    def next_timer_seconds(self) -> float:
        """How long until the next timer that is due later; infinite where there is none."""
        now = self.time()
        while self._dues and self._dues[0] <= now:
            heapq.heappop(self._dues)
        return self._dues[0] - now if self._dues else float("inf")


class MovedClock:
    """The wall's clock, ahead by what tests have jumped over."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.ahead_seconds


class Time:
    """`passrole.time`: what time it is for the server, and how to have it later."""

    def __init__(
        self, clock: MovedClock, run: Callable[[Awaitable[None]], None], due: "Callable[[], Awaitable[Due]]"
    ) -> None:
        self._clock = clock
        self._run = run
        self._due = due

    def now(self) -> datetime:
        """The server's time, in UTC."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def advance(self, **duration: float) -> datetime:
        """Be later by `days`, `hours`, `minutes`, `seconds` ..., as timedelta has them; what is due runs.

        It returns once that is done; the new time. Raises ValueError for a time that is over.
        """
        seconds = timedelta(**duration).total_seconds()
        if seconds < 0:
            raise ValueError("time goes forward only: `passrole.time.advance` takes no negative duration")
        self._run(self._advance(seconds))
        return self.now()

    def advance_to(self, moment: datetime) -> datetime:
        """Be at the moment, which has a time zone. Raises ValueError where it is over."""
        return self.advance(seconds=(moment - self.now()).total_seconds())

    async def _advance(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, MovedLoop), "a server for tests runs on a loop whose time can be moved"
        left, overtaken = seconds, set[str]()
        while True:
            due = await self._settled(overtaken)
            at_timer = max(loop.next_timer_seconds(), seconds / STEPS) if due.under_way else left
            step = max(min(left, at_timer, due.next_seconds) + _MARGIN_SECONDS, _MARGIN_SECONDS)
            if left <= 0:
                return
            loop.jump(min(step, left))
            self._clock.ahead_seconds += min(step, left)
            left -= step

    async def _settled(self, overtaken: set[str]) -> "Due":
        """What is still under way or waits, once all else is done; what takes too long is `overtaken`."""
        began, quiet = time.monotonic(), 0
        while True:
            await asyncio.sleep(QUIET_SECONDS)
            due = await self._due()
            waited = time.monotonic() - began
            if waited > CALL_SECONDS:
                overtaken |= due.under_way if waited > SETTLE_SECONDS else due.calls
            quiet = quiet + 1 if due.under_way <= overtaken else 0
            if quiet == QUIET_LOOKS:
                return due


@dataclass(frozen=True)
class Due:
    """Background work: the names of what is `under_way` or due now, and how long until more is due.

    Of what is under way, `calls` run no program and no function.
    """

    under_way: set[str]
    calls: set[str]
    next_seconds: float
