"""Spans of executions for OpenTelemetry: what the journal says of each step and of the whole, once it ended.

A trace that is followed is a task, whose body is the number of the journal's row up to which its spans were
sent. So a restart loses none. The ids of a trace and of its spans are drawn from the execution's ARN, the
run, the step and the attempt: what is sent twice, because passrole was killed in between, has the same ids.
A run is what is between a start, or a retry, and the end.

Knows no OpenTelemetry: worker/otlp.py does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import NamedTuple

from passrole import exact_json
from passrole.engine import State, facts
from passrole.engine.facts import (
    ExecutionEnded,
    ExecutionRetried,
    ExecutionStarted,
    Fact,
    StepFailed,
    StepPreparing,
    StepRetrying,
    StepStarted,
    StepStopped,
    StepSucceeded,
)
from passrole.history import journal
from passrole.store import Tx, tasks

KIND = "trace"
"""Of tasks; their keys are ARNs of executions."""

_NEVER = 0.0
"""They are taken by key, when something happened, and not because they are due."""


class Retry(NamedTuple):
    """An attempt that failed and was followed by another."""

    at: float
    attempt: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """A step that ended, or, without `step`, a run of the execution. Moments in epoch seconds.

    `status` is AWS's: Succeeded, Failed, Stopped or CompletedWithFailures. `execution` is the ARN.
    """

    trace_id: int
    span_id: int
    parent_id: int | None
    execution: str
    pipeline: str
    run: int
    began: float
    ended: float
    status: str
    reason: str | None = None
    step: str | None = None
    type_: str | None = None
    attempt: int = 1
    cached_from: str | None = None
    retries: tuple[Retry, ...] = ()


@dataclass(slots=True)
class Followed:
    """How far a trace is: `seq` is the last row that was read, `began` when the run did, `steps` are open."""

    seq: int = 0
    run: int = 0
    began: float = 0.0
    pipeline: str = ""
    is_over: bool = False
    steps: dict[str, "_Open"] = field(default_factory=dict)


class News(NamedTuple):
    """Spans that are still to be sent, and how far the trace is then."""

    spans: list[Span]
    followed: Followed


def follow(tx: Tx, execution: str) -> None:
    """Have the spans of a run sent that is about to begin in this transaction; `execution` is the ARN."""
    if tasks.find(tx, KIND, execution) is None:
        last = journal.last(tx, execution)
        tasks.add(tx, KIND, execution, _body(last[0] if last else 0), _NEVER)


def followed(tx: Tx, after: str, limit: int) -> list[str]:
    """The ARNs of executions whose spans are not all sent, beyond `after`."""
    return tasks.keys(tx, KIND, after, limit)


def news(tx: Tx, execution: str, known: Followed | None) -> News | None:
    """What is to be sent; None where nothing is, or nobody follows the execution. Raises UnknownExecution.

    `known` is how far the trace was when it was last looked at.
    """
    task = tasks.find(tx, KIND, execution)
    if task is None:
        return None
    sent = int(exact_json.loads(task.body))
    now = known if known is not None and known.seq >= sent else Followed()
    after = replace(now, steps=dict(now.steps))
    rows = tx.all(_ROWS, execution, after.seq)
    if not rows:
        return None
    state = journal.load(tx, execution).state
    spans: list[Span] = []
    for seq, row in rows:
        found = _read(execution, state, after, (facts.from_json(each) for each in exact_json.loads(row)))
        spans += found if seq > sent else ()
        after.seq = seq
    return News(spans, after)


def note_sent(tx: Tx, execution: str, followed: Followed) -> None:
    """The spans up to there are at the collector, or given up."""
    last = journal.last(tx, execution)
    if followed.is_over and last is not None and last[0] == followed.seq:
        tasks.done(tx, KIND, execution)
    else:
        tasks.replace_body(tx, KIND, execution, _body(followed.seq))


def forget(tx: Tx, execution: str) -> None:
    """The execution (its ARN) is deleted."""
    tasks.done(tx, KIND, execution)


class _Open(NamedTuple):
    began: float
    retries: tuple[Retry, ...] = ()


_ROWS = "SELECT seq, facts FROM journal WHERE execution = ? AND seq > ? ORDER BY seq"


def _body(seq: int) -> bytes:
    return exact_json.dumps(seq)


def _read(execution: str, state: State, trace: Followed, happened: Iterable[Fact]) -> list[Span]:
    """The spans that end with these facts, which `trace` takes in."""
    spans: list[Span] = []
    for fact in happened:
        if isinstance(fact, ExecutionStarted | ExecutionRetried):
            _begin(trace, fact)
        elif isinstance(fact, StepPreparing | StepStarted):
            trace.steps.setdefault(fact.step, _Open(fact.at))
        elif isinstance(fact, StepRetrying) and (open_ := trace.steps.get(fact.step)):
            retry = Retry(fact.at, fact.attempt, fact.reason)
            trace.steps[fact.step] = open_._replace(retries=(*open_.retries, retry))
        elif isinstance(fact, StepSucceeded | StepFailed | StepStopped):
            spans.append(_of_step(execution, state, trace, fact))
        elif isinstance(fact, ExecutionEnded):
            trace.is_over = True
            spans.append(_of_run(execution, trace, fact))
    return spans


def _begin(trace: Followed, fact: ExecutionStarted | ExecutionRetried) -> None:
    trace.run, trace.began, trace.is_over = trace.run + 1, fact.at, False
    if isinstance(fact, ExecutionStarted):
        trace.pipeline = fact.pipeline_name


def _of_step(
    execution: str, state: State, trace: Followed, fact: StepSucceeded | StepFailed | StepStopped
) -> Span:
    open_ = trace.steps.pop(fact.step, _Open(fact.at))
    known = state.steps.get(fact.step)
    return Span(
        trace_id=_id(16, execution),
        span_id=_id(8, execution, str(trace.run), fact.step, str(fact.attempt)),
        parent_id=_run_id(execution, trace),
        execution=execution,
        pipeline=trace.pipeline,
        run=trace.run,
        began=open_.began,
        ended=fact.at,
        status=type(fact).__name__.removeprefix("Step"),
        reason=getattr(fact, "reason", None),
        step=fact.step,
        type_=known.step.type_ if known else None,
        attempt=fact.attempt,
        cached_from=getattr(fact, "cached_from", None),
        retries=open_.retries,
    )


def _of_run(execution: str, trace: Followed, fact: ExecutionEnded) -> Span:
    return Span(
        trace_id=_id(16, execution),
        span_id=_run_id(execution, trace),
        parent_id=None,
        execution=execution,
        pipeline=trace.pipeline,
        run=trace.run,
        began=trace.began,
        ended=fact.at,
        status=fact.status,
        reason=fact.reason,
    )


def _run_id(execution: str, trace: Followed) -> int:
    return _id(8, execution, str(trace.run))


def _id(size: int, *parts: str) -> int:
    """Never 0, which OpenTelemetry does not allow."""
    digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:size], "big") or 1
