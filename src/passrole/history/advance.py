"""An execution goes one fact further: decide, and write down everything that follows, or nothing.

Performs no command: `outbox.py` keeps what is to be done, and the worker does it.

One transaction holds the journal's row, the new commands, the callback tokens they carry, the tokens
that are closed, the deletion of the command that was finished, the execution's row in the lists, the EMR
steps that are waited for, and the events that tell of it.
Killed before the commit: the command is still there and will be performed again. After: it is gone,
and its successors are there.
"""

from collections.abc import Iterable

from passrole.definition import CallbackStep, EmrStep, Step
from passrole.engine import Decision, State, decide, is_due
from passrole.engine.commands import SendCallback
from passrole.engine.facts import (
    EmrSubmitted,
    ExecutionEnded,
    ExecutionRetried,
    ExecutionStarted,
    Fact,
    InputFact,
    StepFailed,
    StepStopped,
    StepSucceeded,
    StopRequested,
)
from passrole.history import callbacks, definitions, executions, jobs, journal, outbox, status_events
from passrole.history.executions import ExecutionMetadata
from passrole.history.outbox import Task
from passrole.history.state_cache import Folded
from passrole.store import Tx

WITHDRAWALS = "withdrawals"
"""The channel of executions that start nothing any more; its notices are ARNs."""


def start(tx: Tx, fact: ExecutionStarted, *, definition: str, role: str, metadata: ExecutionMetadata) -> None:
    """Begin an execution as `role` (an ARN); `definition` is the digest of a text that `keep` has kept."""
    executions.add(tx, fact, definition=definition, role=role, metadata=metadata)
    before = journal.unwritten(definitions.find(tx, definition), role)
    decision = decide(before.state, fact)
    assert decision.facts, "an execution can always begin"
    if journal.append(tx, fact.execution_arn, before, decision.facts, decision.state) is None:
        raise RuntimeError(f"execution `{fact.execution_arn}` began twice")
    _record_consequences(tx, fact.execution_arn, before, decision)


def advance(tx: Tx, execution: str, fact: InputFact, *, finished: str | None = None) -> bool:
    """Tell an execution (its ARN) what happened; whether that was news.

    `finished` is the key of the command that the fact answers; it leaves the outbox in any case.
    Raises UnknownExecution.
    """
    if finished is not None:
        outbox.remove(tx, execution, finished)
    while True:
        before = journal.load(tx, execution)
        decision = decide(before.state, fact)
        if not decision.facts:
            return False
        if journal.append(tx, execution, before, decision.facts, decision.state) is not None:
            _record_consequences(tx, execution, before, decision)
            return True


def is_still_due(tx: Tx, task: Task) -> bool:
    """Whether a command that an earlier process left is still to be performed.

    Messages are not whose callback was answered before they were known to be sent, nor functions of
    executions that were stopped. Raises UnknownExecution.
    """
    return is_due(journal.load(tx, task.execution).state, task.command)


def _starts_nothing_more(before: State, after: State) -> bool:
    """Whether the execution has just been stopped, or has reached a Fail step."""
    return (before.status == "Executing" and after.status == "Stopping") or (
        after.fail_step_reached and not before.fail_step_reached
    )


def _record_consequences(tx: Tx, execution: str, before: Folded, decision: Decision) -> None:
    at = decision.facts[0].at
    for command in decision.commands:
        if isinstance(command, SendCallback) and command.status == "Executing":
            callbacks.issue(tx, execution, command, at)
    first = decision.facts[0]
    if isinstance(first, EmrSubmitted):
        jobs.keep(tx, execution, before.role, first.step, decision.state)
    for step, attempt in _ended(CallbackStep, decision.state, decision.facts):
        callbacks.close(tx, execution, step, attempt, at)
    for step, attempt in _ended(EmrStep, decision.state, decision.facts):
        jobs.forget(tx, execution, step, attempt)
    if isinstance(decision.facts[0], StopRequested | ExecutionRetried) or isinstance(
        decision.facts[-1], ExecutionEnded
    ):
        executions.note_status(tx, execution, decision.state)
    if _starts_nothing_more(before.state, decision.state):
        tx.notify(WITHDRAWALS, execution)  # before the commands of this very decision are announced
    outbox.add(tx, execution, before.role, decision.commands)
    status_events.emit(tx, execution, before.state, decision)


def _ended(kind: type[Step], state: State, happened: Iterable[Fact]) -> Iterable[tuple[str, int]]:
    """Steps of a type that are over; one that failed before it had begun outside is among them."""
    for fact in happened:
        if isinstance(fact, StepSucceeded | StepFailed | StepStopped) and isinstance(
            state.pipeline.steps[fact.step], kind
        ):
            yield fact.step, fact.attempt
