"""What the engine wants done and nobody has finished.

A command that is added is announced on the channel COMMANDS once its transaction is durable; whoever
performs commands first reads `pending`, for those that were announced to a process that is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from passrole import exact_json
from passrole.engine import commands
from passrole.engine.commands import Command
from passrole.store import Tx

COMMANDS = "commands"
"""Its notices are tuples of Task."""


@dataclass(frozen=True, slots=True)
class Task:
    """A command with what it takes to perform it.

    `execution` is the ARN, `role` the ARN of the role to perform it as; `key` names it in `advance`.
    """

    execution: str
    role: str
    key: str
    command: Command


def add(tx: Tx, execution: str, role: str, wanted: Sequence[Command]) -> None:
    """Keep commands and announce them."""
    if not wanted:
        return
    tasks = tuple(Task(execution, role, commands.key(command), command) for command in wanted)
    tx.run_many(
        "INSERT INTO outbox (execution, key, command) VALUES (?, ?, ?)",
        [(task.execution, task.key, exact_json.dumps(commands.to_json(task.command))) for task in tasks],
    )
    tx.notify(COMMANDS, tasks)


def remove(tx: Tx, execution: str, key: str) -> None:
    """The command is finished."""
    tx.run("DELETE FROM outbox WHERE execution = ? AND key = ?", execution, key)


def pending(tx: Tx) -> tuple[Task, ...]:
    """Every command that nobody has finished."""
    rows = tx.all(
        "SELECT o.execution, e.role, o.key, o.command FROM outbox o JOIN executions e USING (execution)"
    )
    return tuple(
        Task(execution, role, key, commands.from_json(exact_json.loads(command)))
        for execution, role, key, command in rows
    )
