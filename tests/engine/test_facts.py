"""Journals outlive programs: what is stored here must be readable for ever."""

from typing import Any, get_args

import orjson
import pytest

from passrole.engine import facts
from passrole.engine.facts import Fact, Output, from_json, to_json

STEP = {"at": 2.5, "step": "s", "attempt": 1}
STORED: list[tuple[Fact, dict[str, object]]] = [
    (
        facts.StubAnswered(at=1.0, step="s", attempt=1, stub={"Outputs": {"x": 1}}),
        {"fact": "StubAnswered", "at": 1.0, "step": "s", "attempt": 1, "stub": {"Outputs": {"x": 1}}},
    ),
    (
        facts.ExecutionStarted(
            at=1.0,
            seed="5eed",
            pipeline_name="P",
            pipeline_arn="arn:p",
            execution_id="e",
            execution_arn="arn:e",
            parameters={"i": 1, "f": 1.0, "b": True, "s": "x"},
            max_parallel_steps=3,
            selected=("a",),
            source="arn:s",
            reused={"b": {"Condition": {"Outcome": "True"}}},
        ),
        {
            "fact": "ExecutionStarted",
            "at": 1.0,
            "seed": "5eed",
            "pipeline_name": "P",
            "pipeline_arn": "arn:p",
            "execution_id": "e",
            "execution_arn": "arn:e",
            "parameters": {"i": 1, "f": 1.0, "b": True, "s": "x"},
            "max_parallel_steps": 3,
            "selected": ["a"],
            "source": "arn:s",
            "reused": {"b": {"Condition": {"Outcome": "True"}}},
        },
    ),
    (
        facts.LambdaReturned(at=2.5, step="s", attempt=1, payload="{}"),
        {"fact": "LambdaReturned", **STEP, "payload": "{}"},
    ),
    (facts.LambdaTimedOut(at=2.5, step="s", attempt=1), {"fact": "LambdaTimedOut", **STEP}),
    (facts.CallbackSent(at=2.5, step="s", attempt=1), {"fact": "CallbackSent", **STEP}),
    (
        facts.CallbackSent(at=2.5, step="s", attempt=1, status="Stopping"),
        {"fact": "CallbackSent", **STEP, "status": "Stopping"},
    ),
    (
        facts.CallbackAnswered(at=2.5, step="s", attempt=1, outcome="success", outputs=(Output("a", "1"),)),
        {"fact": "CallbackAnswered", **STEP, "outcome": "success", "outputs": [["a", "1"]]},
    ),
    (
        facts.CallbackAnswered(at=2.5, step="s", attempt=1, outcome="failure", reason="no"),
        {"fact": "CallbackAnswered", **STEP, "outcome": "failure", "reason": "no"},
    ),
    (
        facts.JobSubmitted(at=2.5, step="s", attempt=1, handle={"TrainingJob": {"Arn": "a"}}),
        {"fact": "JobSubmitted", **STEP, "handle": {"TrainingJob": {"Arn": "a"}}},
    ),
    (facts.JobCancelSent(at=2.5, step="s", attempt=1), {"fact": "JobCancelSent", **STEP}),
    (
        facts.JobEnded(at=2.5, step="s", attempt=1, succeeded=True, properties={"Id": "e"}),
        {"fact": "JobEnded", **STEP, "succeeded": True, "properties": {"Id": "e"}},
    ),
    (
        facts.JobEnded(
            at=2.5, step="s", attempt=1, succeeded=False, reason="r", error="SageMaker.CAPACITY_ERROR"
        ),
        {"fact": "JobEnded", **STEP, "succeeded": False, "reason": "r", "error": "SageMaker.CAPACITY_ERROR"},
    ),
    (
        facts.ResourceCreated(
            at=2.5, step="s", attempt=1, metadata={"Model": {"Arn": "a"}}, properties={"ModelName": "n"}
        ),
        {
            "fact": "ResourceCreated",
            **STEP,
            "metadata": {"Model": {"Arn": "a"}},
            "properties": {"ModelName": "n"},
        },
    ),
    (facts.RetryDue(at=2.5, step="s", attempt=1), {"fact": "RetryDue", **STEP}),
    (
        facts.StepRetrying(at=2.5, step="s", attempt=1, due=4.5, reason="r"),
        {"fact": "StepRetrying", **STEP, "due": 4.5, "reason": "r"},
    ),
    (facts.CacheSearched(at=2.5, step="s", attempt=1), {"fact": "CacheSearched", **STEP}),
    (
        facts.CacheSearched(
            at=2.5, step="s", attempt=1, source="arn:e", metadata={"X": {"Arn": "a"}}, properties={"p": 1}
        ),
        {
            "fact": "CacheSearched",
            **STEP,
            "source": "arn:e",
            "metadata": {"X": {"Arn": "a"}},
            "properties": {"p": 1},
        },
    ),
    (
        facts.EffectFailed(at=2.5, step="s", attempt=1, reason="ClientError: x"),
        {"fact": "EffectFailed", **STEP, "reason": "ClientError: x"},
    ),
    (
        facts.ParallelismChanged(at=3.0, max_parallel_steps=2),
        {"fact": "ParallelismChanged", "at": 3.0, "max_parallel_steps": 2},
    ),
    (
        facts.ExecutionRetried(at=3.0, max_parallel_steps=2),
        {"fact": "ExecutionRetried", "at": 3.0, "max_parallel_steps": 2},
    ),
    (facts.StopRequested(at=3.0), {"fact": "StopRequested", "at": 3.0}),
    (
        facts.StepStarted(at=2.5, step="s", attempt=1, metadata={"Lambda": {"Arn": "arn:f"}}),
        {"fact": "StepStarted", **STEP, "metadata": {"Lambda": {"Arn": "arn:f"}}},
    ),
    (facts.CommandWithdrawn(at=2.5, step="s", attempt=1), {"fact": "CommandWithdrawn", **STEP}),
    (facts.StepPreparing(at=2.5, step="s", attempt=1), {"fact": "StepPreparing", **STEP}),
    (
        facts.BaselineFound(at=2.5, step="s", attempt=1, package="arn:p", baselines={"Bias": {}}),
        {"fact": "BaselineFound", **STEP, "package": "arn:p", "baselines": {"Bias": {}}},
    ),
    (
        facts.JsonRead(at=2.5, step="s", attempt=1, values=(("s3://b/k", "a.b", {"n": [1]}),)),
        {"fact": "JsonRead", **STEP, "values": [["s3://b/k", "a.b", {"n": [1]}]]},
    ),
    (facts.StepStopping(at=2.5, step="s", attempt=1), {"fact": "StepStopping", **STEP}),
    (
        facts.StepSucceeded(at=2.5, step="s", attempt=1, metadata={"Condition": {"Outcome": "True"}}),
        {"fact": "StepSucceeded", **STEP, "metadata": {"Condition": {"Outcome": "True"}}},
    ),
    (
        facts.StepFailed(at=2.5, step="s", attempt=1, reason="r"),
        {"fact": "StepFailed", **STEP, "reason": "r"},
    ),
    (facts.StepStopped(at=2.5, step="s", attempt=1), {"fact": "StepStopped", **STEP}),
    (
        facts.ExecutionEnded(at=3.0, status="Failed", reason="r"),
        {"fact": "ExecutionEnded", "at": 3.0, "status": "Failed", "reason": "r"},
    ),
]

FORMER: list[tuple[Fact, dict[str, Any]]] = [
    (
        facts.JobSubmitted(
            at=2.5,
            step="s",
            attempt=1,
            handle={"EMR": {"ClusterId": "j", "StepId": "e", "StepName": "n"}},
        ),
        {"fact": "EmrSubmitted", **STEP, "cluster_id": "j", "emr_step_id": "e", "emr_step_name": "n"},
    ),
    (facts.JobCancelSent(at=2.5, step="s", attempt=1), {"fact": "EmrCancelSent", **STEP}),
    (
        facts.JobEnded(at=2.5, step="s", attempt=1, succeeded=True, properties={"Id": "e"}),
        {"fact": "EmrEnded", **STEP, "succeeded": True, "properties": {"Id": "e"}},
    ),
    (
        facts.JobEnded(
            at=2.5,
            step="s",
            attempt=1,
            succeeded=False,
            reason="r",
            metadata={"EMR": {"LogFilePath": "s3://l"}},
        ),
        {"fact": "EmrEnded", **STEP, "succeeded": False, "reason": "r", "log_file": "s3://l"},
    ),
]


@pytest.mark.parametrize(("fact", "stored"), FORMER)
def test_what_an_earlier_version_stored_is_read(fact: Fact, stored: dict[str, Any]) -> None:
    assert from_json(stored) == fact


@pytest.mark.parametrize(("fact", "stored"), STORED, ids=[str(stored["fact"]) for _, stored in STORED])
def test_a_fact_is_stored_like_this_and_comes_back(fact: Fact, stored: dict[str, object]) -> None:
    assert to_json(fact) == stored
    assert from_json(orjson.loads(orjson.dumps(to_json(fact)))) == fact


def test_every_kind_of_fact_is_pinned() -> None:
    kinds = get_args(facts.InputFact) + get_args(facts.DerivedFact)
    assert {type(fact) for fact, _ in STORED} == set(kinds)


def test_a_member_of_a_later_version_is_skipped() -> None:
    assert from_json({"fact": "StopRequested", "at": 1.0, "by": "somebody"}) == facts.StopRequested(at=1.0)


def test_an_unknown_kind_of_fact_is_an_error() -> None:
    with pytest.raises(KeyError):
        from_json({"fact": "StepSlept", "at": 1.0})
