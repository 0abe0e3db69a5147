"""The condition keys of a call, the same for a call that is made and one that is foreseen."""

import pytest

from passrole.policy.request import Values
from passrole.policy.request_keys import (
    call_keys,
    request_tag_keys,
    resource_tag_keys,
    source_keys,
    time_keys,
)

HERE: dict[str, Values] = {
    "aws:RequestedRegion": "eu-west-1",
    "aws:SecureTransport": "true",
    "aws:ViaAWSService": "false",
}


def test_what_is_not_known_of_a_call_is_an_absent_key() -> None:
    assert call_keys("eu-west-1", secure=True) == HERE
    told = call_keys("eu-west-1", secure=False, via_service=True, user_agent="a", source_ip="10.0.0.1")
    assert told == {
        "aws:RequestedRegion": "eu-west-1",
        "aws:SecureTransport": "false",
        "aws:ViaAWSService": "true",
        "aws:UserAgent": "a",
        "aws:SourceIp": "10.0.0.1",
    }


@pytest.mark.parametrize(
    "tags, prefixes, keys",
    [
        ({}, ("aws",), {}),
        ({"team": "a"}, ("aws",), {"aws:TagKeys": ("team",), "aws:RequestTag/team": "a"}),
        (
            {"team": "a", "cost": ""},
            ("aws", "elasticmapreduce"),
            {
                "aws:TagKeys": ("team", "cost"),
                "aws:RequestTag/team": "a",
                "aws:RequestTag/cost": "",
                "elasticmapreduce:RequestTag/team": "a",
                "elasticmapreduce:RequestTag/cost": "",
            },
        ),
    ],
)
def test_tags_of_a_call_are_keys_under_every_prefix(
    tags: dict[str, str], prefixes: tuple[str, ...], keys: dict[str, Values]
) -> None:
    assert request_tag_keys(tags, prefixes) == keys


def test_tags_of_a_resource_source_and_time_are_keys() -> None:
    assert resource_tag_keys({"a": "b"}, ("aws", "sagemaker")) == {
        "aws:ResourceTag/a": "b",
        "sagemaker:ResourceTag/a": "b",
    }
    assert source_keys("arn:x", "111122223333") == {
        "aws:SourceArn": "arn:x",
        "aws:SourceAccount": "111122223333",
    }
    assert time_keys(0) == {"aws:CurrentTime": "1970-01-01T00:00:00Z", "aws:EpochTime": "0"}
