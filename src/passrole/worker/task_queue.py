"""Has tasks of one kind done: takes the rows that are due, a few at a time, and hands each to a handler.

    queue = TaskQueue(store, "event-delivery", deliver, at_once_max=16, clock=steady)
    queue.start(supervisor)

    async def deliver(task: Task) -> Finish | None:     # the work itself, with any awaiting
        ...
        return lambda tx: ...                           # written in the transaction that ends the task

The queue removes the task's row and calls the handler's `Finish` in one transaction; a `Finish` that calls
`tasks.add` under the same key keeps the task for later. Without one the task is done.

- In memory are at most `at_once_max` tasks, one timer for the next that is due, and nothing else.
- A handler that raises, whatever it is, has its task postponed with back-off; the row counts the failures.
- What comes of a task is left out where the task was removed meanwhile, or another node has borrowed its
  shard and does it again.
- A write that the disk refuses is tried again until it succeeds, with the result in hand: the handler is not
  called again for that. A `Finish` that raises something else has the whole task postponed.
- The queue itself looks at the rows at its start, when one was added, when a handler has ended, when the
  next is due, and every WAIT_SECONDS_MAX at the least, so that neither a lost wake-up nor a clock that was
  set strands a row.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from passrole import disk
from passrole.clock import Clock
from passrole.store import Store, Tx, shards, share, tasks
from passrole.store.tasks import Task
from passrole.worker import writes
from passrole.worker.supervisor import Loop, Sleep, Supervisor, backoff_seconds, was_asked_to_end

log = logging.getLogger(__name__)

WAIT_SECONDS_MAX = 30.0


Finish = Callable[[Tx], Any]
Handler = Callable[[Task], Awaitable[Finish | None]]


class TaskQueue:
    """The one consumer of a kind of tasks. `due_seconds_max`: no task is ever due later than that from now;
    what seems to be is left from before the clock was set back, and is brought forward at the start. `stays`:
    what is in hand stays this node's when the shard goes to another one (worker/claimed.py).
    """

    def __init__(
        self,
        store: Store,
        kind: str,
        handler: Handler,
        *,
        at_once_max: int,
        clock: Clock,
        due_seconds_max: float = math.inf,
        grace_seconds: float = 0.0,
        stays: bool = False,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._store = store
        self.kind = kind
        self._handler = handler
        self._at_once_max = at_once_max
        self._clock = clock
        self._due_seconds_max = due_seconds_max
        self._grace_seconds = grace_seconds
        self._stays = stays
        self._sleep = sleep
        self._held: set[str] = set()
        self._may_be_more = True
        self._woken = asyncio.Event()
        self._loop: Loop | None = None

    def start(self, supervisor: Supervisor) -> Loop:
        """Take and do tasks from now on, until the loop that is returned or the supervisor is closed."""
        self._loop = supervisor.start(
            self.kind, self._run, at_once_max=self._at_once_max, grace_seconds=self._grace_seconds
        )
        return self._loop

    async def _run(self) -> None:
        stops = [
            self._store.listen(tasks.channel(self.kind), lambda _: self._woken.set()),
            self._store.listen(share.CHANNEL, lambda _: self._woken.set()),
        ]
        try:
            await self._bring_forward()
            while True:
                self._woken.clear()
                await self._wait(await self._take())
        finally:
            for stop in stops:
                stop()

    async def _bring_forward(self) -> None:
        latest = self._clock() + self._due_seconds_max
        if (
            await self._store.read(lambda tx: tasks.next_due(tx, self.kind, latest, self._store.share.node))
            is not None
        ):
            await self._store.write(lambda tx: tasks.bring_forward(tx, self.kind, latest))

    async def _take(self) -> float:
        """Begin what may begin; how long there is nothing more to begin, in seconds."""
        assert self._loop is not None
        now, free = self._clock(), self._loop.free
        if free <= 0:
            return WAIT_SECONDS_MAX
        # as they are before the read begins: one that ends meanwhile may still be a row of what it sees
        held = frozenset(self._held)
        taken, due = await self._store.read(partial(self._due, now=now, limit=free, held=held))
        self._may_be_more = len(taken) == free
        for task in taken:
            self._held.add(task.key)
            if not self._stays:
                self._store.share.begun(task.key)
            self._loop.spawn(self._do(task)).add_done_callback(self._ended)
        return WAIT_SECONDS_MAX if due is None else min(due - now, WAIT_SECONDS_MAX)

    def _due(self, tx: Tx, now: float, limit: int, held: frozenset[str]) -> tuple[list[Task], float | None]:
        """Those to begin now, and when to look again: not before one ends where the limit is reached."""
        node = self._store.share.node
        taken = tasks.take(tx, self.kind, now, limit, held, node)
        return taken, None if len(taken) == limit else tasks.next_due(tx, self.kind, now, node)

    def _ended(self, _: object) -> None:
        if self._may_be_more:
            self._woken.set()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _do(self, task: Task) -> None:
        try:
            error = await self._failure(task)
            if error is not None:
                await self._write(task, partial(self._postpone, task=task, error=error), is_final=True)
        finally:
            self._held.discard(task.key)
            if not self._stays:
                self._store.share.ended(task.key)

    async def _failure(self, task: Task) -> BaseException | None:
        """Do it, and write what came of it; None where both succeeded."""
        try:
            finish = await self._handler(task)
            await self._write(task, partial(self._finish, task=task, finish=finish))
        except (Exception, asyncio.CancelledError) as error:
            if was_asked_to_end(error):
                raise
            disk.report(log, error, f"`{task.key}` of `{self.kind}`")
            return error
        return None

    def _finish(self, tx: Tx, task: Task, finish: Finish | None) -> None:
        if self._is_mine(tx, task) and tasks.done(tx, self.kind, task.key) and finish is not None:
            finish(tx)

    def _postpone(self, tx: Tx, task: Task, error: BaseException) -> None:
        if self._is_mine(tx, task):
            tasks.postpone(tx, self.kind, task.key, self._clock() + backoff_seconds(task.failures, error))

    def _is_mine(self, tx: Tx, task: Task) -> bool:
        return shards.is_borrowed(tx, task.key, self._store.share.node)

    async def _write(self, task: Task, fn: Finish, *, is_final: bool = False) -> None:
        """Until it is written. Raises what `fn` itself raises, unless nothing could follow (`is_final`)."""
        retried = (Exception,) if is_final else writes.REFUSED
        what = f"`{task.key}` of `{self.kind}`"
        await writes.written(self._store, fn, what, retried=retried, sleep=self._sleep)
