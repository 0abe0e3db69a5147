"""The rules: given what has become of an execution and one new input fact, what follows.

Knows no clock, id, store or AWS client.

1. A fact that is old news (twice, too late, of another attempt) gives an empty decision.
2. Otherwise `decision.facts` is the input fact and everything that follows from it at once, and
   `decision.commands` what is now to be done. The driver commits both in one transaction and goes on
   with `decision.state`. If the commit fails it drops the decision: the state it came with is untouched.
3. A step starts when all its dependencies succeeded and a slot is free. Condition and Fail steps end
   in the instant they start and take no slot. Fewer slots than running steps interrupt none of them.
4. A failed step's dependents never start, unless their DependsOn names that end as its Trigger;
   independent steps run on to the end (AWS documents neither this nor the contrary). After a Fail step
   nothing new starts.
5. Stop: nothing new starts. A running function is waited for; one that has not begun is withdrawn, also
   after a Fail step. A Callback step is told by a second
   message with the same token and arguments, and waits to be answered all the same. A job is
   cancelled, and waited for.
6. A step that asks for values in JSON documents in S3 is Starting until they are read, as the execution's
   role; a value that cannot be read fails it. Stopped meanwhile, it does not start. A step with caching is
   Starting until an earlier result was looked for.
7. When nothing runs and nothing may start, the execution ends.
8. A loop takes no slot, the steps of its iterations do, as many at once as the loop allows. They are steps
   like all others, which wait for one another within their iteration. The loop is over when none of them runs
   and none may start, and failed if one of them did.
9. Retry: steps that succeeded keep what they came to, those that failed or were stopped run again as
   their next attempt, and what had not started may. Not after a Fail step (developer guide).

How a step begins is in `step_start.py`, what an answer means to it in `step_rules.py`; what either means to a
type of step in `kinds`.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from passrole.engine import step_rules
from passrole.engine.decision import Decision, Draft
from passrole.engine.facts import (
    ExecutionEnded,
    ExecutionRetried,
    ExecutionStarted,
    ExecutionStatus,
    InputFact,
    ParallelismChanged,
    StopRequested,
)
from passrole.engine.kinds import for_each
from passrole.engine.state import State
from passrole.engine.step_start import start

STEP_FAILURE = "Step failure: One or multiple steps failed."
"""Observed in DescribePipelineExecution and asserted by the SDK's integration tests."""


def decide(state: State, fact: InputFact) -> Decision:
    """What follows from `fact`; `state` itself stays as it was."""
    rule = _rule(state, fact)
    if rule is None:
        return Decision((), (), state)
    draft = Draft(state.copy())
    draft.record(fact)
    rule(draft, fact)
    _start_ready_steps(draft, fact.at)
    while (loop := _loop_that_is_over(draft.state)) is not None:
        for_each.end(draft, loop, fact.at)
        _start_ready_steps(draft, fact.at)
    if draft.state.running == 0:
        status, reason = _verdict(draft.state)
        draft.record(ExecutionEnded(at=fact.at, status=status, reason=reason))
    return draft.finish()


def _rule(state: State, fact: Any) -> "_Rule | None":
    """What the fact means; None for old news."""
    if type(fact) not in _OF_THE_EXECUTION:
        answer = step_rules.answer_to(state, fact)
        return None if answer is None else answer.rule
    is_news, rule = _OF_THE_EXECUTION[type(fact)]
    return rule if is_news(state, fact) else None


def _start_ready_steps(draft: Draft, at: float) -> None:
    """Steps that run go first, so that those ready at the same time as a Fail step still start."""
    state = draft.state
    while _may_start(state):
        is_free = _slot_is_free(state)
        if state.ready and is_free:
            start(draft, state.ready[0], at)
        elif is_free and (inside := state.next_in_loops()) is not None:
            start(draft, inside, at)
        elif state.ready_at_once:
            start(draft, state.ready_at_once[0], at)
        else:
            return


def _may_start(state: State) -> bool:
    return state.status == "Executing" and not state.fail_step_reached


def _slot_is_free(state: State) -> bool:
    limit = state.max_parallel_steps
    return limit is None or state.slots_taken < limit


def _loop_that_is_over(state: State) -> str | None:
    for name, loop in state.loops.items():
        if loop.is_open and loop.running == 0 and not (_may_start(state) and state.next_in(name)):
            return name
    return None


def _verdict(state: State) -> tuple[ExecutionStatus, str | None]:
    """Stopped whatever its steps came to, except when a function outlived its limit (developer guide).

    CompletedWithFailures where steps ran on what failed (docstring of the SDK's StepDependency).
    """
    if state.status == "Stopping" and not state.limit_passed_while_stopping:
        return "Stopped", None
    if not state.any_step_failed:
        return "Succeeded", None
    handled = bool(state.pipeline.graph.triggers) and state.every_failure_let_a_step_go_on
    return "CompletedWithFailures" if handled else "Failed", STEP_FAILURE


def _is_not_started(state: State, _fact: ExecutionStarted) -> bool:
    return state.origin is None


def _is_executing(state: State, _fact: StopRequested) -> bool:
    return state.origin is not None and state.status == "Executing"


def _is_another_limit(state: State, fact: ParallelismChanged) -> bool:
    return not state.is_over and state.max_parallel_steps != fact.max_parallel_steps


def _can_be_retried(state: State, _fact: ExecutionRetried) -> bool:
    return state.can_be_retried


def _only_go_on(_draft: Draft, _fact: InputFact) -> None:
    """Folding the fact did it all: other steps are ready, or other slots are free."""


_IsNews: TypeAlias = Callable[[State, Any], bool]
_Rule: TypeAlias = Callable[[Draft, Any], None]

_OF_THE_EXECUTION: dict[type[InputFact], tuple[_IsNews, _Rule]] = {
    ExecutionStarted: (_is_not_started, _only_go_on),
    ParallelismChanged: (_is_another_limit, _only_go_on),
    StopRequested: (_is_executing, step_rules.stop_requested),
    ExecutionRetried: (_can_be_retried, _only_go_on),
}
"""The other facts are about steps."""
