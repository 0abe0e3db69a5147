"""Which earlier step a cached step may take over: the same type, and the same of what AWS compares.

AWS compares resolved arguments, not what lies in S3; outputs, roles, resources, stopping conditions,
networks, tags and names do not count but for checks, so that a changed instance type still hits.
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from passrole import exact_json

_SAGEMAKER = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
    "Tuning": (
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition.AlgorithmSpecification",
        "TrainingJobDefinition.HyperParameterRanges",
        "TrainingJobDefinition.InputDataConfig",
        "TrainingJobDefinition.StaticHyperParameters",
        "TrainingJobDefinition.TuningObjective",
        "TrainingJobDefinitions",
    ),
    "AutoML": (
        "AutoMLJobConfig.CompletionCriteria",
        "AutoMLJobConfig.CandidateGenerationConfig",
        "AutoMLJobConfig.DataSplitConfig",
        "AutoMLJobConfig.Mode",
        "AutoMLJobObjective",
        "InputDataConfig",
        "ProblemType",
    ),
}
_CHECK = (
    "AppSpecification",
    "Environment",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "NetworkConfig",
    "RoleArn",
    "StoppingCondition",
    "Tags",
    "CheckType",
    "SkipCheck",
    "RegisterNewBaseline",
    "ModelPackageGroupName",
    "SuppliedBaselineConstraints",
)
"""The configurations of a check and of its job count as a whole, unlike those of other jobs."""

_CHECKS = {"QualityCheck": (*_CHECK, "SuppliedBaselineStatistics"), "ClarifyCheck": (*_CHECK, "ModelName")}
_EMR = {
    "EMR": ("ClusterId", "ClusterConfig", "StepConfig"),
    "EMRServerless": (
        "ApplicationId",
        "ApplicationConfig",
        "JobConfig.jobDriver",
        "JobConfig.configurationOverrides.applicationConfiguration",
    ),
}
COMPARED: Mapping[str, tuple[str, ...]] = {**_SAGEMAKER, **_CHECKS, **_EMR}
"""By type of step, the paths into its arguments that count. A type that is not here never hits: AWS lists no
keys for Lambda, Callback, EndpointConfig and Endpoint steps, and a model is made anew each time.
"""


class Difference(NamedTuple):
    """Two values at one path of what counts; None where there is none."""

    path: str
    one: Any
    other: Any


def compared(step_type: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """What counts of a step's resolved arguments, by path; None for a type that is never taken over.

    What is null or empty counts as absent, as the SDKs send both for the same thing.
    """
    if step_type not in COMPARED:
        return None
    found = {path: _without_absent(_at(arguments, path)) for path in COMPARED[step_type]}
    return {path: value for path, value in found.items() if not _is_absent(value)}


def digest(step_type: str, arguments: Mapping[str, Any]) -> str | None:
    """A key under which the same step is found again; None for a type that is never taken over."""
    counted = compared(step_type, arguments)
    return None if counted is None else digest_of(step_type, counted)


def digest_of(step_type: str, counted: Mapping[str, Any]) -> str:
    """The key, of what `compared` has found."""
    return hashlib.sha256(exact_json.dumps([step_type, _sorted(counted)])).hexdigest()


def differences(one: Any, other: Any, path: str = "") -> Iterator[Difference]:
    """Where two values of `compared` differ, whole where one is absent or lists have two lengths."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in sorted({*one, *other}):
            inner = f"{path}.{name}" if path else name
            yield from differences(one.get(name), other.get(name), inner)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(mine, theirs, f"{path}[{number}]")
    elif one != other or type(one) is not type(other):
        yield Difference(path, one, other)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _is_absent(value: Any) -> bool:
    return value is None or value == {} or value == []


def _without_absent(value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = {name: _without_absent(each) for name, each in value.items()}
        return {name: each for name, each in inner.items() if not _is_absent(each)}
    if isinstance(value, list):
        return [_without_absent(each) for each in value]
    return value


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value
