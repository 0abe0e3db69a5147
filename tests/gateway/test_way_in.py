"""What a caller writes into a request, and what it does not reach: regions, hosts, paths, presigned URLs."""

import http.client
import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.conftest import Server, new_name
from tests.gateway.test_asgi import FORM, LIST_PIPELINES, WHO_AM_I, Answer
from tests.gateway.test_s3_bodies import client as s3_client

ASSUME = "/_passrole/AssumeRoleForUser"
NO_REGIONS = [
    "x:111122223333:sagemaker",
    "..",
    "*",
    "",
    "a b",
    "us-east-1\t",
    "us-east-",
    "US-EAST-1",
    "us-east-1:1",
    "aws-global",
    "cn-north-1",  # of another partition, where this account has no credentials
]


def called(
    server: Server,
    service: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    path: str = "/",
    method: str = "POST",
    region: str | None = None,
    host: str | None = None,
    query: bool = False,
    keys: Mapping[str, str] | None = None,
) -> Answer:
    """The answer to one request that is signed, by default as the administrator in a header."""
    address = urllib.parse.urlsplit(server.url).netloc
    url = f"http://{host or address}{path}"
    request = AWSRequest(method=method, url=url, data=None if query else body, headers=dict(headers))
    given = keys or server.access
    credentials = Credentials(given["access_key_id"], given["secret_access_key"])
    where = server.region if region is None else region
    if query:
        kind = S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth
        kind(credentials, service, where, 60).add_auth(request)
    else:
        (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, where).add_auth(request)
    asked = urllib.parse.urlsplit(str(request.url))
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        sent = {"host": asked.netloc, **dict(request.headers.items())}
        connection.request(method, f"{asked.path}?{asked.query}" if asked.query else asked.path, body, sent)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


@pytest.mark.parametrize("region", NO_REGIONS)
def test_a_scope_of_no_region_is_refused_as_each_protocol_does(server: Server, region: str) -> None:
    in_json = called(server, "sagemaker", LIST_PIPELINES, b"{}", region=region)
    in_query = called(server, "sts", FORM, WHO_AM_I, region=region)
    in_rest = called(server, "lambda", {}, b"", path="/2015-03-31/functions", method="GET", region=region)
    in_s3 = called(server, "s3", {}, b"", path="/bucket", method="GET", region=region)
    assert (in_json.code, in_json.status) == ("InvalidSignatureException", 400)
    assert (in_query.code, in_query.status) == ("SignatureDoesNotMatch", 403)
    assert (in_rest.headers["x-amzn-errortype"], in_rest.status) == ("InvalidSignatureException", 403)
    for answer in (in_json, in_query, in_rest):
        assert b"Credential should be scoped to a valid region" in answer.body
    assert (in_s3.code, in_s3.status) == ("AuthorizationHeaderMalformed", 400)
    assert b"is wrong; expecting 'us-east-1'" in in_s3.body and b"<Region>us-east-1</Region>" in in_s3.body


def test_a_presigned_url_of_no_region_is_refused(server: Server) -> None:
    answer = called(server, "s3", {}, b"", path="/b/k", method="GET", region="..", query=True)
    assert (answer.code, answer.status) == ("AuthorizationQueryParametersError", 400)
    assert b"the region '..' is wrong" in answer.body


@pytest.mark.parametrize("region", ["eu-central-2", "mx-central-1", "zz-southeast-11"])
def test_a_region_is_not_refused_for_being_new(server: Server, region: str) -> None:
    assert called(server, "sagemaker", LIST_PIPELINES, b"{}", region=region).status == 200


def test_a_region_does_not_make_another_resource_of_what_is_authorised(server: Server) -> None:
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:x:*"}
    keys = server.user({"Version": "2012-10-17", "Statement": statement})
    headers = {"x-amz-target": "AmazonSQS.CreateQueue", "content-type": "application/x-amz-json-1.0"}
    body = json.dumps({"QueueName": new_name("moved")}).encode()
    for region in ("x:111122223333:sagemaker", "us-east-1"):
        assert called(server, "sqs", headers, body, region=region, keys=keys).status in (400, 403)


def test_an_account_that_is_none_does_not_become_part_of_an_arn(server: Server) -> None:
    headers = {"x-amz-target": "AmazonSQS.GetQueueUrl", "content-type": "application/x-amz-json-1.0"}
    for owner in ("*", "111122223333:x", "１１１１２２２２３３３３"):
        asked = {"QueueName": "q", "QueueOwnerAWSAccountId": owner}
        answer = called(server, "sqs", headers, json.dumps(asked).encode())
        assert (answer.code, answer.status) == ("InvalidParameterValueException", 400), owner


@pytest.mark.parametrize("name", ["a:b", "a\nb"])
def test_a_name_that_is_none_does_not_become_part_of_an_arn(server: Server, name: str) -> None:
    headers = {"x-amz-target": "AmazonSQS.CreateQueue", "content-type": "application/x-amz-json-1.0"}
    answer = called(server, "sqs", headers, json.dumps({"QueueName": name}).encode())
    assert (answer.code, answer.status) == ("InvalidParameterValueException", 400)


@pytest.mark.parametrize("middle", ["..:111122223333", "us-east-1:*", "x:y:z", "cn-north-1:111122223333"])
def test_a_function_s_arn_names_a_region_and_an_account(server: Server, middle: str) -> None:
    arn = urllib.parse.quote(f"arn:aws:lambda:{middle}:function:f", safe="")
    answer = called(server, "lambda", {}, b"", path=f"/2015-03-31/functions/{arn}", method="GET")
    assert answer.status == 400 and answer.headers["x-amzn-errortype"] == "ValidationException"


OWN: list[tuple[str, dict[str, Any]]] = [
    ("signed for another service", {"service": "sagemaker"}),
    ("another method", {"method": "GET"}),
    ("another method with a body", {"method": "PUT"}),
    ("a bucket's host", {"host": "data.s3.amazonaws.com"}),
    ("a bucket's host on loopback", {"host": "data.localhost"}),
    ("AWS's host", {"host": "sts.us-east-1.amazonaws.com"}),
    ("somebody's host", {"host": "attacker.example"}),
    ("presigned", {"query": True}),
    ("presigned for s3", {"service": "s3", "query": True, "method": "GET"}),
    ("signed for s3", {"service": "s3"}),
    ("another path", {"path": "/"}),
    ("a longer path", {"path": f"{ASSUME}/more"}),
]


@pytest.mark.parametrize("change", [change for _, change in OWN], ids=[name for name, _ in OWN])
def test_our_own_operations_are_reached_in_one_way_only(server: Server, change: dict[str, Any]) -> None:
    body = json.dumps({"RoleArn": server.access["role_arn"]}).encode()
    asked: dict[str, Any] = {"service": "passrole", "path": ASSUME, **change}
    service = asked.pop("service")
    answer = called(server, service, {}, body, **asked)
    assert answer.status // 100 == 4
    assert b"SecretAccessKey" not in answer.body
    assert called(server, "passrole", {}, body, path=ASSUME).status == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1:8080", "[::1]:4566"])
def test_our_own_operations_are_on_our_own_host(server: Server, host: str) -> None:
    answer = called(server, "passrole", {}, b"{}", path="/_passrole/ListWaitingCallbacks", host=host)
    assert answer.status == 200


def test_our_own_operations_are_at_the_host_of_a_balancer(start_server: Callable[..., Server]) -> None:
    server = start_server(public_url="https://Passrole.example.com:8443")
    for host, status in (
        ("passrole.example.com:8443", 200),
        ("passrole.example.com", 200),
        ("127.0.0.1", 200),
        ("attacker.example", 404),
    ):
        answer = called(server, "passrole", {}, b"{}", path="/_passrole/ListWaitingCallbacks", host=host)
        assert answer.status == status, host


@pytest.mark.parametrize("key", ["_passrole/assume_role_for_user", "_passrole/health"])
def test_an_object_may_be_called_as_an_operation_of_ours(server: Server, key: str) -> None:
    bucket = new_name("way-in")
    server.client("s3").create_bucket(Bucket=bucket)
    server.client("s3").put_object(Bucket=bucket, Key=key, Body=b"an object")
    host = f"{bucket}.s3.us-east-1.amazonaws.com"
    for query in (True, False):
        found = called(server, "s3", {}, b"", path=f"/{key}", method="GET", host=host, query=query)
        assert (found.status, found.body) == (200, b"an object")


PRESIGNED: list[tuple[str, str, str, Mapping[str, str], bytes]] = [
    ("sts", "GET", f"/?{WHO_AM_I.decode()}", {}, b""),
    ("iam", "GET", "/?Action=ListUsers&Version=2010-05-08", {}, b""),
    ("lambda", "GET", "/2015-03-31/functions", {}, b""),
    ("sqs", "POST", "/", {"x-amz-target": "AmazonSQS.ListQueues"}, b"{}"),
]


@pytest.mark.parametrize(
    "service, method, path, headers, body", PRESIGNED, ids=[each[0] for each in PRESIGNED]
)
def test_nothing_but_s3_is_called_by_a_presigned_url(
    server: Server, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> None:
    answer = called(server, service, headers, body, path=path, method=method, query=True)
    assert answer.status in (400, 403)
    assert b"MissingAuthenticationToken" in answer.body or "MissingAuthenticationTokenException" in str(
        answer.headers
    )


@pytest.mark.parametrize("target", ["SageMaker.ListPipelines", "AmazonSQS.ListQueues"])
def test_an_old_url_of_s3_is_no_way_to_another_service(server: Server, target: str) -> None:
    s3 = server.client("s3")
    url = urllib.parse.urlsplit(s3.generate_presigned_url("list_buckets", ExpiresIn=60))
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request("POST", f"/?{url.query}", b"{}", {"x-amz-target": target})
        response = connection.getresponse()
        assert response.status // 100 == 4 and b"Summaries" not in response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "operation, parameters",
    [
        ("AssumeRoleForUser", {"RoleArn": 5}),
        ("AssumeRoleForUser", {"RoleArn": ["arn:aws:iam::111122223333:role/x"]}),
        ("ReadEmrStepLog", {"ClusterId": "j-1", "StepId": "s-1", "Stream": "stdout", "Offset": "x"}),
        ("ReadEmrStepLog", {"ClusterId": 1, "StepId": None, "Stream": {}}),
        ("ReadEmrStepLog", {"ClusterId": "j-../..", "StepId": "s-1", "Stream": "stdout"}),
    ],
)
def test_our_own_operations_refuse_what_they_cannot_read(
    server: Server, operation: str, parameters: dict[str, Any]
) -> None:
    body = json.dumps(parameters).encode()
    answer = called(server, "passrole", {}, body, path=f"/_passrole/{operation}")
    assert (answer.code, answer.status) == ("ValidationException", 400)


@pytest.mark.parametrize("bucket", ["data%2Fkey", "a%3Ab", "..", "a%0Ab", "data%2F..", "%2A"])
def test_a_bucket_s_name_does_not_make_an_object_s_arn(server: Server, bucket: str) -> None:
    for method, path in (("GET", f"/{bucket}"), ("PUT", f"/{bucket}"), ("PUT", f"/{bucket}/key")):
        answer = called(server, "s3", {}, b"", path=path, method=method)
        assert (answer.code, answer.status) in (("InvalidBucketName", 400), ("NoSuchBucket", 404)), path
        assert bucket == ".." or answer.code == "InvalidBucketName"


@pytest.mark.parametrize(
    "target, parameters",
    [
        ("ElasticMapReduce.DescribeCluster", {"ClusterId": "j-1:x"}),
        ("ElasticMapReduce.TerminateJobFlows", {"JobFlowIds": ["j-1\n"]}),
        ("ElasticMapReduce.TerminateJobFlows", {"JobFlowIds": [None]}),
        ("Logs_20140328.CreateLogGroup", {"logGroupName": "a:b"}),
        ("AWSEvents.DescribeEventBus", {"Name": "a:b"}),
    ],
)
def test_no_service_s_names_make_another_arn(server: Server, target: str, parameters: dict[str, Any]) -> None:
    service = {"ElasticMapReduce": "elasticmapreduce", "Logs_20140328": "logs", "AWSEvents": "events"}
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
    scope = service[target.partition(".")[0]]
    answer = called(server, scope, headers, json.dumps(parameters).encode())
    assert answer.status == 400 and answer.code != "AccessDeniedException"
    assert "Exception" in answer.code


def test_a_presigned_url_may_spell_its_credential_with_slashes(server: Server) -> None:
    bucket = new_name("way-in")
    server.client("s3").create_bucket(Bucket=bucket)
    server.client("s3").put_object(Bucket=bucket, Key="k", Body=b"spelled")
    client = s3_client(server, signature_version="s3v4", s3={"addressing_style": "path"})
    url = urllib.parse.urlsplit(client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}))
    for query in (url.query, url.query.replace("%2F", "/"), url.query.replace("%2F", "%2f")):
        connection = http.client.HTTPConnection(url.netloc, timeout=10)
        connection.request("GET", f"{url.path}?{query}")
        assert connection.getresponse().read() == b"spelled"
        connection.close()
