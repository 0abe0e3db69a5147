"""Buckets and their policies: shape, refusals, effect."""

import json
from typing import Any, TypeAlias

import pytest

from passrole import trees
from passrole.faults import Fault

S3: TypeAlias = Any

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::data/*",
        }
    ],
}


def test_a_bucket_is_a_folder(s3: S3) -> None:
    assert s3.create_bucket(bucket="models") == {
        "Location": "/models",
        "BucketArn": "arn:aws:s3:::models",
    }
    assert (s3.folder / "s3/models").is_dir()
    assert s3.head_bucket(bucket="models") == {"BucketRegion": "us-east-1"}
    assert s3.get_bucket_location(bucket="models") == {}
    assert s3.delete_bucket(bucket="models") == {}
    assert not (s3.folder / "s3/models").exists()
    assert s3.refusal(lambda: s3.head_bucket(bucket="models")) == ("NoSuchBucket", 404)


def test_buckets_are_listed_by_name(s3: S3) -> None:
    s3.create_bucket(bucket="abc")
    answer = s3.list_buckets()
    assert [each["Name"] for each in answer["Buckets"]] == ["abc", "data"]
    assert answer["Buckets"][0] == {
        "Name": "abc",
        "CreationDate": s3.context.clock(),
        "BucketRegion": "us-east-1",
    }
    first = s3.list_buckets(max_buckets=1)
    rest = s3.list_buckets(max_buckets=1, continuation_token=first["ContinuationToken"])
    assert [each["Name"] for each in rest["Buckets"]] == ["data"]
    assert "ContinuationToken" not in rest


def test_a_bucket_that_is_there_is_created_again_only_in_the_first_region(s3: S3) -> None:
    s3.put("k")
    assert s3.create_bucket(bucket="data")["Location"] == "/data"
    assert s3.keys() == ["k"]
    s3.context = s3.in_region("eu-west-1")
    there = {"create_bucket_configuration": {"LocationConstraint": "eu-west-1"}}
    refused = s3.refusal(lambda: s3.create_bucket(bucket="data", **there))
    assert refused == ("BucketAlreadyOwnedByYou", 409)
    s3.create_bucket(bucket="elsewhere", **there)
    assert s3.get_bucket_location(bucket="elsewhere") == {"LocationConstraint": "eu-west-1"}


@pytest.mark.parametrize(
    "region, constraint",
    [("eu-west-1", None), ("eu-west-1", "us-west-2"), ("ap-south-1", "EU")],
)
def test_a_bucket_is_where_it_is_created(s3: S3, region: str, constraint: str | None) -> None:
    s3.context = s3.in_region(region)
    configuration = {"LocationConstraint": constraint} if constraint else None
    refused = s3.refusal(lambda: s3.create_bucket(bucket="new", create_bucket_configuration=configuration))
    assert refused == ("IllegalLocationConstraintException", 400)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
@pytest.mark.parametrize("constraint", ["us-east-1", "moon-north-1"])
def test_a_constraint_that_is_no_region_is_named(s3: S3, region: str, constraint: str) -> None:
    s3.context = s3.in_region(region)
    configuration = {"LocationConstraint": constraint}
    fault = s3.fault(lambda: s3.create_bucket(bucket="new", create_bucket_configuration=configuration))
    assert (fault.code, fault.members) == ("InvalidLocationConstraint", configuration)


@pytest.mark.parametrize(
    "constraint, region", [("eu-west-1", "eu-west-1"), ("EU", "eu-west-1"), ("ap-south-1", "ap-south-1")]
)
def test_the_first_region_makes_buckets_in_every_region(s3: S3, constraint: str, region: str) -> None:
    configuration = {"LocationConstraint": constraint}
    answer = s3.create_bucket(bucket="there", create_bucket_configuration=configuration)
    assert answer["Location"] == "http://there.s3.amazonaws.com/"
    assert s3.head_bucket(bucket="there") == {"BucketRegion": region}
    assert s3.get_bucket_location(bucket="there") == {"LocationConstraint": region}
    again = s3.refusal(lambda: s3.create_bucket(bucket="there", create_bucket_configuration=configuration))
    assert again == ("BucketAlreadyOwnedByYou", 409)
    assert s3.refusal(lambda: s3.create_bucket(bucket="there")) == ("BucketAlreadyOwnedByYou", 409)


def test_an_empty_acl_is_none(s3: S3) -> None:
    s3.create_bucket(bucket="empty-acl", acl="")
    s3.put_object(bucket="empty-acl", key="k", acl="")
    refused = s3.refusal(lambda: s3.create_bucket(bucket="open", acl="public-read"))
    assert refused == ("InvalidBucketAclWithObjectOwnership", 400)


@pytest.mark.parametrize("token", ["", "data", "ZGF0YQ==", "!"])
def test_a_token_of_no_list_of_buckets_is_refused(s3: S3, token: str) -> None:
    refused = s3.refusal(lambda: s3.list_buckets(continuation_token=token))
    assert refused == ("InvalidArgument", 400)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "A" * 5,
        "a_b",
        "..",
        ".work",
        "a..b",
        "-ab",
        "ab-",
        "x" * 64,
        "10.0.0.1",
        "xn--a",
        "a-s3alias",
        "a/b",
    ],
)
def test_a_name_that_no_bucket_may_have_is_refused(s3: S3, name: str) -> None:
    assert s3.refusal(lambda: s3.create_bucket(bucket=name)) == ("InvalidBucketName", 400)


def test_a_bucket_with_objects_is_not_deleted(s3: S3) -> None:
    (s3.root / "a").mkdir()
    (s3.root / "a/b").touch()
    assert s3.refusal(lambda: s3.delete_bucket(bucket="data")) == ("BucketNotEmpty", 409)
    (s3.root / "a/b").unlink()
    s3.delete_bucket(bucket="data")
    assert not s3.root.exists()


def test_a_bucket_that_is_made_anew_knows_nothing_of_its_forerunner(s3: S3) -> None:
    s3.put("folder/", b"")
    upload = s3.create_multipart_upload(bucket="data", key="k")["UploadId"]
    s3.delete_object(bucket="data", key="folder/")
    s3.delete_bucket(bucket="data")
    s3.create_bucket(bucket="data")
    assert s3.keys() == []
    refused = s3.refusal(lambda: s3.list_parts(bucket="data", key="k", upload_id=upload))
    assert refused == ("NoSuchUpload", 404)


@pytest.mark.parametrize("operation", ["head_bucket", "delete_bucket", "get_bucket_location"])
def test_another_accounts_bucket_is_not_expected(s3: S3, operation: str) -> None:
    act = getattr(s3, operation)
    refused = s3.refusal(lambda: act(bucket="data", expected_bucket_owner="999988887777"))
    assert refused == ("AccessDenied", 403)
    assert s3.refusal(lambda: act(bucket="none")) == ("NoSuchBucket", 404)


def test_a_policy_is_kept_as_it_was_put(s3: S3) -> None:
    no_policy = ("NoSuchBucketPolicy", 404)
    assert s3.refusal(lambda: s3.get_bucket_policy(bucket="data")) == no_policy
    text = json.dumps(POLICY)
    assert s3.put_bucket_policy(bucket="data", policy=text) == {}
    assert s3.get_bucket_policy(bucket="data") == {"Policy": text}
    assert s3.delete_bucket_policy(bucket="data") == {}
    assert s3.refusal(lambda: s3.get_bucket_policy(bucket="data")) == no_policy


@pytest.mark.parametrize(
    "policy",
    [
        "no json",
        "[]",
        json.dumps({**POLICY, "Statement": [{"Effect": "Allow"}]}),
        json.dumps(POLICY).replace(":::data/*", ":::other/*"),
        json.dumps(POLICY).replace("arn:aws:s3:::data/*", "*"),
        json.dumps({**POLICY, "Id": "x" * 21_000}),
        json.dumps(POLICY).replace('"Effect"', '"Effect": "Deny", "Effect"'),
        json.dumps(POLICY).replace('"Principal"', '"NotPrincipal"'),
    ],
)
def test_a_policy_that_is_none_or_of_another_bucket_is_refused(s3: S3, policy: str) -> None:
    refused = s3.refusal(lambda: s3.put_bucket_policy(bucket="data", policy=policy))
    assert refused == ("MalformedPolicy", 400)


def test_a_bucket_may_be_a_link_to_a_folder_elsewhere(s3: S3) -> None:
    elsewhere = s3.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "k").write_text("there")
    (s3.folder / "s3/linked").symlink_to(elsewhere)
    s3.create_bucket(bucket="linked")
    assert s3.get_object(bucket="linked", key="k")["Body"] == b"there"
    s3.delete_object(bucket="linked", key="k")
    s3.delete_bucket(bucket="linked")
    assert elsewhere.is_dir()
    assert not (s3.folder / "s3/linked").is_symlink()


def test_a_bucket_whose_key_nests_as_deep_as_it_can_goes_when_the_object_is_gone(s3: S3) -> None:
    deep = "b/" * 500 + "c"
    s3.put(deep)
    assert s3.keys() == [deep]
    with pytest.raises(Fault) as caught:
        s3.delete_bucket(bucket="data")
    assert caught.value.code == "BucketNotEmpty"
    s3.delete_object(bucket="data", key=deep)
    trees.make(s3.root / ("d/" * 1_500))
    s3.delete_bucket(bucket="data")
    assert not s3.root.exists()
