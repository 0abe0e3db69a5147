"""The table of supported operations: (service, operation) -> handler, collected from the modules of
`services`.

Services have botocore's names, operations botocore's snake case.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import NamedTuple

from botocore import xform_name

from passrole.faults import Fault
from passrole.services import (
    Operation,
    ecr,
    emr,
    emr_serverless,
    events,
    iam,
    kms,
    lambda_,
    logs,
    passrole_,
    s3,
    sagemaker,
    scheduler,
    sqs,
    sts,
)
from passrole.services.sagemaker.hosting import invoke_endpoint


class Refusals(NamedTuple):
    """A service's error codes for refusals before its handlers."""

    denied: str
    denied_status: int
    invalid: str
    unknown_operation: str


_JSON = Refusals("AccessDeniedException", 400, "ValidationException", "UnknownOperationException")
_QUERY = Refusals("AccessDenied", 403, "ValidationError", "InvalidAction")

REFUSALS: Mapping[str, Refusals] = {
    "ecr": _JSON._replace(invalid="InvalidParameterException"),
    "emr": _JSON,
    "emr-serverless": Refusals(
        "AccessDeniedException", 403, "ValidationException", "UnknownOperationException"
    ),
    "events": _JSON,
    "iam": _QUERY,
    "kms": _JSON,
    "lambda": Refusals("AccessDeniedException", 403, "ValidationException", "UnknownOperationException"),
    "logs": Refusals("AccessDeniedException", 400, "InvalidParameterException", "UnknownOperationException"),
    "passrole": _JSON,
    "s3": Refusals("AccessDenied", 403, "InvalidRequest", "NotImplemented"),
    "sagemaker": _JSON,
    "sagemaker-runtime": Refusals(
        "AccessDeniedException", 403, "ValidationError", "UnknownOperationException"
    ),
    "scheduler": Refusals("AccessDeniedException", 403, "ValidationException", "UnknownOperationException"),
    "sqs": Refusals("AccessDenied", 403, "InvalidParameterValue", "InvalidAction"),
    "sts": _QUERY,
}

_MODULES: Mapping[str, ModuleType] = {
    "ecr": ecr,
    "emr": emr,
    "emr-serverless": emr_serverless,
    "events": events,
    "iam": iam,
    "kms": kms,
    "lambda": lambda_,
    "logs": logs,
    "passrole": passrole_,
    "s3": s3,
    "sagemaker": sagemaker,
    "sagemaker-runtime": invoke_endpoint,
    "scheduler": scheduler,
    "sqs": sqs,
    "sts": sts,
}


def operations() -> Mapping[tuple[str, str], Operation]:
    """Every supported operation under (service, snake-case name)."""
    return _OPERATIONS


def find(service: str, operation: str) -> Operation:
    """The operation that AWS spells `operation`. Raises Fault (UnknownOperationException, InvalidAction)."""
    found = _OPERATIONS.get((service, xform_name(operation)))
    if found is None:
        code = REFUSALS.get(service, _JSON).unknown_operation
        raise Fault(code, f"passrole does not support the operation {service}:{operation}")
    return found


def supports(service: str, operation: str) -> bool:
    """Whether there is the operation that AWS spells `operation`."""
    return (service, xform_name(operation)) in _OPERATIONS


def _gathered() -> dict[tuple[str, str], Operation]:
    return {
        (service, declared.name): declared
        for service, module in _MODULES.items()
        for part in _parts(module)
        for value in vars(part).values()
        if isinstance(declared := getattr(value, "__operation__", None), Operation)
    }


def _parts(module: ModuleType) -> list[ModuleType]:
    """The module itself, or the modules of a folder by resource, which its __init__ imports."""
    inside = [
        value
        for value in vars(module).values()
        if isinstance(value, ModuleType) and value.__name__.startswith(module.__name__ + ".")
    ]
    return [module, *inside]


_OPERATIONS = _gathered()
