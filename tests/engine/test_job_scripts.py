"""Steps whose work is a job, as scripts: lost jobs, results taken over, stops and Fail steps in between."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from passrole.definition import parse
from passrole.definition.steps import RetryPolicy
from passrole.engine import State, begin, decide
from passrole.engine.facts import ExecutionStarted
from passrole.engine.retries import next_delay

SCRIPTS = {
    "a lost job is followed by another, and what is late of the first is ignored": (
        "p1 l1<p1>",
        """
        start       -> p1!
        p1 taken    -> -
        p1 taken    -> ignored
        p1 lost     -> p1/2:
        p1 lost     -> ignored
        p1 done     -> ignored
        p1/2 done   -> ignored
        p1/2 due    -> p1/2!
        p1/2 due    -> ignored
        p1/2 taken  -> -
        p1/2 done   -> l1!
        l1 ok       -> Succeeded
        """,
    ),
    "after the last attempt the step fails": (
        "p1",
        """
        start       -> p1!
        p1 taken    -> -
        p1 lost     -> p1/2:
        p1/2 due    -> p1/2!
        p1/2 taken  -> -
        p1/2 lost   -> p1/3:
        p1/3 due    -> p1/3!
        p1/3 taken  -> -
        p1/3 lost   -> Failed
        """,
    ),
    "a failure that no policy names is one": (
        "p1",
        """
        start       -> p1!
        p1 taken    -> -
        p1 wrong    -> Failed
        retry       -> p1/2!
        p1/2 breaks -> Failed
        """,
    ),
    "a step that waits for its next job is stopped at once, and a retry counts on": (
        "p1",
        """
        start       -> p1!
        p1 taken    -> -
        p1 lost     -> p1/2:
        stop        -> Stopped
        p1/2 due    -> ignored
        retry       -> p1/3!
        p1/2 taken  -> ignored
        p1/3 taken  -> -
        p1/3 done   -> Succeeded
        """,
    ),
    "a stop cancels the job, once it is known, and waits for its end": (
        "p1 p2",
        """
        start        -> p1! p2!
        p1 taken     -> -
        stop         -> p1~
        p2 taken     -> p2~
        p1 cancelled -> -
        p1 cancelled -> ignored
        p1 lost      -> -
        p2 wrong     -> Stopped
        p2 cancelled -> ignored
        """,
    ),
    "a job that cannot be cancelled is not waited for": (
        "p1",
        """
        start    -> p1!
        p1 taken -> -
        stop     -> p1~
        p1 mute  -> Stopped
        p1 done  -> ignored
        """,
    ),
    "after a Fail step no other job begins": (
        "p1 p2 l1 f1<l1>",
        """
        start    -> p1! p2! l1!
        p1 taken -> -
        p2 taken -> -
        p1 lost  -> p1/2:
        l1 ok    -> -
        p2 lost  -> -
        p1/2 due -> Failed
        """,
    ),
    "a result that is taken over starts what waits for it, and holds no slot": (
        "k1 k2<k1> l1<k2>",
        """
        start 1  -> k1?
        k1 hit   -> k2?
        k1 hit   -> ignored
        k2 miss  -> k2!
        k2 hit   -> ignored
        k2 taken -> -
        k2 lost  -> k2/2:
        k2/2 due -> k2/2!
        k2/2 breaks -> Failed
        """,
    ),
    "what only looks for a result is stopped at once": (
        "k1",
        """
        start   -> k1?
        stop    -> Stopped
        k1 miss -> ignored
        retry   -> k1/2?
        k1 miss -> ignored
        k1/2 hit -> Succeeded
        """,
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_jobs_as_scripts(name: str, play: Callable[[str, str], State]) -> None:
    play(*SCRIPTS[name])


@pytest.mark.parametrize("backoff", [1e200, 1e308, 1e3])
def test_no_delay_is_infinite(backoff: float) -> None:
    policy = RetryPolicy(("E",), 43_200, backoff, 20)
    assert [next_delay([policy], "E", retried, 0) for retried in (2, 19)] == [864_000] * 2
    expiring = RetryPolicy(("E",), 1, backoff, None, 14_400)
    assert next_delay([expiring], "E", 19, 1) is None


def test_a_job_whose_arguments_have_no_value_starts_once() -> None:
    arguments = {"Environment": {"E": {"Get": "Execution.TrainingJobName"}}}
    step = {"Name": "p", "Type": "Processing", "Arguments": arguments}
    pipeline = parse(json.dumps({"Version": "2020-12-01", "Steps": [step]}))
    of: Any = {"pipeline_name": "P", "pipeline_arn": "a", "execution_id": "e", "execution_arn": "a/e"}
    decision = decide(begin(pipeline), ExecutionStarted(at=0, seed="5", **of))
    happened = [type(fact).__name__ for fact in decision.facts]
    assert happened == ["ExecutionStarted", "StepStarted", "StepFailed", "ExecutionEnded"]
