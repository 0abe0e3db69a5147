from collections.abc import Callable

import orjson
import pytest

from passrole.definition import Pipeline, parse
from passrole.engine import begin, decide, fold
from passrole.engine.facts import CallbackAnswered, EffectFailed, ExecutionStarted
from passrole.engine.state import FAILURE_REASON_MAX

Started = Callable[..., ExecutionStarted]


def test_fold_leaves_the_state_it_came_from(pipeline_of: Callable[[str], Pipeline], started: Started) -> None:
    before = begin(pipeline_of("l1 l2"))
    after = fold(before, decide(before, started()).facts)
    assert list(after.steps) == ["l1", "l2"]
    assert before == begin(pipeline_of("l1 l2"))


def test_a_failure_reason_is_cut_to_what_the_api_can_carry(
    pipeline_of: Callable[[str], Pipeline], started: Started
) -> None:
    state = decide(begin(pipeline_of("l1")), started()).state
    failed = EffectFailed(at=1, step="l1", attempt=1, reason="x" * 5000)
    assert decide(state, failed).state.steps["l1"].failure_reason == "x" * FAILURE_REASON_MAX


@pytest.mark.parametrize("reason", [None, ""])
def test_a_failure_without_reason_shows_none(
    reason: str | None, pipeline_of: Callable[[str], Pipeline], started: Started
) -> None:
    state = decide(begin(pipeline_of("c1")), started()).state
    answer = CallbackAnswered(at=1, step="c1", attempt=1, outcome="failure", reason=reason)
    assert decide(state, answer).state.steps["c1"].failure_reason is None


def test_a_message_of_a_fail_step_that_is_empty_leaves_metadata_only(started: Started) -> None:
    """Asserted by the SDK's integration tests."""
    text = orjson.dumps({"Version": "2020-12-01", "Steps": [{"Name": "F", "Type": "Fail"}]}).decode()
    step = decide(begin(parse(text)), started()).state.steps["F"]
    assert (step.status, step.failure_reason, step.metadata) == (
        "Failed",
        None,
        {"Fail": {"ErrorMessage": ""}},
    )
