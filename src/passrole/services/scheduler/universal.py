"""Universal targets: `arn:aws:scheduler:::aws-sdk:<service>:<operation>`, whose input is the request. Pure.

The service has the name that AWS's SDK for Java has for it, the operation begins with a small letter. AWS
refuses operations that only read.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

from collections.abc import Mapping
from typing import Any

import orjson
from botocore.model import ListShape, MapShape, Shape, StructureShape

from passrole.arns import Arn
from passrole.faults import Fault
from passrole.services.scheduler import refusals
from passrole.wire import descriptions

_PREFIX = "aws-sdk:"
_BOTOCORE_NAMES: Mapping[str, str] = {
    "cloudwatchlogs": "logs",
    "emr": "emr",
    "eventbridge": "events",
    "iam": "iam",
    "lambda": "lambda",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "scheduler": "scheduler",
    "sqs": "sqs",
    "sts": "sts",
}
_READS = (
    "adminget",
    "adminlist",
    "batchdescribe",
    "batchget",
    "batchread",
    "describe",
    "discover",
    "get",
    "list",
    "lookup",
    "poll",
    "query",
    "read",
    "receive",
    "retrieve",
    "scan",
    "search",
    "select",
    "testconnection",
    "testmigration",
    "transactget",
    "translatedocument",
    "validate",
)


def is_universal(arn: Arn) -> bool:
    """Whether the ARN names an operation instead of a resource."""
    return arn.service == "scheduler" and arn.resource.startswith(_PREFIX)


def check(arn: Arn, given: str | None) -> None:
    """Refuse an operation that AWS would not call or that is unknown, and an input that is no request.

    Raises ValidationException.
    """
    _operation(arn)
    if given is None:
        raise refusals.invalid(f"Input is required for the target {arn}.")
    if not isinstance(_loaded(given), dict):
        raise refusals.invalid(f"Input must be a well-formed JSON for the target {arn}.")


def request(arn: Arn, given: str) -> tuple[str, str, dict[str, Any]]:
    """Service (botocore's name), operation and parameters. Raises ValidationException for no JSON object."""
    service, operation = _operation(arn)
    document = _loaded(given)
    if not isinstance(document, dict):
        raise Fault("ValidationException", f"The input of the target {arn} is not a JSON document.")
    protocol = descriptions.SERVICES[service].protocols[0]
    shape = descriptions.operation_model(service, protocol, operation).input_shape
    return service, operation, document if shape is None else _as_shape(document, shape)


def _operation(arn: Arn) -> tuple[str, str]:
    name, _, spelled = arn.resource.removeprefix(_PREFIX).partition(":")
    service = _BOTOCORE_NAMES.get(name)
    if service is None:
        known = ", ".join(_BOTOCORE_NAMES)
        raise refusals.unsupported(f"the target {arn}: it calls {known}")
    operation = spelled[:1].upper() + spelled[1:]
    if operation not in descriptions.operations(service) or spelled[:1].isupper():
        raise refusals.invalid(f"The target {arn} is not an operation of {name}.")
    if spelled.lower().startswith(_READS):
        raise refusals.invalid(f"The target {arn} is not supported: the operation only reads.")
    return service, operation


def _loaded(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _as_shape(value: Any, shape: Shape) -> Any:
    """The value as a call takes it: bytes where the shape has a blob, which the input gives as text."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        known = shape.members
        return {name: _as_shape(each, known[name]) if name in known else each for name, each in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_as_shape(each, shape.member) for each in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: _as_shape(each, shape.value) for name, each in value.items()}
    return value.encode() if shape.type_name == "blob" and isinstance(value, str) else value
