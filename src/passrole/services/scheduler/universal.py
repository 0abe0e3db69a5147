"""Universal targets: `arn:aws:scheduler:::aws-sdk:<service>:<operation>`, whose input is the request. Pure.

The service has the name that AWS's SDK for Java has for it, the operation begins with a small letter. AWS
refuses operations that only read.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from botocore.model import ListShape, MapShape, Shape, StructureShape

from passrole.arns import Arn
from passrole.services.scheduler import refusals
from passrole.wire import descriptions
from passrole.wire.scalars import read_timestamp

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


def check(arn: Arn, given: str | None, supports: Callable[[str, str], bool]) -> None:
    """Refuse an operation that AWS would not call or that is not here, and an input that is no request.

    Raises ValidationException.
    """
    service, operation = _operation(arn)
    if not supports(service, operation):
        raise refusals.unsupported(f"the operation {service}:{operation}")
    if given is None:
        raise refusals.invalid(f"Input is required for the target {arn}.")
    request(arn, given)


def request(arn: Arn, given: str) -> tuple[str, str, dict[str, Any]]:
    """Service (botocore's name), operation and parameters.

    Raises ValidationException for an input that is no JSON object, or none of the operation's form.
    """
    service, operation = _operation(arn)
    document = _loaded(given)
    if not isinstance(document, dict):
        raise refusals.invalid(f"Input must be a well-formed JSON for the target {arn}.")
    protocol = descriptions.SERVICES[service].protocols[0]
    shape = descriptions.operation_model(service, protocol, operation).input_shape
    return service, operation, {} if shape is None else _as_shape(document, shape, operation)


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


def _as_shape(value: Any, shape: Shape, path: str) -> Any:
    """The value as a call takes it: bytes where the shape has a blob, which the input gives as text.

    Raises ValidationException for a value of another type, which no service would see.
    """
    if not _fits(value, shape):
        raise refusals.invalid(f"{path} of the target's input is not of the type {shape.type_name}.")
    if isinstance(shape, StructureShape):
        return _as_structure(value, shape, path)
    if isinstance(shape, ListShape):
        return [_as_shape(each, shape.member, f"{path}[{n}]") for n, each in enumerate(value)]
    if isinstance(shape, MapShape):
        return {name: _as_shape(each, shape.value, f"{path}.{name}") for name, each in value.items()}
    if shape.type_name == "timestamp" and isinstance(value, str):
        return _seconds(value, path)
    return value.encode() if shape.type_name == "blob" else value


def _as_structure(value: Mapping[str, Any], shape: StructureShape, path: str) -> dict[str, Any]:
    known = shape.members
    for name in value:
        if name not in known:
            raise refusals.invalid(f"{path} of the target's input has no member {name}.")
    return {
        name: _as_shape(each, known[name], f"{path}.{name}")
        for name, each in value.items()
        if each is not None
    }


def _fits(value: object, shape: Shape) -> bool:
    """Whether the value is of the shape's type; in Python a boolean is a number as well."""
    if isinstance(value, bool):
        return shape.type_name == "boolean"
    return isinstance(value, _TYPES.get(shape.type_name, str))


def _seconds(text: str, path: str) -> float:
    try:
        return read_timestamp(text)
    except ValueError:
        raise refusals.invalid(f"{path} of the target's input is not of the type timestamp.") from None


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "boolean": bool,
    "double": (int, float),
    "float": (int, float),
    "integer": int,
    "list": list,
    "long": int,
    "map": dict,
    "structure": dict,
    "timestamp": (int, float, str),
}
"""Python's types of a JSON value, by the type of its shape; of all others it is a text."""
