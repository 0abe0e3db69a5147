"""An execution goes one fact further: decide, and write down everything that follows, or nothing.

Performs no command: `outbox.py` keeps what is to be done, and the worker does it.

One transaction holds the journal's row, the new commands, the callback tokens they carry, the tokens
that are closed, the deletion of the command that was finished, the execution's row in the lists, the jobs
that are waited for, and the events that tell of it. What the store itself can answer, the search for a result
that may be taken over, is answered in the same transaction.
Killed before the commit: the command is still there and will be performed again. After: it is gone,
and its successors are there.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias, get_args

from passrole.definition import CallbackStep
from passrole.engine import Decision, State, decide, is_due
from passrole.engine.commands import AwaitRetry, Command, SearchCache, SendCallback
from passrole.engine.facts import (
    ExecutionEnded,
    ExecutionRetried,
    ExecutionStarted,
    InputFact,
    JobSubmitted,
    StepFailed,
    StepRetrying,
    StepStopped,
    StepSucceeded,
    StopRequested,
)
from passrole.engine.kinds import JOB_TYPES
from passrole.engine.stubs import is_stubbed
from passrole.history import (
    cached_results,
    callbacks,
    definitions,
    executions,
    job_retries,
    jobs,
    journal,
    outbox,
    status_events,
)
from passrole.history.executions import ExecutionMetadata
from passrole.history.outbox import Task
from passrole.history.state_cache import Folded
from passrole.store import Tx
from passrole.store.interface import OWN
from passrole.store.measurements import key_of

WITHDRAWALS = "withdrawals"
"""The channel of executions that start nothing any more; its notices are ARNs."""

STEP_ENDS = f"{OWN}step-ends"
"""The channel of steps that ended by a decision of this process; its keys are of StepEnds."""

EXECUTION_ENDS = f"{OWN}execution-ends"
"""The channel of executions that ended by a decision of this process; its keys are of ExecutionEnds."""

CHANGES = "execution-changes"
"""The channel of executions to which something happened; its notices are ARNs."""


class StepEnd(NamedTuple):
    """That a step ended: its type, how (Succeeded, Failed or Stopped, as AWS says), and how long it took."""

    type_: str
    end: str
    seconds: float


class ExecutionEnd(NamedTuple):
    """That an execution ended. `seconds` are those since it began, also if it was retried since."""

    status: str
    seconds: float


def start(tx: Tx, fact: ExecutionStarted, *, definition: str, role: str, metadata: ExecutionMetadata) -> None:
    """Begin an execution as `role` (an ARN); `definition` is the digest of a text that `keep` has kept."""
    executions.add(tx, fact, definition=definition, role=role, metadata=metadata)
    before = journal.unwritten(definitions.find(tx, definition), role)
    decision = decide(before.state, fact)
    assert decision.facts, "an execution can always begin"
    if journal.append(tx, fact.execution_arn, before, decision.facts, decision.state) is None:
        raise RuntimeError(f"execution `{fact.execution_arn}` began twice")
    _record_consequences(tx, fact.execution_arn, before, decision)
    _answer_searches(tx, fact.execution_arn, decision)


def advance(tx: Tx, execution: str, fact: InputFact, *, finished: str | None = None) -> bool:
    """Tell an execution (its ARN) what happened; whether that was news.

    `finished` is the key of the command that the fact answers; it leaves the outbox in any case.
    Raises UnknownExecution.
    """
    if finished is not None:
        outbox.remove(tx, execution, finished)
    asked = _advanced(tx, execution, fact)
    _answer_searches(tx, execution, asked)
    return asked is not None


def is_still_due(tx: Tx, task: Task) -> bool:
    """Whether a command that an earlier process left is still to be performed.

    Messages are not whose callback was answered before they were known to be sent, nor functions of
    executions that were stopped. Raises UnknownExecution.
    """
    return is_due(journal.load(tx, task.execution).state, task.command)


def starting_nothing_more(tx: Tx, arns: Iterable[str]) -> list[str]:
    """Those of the executions that are stopped, over, or have reached a Fail step; not those deleted."""
    return [arn for arn in arns if _is_ending(tx, arn)]


def _is_ending(tx: Tx, execution: str) -> bool:
    try:
        state = journal.load(tx, execution).state
    except journal.UnknownExecution:
        return False
    return state.status != "Executing" or state.fail_step_reached


def _starts_nothing_more(before: State, after: State) -> bool:
    """Whether the execution has just been stopped, or has reached a Fail step."""
    return (before.status == "Executing" and after.status == "Stopping") or (
        after.fail_step_reached and not before.fail_step_reached
    )


def _advanced(tx: Tx, execution: str, fact: InputFact) -> Decision | None:
    """What was decided and written down; None where the fact was no news."""
    while True:
        before = journal.load(tx, execution)
        decision = decide(before.state, fact)
        if not decision.facts:
            return None
        if journal.append(tx, execution, before, decision.facts, decision.state) is not None:
            _record_consequences(tx, execution, before, decision)
            return decision


def _answer_searches(tx: Tx, execution: str, decision: Decision | None) -> None:
    """Each answer is a fact, behind which a step may ask that waited for one that was taken over.

    An earlier execution is read once, however many of its results are taken over.
    """
    sources: dict[str, Folded] = {}
    asking = [decision] if decision else []
    for each in asking:
        for command in each.commands:
            if isinstance(command, SearchCache):
                found = cached_results.search(tx, each.state, command, each.facts[0].at, sources)
                following = _advanced(tx, execution, found)
                asking += [following] if following else []


def _record_consequences(tx: Tx, execution: str, before: Folded, decision: Decision) -> None:
    first, last = decision.facts[0], decision.facts[-1]
    tx.notify(CHANGES, execution)
    _keep_commands(tx, execution, before, decision)
    if isinstance(first, JobSubmitted):
        jobs.keep(tx, execution, before.role, decision.state.steps[first.step])
    for fact in decision.facts:
        if isinstance(fact, _ENDINGS):
            _forget_waiting(tx, execution, decision.state, fact)
        if isinstance(fact, StepSucceeded | StepFailed | StepStopped):
            tx.notify(STEP_ENDS, key_of(_step_end(decision.state, fact)))
    if isinstance(last, ExecutionEnded) and (origin := decision.state.origin) is not None:
        tx.notify(EXECUTION_ENDS, key_of(ExecutionEnd(last.status, max(0.0, last.at - origin.at))))
    if isinstance(first, StopRequested | ExecutionRetried) or isinstance(last, ExecutionEnded):
        executions.note_status(tx, execution, decision.state)
    status_events.emit(tx, execution, before.state, decision)


def _step_end(state: State, fact: StepSucceeded | StepFailed | StepStopped) -> StepEnd:
    step = state.steps[fact.step]
    seconds = max(0.0, fact.at - (step.started_at or fact.at))
    return StepEnd(step.step.type_, type(fact).__name__.removeprefix("Step"), seconds)


def _keep_commands(tx: Tx, execution: str, before: Folded, decision: Decision) -> None:
    at = decision.facts[0].at
    outside: list[Command] = []
    for command in decision.commands:
        if isinstance(command, AwaitRetry):
            job_retries.keep(tx, execution, command)
        elif not isinstance(command, SearchCache):
            outside.append(command)
        if isinstance(command, SendCallback) and command.status == "Executing":
            callbacks.issue(tx, execution, command, at)
    if _starts_nothing_more(before.state, decision.state):
        tx.notify(WITHDRAWALS, execution)  # before the commands of this very decision are announced
    outbox.add(tx, execution, before.role, outside)


def _forget_waiting(tx: Tx, execution: str, state: State, fact: "_Ending") -> None:
    """What was waited for; a step that failed before it had begun outside waited for nothing. A result that
    others may take over is kept.
    """
    kind = type(state.steps[fact.step].step)
    if kind is CallbackStep:
        callbacks.close(tx, execution, fact.step, fact.attempt, fact.at)
    if kind in JOB_TYPES:
        jobs.forget(tx, execution, fact.step, fact.attempt)
        if isinstance(fact, StepSucceeded) and fact.cached_from is None and not is_stubbed(state, fact.step):
            cached_results.keep(tx, execution, state, fact.step, fact.at)


_Ending: TypeAlias = StepSucceeded | StepFailed | StepStopped | StepRetrying
_ENDINGS = get_args(_Ending)
