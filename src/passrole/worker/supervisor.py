"""The only module that makes asyncio tasks which live long: starts, restarts, bounds, logs and closes them.

    supervisor = Supervisor()
    loop = supervisor.start("housekeeping", housekeeping.run)   # `run` is `async def run(self) -> None`
    loop.spawn(work())          # a short piece of work that belongs to the loop
    await loop.stop()           # this loop alone, as when a mapping is disabled
    await supervisor.close()    # all of them, the last started first

A loop that raises is logged by its name and started again, after a second at first and after
RESTART_SECONDS_MAX at last, or PASSING_SECONDS_MAX where the disk or the database is the reason; one that
ran for HEALTHY_SECONDS begins with a second again. That is so for every exception, also for a CancelledError
that comes out of something that the loop awaited. A loop that returns has ended. Whatever a spawned
piece of work raises is logged, and ends neither the loop nor its other work.

It knows neither rows nor services. For rows with a due time see task_queue.py.
"""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from passrole import disk

log = logging.getLogger(__name__)

RESTART_SECONDS, RESTART_SECONDS_MAX = 1.0, 60.0
PASSING_SECONDS_MAX = 5.0
"""Where a database is away or a disk is full: everything waits for its end, and to ask costs little."""

HEALTHY_SECONDS = 60.0

Run = Callable[[], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]


def backoff_seconds(failures: int, error: BaseException | None = None) -> float:
    """How long to wait after so many failures in a row, the first of which is 0; `error` is the last."""
    longest = RESTART_SECONDS_MAX if error is None else longest_seconds(error, RESTART_SECONDS_MAX)
    return min(RESTART_SECONDS * 2.0 ** min(failures, 30), longest)


def longest_seconds(error: BaseException, otherwise: float) -> float:
    """How long to wait at most after an error."""
    return min(PASSING_SECONDS_MAX, otherwise) if disk.passes(error) else otherwise


class Loop:
    """A loop under supervision, and the pieces of work that it has spawned."""

    def __init__(self, name: str, at_once_max: int, grace_seconds: float) -> None:
        self.name = name
        self._at_once_max = at_once_max
        self._grace_seconds = grace_seconds
        self._work: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._is_restarting = False

    @property
    def is_running(self) -> bool:
        """Whether it does its work, and does not wait to be started again."""
        return not (self._is_stopped or self._is_restarting)

    @property
    def free(self) -> int:
        """How many more pieces of work may be spawned now."""
        return 0 if self._is_stopped else self._at_once_max - len(self._work)

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begin a piece of work. Raises RuntimeError where none is `free`."""
        if self.free <= 0:
            work.close()
            raise RuntimeError(f"no more than {self._at_once_max} pieces of work of `{self.name}` at once")
        task = asyncio.create_task(work, name=self.name, context=contextvars.Context())
        self._work.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self, again_seconds: float | None = None) -> None:
        """End the loop, give its work `grace_seconds`, and cancel the rest.

        A loop that waits for others when it is cancelled is cancelled again after `again_seconds`, and so on.
        """
        self._is_stopped = True
        while again_seconds and self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=again_seconds)
        await _cancelled(self._task)
        if self._work and self._grace_seconds:
            await asyncio.wait(self._work, timeout=self._grace_seconds)
        await _cancelled(*self._work)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            disk.report(log, error, f"work of `{self.name}`")


class Supervisor:
    """Starts loops and closes them; `sleep` and `now` (monotonic seconds) are for tests."""

    def __init__(self, *, sleep: Sleep = asyncio.sleep, now: Callable[[], float] | None = None) -> None:
        self._sleep = sleep
        self._now = now
        self._loops: list[Loop] = []

    def start(self, name: str, run: Run, *, at_once_max: int = 0, grace_seconds: float = 0.0) -> Loop:
        """Run the loop from now on; `at_once_max` bounds the work that it spawns."""
        loop = Loop(name, at_once_max, grace_seconds)
        self._loops = [each for each in self._loops if not _has_ended(each)]
        self._loops.append(loop)
        context = contextvars.Context()  # a loop that a call starts is not about that call
        loop._task = asyncio.create_task(self._supervised(loop, run), name=name, context=context)
        return loop

    def running(self) -> dict[str, bool]:
        """Whether each loop runs, by its name; of several of one name, whether all do."""
        found: dict[str, bool] = {}
        for loop in self._loops:
            if not _has_ended(loop):
                found[loop.name] = loop.is_running and found.get(loop.name, True)
        return found

    async def close(self) -> None:
        """Stop every loop, one after the other, the last started first."""
        while self._loops:
            await self._loops.pop().stop()

    async def _supervised(self, loop: Loop, run: Run) -> None:
        now = self._now or asyncio.get_running_loop().time
        failures = 0
        while True:
            began = now()
            try:
                await run()
            except (Exception, asyncio.CancelledError) as error:
                if loop._is_stopped or was_asked_to_end(error):
                    raise
                disk.report(log, error, f"the loop `{loop.name}`")
                last = error
            else:
                return
            failures = 0 if now() - began >= HEALTHY_SECONDS else failures
            loop._is_restarting = True
            await self._sleep(backoff_seconds(failures, last))
            loop._is_restarting = False
            failures += 1


def was_asked_to_end(error: BaseException) -> bool:
    """Whether the error cancels the current task itself, and is not one that came out of what it awaited."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _has_ended(loop: Loop) -> bool:
    return loop._task is not None and loop._task.done() and not loop._work


async def _cancelled(*tasks: "asyncio.Task[None] | None") -> None:
    """Cancel tasks and wait until they have ended."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
