"""Has steps tried again when it is time: the fact RetryDue, for each task that is due."""

from contextlib import suppress

from passrole import history
from passrole.clock import Clock
from passrole.engine.facts import RetryDue
from passrole.history import job_retries
from passrole.store import Store, Tx
from passrole.store.tasks import Task
from passrole.worker.supervisor import Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

AT_ONCE_MAX = 16


class JobRetries:
    """The one consumer of these tasks."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._queue = TaskQueue(store, job_retries.KIND, self._handle, at_once_max=AT_ONCE_MAX, clock=clock)

    def start(self, supervisor: Supervisor) -> None:
        """Take what is due from now on."""
        self._queue.start(supervisor)

    async def _handle(self, task: Task) -> Finish:
        waiting = job_retries.waiting(task)
        fact = RetryDue(at=self._clock(), step=waiting.step, attempt=waiting.attempt)

        def finish(tx: Tx) -> None:
            with suppress(history.UnknownExecution):  # it was deleted meanwhile
                history.advance(tx, waiting.execution, fact)

        return finish
