"""Steps that are jobs of SageMaker: names and requests, another attempt, a result that is taken over."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from passrole.definition import parse
from passrole.engine import State, begin, decide, fold
from passrole.engine.commands import AwaitRetry, CancelJob, InvokeFunction, SearchCache, SubmitJob
from passrole.engine.facts import (
    CacheSearched,
    CallbackAnswered,
    CallbackSent,
    EffectFailed,
    ExecutionRetried,
    ExecutionStarted,
    Fact,
    JobCancelSent,
    JobEnded,
    JobSubmitted,
    RetryDue,
    StepRetrying,
    StopRequested,
)

ARGUMENTS = {"AppSpecification": {"ImageUri": {"Get": "Parameters.P"}}, "RoleArn": "arn:role"}
OF: dict[str, Any] = {"at": 2.0, "step": "Job", "attempt": 1}
ARN = "arn:aws:sagemaker:us-east-1:111122223333:processing-job/j"
SUBMITTED = JobSubmitted(**OF, handle={"ProcessingJob": {"Arn": ARN}})
OUTPUTS = [{"OutputName": "o", "S3Output": {"S3Uri": "s3://b/o"}}]
DESCRIBED: dict[str, Any] = {"ProcessingJobName": "j", "ProcessingOutputConfig": {"Outputs": OUTPUTS}}
SUCCEEDED = JobEnded(**OF, succeeded=True, properties=DESCRIBED)
INTERNAL = JobEnded(**OF, succeeded=False, reason="r", error="SageMaker.JOB_INTERNAL_ERROR")
CACHE: dict[str, Any] = {"CacheConfig": {"Enabled": True, "ExpireAfter": "T1H"}}


def policy(error: str = "SageMaker.JOB_INTERNAL_ERROR", **members: Any) -> dict[str, Any]:
    return {"RetryPolicies": [{"ExceptionType": [error], "IntervalSeconds": 3, "BackoffRate": 2, **members}]}


def started(
    *later: Mapping[str, Any],
    type_: str = "Processing",
    name: str = "Job",
    experiment: Mapping[str, Any] | None = None,
    **more: Any,
) -> tuple[State, list[Any]]:
    """An execution whose first step is a job, and what it asks for."""
    arguments = more.pop("Arguments", ARGUMENTS)
    job = {"Name": name, "Type": type_, "Arguments": arguments, **more}
    parameters = [{"Name": "P", "Type": "String", "DefaultValue": "v"}]
    document = {"Version": "2020-12-01", "Parameters": parameters, "Steps": [job, *later]}
    text = json.dumps({**document, "PipelineExperimentConfig": experiment})
    fact = ExecutionStarted(
        at=1.0,
        seed="s",
        pipeline_name="p",
        pipeline_arn="arn:p",
        execution_id="abcdefghijkl",
        execution_arn="arn:p/execution/abcdefghijkl",
        parameters={"P": "v"},
    )
    decision = decide(begin(parse(text)), fact)
    return decision.state, list(decision.commands)


def then(state: State, *facts: Any) -> tuple[State, list[Any]]:
    """The state after the facts, and all that was asked for. The journal gives the same state."""
    asked: list[Any] = []
    for fact in facts:
        decision = decide(state, fact)
        assert fold(state, decision.facts) == decision.state
        state, asked = decision.state, [*asked, *decision.commands]
    return state, asked


def reads(path: str) -> dict[str, Any]:
    arguments = {"x": {"Get": f"Steps.Job.{path}"}}
    return {"Name": "Read", "Type": "Lambda", "FunctionArn": "arn:f", "Arguments": arguments}


def test_a_job_is_submitted_with_its_arguments_resolved() -> None:
    _, (command,) = started(name="A-step-with-a-long-Name")
    assert isinstance(command, SubmitJob)
    assert command.kind == "Processing"
    assert command.request == {"AppSpecification": {"ImageUri": "v"}, "RoleArn": "arn:role"}
    prefix, random_part = command.name.rsplit("-", 1)
    assert prefix == "pipelines-abcdefghijkl-A-step-with-a-long-N"
    assert len(random_part) == 10 and random_part.isalnum()


def test_a_name_of_a_job_has_no_underscore() -> None:
    _, (command,) = started(name="pre_process")
    assert command.step == "pre_process" and "-pre-process-" in command.name


def test_a_name_in_the_arguments_is_a_prefix() -> None:
    _, (command,) = started(Arguments={**ARGUMENTS, "ProcessingJobName": "mine" * 15})
    assert command.name.startswith("minemine") and len(command.name) == 63
    assert "-abcdefghijkl-" in command.name


def test_a_jobs_own_name_has_a_value_in_its_own_request_alone() -> None:
    environment = {"Environment": {"N": {"Get": "Execution.ProcessingJobName"}}}
    _, (command,) = started(Arguments={**ARGUMENTS, **environment})
    assert command.request["Environment"] == {"N": command.name}
    state, asked = started(type_="Training", Arguments=environment)
    assert asked == [] and "Execution.ProcessingJobName" in str(state.steps["Job"].failure_reason)


def test_null_is_absent_and_the_experiment_goes_along() -> None:
    given = {"Environment": {"a": None}, "NetworkConfig": None, "Tags": [{"Key": "k"}]}
    _, (command,) = started(Arguments=given)
    assert command.request == {"Environment": {}, "Tags": [{"Key": "k"}]}
    names = {
        "ExperimentName": {"Get": "Execution.PipelineName"},
        "TrialName": {"Get": "Execution.PipelineExecutionId"},
    }
    _, (command,) = started(type_="Training", Arguments={}, experiment=names)
    assert command.request == {"ExperimentConfig": {"ExperimentName": "p", "TrialName": "abcdefghijkl"}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ProcessingJobName", "j"),
        ("ProcessingOutputConfig.Outputs['o'].S3Output.S3Uri", "s3://b/o"),
        ("ProcessingOutputConfig.Outputs[0].OutputName", "o"),
    ],
)
def test_its_description_can_be_referred_to(path: str, value: str) -> None:
    state, _ = started(reads(path), Arguments={**ARGUMENTS, "ProcessingOutputConfig": {"Outputs": OUTPUTS}})
    state, asked = then(state, SUBMITTED, SUCCEEDED)
    assert asked == [InvokeFunction(step="Read", attempt=1, function_arn="arn:f", payload={"x": value})]
    assert state.steps["Job"].metadata == {"ProcessingJob": {"Arn": ARN}}


def test_another_job_is_submitted_when_a_policy_names_the_failure() -> None:
    state, (first,) = started(**policy(MaxAttempts=2))
    state, asked = then(state, SUBMITTED, INTERNAL)
    assert asked == [AwaitRetry(step="Job", attempt=2, due=5.0)]
    assert (state.steps["Job"].status, state.steps["Job"].attempt) == ("Executing", 2)
    state, (second,) = then(state, RetryDue(at=5.0, step="Job", attempt=2))
    assert isinstance(second, SubmitJob) and second.attempt == 2
    assert second.name != first.name and second.request == first.request
    again = JobSubmitted(at=6.0, step="Job", attempt=2, handle={"ProcessingJob": {"Arn": "arn:second"}})
    state, _ = then(state, again)
    assert state.steps["Job"].metadata == {"ProcessingJob": {"Arn": "arn:second"}}
    state, asked = then(state, replace(INTERNAL, at=7.0, attempt=2))
    assert asked == [AwaitRetry(step="Job", attempt=3, due=13.0)]
    state, _ = then(state, RetryDue(at=13.0, step="Job", attempt=3))
    third = JobSubmitted(at=14.0, step="Job", attempt=3, handle={"ProcessingJob": {"Arn": "arn:third"}})
    state, asked = then(state, third, replace(INTERNAL, at=15.0, attempt=3))
    assert (asked, state.status, state.steps["Job"].failure_reason) == ([], "Failed", "r")


@pytest.mark.parametrize(
    ("policies", "error", "at", "delay"),
    [
        ({}, "SageMaker.JOB_INTERNAL_ERROR", 2.0, None),
        (policy(), "SageMaker.CAPACITY_ERROR", 2.0, None),
        (policy(), None, 2.0, None),
        (policy(MaxAttempts=0), "SageMaker.JOB_INTERNAL_ERROR", 2.0, None),
        (policy(ExpireAfterMin=0), "SageMaker.JOB_INTERNAL_ERROR", 2.0, None),
        (policy(ExpireAfterMin=1), "SageMaker.JOB_INTERNAL_ERROR", 57.0, 3.0),
        (policy(ExpireAfterMin=1), "SageMaker.JOB_INTERNAL_ERROR", 59.0, None),
        (policy("SageMaker.CAPACITY_ERROR"), "SageMaker.CAPACITY_ERROR", 2.0, 3.0),
    ],
)
def test_a_policy_says_whether_and_when(
    policies: Mapping[str, Any], error: str | None, at: float, delay: float | None
) -> None:
    state, _ = started(**policies)
    _, asked = then(state, SUBMITTED, replace(INTERNAL, at=at, error=error))
    assert asked == ([] if delay is None else [AwaitRetry(step="Job", attempt=2, due=at + delay)])


def test_a_refusal_to_begin_is_retried_too() -> None:
    state, _ = started(**policy("SageMaker.RESOURCE_LIMIT"))
    refused = EffectFailed(**OF, reason="r", error="SageMaker.RESOURCE_LIMIT")
    assert then(state, refused)[1] == [AwaitRetry(step="Job", attempt=2, due=5.0)]
    assert then(state, replace(refused, error=None))[0].status == "Failed"


def test_a_failure_that_no_policy_names_says_so() -> None:
    state, _ = started(**policy())
    state, _ = then(state, EffectFailed(**OF, reason="ClientError: r", error="SageMaker.RESOURCE_LIMIT"))
    assert state.steps["Job"].failure_reason == (
        "ClientError: r\nRetry not appropriate on execution of step with PipelineExecutionArn"
        " arn:p/execution/abcdefghijkl and StepId Job. No retry policy configured for the exception type"
        " SAGEMAKER_RESOURCE_LIMIT."
    )


def test_after_a_fail_step_no_other_attempt_begins() -> None:
    fails = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    waits = {"Name": "W", "Type": "Callback", "SqsQueueUrl": "https://q", "Arguments": {}}
    failing = {**fails, "DependsOn": ["W"]}
    state, _ = started(waits, failing, **policy())
    state, _ = then(state, SUBMITTED, INTERNAL, CallbackSent(at=3.0, step="W", attempt=1))
    state, _ = then(state, CallbackAnswered(at=4.0, step="W", attempt=1, outcome="success"))
    assert (state.steps["F"].status, state.status) == ("Failed", "Executing")
    state, asked = then(state, RetryDue(at=5.0, step="Job", attempt=2))
    assert (asked, state.status, state.steps["Job"].status) == ([], "Failed", "Stopped")


def test_a_step_that_waits_for_another_attempt_is_stopped_at_once() -> None:
    state, _ = started(**policy())
    state, asked = then(state, SUBMITTED, INTERNAL)
    state, asked = then(state, StopRequested(at=3.0))
    assert (asked, state.status, state.steps["Job"].status) == ([], "Stopped", "Stopped")
    assert decide(state, RetryDue(at=5.0, step="Job", attempt=2)).facts == ()


def test_while_it_is_stopped_it_is_not_tried_again() -> None:
    state, _ = started(**policy())
    state, (cancel,) = then(state, SUBMITTED, StopRequested(at=3.0))
    assert cancel == CancelJob(step="Job", attempt=1, kind="Processing", handle={"Arn": ARN})
    state, asked = then(state, JobCancelSent(**OF), INTERNAL)
    assert (asked, state.status) == ([], "Stopped")


def test_a_retry_of_the_execution_numbers_on() -> None:
    state, _ = started(**policy(MaxAttempts=1))
    state, _ = then(state, SUBMITTED, INTERNAL, RetryDue(at=5.0, step="Job", attempt=2))
    state, _ = then(state, replace(SUBMITTED, attempt=2), replace(INTERNAL, attempt=2))
    assert state.status == "Failed"
    state, (command,) = then(state, ExecutionRetried(at=9.0))
    assert command.attempt == 3
    state, asked = then(state, replace(SUBMITTED, attempt=3), replace(INTERNAL, attempt=3))
    assert [type(each) for each in asked] == [AwaitRetry], "its retries are counted anew"


@pytest.mark.parametrize(
    "late",
    [
        RetryDue(at=5.0, step="Job", attempt=1),
        replace(SUBMITTED, attempt=1),
        replace(SUBMITTED, attempt=2),
        replace(INTERNAL, attempt=2),
        EffectFailed(at=5.0, step="Job", attempt=2, reason="late"),
    ],
    ids=str,
)
def test_what_comes_while_a_retry_is_waited_for_is_old_news(late: Any) -> None:
    state, _ = started(**policy())
    state, _ = then(state, SUBMITTED, INTERNAL)
    assert decide(state, late).facts == ()


def test_a_step_with_caching_looks_for_a_result_first() -> None:
    state, (search,) = started(**CACHE)
    assert isinstance(search, SearchCache) and search.age_seconds == 3600
    assert state.steps["Job"].status == "Starting"
    state, (command,) = then(state, CacheSearched(**OF))
    assert isinstance(command, SubmitJob) and state.steps["Job"].status == "Executing"


def test_a_result_is_taken_over_with_its_properties() -> None:
    output = reads("ProcessingOutputConfig.Outputs['o'].S3Output.S3Uri")
    arguments = {**ARGUMENTS, "ProcessingOutputConfig": {"Outputs": OUTPUTS}}
    state, _ = started(output, Arguments=arguments, **CACHE)
    hit = CacheSearched(
        **OF, source="arn:source", metadata={"ProcessingJob": {"Arn": ARN}}, properties=DESCRIBED
    )
    state, (command,) = then(state, hit)
    step = state.steps["Job"]
    assert (step.status, step.cached_from, step.metadata) == ("Succeeded", "arn:source", hit.metadata)
    assert command.payload == {"x": "s3://b/o"}


def digest(**arguments: Any) -> str:
    _, (search,) = started(Arguments={**ARGUMENTS, **arguments}, **CACHE)
    return str(search.digest)


def test_outputs_roles_and_machines_are_not_compared() -> None:
    same = {
        "RoleArn": "arn:other",
        "ProcessingOutputConfig": {"Outputs": OUTPUTS},
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.c5.xlarge"}},
        "StoppingCondition": {"MaxRuntimeInSeconds": 9},
        "Tags": [{"Key": "k", "Value": "v"}],
        "Environment": {},
    }
    assert digest() == digest(**same)
    assert digest() != digest(Environment={"a": "b"})
    assert digest() != digest(AppSpecification={"ImageUri": "w"})


def test_caching_that_is_off_looks_for_nothing() -> None:
    _, (command,) = started(CacheConfig={"Enabled": False})
    assert isinstance(command, SubmitJob)


def test_a_search_that_a_stop_overtook_ends_nothing_twice() -> None:
    state, _ = started(**CACHE)
    state, _ = then(state, StopRequested(at=1.5))
    assert state.steps["Job"].status == "Stopped"
    assert decide(state, CacheSearched(**OF)).facts == ()


def test_what_was_decided_is_told_in_facts() -> None:
    state, _ = started(**policy())
    facts: tuple[Fact, ...] = decide(then(state, SUBMITTED)[0], INTERNAL).facts
    assert facts == (INTERNAL, StepRetrying(**OF, due=5.0, reason="r"))
