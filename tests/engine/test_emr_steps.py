"""EMR steps: submitted, followed, cancelled; what comes late, twice or in the wrong order."""

import json
from dataclasses import asdict
from typing import Any

import orjson
import pytest

from passrole.definition import parse
from passrole.engine import State, begin, commands, decide
from passrole.engine.commands import CancelJob, InvokeFunction, SubmitJob
from passrole.engine.facts import (
    EffectFailed,
    ExecutionStarted,
    JobCancelSent,
    JobEnded,
    JobSubmitted,
    StopRequested,
)

STEP_CONFIG = {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["a", {"Get": "Parameters.P"}]}}
OWN: dict[str, Any] = {"Instances": {"InstanceGroups": []}}
JOB: dict[str, Any] = {"at": 2.0, "step": "Job", "attempt": 1}
KNOWN = {"ClusterId": "j-1", "StepId": "s-1", "StepName": "n"}
SUBMITTED = JobSubmitted(**JOB, handle={"EMR": KNOWN})
STEP: dict[str, Any] = {"Id": "s-1", "Config": {"Args": ["x", "y"]}, "Status": {"State": "COMPLETED"}}
SUCCEEDED = JobEnded(**JOB, succeeded=True, properties=STEP)
FAILED = JobEnded(**JOB, succeeded=False, reason="r", metadata={"EMR": {"LogFilePath": "s3://l"}})
STOP = StopRequested(at=1.5)


def started(*later: dict[str, Any], own: bool = False, **more: Any) -> tuple[State, Any]:
    """An execution whose first step is `Job`, and what it asks for."""
    cluster = {"ClusterConfig": OWN} if own else {"ClusterId": "j-1"}
    job = {"Name": "Job", "Type": "EMR", "Arguments": {**cluster, "StepConfig": STEP_CONFIG}, **more}
    parameters = [{"Name": "P", "Type": "String", "DefaultValue": "v"}]
    text = json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [job, *later]})
    fact = ExecutionStarted(
        at=1.0,
        seed="s",
        pipeline_name="p",
        pipeline_arn="arn:p",
        execution_id="abc",
        execution_arn="arn:p/execution/abc",
        parameters={"P": "v"},
    )
    decision = decide(begin(parse(text)), fact)
    (command,) = decision.commands
    return decision.state, command


def then(state: State, *facts: Any) -> tuple[State, list[Any]]:
    """The state after the facts, and all that was asked for."""
    asked: list[Any] = []
    for fact in facts:
        decision = decide(state, fact)
        state, asked = decision.state, [*asked, *decision.commands]
    return state, asked


def test_a_step_is_submitted_with_its_arguments_resolved() -> None:
    state, command = started()
    assert isinstance(command, SubmitJob)
    step_config = {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["a", "v"]}}
    assert (command.kind, command.request) == ("EMR", {"ClusterId": "j-1", "StepConfig": step_config})
    assert command.name.startswith("pipelines-abc-Job-")
    assert state.steps["Job"].metadata == {}
    _, own = started(own=True)
    assert own.request == {"ClusterConfig": OWN, "StepConfig": step_config}


def test_retry_policies_and_a_role_go_along() -> None:
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 2, "MaxAttempts": 3}
    _, command = started(RetryPolicies=[policy])
    (told,) = command.retries
    assert asdict(told) == {
        "exceptions": ("Step.THROTTLING",),
        "interval_seconds": 2.0,
        "backoff": 2.0,
        "attempts_max": 3,
        "expire_minutes": None,
    }
    written = orjson.loads(orjson.dumps(commands.to_json(command)))
    assert commands.from_json(written) == command


def test_it_succeeds_and_its_properties_can_be_read() -> None:
    values = {
        "cluster": {"Get": "Steps.Job.ClusterId"},
        "id": {"Get": "Steps.Job.Id"},
        "arg": {"Get": "Steps.Job.Config.Args[1]"},
    }
    read = {"Name": "Read", "Type": "Lambda", "FunctionArn": "arn:f", "Arguments": values}
    state, _ = started(read)
    state, asked = then(state, SUBMITTED, SUCCEEDED)
    assert asked == [
        InvokeFunction(
            step="Read",
            attempt=1,
            function_arn="arn:f",
            payload={"cluster": "j-1", "id": "s-1", "arg": "y"},
        )
    ]
    assert state.steps["Job"].metadata == {"EMR": KNOWN}


def test_a_property_that_is_not_there_fails_who_asks() -> None:
    read = {
        "Name": "Read",
        "Type": "Lambda",
        "FunctionArn": "arn:f",
        "Arguments": {"x": {"Get": "Steps.Job.Config.Args[7]"}},
    }
    state, _ = started(read)
    state, asked = then(state, SUBMITTED, SUCCEEDED)
    reason = "ClientError: Step 'Job' has no property 'Steps.Job.Config.Args[7]'."
    assert (asked, state.steps["Read"].failure_reason) == ([], reason)


def test_it_fails_with_its_reason_and_where_its_log_is() -> None:
    state, _ = started()
    state, _ = then(state, SUBMITTED, FAILED)
    assert (state.status, state.steps["Job"].failure_reason) == ("Failed", "r")
    assert state.steps["Job"].metadata["EMR"]["LogFilePath"] == "s3://l"


@pytest.mark.parametrize("own", [False, True])
def test_a_stop_cancels_it_and_waits(own: bool) -> None:
    state, _ = started(own=own)
    state, asked = then(state, SUBMITTED, STOP)
    assert asked == [
        CancelJob(
            step="Job",
            attempt=1,
            kind="EMR",
            handle={"ClusterId": "j-1", "StepId": "s-1", "OwnsCluster": own},
        )
    ]
    state, asked = then(state, JobCancelSent(**JOB), STOP)
    assert (asked, state.status, state.steps["Job"].status) == ([], "Stopping", "Stopping")
    for ended in (SUCCEEDED, FAILED):
        after, _ = then(state, ended)
        assert (after.status, after.steps["Job"].status) == ("Stopped", "Stopped")


def test_a_stop_before_the_submission_is_passed_on_after_it() -> None:
    state, _ = started()
    state, asked = then(state, STOP)
    assert (asked, state.steps["Job"].status) == ([], "Stopping")
    _, asked = then(state, SUBMITTED)
    assert [type(each) for each in asked] == [CancelJob]


def test_a_submission_or_a_cancellation_that_fails_fails_the_step() -> None:
    state, _ = started()
    after, _ = then(state, EffectFailed(**JOB, reason="denied"))
    assert (after.status, after.steps["Job"].failure_reason) == ("Failed", "denied")
    state, _ = then(state, SUBMITTED, STOP)
    after, _ = then(state, EffectFailed(**JOB, reason="denied", status="Stopping"))
    assert (after.status, after.steps["Job"].failure_reason) == ("Stopped", "denied")


@pytest.mark.parametrize(
    ("before", "late"),
    [
        ((), SUCCEEDED),
        ((), JobCancelSent(**JOB)),
        ((SUBMITTED,), SUBMITTED),
        ((SUBMITTED,), JobCancelSent(**JOB)),
        ((SUBMITTED,), EffectFailed(**JOB, reason="late")),
        ((SUBMITTED, STOP, JobCancelSent(**JOB)), JobCancelSent(**JOB)),
        ((SUBMITTED, SUCCEEDED), FAILED),
        ((SUBMITTED, SUCCEEDED), SUBMITTED),
        ((SUBMITTED,), JobEnded(at=2.0, step="Job", attempt=2, succeeded=True)),
    ],
    ids=str,
)
def test_what_comes_twice_too_late_or_too_early_is_old_news(before: tuple[Any, ...], late: Any) -> None:
    state, _ = then(started()[0], *before)
    assert decide(state, late).facts == ()
