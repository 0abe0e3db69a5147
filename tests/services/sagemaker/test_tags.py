"""Tags through boto3, per operation: shape, refusals, effect."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal

Made = Callable[..., str]
A, B, C = ({"Key": key, "Value": key * 2} for key in "abc")


def tags_of(server: Server, arn: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = server.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    return found


# AddTags


def test_tags_are_added_to_those_of_the_start_and_replace_their_equals(server: Server, made: Made) -> None:
    arn, new = made(Tags=[A, B]), {"Key": "b", "Value": "new"}
    answer = server.client("sagemaker").add_tags(ResourceArn=arn, Tags=[C, new])
    assert answer["Tags"] == [A, new, C]
    assert tags_of(server, arn) == [A, new, C]


def test_tags_that_no_resource_can_have_are_refused(server: Server, made: Made) -> None:
    arn, add = made(Tags=[A]), server.client("sagemaker").add_tags
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refusal(add, ResourceArn=arn, Tags=many)[0] == "ResourceLimitExceeded"
    assert refusal(add, ResourceArn=arn, Tags=[B, B])[0] == "ValidationException"
    reserved = [{"Key": "AWS:x", "Value": ""}]
    assert refusal(add, ResourceArn=arn, Tags=reserved)[0] == "ValidationException"
    assert tags_of(server, arn) == [A]


def test_a_pipeline_cannot_begin_with_tags_that_it_could_not_be_given(made: Made) -> None:
    assert refusal(made, Tags=[B, B])[0] == "ValidationException"
    assert made(Tags=[B])


def test_adding_is_authorised_on_the_pipeline_and_on_the_tags(
    made: Made, client_that_may: Callable[..., Any]
) -> None:
    arn = made()
    condition = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}
    own = client_that_may("sagemaker:AddTags", arn, **condition, StringEquals={"aws:RequestTag/a": "aa"})
    own.add_tags(ResourceArn=arn, Tags=[A, B])
    for tags in ([A, C], [{"Key": "a", "Value": "other"}]):
        code, message = refusal(own.add_tags, ResourceArn=arn, Tags=tags)
        assert code == "AccessDeniedException"
        assert f"is not authorized to perform: sagemaker:AddTags on resource: {arn} because" in message


# ListTags


def test_tags_are_listed_by_key(server: Server, made: Made) -> None:
    arn = made()
    assert tags_of(server, arn) == []
    server.client("sagemaker").add_tags(ResourceArn=arn, Tags=[B, C, A])
    answer = server.client("sagemaker").list_tags(ResourceArn=arn, MaxResults=50)
    assert answer["Tags"] == [A, B, C]
    assert "NextToken" not in answer


def test_listing_goes_on_behind_a_token_that_was_given(server: Server, made: Made) -> None:
    arn, listed = made(Tags=[A]), server.client("sagemaker").list_tags
    assert refusal(listed, ResourceArn=arn, NextToken="nonsense")[0] == "ValidationException"
    pages = server.client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [tag for page in pages for tag in page["Tags"]] == [A]


# DeleteTags


def test_tags_are_deleted_by_key_and_the_others_stay(server: Server, made: Made) -> None:
    arn = made(Tags=[A, B, C])
    server.client("sagemaker").delete_tags(ResourceArn=arn, TagKeys=["a", "unknown", "c"])
    assert tags_of(server, arn) == [B]


def test_deleting_is_authorised_on_the_keys(
    server: Server, made: Made, client_that_may: Callable[..., Any]
) -> None:
    arn = made(Tags=[A, B])
    own = client_that_may(
        "sagemaker:DeleteTags", arn, **{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}
    )
    assert refusal(own.delete_tags, ResourceArn=arn, TagKeys=["a", "b"])[0] == "AccessDeniedException"
    own.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert tags_of(server, arn) == [B]


# All of them


@pytest.mark.parametrize(
    ("operation", "given"),
    [("add_tags", {"Tags": [A]}), ("list_tags", {}), ("delete_tags", {"TagKeys": ["a"]})],
)
def test_what_is_no_pipeline_of_this_account_has_no_tags(
    server: Server, made: Made, operation: str, given: dict[str, Any]
) -> None:
    arn, call = made(), getattr(server.client("sagemaker"), operation)
    assert refusal(call, ResourceArn=f"{arn}-other", **given)[0] == "ResourceNotFound"
    elsewhere = arn.replace(server.region, "eu-west-1")
    for other in (
        elsewhere,
        f"{arn}/execution/abcdefghijkl",
        arn.replace(":pipeline/", ":notebook-instance/"),
    ):
        assert refusal(call, ResourceArn=other, **given)[0] == "ValidationException"


def test_tags_go_with_their_pipeline(server: Server, name: str, made: Made) -> None:
    arn = made(Tags=[A])
    server.client("sagemaker").delete_pipeline(PipelineName=name)
    assert made() == arn
    assert tags_of(server, arn) == []
