"""S3's own ways to send a body and to sign: in chunks, with a checksum behind, and as a URL."""

import io
import json
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.conftest import Server

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def client(server: Server, url: str | None = None, **settings: Any) -> Any:
    return boto3.client(
        "s3",
        region_name=server.region,
        endpoint_url=url or server.url,
        aws_access_key_id=server.access["access_key_id"],
        aws_secret_access_key=server.access["secret_access_key"],
        config=Config(**settings),
    )


@pytest.fixture(scope="module")
def bucket(server: Server) -> str:
    server.client("s3").create_bucket(Bucket="gateway-bodies")
    return "gateway-bodies"


@pytest.mark.parametrize("version", ["s3v4", None], ids=["v4", "v2-as-boto3-does-by-itself"])
def test_a_presigned_url_reads_and_writes_until_it_is_changed(
    server: Server, bucket: str, version: str | None
) -> None:
    s3 = client(server, signature_version=version)
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b/ü"}, 60)
    NO_PROXY.open(urllib.request.Request(put, b"by url", {"Content-Type": ""}, method="PUT")).close()
    get = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/ü"}, 60)
    with NO_PROXY.open(get) as answer:
        assert answer.read() == b"by url"
    with pytest.raises(urllib.error.HTTPError) as refused:
        NO_PROXY.open(get.replace("a%20b", "other"))
    assert refused.value.code == 403
    refused.value.close()


def fetched(url: str) -> bytes | int:
    """What is there, or the status."""
    try:
        with NO_PROXY.open(url) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_an_old_url_signs_key_time_session_and_what_it_asks_the_answer_to_say(
    server: Server, bucket: str
) -> None:
    server.client("s3").put_object(Bucket=bucket, Key="old", Body=b"old")
    asked = {"Bucket": bucket, "Key": "old", "ResponseContentType": "text/x"}
    url = client(server).generate_presigned_url("get_object", asked, 60)
    assert "AWSAccessKeyId=" in url
    assert fetched(url) == b"old"
    for changed in (
        url.replace("/old?", "/new?"),
        url.replace("text%2Fx", "text%2Fy"),
        url.replace("Expires=", "Expires=9"),
        url.replace("Signature=", "Signature=x"),
        url.replace("AWSAccessKeyId=", "AWSAccessKeyId=X"),
        url.replace("Expires=", "Expires=now&Other="),
        url.partition("&Signature=")[0],
        f"{url}&Signature=twice",
        f"{url}&x-amz-acl=private",
    ):
        assert changed == url or fetched(changed) == 403, changed
    ended = client(server).generate_presigned_url("get_object", asked, -1)
    assert fetched(ended) == 403


def test_an_old_url_of_a_role_session_carries_its_token(server: Server, bucket: str) -> None:
    server.client("s3").put_object(Bucket=bucket, Key="role", Body=b"by role")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/role"}
    arn = server.role([{"Version": "2012-10-17", "Statement": [statement]}], trust="lambda.amazonaws.com")
    trust = {"Effect": "Allow", "Principal": {"AWS": server.account}, "Action": "sts:AssumeRole"}
    server.client("iam").update_assume_role_policy(
        RoleName=arn.rpartition("/")[2],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    keys = server.client("sts").assume_role(RoleArn=arn, RoleSessionName="url")["Credentials"]
    session = server.client_with("s3", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    url = session.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "role"}, 60)
    assert "x-amz-security-token" in url and fetched(url) == b"by role"
    other = session.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "old"}, 60)
    assert fetched(other) == 403


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_body_arrives_with_the_checksum_that_was_asked_for(
    server: Server, bucket: str, algorithm: str
) -> None:
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key=algorithm, Body=b"x" * 1000, ChecksumAlgorithm=algorithm)
    assert s3.get_object(Bucket=bucket, Key=algorithm)["Body"].read() == b"x" * 1000


def test_an_unseekable_body_in_chunks_arrives_in_one_piece(server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    s3.upload_fileobj(io.BytesIO(b"y" * 9_000_000), bucket, "parts")
    assert s3.head_object(Bucket=bucket, Key="parts")["ContentLength"] == 9_000_000


def test_any_name_of_the_host_will_do(server: Server, bucket: str) -> None:
    s3 = client(server, url=server.url.replace("127.0.0.1", "localhost"), s3={"addressing_style": "path"})
    s3.put_object(Bucket=bucket, Key="path", Body=b"")
    assert s3.head_object(Bucket=bucket, Key="path")["ContentLength"] == 0


def test_a_missing_bucket_is_404_without_a_body(server: Server) -> None:
    with pytest.raises(ClientError) as missing:
        server.client("s3").head_bucket(Bucket="gateway-nowhere")
    assert missing.value.response["Error"] == {"Code": "404", "Message": "Not Found"}
