"""What a step's attempts were asked to do and what came of each: the journal, decided again.

The journal has no commands, but the same facts give the same commands, so what was sent is what is decided
again. Callback tokens are left out: they are for who holds them. Changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from passrole import exact_json
from passrole.definition import Pipeline
from passrole.engine import begin, decide, facts
from passrole.engine.commands import Command, CreateResource, InvokeFunction, SendCallback, SubmitJob
from passrole.engine.state import State, apply
from passrole.history import definitions
from passrole.history.journal import UnknownExecution
from passrole.store import Tx

Row: TypeAlias = bytes


@dataclass(slots=True)
class Attempt:
    """One attempt of a step. Moments in epoch seconds; `ended` is None while it runs.

    `sent` is what was asked of a service, `received` its last answer, `handle` names the job.
    """

    number: int
    began: float
    status: str = "Executing"
    ended: float | None = None
    reason: str | None = None
    sent: list[Mapping[str, Any]] = field(default_factory=list)
    handle: Mapping[str, Any] = field(default_factory=dict)
    received: Any = None
    retry_due: float | None = None


def rows(tx: Tx, execution: str) -> tuple[Pipeline, list[Row]]:
    """The pipeline and the journal of an execution. Raises UnknownExecution."""
    found = tx.one("SELECT definition FROM executions WHERE execution = ?", execution)
    if found is None:
        raise UnknownExecution(execution)
    sql = "SELECT facts FROM journal WHERE execution = ? ORDER BY seq"
    return definitions.find(tx, found[0]).pipeline, [row[0] for row in tx.all(sql, execution)]


def attempts(pipeline: Pipeline, journal: Sequence[Row], step: str) -> list[Attempt]:
    """The attempts of a step, the first one first; none of a step that has not begun."""
    found: dict[int, Attempt] = {}
    state, mark = begin(pipeline), exact_json.dumps({"step": step})[1:-1]
    last = max((number for number, row in enumerate(journal) if mark in row), default=-1)
    for row in journal[: last + 1]:  # what happened after the step is not read
        happened = [facts.from_json(each) for each in exact_json.loads(row)]
        commands = _decided(state, happened[0], step) if mark in row else ()
        for fact in happened:
            apply(state, fact)
            if getattr(fact, "step", None) == step:
                _note(found, fact)
        for command in commands:
            _note_sent(found, command)
    return [found[number] for number in sorted(found)]


def _decided(state: State, fact: Any, step: str) -> list[Command]:
    """What was asked for the step behind the fact; nothing where this version cannot tell any more."""
    try:
        return [each for each in decide(state, fact).commands if each.step == step]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return []


def _note(found: dict[int, Attempt], fact: Any) -> None:
    attempt = found.setdefault(fact.attempt, Attempt(fact.attempt, fact.at))
    if note := _NOTES.get(type(fact)):
        note(attempt, fact)


def _submitted(attempt: Attempt, fact: facts.JobSubmitted) -> None:
    attempt.handle = fact.handle


def _described(attempt: Attempt, fact: facts.JobEnded | facts.ResourceCreated) -> None:
    attempt.received = {**fact.properties}


def _returned(attempt: Attempt, fact: facts.LambdaReturned) -> None:
    attempt.received = fact.payload


def _answered(attempt: Attempt, fact: facts.CallbackAnswered) -> None:
    outputs = [{"Name": each.name, "Value": each.value} for each in fact.outputs]
    attempt.received = {"Outcome": fact.outcome, "OutputParameters": outputs, "FailureReason": fact.reason}


def _retrying(attempt: Attempt, fact: facts.StepRetrying) -> None:
    attempt.status, attempt.ended, attempt.reason = "Failed", fact.at, fact.reason
    attempt.retry_due = fact.due


def _ended(status: str) -> Callable[[Attempt, Any], None]:
    def note(attempt: Attempt, fact: Any) -> None:
        attempt.status, attempt.ended = status, fact.at
        attempt.reason = getattr(fact, "reason", None)

    return note


def _stopping(attempt: Attempt, _fact: facts.StepStopping) -> None:
    attempt.status = "Stopping"


_NOTES: Mapping[type, Callable[[Attempt, Any], None]] = {
    facts.JobSubmitted: _submitted,
    facts.JobEnded: _described,
    facts.ResourceCreated: _described,
    facts.LambdaReturned: _returned,
    facts.CallbackAnswered: _answered,
    facts.StepRetrying: _retrying,
    facts.StepStopping: _stopping,
    facts.StepSucceeded: _ended("Succeeded"),
    facts.StepFailed: _ended("Failed"),
    facts.StepStopped: _ended("Stopped"),
}


def _note_sent(found: dict[int, Attempt], command: Command) -> None:
    if (shown := _SHOWN.get(type(command))) and command.attempt in found:
        found[command.attempt].sent.append(shown(command))


def _job(command: SubmitJob | CreateResource) -> dict[str, Any]:
    return {"Type": command.kind, "Name": command.name, "Arguments": command.request}


def _invocation(command: InvokeFunction) -> dict[str, Any]:
    return {"Type": "Lambda", "Name": command.function_arn, "Arguments": command.payload}


def _message(command: SendCallback) -> dict[str, Any]:
    return {"Type": "Callback", "Name": command.queue_url, "Arguments": command.arguments}


_SHOWN: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    SubmitJob: _job,
    CreateResource: _job,
    InvokeFunction: _invocation,
    SendCallback: _message,
}
"""What is asked so that the step's work is done. What only looks something up is no argument of the step."""
