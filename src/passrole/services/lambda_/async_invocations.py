"""Asynchronous invocations as they wait: a task before the 202 is sent, gone when the event is handled.

Who runs them, how often, and where their outcome goes: worker/async_invocations.py.
"""

from dataclasses import dataclass

import orjson

from passrole.runtimes.interface import Invocation
from passrole.store import Tx, tasks
from passrole.store.tasks import Task

KIND = "async-invocation"


@dataclass(frozen=True)
class AsyncInvocation:
    """One event that waits. `function` is the function's key; `since` is epoch seconds; `arn` is the
    function as it was addressed, with `qualifier`, if there was one. `attempts` have failed so far.
    """

    function: str
    request_id: str
    event: str
    since: float
    arn: str = ""
    qualifier: str | None = None
    attempts: int = 0


def enqueue(tx: Tx, function: str, qualifier: str | None, invocation: Invocation, now: float) -> None:
    """Have the function under this key run soon after this transaction."""
    waiting = AsyncInvocation(
        function, invocation.request_id, invocation.payload.decode(), now, invocation.arn, qualifier
    )
    keep(tx, f"{now:017.6f}/{invocation.request_id}", waiting, now)


def keep(tx: Tx, key: str, invocation: AsyncInvocation, due: float) -> None:
    """Have it tried when it is due, epoch seconds."""
    tasks.add(tx, KIND, key, orjson.dumps(invocation), due)


def read(task: Task) -> AsyncInvocation:
    """What the task keeps."""
    fields = orjson.loads(task.body)
    fields.pop("due", None)  # rows of schema 2 have it in their body
    return AsyncInvocation(**fields)
