"""Versions of pipelines through boto3, per operation: shape, refusals, effect."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal

Made = Callable[..., str]
FAIL = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "bad"}}


@pytest.fixture
def three(server: Server, name: str, made: Made, define: Callable[..., str]) -> str:
    """A pipeline of three versions, the n-th with a step called Fn; its ARN."""
    arn = made({**FAIL, "Name": "F1"}, PipelineDescription="first")
    for number in (2, 3):
        server.client("sagemaker").update_pipeline(
            PipelineName=name,
            PipelineDefinition=define({**FAIL, "Name": f"F{number}"}),
            PipelineDescription="later",
            ParallelismConfiguration={"MaxParallelExecutionSteps": number},
        )
    return arn


# UpdatePipeline, ListPipelineVersions


def test_versions_are_listed_newest_first_and_in_pages(server: Server, name: str, three: str) -> None:
    listed = server.client("sagemaker").list_pipeline_versions
    summaries = listed(PipelineName=name)["PipelineVersionSummaries"]
    assert [each["PipelineVersionId"] for each in summaries] == [3, 2, 1]
    assert {each["PipelineArn"] for each in summaries} == {three}
    assert summaries[0]["CreationTime"] >= summaries[1]["CreationTime"]
    assert set(summaries[0]) == {"PipelineArn", "PipelineVersionId", "CreationTime"}
    newest = listed(PipelineName=three, MaxResults=1)
    assert [each["PipelineVersionId"] for each in newest["PipelineVersionSummaries"]] == [3]
    ids = []
    token: dict[str, str] = {}
    while True:
        page = listed(PipelineName=name, SortOrder="Ascending", MaxResults=2, **token)
        ids.append([each["PipelineVersionId"] for each in page["PipelineVersionSummaries"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert ids == [[1, 2], [3]]


def test_versions_are_filtered_by_the_time_they_were_made(server: Server, name: str, three: str) -> None:
    sagemaker, minute = server.client("sagemaker"), timedelta(minutes=1)
    made_at: datetime = sagemaker.describe_pipeline(PipelineName=three)["CreationTime"]

    def count(**given: datetime) -> int:
        return len(sagemaker.list_pipeline_versions(PipelineName=name, **given)["PipelineVersionSummaries"])

    assert count(CreatedAfter=made_at - minute, CreatedBefore=made_at + minute) == 3
    assert count(CreatedAfter=made_at + minute) == 0
    assert count(CreatedBefore=made_at - minute) == 0


def test_a_list_of_versions_is_refused_for_an_unknown_pipeline_a_bad_token_and_a_stranger(
    server: Server, name: str, three: str, client_that_may: Callable[..., Any]
) -> None:
    listed = server.client("sagemaker").list_pipeline_versions
    assert refusal(listed, PipelineName=f"{name}-other")[0] == "ResourceNotFound"
    assert refusal(listed, PipelineName=name, NextToken="nonsense")[0] == "ValidationException"
    stranger = client_that_may("sagemaker:ListPipelineVersions", f"{three}-other")
    assert refusal(stranger.list_pipeline_versions, PipelineName=name)[0] == "AccessDeniedException"


def test_a_pipeline_that_is_made_anew_begins_with_version_1(
    server: Server, name: str, three: str, made: Made
) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.delete_pipeline(PipelineName=name)
    assert made() == three
    summaries = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]
    assert [each["PipelineVersionId"] for each in summaries] == [1]


# DescribePipeline by version


def test_a_version_is_described_as_it_was(
    server: Server, name: str, three: str, define: Callable[..., str]
) -> None:
    describe = server.client("sagemaker").describe_pipeline
    first = describe(PipelineName=name, PipelineVersionId=1)
    assert first["PipelineDefinition"] == define({**FAIL, "Name": "F1"})
    assert first["PipelineDescription"] == "first"
    assert "ParallelismConfiguration" not in first
    assert first["LastModifiedTime"] == first["CreationTime"]
    newest = describe(PipelineName=name)
    assert newest["PipelineDefinition"] == define({**FAIL, "Name": "F3"})
    assert newest["PipelineDescription"] == "later"
    del newest["ResponseMetadata"]
    by_number = describe(PipelineName=three, PipelineVersionId=3)
    assert by_number.items() >= newest.items()


def test_a_version_that_was_never_made_is_not_found(server: Server, name: str, three: str) -> None:
    sagemaker = server.client("sagemaker")
    expected = (
        "ResourceNotFound",
        f"Pipeline version 4 of pipeline with name {name} does not exist.",
    )
    assert refusal(sagemaker.describe_pipeline, PipelineName=name, PipelineVersionId=4) == expected
    assert refusal(sagemaker.start_pipeline_execution, PipelineName=name, PipelineVersionId=4) == expected
    update = sagemaker.update_pipeline_version
    assert refusal(update, PipelineArn=three, PipelineVersionId=4) == expected


@pytest.mark.parametrize(
    ("operation", "action", "by"),
    [
        ("describe_pipeline", "sagemaker:DescribePipeline", "PipelineName"),
        ("start_pipeline_execution", "sagemaker:StartPipelineExecution", "PipelineName"),
        ("update_pipeline_version", "sagemaker:UpdatePipelineVersion", "PipelineArn"),
    ],
)
def test_a_policy_can_name_the_version(
    three: str,
    client_that_may: Callable[..., Any],
    operation: str,
    action: str,
    by: str,
) -> None:
    own = client_that_may(action, three, NumericEquals={"sagemaker:PipelineVersionId": "2"})
    call = getattr(own, operation)
    call(**{by: three}, PipelineVersionId=2)
    for given in ({"PipelineVersionId": 1}, {} if by == "PipelineName" else {"PipelineVersionId": 3}):
        code, message = refusal(call, **{by: three}, **given)
        assert code == "AccessDeniedException"
        assert f"is not authorized to perform: {action} on resource: {three} because" in message


# StartPipelineExecution by version


def test_an_execution_runs_the_version_it_was_started_with(
    server: Server, name: str, three: str, ended: Callable[[str], dict[str, Any]]
) -> None:
    sagemaker = server.client("sagemaker")
    start = sagemaker.start_pipeline_execution
    second = start(PipelineName=name, PipelineVersionId=2)["PipelineExecutionArn"]
    again = start(PipelineName=name, PipelineVersionId=2)["PipelineExecutionArn"]
    newest = start(PipelineName=name)["PipelineExecutionArn"]
    for arn, number in ((second, 2), (again, 2), (newest, 3)):
        described = ended(arn)
        assert described["PipelineVersionId"] == number
        assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": number}
        (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        assert step["StepName"] == f"F{number}"
    summaries = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]
    last = [each.get("LastExecutionPipelineExecutionArn") for each in summaries]
    assert last == [newest, again, None]


# UpdatePipelineVersion


def test_a_version_is_named_and_described(server: Server, name: str, three: str) -> None:
    sagemaker = server.client("sagemaker")
    update, about = sagemaker.update_pipeline_version, {"PipelineArn": three, "PipelineVersionId": 2}
    answer = update(**about, PipelineVersionDisplayName="good", PipelineVersionDescription="about")
    assert (answer["PipelineArn"], answer["PipelineVersionId"]) == (three, 2)
    update(**about, PipelineVersionDescription="changed")
    described = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=2)
    assert described["PipelineVersionDisplayName"] == "good"
    assert described["PipelineVersionDescription"] == "changed"
    summary = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"][1]
    assert summary["PipelineVersionDisplayName"] == "good"
    assert summary["PipelineVersionDescription"] == "changed"
    assert "PipelineVersionDisplayName" not in sagemaker.describe_pipeline(PipelineName=name)


def test_a_version_of_an_unknown_pipeline_is_not_found(server: Server, three: str) -> None:
    update = server.client("sagemaker").update_pipeline_version
    assert refusal(update, PipelineArn=f"{three}-other", PipelineVersionId=1)[0] == "ResourceNotFound"


def test_an_alias_names_a_version_wherever_a_version_is_named(server: Server, name: str, three: str) -> None:
    sagemaker = server.client("sagemaker")
    update = sagemaker.update_pipeline_version
    update(PipelineArn=three, PipelineVersionId=1, PipelineVersionAliasOperations={"Add": ["prod", "old"]})
    described = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionAlias="prod")
    assert described["PipelineDescription"] == "first"
    assert described["PipelineVersionAliases"] == ["prod", "old"]
    assert "PipelineVersionAliases" not in sagemaker.describe_pipeline(PipelineName=name)
    summaries = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]
    assert [each.get("PipelineVersionAliases") for each in summaries] == [None, None, ["prod", "old"]]
    arn = sagemaker.start_pipeline_execution(PipelineName=name, PipelineVersionAlias="old")[
        "PipelineExecutionArn"
    ]
    execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert (execution["PipelineVersionId"], execution["PipelineVersionAliases"]) == (1, ["prod", "old"])
    # An execution shows the aliases that its version has now, not those that it had.
    update(PipelineArn=three, PipelineVersionId=1, PipelineVersionAliasOperations={"Remove": ["prod"]})
    update(PipelineArn=three, PipelineVersionId=2, PipelineVersionAliasOperations={"Add": ["prod"]})
    execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert execution["PipelineVersionAliases"] == ["old"]
    again = sagemaker.start_pipeline_execution(PipelineName=name, PipelineVersionAlias="prod")
    execution = sagemaker.describe_pipeline_execution(**_arn(again))
    assert execution["PipelineVersionId"] == 2


def test_an_alias_is_of_one_version_and_a_version_has_ten(server: Server, name: str, three: str) -> None:
    sagemaker = server.client("sagemaker")

    def refused_change(number: int, **operations: list[str]) -> str:
        return refusal(
            sagemaker.update_pipeline_version,
            PipelineArn=three,
            PipelineVersionId=number,
            PipelineVersionAliasOperations=operations,
        )[0]

    ten = [f"a{number}" for number in range(10)]
    sagemaker.update_pipeline_version(
        PipelineArn=three, PipelineVersionId=1, PipelineVersionAliasOperations={"Add": ten}
    )
    assert refused_change(2, Add=["a3"]) == "ConflictException"
    assert refused_change(1, Add=["a10"]) == "ValidationException"
    assert refused_change(1, Add=["b"], Remove=["b"]) == "ValidationException"
    assert refused_change(4, Add=["b"]) == "ResourceNotFound"
    both = {"PipelineName": name, "PipelineVersionId": 1, "PipelineVersionAlias": "a1"}
    for call in (sagemaker.describe_pipeline, sagemaker.start_pipeline_execution):
        assert refusal(call, **both)[0] == "ValidationException"
        assert refusal(call, PipelineName=name, PipelineVersionAlias="none")[0] == "ResourceNotFound"


def test_an_alias_counts_as_the_version_that_it_names(
    server: Server, name: str, three: str, client_that_may: Callable[..., Any]
) -> None:
    server.client("sagemaker").update_pipeline_version(
        PipelineArn=three, PipelineVersionId=2, PipelineVersionAliasOperations={"Add": ["prod"]}
    )
    only_1 = {"StringEquals": {"sagemaker:PipelineVersionId": "1"}}
    sagemaker = client_that_may("sagemaker:DescribePipeline", three, **only_1)
    assert sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)["PipelineName"] == name
    code, _ = refusal(sagemaker.describe_pipeline, PipelineName=name, PipelineVersionAlias="prod")
    assert code == "AccessDeniedException"


def _arn(started: dict[str, Any]) -> dict[str, str]:
    return {"PipelineExecutionArn": started["PipelineExecutionArn"]}
