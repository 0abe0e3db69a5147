"""Executions through boto3, per operation: shape, refusals, effect."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal
from tests.services.sagemaker.conftest import FAIL, Begin, Define, Ended, callback

# StartPipelineExecution, DescribePipelineExecution


def test_an_execution_is_described_from_its_start_to_its_end(
    server: Server, role: str, name: str, begin: Begin, ended: Ended
) -> None:
    arn = begin(FAIL, PipelineExecutionDisplayName="shown", PipelineExecutionDescription="about")
    pipeline, _, execution = arn.partition("/execution/")
    assert pipeline == f"arn:aws:sagemaker:{server.region}:{server.account}:pipeline/{name}"
    assert len(execution) == 12
    described = ended(arn)
    assert isinstance(described.pop("CreationTime"), datetime)
    assert isinstance(described.pop("LastModifiedTime"), datetime)
    assert described.pop("CreatedBy")["IamIdentity"]["Arn"].startswith("arn:aws:iam::")
    del described["ResponseMetadata"], described["LastModifiedBy"]
    assert described == {
        "PipelineArn": pipeline,
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": "shown",
        "PipelineExecutionStatus": "Failed",
        "PipelineExecutionDescription": "about",
        "PipelineExperimentConfig": {"ExperimentName": name.lower(), "TrialName": execution},
        "FailureReason": "Step failure: One or multiple steps failed.",
        "PipelineVersionId": 1,
    }
    last_run = server.client("sagemaker").describe_pipeline(PipelineName=pipeline)["LastRunTime"]
    assert isinstance(last_run, datetime)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, None),
        ({"ExperimentName": {"Get": "Parameters.x"}, "TrialName": "T"}, ("Mine", "T")),
        (
            {"ExperimentName": {"Std:Join": {"On": "-", "Values": ["e", {"Get": "Parameters.x"}]}}},
            ("e-Mine",),
        ),
    ],
)
def test_an_execution_shows_the_experiment_that_its_definition_names(
    begin: Begin, ended: Ended, config: dict[str, Any] | None, expected: tuple[str, ...] | None
) -> None:
    declared = [{"Name": "x", "Type": "String", "DefaultValue": "Mine"}]
    described = ended(begin(FAIL, members={"Parameters": declared, "PipelineExperimentConfig": config}))
    shown = described.get("PipelineExperimentConfig")
    assert (tuple(shown.values()) if shown else None) == expected


@pytest.mark.parametrize(
    ("config", "start", "expected"),
    [
        (None, {}, None),
        (None, {"MlflowExperimentName": "of-start"}, {"MlflowExperimentName": "of-start"}),
        (
            {"MlflowResourceArn": "arn:app", "MlflowExperimentName": {"Get": "Parameters.x"}},
            {},
            {"MlflowResourceArn": "arn:app", "MlflowExperimentName": "Mine"},
        ),
        (
            {"MlflowResourceArn": "arn:app", "MlflowExperimentName": "e"},
            {"MlflowExperimentName": "of-start"},
            {"MlflowResourceArn": "arn:app", "MlflowExperimentName": "of-start"},
        ),
    ],
)
def test_an_execution_shows_its_mlflow_experiment(
    begin: Begin,
    ended: Ended,
    config: dict[str, Any] | None,
    start: dict[str, str],
    expected: dict[str, str] | None,
) -> None:
    declared = [{"Name": "x", "Type": "String", "DefaultValue": "Mine"}]
    arn = begin(FAIL, members={"Parameters": declared, "MlflowConfig": config}, **start)
    assert ended(arn).get("MLflowConfig") == expected


def test_an_execution_of_ones_own_pipeline_takes_no_role(
    server: Server, role: str, name: str, made: Callable[..., str]
) -> None:
    made()
    code, message = refusal(
        server.client("sagemaker").start_pipeline_execution, PipelineName=name, RoleArn=role
    )
    assert code == "ValidationException"
    assert message.startswith("RoleArn can be specified only for a pipeline that AWS manages.")


def test_an_empty_value_of_a_parameter_is_refused_and_an_empty_default_is_not(
    server: Server, begin: Begin, ended: Ended, name: str
) -> None:
    declared = [{"Name": "x", "Type": "String", "DefaultValue": ""}]
    assert ended(begin(FAIL, members={"Parameters": declared}))["PipelineExecutionStatus"] == "Failed"
    start = server.client("sagemaker").start_pipeline_execution
    assert refusal(start, PipelineName=name, PipelineParameters=[{"Name": "x", "Value": ""}]) == (
        "ValidationException",
        '[string "" is too short (length: 0, required minimum: 1)]',
    )


def test_an_execution_without_a_name_is_named_after_its_start(begin: Begin, ended: Ended) -> None:
    prefix, _, milliseconds = ended(begin(FAIL))["PipelineExecutionDisplayName"].partition("-")
    assert prefix == "execution"
    assert len(milliseconds) == 13


def test_a_start_is_refused_for_an_unknown_pipeline_and_for_bad_parameters(
    server: Server, role: str, name: str, define: Define
) -> None:
    sagemaker = server.client("sagemaker")
    start = sagemaker.start_pipeline_execution
    assert refusal(start, PipelineName=name) == (
        "ResourceNotFound",
        f"Pipeline with name {name} does not exist.",
    )
    declared = [{"Name": "n", "Type": "Integer"}]
    text = define(FAIL, Parameters=declared)
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=role)
    for parameters in ([], [{"Name": "n", "Value": "x"}], [{"Name": "m", "Value": "1"}]):
        assert refusal(start, PipelineName=name, PipelineParameters=parameters)[0] == "ValidationException"
    twice = [{"Name": "n", "Value": "1"}] * 2
    assert refusal(start, PipelineName=name, PipelineParameters=twice)[0] == "ValidationException"
    assert sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] == []


def test_starting_is_authorised_on_the_pipeline(server: Server, role: str, name: str, define: Define) -> None:
    pipeline = server.client("sagemaker").create_pipeline(
        PipelineName=name, PipelineDefinition=define(FAIL), RoleArn=role
    )["PipelineArn"]
    policy = {"Effect": "Allow", "Action": "sagemaker:StartPipelineExecution", "Resource": pipeline}
    own = server.client("sagemaker", user_policy={"Version": "2012-10-17", "Statement": [policy]})
    own.start_pipeline_execution(PipelineName=name)
    own.start_pipeline_execution(PipelineName=pipeline)
    code, message = refusal(own.start_pipeline_execution, PipelineName=f"{name}-other")
    assert code == "AccessDeniedException"
    assert f"sagemaker:StartPipelineExecution on resource: {pipeline}-other because" in message


def test_the_same_start_with_the_same_token_happens_once(server: Server, name: str, begin: Begin) -> None:
    token = str(uuid.uuid4())
    first = begin(FAIL, ClientRequestToken=token)
    start = server.client("sagemaker").start_pipeline_execution
    assert start(PipelineName=name, ClientRequestToken=token)["PipelineExecutionArn"] == first
    other = {"PipelineName": name, "PipelineExecutionDescription": "other", "ClientRequestToken": token}
    assert refusal(start, **other)[0] == "ConflictException"


@pytest.mark.parametrize(("of_start", "expected"), [(None, 4), (2, 2)])
def test_parallelism_of_the_start_goes_before_the_pipelines(
    server: Server, role: str, name: str, define: Define, of_start: int | None, expected: int, ended: Ended
) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=define(FAIL),
        RoleArn=role,
        ParallelismConfiguration={"MaxParallelExecutionSteps": 4},
    )
    given = {"ParallelismConfiguration": {"MaxParallelExecutionSteps": of_start}} if of_start else {}
    arn = sagemaker.start_pipeline_execution(PipelineName=name, **given)["PipelineExecutionArn"]
    assert ended(arn)["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": expected}


@pytest.mark.parametrize(
    "operation",
    [
        "describe_pipeline_execution",
        "list_pipeline_execution_steps",
        "list_pipeline_parameters_for_execution",
        "describe_pipeline_definition_for_execution",
        "stop_pipeline_execution",
        "retry_pipeline_execution",
        "update_pipeline_execution",
    ],
)
def test_an_unknown_execution_is_not_found_and_not_shown_to_who_may_not_look(
    server: Server, name: str, operation: str
) -> None:
    arn = f"arn:aws:sagemaker:{server.region}:{server.account}:pipeline/{name}/execution/abcdefghijkl"
    call = getattr(server.client("sagemaker"), operation)
    assert refusal(call, PipelineExecutionArn=arn) == (
        "ResourceNotFound",
        f"Pipeline execution with ARN {arn} does not exist.",
    )
    elsewhere = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": f"{arn}x"}
    call = getattr(
        server.client("sagemaker", user_policy={"Version": "2012-10-17", "Statement": [elsewhere]}), operation
    )
    code, message = refusal(call, PipelineExecutionArn=arn)
    assert code == "AccessDeniedException"
    assert f"on resource: {arn} because" in message


# UpdatePipelineExecution


def test_an_execution_is_renamed_and_described_whenever(
    server: Server, name: str, begin: Begin, ended: Ended
) -> None:
    sagemaker, arn = server.client("sagemaker"), begin(FAIL, PipelineExecutionDescription="kept")
    before = ended(arn)
    answer = sagemaker.update_pipeline_execution(
        PipelineExecutionArn=arn, PipelineExecutionDisplayName="renamed"
    )
    assert answer["PipelineExecutionArn"] == arn
    after = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert after["PipelineExecutionDisplayName"] == "renamed"
    assert after["PipelineExecutionDescription"] == "kept"
    assert after["LastModifiedTime"] > before["LastModifiedTime"]
    sagemaker.update_pipeline_execution(PipelineExecutionArn=arn, PipelineExecutionDescription="changed")
    (summary,) = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert summary["PipelineExecutionDisplayName"] == "renamed"
    assert summary["PipelineExecutionDescription"] == "changed"


def test_more_slots_start_the_steps_that_waited_for_them(server: Server, begin: Begin, queue: str) -> None:
    sagemaker = server.client("sagemaker")
    steps = [{**callback(queue), "Name": name} for name in "abc"]
    one = {"MaxParallelExecutionSteps": 1}
    arn = begin(*steps, ParallelismConfiguration=one)

    def started() -> int:
        return len(
            sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        )

    assert started() == 1
    two = {"MaxParallelExecutionSteps": 2}
    sagemaker.update_pipeline_execution(PipelineExecutionArn=arn, ParallelismConfiguration=two)
    assert started() == 2
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["ParallelismConfiguration"] == two
    assert described["PipelineExecutionStatus"] == "Executing"


def test_the_slots_of_an_execution_that_is_over_cannot_be_changed(
    server: Server, begin: Begin, ended: Ended
) -> None:
    sagemaker, arn = server.client("sagemaker"), begin(FAIL)
    ended(arn)
    given = {
        "PipelineExecutionDisplayName": "renamed",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
    }
    code, message = refusal(sagemaker.update_pipeline_execution, PipelineExecutionArn=arn, **given)
    assert (code, "is already Failed" in message) == ("ConflictException", True)
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionDisplayName"] != "renamed"


# StopPipelineExecution


def test_a_stopped_callback_hears_of_it_and_ends_the_execution_when_it_answers(
    server: Server, begin: Begin, queue: str, ended: Ended
) -> None:
    sagemaker, sqs = server.client("sagemaker"), server.client("sqs")
    arn = begin(callback(queue))
    first = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]["Body"]
    assert sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionArn"] == arn
    assert sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionArn"] == arn
    second = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]["Body"]
    assert second == first.replace('"Executing"', '"Stopping"')
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionStatus"] == "Stopping"
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert step["StepStatus"] == "Stopping"
    token = step["Metadata"]["Callback"]["CallbackToken"]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    assert ended(arn)["PipelineExecutionStatus"] == "Stopped"
    code, _ = refusal(sagemaker.stop_pipeline_execution, PipelineExecutionArn=arn)
    assert code == "ConflictException"


# ListPipelineExecutions


def test_executions_are_listed_newest_first_and_in_pages(
    server: Server, name: str, begin: Begin, ended: Ended
) -> None:
    sagemaker = server.client("sagemaker")
    arns = [begin(FAIL)]
    arns += [sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"] for _ in range(2)]
    for arn in arns:
        ended(arn)

    def listed(**options: Any) -> list[str]:
        summaries: list[dict[str, Any]] = []
        while True:
            answer = sagemaker.list_pipeline_executions(PipelineName=name, **options)
            summaries += answer["PipelineExecutionSummaries"]
            if "NextToken" not in answer:
                return [each["PipelineExecutionArn"] for each in summaries]
            options["NextToken"] = answer["NextToken"]

    assert listed() == arns[::-1]
    assert listed(SortOrder="Ascending") == arns
    assert listed(SortBy="PipelineExecutionArn", SortOrder="Ascending") == sorted(arns)
    assert listed(MaxResults=1) == arns[::-1]
    assert listed(MaxResults=2, SortBy="PipelineExecutionArn") == sorted(arns, reverse=True)
    first, second, _ = (
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["CreationTime"] for arn in arns
    )
    minute = timedelta(minutes=1)
    assert listed(CreatedAfter=first - minute, CreatedBefore=second + minute) == arns[::-1]
    assert listed(CreatedAfter=first + minute) == []
    assert listed(CreatedBefore=first - minute) == []
    assert refusal(sagemaker.list_pipeline_executions, PipelineName=name, NextToken="x")[0] == (
        "ValidationException"
    )
    summary = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"][0]
    assert summary["PipelineExecutionStatus"] == "Failed"
    assert summary["PipelineExecutionFailureReason"] == "Step failure: One or multiple steps failed."
    assert isinstance(summary["StartTime"], datetime)
    unknown = refusal(sagemaker.list_pipeline_executions, PipelineName=f"{name}-other")
    assert unknown[0] == "ResourceNotFound"


# ListPipelineExecutionSteps


def test_steps_are_listed_newest_first_and_those_not_reached_are_absent(
    server: Server, begin: Begin, ended: Ended
) -> None:
    right = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    choice = {
        "Name": "Cond",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [right],
            "IfSteps": [FAIL],
            "ElseSteps": [{**FAIL, "Name": "G"}],
        },
    }
    arn = begin(choice)
    ended(arn)
    sagemaker = server.client("sagemaker")
    fail, condition = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)[
        "PipelineExecutionSteps"
    ]
    assert (fail["StepName"], fail["StepStatus"], fail["FailureReason"]) == ("F", "Failed", "bad")
    assert fail["Metadata"] == {"Fail": {"ErrorMessage": "bad"}}
    assert (condition["StepName"], condition["StepStatus"]) == ("Cond", "Succeeded")
    assert condition["Metadata"] == {"Condition": {"Outcome": "True"}}
    assert isinstance(condition["StartTime"], datetime)
    assert condition["AttemptCount"] == 1

    def names(**options: Any) -> tuple[list[str], str | None]:
        answer = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, **options)
        return [step["StepName"] for step in answer["PipelineExecutionSteps"]], answer.get("NextToken")

    assert names(SortOrder="Ascending") == (["Cond", "F"], None)
    first, token = names(MaxResults=1)
    assert first == ["F"]
    assert names(MaxResults=1, NextToken=token) == (["Cond"], None)
    assert refusal(sagemaker.list_pipeline_execution_steps)[0] == "ValidationException"


def test_two_thousand_steps_run_and_are_listed_page_by_page(
    server: Server, begin: Begin, ended: Ended
) -> None:
    names = [f"step-{number}" for number in range(2000)]
    chain = [
        {"Name": each, "Type": "Condition", "Arguments": {"Conditions": []}, "DependsOn": before}
        for each, before in zip(names, [[], *([each] for each in names)], strict=False)
    ]
    arn = begin(*chain)
    assert ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    paginator = server.client("sagemaker").get_paginator("list_pipeline_execution_steps")
    pages = [page["PipelineExecutionSteps"] for page in paginator.paginate(PipelineExecutionArn=arn)]
    assert [len(page) for page in pages] == [100] * 20
    assert [step["StepName"] for page in pages for step in page] == names[::-1]


# ListPipelineParametersForExecution


def test_parameters_are_the_effective_ones(server: Server, begin: Begin) -> None:
    declared = [
        {"Name": "n", "Type": "Integer", "DefaultValue": 1},
        {"Name": "s", "Type": "String", "DefaultValue": "x"},
    ]
    arn = begin(FAIL, members={"Parameters": declared}, PipelineParameters=[{"Name": "n", "Value": "7"}])
    sagemaker = server.client("sagemaker")
    answer = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert answer["PipelineParameters"] == [{"Name": "n", "Value": "7"}, {"Name": "s", "Value": "x"}]
    page = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn, MaxResults=1)
    assert page["PipelineParameters"] == [{"Name": "n", "Value": "7"}]
    rest = sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=arn, NextToken=page["NextToken"]
    )
    assert rest["PipelineParameters"] == [{"Name": "s", "Value": "x"}]


# DescribePipelineDefinitionForExecution


def test_an_execution_keeps_the_definition_that_it_began_with(
    server: Server, name: str, begin: Begin, define: Define
) -> None:
    arn = begin(FAIL)
    sagemaker = server.client("sagemaker")
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=define({**FAIL, "Name": "G"}))
    answer = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert answer["PipelineDefinition"] == define(FAIL)
    assert answer["CreationTime"] == sagemaker.describe_pipeline(PipelineName=name)["CreationTime"]
