"""Forms with which browsers upload: a presigned POST, its policy, and what it is answered."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.conftest import Server

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
BODY = b"line\r\n--line\r\n"
BOUNDARY = "b0undary"


@pytest.fixture(scope="module")
def bucket(server: Server) -> str:
    server.client("s3").create_bucket(Bucket="gateway-forms")
    return "gateway-forms"


@pytest.fixture
def s3(server: Server) -> Any:
    """A client that signs by version 4."""
    return boto3.client(
        "s3",
        region_name=server.region,
        endpoint_url=server.url,
        aws_access_key_id=server.access["access_key_id"],
        aws_secret_access_key=server.access["secret_access_key"],
        config=Config(signature_version="s3v4"),
    )


def form(fields: Mapping[str, str], file: bytes | None = BODY, name: str = "a.bin") -> bytes:
    parts = [f'form-data; name="{field}"\r\n\r\n{value}'.encode() for field, value in fields.items()]
    if file is not None:
        head = f'form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
        parts.append(head.encode() + file)
    start = f"--{BOUNDARY}\r\nContent-Disposition: ".encode()
    return b"".join(start + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, body: bytes) -> tuple[int, Mapping[str, str], dict[str, str]]:
    """Status, headers, and the members of the document in the answer."""
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        answer = opener.open(urllib.request.Request(url, body, kind))
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        told = answer.read()
        members = {each.tag: each.text or "" for each in ElementTree.fromstring(told)} if told else {}
        return answer.status, answer.headers, members


def test_what_boto3_signs_is_put_with_all_that_the_form_says(s3: Any, bucket: str) -> None:
    said = {
        "acl": "private",
        "Content-Type": "text/csv",
        "x-amz-meta-team": "ml",
        "x-amz-storage-class": "STANDARD_IA",
    }
    signed = s3.generate_presigned_post(
        bucket, "user/${filename}", dict(said), [{name: value} for name, value in said.items()]
    )
    status, headers, _ = post(signed["url"], form(signed["fields"], name="b c.csv"))
    assert status == 204
    assert headers["etag"] == f'"{hashlib.md5(BODY).hexdigest()}"'
    found = s3.get_object(Bucket=bucket, Key="user/b c.csv")
    assert (found["Body"].read(), found["ContentType"]) == (BODY, "text/csv")
    assert (found["Metadata"], found["StorageClass"]) == ({"team": "ml"}, "STANDARD_IA")


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_both_signatures_are_taken(server: Server, bucket: str, version: str) -> None:
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id=server.access["access_key_id"],
        aws_secret_access_key=server.access["secret_access_key"],
        config=Config(signature_version=version),
    )
    signed = client.generate_presigned_post(bucket, f"by-{version}")
    assert post(signed["url"], form(signed["fields"]))[0] == 204
    wrong = {**signed["fields"]}
    wrong["signature" if version == "s3" else "x-amz-signature"] = "0" * 64
    status, _, told = post(signed["url"], form(wrong))
    assert (status, told["Code"]) == (403, "SignatureDoesNotMatch")


def test_the_answer_is_as_the_form_wants_it(s3: Any, bucket: str) -> None:
    def posted(**more: str) -> tuple[int, Mapping[str, str], dict[str, str]]:
        signed = s3.generate_presigned_post(
            bucket, "k", dict(more), [{name: each} for name, each in more.items()]
        )
        return post(signed["url"], form(signed["fields"]))

    etag = f'"{hashlib.md5(BODY).hexdigest()}"'
    status, _, told = posted(success_action_status="201")
    assert (status, told["Bucket"], told["Key"], told["ETag"]) == (201, bucket, "k", etag)
    assert told["Location"].endswith("/k")
    assert posted(success_action_status="200")[0] == 200
    assert posted(success_action_status="418")[0] == 204
    status, headers, _ = posted(success_action_redirect="http://localhost/done?a=1")
    expected = f"http://localhost/done?a=1&bucket={bucket}&key=k&etag=%22{etag.strip(chr(34))}%22"
    assert (status, headers["location"]) == (303, expected)
    assert posted(success_action_redirect="javascript:alert(1)")[0] == 204


CHANGES: list[Any] = [
    ("AccessDenied", "Extra input fields: x-amz-meta-a", lambda f: {"x-amz-meta-a": "1", **f}),
    ("AccessDenied", 'Policy Condition failed: ["eq", "$key", "k"]', lambda f: {**f, "key": "other"}),
    (
        "AccessDenied",
        'Policy Condition failed: ["starts-with", "$content-type", "text/"]',
        lambda f: {**f, "content-type": "image/png"},
    ),
    (
        "AccessDenied",
        'Policy Condition failed: ["starts-with", "$content-type", "text/"]',
        lambda f: without(f, "content-type"),
    ),
    ("InvalidArgument", "must contain a field named 'key'", lambda f: without(f, "key")),
    ("InvalidArgument", "must contain a field named 'X-Amz-Date'", lambda f: without(f, "x-amz-date")),
    ("AccessDenied", "Access Denied", lambda f: without(f, "policy")),
    (
        "InvalidAccessKeyId",
        "does not exist",
        lambda f: {**f, "x-amz-credential": "AKIANOBODY" + f["x-amz-credential"][20:]},
    ),
]


def without(fields: Mapping[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in fields.items() if each != name}


@pytest.mark.parametrize(("code", "message", "change"), CHANGES)
def test_a_form_that_is_not_as_its_policy_says_puts_nothing(
    s3: Any, bucket: str, code: str, message: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]
) -> None:
    conditions = [["starts-with", "$content-type", "text/"]]
    signed = s3.generate_presigned_post(bucket, "k", {"content-type": "text/plain"}, conditions)
    s3.delete_object(Bucket=bucket, Key="k")
    status, _, told = post(signed["url"], form(change(signed["fields"])))
    assert status in (400, 403)
    assert told["Code"] == code
    assert message in told["Message"]
    assert s3.list_objects_v2(Bucket=bucket, Prefix="k")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("size", "code"), [(0, "EntityTooSmall"), (1, None), (4, None), (5, "EntityTooLarge")]
)
def test_the_file_is_as_large_as_the_policy_says(s3: Any, bucket: str, size: int, code: str | None) -> None:
    signed = s3.generate_presigned_post(bucket, "sized", None, [["content-length-range", 1, 4]])
    status, _, told = post(signed["url"], form(signed["fields"], b"x" * size))
    assert (status, told.get("Code")) == (204 if code is None else 400, code)


@pytest.mark.parametrize(
    ("policy", "code", "message"),
    [
        ({"expiration": "2020-01-01T00:00:00Z", "conditions": []}, "AccessDenied", "Policy expired."),
        ({"conditions": []}, "InvalidPolicyDocument", "no expiration date"),
        ({"expiration": "2099-01-01T00:00:00Z"}, "InvalidPolicyDocument", "no list of conditions"),
        (
            {"expiration": "2099-01-01T00:00:00Z", "conditions": [["like", "$key", "k"]]},
            "InvalidPolicyDocument",
            "Invalid Condition.",
        ),
        ("no JSON", "InvalidPolicyDocument", "Invalid JSON."),
    ],
)
def test_a_policy_that_is_over_or_none_puts_nothing(
    server: Server, bucket: str, policy: Any, code: str, message: str
) -> None:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    encoded = base64.b64encode(text.encode()).decode()
    digest = hmac.digest(server.access["secret_access_key"].encode(), encoded.encode(), "sha1")
    fields = {
        "key": "k",
        "AWSAccessKeyId": server.access["access_key_id"],
        "policy": encoded,
        "signature": base64.b64encode(digest).decode(),
    }
    _, _, told = post(f"{server.url}/{bucket}", form(fields))
    assert told["Code"] == code
    assert message in told["Message"]


def test_a_permission_of_who_signed_decides(server: Server, bucket: str) -> None:
    allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/mine/*"}
    signer = server.client("s3", {"Version": "2012-10-17", "Statement": [allowed]})
    for key, status in (("mine/k", 204), ("theirs/k", 403)):
        signed = signer.generate_presigned_post(bucket, key)
        assert post(signed["url"], form(signed["fields"]))[0] == status


def test_tags_of_a_form_are_a_document(s3: Any, bucket: str) -> None:
    tags = "<Tagging><TagSet><Tag><Key>a&amp;b</Key><Value>1 2</Value></Tag></TagSet></Tagging>"
    signed = s3.generate_presigned_post(bucket, "tagged", {"tagging": tags}, [{"tagging": tags}])
    assert post(signed["url"], form(signed["fields"]))[0] == 204
    told = s3.get_object_tagging(Bucket=bucket, Key="tagged")["TagSet"]
    assert told == [{"Key": "a&b", "Value": "1 2"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b0undary--",
        b"no form",
        b"--b0undary\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b0undary--",
        form({"key": "k"}, None),
        form({"key": "k"})[:-20],
        b"--b0undary\r\n" * 3,
        form({"key": "k", "policy": "x" * 30_000}),
        form({f"f{number}": "" for number in range(1_100)}),
    ],
)
def test_a_body_that_is_no_such_form_is_refused(server: Server, bucket: str, body: bytes) -> None:
    status, headers, told = post(f"{server.url}/{bucket}", body)
    assert status == 400
    assert headers["content-type"] == "application/xml"
    assert told["Code"] in ("MalformedPOSTRequest", "InvalidArgument", "MaxPostPreDataLengthExceeded")


@pytest.mark.parametrize("path", ["", "_passrole/state", "gateway-forms/k"])
def test_a_form_goes_to_a_bucket_and_nowhere_else(server: Server, bucket: str, path: str) -> None:
    status, _, told = post(f"{server.url}/{path}", form({"key": "k"}))
    assert (status, told["Code"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize("name", ["x-amz-meta-\u043a", "x-amz-meta-a:b", "x-amz-meta-a\x0bb"])
def test_a_field_that_no_header_can_be_named_is_refused(s3: Any, bucket: str, name: str) -> None:
    signed = s3.generate_presigned_post(bucket, "badly-named", {name: "1"}, [{name: "1"}])
    status, _, told = post(signed["url"], form(signed["fields"]))
    assert (status, told["Code"]) == (400, "InvalidArgument")


def test_what_a_form_says_of_its_object_is_told_without_control_characters(s3: Any, bucket: str) -> None:
    said = {"Content-Disposition": "a\r\nset-cookie: b\x0b\x7f"}
    signed = s3.generate_presigned_post(bucket, "told", dict(said), [dict(said)])
    assert post(signed["url"], form(signed["fields"]))[0] == 204
    found = s3.get_object(Bucket=bucket, Key="told", ResponseCacheControl="\x1b[31m")
    assert found["ContentDisposition"].split() == ["a", "set-cookie:", "b"]
    assert found["CacheControl"] == "[31m"


def test_a_policy_can_demand_that_an_object_comes_by_a_form(server: Server, bucket: str) -> None:
    allowed = {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"s3:authType": "POST"}},
    }
    signer = server.client("s3", {"Version": "2012-10-17", "Statement": [allowed]})
    signed = signer.generate_presigned_post(bucket, "by-form")
    assert post(signed["url"], form(signed["fields"]))[0] == 204
    with pytest.raises(ClientError, match="AccessDenied"):
        signer.put_object(Bucket=bucket, Key="by-form")
