"""What botocore writes we read as it was meant, and what we write botocore reads so."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passrole.faults import Fault
from passrole.wire import HttpRequest, Route, encoded_words, parse, render, render_fault, route
from passrole.wire.descriptions import SERVICES, Protocol, members
from passrole.wire.refusals import Unrouted

SPOKEN: list[tuple[str, Protocol]] = [
    (service.name, protocol) for service in SERVICES.values() for protocol in service.protocols
]
RECORDED = json.loads((Path(__file__).parent / "sqs_query_recorded.json").read_text())
# What S3's clients take from elsewhere: the length is the body's own, the location the root's text.
UNSAID = {"ContentLength", "LocationConstraint"}
spoken = pytest.mark.parametrize(("service", "protocol"), SPOKEN)
few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def routed(service: str, request: HttpRequest) -> Route:
    return route(request, SERVICES[service].signing_name)


@spoken
def test_every_operation_is_routed_and_its_parameters_arrive(
    client: Any, service: str, protocol: Protocol
) -> None:
    for operation in client.operations(service, protocol):
        parameters = client.sample(operation.input_shape)
        request = client.sent(service, operation.name, parameters, protocol)
        found = routed(service, request)
        assert (found.service, found.operation, found.protocol) == (service, operation.name, protocol)
        assert parse(found, request) == parameters, operation.name


@spoken
def test_every_operations_result_reaches_the_client(client: Any, service: str, protocol: Protocol) -> None:
    for operation in client.operations(service, protocol):
        result = client.sample(operation.output_shape)
        response = render(Route(service, operation.name, protocol, {}), result, "request-1")
        expected = {} if response.status in (204, 304) and protocol != "rest-xml" else result
        read = client.read(service, operation.name, response, protocol)
        assert _told(read, UNSAID) == _told(expected, UNSAID), operation.name


@spoken
@few
@given(data=st.data())
def test_random_parameters_arrive_as_they_were_sent(
    client: Any, service: str, protocol: Protocol, data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from(client.operations(service, protocol)))
    parameters = data.draw(client.values(operation.input_shape, dense=protocol in ("query", "rest-xml")))
    request = client.sent(service, operation.name, parameters, protocol)
    arrived = parse(routed(service, request), request)
    assert _told(arrived, set()) == _told(parameters, set())


@spoken
@few
@given(data=st.data())
def test_random_results_reach_the_client_as_they_are(
    client: Any, service: str, protocol: Protocol, data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from(client.operations(service, protocol)))
    result = data.draw(client.values(operation.output_shape, dense=protocol in ("query", "rest-xml")))
    response = render(Route(service, operation.name, protocol, {}), result, "request-1")
    read = client.read(service, operation.name, response, protocol)
    statuses = {
        name
        for name, member in members(operation.output_shape).items()
        if member.serialization.get("location") == "statusCode"
    }
    statuses |= UNSAID
    expected = result if response.status not in (204, 304) or protocol == "rest-xml" else {}
    assert _told(read, statuses) == _told(expected, statuses)


def _told(values: Any, statuses: set[str]) -> Any:
    """What both sides can say: an empty payload is none, and the status line is always there.

    S3's clients leave the encoded words of metadata to their users.
    """
    told = {name: item for name, item in values.items() if name not in statuses and item not in (b"", {})}
    if isinstance(metadata := told.get("Metadata"), dict):
        told["Metadata"] = {
            name: encoded_words.decoded(text) if isinstance(text, str) else text
            for name, text in metadata.items()
        }
    return told


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(recorded["operation"]))
def test_what_older_sqs_clients_send_is_understood(recorded: Any) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = HttpRequest("POST", "/", "", headers, recorded["body"].encode())
    found = route(request, "sqs")
    assert found == Route("sqs", recorded["operation"], "query", {})
    assert parse(found, request) == _blobs(recorded["parameters"])


def _blobs(value: Any) -> Any:
    """JSON has no bytes: the recording writes them as {"blob": hex}."""
    if isinstance(value, dict):
        return (
            bytes.fromhex(value["blob"])
            if set(value) == {"blob"}
            else {key: _blobs(item) for key, item in value.items()}
        )
    return [_blobs(item) for item in value] if isinstance(value, list) else value


def test_sqs_answers_an_older_client_in_flattened_xml() -> None:
    result = {
        "Messages": [
            {
                "MessageId": "m-1",
                "Body": "a\r\n<b>&",
                "Attributes": {"SenderId": "x"},
                "MessageAttributes": {"k": {"DataType": "String", "StringValue": "v"}},
            }
        ]
    }
    response = render(Route("sqs", "ReceiveMessage", "query", {}), result, "request-1")
    assert response.body.decode() == (
        '<ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult>'
        "<Message><MessageId>m-1</MessageId><Body>a&#xD;\n&lt;b&gt;&amp;</Body>"
        "<Attribute><Name>SenderId</Name><Value>x</Value></Attribute>"
        "<MessageAttribute><Name>k</Name><Value><DataType>String</DataType><StringValue>v</StringValue>"
        "</Value></MessageAttribute></Message></ReceiveMessageResult>"
        "<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></ReceiveMessageResponse>"
    )


@pytest.mark.parametrize(
    ("result", "status", "body", "header"),
    [
        ({"StatusCode": 200, "Payload": b"null", "ExecutedVersion": "$LATEST"}, 200, b"null", "$LATEST"),
        ({"StatusCode": 202}, 202, b"", None),
        ({"StatusCode": 204}, 204, b"", None),
    ],
)
def test_an_invocation_answers_with_its_status_payload_and_headers(
    client: Any, result: dict[str, Any], status: int, body: bytes, header: str | None
) -> None:
    response = render(Route("lambda", "Invoke", "rest-json", {}), result, "request-1")
    assert (response.status, response.body) == (status, body)
    assert dict(response.headers).get("x-amz-executed-version") == header
    assert client.read("lambda", "Invoke", response, "rest-json")["StatusCode"] == status


def test_a_failed_function_is_told_in_a_header_that_cannot_be_split() -> None:
    result = {"FunctionError": "Unhandled\r\nx-evil: 1", "Payload": b"{}", "LogResult": "bG9n"}
    headers = dict(render(Route("lambda", "Invoke", "rest-json", {}), result, "r").headers)
    assert headers["x-amz-function-error"] == "Unhandled  x-evil: 1"
    assert headers["x-amz-log-result"] == "bG9n"


def test_a_result_that_aws_does_not_describe_is_a_bug_and_not_an_answer() -> None:
    with pytest.raises(KeyError):
        render(Route("sqs", "SendMessage", "json", {}), {"Invented": 1}, "r")


def test_members_that_are_none_are_left_out() -> None:
    response = render(
        Route("sqs", "SendMessage", "json", {}), {"MessageId": "m", "SequenceNumber": None}, "r"
    )
    assert response.body == b'{"MessageId":"m"}'


# service, protocol, fault -> status, code that boto3 shows, code that picks its exception class
FAULTS = [
    ("sagemaker", "json", Fault("ResourceNotFound", "x"), 400, "ResourceNotFound", None),
    ("sagemaker", "json", Fault("ValidationException", "x"), 400, "ValidationException", None),
    ("sagemaker", "json", Fault("AccessDeniedException", "x"), 400, "AccessDeniedException", None),
    ("sagemaker", "json", Fault("AccessDenied", "x"), 400, "AccessDeniedException", None),
    ("events", "json", Fault("AccessDeniedException", "x"), 400, "AccessDeniedException", None),
    ("events", "json", Fault("InternalException", "x"), 500, "InternalException", None),
    ("emr", "json", Fault("InternalServerException", "x"), 500, "InternalServerException", None),
    (
        "logs",
        "json",
        Fault("ResourceAlreadyExistsException", "x"),
        400,
        "ResourceAlreadyExistsException",
        None,
    ),
    ("logs", "json", Fault("InternalFailure", "x", sender=False), 500, "InternalFailure", None),
    (
        "sqs",
        "json",
        Fault("QueueDoesNotExist", "x"),
        400,
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    ),
    (
        "sqs",
        "json",
        Fault("AWS.SimpleQueueService.NonExistentQueue", "x"),
        400,
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    ),
    ("sqs", "json", Fault("OverLimit", "x"), 403, "OverLimit", "OverLimit"),
    (
        "sqs",
        "json",
        Fault("MissingParameter", "x"),
        400,
        "MissingParameter",
        "MissingRequiredParameterException",
    ),
    (
        "sqs",
        "json",
        Fault("InvalidParameterValue", "x"),
        400,
        "InvalidParameterValue",
        "InvalidParameterValueException",
    ),
    ("sqs", "query", Fault("InvalidParameterValue", "x"), 400, "InvalidParameterValue", None),
    ("sqs", "json", Fault("AccessDeniedException", "x"), 403, "AccessDenied", "AccessDeniedException"),
    (
        "sqs",
        "query",
        Fault("QueueDoesNotExist", "x"),
        400,
        "AWS.SimpleQueueService.NonExistentQueue",
        None,
    ),
    ("sqs", "query", Fault("QueueNameExists", "x"), 400, "QueueAlreadyExists", None),
    ("sqs", "query", Fault("AccessDeniedException", "x"), 403, "AccessDenied", None),
    ("iam", "query", Fault("NoSuchEntityException", "x"), 404, "NoSuchEntity", None),
    ("iam", "query", Fault("NoSuchEntity", "x"), 404, "NoSuchEntity", None),
    ("iam", "query", Fault("ValidationError", "x"), 400, "ValidationError", None),
    ("s3", "rest-xml", Fault("NoSuchKey", "x"), 404, "NoSuchKey", None),
    ("s3", "rest-xml", Fault("NoSuchBucket", "x"), 404, "NoSuchBucket", None),
    ("s3", "rest-xml", Fault("BucketNotEmpty", "x"), 409, "BucketNotEmpty", None),
    ("s3", "rest-xml", Fault("PreconditionFailed", "x"), 412, "PreconditionFailed", None),
    ("s3", "rest-xml", Fault("InvalidArgument", "x"), 400, "InvalidArgument", None),
    ("s3", "rest-xml", Fault("AccessDenied", "x"), 403, "AccessDenied", None),
    ("sts", "query", Fault("AccessDenied", "x"), 403, "AccessDenied", None),
    ("lambda", "rest-json", Fault("ResourceNotFoundException", "x"), 404, "ResourceNotFoundException", None),
    ("lambda", "rest-json", Fault("TooManyRequestsException", "x"), 429, "TooManyRequestsException", None),
    ("lambda", "rest-json", Fault("ServiceException", "x"), 500, "ServiceException", None),
    ("lambda", "rest-json", Fault("ValidationException", "x", status=418), 418, "ValidationException", None),
    ("lambda", "rest-json", Fault("AccessDenied", "x"), 403, "AccessDeniedException", None),
]
ANY_OPERATION = {
    "emr": "RunJobFlow",
    "events": "PutRule",
    "iam": "GetRole",
    "lambda": "Invoke",
    "s3": "GetObject",
    "logs": "CreateLogGroup",
    "sagemaker": "DescribePipeline",
    "sqs": "SendMessage",
    "sts": "AssumeRole",
}


@pytest.mark.parametrize(("service", "protocol", "fault", "status", "code", "query_code"), FAULTS)
def test_a_fault_reaches_the_client_by_its_code(
    client: Any,
    service: str,
    protocol: Protocol,
    fault: Fault,
    status: int,
    code: str,
    query_code: str | None,
) -> None:
    operation = ANY_OPERATION[service]
    response = render_fault(Route(service, operation, protocol, {}), fault, "request-1")
    read = client.read(service, operation, response, protocol)
    assert (response.status, read["Error"]["Code"]) == (status, code)
    assert read["Error"].get("QueryErrorCode") == query_code
    assert read["ResponseMetadata"]["RequestId"] == "request-1"
    own = service == "sqs" and protocol == "query" and "NonExistent" in code
    assert read["Error"]["Message"] == (
        "The specified queue does not exist for this wsdl version." if own else "x"
    )


@pytest.mark.parametrize(
    ("service", "fault", "body"),
    [
        (
            "sagemaker",
            Fault("ResourceNotFound", "no"),
            {"__type": "ResourceNotFound", "Message": "no"},
        ),
        (
            "sagemaker",
            Fault("AccessDeniedException", "no"),
            {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"},
        ),
        (
            "emr",
            Fault("InvalidRequestException", "no", members={"ErrorCode": "E"}),
            {"__type": "InvalidRequestException", "Message": "no", "ErrorCode": "E"},
        ),
        (
            "lambda",
            Fault("ResourceNotFoundException", "no"),
            {"Type": "User", "Message": "no"},
        ),
        (
            "lambda",
            Fault("ResourceConflictException", "no"),
            {"Type": "User", "message": "no"},
        ),
        ("lambda", Fault("InvalidSignatureException", "no"), {"message": "no"}),
    ],
)
def test_a_fault_is_spelled_as_the_description_spells_it(
    service: str, fault: Fault, body: dict[str, str]
) -> None:
    protocol = SERVICES[service].protocols[0]
    response = render_fault(Route(service, ANY_OPERATION[service], protocol, {}), fault, "r")
    assert json.loads(response.body) == body


def test_a_faults_member_that_belongs_in_a_header_goes_there() -> None:
    fault = Fault("TooManyRequestsException", "slow", members={"retryAfterSeconds": "3", "Reason": "x"})
    response = render_fault(Route("lambda", "Invoke", "rest-json", {}), fault, "r")
    assert dict(response.headers)["retry-after"] == "3"
    assert json.loads(response.body) == {"Type": "User", "message": "slow", "Reason": "x"}


def test_a_fault_before_any_route_can_still_be_read() -> None:
    response = render_fault(None, Fault("InternalFailure", "x", status=500, sender=False), "r")
    assert response.status == 500
    assert json.loads(response.body)["__type"] == "com.amazon.coral.service#InternalFailure"


def test_s3_tells_what_was_not_there_beside_the_code() -> None:
    fault = Fault("NoSuchKey", "no", members={"Key": "a&b"})
    response = render_fault(Route("s3", "GetObject", "rest-xml", {}), fault, "r")
    assert response.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>no</Message>'
        "<Key>a&amp;b</Key><RequestId>r</RequestId><HostId>r</HostId></Error>"
    )


@pytest.mark.parametrize("operation", ["HeadObject", "HeadBucket"])
def test_a_head_that_fails_has_no_body_and_its_status_is_the_code(client: Any, operation: str) -> None:
    response = render_fault(Route("s3", operation, "rest-xml", {}), Fault("NoSuchKey", "no"), "r")
    error = client.read("s3", operation, response, "rest-xml")["Error"]
    assert (response.body, error) == (b"", {"Code": "404", "Message": "Not Found"})


def test_a_range_is_partial_content_and_a_head_tells_the_length_of_what_it_leaves_out() -> None:
    part = {"Body": b"ab", "ContentRange": "bytes 0-1/9", "ContentType": "text/plain"}
    ranged = render(Route("s3", "GetObject", "rest-xml", {}), part, "r")
    assert (ranged.status, ranged.body, dict(ranged.headers)["content-length"]) == (206, b"ab", "2")
    assert [text for name, text in ranged.headers if name == "content-type"] == ["text/plain"]
    head = render(Route("s3", "HeadObject", "rest-xml", {}), {"ContentLength": 9}, "r")
    assert (head.body, dict(head.headers)["content-length"]) == (b"", "9")


def test_a_buckets_location_is_the_text_of_the_root() -> None:
    route_ = Route("s3", "GetBucketLocation", "rest-xml", {})
    assert render(route_, {"LocationConstraint": "eu-west-1"}, "r").body.endswith(
        b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>'
    )


def test_an_s3_header_cannot_split_the_response() -> None:
    result = {"Metadata": {"k": "a\r\nx-evil: 1 \u20ac", "controls": "\x00\x0b\x1b[31m\x7f\t"}}
    headers = dict(render(Route("s3", "HeadObject", "rest-xml", {}), result, "r").headers)
    assert encoded_words.decoded(headers["x-amz-meta-k"]) == "a  x-evil: 1 \u20ac"
    assert headers["x-amz-meta-controls"] == "   [31m \t"
    told = render(Route("s3", "GetObject", "rest-xml", {}), {"CacheControl": "a\r\nx-evil: \u20ac"}, "r")
    assert dict(told.headers)["cache-control"].encode("latin-1").decode() == "a  x-evil: \u20ac"


@pytest.mark.parametrize(
    ("fault", "found", "message"),
    [
        (Unrouted("UnknownOperationException", "", "rest-json", status=404), None, ""),
        (
            Fault("UnknownOperationException", "not here"),
            Route("lambda", "ListCodeSigningConfigs", "rest-json", {}),
            "not here",
        ),
    ],
)
def test_an_operation_that_lambda_has_not_is_told_as_its_other_errors_are(
    fault: Fault, found: Route | None, message: str
) -> None:
    response = render_fault(found, fault, "r")
    assert response.status == 404
    assert dict(response.headers)["x-amzn-errortype"] == "UnknownOperationException"
    assert json.loads(response.body) == {"Type": "User", "Message": message}


@pytest.mark.parametrize(
    "found", [Route("s3", "GetObject", "rest-xml", {}), Route("iam", "GetRole", "query", {})]
)
def test_quotation_marks_stay_in_the_messages_of_xml(found: Route) -> None:
    """The SDK for Java, version 1, loses what is before the last escaped character."""
    fault = Fault("AccessDenied", 'not authorized on resource: "arn:aws:s3:::b" & more', status=403)
    rendered = render_fault(found, fault, "r").body
    assert b'<Message>not authorized on resource: "arn:aws:s3:::b" &amp; more</Message>' in rendered
