"""CopyObject and object tags: shape, refusals, effect."""

import hashlib
from functools import partial
from typing import Any, TypeAlias

import pytest

from passrole.services.s3 import copy_object

S3: TypeAlias = Any


def copy(s3: S3, source: str, key: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = s3.copy_object(bucket="data", key=key, copy_source=source, **more)
    return answer


def test_a_copy_has_the_bytes_and_what_was_said_of_them(s3: S3) -> None:
    s3.put("from é", b"copied", content_type="text/plain", metadata={"a": "b"}, tagging="t=1")
    result = copy(s3, "data/from%20%C3%A9", "to/there")["CopyObjectResult"]
    assert result["ETag"] == f'"{hashlib.md5(b"copied").hexdigest()}"'
    assert result["LastModified"] == pytest.approx((s3.root / "to/there").stat().st_mtime)
    answer = s3.get_object(bucket="data", key="to/there")
    assert answer["Body"] == b"copied"
    assert (answer["ContentType"], answer["Metadata"], answer["TagCount"]) == ("text/plain", {"a": "b"}, 1)


def test_a_copy_may_say_something_else(s3: S3) -> None:
    s3.put("k", content_type="text/plain", metadata={"a": "b"}, tagging="t=1")
    said = {"metadata": {"c": "d"}, "metadata_directive": "REPLACE"}
    copy(s3, "/data/k", "k", tagging="u=2", tagging_directive="REPLACE", **said)
    assert (s3.head("k")["Metadata"], s3.get("k")) == ({"c": "d"}, b"bytes")
    assert s3.head("k")["ContentType"] == "binary/octet-stream"
    assert s3.get_object_tagging(bucket="data", key="k") == {"TagSet": [{"Key": "u", "Value": "2"}]}


@pytest.mark.parametrize(
    "source, more, refused",
    [
        ("data/none", {}, ("NoSuchKey", 404)),
        ("none/k", {}, ("NoSuchBucket", 404)),
        ("data", {}, ("InvalidArgument", 400)),
        ("data/k?versionId=1", {}, ("InvalidArgument", 400)),
        ("data/../data/k", {}, ("NoSuchKey", 404)),
        ("data/k", {"key": "k"}, ("InvalidRequest", 400)),
        ("data/k", {"key": "../k"}, ("InvalidRequest", 400)),
        ("data/k", {"copy_source_if_match": '"other"'}, ("PreconditionFailed", 412)),
        ("data/k", {"copy_source_if_none_match": "*"}, ("PreconditionFailed", 412)),
        ("data/k", {"if_match": '"other"', "key": "k2"}, ("NoSuchKey", 404)),
        ("data/k", {"metadata_directive": "MERGE"}, ("InvalidArgument", 400)),
        ("data/k", {"expected_source_bucket_owner": "999988887777"}, ("AccessDenied", 403)),
    ],
)
def test_a_copy_that_cannot_be_made_is_refused(
    s3: S3, source: str, more: dict[str, Any], refused: tuple[str, int]
) -> None:
    s3.put("k")
    given = {"key": "to", **more}
    assert s3.refusal(lambda: copy(s3, source, **given)) == refused
    assert s3.keys() == ["k"]


def test_a_copy_asks_whether_its_source_may_be_read(s3: S3) -> None:
    s3.put("k")
    s3.denied.add(("HeadObject", "k"))
    assert s3.refusal(lambda: copy(s3, "data/k", "to")) == ("AccessDenied", 403)


def test_tags_are_set_told_and_removed(s3: S3) -> None:
    s3.put("k", content_type="text/plain")
    named = {"bucket": "data", "key": "k"}
    tags = [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": ""}]
    assert s3.put_object_tagging(**named, tagging={"TagSet": tags}) == {}
    assert s3.get_object_tagging(**named) == {"TagSet": tags}
    assert s3.head("k")["ContentType"] == "text/plain"
    assert s3.delete_object_tagging(**named) == {}
    assert s3.get_object_tagging(**named) == {"TagSet": []}


def test_a_file_of_another_program_can_be_tagged(s3: S3) -> None:
    (s3.root / "k").write_bytes(b"from Spark")
    s3.put_object_tagging(bucket="data", key="k", tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert s3.get_object(bucket="data", key="k")["TagCount"] == 1


@pytest.mark.parametrize("operation", ["get_object_tagging", "delete_object_tagging"])
def test_what_is_not_there_has_no_tags(s3: S3, operation: str) -> None:
    act = getattr(s3, operation)
    assert s3.refusal(lambda: act(bucket="data", key="none")) == ("NoSuchKey", 404)
    assert s3.refusal(lambda: act(bucket="none", key="k")) == ("NoSuchBucket", 404)


@pytest.mark.parametrize(
    "tags, code",
    [
        ([{"Key": "", "Value": ""}], "InvalidTag"),
        ([{"Key": "aws:a", "Value": ""}], "InvalidTag"),
        ([{"Key": "k" * 129, "Value": ""}], "InvalidTag"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidTag"),
        ([{"Key": "k", "Value": ""}] * 2, "InvalidTag"),
        ([{"Key": f"k{n}", "Value": ""} for n in range(11)], "BadRequest"),
    ],
)
def test_tags_beyond_the_limits_are_refused(s3: S3, tags: list[dict[str, str]], code: str) -> None:
    s3.put("k")
    refused = s3.refusal(lambda: s3.put_object_tagging(bucket="data", key="k", tagging={"TagSet": tags}))
    assert refused == (code, 400)


@pytest.mark.parametrize(
    "change",
    [
        {"storage_class": "STANDARD"},
        {"storage_class": "ONEZONE_IA"},
        {"server_side_encryption": "AES256"},
        {"server_side_encryption": "aws:kms"},
        {"website_redirect_location": "/elsewhere"},
        {"metadata_directive": "REPLACE", "metadata": {"new": "1"}},
    ],
)
def test_a_copy_onto_itself_that_changes_something_is_made(s3: S3, change: dict[str, Any]) -> None:
    s3.put("k", metadata={"old": "1"}, tagging="a=1")
    copy(s3, "data/k", "k", **change)
    head = s3.head("k")
    assert s3.get("k") == b"bytes"
    assert head.get("StorageClass", "STANDARD") == change.get("storage_class", "STANDARD")
    assert head["ServerSideEncryption"] == change.get("server_side_encryption", "AES256")
    assert head["Metadata"] == change.get("metadata", {"old": "1"})
    assert head.get("WebsiteRedirectLocation") == change.get("website_redirect_location")
    assert head["TagCount"] == 1


@pytest.mark.parametrize(
    "conditions, named",
    [
        ({"copy_source_if_match": '"x"'}, "If-Match"),
        ({"copy_source_if_none_match": "etag"}, "If-None-Match"),
        ({"copy_source_if_unmodified_since": 0.0}, "If-Unmodified-Since"),
        ({"copy_source_if_modified_since": 1_799_999_999.0}, "If-Modified-Since"),
    ],
)
def test_a_refused_condition_on_the_source_is_named(s3: S3, conditions: dict[str, Any], named: str) -> None:
    etag = s3.put("k")["ETag"]
    given = {name: etag if value == "etag" else value for name, value in conditions.items()}
    fault = s3.fault(lambda: copy(s3, "data/k", "to", **given))
    assert (fault.code, fault.members) == ("PreconditionFailed", {"Condition": f"x-amz-copy-source-{named}"})


@pytest.mark.parametrize("whole", [True, False])
def test_what_replaced_the_source_meanwhile_is_not_copied_where_another_was_demanded(
    s3: S3, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    etag, check = s3.put("k", b"old")["ETag"], copy_object.check_source

    async def replaced_then(*given: Any) -> Any:
        found = await check(*given)
        await s3.handler("put_object")(s3.context, bucket="data", key="k", body=b"new")
        return found

    monkeypatch.setattr(copy_object, "check_source", replaced_then)
    part = {"bucket": "data", "key": "to", "part_number": 1, "copy_source": "data/k"}
    part["upload_id"] = s3.create_multipart_upload(bucket="data", key="to")["UploadId"]
    wanted = {"copy_source_if_match": etag}
    act = partial(copy, s3, "data/k", "to") if whole else partial(s3.upload_part_copy, **part)
    fault = s3.fault(lambda: act(**wanted))
    assert (fault.code, fault.members) == ("PreconditionFailed", {"Condition": "x-amz-copy-source-If-Match"})
    assert s3.keys() == ["k"]


def test_a_time_to_come_is_no_condition_on_the_source(s3: S3) -> None:
    s3.put("k")
    copy(s3, "data/k", "to", copy_source_if_modified_since=4e9)
    assert s3.get("to") == b"bytes"


def test_a_copy_may_demand_what_is_at_its_end(s3: S3) -> None:
    s3.put("k")
    copy(s3, "data/k", "to", if_none_match="*")
    fault = s3.fault(lambda: copy(s3, "data/k", "to", if_none_match="*"))
    assert fault.members == {"Condition": "If-None-Match"}
