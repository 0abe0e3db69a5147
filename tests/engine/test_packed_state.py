"""A packed state is the state; test_interleavings.py packs those of random executions as well."""

from collections.abc import Callable
from typing import Any

from passrole.definition import Pipeline
from passrole.engine import State, begin, decide
from passrole.engine.facts import JsonRead, StepPreparing
from passrole.engine.packed_state import pack, unpack
from passrole.engine.state import apply

HUGE = 10**30


def test_a_state_comes_back_with_large_integers_tuples_queues_and_the_order_of_members(
    pipeline_of: Callable[[str], Pipeline], started: Callable[..., Any]
) -> None:
    pipeline = pipeline_of("l1 l2 c1<l1>")
    state = decide(begin(pipeline), started(max_parallel_steps=1, n=HUGE, s="\ud800")).state
    apply(state, StepPreparing(at=2.0, step="l2", attempt=1))
    read = JsonRead(at=2.0, step="l2", attempt=1, values=[("s3://b/k", "a", {"z": HUGE, "a": [None, 1.5]})])
    apply(state, read)
    again = unpack(pack(state), pipeline)
    assert again == state
    assert (again.steps["l2"].read, list(again.ready)) == (state.steps["l2"].read, list(state.ready))
    assert repr(again.steps["l2"].read) == repr(state.steps["l2"].read)  # the order too
    assert type(again.ready) is type(state.ready)


def test_nothing_known_is_a_state_too(pipeline_of: Callable[[str], Pipeline]) -> None:
    empty: State = begin(pipeline_of("l1"))
    assert unpack(pack(empty), empty.pipeline) == empty
