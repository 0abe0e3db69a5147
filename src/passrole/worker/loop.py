"""The loop of the engine commands: takes them from their rows, performs them, records what came of them.

Knows no AWS (effects.py), no rules (engine) and no turns (command_queue.py). One process, one event loop. It
looks at the rows at the start, when a notice says that a commit asked for something, when there is room
again, and every LOOK_SECONDS at the least, so that no lost notice strands a command.

A command leaves the outbox in the transaction that records its fact, so that killing the process at
any moment loses none. An effect that raises what nobody foresaw becomes a failed step with a traceback
in the log. A fact that cannot be recorded (a full disk) is tried again until it can, and its step waits.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Sequence
from functools import partial
from itertools import chain, repeat

from passrole import disk, history
from passrole.clock import Clock
from passrole.engine.commands import (
    AnswerStub,
    CancelJob,
    Command,
    CreateResource,
    FindBaseline,
    InvokeFunction,
    ReadJson,
    SendCallback,
    SubmitJob,
)
from passrole.engine.facts import CommandWithdrawn, EffectFailed, InputFact, LambdaTimedOut
from passrole.history import Task
from passrole.log_format import about
from passrole.services.context import CallOperation
from passrole.store import Store, Tx, shards, share
from passrole.worker import writes
from passrole.worker.calls import Calls, Sleep
from passrole.worker.command_queue import CommandQueue
from passrole.worker.effects import AskTest, Effects
from passrole.worker.invocations import Due, Invocations, Slots
from passrole.worker.job_monitor import JobMonitor
from passrole.worker.job_retries import JobRetries
from passrole.worker.job_steps.table import job_steps
from passrole.worker.supervisor import Loop, Supervisor, backoff_seconds, longest_seconds

log = logging.getLogger(__name__)

AT_ONCE_MAX: dict[type[Command], int] = {
    InvokeFunction: 256,
    SendCallback: 64,
    SubmitJob: 32,
    CancelJob: 32,
    CreateResource: 32,
    ReadJson: 32,
    FindBaseline: 32,
    AnswerStub: 32,
}
"""Commands under way, a bound for each kind: functions that take minutes must not hold up messages. Within
it executions take turns, and one alone leaves an eighth of it to the others (runtimes/turns.py).
"""

LOOP = "engine commands"
"""The name of the loop."""

GRACE_SECONDS = 2.0
LOOK_SECONDS = 30.0
WITHDRAWN_AT_ONCE = 256
_RECORD_DELAYS = (0.1, 0.5, 2.0, 5.0)
_RECORD_DELAY_MAX = 30.0
_NOT_DONE = (CommandWithdrawn, EffectFailed, LambdaTimedOut)
_INTERNAL = "InternalError: The step failed because of an internal error."


class Worker:
    """Performs commands between `start` and `close`."""

    def __init__(
        self,
        store: Store,
        door: CallOperation,
        slots: Slots,
        clock: Clock,
        *,
        sleep: Sleep = asyncio.sleep,
        ask_test: AskTest | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        calls = Calls(door, clock, sleep)
        steps = job_steps(calls, clock)
        self._invocations = Invocations(calls, slots, self._due_of, clock, sleep)
        self._effects = Effects(calls, self._invocations, steps, clock, self._is_due_after_all, ask_test)
        self.job_monitor = JobMonitor(store, steps, clock)
        self.job_retries = JobRetries(store, clock)
        self._sleep = sleep
        self._queues = {
            command: CommandQueue(store, command, places, clock) for command, places in AT_ONCE_MAX.items()
        }
        self._woken = asyncio.Event()
        self._looked_at = -math.inf
        self._withdrawn: deque[tuple[str, list[Task]]] = deque()
        self._supervisor = Supervisor()
        self._loop: Loop | None = None

    async def start(self, supervisor: Supervisor | None = None) -> None:
        """Perform what is to be done from now on, under supervision."""
        self._loop = (supervisor or self._supervisor).start(
            LOOP,
            self._run,
            at_once_max=sum(AT_ONCE_MAX.values()),
            grace_seconds=GRACE_SECONDS,
        )

    async def close(self) -> None:
        """Give what is nearly done GRACE_SECONDS; the rest are rows for the next start."""
        if self._loop is not None:
            await self._loop.stop()
        await self._invocations.close()

    async def _run(self) -> None:
        stops = [self._store.listen(history.WITHDRAWALS, self._withdraw)]
        stops += [
            self._store.listen(queue.channel, partial(self._wake, queue)) for queue in self._queues.values()
        ]
        stops.append(self._store.listen(share.CHANNEL, self._begin_anew))
        self._begin_anew()  # nothing was heard until now
        self._looked_at = -math.inf
        try:
            while True:
                self._woken.clear()
                await self._look_again()
                while self._withdrawn:
                    await self._drop_withdrawn()
                for queue in self._queues.values():
                    await self._look(queue)
                await self._wait()
        finally:
            for stop in stops:
                stop()

    def _wake(self, queue: CommandQueue, key: str) -> None:
        announced = history.outbox.announced(key)
        if announced and queue.accept(announced):
            self._fill_slots(queue)
        else:
            queue.should_look = True
            self._woken.set()

    def _begin_anew(self, _: str = "") -> None:
        """This node has a shard more: what another one has left of it is looked at as after a start. Or one
        less: what waits here for its turn is another one's.
        """
        for queue in self._queues.values():
            queue.begin_anew()
        self._woken.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            self._looked_at = -math.inf

    async def _look_again(self) -> None:
        """At the start, and then LOOK_SECONDS after the last time: at what notices may not have told of."""
        now = self._clock()
        if 0.0 <= now - self._looked_at < LOOK_SECONDS:
            return
        for queue in self._queues.values():
            queue.should_look = True
        waiting = {*self._queues[InvokeFunction].waiting, *self._invocations.waiting}
        for execution in await self._store.read(lambda tx: history.starting_nothing_more(tx, waiting)):
            self._withdraw(execution)
        self._looked_at = now

    async def _look(self, queue: CommandQueue) -> None:
        if not queue.should_look:
            return
        overdue: list[Task] = []
        taken = await queue.look()
        if not queue.is_caught_up:
            overdue = [task for task in taken if not await self._is_due(task)]
            taken = [task for task in taken if task not in overdue]
        queue.add(taken)
        self._fill_slots(queue)
        if await self._drop(overdue):
            queue.should_look = True  # there may be more of them
        if queue.should_look:
            self._woken.set()

    def _withdraw(self, execution: str) -> None:
        """The execution (its ARN) is stopped, or has reached a Fail step: no function begins any more."""
        self._withdrawn.append((execution, self._queues[InvokeFunction].withdraw(execution)))
        self._invocations.withdraw(execution)
        self._woken.set()

    async def _drop_withdrawn(self) -> None:
        """Those in memory, then those that are rows only, so many at once: what another server has in hand is
        a row here, and its to end.
        """
        queue = self._queues[InvokeFunction]
        execution, in_memory = self._withdrawn[0]
        if await self._drop(in_memory) < len(in_memory):
            queue.should_look = True
        while in_memory:
            queue.forget(in_memory.pop())
        while self._store.share.has(execution) and (rows := await queue.rows(execution, WITHDRAWN_AT_ONCE)):
            if not await self._drop([task for task in rows if not await self._is_due(task)]):
                break
        self._withdrawn.popleft()

    async def _is_due(self, task: Task) -> bool:
        try:
            return await self._store.read(lambda tx: history.is_still_due(tx, task))
        except history.UnknownExecution:  # it was deleted, and so were its rows
            return False

    def _due_of(self, task: Task) -> Due:
        known = self._queues[type(task.command)].known_due(task)
        return Due(known, partial(self._is_due_after_all, task))

    async def _is_due_after_all(self, task: Task) -> bool:
        """Whether it is, and this server's to perform; as soon as the store answers."""
        failures = 0
        while True:
            try:
                return await self._store.read(lambda tx: self._is_ours(tx, task)) and await self._is_due(task)
            except writes.REFUSED as error:
                await self._sleep(backoff_seconds(failures, error))
                failures += 1

    async def _drop(self, withdrawn: Sequence[Task]) -> int:
        """Record that commands are not performed; of how many it was this server's to say."""
        told = (self._record(task, self._effects.withdrawn(task)) for task in withdrawn)
        return sum(await asyncio.gather(*told))

    def _fill_slots(self, queue: CommandQueue) -> None:
        """Begin what may begin."""
        assert self._loop is not None
        while self._loop.free > 0 and (task := queue.begin()) is not None:
            performed = self._loop.spawn(self._perform(queue, task))
            performed.add_done_callback(lambda _: self._fill_slots(queue))

    async def _perform(self, queue: CommandQueue, task: Task) -> None:
        try:
            with about(execution=task.execution):
                counts = await self._settle(task, self._effects.perform(task))
            queue.should_look = queue.should_look or not counts  # it may be this server's again
        finally:
            queue.end(task)
            if queue.should_look:
                self._woken.set()

    async def _settle(self, task: Task, performed: Awaitable[InputFact]) -> bool:
        try:
            fact = await performed
        except Exception:
            log.exception("`%s` of `%s` failed in passrole itself", task.key, task.execution)
            fact = self._effects.failed(task, _INTERNAL)
        return await self._record(task, fact)

    async def _record(self, task: Task, fact: InputFact) -> bool:
        """Until it is written: what happened is never replaced by anything else. Whether it counts."""
        for delay in chain(_RECORD_DELAYS, repeat(_RECORD_DELAY_MAX)):
            try:
                return await self._store.write(partial(self._advance, task=task, fact=fact))
            except history.UnknownExecution:
                log.info("`%s` was deleted while `%s` was under way", task.execution, task.key)
                return True
            except Exception as error:
                disk.report(log, error, f"to record the result of `{task.key}` of `{task.execution}`")
                pause = min(delay, longest_seconds(error, _RECORD_DELAY_MAX))
            await self._sleep(pause)
        raise AssertionError("the delays never end")

    def _advance(self, tx: Tx, task: Task, fact: InputFact) -> bool:
        """Whether the fact counts. What was done does, whoever did it; what was not is told by the command's
        server alone, since another one may be about to do it. Nothing that is still due is withdrawn: its
        shard was another server's when that was asked.
        """
        if isinstance(fact, _NOT_DONE) and not self._is_ours(tx, task):
            return False
        if isinstance(fact, CommandWithdrawn) and history.is_still_due(tx, task):
            return False
        history.advance(tx, task.execution, fact, finished=task.key)
        return True

    def _is_ours(self, tx: Tx, task: Task) -> bool:
        own = self._store.share
        return own.is_whole or shards.is_borrowed(tx, task.execution, own.node)
