"""The embedded driver: takes commands from the outbox, performs them, and records what came of them.

Knows no AWS (effects.py) and no rules (engine). One process, one event loop. Commands arrive as
notices after the commit that asked for them; those of a process that died are read at the start.

A command leaves the outbox in the transaction that records its fact, so that killing the process at
any moment loses none. An effect that raises what nobody foresaw becomes a failed step with a traceback
in the log. A fact that cannot be recorded (a full disk) is tried again until it can, and its step waits.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from itertools import chain, repeat
from typing import Any

from passrole import disk, history
from passrole.clock import Clock
from passrole.engine.commands import (
    CancelEmrStep,
    Command,
    InvokeFunction,
    ReadJson,
    SendCallback,
    SubmitEmrStep,
)
from passrole.engine.facts import CommandWithdrawn, InputFact
from passrole.history import Task
from passrole.runtimes.turns import Turns
from passrole.services.context import CallOperation
from passrole.store import Store
from passrole.worker.calls import Calls, Sleep
from passrole.worker.effects import Effects
from passrole.worker.emr_monitor import EmrMonitor
from passrole.worker.emr_steps import EmrSteps
from passrole.worker.invocations import Invocations, Slots

log = logging.getLogger(__name__)

AT_ONCE_MAX: dict[type[Command], int] = {
    InvokeFunction: 256,
    SendCallback: 64,
    SubmitEmrStep: 32,
    CancelEmrStep: 32,
    ReadJson: 32,
}
"""Commands under way, a bound for each kind: functions that take minutes must not hold up messages. Within
it executions take turns, and one alone leaves an eighth of it to the others (runtimes/turns.py).
"""

GRACE_SECONDS = 2.0
_RECORD_DELAYS = (0.1, 0.5, 2.0, 5.0)
_RECORD_DELAY_MAX = 30.0
_INTERNAL = "InternalError: The step failed because of an internal error."


class Worker:
    """Performs commands between `start` and `close`."""

    def __init__(
        self, store: Store, door: CallOperation, slots: Slots, clock: Clock, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._store = store
        self._clock = clock
        calls = Calls(door, clock, sleep)
        emr_steps = EmrSteps(calls, clock)
        self._invocations = Invocations(calls, slots, clock, sleep)
        self._effects = Effects(calls, self._invocations, emr_steps, clock)
        self.emr_monitor = EmrMonitor(store, calls, emr_steps, clock)
        self._sleep = sleep
        self._turns: dict[type[Command], Turns[Task]] = {
            kind: Turns(places) for kind, places in AT_ONCE_MAX.items()
        }
        self._taken: set[tuple[str, str]] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._unsubscribe: list[Callable[[], None]] = []
        self._is_closed = False

    async def start(self) -> None:
        """Take over what an earlier process left, and hear of what is new from now on."""
        self._unsubscribe = [
            self._store.listen(history.COMMANDS, self._take),
            self._store.listen(history.WITHDRAWALS, self._withdraw),
        ]
        due, overdue = await self._store.read(history.due_and_overdue)
        self._take(due)
        for task in overdue:
            self._drop(task)

    async def close(self) -> None:
        """Give what is nearly done GRACE_SECONDS; the rest stays in the outbox for the next start."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._is_closed = True
        running = set(self._running)
        if running:
            await asyncio.wait(running, timeout=GRACE_SECONDS)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._invocations.close()

    def _take(self, tasks: tuple[Task, ...]) -> None:
        for task in tasks:
            name = (task.execution, task.key)
            if name not in self._taken:  # `pending` and a notice may both bring it at the start
                self._taken.add(name)
                self._turns[type(task.command)].add(task.execution, task)
        for kind in {type(task.command) for task in tasks}:
            self._fill_slots(kind)

    def _withdraw(self, execution: str) -> None:
        """The execution (its ARN) is stopped, or has reached a Fail step: no function begins any more."""
        for task in self._turns[InvokeFunction].withdraw(execution):
            self._drop(task)
        self._invocations.withdraw(execution)

    def _drop(self, task: Task) -> None:
        """Record that the command is not performed."""
        at, command = self._clock(), task.command
        withdrawn = CommandWithdrawn(at=at, step=command.step, attempt=command.attempt)
        self._begin(self._finish(task, withdrawn))

    def _fill_slots(self, kind: type[Command]) -> None:
        """Begin what may begin; executions take turns."""
        turns = self._turns[kind]
        while not self._is_closed and (following := turns.begin()) is not None:
            execution, task = following
            performed = self._begin(self._settle(task, self._effects.perform(task)))
            performed.add_done_callback(partial(self._free_slot, kind, execution))

    def _free_slot(self, kind: type[Command], execution: str, _performed: "asyncio.Task[None]") -> None:
        self._turns[kind].end(execution)
        self._fill_slots(kind)

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        under_way = asyncio.ensure_future(work)
        self._running.add(under_way)
        under_way.add_done_callback(self._ended)
        return under_way

    def _ended(self, under_way: "asyncio.Task[None]") -> None:
        self._running.discard(under_way)
        if not under_way.cancelled() and under_way.exception() is not None:
            log.error("a command was given up", exc_info=under_way.exception())

    async def _settle(self, task: Task, performed: Awaitable[InputFact]) -> None:
        try:
            fact = await performed
        except Exception:
            log.exception("`%s` of `%s` failed in passrole itself", task.key, task.execution)
            fact = self._effects.failed(task, _INTERNAL)
        await self._finish(task, fact)

    async def _finish(self, task: Task, fact: InputFact) -> None:
        await self._record(task, fact)
        self._taken.discard((task.execution, task.key))

    async def _record(self, task: Task, fact: InputFact) -> None:
        """Until it is written: what happened is never replaced by anything else."""
        for delay in chain(_RECORD_DELAYS, repeat(_RECORD_DELAY_MAX)):
            if await self._is_recorded(task, fact):
                return
            await self._sleep(delay)

    async def _is_recorded(self, task: Task, fact: InputFact) -> bool:
        try:
            await self._store.write(lambda tx: history.advance(tx, task.execution, fact, finished=task.key))
        except history.UnknownExecution:
            log.info("`%s` was deleted while `%s` was under way", task.execution, task.key)
        except Exception as error:
            disk.report(log, error, f"to record the result of `{task.key}` of `{task.execution}`")
            return False
        return True
