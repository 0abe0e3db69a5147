"""What the engine wants done and nobody has finished: tasks of the store, a kind for each command.

A key is `<execution's ARN> <command's key>`, so that the tasks of one execution stand together. Whoever
performs commands listens on the channels of their kinds (`tasks.channel`) and reads the rows. What this
process has just added it need not read: `announced` knows the last of what notices tell of.
"""

import math
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import get_args

from passrole import exact_json, ids
from passrole.arns import ExecutionArn
from passrole.engine import commands
from passrole.engine.commands import Command, PerformedOutside
from passrole.store import Tx, tasks
from passrole.store.share import ALONE


def kind_of(command: type[Command]) -> str:
    """The kind of tasks that these commands are."""
    return f"engine/{command.__name__}"


ANNOUNCED_MAX = 4_096
"""Notices of which is known what they tell of; who hears an older one reads the rows."""

FRESH_SECONDS = 1.0
"""So long after its transaction what a notice tells is taken to be so."""

KINDS = tuple(kind_of(command) for command in get_args(PerformedOutside))
_ALL = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """A command with what it takes to perform it.

    `execution` is the ARN, `role` the ARN of the role to perform it as; `key` names it in `advance`.
    """

    execution: ExecutionArn
    role: str
    key: str
    command: Command


def add(tx: Tx, execution: str, role: str, wanted: Sequence[Command]) -> None:
    """Keep commands and announce them."""
    arn, added = ExecutionArn(execution), dict[str, list[Task]]()
    for command in wanted:
        task = Task(arn, role, commands.key(command), command)
        added.setdefault(kind_of(type(command)), []).append(task)
    for kind, together in added.items():
        rows = [(row_key(task), _body(task)) for task in together]
        tasks.add_in_turns(tx, kind, rows, hint=_ANNOUNCED.put(together))


def announced(key: str) -> list[Task] | None:
    """The tasks of which a notice of this process tells, by its key, once; None where they are not known."""
    return _ANNOUNCED.take(tasks.announced_hint(key))


def remove(tx: Tx, execution: str, key: str) -> None:
    """The command is finished."""
    any(tasks.done(tx, kind, f"{execution} {key}") for kind in KINDS)


def remove_all(tx: Tx, execution: str) -> None:
    """The execution (its ARN) is deleted."""
    for kind in KINDS:
        tasks.discard(tx, kind, f"{execution} ", f"{execution}!")


def take(
    tx: Tx,
    kind: str,
    after: str,
    limit: int,
    room: Callable[[str], int],
    held: Mapping[str, Collection[str]],
    node: int = ALONE,
) -> tuple[list[Task], bool]:
    """Commands of the kind, executions taking turns; see tasks.take_in_turns. `held` are keys of tasks."""
    found, is_all = tasks.take_in_turns(tx, kind, after, limit, room, held, node)
    return [_task(row) for row in found], is_all


def of_execution(tx: Tx, kind: str, execution: str, limit: int, held: Collection[str] = ()) -> list[Task]:
    """Commands of one execution (its ARN)."""
    return [_task(row) for row in tasks.of_party(tx, kind, execution, limit, held)]


def pending(tx: Tx) -> tuple[Task, ...]:
    """Every command that nobody has finished."""
    everything = (take(tx, kind, "", _ALL, lambda _: _ALL, {})[0] for kind in KINDS)
    return tuple(sorted(chain.from_iterable(everything), key=_name))


def row_key(task: Task) -> str:
    """The key of the task in the store."""
    return f"{task.execution} {task.key}"


class _Announced:
    """What notices tell of. A run of a transaction has a hint of its own: that of one that was undone, whose
    notice nobody hears, is forgotten in its turn. A notice that is heard late, as by a server that was
    stopped meanwhile, tells nothing: others may have done what it is about.
    """

    def __init__(self) -> None:
        self._process = ids.request_id()
        self._numbers = count()
        self._tasks: dict[str, tuple[float, list[Task]]] = {}
        self._lock = threading.Lock()

    def put(self, together: list[Task]) -> str:
        """The hint of these."""
        hint = f"{self._process}/{next(self._numbers)}"
        with self._lock:
            if len(self._tasks) >= ANNOUNCED_MAX:
                del self._tasks[next(iter(self._tasks))]
            self._tasks[hint] = time.monotonic(), together
        return hint

    def take(self, hint: str) -> list[Task] | None:
        """Those of the hint, which are forgotten; None where it is unknown, or told too long ago."""
        with self._lock:
            told, together = self._tasks.pop(hint, (-math.inf, None))
        return together if time.monotonic() - told <= FRESH_SECONDS else None


_ANNOUNCED = _Announced()


def _body(task: Task) -> bytes:
    return exact_json.dumps({"role": task.role, "command": commands.to_json(task.command)})


def _name(task: Task) -> tuple[str, str]:
    return task.execution, task.key


def _task(row: tasks.Task) -> Task:
    execution, _, key = row.key.partition(" ")
    body = exact_json.loads(row.body)
    return Task(ExecutionArn(execution), body["role"], key, commands.from_json(body["command"]))
