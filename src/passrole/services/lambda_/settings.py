"""Limits of a function's configuration that the service description does not have. Pure.

Limits: Lambda quotas and environment variables, as the developer guide has them.
"""

import json
import string
from collections.abc import Mapping
from typing import TYPE_CHECKING

from passrole.policy.request import Values
from passrole.runtimes.environment import runtime_warning, unavailable_reason
from passrole.services.context import Context
from passrole.services.lambda_ import refusals
from passrole.services.operation import Parameters
from passrole.wire.descriptions import enum_values

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EnvironmentTypeDef, SnapStartTypeDef, VpcConfigTypeDef

TIMEOUT_DEFAULT, TIMEOUT_MAX = 3, 900
MEMORY_DEFAULT, MEMORY_MAX = 128, 10_240
ENVIRONMENT_BYTES_MAX = 4_096
_LEGAL = frozenset(string.ascii_letters + string.digits + "_")

RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def checked_timeout(seconds: int) -> int:
    """Raises ValidationException."""
    if seconds > TIMEOUT_MAX:
        rule = f"have value less than or equal to {TIMEOUT_MAX}"
        raise refusals.constraint(seconds, "timeout", rule)
    return seconds


def checked_memory(megabytes: int) -> int:
    """Raises ValidationException."""
    if megabytes > MEMORY_MAX:
        rule = f"have value less than or equal to {MEMORY_MAX}"
        raise refusals.constraint(megabytes, "memorySize", rule)
    return megabytes


def checked_runtime(runtime: str, *, strict: bool) -> str:
    """The runtime, if AWS has it and this machine can run it; with `strict` only in exactly that version.

    Raises InvalidParameterValueException.
    """
    known = enum_values("lambda", "Runtime")
    if runtime not in known:
        raise refusals.unknown_runtime(runtime, known)
    reason = unavailable_reason(runtime)
    if reason:
        raise refusals.unsupported(f"the runtime {runtime}: {reason}")
    warning = runtime_warning(runtime)
    if strict and warning:
        raise refusals.unsupported(f"the runtime {runtime} here: {warning}")
    return runtime


def checked_variables(environment: "EnvironmentTypeDef | None") -> dict[str, str]:
    """The variables of an Environment. Raises InvalidParameterValueException, ValidationException."""
    variables = dict(environment.get("Variables") or {}) if environment else {}
    reserved = sorted(set(variables) & RESERVED)
    if reserved:
        raise refusals.invalid(
            "Lambda was unable to configure your environment variables because the environment variables"
            " you have provided contains reserved keys that are currently not supported for modification."
            f" Reserved keys used in this request: {', '.join(reserved)}"
        )
    for name, value in variables.items():
        if len(name) < 2 or not name[0].isalpha() or not set(name) <= _LEGAL or "\0" in value:
            rule = "satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+"
            raise refusals.constraint(name, "environment.variables", rule)
    measured = json.dumps(variables, separators=(",", ":"))
    if len(measured.encode()) > ENVIRONMENT_BYTES_MAX:
        raise refusals.invalid(
            "Lambda was unable to configure your environment variables because the environment variables"
            f" you have provided exceeded the 4KB limit. String measured: {measured}"
        )
    return variables


def configuration_keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of a call that sets a function's configuration."""
    network = parameters.get("vpc_config") or {}
    given = {
        "lambda:Layer": parameters.get("layers"),
        "lambda:SecurityGroupIds": network.get("SecurityGroupIds"),
        "lambda:SubnetIds": network.get("SubnetIds"),
    }
    return {key: tuple(values) for key, values in given.items() if values}


def refuse_snapshots(snap_start: "SnapStartTypeDef | None") -> None:
    """SnapStart is not supported. Raises InvalidParameterValueException."""
    if (snap_start or {}).get("ApplyOn", "None") != "None":
        raise refusals.unsupported("SnapStart of functions")


def refuse_beyond_zip(package_type: str) -> None:
    """Images are not supported. Raises InvalidParameterValueException."""
    if package_type != "Zip":
        raise refusals.unsupported(f"the package type {package_type}")


def checked_network(vpc_config: "VpcConfigTypeDef | None") -> dict[str, list[str]]:
    """What a VpcConfig names; empty for one that names nothing, as the SageMaker SDK always sends it.

    Raises InvalidParameterValueException.
    """
    given = vpc_config or {}
    subnets, groups = list(given.get("SubnetIds") or ()), list(given.get("SecurityGroupIds") or ())
    if bool(subnets) != bool(groups):
        raise refusals.invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    return {"SubnetIds": subnets, "SecurityGroupIds": groups} if subnets else {}
