"""Steps that wait to be tried again: tasks of the store, due at the moment of the next attempt.

The worker takes each when it is due and records RetryDue. One whose step was stopped meanwhile is old news.
"""

from typing import NamedTuple

from passrole.engine.commands import AwaitRetry
from passrole.store import Tx, tasks

KIND = "job-retry"


class Waiting(NamedTuple):
    """The attempt of a step of an execution (its ARN) that is to begin."""

    execution: str
    step: str
    attempt: int


def keep(tx: Tx, execution: str, command: AwaitRetry) -> None:
    """Have the step tried again when it is due."""
    tasks.add(tx, KIND, f"{execution} {command.step}/{command.attempt}", b"", command.due)


def waiting(task: tasks.Task) -> Waiting:
    """What the task is about."""
    execution, _, key = task.key.partition(" ")
    step, _, attempt = key.rpartition("/")
    return Waiting(execution, step, int(attempt))


def forget_all(tx: Tx, execution: str) -> None:
    """The execution (its ARN) is deleted."""
    tasks.discard(tx, KIND, f"{execution} ", f"{execution}!")
