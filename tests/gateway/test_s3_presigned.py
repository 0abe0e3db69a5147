"""Presigned URLs whose query holds headers, as JavaScript's SDK and the older signature write them."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Mapping
from xml.etree import ElementTree

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from tests.conftest import Server

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
BODY = b"by url"


@pytest.fixture(scope="module")
def bucket(server: Server) -> str:
    server.client("s3").create_bucket(Bucket="gateway-presigned")
    return "gateway-presigned"


def crc32(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4)).decode()


def signed_url(server: Server, method: str, path: str, query: Mapping[str, str]) -> str:
    """A URL whose query is signed by version 4."""
    written = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
    request = AWSRequest(method, f"{server.url}/{path}?{written}")
    keys = Credentials(server.access["access_key_id"], server.access["secret_access_key"])
    S3SigV4QueryAuth(keys, "s3", server.region, 60).add_auth(request)
    return str(request.url)


def put(url: str, body: bytes = BODY, **headers: str) -> tuple[int, Mapping[str, str]]:
    """The status, and the members of the error where it is one."""
    named = {"Content-Type": ""} | {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with NO_PROXY.open(urllib.request.Request(url, body, named, method="PUT")) as answer:
            return answer.status, {}
    except urllib.error.HTTPError as refused:
        with refused:
            found = ElementTree.fromstring(refused.read())
            return refused.code, {each.tag: each.text or "" for each in found}


def test_metadata_tags_class_and_encryption_of_the_query_are_the_objects(server: Server, bucket: str) -> None:
    query = {
        "x-amz-meta-team": "ml",
        "X-Amz-Meta-Word": "a b",
        "x-amz-tagging": "a=1&b=2",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-checksum-crc32": crc32(BODY),
        "x-amz-sdk-checksum-algorithm": "CRC32",
        "x-id": "PutObject",
    }
    assert put(signed_url(server, "PUT", f"{bucket}/k", query)) == (200, {})
    head = server.client("s3").head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head["Metadata"], head["TagCount"]) == ({"team": "ml", "word": "a b"}, 2)
    assert (head["StorageClass"], head["ServerSideEncryption"]) == ("STANDARD_IA", "aws:kms")
    assert head["ChecksumCRC32"] == crc32(BODY)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"x-amz-checksum-crc32": crc32(b"other")}, 400, "BadDigest"),
        ({"x-amz-acl": "public-read"}, 400, "AccessControlListNotSupported"),
        ({"x-amz-storage-class": "GLACIER"}, 400, "InvalidStorageClass"),
        ({"x-amz-server-side-encryption": "none"}, 400, "InvalidArgument"),
        ({"x-amz-tagging": "a=1&a=2"}, 400, "InvalidTag"),
        ({"x-amz-object-lock-mode": "COMPLIANCE"}, 400, "InvalidRequest"),
        ({"x-amz-expected-bucket-owner": "999988887777"}, 403, "AccessDenied"),
        ({"x-amz-content-sha256": "0" * 64}, 403, "SignatureDoesNotMatch"),
    ],
)
def test_what_is_refused_as_a_header_is_refused_in_the_query(
    server: Server, bucket: str, query: dict[str, str], status: int, code: str
) -> None:
    told = put(signed_url(server, "PUT", f"{bucket}/refused", query))
    assert (told[0], told[1]["Code"]) == (status, code)
    assert server.client("s3").list_objects_v2(Bucket=bucket, Prefix="refused")["KeyCount"] == 0


def test_a_copys_source_may_stand_in_the_query(server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key="source é", Body=b"from there")
    query = {"x-amz-copy-source": f"{bucket}/source%20%C3%A9", "x-amz-metadata-directive": "COPY"}
    assert put(signed_url(server, "PUT", f"{bucket}/copy", query), b"") == (200, {})
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"from there"


def test_a_policy_decides_on_what_the_query_says(server: Server, bucket: str) -> None:
    user = server.user(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "s3:PutObject",
                    "Resource": f"arn:aws:s3:::{bucket}/*",
                    "Condition": {"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
                }
            ],
        }
    )
    keys = Credentials(user["access_key_id"], user["secret_access_key"])
    for query, status in (("x-amz-server-side-encryption=aws%3Akms", 200), ("x-id=PutObject", 403)):
        request = AWSRequest("PUT", f"{server.url}/{bucket}/decided?{query}")
        S3SigV4QueryAuth(keys, "s3", server.region, 60).add_auth(request)
        assert put(str(request.url))[0] == status


def test_the_older_signature_puts_headers_into_the_query_too(server: Server, bucket: str) -> None:
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id=server.access["access_key_id"],
        aws_secret_access_key=server.access["secret_access_key"],
        config=Config(signature_version="s3"),
    )
    said = {"Bucket": bucket, "Key": "old", "Metadata": {"team": "ml"}, "StorageClass": "ONEZONE_IA"}
    url = s3.generate_presigned_url("put_object", said, 60)
    assert "x-amz-meta-team=ml" in url
    assert put(url) == (200, {})
    head = server.client("s3").head_object(Bucket=bucket, Key="old")
    assert (head["Metadata"], head["StorageClass"]) == ({"team": "ml"}, "ONEZONE_IA")


def test_what_is_not_signed_or_said_twice_is_refused(server: Server, bucket: str) -> None:
    url = signed_url(server, "PUT", f"{bucket}/twice", {"x-amz-meta-a": "1"})
    status, told = put(url, x_amz_meta_b="2")
    assert (status, told["Code"], told["HeadersNotSigned"]) == (403, "AccessDenied", "x-amz-meta-b")
    assert put(f"{url}&x-amz-meta-a=2")[0] == 400
    assert put(f"{url}&x-amz-meta-c=2")[1]["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("path", ["", "gateway-presigned", "gateway-presigned/k", "never-made/a/b?tagging"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_unsigned_is_denied_in_s3s_words_and_does_nothing(
    server: Server, bucket: str, method: str, path: str
) -> None:
    request = urllib.request.Request(f"{server.url}/{path}", BODY if method == "PUT" else None, method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        NO_PROXY.open(request)
    with caught.value as refused:
        assert refused.code == 403
        assert refused.headers["content-type"] == "application/xml"
        found = ElementTree.fromstring(refused.read())
    assert (found.findtext("Code"), found.findtext("Message")) == ("AccessDenied", "Access Denied")


def test_a_public_policy_lets_nobody_in_who_does_not_sign(server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="gateway-public")
    s3.put_object(Bucket="gateway-public", Key="k", Body=b"bytes")
    s3.delete_public_access_block(Bucket="gateway-public")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    statement["Resource"] = "arn:aws:s3:::gateway-public/*"
    s3.put_bucket_policy(
        Bucket="gateway-public",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        NO_PROXY.open(f"{server.url}/gateway-public/k")
    caught.value.close()
    assert caught.value.code == 403


@pytest.mark.parametrize("value", ["É", "\u4f60\u597d"])
def test_metadata_beyond_ascii_comes_back_as_s3_writes_it(server: Server, bucket: str, value: str) -> None:
    url = signed_url(server, "PUT", f"{bucket}/words", {"x-amz-meta-word": value})
    assert put(url) == (200, {})
    arrived = value.encode().decode("latin-1")
    expected = f"=?UTF-8?B?{base64.b64encode(arrived.encode()).decode()}?="
    assert server.client("s3").head_object(Bucket=bucket, Key="words")["Metadata"] == {"word": expected}


def test_an_object_in_a_browser_runs_no_script(server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key="x.html", Body=b"<script>1</script>", ContentType="text/html")
    headers = s3.get_object(Bucket=bucket, Key="x.html")["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["content-security-policy"], headers["x-content-type-options"]) == ("sandbox", "nosniff")
