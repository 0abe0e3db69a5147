"""Steps whose work is a job of another service: submitted, followed, cancelled, tried again, taken over.

    start ── SearchCache ── CacheSearched ─┬─ a result: succeeded at once
                                           └─ none: SubmitJob ── JobSubmitted ── JobEnded
                                                       └── AwaitRetry ── RetryDue ──┘

What a type must ask before its job can be submitted, such as FindBaseline, it asks before SubmitJob.

A retry is a new job under a new name, and the step's next attempt.
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from passrole.definition.expressions import Json
from passrole.engine import cache_key
from passrole.engine.commands import AwaitRetry, CancelJob, FindBaseline, SearchCache, SubmitJob
from passrole.engine.decision import Draft
from passrole.engine.facts import (
    EffectFailed,
    JobCancelSent,
    JobEnded,
    JobSubmitted,
    Metadata,
    RetryDue,
    StepFailed,
    StepPreparing,
    StepRetrying,
    StepStarted,
    StepStopped,
    StepSucceeded,
)
from passrole.engine.kinds.kind import Answer, Kind, StepAnswer, fail, message_due, running
from passrole.engine.retries import next_delay
from passrole.engine.scope import Scope
from passrole.engine.state import State, StepState

_TRIED_ANYWAY = ("Step.THROTTLING", "Step.SERVICE_FAULT")
"""AWS tries these again by itself where no policy says how."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a job that has completed means to its step, which fails where there is a `reason`."""

    metadata: Metadata = field(default_factory=dict)
    reason: str | None = None


def _nothing_asked(_step: Any, _attempt: int, _scope: Scope) -> FindBaseline | None:
    return None


def _nothing_known(_step: Any, _scope: Scope) -> Metadata:
    return {}


def _succeeded(_state: State, _fact: JobEnded) -> Verdict:
    return Verdict()


@dataclass(frozen=True, slots=True)
class JobType:
    """What one type of job adds. `name` is its job's for an attempt, `request` what its service is asked,
    `handle` by what it is cancelled and followed, of a step whose job was submitted.

    `stated` is what the step itself says of its job, before anything was looked up: where it is None, the
    whole request. `asks` is a question that is answered before the request can be made, `known` what the
    step's metadata have from the start.
    """

    name: Callable[[Any, int, Scope], str]
    request: Callable[[Any, str, Scope], dict[str, Json]]
    handle: Callable[[StepState], Mapping[str, Json]]
    stated: Callable[[Any, str, Scope], dict[str, Json]] | None = None
    asks: Callable[[Any, int, Scope], FindBaseline | None] = _nothing_asked
    known: Callable[[Any, Scope], Metadata] = _nothing_known
    verdict: Callable[[State, JobEnded], Verdict] = _succeeded


def kind_of(type_: JobType) -> Kind:
    """The row of a type of job."""

    def start(draft: Draft, step: Any, attempt: int, scope: Scope) -> None:
        search = None if _is_searched(draft.state, step) else _search(type_, step, attempt, scope)
        question = search or type_.asks(step, attempt, scope)
        if question is None:
            command, known = _submission(type_, step, attempt, scope), type_.known(step, scope)
            draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt, metadata=known))
            draft.ask(command)
            return
        if step.name not in draft.state.steps:
            draft.record(StepPreparing(at=scope.now, step=step.name, attempt=attempt))
        draft.ask(question)

    def retry(draft: Draft, fact: RetryDue) -> None:
        """After a Fail step nothing new begins."""
        progress = draft.state.steps[fact.step]
        if draft.state.fail_step_reached:
            draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))
            return
        scope = Scope(draft.state, progress.started_at, progress.read)
        draft.ask(_submission(type_, progress.step, fact.attempt, scope))

    def end(draft: Draft, progress: StepState) -> None:
        draft.ask(
            CancelJob(
                step=progress.step.name,
                attempt=progress.attempt,
                kind=progress.step.type_,
                handle=type_.handle(progress),
            )
        )

    def submitted(draft: Draft, fact: JobSubmitted) -> None:
        """A stop that came before the job was submitted is passed on now."""
        progress = draft.state.steps[fact.step]
        if progress.status == "Stopping":
            end(draft, progress)

    def ended(draft: Draft, fact: JobEnded) -> None:
        """While stopping, however the job ended, the step is stopped."""
        if draft.state.steps[fact.step].status == "Stopping":
            draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))
        elif fact.succeeded:
            _conclude(draft, fact, type_.verdict(draft.state, fact))
        else:
            retry_or_fail(draft, fact, fact.error, fact.reason)

    return Kind(
        start=start,
        answers={
            JobSubmitted: Answer(lambda progress, _: message_due(progress) == "Executing", submitted),
            JobCancelSent: Answer(lambda progress, _: message_due(progress) == "Stopping", _only_wait),
            JobEnded: Answer(lambda progress, _: progress.sent is not None, ended),
            EffectFailed: Answer(_is_due, _effect_failed),
            RetryDue: Answer(lambda progress, _: progress.retry_due is not None, retry),
        },
        end=end,
    )


def compared(type_: JobType, state: State, step: str) -> dict[str, Any] | None:
    """What counts of the arguments of a step that has started; see cache_key. Raises Unresolvable."""
    progress = state.steps[step]
    scope = Scope(state, progress.started_at, progress.read)
    return cache_key.compared(progress.step.type_, stated(type_, progress.step, progress.attempt, scope))


def stated(type_: JobType, step: Any, attempt: int, scope: Scope) -> dict[str, Json]:
    """What the step itself says of its job. Raises Unresolvable."""
    return (type_.stated or type_.request)(step, type_.name(step, attempt, scope), scope)


def _submission(type_: JobType, step: Any, attempt: int, scope: Scope) -> SubmitJob:
    name = type_.name(step, attempt, scope)
    return SubmitJob(
        step=step.name,
        attempt=attempt,
        kind=step.type_,
        name=name,
        request=type_.request(step, name, scope),
        retries=tuple(step.retries),
    )


def _is_searched(state: State, step: Any) -> bool:
    return step.name in state.steps and state.steps[step.name].is_searched


def _search(type_: JobType, step: Any, attempt: int, scope: Scope) -> SearchCache | None:
    if step.cache is None or not step.cache.enabled:
        return None
    digest = cache_key.digest(step.type_, stated(type_, step, attempt, scope))
    if digest is None:
        return None
    return SearchCache(step=step.name, attempt=attempt, digest=digest, age_seconds=step.cache.expire_seconds)


def _conclude(draft: Draft, fact: JobEnded, verdict: Verdict) -> None:
    """The job has completed; a verdict against its step is not tried again."""
    at, step, attempt, metadata = fact.at, fact.step, fact.attempt, verdict.metadata
    if verdict.reason is None:
        draft.record(StepSucceeded(at=at, step=step, attempt=attempt, metadata=metadata))
    else:
        draft.record(StepFailed(at=at, step=step, attempt=attempt, reason=verdict.reason, metadata=metadata))


def _is_due(progress: StepState, fact: EffectFailed) -> bool:
    return message_due(progress) == fact.status


def _effect_failed(draft: Draft, fact: EffectFailed) -> None:
    """A job that cannot be ended is no more waited for: else the execution would be stuck for ever."""
    if draft.state.steps[fact.step].status == "Executing":
        retry_or_fail(draft, fact, fact.error, fact.reason)
    else:
        fail(draft, fact, fact.reason)


def retry_or_fail(draft: Draft, fact: StepAnswer, error: str | None, reason: str | None) -> None:
    """The step's next attempt is planned where its policies name the failure; else the step fails."""
    progress = running(draft.state, fact)
    assert progress is not None, "an answer that is news is about a step that runs"
    step: Any = progress.step
    delay = next_delay(step.retries, error, progress.retried, fact.at - progress.started_at)
    if delay is None or draft.state.fail_step_reached:
        fail(draft, fact, _with_why_not(draft.state, fact, error, reason))
        return
    due = fact.at + delay
    draft.record(StepRetrying(at=fact.at, step=fact.step, attempt=fact.attempt, due=due, reason=reason))
    draft.ask(AwaitRetry(step=fact.step, attempt=fact.attempt + 1, due=due))


def _with_why_not(state: State, fact: StepAnswer, error: str | None, reason: str | None) -> str | None:
    """What a policy could have named is told as AWS tells it, seen with a Create that was over a limit."""
    step: Any = state.steps[fact.step].step
    if error in (None, *_TRIED_ANYWAY) or any(error in policy.exceptions for policy in step.retries):
        return reason
    assert state.origin is not None, "a step runs in an execution that has begun"
    named = f"PipelineExecutionArn {state.origin.execution_arn} and StepId {fact.step}"
    missing = f"No retry policy configured for the exception type {str(error).replace('.', '_').upper()}."
    return f"{reason}\nRetry not appropriate on execution of step with {named}. {missing}"


def _only_wait(_draft: Draft, _fact: StepAnswer) -> None:
    """Folding the fact did it all."""
