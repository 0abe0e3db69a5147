"""Storage classes and encryption: recorded and answered, while the object stays a plain file."""

import uuid
from typing import Any, TypeAlias

import pytest

S3: TypeAlias = Any
KEY = "arn:aws:kms:us-east-1:111122223333:key/" + str(
    uuid.uuid5(uuid.NAMESPACE_URL, "kms/us-east-1/111122223333/alias/aws/s3")
)


@pytest.mark.parametrize(
    "asked, told",
    [
        ({}, {"ServerSideEncryption": "AES256"}),
        ({"server_side_encryption": "AES256"}, {"ServerSideEncryption": "AES256"}),
        (
            {"server_side_encryption": "aws:kms"},
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY},
        ),
        (
            {"server_side_encryption": "aws:kms:dsse", "ssekms_key_id": "alias/aws/s3"},
            {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": KEY},
        ),
        (
            {"server_side_encryption": "aws:kms", "ssekms_key_id": KEY, "bucket_key_enabled": True},
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY, "BucketKeyEnabled": True},
        ),
    ],
)
def test_every_answer_about_an_object_tells_its_encryption(
    s3: S3, asked: dict[str, Any], told: dict[str, Any]
) -> None:
    upload = s3.create_multipart_upload(bucket="data", key="parts", **asked)
    named = {"bucket": "data", "key": "parts", "upload_id": upload["UploadId"]}
    s3.put("source")
    part = s3.upload_part(**named, part_number=1, body=b"1")
    copied = s3.upload_part_copy(**named, part_number=1, copy_source="data/source")
    listed = [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}]
    answers = [
        s3.put("k", **asked),
        upload,
        part,
        copied,
        s3.complete_multipart_upload(**named, multipart_upload={"Parts": listed}),
        s3.copy_object(bucket="data", key="copy", copy_source="data/k", **asked),
        s3.head("copy"),
        s3.head("k"),
        s3.get_object(bucket="data", key="k"),
        s3.head("parts"),
    ]
    names = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
    for answer in answers:
        assert {name: answer[name] for name in names if name in answer} == told
    assert (s3.root / "k").read_bytes() == b"bytes"


def test_a_copy_is_stored_as_its_own_request_says(s3: S3) -> None:
    s3.put("k", server_side_encryption="aws:kms", storage_class="STANDARD_IA")
    s3.copy_object(bucket="data", key="copy", copy_source="data/k")
    head = s3.head("copy")
    assert head["ServerSideEncryption"] == "AES256"
    assert "StorageClass" not in head


@pytest.mark.parametrize("class_", ["STANDARD_IA", "GLACIER_IR"])
def test_a_class_is_told_wherever_objects_are(s3: S3, class_: str) -> None:
    s3.put("k", storage_class=class_)
    upload = s3.create_multipart_upload(bucket="data", key="parts", storage_class=class_)["UploadId"]
    assert s3.head("k")["StorageClass"] == class_
    assert s3.list_objects_v2(bucket="data")["Contents"][0]["StorageClass"] == class_
    assert s3.list_multipart_uploads(bucket="data")["Uploads"][0]["StorageClass"] == class_
    assert s3.list_parts(bucket="data", key="parts", upload_id=upload)["StorageClass"] == class_
    attributes = s3.get_object_attributes(bucket="data", key="k", object_attributes=["StorageClass"])
    assert attributes["StorageClass"] == class_


@pytest.mark.parametrize(
    "key, message",
    [
        ("alias/mine", "Alias arn:aws:kms:us-east-1:111122223333:alias/mine is not found."),
        ("not-there", "Key 'arn:aws:kms:us-east-1:111122223333:key/not-there' does not exist"),
        (
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd",
            "Key 'arn:aws:kms:us-east-1:111122223333:key/1234abcd' does not exist",
        ),
    ],
)
@pytest.mark.parametrize("operation", ["put_object", "create_multipart_upload"])
def test_a_key_that_is_not_there_is_refused(s3: S3, operation: str, key: str, message: str) -> None:
    given = {"bucket": "data", "key": "k", "server_side_encryption": "aws:kms", "ssekms_key_id": key}
    fault = s3.fault(lambda: getattr(s3, operation)(**given))
    assert (fault.code, fault.status, fault.message) == ("KMS.NotFoundException", 400, message)
    assert s3.keys() == []


def test_a_refused_class_is_named(s3: S3) -> None:
    fault = s3.fault(lambda: s3.put("k", storage_class="DEEP_ARCHIVE"))
    assert fault.members == {"StorageClassRequested": "DEEP_ARCHIVE"}
