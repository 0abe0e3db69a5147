"""S3 as its client sees it: shapes through botocore's parser, refusals by exception, effects, permissions."""

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.refusals import refusal_with_status

Client: TypeAlias = Any

MEGABYTE = 1024 * 1024


@pytest.fixture
def s3(server: Server) -> Client:
    """The administrator's client."""
    return server.client("s3")


@pytest.fixture
def bucket(s3: Client) -> str:
    """A fresh bucket's name."""
    name = new_name("bucket")
    s3.create_bucket(Bucket=name)
    return name


def code_and_status(act: Callable[[], object]) -> tuple[str, int]:
    """Of the error: the code that a client reads, and the status."""
    status, code, _ = refusal_with_status(act)
    return code, status


def allowed(action: str, resource: str, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement | condition]}


def test_an_object_goes_in_and_comes_out(s3: Client, bucket: str) -> None:
    said = {"ContentType": "text/plain", "Metadata": {"team": "ml"}, "Tagging": "a=1"}
    put = s3.put_object(Bucket=bucket, Key="a/é b.txt", Body=b"0123456789", **said)
    assert put["ETag"] == f'"{hashlib.md5(b"0123456789").hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="a/é b.txt")
    assert (got["Body"].read(), got["ContentType"], got["TagCount"]) == (b"0123456789", "text/plain", 1)
    head = s3.head_object(Bucket=bucket, Key="a/é b.txt", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["Metadata"]) == (10, {"team": "ml"})
    assert head["ChecksumCRC32"] == put["ChecksumCRC32"]
    part = s3.get_object(Bucket=bucket, Key="a/é b.txt", Range="bytes=2-4")
    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_bucket_is_created_told_and_deleted(s3: Client, bucket: str) -> None:
    assert bucket in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.delete_bucket(Bucket=bucket)
    assert code_and_status(lambda: s3.head_bucket(Bucket=bucket)) == ("404", 404)


def test_a_missing_bucket_is_told_as_the_sdk_wants_it(s3: Client) -> None:
    with pytest.raises(ClientError) as caught:
        s3.head_bucket(Bucket="no-such-bucket")
    assert caught.value.response["Error"] == {"Code": "404", "Message": "Not Found"}


def test_keys_are_listed_in_pages_by_both_operations(s3: Client, bucket: str) -> None:
    keys = sorted(["a/1", "a/2", "b c", "d+e", "é", "z&<>"])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for operation in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
        assert [each["Key"] for page in pages for each in page["Contents"]] == keys
        rolled = getattr(s3, operation)(Bucket=bucket, Delimiter="/")
        assert rolled["CommonPrefixes"] == [{"Prefix": "a/"}]


def test_a_large_file_goes_up_and_down_in_parts(s3: Client, bucket: str) -> None:
    body = bytes(range(256)) * (4096 * 11)  # 11 MB
    config = TransferConfig(multipart_threshold=5 * MEGABYTE, multipart_chunksize=5 * MEGABYTE)
    s3.upload_fileobj(io.BytesIO(body), bucket, "large", Config=config)
    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    back = io.BytesIO()
    s3.download_fileobj(bucket, "large", back, Config=config)
    assert back.getvalue() == body
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "again", Config=config)
    assert s3.head_object(Bucket=bucket, Key="again")["ContentLength"] == len(body)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_an_upload_is_listed_until_it_is_given_up(s3: Client, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    named = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etag = s3.upload_part(**named, PartNumber=1, Body=b"1")["ETag"]
    parts = s3.list_parts(**named)["Parts"]
    assert [(each["PartNumber"], each["ETag"], each["Size"]) for each in parts] == [(1, etag, 1)]
    assert [each["UploadId"] for each in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    s3.abort_multipart_upload(**named)
    assert code_and_status(lambda: s3.list_parts(**named)) == ("NoSuchUpload", 404)


def test_tags_and_policies_are_kept(s3: Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    tags = [{"Key": "a", "Value": "1"}]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert code_and_status(lambda: s3.get_bucket_policy(Bucket=bucket)) == ("NoSuchBucketPolicy", 404)
    policy = allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal="*")
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy
    s3.delete_bucket_policy(Bucket=bucket)


@pytest.mark.parametrize(
    "operation, parameters, refused",
    [
        ("get_object", {"Key": "none"}, ("NoSuchKey", 404)),
        ("head_object", {"Key": "none"}, ("404", 404)),
        ("get_object", {"Key": "k", "Range": "bytes=5-"}, ("InvalidRange", 416)),
        ("get_object", {"Key": "k", "IfMatch": '"other"'}, ("PreconditionFailed", 412)),
        ("get_object", {"Key": "k", "IfNoneMatch": "*"}, ("304", 304)),
        ("put_object", {"Key": "k", "IfNoneMatch": "*"}, ("PreconditionFailed", 412)),
        ("put_object", {"Key": "k/below"}, ("InvalidRequest", 400)),
        ("put_object", {"Key": "a/../../out"}, ("InvalidRequest", 400)),
        ("put_object", {"Key": "to", "ACL": "public-read"}, ("AccessControlListNotSupported", 400)),
        ("delete_bucket", {}, ("BucketNotEmpty", 409)),
        ("put_bucket_policy", {"Policy": "{}"}, ("MalformedPolicy", 400)),
        ("upload_part", {"Key": "k", "UploadId": "none", "PartNumber": 1}, ("NoSuchUpload", 404)),
        ("put_bucket_versioning", {"VersioningConfiguration": {}}, ("NotImplemented", 501)),
    ],
)
def test_what_is_refused_is_refused_in_s3s_words(
    s3: Client, bucket: str, operation: str, parameters: dict[str, Any], refused: tuple[str, int]
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"bytes")
    assert code_and_status(lambda: getattr(s3, operation)(Bucket=bucket, **parameters)) == refused


def test_deleting_many_tells_the_fate_of_each(server: Server, s3: Client, bucket: str) -> None:
    for key in ("mine/a", "theirs/b"):
        s3.put_object(Bucket=bucket, Key=key)
    only = server.client("s3", allowed("s3:DeleteObject", f"arn:aws:s3:::{bucket}/mine/*"))
    wanted = {"Objects": [{"Key": "mine/a"}, {"Key": "theirs/b"}]}
    answer = only.delete_objects(Bucket=bucket, Delete=wanted)
    assert answer["Deleted"] == [{"Key": "mine/a"}]
    (error,) = answer["Errors"]
    assert (error["Key"], error["Code"]) == ("theirs/b", "AccessDenied")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["theirs/b"]


def test_a_denial_names_the_object_in_quotes(server: Server, s3: Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    nobody = server.client("s3", allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/other"))
    with pytest.raises(ClientError) as caught:
        nobody.get_object(Bucket=bucket, Key="k")
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    assert (
        f's3:GetObject on resource: "arn:aws:s3:::{bucket}/k" because no identity-based' in error["Message"]
    )
    assert code_and_status(lambda: nobody.head_object(Bucket=bucket, Key="k")) == ("403", 403)


def test_who_may_read_but_not_list_does_not_learn_what_is_missing(server: Server, bucket: str) -> None:
    reader = server.client("s3", allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    with pytest.raises(ClientError, match="s3:ListBucket"):
        reader.get_object(Bucket=bucket, Key="none")


def test_a_list_may_be_allowed_by_its_prefix(server: Server, s3: Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="home/k")
    condition = {"StringLike": {"s3:prefix": "home/*"}}
    only = server.client("s3", allowed("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=condition))
    assert only.list_objects_v2(Bucket=bucket, Prefix="home/")["KeyCount"] == 1
    assert code_and_status(lambda: only.list_objects_v2(Bucket=bucket))[0] == "AccessDenied"


def test_a_buckets_policy_lets_in_and_keeps_out(server: Server, s3: Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="open/k", Body=b"open")
    s3.put_object(Bucket=bucket, Key="shut/k", Body=b"shut")
    policy = allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/open/*", Principal="*")
    denied = {**policy["Statement"][0], "Effect": "Deny", "Resource": f"arn:aws:s3:::{bucket}/shut/*"}
    policy["Statement"].append(denied)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    stranger = server.client("s3", allowed("sqs:ListQueues", "*"))
    assert stranger.get_object(Bucket=bucket, Key="open/k")["Body"].read() == b"open"
    assert code_and_status(lambda: stranger.get_object(Bucket=bucket, Key="shut/k")) == (
        "AccessDenied",
        403,
    )
    assert code_and_status(lambda: s3.get_object(Bucket=bucket, Key="shut/k")) == ("AccessDenied", 403)


def test_a_copy_needs_to_read_its_source(server: Server, s3: Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="from", Body=b"copied")
    source = {"Bucket": bucket, "Key": "from"}
    writer = server.client("s3", allowed("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
    assert (
        code_and_status(lambda: writer.copy_object(Bucket=bucket, Key="to", CopySource=source))[0]
        == "AccessDenied"
    )
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source)
    assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == b"copied"


def test_an_object_outlives_a_power_cut(start_server: Callable[..., Server]) -> None:
    server = start_server()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="durable")
    s3.put_object(Bucket="durable", Key="a/k", Body=b"bytes", ContentType="text/plain", Metadata={"a": "b"})
    server.kill()
    assert (server.data / "s3/durable/a/k").read_bytes() == b"bytes"
    server.start()
    found = s3.get_object(Bucket="durable", Key="a/k")
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (
        b"bytes",
        "text/plain",
        {"a": "b"},
    )


@pytest.mark.parametrize(
    "operation, parameters, members",
    [
        ("get_object", {"Key": "none"}, {"Key": "none"}),
        ("get_object_tagging", {"Key": "none"}, {"Key": "none"}),
        ("list_objects_v2", {"Bucket": "never-made"}, {"BucketName": "never-made"}),
        ("upload_part", {"Key": "k", "UploadId": "gone", "PartNumber": 1}, {"UploadId": "gone"}),
        ("abort_multipart_upload", {"Key": "k", "UploadId": "gone"}, {"UploadId": "gone"}),
        ("put_object", {"Key": "k", "IfNoneMatch": "*"}, {"Condition": "If-None-Match"}),
        ("put_object", {"Key": "k", "IfMatch": '"x"'}, {"Condition": "If-Match"}),
        ("get_object", {"Key": "k", "IfMatch": '"x"'}, {"Condition": "If-Match"}),
        (
            "get_object",
            {"Key": "k", "Range": "bytes=9-"},
            {"ActualObjectSize": "5", "RangeRequested": "bytes=9-"},
        ),
        (
            "put_object",
            {"Key": "k", "IfNoneMatch": '"x"'},
            {
                "Header": "If-None-Match",
                "additionalMessage": "We don't accept the provided value of If-None-Match header for this"
                " API",
            },
        ),
        ("get_bucket_tagging", {}, {}),
        (
            "list_objects_v2",
            {"ContinuationToken": ""},
            {"ArgumentName": "continuation-token"},
        ),
    ],
)
def test_an_error_carries_s3s_members(
    s3: Client, bucket: str, operation: str, parameters: dict[str, Any], members: dict[str, str]
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"bytes")
    with pytest.raises(ClientError) as caught:
        getattr(s3, operation)(**{"Bucket": bucket, **parameters})
    error = caught.value.response["Error"]
    own = {"Code", "Message", "RequestId", "HostId"}
    told = {name: value for name, value in error.items() if name not in own}
    assert told == (members or {"BucketName": bucket})


def test_a_reader_who_has_the_object_is_told_its_etag(s3: Client, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"bytes")["ETag"]
    for operation in (s3.get_object, s3.head_object):
        with pytest.raises(ClientError) as caught:
            operation(Bucket=bucket, Key="k", IfNoneMatch=etag)
        answer = caught.value.response["ResponseMetadata"]
        assert (answer["HTTPStatusCode"], answer["HTTPHeaders"]["etag"]) == (304, etag)
        assert "last-modified" in answer["HTTPHeaders"]


def test_who_may_read_but_no_tags_is_not_told_how_many(server: Server, s3: Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Tagging="a=1&b=2")
    both = allowed("s3:GetObject*", f"arn:aws:s3:::{bucket}/*")
    bytes_ = allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    for policy, told in ((both, 2), (bytes_, None)):
        reader = server.client("s3", policy)
        assert reader.head_object(Bucket=bucket, Key="k").get("TagCount") == told


def test_who_has_an_etag_compared_before_a_deletion_may_read_the_object(server: Server) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html"""
    s3, bucket = server.client("s3"), new_name("compared")
    s3.create_bucket(Bucket=bucket)
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    deletes = server.client("s3", allowing("s3:DeleteObject"))
    assert code_and_status(lambda: deletes.delete_object(Bucket=bucket, Key="k", IfMatch=etag)) == (
        "AccessDenied",
        403,
    )
    both = server.client("s3", allowing("s3:DeleteObject", "s3:GetObject"))
    both.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    deletes.delete_object(Bucket=bucket, Key="k", IfMatch="*")
