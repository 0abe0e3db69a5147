"""What has become of an execution: the fold of its facts.

Knows no rules about what should happen next (`decide.py`), only what each fact changed. `fold` of the
whole journal gives the state; `fold` of what another process appended brings a state up to date.

Cheap by construction: a fact touches one step and those that wait for it, never all steps. A step
that is not reached has no entry, so a branch not taken, or whatever is behind a failed step, costs
nothing: its dependencies are simply never all done.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from passrole.definition import Pipeline, Step
from passrole.definition.expressions import Json, JsonGet
from passrole.definition.kinds import kind_of
from passrole.definition.loops import Iteration, gets_of, iteration_of
from passrole.engine.facts import (
    BaselineFound,
    CacheSearched,
    CallbackAnswered,
    CallbackSent,
    CommandWithdrawn,
    EffectFailed,
    ExecutionEnded,
    ExecutionRetried,
    ExecutionStarted,
    ExecutionStatus,
    Fact,
    JobCancelSent,
    JobEnded,
    JobSubmitted,
    JsonRead,
    LambdaReturned,
    LambdaTimedOut,
    Metadata,
    ParallelismChanged,
    ResourceCreated,
    RetryDue,
    StepFailed,
    StepPreparing,
    StepRetrying,
    StepStarted,
    StepStatus,
    StepStopped,
    StepStopping,
    StepSucceeded,
    StopRequested,
    StubAnswered,
)
from passrole.engine.loops import LETTING, Loop, next_step, with_ended, with_started
from passrole.engine.step_state import EMPTY, StepState

__all__ = ["FAILURE_REASON_MAX", "State", "StepState", "apply", "begin", "fold"]

FAILURE_REASON_MAX = 1024


@dataclass(slots=True)
class State:
    """An execution so far. `steps` holds those that started, in that order, also those of iterations."""

    pipeline: Pipeline
    origin: ExecutionStarted | None = None
    status: ExecutionStatus = "Executing"
    ended_at: float | None = None
    failure_reason: str | None = None
    max_parallel_steps: int | None = None
    steps: dict[str, StepState] = field(default_factory=dict)
    ready: deque[str] = field(default_factory=deque)
    """Steps that may start and need a slot, first come first served."""
    ready_at_once: deque[str] = field(default_factory=deque)
    """Those that need no slot: Condition and Fail steps, over in the instant they start, and loops."""
    done: dict[str, int] = field(default_factory=dict)
    """For a waiting step, how many of its dependencies are done."""
    attempts: dict[str, int] = field(default_factory=dict)
    """For a step that is to run again after a retry, how often it ran before."""
    loops: dict[str, Loop] = field(default_factory=dict)
    """Those that have begun, by the names of their steps."""
    running: int = 0
    any_step_failed: bool = False
    fail_step_reached: bool = False
    limit_passed_while_stopping: bool = False

    @property
    def is_over(self) -> bool:
        """Whether ExecutionEnded has been seen, and no retry since."""
        return self.ended_at is not None

    @property
    def can_be_retried(self) -> bool:
        """Ended, not Succeeded, and no Fail step reached.

        https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-fail
        """
        return self.is_over and self.status != "Succeeded" and not self.fail_step_reached

    @property
    def every_failure_let_a_step_go_on(self) -> bool:
        """Whether for each step that failed another has started that waited for just that, or for any end."""
        return all(
            any(name in self.steps and _lets_go_on(self, failed, name) for name in dependents)
            for failed, dependents in self.pipeline.graph.dependents.items()
            if failed in self.steps and self.steps[failed].status == "Failed"
        )

    @property
    def slots_taken(self) -> int:
        """How many steps run, but for loops."""
        return self.running - sum(loop.is_open for loop in self.loops.values())

    def iteration(self, name: str) -> Iteration | None:
        """Where the step is from, if it is one of a loop's iterations."""
        inside = self.pipeline.inside
        return iteration_of(name, inside) if inside and name not in self.pipeline.steps else None

    def step(self, name: str) -> Step:
        """The step of this name, in an iteration with its item."""
        iteration = self.iteration(name)
        if iteration is None:
            return self.pipeline.steps[name]
        items = self.loops[iteration.loop].items
        return self.pipeline.bodies[iteration.loop].step(
            iteration.step, iteration.index, items[iteration.index]
        )

    def json_gets(self, name: str) -> tuple[JsonGet, ...]:
        """The values in S3 that a step is to read; none where a loop goes on with its items."""
        iteration = self.iteration(name)
        gets = self.pipeline.json_gets.get(iteration.step if iteration else name, ())
        return gets_of(self.step(name)) if gets and iteration else () if name in self.loops else gets

    def next_in_loops(self) -> str | None:
        """The step that may start next inside a loop."""
        return next((found for name in self.loops if (found := self.next_in(name)) is not None), None)

    def next_in(self, loop: str) -> str | None:
        """The same inside this loop."""
        return next_step(self.pipeline.bodies[loop], self.loops[loop], self.steps)

    def next_attempt(self, step: str) -> int:
        """The number, from 1, of the attempt that the step would now begin."""
        return self.attempts.get(step, 0) + 1

    def copy(self) -> "State":
        """A state that can be folded further without changing this one."""
        return replace(
            self,
            steps=self.steps.copy(),
            ready=self.ready.copy(),
            ready_at_once=self.ready_at_once.copy(),
            done=self.done.copy(),
            attempts=self.attempts.copy(),
            loops=self.loops.copy(),
        )


def begin(pipeline: Pipeline) -> State:
    """The state of an execution of which nothing is known yet."""
    return State(pipeline)


def fold(state: State, facts: Iterable[Fact]) -> State:
    """The state after these facts; `state` itself stays as it was."""
    after = state.copy()
    for fact in facts:
        apply(after, fact)
    return after


def apply(state: State, fact: Fact) -> None:
    """Change `state` by one fact, in place: for those who own it, as `fold` and `decide` do."""
    _CHANGES[type(fact)](state, fact)


def _execution_started(state: State, fact: ExecutionStarted) -> None:
    state.origin = fact
    state.max_parallel_steps = fact.max_parallel_steps
    state.loops |= {name: Loop(items, len(items), is_open=False) for name, items in fact.reused_items.items()}
    for name, metadata in fact.reused.items():
        state.steps[name] = StepState(
            state.step(name),
            1,
            "Succeeded",
            fact.at,
            fact.at,
            metadata=metadata,
            source=fact.source,
            properties=fact.reused_properties.get(name, EMPTY),
        )
    for name, needed in state.pipeline.graph.dependencies.items():
        if not needed and _is_selected(state, name):
            _make_ready(state, name)
    for name in fact.reused:
        if name in state.pipeline.steps:
            _notify_dependents(state, name)


def _callback_sent(state: State, fact: CallbackSent) -> None:
    state.steps[fact.step] = state.steps[fact.step]._replace(sent=fact.status)


def _job_submitted(state: State, fact: JobSubmitted) -> None:
    before = state.steps[fact.step]
    metadata = _merged(before.known, fact.handle)  # of an attempt before, nothing is left
    state.steps[fact.step] = before._replace(sent="Executing", metadata=metadata)


def _job_cancel_sent(state: State, fact: JobCancelSent) -> None:
    state.steps[fact.step] = state.steps[fact.step]._replace(sent="Stopping")


def _described(state: State, fact: JobEnded | ResourceCreated) -> None:
    before = state.steps[fact.step]
    metadata = _merged(before.metadata, fact.metadata)
    state.steps[fact.step] = before._replace(metadata=metadata, properties=fact.properties)


def _step_retrying(state: State, fact: StepRetrying) -> None:
    """The next attempt begins with the wait for it."""
    before = state.steps[fact.step]
    state.steps[fact.step] = before._replace(
        attempt=fact.attempt + 1, sent=None, retried=before.retried + 1, retry_due=fact.due
    )


def _retry_due(state: State, fact: RetryDue) -> None:
    state.steps[fact.step] = state.steps[fact.step]._replace(retry_due=None)


def _cache_searched(state: State, fact: CacheSearched) -> None:
    state.steps[fact.step] = state.steps[fact.step]._replace(is_searched=True)


def _baseline_found(state: State, fact: BaselineFound) -> None:
    before = state.steps[fact.step]
    state.steps[fact.step] = before._replace(package=fact.package, baselines=fact.baselines)


def _lambda_timed_out(state: State, _fact: LambdaTimedOut) -> None:
    state.limit_passed_while_stopping |= state.status == "Stopping"


def _parallelism_changed(state: State, fact: ParallelismChanged) -> None:
    state.max_parallel_steps = fact.max_parallel_steps


def _stop_requested(state: State, _fact: StopRequested) -> None:
    state.status = "Stopping"


def _execution_retried(state: State, fact: ExecutionRetried) -> None:
    """What had become ready before a stop still is; what failed or was stopped is again."""
    state.status, state.ended_at, state.failure_reason = "Executing", None, None
    state.any_step_failed = state.limit_passed_while_stopping = False
    if fact.max_parallel_steps is not None:
        state.max_parallel_steps = fact.max_parallel_steps
    again = [name for name, step in state.steps.items() if step.status != "Succeeded"]
    for name in again:
        state.attempts[name] = state.steps.pop(name).attempt
    state.loops |= {name: loop.again() for name, loop in state.loops.items() if name not in state.steps}
    again = [name for name in again if name in state.pipeline.steps]
    _wait_anew(state, [*state.ready, *state.ready_at_once, *again])


def _wait_anew(state: State, candidates: list[str]) -> None:
    """Who waits for how much, and who of the candidates may start, by the steps that are kept.

    A step that a failure let go on waits again for the one that failed.
    """
    state.ready.clear()
    state.ready_at_once.clear()
    state.done.clear()
    left: set[str] = set()
    for name, needed in state.pipeline.graph.dependencies.items():
        if name in state.steps or not _is_selected(state, name):
            continue
        done = sum(_lets_go_on(state, each, name) for each in needed)
        if done < len(needed):
            left.add(name)
            if done:
                state.done[name] = done
    for name in candidates:
        if name not in left:
            _make_ready(state, name)


def _step_preparing(state: State, fact: StepPreparing) -> None:
    _leave_queue(state, fact)
    state.steps[fact.step] = StepState(state.step(fact.step), fact.attempt, "Starting", fact.at)


def _json_read(state: State, fact: JsonRead) -> None:
    before = state.steps[fact.step]
    values = {(uri, path): value for uri, path, value in fact.values}
    state.steps[fact.step] = before._replace(read={**before.read, **values})


def _step_started(state: State, fact: StepStarted) -> None:
    prepared = state.steps.get(fact.step)
    if prepared is None:
        _leave_queue(state, fact)
    step = prepared.step if prepared else state.step(fact.step)
    before = prepared or StepState(step, fact.attempt, "Executing", fact.at)
    if fact.items is not None:
        state.loops[fact.step] = Loop(fact.items)
    elif fact.step in state.loops:
        state.loops[fact.step] = state.loops[fact.step]._replace(is_open=True)
    state.steps[fact.step] = StepState(
        step,
        fact.attempt,
        "Executing",
        fact.at,
        metadata=fact.metadata,
        known=fact.metadata,
        read=before.read,
        package=before.package,
        baselines=before.baselines,
    )


def _leave_queue(state: State, fact: StepPreparing | StepStarted) -> None:
    state.running += 1
    if _is_in_loop(state, fact.step, with_started):
        return
    queue = _queue(state, state.pipeline.steps[fact.step])
    if queue[0] == fact.step:
        queue.popleft()
    else:
        queue.remove(fact.step)


def _is_in_loop(state: State, name: str, change: Callable[..., Loop]) -> bool:
    """Whether the step is one of an iteration; if so its loop is changed."""
    iteration = state.iteration(name)
    if iteration is None:
        return False
    body, loop = state.pipeline.bodies[iteration.loop], state.loops[iteration.loop]
    state.loops[iteration.loop] = change(body, loop, iteration, state.steps)
    return True


def _step_stopping(state: State, fact: StepStopping) -> None:
    state.steps[fact.step] = state.steps[fact.step]._replace(status="Stopping")


def _step_succeeded(state: State, fact: StepSucceeded) -> None:
    _end_step(state, fact, "Succeeded", fact.metadata)
    if fact.cached_from is not None or fact.properties or fact.property_files:
        state.steps[fact.step] = state.steps[fact.step]._replace(
            properties=fact.properties, property_files=fact.property_files, cached_from=fact.cached_from
        )
    _notify_dependents(state, fact.step)


def _notify_dependents(state: State, ended: str) -> None:
    if _is_in_loop(state, ended, with_ended):
        return
    for name in state.pipeline.graph.dependents[ended]:
        if name in state.steps or not _is_selected(state, name) or not _lets_go_on(state, ended, name):
            continue  # it ran before a retry, is not wanted, or waited for another end
        done = state.done.pop(name, 0) + 1
        if done < len(state.pipeline.graph.dependencies[name]):
            state.done[name] = done
        else:
            _make_ready(state, name)


def _lets_go_on(state: State, ended: str, name: str) -> bool:
    """Whether, as far as `ended` goes, `name` may start."""
    step = state.steps.get(ended)
    if step is None or step.status not in LETTING[state.pipeline.graph.trigger(name, ended)]:
        return False
    branch = state.pipeline.graph.branches.get(name)
    if branch is None or branch.condition != ended:
        return True
    # the branch not taken, and with it everything downstream, never becomes ready
    return step.status == "Succeeded" and branch.outcome == step.outcome


def _step_failed(state: State, fact: StepFailed) -> None:
    _end_step(state, fact, "Failed", fact.metadata, fact.reason)
    state.any_step_failed = True
    state.fail_step_reached |= kind_of(state.steps[fact.step].step).ends_execution
    _notify_dependents(state, fact.step)


def _step_stopped(state: State, fact: StepStopped) -> None:
    _end_step(state, fact, "Stopped", fact.metadata)
    _notify_dependents(state, fact.step)


def _execution_ended(state: State, fact: ExecutionEnded) -> None:
    state.status, state.ended_at, state.failure_reason = fact.status, fact.at, fact.reason


def _nothing(_state: State, _fact: Fact) -> None:
    """The derived facts behind this one say all that changed."""


def _is_selected(state: State, name: str) -> bool:
    assert state.origin is not None
    return not state.origin.selected or name in state.origin.selected


def _make_ready(state: State, name: str) -> None:
    _queue(state, state.pipeline.steps[name]).append(name)


def _queue(state: State, step: Step) -> deque[str]:
    kind = kind_of(step)
    return state.ready_at_once if kind.ends_at_once or kind.waits_for_its_body else state.ready


def _end_step(
    state: State,
    fact: StepSucceeded | StepFailed | StepStopped,
    status: StepStatus,
    metadata: Metadata,
    reason: str | None = None,
) -> None:
    before = state.steps[fact.step]
    state.steps[fact.step] = before._replace(
        status=status,
        ended_at=fact.at,
        failure_reason=reason[:FAILURE_REASON_MAX] if reason else None,
        metadata=_merged(before.metadata, metadata),
    )
    state.running -= 1
    if fact.step in state.loops:
        state.loops[fact.step] = state.loops[fact.step]._replace(is_open=False)


def _merged(old: Metadata, new: Metadata) -> Metadata:
    if not new:
        return old
    merged: dict[str, Mapping[str, Json]] = dict(old)
    for kind, members in new.items():
        merged[kind] = {**old.get(kind, {}), **members}
    return merged


_CHANGES: dict[type[Fact], Callable[[State, Any], None]] = {
    ExecutionStarted: _execution_started,
    LambdaReturned: _nothing,
    LambdaTimedOut: _lambda_timed_out,
    CommandWithdrawn: _nothing,
    CallbackSent: _callback_sent,
    CallbackAnswered: _nothing,
    JobSubmitted: _job_submitted,
    JobCancelSent: _job_cancel_sent,
    JobEnded: _described,
    ResourceCreated: _described,
    RetryDue: _retry_due,
    EffectFailed: _nothing,
    JsonRead: _json_read,
    CacheSearched: _cache_searched,
    BaselineFound: _baseline_found,
    StubAnswered: _nothing,
    ParallelismChanged: _parallelism_changed,
    StopRequested: _stop_requested,
    ExecutionRetried: _execution_retried,
    StepPreparing: _step_preparing,
    StepStarted: _step_started,
    StepRetrying: _step_retrying,
    StepStopping: _step_stopping,
    StepSucceeded: _step_succeeded,
    StepFailed: _step_failed,
    StepStopped: _step_stopped,
    ExecutionEnded: _execution_ended,
}
