"""The code, status and members of a fault on the wire of a service, from its description or by rule.

A Fault's code may be the shape's name (`QueueDoesNotExist`) or the older code on the wire
(`AWS.SimpleQueueService.NonExistentQueue`); both find the same shape. The status is the fault's own, else the
description's, else 400, or 500 for server faults: the descriptions of sagemaker, sqs, events, emr and logs
have no statuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.model import StructureShape

from passrole.faults import Fault
from passrole.wire import descriptions, refusals
from passrole.wire.descriptions import Protocol

_CORAL = "com.amazon.coral.service#"
_CORAL_CODES = frozenset({"SerializationException", "UnknownOperationException", "InternalFailure"})
_S3_STATUSES: Mapping[str, int] = {
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; the description models few of them.
    "BucketNotEmpty": 409,
    "InternalFailure": 500,
    "InvalidRange": 416,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "NoSuchBucketPolicy": 404,
    "NoSuchTagSet": 404,
    "NoSuchVersion": 404,
    "NotImplemented": 501,
    "NotModified": 304,
    "OperationAborted": 409,
    "PreconditionFailed": 412,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
}
_SQS = "com.amazonaws.sqs#"
_UNMODELLED: Mapping[str, str] = {
    # JSON names of codes that SQS's description lacks, as seen in AWS's responses (QueryErrorCode).
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
}


@dataclass(frozen=True, slots=True)
class WireError:
    """A fault in the terms of one protocol.

    `type_name` is the exception's name, with its namespace in JSON; `code` is the one that query clients
    read; `query_code` is for x-amzn-query-error, None if the service never used query. `members` are the
    further modelled members in AWS's spelling, described by `shape`; `headers` are for S3 only.
    """

    service: str | None
    type_name: str
    code: str
    query_code: str | None
    status: int
    sender: bool
    message_key: str
    message: str
    shape: StructureShape | None
    members: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def wire_error(fault: Fault, service: str | None, protocol: Protocol) -> WireError:
    """The fault in the terms of the service and protocol; `service` is None before it is known."""
    refusal = refusals.by_spelling(fault.code)
    if refusal is not None:
        return _refusal(fault, refusal, service, protocol)
    shape = _error_shapes(service).get(fault.code) if service else None
    if service is not None and shape is not None:
        return _modelled(fault, shape, service, protocol)
    compatible = _is_compatible(service, protocol)
    is_rest = protocol == "rest-json"  # Lambda has no namespace, and `Message` as in its modelled errors
    return WireError(
        service=service,
        type_name=fault.code if is_rest else _qualified(fault.code, compatible),
        code=fault.code,
        query_code=fault.code if compatible else None,
        headers=fault.headers,
        status=fault.status or _status(fault, service, protocol),
        sender=fault.sender,
        message_key="Message" if is_rest else "message",
        message=fault.message,
        shape=None,
        members=fault.members if protocol == "rest-xml" else {},
    )


def _status(fault: Fault, service: str | None, protocol: Protocol) -> int:
    if protocol == "rest-json" and fault.code == "UnknownOperationException":
        return 404  # as for an unknown path
    return _S3_STATUSES.get(fault.code if service == "s3" else "", 400 if fault.sender else 500)


def _refusal(fault: Fault, refusal: refusals.Refusal, service: str | None, protocol: Protocol) -> WireError:
    code = refusals.code_of(refusal, protocol)
    return WireError(
        service=service,
        type_name=_CORAL + code if protocol == "json" else code,
        code=code,
        query_code=refusal.code if _is_compatible(service, protocol) else None,
        status=fault.status or refusals.status_of(refusal, service or "", protocol),
        sender=True,
        # AWS's front end uses `Message` in denials and `message` otherwise.
        message_key="Message" if refusal is refusals.ACCESS_DENIED else "message",
        message=fault.message,
        shape=None,
        members=fault.members if protocol == "rest-xml" else {},
    )


def _modelled(fault: Fault, shape: StructureShape, service: str, protocol: Protocol) -> WireError:
    trait = shape.metadata.get("error", {})
    sender = fault.sender and not descriptions.is_service_fault(service, shape.name)
    code = trait.get("code", shape.name)
    compatible = _is_compatible(service, protocol)
    return WireError(
        service=service,
        type_name=_qualified(shape.name, compatible),
        code=code,
        query_code=code if compatible else None,
        status=fault.status or trait.get("httpStatusCode") or (400 if sender else 500),
        sender=sender,
        message_key=next((name for name in shape.members if name.lower() == "message"), "message"),
        message=_message(fault.message, shape.name, service, protocol),
        shape=shape,
        members=fault.members,
    )


def _message(message: str, name: str, service: str, protocol: Protocol) -> str:
    """The fault's message, or the older protocol's own one."""
    if protocol != "query" or descriptions.SERVICES[service].protocols[0] == "query":
        return message
    return str(descriptions.overlay(service)["errors"].get(name, {}).get("message", message))


def _qualified(name: str, compatible: bool) -> str:
    if compatible:
        return _SQS + _UNMODELLED.get(name, name)
    return _CORAL + name if name in _CORAL_CODES else name


def _is_compatible(service: str | None, protocol: Protocol) -> bool:
    return protocol == "json" and descriptions.is_query_compatible(service or "")


@cache
def _error_shapes(service: str) -> Mapping[str, StructureShape]:
    """The service's exceptions by shape name and by code on the wire; the shape's name takes precedence."""
    described = descriptions.service_model(service, "query").error_shapes
    shapes = [shape for shape in described if isinstance(shape, StructureShape)]
    by_code = {shape.metadata.get("error", {}).get("code", shape.name): shape for shape in shapes}
    return by_code | {shape.name: shape for shape in shapes}
