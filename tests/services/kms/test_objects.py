"""Objects of S3 that have a key: KMS decides who may write and read them."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.refusals import refusal, refusal_with_status

FILES = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]


@pytest.fixture(scope="module")
def bucket(server: Server) -> Iterator[str]:
    name = new_name("kms-bucket")
    server.client("s3").create_bucket(Bucket=name)
    yield name


@pytest.fixture
def key(server: Server) -> str:
    arn: str = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    return arn


def written(s3: Any, bucket: str, key: str, name: str = "k", **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = s3.put_object(
        Bucket=bucket, Key=name, Body=b"b", ServerSideEncryption="aws:kms", SSEKMSKeyId=key, **more
    )
    return answer


def test_every_answer_names_the_key_by_its_arn(server: Server, bucket: str, key: str) -> None:
    s3, alias = server.client("s3"), f"alias/{new_name('a')}"
    server.client("kms").create_alias(AliasName=alias, TargetKeyId=key)
    put = written(s3, bucket, alias)
    got, head = s3.get_object(Bucket=bucket, Key="k"), s3.head_object(Bucket=bucket, Key="k")
    assert [each["SSEKMSKeyId"] for each in (put, got, head)] == [key] * 3
    assert (head["ServerSideEncryption"], got["Body"].read()) == ("aws:kms", b"b")


def test_who_writes_needs_a_data_key_and_who_reads_decrypts(server: Server, bucket: str, key: str) -> None:
    neither = server.client("s3", allowing(*FILES))
    writer = server.client("s3", allowing(*FILES, "kms:GenerateDataKey"))
    reader = server.client("s3", allowing(*FILES, "kms:Decrypt"))
    written(writer, bucket, key)
    assert reader.get_object(Bucket=bucket, Key="k")["Body"].read() == b"b"
    for client, call, action in (
        (neither, lambda client: written(client, bucket, key), "kms:GenerateDataKey"),
        (reader, lambda client: written(client, bucket, key), "kms:GenerateDataKey"),
        (writer, lambda client: client.get_object(Bucket=bucket, Key="k"), "kms:Decrypt"),
    ):
        status, code, message = refusal_with_status(lambda call=call, client=client: call(client))
        assert (status, code) == (403, "AccessDenied")
        assert f"{action} on resource: {key}" in message
    assert writer.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == key


def test_a_copy_and_the_parts_of_an_upload_ask_too(server: Server, bucket: str, key: str) -> None:
    admin = server.client("s3")
    written(admin, bucket, key, "source")
    writer = server.client("s3", allowing(*FILES, "kms:GenerateDataKey"))
    source = {"Bucket": bucket, "Key": "source"}
    assert "kms:Decrypt" in refusal(writer.copy_object, Bucket=bucket, Key="to", CopySource=source)[1]
    named = {"Bucket": bucket, "Key": "parts"}
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    upload = {**named, "UploadId": writer.create_multipart_upload(**named, **sealed)["UploadId"]}
    assert "kms:Decrypt" in refusal(writer.upload_part, **upload, PartNumber=1, Body=b"b")[1]
    part = admin.upload_part(**upload, PartNumber=1, Body=b"b")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    assert "kms:Decrypt" in refusal(writer.complete_multipart_upload, **upload, MultipartUpload=parts)[1]
    assert admin.complete_multipart_upload(**upload, MultipartUpload=parts)["SSEKMSKeyId"] == key


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"kms:ViaService": "s3.{region}.amazonaws.com"}, True),
        ({"kms:ViaService": "sqs.{region}.amazonaws.com"}, False),
        ({"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::{bucket}/k"}, True),
        ({"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::{bucket}/other"}, False),
        ({"aws:ViaAWSService": "true"}, True),
    ],
)
def test_the_call_of_s3_has_its_condition_keys(
    server: Server, bucket: str, key: str, condition: dict[str, str], allowed: bool
) -> None:
    wanted = {name: value.format(region=server.region, bucket=bucket) for name, value in condition.items()}
    use = {"Effect": "Allow", "Action": "kms:*", "Resource": key, "Condition": {"StringEquals": wanted}}
    policy = allowing(*FILES)
    client = server.client("s3", {**policy, "Statement": [*policy["Statement"], use]})
    if allowed:
        written(client, bucket, key)
    else:
        assert refusal(written, s3=client, bucket=bucket, key=key)[0] == "AccessDenied"


def test_awss_own_key_serves_whoever_may_use_s3(server: Server, bucket: str) -> None:
    client = server.client("s3", allowing(*FILES))
    put = client.put_object(Bucket=bucket, Key="own", Body=b"b", ServerSideEncryption="aws:kms")
    described = server.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert put["SSEKMSKeyId"] == described["Arn"]
    assert client.get_object(Bucket=bucket, Key="own")["Body"].read() == b"b"


def test_a_key_that_cannot_be_used_is_refused_in_s3s_words(server: Server, bucket: str, key: str) -> None:
    s3, kms = server.client("s3"), server.client("kms")
    written(s3, bucket, key)
    kms.disable_key(KeyId=key)
    assert refusal_with_status(written, s3=s3, bucket=bucket, key=key)[:2] == (400, "KMS.DisabledException")
    assert refusal(s3.get_object, Bucket=bucket, Key="k")[0] == "KMS.DisabledException"
    kms.schedule_key_deletion(KeyId=key)
    assert refusal(s3.get_object, Bucket=bucket, Key="k")[0] == "KMS.KMSInvalidStateException"
    unknown = refusal(written, s3=s3, bucket=bucket, key="alias/nothing")
    assert unknown[0] == "KMS.NotFoundException"


def by_default(key: str | None, *, bucket_key: bool = False) -> dict[str, Any]:
    """The configuration of a bucket whose objects have a key unless they say otherwise."""
    named = {} if key is None else {"KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", **named}}
    return {"ServerSideEncryptionConfiguration": {"Rules": [{**rule, "BucketKeyEnabled": bucket_key}]}}


@pytest.fixture
def sealed(server: Server, key: str) -> str:
    name = new_name("sealed")
    server.client("s3").create_bucket(Bucket=name)
    server.client("s3").put_bucket_encryption(Bucket=name, **by_default(key))
    return name


def test_the_key_of_a_bucket_decides_where_an_object_names_none(
    server: Server, sealed: str, key: str
) -> None:
    admin, neither = server.client("s3"), server.client("s3", allowing(*FILES))
    named = {"Bucket": sealed, "Key": "k"}
    assert f"kms:GenerateDataKey on resource: {key}" in refusal(neither.put_object, **named, Body=b"b")[1]
    assert "kms:GenerateDataKey" in refusal(neither.create_multipart_upload, **named)[1]
    put = server.client("s3", allowing(*FILES, "kms:GenerateDataKey")).put_object(**named, Body=b"b")
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", key)
    assert "kms:Decrypt" in refusal(neither.get_object, **named)[1]
    copy = admin.copy_object(Bucket=sealed, Key="to", CopySource=named)
    assert copy["SSEKMSKeyId"] == key


def test_an_object_may_say_otherwise(server: Server, sealed: str, key: str) -> None:
    s3, other = server.client("s3"), server.client("kms").create_key()["KeyMetadata"]["Arn"]
    assert written(s3, sealed, other)["SSEKMSKeyId"] == other
    plain = s3.put_object(Bucket=sealed, Key="k", Body=b"b", ServerSideEncryption="AES256")
    assert (plain["ServerSideEncryption"], "SSEKMSKeyId" in plain) == ("AES256", False)
    code, _ = refusal(s3.put_object, Bucket=sealed, Key="k", Body=b"b", SSEKMSKeyId=key)
    assert code == "InvalidArgument"
    s3.delete_bucket_encryption(Bucket=sealed)
    assert s3.put_object(Bucket=sealed, Key="k", Body=b"b")["ServerSideEncryption"] == "AES256"


def test_a_buckets_key_spares_calls_where_its_configuration_says_so(
    server: Server, sealed: str, key: str
) -> None:
    s3 = server.client("s3")
    s3.put_bucket_encryption(Bucket=sealed, **by_default(key, bucket_key=True))
    assert s3.put_object(Bucket=sealed, Key="k", Body=b"b")["BucketKeyEnabled"]
    assert "BucketKeyEnabled" not in s3.put_object(Bucket=sealed, Key="k", Body=b"b", BucketKeyEnabled=False)


def test_awss_own_key_is_that_of_a_configuration_without_one(server: Server, sealed: str) -> None:
    s3 = server.client("s3")
    s3.put_bucket_encryption(Bucket=sealed, **by_default(None))
    told = s3.get_bucket_encryption(Bucket=sealed)
    assert {name: told[name] for name in told if name != "ResponseMetadata"} == by_default(None)
    put = s3.put_object(Bucket=sealed, Key="k", Body=b"b")
    aliases = server.client("kms").list_aliases()["Aliases"]
    (found,) = [each for each in aliases if each["AliasName"] == "alias/aws/s3"]
    assert put["SSEKMSKeyId"].endswith(found["TargetKeyId"])
