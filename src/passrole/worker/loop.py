"""The embedded driver: takes commands from the outbox, performs them, and records what came of them.

Knows no AWS (effects.py) and no rules (engine). One process, one event loop. Commands arrive as
notices after the commit that asked for them; those of a process that died are read at the start.

A command leaves the outbox in the transaction that records its fact, so that killing the process at
any moment loses none. An effect that raises what nobody foresaw becomes a failed step with a traceback
in the log. A fact that cannot be recorded (a full disk) is tried again until it can.
"""

import asyncio
import logging
from collections import deque
from functools import partial

from passrole import history
from passrole.clock import Clock
from passrole.engine.commands import (
    CancelEmrStep,
    Command,
    InvokeFunction,
    ReadJson,
    SendCallback,
    SubmitEmrStep,
)
from passrole.engine.facts import InputFact
from passrole.history import Task
from passrole.store import Store
from passrole.worker.calls import Calls, Sleep, WorkerDoor
from passrole.worker.effects import Effects
from passrole.worker.emr_steps import EmrSteps
from passrole.worker.watch import EmrWatch

log = logging.getLogger(__name__)

AT_ONCE_MAX: dict[type[Command], int] = {
    InvokeFunction: 256,
    SendCallback: 64,
    SubmitEmrStep: 32,
    CancelEmrStep: 32,
    ReadJson: 32,
}
"""Commands under way, a bound for each kind: functions that take minutes must not hold up messages."""

GRACE_SECONDS = 2.0
_RECORD_DELAYS = (0.1, 0.5, 2.0, 5.0)
_RECORD_DELAY_MAX = 30.0
_INTERNAL = "InternalError: The step failed because of an internal error."


class Worker:
    """Performs commands between `start` and `close`."""

    def __init__(self, store: Store, door: WorkerDoor, clock: Clock, *, sleep: Sleep = asyncio.sleep) -> None:
        self._store = store
        calls = Calls(door, clock, sleep)
        emr_steps = EmrSteps(calls, clock)
        self._effects = Effects(calls, emr_steps, clock, sleep)
        self._watch = EmrWatch(store, calls, emr_steps, clock)
        self._sleep = sleep
        self._waiting: dict[type[Command], deque[Task]] = {kind: deque() for kind in AT_ONCE_MAX}
        self._taken: set[tuple[str, str]] = set()
        self._running: dict[type[Command], set[asyncio.Task[None]]] = {kind: set() for kind in AT_ONCE_MAX}
        self._stop_listening = _nothing

    async def start(self) -> None:
        """Take over what an earlier process left, and hear of what is new from now on."""
        self._stop_listening = self._store.listen(history.COMMANDS, self._take)
        self._take(await self._store.read(history.pending))
        await self._watch.start()

    async def close(self) -> None:
        """Give what is nearly done GRACE_SECONDS; the rest stays in the outbox for the next start."""
        self._stop_listening()
        await self._watch.close()
        for waiting in self._waiting.values():
            waiting.clear()
        running = set[asyncio.Task[None]]().union(*self._running.values())
        if running:
            await asyncio.wait(running, timeout=GRACE_SECONDS)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._effects.close()

    def _take(self, tasks: tuple[Task, ...]) -> None:
        for task in tasks:
            name = (task.execution, task.key)
            if name not in self._taken:  # `pending` and a notice may both bring it at the start
                self._taken.add(name)
                self._waiting[type(task.command)].append(task)
        for kind in {type(task.command) for task in tasks}:
            self._begin_what_may_begin(kind)

    def _begin_what_may_begin(self, kind: type[Command]) -> None:
        waiting, running = self._waiting[kind], self._running[kind]
        while waiting and len(running) < AT_ONCE_MAX[kind]:
            under_way = asyncio.ensure_future(self._carry_out(waiting.popleft()))
            running.add(under_way)
            under_way.add_done_callback(partial(self._ended, kind))

    def _ended(self, kind: type[Command], under_way: "asyncio.Task[None]") -> None:
        self._running[kind].discard(under_way)
        if not under_way.cancelled() and under_way.exception() is not None:
            log.error("a command was given up", exc_info=under_way.exception())
        self._begin_what_may_begin(kind)

    async def _carry_out(self, task: Task) -> None:
        try:
            fact = await self._effects.perform(task)
        except Exception:
            log.exception("`%s` of `%s` failed in passrole itself", task.key, task.execution)
            fact = self._effects.failed(task, _INTERNAL)
        await self._record(task, fact)
        self._taken.discard((task.execution, task.key))

    async def _record(self, task: Task, fact: InputFact) -> None:
        """Patiently the fact itself, then for ever that the step failed."""
        for delay in _RECORD_DELAYS:
            if await self._is_recorded(task, fact):
                return
            await self._sleep(delay)
        while not await self._is_recorded(task, self._effects.failed(task, _INTERNAL)):
            await self._sleep(_RECORD_DELAY_MAX)

    async def _is_recorded(self, task: Task, fact: InputFact) -> bool:
        try:
            await self._store.write(lambda tx: history.advance(tx, task.execution, fact, finished=task.key))
        except history.UnknownExecution:
            log.info("`%s` was deleted while `%s` was under way", task.execution, task.key)
        except Exception:
            log.exception("what came of `%s` of `%s` cannot be recorded", task.key, task.execution)
            return False
        return True


def _nothing() -> None:
    """Nobody listens yet."""
