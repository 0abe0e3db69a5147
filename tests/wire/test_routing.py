"""A request is led to its operation by target, action or path, and to no other."""

import json
from importlib import resources

import pytest
from botocore.loaders import Loader

from passrole.wire import HttpRequest, route, unsupported
from passrole.wire.descriptions import Protocol
from passrole.wire.refusals import Unrouted
from passrole.wire.routing import protocol_of

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
FUNCTIONS = "/2015-03-31/functions"


def request(
    method: str = "POST", path: str = "/", query: str = "", body: bytes = b"", **headers: str
) -> HttpRequest:
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(method, path, query, spelled, body)


def form(body: str) -> HttpRequest:
    return HttpRequest("POST", "/", "", FORM, body.encode())


@pytest.mark.parametrize(
    ("given", "signing_service", "service", "operation"),
    [
        (request(x_amz_target="SageMaker.CreatePipeline"), "sagemaker", "sagemaker", "CreatePipeline"),
        (request(x_amz_target="ElasticMapReduce.RunJobFlow"), "elasticmapreduce", "emr", "RunJobFlow"),
        (request(x_amz_target="Logs_20140328.PutLogEvents"), "logs", "logs", "PutLogEvents"),
        (request(x_amz_target="AWSEvents.PutRule"), None, "events", "PutRule"),
        (form("Action=TagQueue&Version=2012-11-05"), "sqs", "sqs", "TagQueue"),
        (form("Action=GetRole&Version=2010-05-08"), "iam", "iam", "GetRole"),
        (
            form("Action=AssumeRoleWithWebIdentity&Version=2011-06-15"),
            None,
            "sts",
            "AssumeRoleWithWebIdentity",
        ),
        (
            request("GET", query="Action=GetCallerIdentity&Version=2011-06-15"),
            "sts",
            "sts",
            "GetCallerIdentity",
        ),
        (
            request(path="/endpoints/e/invocations"),
            "sagemaker",
            "sagemaker-runtime",
            "InvokeEndpoint",
        ),
        (request("GET", FUNCTIONS), "lambda", "lambda", "ListFunctions"),
        (request("GET", f"{FUNCTIONS}/"), "lambda", "lambda", "ListFunctions"),
        (request("POST", FUNCTIONS), "lambda", "lambda", "CreateFunction"),
        (
            request("GET", "/2018-10-31/layers", "find=LayerVersion&Arn=a"),
            "lambda",
            "lambda",
            "GetLayerVersionByArn",
        ),
        (request("GET", "/2018-10-31/layers", "Marker=a"), "lambda", "lambda", "ListLayers"),
    ],
)
def test_a_request_is_led_to_its_operation(
    given: HttpRequest, signing_service: str | None, service: str, operation: str
) -> None:
    found = route(given, signing_service)
    assert (found.service, found.operation) == (service, operation)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("my-function", "my-function"),
        ("my-function%3Aprod", "my-function:prod"),
        (
            "arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af",
            "arn:aws:lambda:us-east-1:1:function:f",
        ),
        ("a%2F..%2Fb", "a/../b"),
    ],
)
def test_path_arguments_are_decoded_after_the_path_is_split(path: str, name: str) -> None:
    found = route(request("POST", f"{FUNCTIONS}/{path}/invocations"), "lambda")
    assert (found.operation, found.path_arguments) == ("Invoke", {"FunctionName": name})


COPY = "/other/key"
UPLOAD = "partNumber=1&uploadId=u"


@pytest.mark.parametrize(
    ("given", "operation"),
    [
        (request("GET"), "ListBuckets"),
        (request("PUT", "/b"), "CreateBucket"),
        (request("PUT", "/b/"), "CreateBucket"),
        (request("GET", "/b"), "ListObjects"),
        (request("GET", "/b", "prefix=Action%3D&list-type=2"), "ListObjectsV2"),
        (request("GET", "/b", "location"), "GetBucketLocation"),
        (request("GET", "/b", "location="), "GetBucketLocation"),
        (request("GET", "/b", "uploads"), "ListMultipartUploads"),
        (request("POST", "/b", "delete"), "DeleteObjects"),
        (request("HEAD", "/b"), "HeadBucket"),
        (request("PUT", "/b/k"), "PutObject"),
        (request("PUT", "/b/k", x_amz_copy_source=COPY), "CopyObject"),
        (request("PUT", "/b/k", UPLOAD), "UploadPart"),
        (request("PUT", "/b/k", UPLOAD, x_amz_copy_source=COPY), "UploadPartCopy"),
        (request("PUT", "/b/k", "tagging"), "PutObjectTagging"),
        (request("POST", "/b/k", "uploads"), "CreateMultipartUpload"),
        (request("POST", "/b/k", "uploadId=u"), "CompleteMultipartUpload"),
        (request("DELETE", "/b/k", "uploadId=u"), "AbortMultipartUpload"),
        (request("DELETE", "/b/k", "versionId=v"), "DeleteObject"),
        (request("GET", "/b/k", "uploadId=u"), "ListParts"),
        (request("GET", "/b/k", "versionId=v"), "GetObject"),
        (request("HEAD", "/b/k"), "HeadObject"),
    ],
)
def test_s3_operations_that_share_a_path_are_told_apart(given: HttpRequest, operation: str) -> None:
    assert route(given, "s3").operation == operation


@pytest.mark.parametrize(
    ("host", "path", "arguments"),
    [
        ("127.0.0.1:4566", "/b/a/k", {"Bucket": "b", "Key": "a/k"}),
        ("[::1]:4566", "/b/k", {"Bucket": "b", "Key": "k"}),
        ("localhost:4566", "/b/k", {"Bucket": "b", "Key": "k"}),
        ("s3.localhost:4566", "/b/k", {"Bucket": "b", "Key": "k"}),
        ("b.localhost:4566", "/a/k", {"Bucket": "b", "Key": "a/k"}),
        ("b.s3.localhost", "/k", {"Bucket": "b", "Key": "k"}),
        ("s3.amazonaws.com", "/b/k", {"Bucket": "b", "Key": "k"}),
        ("s3.eu-west-1.amazonaws.com", "/b/k", {"Bucket": "b", "Key": "k"}),
        ("b.s3.amazonaws.com", "/k", {"Bucket": "b", "Key": "k"}),
        ("b.s3.eu-west-1.amazonaws.com", "/k", {"Bucket": "b", "Key": "k"}),
        ("a.s3.b.s3.eu-west-1.amazonaws.com:443", "/k", {"Bucket": "a.s3.b", "Key": "k"}),
        ("b.s3.dualstack.eu-west-1.amazonaws.com", "/k", {"Bucket": "b", "Key": "k"}),
        ("b.s3-eu-west-1.amazonaws.com", "/k", {"Bucket": "b", "Key": "k"}),
        ("h", "/b//k", {"Bucket": "b", "Key": "/k"}),
        ("h", "/b/../k/.", {"Bucket": "b", "Key": "../k/."}),
        ("h", "/b/a%2Fb+c%2520/", {"Bucket": "b", "Key": "a/b+c%20/"}),
    ],
)
def test_buckets_stand_in_the_host_or_the_path_and_keys_are_decoded_once(
    host: str, path: str, arguments: dict[str, str]
) -> None:
    assert route(request("GET", path, host=host), "s3").path_arguments == arguments


@pytest.mark.parametrize(
    ("given", "signing_service", "code", "status", "protocol"),
    [
        (request(x_amz_target="SageMaker.Invented"), "sagemaker", "UnknownOperationException", 400, "json"),
        (request(x_amz_target="Invented.Do"), None, "UnknownOperationException", 400, "json"),
        (request(x_amz_target=""), None, "UnknownOperationException", 400, "json"),
        (form("Action=Invented&Version=2010-05-08"), "iam", "InvalidAction", 400, "query"),
        (form("Version=2010-05-08"), "iam", "MissingAction", 400, "query"),
        (form("Action=RunJobFlow"), "elasticmapreduce", "InvalidAction", 400, "query"),
        (form("Action=A&Action=B"), "iam", "MalformedQueryString", 400, "query"),
        (request("GET", "/nowhere"), "lambda", "UnknownOperationException", 404, "rest-json"),
        (request("PUT", FUNCTIONS), "lambda", "UnknownOperationException", 404, "rest-json"),
        (
            request("POST", f"{FUNCTIONS}//invocations"),
            "lambda",
            "UnknownOperationException",
            404,
            "rest-json",
        ),
        (request("GET", f"{FUNCTIONS}/%ff"), "lambda", "UnknownOperationException", 404, "rest-json"),
        (request("GET", f"{FUNCTIONS}/.."), "lambda", "UnknownOperationException", 404, "rest-json"),
        (request("POST"), "sagemaker", "UnknownOperationException", 404, "json"),
        (request("POST", "/bucket"), "s3", "MethodNotAllowed", 405, "rest-xml"),
        (request("GET", "/bucket/%ff"), "s3", "InvalidURI", 400, "rest-xml"),
        (request("GET", "//key"), "s3", "InvalidURI", 400, "rest-xml"),
        (request("GET", "/bucket", "a=%ff"), "s3", "InvalidURI", 400, "rest-xml"),
    ],
)
def test_what_fits_no_operation_is_refused_in_its_protocol(
    given: HttpRequest, signing_service: str | None, code: str, status: int, protocol: Protocol
) -> None:
    with pytest.raises(Unrouted) as caught:
        route(given, signing_service)
    fault = caught.value
    assert (fault.code, fault.status, fault.protocol) == (code, status, protocol)


@pytest.mark.parametrize(
    ("given", "signing_service"),
    [
        (request(x_amz_target="SageMaker.CreatePipeline"), "sqs"),
        (form("Action=GetCallerIdentity&Version=2011-06-15"), "invented"),
        (request("GET", FUNCTIONS), "sqs"),
    ],
)
def test_a_credential_for_one_service_does_not_reach_another(
    given: HttpRequest, signing_service: str
) -> None:
    with pytest.raises(Unrouted, match="Credential should be scoped to correct service"):
        route(given, signing_service)


def test_the_protocol_is_seen_without_a_route() -> None:
    assert protocol_of(request(x_amz_target="x")) == "json"
    assert protocol_of(form("")) == "query"
    assert protocol_of(request("DELETE", FUNCTIONS)) == "rest-json"
    assert protocol_of(request("GET", "/_passrole/health")) == "rest-json"


@pytest.mark.parametrize(
    "given",
    [
        request("DELETE", "/x"),
        request("GET", "/"),
        request("PUT", "/bucket/a/b", "acl"),
        # buckets that are called as a path of another service begins
        request("GET", "/tags/key", "AWSAccessKeyId=K&Signature=s&Expires=1"),
        request("POST", "/schedules", content_type="multipart/form-data; boundary=b"),
    ],
)
def test_what_is_unsigned_and_nobody_elses_is_s3s(given: HttpRequest) -> None:
    assert protocol_of(given) == "rest-xml"


@pytest.mark.parametrize("service", ["lambda", None])
def test_a_rest_path_counts_before_the_type_that_curl_gives_every_body(service: str | None) -> None:
    scope = {"authorization": f"AWS4-HMAC-SHA256 Credential=K/20260101/us-east-1/{service}/aws4_request"}
    headers = {**FORM, **scope} if service else FORM
    given = HttpRequest("POST", f"{FUNCTIONS}/f/invocations", "", headers, b'{"a":1}')
    assert protocol_of(given) == "rest-json"
    assert route(given, service).operation == "Invoke"


def test_renamed_rest_services_stand_under_botocores_signing_names() -> None:
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    text = resources.files("passrole.wire").joinpath("rest_services.json").read_text("utf-8")
    for signing_name, services in json.loads(text)["services"].items():
        for service in services:
            described = loader.load_service_model(service, "service-2")["metadata"]
            assert described.get("signingName", described["endpointPrefix"]) == signing_name
            assert described["protocol"].startswith("rest-")


@pytest.mark.parametrize(
    ("given", "signing_service", "operation", "protocol"),
    [
        (request(x_amz_target="AWSGlue.GetJobs"), "glue", "GetJobs", "json"),
        (request(x_amz_target="Invented.Do"), "invented", "Do", "json"),
        (form("Action=ListTopics&Version=2010-03-31"), "sns", "ListTopics", "query"),
        (form("Action=DescribeVpcs&Version=2016-11-15"), "ec2", "DescribeVpcs", "ec2"),
        (
            request(
                "POST",
                "/service/GraniteServiceVersion20100801/operation/ListMetrics",
                smithy_protocol="rpc-v2-cbor",
            ),
            "monitoring",
            "ListMetrics",
            "rpc-v2-cbor",
        ),
        (request("GET", "/v1/jobs"), "batch", "GET /v1/jobs", "rest-json"),
        (request("GET", "/v1/apis/a%2Fb"), "kafkaconnect", "GET /v1/apis/a%2Fb", "rest-json"),
        (request("GET", "/2013-04-01/hostedzone"), "route53", "ListHostedZones", "rest-xml"),
        (request("GET", "/FeatureGroup/f"), "sagemaker", "GetRecord", "rest-json"),
        (request("GET", "/nowhere"), "batch", "GET /nowhere", "rest-json"),
        (request("GET", "/any"), "invented", "GET /any", "rest-json"),
    ],
)
def test_what_is_served_nowhere_here_is_named_for_its_refusal(
    given: HttpRequest, signing_service: str, operation: str, protocol: Protocol
) -> None:
    found = unsupported.named(route(given, signing_service), given)
    assert not found.is_supported
    assert (found.service, found.operation, found.protocol) == (signing_service, operation, protocol)
    fault = unsupported.refusal(found)
    assert fault.message == f"passrole does not support the operation {signing_service}:{operation}"
    assert fault.status in (400, 501)
