"""Pipelines through boto3, per operation: shape, refusals, effect."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal

Define = Callable[..., str]
FAIL = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "bad"}}


def callback(url: str) -> dict[str, Any]:
    return {"Name": "C", "Type": "Callback", "SqsQueueUrl": url, "Arguments": {}, "OutputParameters": []}


def arn_of(server: Server, name: str) -> str:
    return f"arn:aws:sagemaker:{server.region}:{server.account}:pipeline/{name}"


def rights_on(*statements: tuple[str, str]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in statements],
    }


# CreatePipeline, DescribePipeline


def test_a_pipeline_is_described_as_it_was_created(
    server: Server, role: str, name: str, define: Define
) -> None:
    sagemaker, text = server.client("sagemaker"), define(FAIL)
    answer = sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDisplayName="shown",
        PipelineDescription="about",
        PipelineDefinition=text,
        RoleArn=role,
        ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
        Tags=[{"Key": "team", "Value": "a"}],
    )
    assert answer["PipelineArn"] == arn_of(server, name)
    described = sagemaker.describe_pipeline(PipelineName=name)
    assert sagemaker.describe_pipeline(PipelineName=answer["PipelineArn"])["PipelineName"] == name
    assert isinstance(described.pop("CreationTime"), datetime)
    assert isinstance(described.pop("LastModifiedTime"), datetime)
    assert described.pop("CreatedBy")["IamIdentity"]["Arn"].startswith(f"arn:aws:iam::{server.account}:user/")
    assert described.pop("LastModifiedBy")["IamIdentity"]["PrincipalId"].startswith("AIDA")
    del described["ResponseMetadata"]
    assert described == {
        "PipelineArn": answer["PipelineArn"],
        "PipelineName": name,
        "PipelineDisplayName": "shown",
        "PipelineDescription": "about",
        "PipelineDefinition": text,
        "RoleArn": role,
        "PipelineStatus": "Active",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
    }


def test_a_pipeline_without_a_display_name_shows_its_name(
    server: Server, role: str, name: str, define: Define
) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=define(FAIL), RoleArn=role)
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDisplayName"] == name
    (summary,) = sagemaker.list_pipelines(PipelineNamePrefix=name)["PipelineSummaries"]
    assert summary["PipelineDisplayName"] == name
    sagemaker.update_pipeline(PipelineName=name, PipelineDisplayName="shown")
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDisplayName"] == "shown"
    assert sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)["PipelineDisplayName"] == name


def test_a_name_that_exists_is_refused_in_words_that_both_sdks_know(
    server: Server, role: str, name: str, define: Define
) -> None:
    sagemaker = server.client("sagemaker")
    given = {"PipelineName": name, "PipelineDefinition": define(FAIL), "RoleArn": role}
    sagemaker.create_pipeline(**given)
    assert refusal(sagemaker.create_pipeline, **given) == (
        "ValidationException",
        "Pipeline names must be unique within an AWS account and region. "
        f"Pipeline with name ({name}) already exists.",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "Unable to parse pipeline definition. Malformed JSON at character position"),
        (
            '{"Version": "1", "Steps": []}',
            "Value '1' for 'Version' failed to satisfy enum value set: [2020-12-01]",
        ),
        (
            json.dumps({"Version": "2020-12-01", "Steps": [{**FAIL, "X": 1}]}),
            "Unable to parse pipeline definition. Cannot parse object, unknown property 'X'.",
        ),
    ],
)
def test_a_definition_with_a_problem_is_refused_with_its_sentence(
    server: Server, role: str, name: str, text: str, sentence: str
) -> None:
    sagemaker = server.client("sagemaker")
    create = sagemaker.create_pipeline
    code, message = refusal(create, PipelineName=name, PipelineDefinition=text, RoleArn=role)
    assert code == "ValidationException"
    assert sentence in message
    assert refusal(sagemaker.describe_pipeline, PipelineName=name)[0] == "ResourceNotFound"


def test_exactly_one_definition_is_needed(server: Server, role: str, name: str, define: Define) -> None:
    create = server.client("sagemaker").create_pipeline
    location = {"Bucket": "bucket", "ObjectKey": "key"}
    for given in ({}, {"PipelineDefinition": define(FAIL), "PipelineDefinitionS3Location": location}):
        assert refusal(create, PipelineName=name, RoleArn=role, **given)[0] == "ValidationException"


@pytest.mark.parametrize("trust", [None, "lambda.amazonaws.com"])
def test_a_role_that_sagemaker_cannot_assume_is_refused(
    server: Server, name: str, define: Define, trust: str | None
) -> None:
    role = f"arn:aws:iam::{server.account}:role/nobody" if trust is None else server.role(trust=trust)
    create = server.client("sagemaker").create_pipeline
    assert refusal(create, PipelineName=name, PipelineDefinition=define(FAIL), RoleArn=role) == (
        "ValidationException",
        f"Could not assume role {role}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role.",
    )


def test_creating_takes_create_pass_role_and_for_tags_add_tags(
    server: Server, role: str, name: str, define: Define
) -> None:
    given = {"PipelineName": name, "PipelineDefinition": define(FAIL), "RoleArn": role}
    create, hand = ("sagemaker:CreatePipeline", arn_of(server, name)), ("iam:PassRole", role)
    tags = {"Tags": [{"Key": "team", "Value": "a"}]}
    for rights, further, action in (
        ([hand], {}, "sagemaker:CreatePipeline"),
        ([create], {}, "iam:PassRole"),
        ([create, hand], tags, "sagemaker:AddTags"),
    ):
        sagemaker = server.client("sagemaker", user_policy=rights_on(*rights))
        code, message = refusal(sagemaker.create_pipeline, **given, **further)
        assert code == "AccessDeniedException"
        assert f"is not authorized to perform: {action} on resource: " in message
    sagemaker = server.client("sagemaker", user_policy=rights_on(create, hand))
    sagemaker.create_pipeline(**given)


def test_the_same_request_with_the_same_token_creates_once(
    server: Server, role: str, name: str, define: Define
) -> None:
    create = server.client("sagemaker").create_pipeline
    given = {"PipelineName": name, "PipelineDefinition": define(FAIL), "RoleArn": role}
    token = str(uuid.uuid4())
    first = create(**given, ClientRequestToken=token)["PipelineArn"]
    assert create(**given, ClientRequestToken=token)["PipelineArn"] == first
    other = {**given, "PipelineDescription": "other"}
    assert refusal(create, **other, ClientRequestToken=token)[0] == "ConflictException"


def test_a_pipeline_of_another_region_is_another_pipeline(
    server: Server, role: str, name: str, define: Define
) -> None:
    there = server.client("sagemaker", region="eu-west-1")
    there.create_pipeline(PipelineName=name, PipelineDefinition=define(FAIL), RoleArn=role)
    here = server.client("sagemaker")
    assert refusal(here.describe_pipeline, PipelineName=name) == (
        "ResourceNotFound",
        f"Pipeline with name {name} does not exist.",
    )


# UpdatePipeline


def test_an_update_changes_what_is_given_and_counts_versions(
    server: Server, role: str, name: str, define: Define
) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=define(FAIL), RoleArn=role, PipelineDescription="kept"
    )
    changed = define({**FAIL, "Name": "G"})
    answer = sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=changed)
    assert (answer["PipelineArn"], answer["PipelineVersionId"]) == (arn_of(server, name), 2)
    described = sagemaker.describe_pipeline(PipelineName=name)
    assert described["PipelineDefinition"] == changed
    assert described["PipelineDescription"] == "kept"
    assert described["LastModifiedTime"] > described["CreationTime"]


def test_an_update_is_refused_for_a_bad_definition_an_unknown_pipeline_and_a_role_that_may_not_be_passed(
    server: Server, role: str, name: str, define: Define
) -> None:
    sagemaker = server.client("sagemaker")
    assert refusal(sagemaker.update_pipeline, PipelineName=name) == (
        "ResourceNotFound",
        f"Pipeline with name {name} does not exist.",
    )
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=define(FAIL), RoleArn=role)
    update = sagemaker.update_pipeline
    assert refusal(update, PipelineName=name, PipelineDefinition="[]")[0] == "ValidationException"
    policy = rights_on(("sagemaker:UpdatePipeline", arn_of(server, name)))
    update = server.client("sagemaker", user_policy=policy).update_pipeline
    update(PipelineName=name, PipelineDescription="allowed")
    code, message = refusal(update, PipelineName=name, RoleArn=role)
    assert (code, "iam:PassRole" in message) == ("AccessDeniedException", True)


# ListPipelines


def test_pipelines_are_listed_newest_first_by_prefix_and_in_pages(
    server: Server, role: str, name: str, define: Define
) -> None:
    sagemaker = server.client("sagemaker")
    names = [f"{name}-x{letter}" for letter in "bca"]
    for each in names:
        sagemaker.create_pipeline(PipelineName=each, PipelineDefinition=define(FAIL), RoleArn=role)

    def listed(**options: Any) -> str:
        summaries: list[dict[str, Any]] = []
        options["PipelineNamePrefix"] = f"{name}-x"
        while True:
            answer = sagemaker.list_pipelines(**options)
            summaries += answer["PipelineSummaries"]
            if "NextToken" not in answer:
                return "".join(each["PipelineName"][-1] for each in summaries)
            options["NextToken"] = answer["NextToken"]

    assert listed() == "acb"
    assert listed(SortOrder="Ascending") == "bca"
    assert listed(SortBy="Name", SortOrder="Ascending") == "abc"
    assert listed(MaxResults=1) == "acb"
    assert listed(MaxResults=2, SortBy="Name", SortOrder="Descending") == "cba"
    second = sagemaker.describe_pipeline(PipelineName=names[1])["CreationTime"]
    minute = timedelta(minutes=1)
    assert listed(CreatedAfter=second - minute) == "acb"
    assert listed(CreatedAfter=second + minute) == ""
    assert listed(CreatedBefore=second - minute) == ""
    (summary,) = sagemaker.list_pipelines(PipelineNamePrefix=names[0])["PipelineSummaries"]
    assert set(summary) == {
        "PipelineArn",
        "PipelineName",
        "PipelineDisplayName",
        "RoleArn",
        "CreationTime",
        "LastModifiedTime",
    }
    assert refusal(sagemaker.list_pipelines, NextToken="nonsense")[0] == "ValidationException"


# DeletePipeline


def test_a_definition_that_two_pipelines_share_stays_for_the_other(
    server: Server, role: str, name: str, define: Define
) -> None:
    sagemaker, text = server.client("sagemaker"), define(FAIL)
    for each in (name, f"{name}-2"):
        sagemaker.create_pipeline(PipelineName=each, PipelineDefinition=text, RoleArn=role)
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=define({**FAIL, "Name": "G"}))
    sagemaker.delete_pipeline(PipelineName=name)
    other = sagemaker.describe_pipeline(PipelineName=f"{name}-2")
    assert other["PipelineDefinition"] == text


def test_a_pipeline_goes_with_its_executions(
    server: Server, role: str, name: str, define: Define, ended: Callable[[str], dict[str, Any]]
) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=define(FAIL), RoleArn=role)
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    ended(execution)
    assert sagemaker.delete_pipeline(PipelineName=name)["PipelineArn"] == arn_of(server, name)
    assert refusal(sagemaker.describe_pipeline, PipelineName=name)[0] == "ResourceNotFound"
    describe = sagemaker.describe_pipeline_execution
    assert refusal(describe, PipelineExecutionArn=execution)[0] == "ResourceNotFound"
    assert refusal(sagemaker.delete_pipeline, PipelineName=name)[0] == "ResourceNotFound"


def test_a_pipeline_with_a_running_execution_stays(
    server: Server, role: str, name: str, define: Define, queue: str
) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=define(callback(queue)), RoleArn=role)
    sagemaker.start_pipeline_execution(PipelineName=name)
    assert refusal(sagemaker.delete_pipeline, PipelineName=name)[0] == "ConflictException"
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineStatus"] == "Active"


# PipelineDefinitionS3Location


@pytest.fixture
def bucket(server: Server) -> str:
    """A bucket of the test's own."""
    name = f"definitions-{uuid.uuid4()}"
    server.client("s3").create_bucket(Bucket=name)
    return name


def test_a_definition_of_two_thousand_steps_comes_through_s3(
    server: Server, role: str, name: str, define: Define, bucket: str
) -> None:
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    text = define(*({**FAIL, "Name": f"F{number}"} for number in range(2000)))
    location = {"Bucket": bucket, "ObjectKey": f"a folder/{name}"}
    s3.put_object(Bucket=bucket, Key=f"a folder/{name}", Body=text.encode())
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinitionS3Location=location, RoleArn=role)
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == text
    s3.put_object(Bucket=bucket, Key=f"a folder/{name}", Body=define(FAIL).encode())
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == text
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinitionS3Location=location)
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == define(FAIL)


def test_an_object_that_is_absent_or_not_the_callers_to_read_is_refused(
    server: Server, role: str, name: str, define: Define, bucket: str
) -> None:
    location = {"Bucket": bucket, "ObjectKey": "key"}
    given = {"PipelineName": name, "PipelineDefinitionS3Location": location, "RoleArn": role}
    sagemaker, prefix = (
        server.client("sagemaker"),
        f"Could not read the pipeline definition from s3://{bucket}/",
    )
    code, message = refusal(sagemaker.create_pipeline, **given)
    assert (code, message.startswith(prefix)) == ("ValidationException", True)
    server.client("s3").put_object(Bucket=bucket, Key="key", Body=define(FAIL).encode())
    policy = rights_on(("sagemaker:CreatePipeline", arn_of(server, name)), ("iam:PassRole", role))
    without = server.client("sagemaker", user_policy=policy)
    code, message = refusal(without.create_pipeline, **given)
    assert (code, message.startswith(prefix)) == ("ValidationException", True)
    assert "s3:GetObject" in message
    sagemaker.create_pipeline(**given)
