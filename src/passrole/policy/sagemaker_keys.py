"""SageMaker's own condition keys, from the arguments of a Create request.

It reads the request's arguments in AWS's spelling. An argument that is not given is an absent key: AWS
documents no defaults.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from passrole.policy.request import Values

Paths = Sequence[str]

_VPC: Final = ("VpcConfig", "NetworkConfig.VpcConfig", "AutoMLJobConfig.SecurityConfig.VpcConfig")
_FILE_SYSTEM: Final = "InputDataConfig[].DataSource.FileSystemDataSource"
_TUNED: Final = ("TrainingJobDefinition", "TrainingJobDefinitions[]")


def sagemaker_keys(action: str, arguments: Mapping[str, Any]) -> dict[str, Values]:
    """The condition keys of the action (`sagemaker:CreateTrainingJob`) that its arguments define.

    A multivalued key is a tuple, even with one value. For sagemaker:ModelArn see `model_keys`.
    """
    found: dict[str, Values] = {}
    for name in KEYS.get(action.partition(":")[2], ()):
        if name.endswith("/"):
            listed = next(iter(values_at(arguments, name.rstrip("/"))), None)
            pairs = listed.items() if isinstance(listed, dict) else ()
            found |= {f"sagemaker:{name}{key}": _text(value) for key, value in pairs}
            continue
        values = [_text(value) for path in _paths(name) for value in values_at(arguments, path)]
        if values:
            many = tuple(dict.fromkeys(values))
            found[f"sagemaker:{name}"] = many if name in _MANY else many[0]
    return found


def model_keys(action: str, arguments: Mapping[str, Any], arn: Callable[[Any], str]) -> dict[str, Values]:
    """sagemaker:ModelArn of the models that the arguments name, each of which has an ARN."""
    found = [value for path in _MODELS.get(action, ()) for value in values_at(arguments, path)]
    models = tuple(dict.fromkeys(map(arn, found)))
    return {"sagemaker:ModelArn": models[0] if len(models) == 1 else models} if models else {}


def networks(arguments: Mapping[str, Any]) -> list[Any]:
    """The VpcConfigs of a request, also of a tuning job's training jobs, that name something."""
    paths = [path for inner in _VPC for path in (inner, *(f"{outer}.{inner}" for outer in _TUNED))]
    return [found for path in paths for found in values_at(arguments, path) if found]


def current_package_keys(package: Mapping[str, Any]) -> dict[str, Values]:
    """The condition keys of a model package as it is stored, in AWS's spelling."""
    cycle = package.get("ModelLifeCycle") or {}
    stages = {
        f"sagemaker:CurrentModelLifeCycle{member}": cycle[member]
        for member in ("Stage", "StageStatus")
        if member in cycle
    }
    properties = package.get("CustomerMetadataProperties") or {}
    return stages | {
        f"sagemaker:CurrentCustomerMetadataProperties/{key}": value for key, value in properties.items()
    }


def values_at(arguments: Any, path: str) -> list[Any]:
    """The values at a path such as `a.b[].c` of a request's arguments, in order; null counts as absent."""
    found = [arguments]
    for part in path.split("."):
        name = part.removesuffix("[]")
        found = [each[name] for each in found if isinstance(each, dict) and each.get(name) is not None]
        if part.endswith("[]"):
            found = [inner for each in found if isinstance(each, list) for inner in each]
    return found


def _paths(name: str) -> Iterator[str]:
    """The paths of the key's values, also inside the training job definitions of a tuning job."""
    for path in _PATHS[name]:
        yield path
        yield from (f"{outer}.{path}" for outer in _TUNED)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_MODELS: Final[Mapping[str, Sequence[str]]] = {
    "sagemaker:CreateTransformJob": ("ModelName",),
    "sagemaker:CreateEndpointConfig": ("ProductionVariants[].ModelName",),
    "sagemaker:CreateInferenceComponent": ("Specification.ModelName",),
}
_MANY: Final = frozenset(
    {
        "AcceleratorTypes",
        "CustomerMetadataPropertiesToRemove",
        "InstanceTypes",
        "VpcSecurityGroupIds",
        "VpcSubnets",
    }
)
_PATHS: Final[Mapping[str, Paths]] = {
    "AcceleratorTypes": ("ProductionVariants[].AcceleratorType",),
    "CustomerMetadataPropertiesToRemove": ("CustomerMetadataPropertiesToRemove[]",),
    "EnableRemoteDebug": ("RemoteDebugConfig.EnableRemoteDebug",),
    "FileSystemAccessMode": (f"{_FILE_SYSTEM}.FileSystemAccessMode",),
    "FileSystemDirectoryPath": (f"{_FILE_SYSTEM}.DirectoryPath",),
    "FileSystemId": (f"{_FILE_SYSTEM}.FileSystemId",),
    "FileSystemType": (f"{_FILE_SYSTEM}.FileSystemType",),
    "InstanceTypes": (
        "ResourceConfig.InstanceType",
        "ResourceConfig.InstanceGroups[].InstanceType",
        "HyperParameterTuningResourceConfig.InstanceType",
        "HyperParameterTuningResourceConfig.InstanceConfigs[].InstanceType",
        "ProcessingResources.ClusterConfig.InstanceType",
        "TransformResources.InstanceType",
        "ProductionVariants[].InstanceType",
    ),
    "InterContainerTrafficEncryption": (
        "EnableInterContainerTrafficEncryption",
        "NetworkConfig.EnableInterContainerTrafficEncryption",
        "AutoMLJobConfig.SecurityConfig.EnableInterContainerTrafficEncryption",
    ),
    "KeepAlivePeriod": ("ResourceConfig.KeepAlivePeriodInSeconds",),
    "MaxRuntimeInSeconds": ("StoppingCondition.MaxRuntimeInSeconds",),
    "ModelApprovalStatus": ("ModelApprovalStatus",),
    "ModelLifeCycle:Stage": ("ModelLifeCycle.Stage",),
    "ModelLifeCycle:StageStatus": ("ModelLifeCycle.StageStatus",),
    "NetworkIsolation": ("EnableNetworkIsolation", "NetworkConfig.EnableNetworkIsolation"),
    "OutputKmsKey": (
        "OutputDataConfig.KmsKeyId",
        "ProcessingOutputConfig.KmsKeyId",
        "TransformOutput.KmsKeyId",
    ),
    "ServerlessMaxConcurrency": ("ProductionVariants[].ServerlessConfig.MaxConcurrency",),
    "ServerlessMemorySize": ("ProductionVariants[].ServerlessConfig.MemorySizeInMB",),
    "VolumeKmsKey": (
        "ResourceConfig.VolumeKmsKeyId",
        "HyperParameterTuningResourceConfig.VolumeKmsKeyId",
        "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
        "TransformResources.VolumeKmsKeyId",
        "AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId",
        "KmsKeyId",
    ),
    "VpcSecurityGroupIds": tuple(f"{vpc}.SecurityGroupIds[]" for vpc in _VPC),
    "VpcSubnets": tuple(f"{vpc}.Subnets[]" for vpc in _VPC),
}

_TUNING: Final = (
    "FileSystemAccessMode",
    "FileSystemDirectoryPath",
    "FileSystemId",
    "FileSystemType",
    "InstanceTypes",
    "InterContainerTrafficEncryption",
    "MaxRuntimeInSeconds",
    "NetworkIsolation",
    "OutputKmsKey",
    "VolumeKmsKey",
    "VpcSecurityGroupIds",
    "VpcSubnets",
)

# By operation, as in the service authorization reference; a name that ends in `/` has a key for each member.
# sagemaker:DirectGatedModelAccess is left out, since no argument defines it.
KEYS: Final[Mapping[str, Sequence[str]]] = {
    "CreateAutoMLJob": (
        "InterContainerTrafficEncryption",
        "OutputKmsKey",
        "VolumeKmsKey",
        "VpcSecurityGroupIds",
        "VpcSubnets",
    ),
    "CreateEndpointConfig": (
        "AcceleratorTypes",
        "InstanceTypes",
        "NetworkIsolation",
        "ServerlessMaxConcurrency",
        "ServerlessMemorySize",
        "VolumeKmsKey",
        "VpcSecurityGroupIds",
        "VpcSubnets",
    ),
    "CreateHyperParameterTuningJob": _TUNING,
    "CreateModel": ("NetworkIsolation", "VpcSecurityGroupIds", "VpcSubnets"),
    "CreateModelPackage": (
        "CustomerMetadataProperties/",
        "ModelApprovalStatus",
        "ModelLifeCycle:Stage",
        "ModelLifeCycle:StageStatus",
    ),
    "CreateProcessingJob": (
        "InstanceTypes",
        "InterContainerTrafficEncryption",
        "MaxRuntimeInSeconds",
        "NetworkIsolation",
        "OutputKmsKey",
        "VolumeKmsKey",
        "VpcSecurityGroupIds",
        "VpcSubnets",
    ),
    "CreateTrainingJob": (*_TUNING, "EnableRemoteDebug", "KeepAlivePeriod"),
    "CreateTransformJob": ("InstanceTypes", "OutputKmsKey", "VolumeKmsKey"),
    "UpdateModelPackage": (
        "CustomerMetadataProperties/",
        "CustomerMetadataPropertiesToRemove",
        "ModelApprovalStatus",
        "ModelLifeCycle:Stage",
        "ModelLifeCycle:StageStatus",
    ),
}
