"""The maximum size of a request's body by operation, known before a byte of it is read.

If AWS limits the content of a body (a definition, a message, a list of keys), the body may be as large as its
longest encoding: JSON's `\u0001` and a form's `%01` make six and three bytes of one. Otherwise the limit and
the plain text are those of AWS's HTTP front end: https://github.com/aws/aws-sdk-js/issues/479
"""

from collections.abc import Mapping

from passrole.faults import Fault
from passrole.wire.descriptions import Protocol
from passrole.wire.http_messages import HttpResponse
from passrole.wire.refusals import Unrouted
from passrole.wire.routes import Route

USUAL_BYTES_MAX = 1_662_976
LAMBDA_BYTES_MAX = 70_167_211
OBJECT_BYTES_MAX = LAMBDA_BYTES_MAX
"""For PutObject and UploadPart, whose bodies are in memory. Larger objects need a multipart upload."""

_MIB = 1_048_576
_ESCAPED = 6
_REST = 65_536

_BY_SERVICE: Mapping[str, int] = {
    "iam": 5 * _MIB,  # SimulateCustomPolicy takes many documents of 131,072 characters
    "sqs": _ESCAPED * _MIB + _REST,  # one message or one batch
}
LARGER: Mapping[tuple[str, str], int] = {
    ("events", "PutEvents"): _ESCAPED * 262_144 + _REST,
    ("lambda", "CreateFunction"): LAMBDA_BYTES_MAX,
    ("lambda", "Invoke"): 6_291_456,
    ("lambda", "PublishLayerVersion"): LAMBDA_BYTES_MAX,
    ("lambda", "UpdateFunctionCode"): LAMBDA_BYTES_MAX,
    ("logs", "PutLogEvents"): _ESCAPED * _MIB + _REST,
    ("s3", "CompleteMultipartUpload"): 4 * _MIB,  # 10,000 parts, each with a checksum
    ("s3", "DeleteObjects"): _ESCAPED * _MIB + _REST,  # 1,000 keys of 1,024 bytes
    ("s3", "PutObject"): OBJECT_BYTES_MAX,
    ("s3", "UploadPart"): OBJECT_BYTES_MAX,
    ("sagemaker-runtime", "InvokeEndpoint"): 6_291_456,
    ("sagemaker", "CreatePipeline"): _ESCAPED * _MIB + _REST,
    ("sagemaker", "UpdatePipeline"): _ESCAPED * _MIB + _REST,
}
_BUSY: Mapping[Protocol, tuple[str, str, int]] = {
    "ec2": ("Throttling", "Rate exceeded", 400),
    "json": ("ThrottlingException", "Rate exceeded", 400),
    "query": ("Throttling", "Rate exceeded", 400),
    "rest-json": ("TooManyRequestsException", "Rate Exceeded.", 429),
    "rest-xml": ("SlowDown", "Please reduce your request rate.", 503),
    "rpc-v2-cbor": ("ThrottlingException", "Rate exceeded", 400),
}


class ContentTooLong(Fault):
    """The error of AWS's HTTP front end for a large body: plain text in every protocol."""


def bytes_max(service: str, operation: str = "") -> int:
    """The maximum body of an operation; without one, of the service's operations that the body names."""
    usual = _BY_SERVICE.get(service, USUAL_BYTES_MAX)
    return LARGER.get((service, operation), usual)


def too_large(route: Route | None, most: int) -> Fault:
    """The fault for a body of more than `most` bytes."""
    if route is not None and route.service == "lambda":
        name = {"Invoke": "InvokeFunction"}.get(route.operation, route.operation)
        code = "RequestTooLargeException" if route.operation == "Invoke" else "RequestEntityTooLargeException"
        return Fault(code, f"Request must be smaller than {most} bytes for the {name} operation", status=413)
    if route is not None and route.service == "s3":
        if route.operation in ("PutObject", "UploadPart"):
            message = "Your proposed upload exceeds the maximum allowed object size."
            return Fault("EntityTooLarge", message, status=400)
        return Fault("MaxMessageLengthExceeded", "Your request was too large.", status=400)
    return ContentTooLong("413", f"HTTP content length exceeded {most} bytes.", status=413)


def busy(protocol: Protocol) -> Fault:
    """The fault for a body when the memory budget is used up; SDKs retry it."""
    code, message, status = _BUSY[protocol]
    return Unrouted(code, message, protocol, status=status)


def plain_answer(fault: ContentTooLong, request_id: str) -> HttpResponse:
    """The plain text response."""
    body = fault.message.encode()
    headers = [
        ("x-amzn-requestid", request_id),
        ("content-type", "text/plain"),
        ("content-length", str(len(body))),
    ]
    return HttpResponse(413, headers, body)
